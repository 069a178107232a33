"""The notebooks of the course: each runs, with little training, and has the outputs of one run, or none."""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch  # noqa: F401 - as most notebooks need: the light core's tests leave this file out

DOCS = Path(__file__).resolve().parents[1] / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
MAX_BYTES = 300_000

QUICK: dict[str, dict[str, Any]] = {
    "1": {"COUNT": 1, "BEST_OF": 1},
    "3": {"STEPS": 2, "LIMIT": 4},
    "4": {"NAMES": ["cat"], "BEST_OF": 1},
    "5": {"COPYING": 2, "STEPS": 2},
    "6": {"EACH": 2, "STEPS": 2, "BEST_OF": 1},
    "7": {"STEPS": 2, "COUNT": 1, "HELD_OUT": 1},
}
"""What a test sets after the cell tagged `parameters`, by the number of the notebook."""


def cells(path: Path) -> list[dict[str, Any]]:
    """The code cells."""
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def tags(cell: dict[str, Any], kind: str) -> Iterator[str]:
    """What follows `kind` in the tags of a cell."""
    return (tag.removeprefix(kind) for tag in cell["metadata"].get("tags", ()) if tag.startswith(kind))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    matplotlib.use("Agg")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells(path):
        exec(compile("".join(cell["source"]), f"{path.name}, {cell['id']}", "exec"), names)
        if list(tags(cell, "parameters")):
            names |= QUICK.get(path.name[0], {})
        assert bool(plt.get_fignums()) == bool(list(tags(cell, "figure:"))), (
            "a figure has a tag, and a tag a figure"
        )
        plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_has_the_outputs_of_one_run_or_none(path: Path) -> None:
    found = cells(path)
    counts = [cell["execution_count"] for cell in found]
    assert counts in (list(range(1, len(found) + 1)), [None] * len(found))
    outputs = [output for cell in found for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "execute_result", "display_data"}
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert path.stat().st_size <= MAX_BYTES
    for cell in found if outputs else ():
        for name in tags(cell, "figure:"):
            (shown,) = [output["data"]["image/png"] for output in cell["outputs"] if "data" in output]
            picture = (DOCS / "rnn-pictures" / f"{name}.png").read_bytes()
            assert picture == base64.b64decode(shown), f"run benchmarks/notebooks.py {path.name}"


def test_code_cells_are_short() -> None:
    long = [
        f"{path.name}, {cell['id']}"
        for path in NOTEBOOKS
        for cell in cells(path)
        if len(ast.unparse(ast.parse("".join(cell["source"]))).splitlines()) > 40
    ]
    assert long == []


def test_the_written_form_shows_pictures_that_are_there() -> None:
    shown = re.findall(r"\]\((rnn-pictures/[^)]+)\)", (DOCS / "rnn.md").read_text(encoding="utf-8"))
    assert len(shown) > 5
    assert [name for name in shown if not (DOCS / name).is_file()] == []
