"""A wheel and an sdist carry every bundled file and nothing that git ignores."""

from __future__ import annotations

import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling import build

from sketchgen.resources import FOLDERS

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = (".py",)
"""Scripts beside the data stay in the source."""

SHIPPED = ("README.md", "SHA256SUMS", "config.json", "model.safetensors")
"""What is shipped of a checkpoint."""


def source_files() -> list[Path]:
    """What a commit would hold, relative to the root; in an unpacked sdist, all there is."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        return [Path(name) for name in names if name and (ROOT / name).is_file()]
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path for path in found if "__pycache__" not in path.parts and path.name != "PKG-INFO"]


def expected(files: list[Path]) -> set[str]:
    """The names under which the bundled files stand in a wheel."""
    kept = [path for path in files if path.parts[0] in FOLDERS and path.suffix not in LEFT_OUT]
    return {f"sketchgen/_bundle/{path.as_posix()}" for path in kept if not path.name.startswith(".")}


def built_wheel(root: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel that is built from `root`."""
    monkeypatch.chdir(root)
    out.mkdir()
    return out / build.build_wheel(str(out))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source, without megabytes of weights, and with files that must not be carried along."""
    root = tmp_path_factory.mktemp("tree")
    for path in source_files():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / path).read_bytes()[:200_000])
    planted = [
        "datasets/private.ndjson",
        "datasets/sample/__pycache__/old.json",
        "datasets/.hidden.json",
        "checkpoints/some/model.ckpt",
        "checkpoints/some/model.pkl",
        "web/store/index.json",
    ]
    for name in planted:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("not to be shipped")
    for name in SHIPPED:
        (root / "checkpoints" / "some" / name).write_text("to be shipped")
    with (root / ".gitignore").open("a", encoding="utf-8") as file:
        file.write("\n/datasets/private.ndjson\n/web/store/\n")
    return root


def shipped(tree: Path) -> set[str]:
    """What a wheel of the planted tree must hold."""
    some = {f"sketchgen/_bundle/checkpoints/some/{name}" for name in SHIPPED}
    assert (tree / "datasets").is_dir()
    return expected(source_files()) | some


def test_the_wheel_carries_all_bundled_files_and_no_others(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(built_wheel(tree, tmp_path / "out", monkeypatch)) as archive:
        entries = archive.namelist()
    names = set(entries)
    assert len(names) == len(entries)
    assert {name for name in names if name.startswith("sketchgen/_bundle/")} == shipped(tree)
    assert {"sketchgen/errors.py", "sketchgen/sketch/sketch.py", "sketchgen/resources.py"} <= names
    beside = {name.split("/")[0] for name in names} - {"sketchgen"}
    assert [name.endswith(".dist-info") for name in beside] == [True], "nothing beside the package"
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_same_source_is_packed_into_the_same_bytes(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    sdist = tmp_path / build.build_sdist(str(tmp_path))
    first = sdist.read_bytes()
    os.utime(tree / "README.md", (0, 0))
    assert (tmp_path / build.build_sdist(str(tmp_path))).read_bytes() == first
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (root,) = (tmp_path / "unpacked").iterdir()
    for name in (
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "datasets/make_sample.py",
        "tests/conftest.py",
        ".ci/run",
    ):
        assert (root / name).is_file(), name
    assert not (root / "datasets/private.ndjson").exists()
    wheels = [built_wheel(each, tmp_path / name, monkeypatch) for each, name in ((tree, "a"), (root, "b"))]
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
