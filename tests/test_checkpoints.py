"""The shipped model: it is what its card says, and it completes drawings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import sketchgen
from sketchgen.evaluation.report import evaluate
from sketchgen.resources import bundled_checkpoint, bundled_checkpoints, categories
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Sketch

FOLDERS = [bundled_checkpoint(name) for name in bundled_checkpoints()]


@pytest.fixture(scope="module")
def model() -> sketchgen.Completer:
    return sketchgen.load()


def test_one_is_shipped_and_is_the_default(model: sketchgen.Completer) -> None:
    assert FOLDERS
    assert model.name in bundled_checkpoints()
    assert list(model.categories) == list(categories())
    assert len(model.categories) == 345


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_is_small_self_describing_and_no_pickle(folder: Path) -> None:
    files = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert files["model.safetensors"] <= 10_000_000
    assert not [name for name in files if name.endswith((".pt", ".pth", ".ckpt", ".bin", ".pkl"))]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Quick, Draw!" in card
    assert "CC BY 4.0" in card
    measured = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert f"{measured['nats_per_point']:.3f}" in card


def test_a_small_head_in_a_corner_gets_a_small_cat_there(model: sketchgen.Completer) -> None:
    head = sketchgen.read(sketchgen.example("half-a-cat"))
    page = Box(0, 0, 640, 480)
    small = moved(head, 0.1).replaced(page=page)
    bounds = small.bounds
    assert bounds is not None
    for completion in model.complete(small, "cat", count=9, temperature=0.3):
        whole = completion.whole.bounds
        assert whole is not None
        assert whole.longer < 6 * bounds.longer
        assert whole.longer < 0.25 * page.longer


def test_most_completions_end_by_themselves(model: sketchgen.Completer) -> None:
    sketch = sketchgen.read(sketchgen.example("half-a-cat"))
    ended = [completion.ended for completion in model.complete(sketch, "cat", count=32, temperature=0.5)]
    assert sum(ended) >= 28


def test_real_drawings_are_likely(model: sketchgen.Completer, data_dir: Path) -> None:
    cats = data_dir / "quickdraw_simplified" / "cat.ndjson"
    result = evaluate(model, cats, limit=300, samples=0, protocol="likelihood")
    # Well above the card's figure, far below an untrained model's (over 10).
    assert result["nats_per_point"] < 8.5
    suffix = {share: figures["nats_per_point"] for share, figures in result["suffix"].items()}
    assert all(value < 9.0 for value in suffix.values())


def test_an_arc_is_gone_on_with_and_a_circle_that_is_closed_is_not(model: sketchgen.Completer) -> None:
    page = Box(0, 0, 640, 480)

    def gone_on(share: float) -> float:
        angle = np.linspace(0.0, 2 * np.pi * share, 12)
        arc = np.stack([320 + 100 * np.cos(angle), 240 + 100 * np.sin(angle)], -1)
        sketch = Sketch.from_strokes([arc], page=page)
        found = model.complete(sketch, "circle", count=24, temperature=0.3)
        return float(np.mean([np.array_equal(one.added.points[0], arc[-1]) for one in found]))

    assert gone_on(0.5) > 0.5
    assert gone_on(1.0) < 0.4
