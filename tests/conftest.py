"""What all tests share: where the data are, hypothesis' profile, and the rule that CI skips nothing."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Generator
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import settings

# One thread for each worker of pytest-xdist: more would take turns on the same cores. numpy and
# torch read it when they are first imported, which is later.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


BEYOND_THE_CORE = re.compile(
    r"^\s*(from|import)\b.*\b(torch|pyarrow|vpype|untrained|critics|recognisers|runs|seeing)\b"
    r"|^from sketchgen\.(data|evaluation|training)\b",
    re.MULTILINE,
)
"""How a test file, or a module of tests/support that it imports, asks for what an extra installs."""


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the tests of what extras install where only the light core is installed."""
    if importlib.util.find_spec("torch") is not None or not collection_path.match("test_*.py"):
        return None
    return True if BEYOND_THE_CORE.search(collection_path.read_text(encoding="utf-8")) else None


NO_DATA = "SKETCHGEN_DATA does not name a folder with Quick, Draw! files"
"""A skip that is allowed anywhere: the real drawings are no part of the project."""

NO_RAY = "Ray is not installed (pip install 'sketchgen[ray]', 240 MB)"
"""The other one: Ray is large, and who tests need not have it."""


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where `SKETCHGEN_NO_SKIP` is set: a gate that skips holds nothing."""
    if not os.environ.get("SKETCHGEN_NO_SKIP") or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if reason.endswith(NO_DATA) and not os.environ.get("SKETCHGEN_DATA"):
        return
    if reason.endswith(NO_RAY) and importlib.util.find_spec("ray") is None:
        return
    report.outcome = "failed"
    report.longrepr = f"skipped, and nothing may be skipped here: {reason}"


TYPES_CHECKED = pytest.StashKey[bool]()
"""Whether a test checks the types of what it calls."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Check types in the first set of parameters of each test only: checks take half of the time."""
    seen: set[str] = set()
    for item in items:
        function = item.nodeid.partition("[")[0]
        item.stash[TYPES_CHECKED] = function not in seen
        seen.add(function)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Turn jaxtyping's checks on or off."""
    if check := sys.modules.get("typecheck"):
        check.begin_test()
    jaxtyping.config.update("jaxtyping_disable", not item.stash[TYPES_CHECKED])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hold the rule for a test and for its fixtures."""
    report = yield
    forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Hold the rule for a module that skips itself while it is collected."""
    report = yield
    forbid_skip(report)
    return report


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a small network that scribbles, over two categories."""
    from untrained import saved

    return saved(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def sample_dir() -> Path:
    """The folder with the shipped sample drawings, one ndjson file a category."""
    # Here, since what a conftest imports at its top is loaded before jaxtyping's hook and goes unchecked.
    from sketchgen.resources import bundled

    return bundled("datasets", "sample")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with real drawings that `SKETCHGEN_DATA` names; they are not part of the project."""
    value = os.environ.get("SKETCHGEN_DATA")
    if not value:
        pytest.skip(NO_DATA)
    path = Path(value)
    assert path.is_dir(), f"SKETCHGEN_DATA names no folder: {value}"
    return path
