"""The bundled checkpoints: each is what its card says, and does its work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sketchgen
from sketchgen.data.prepare import read_drawings
from sketchgen.evaluation.recognition import Judge, accuracy, load_judge
from sketchgen.evaluation.report import evaluate
from sketchgen.evaluation.unfinished import unfinished
from sketchgen.models.checkpoint import CLASSIFIER, KINDS, PICTURE_CLASSIFIER, Kind
from sketchgen.resources import bundled, bundled_checkpoints, categories
from sketchgen.sketch.files import SUMS, has_sum
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Completion, Sketch

BUNDLED = [(kind, name) for kind in KINDS for name in bundled_checkpoints(kind.format)]
JUDGES = (CLASSIFIER.default, PICTURE_CLASSIFIER.default)


@pytest.fixture(scope="module")
def model() -> sketchgen.Completer:
    return sketchgen.load()


@pytest.fixture(scope="module", params=JUDGES)
def judge(request: pytest.FixtureRequest) -> Judge:
    return load_judge(request.param)


def test_the_default_of_every_kind_is_bundled(model: sketchgen.Completer) -> None:
    assert {(kind, kind.default) for kind in KINDS} <= set(BUNDLED)
    assert (model.name, list(model.categories)) == (KINDS[0].default, list(categories()))


@pytest.mark.parametrize(("kind", "name"), BUNDLED, ids=[name for _, name in BUNDLED])
def test_it_is_small_self_describing_and_no_pickle(kind: Kind[Any], name: str) -> None:
    folder = bundled("checkpoints", name)
    files = {path.name: path.stat().st_size for path in folder.iterdir()}
    limit = 1_600_000 if kind is PICTURE_CLASSIFIER else 10_000_000
    assert files["model.safetensors"] <= limit
    assert {Path(file).suffix for file in files} == {".json", ".md", ".safetensors", ""}
    summed = {line.split("  ")[1] for line in (folder / SUMS).read_text().splitlines()}
    assert summed == {"config.json", "model.safetensors"}
    assert all(has_sum(folder / file) for file in summed)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert all(words in card for words in (kind.name, "Quick, Draw!", "CC BY 4.0"))
    about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert about["model"]["categories"] == categories()
    facts = {key: value for key, value in about["training"].items() if not isinstance(value, dict)}
    assert all(f"| {key} | {value} |" in card for key, value in facts.items())
    if "evaluation.json" in files:
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
    result = evaluate(model, cats, limit=120, samples=0, protocol="likelihood")
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


def test_most_of_the_sample_is_recognised(judge: Judge, sample_dir: Path) -> None:
    drawings = read_drawings(sample_dir)[0]
    drawings = drawings.take(np.arange(0, len(drawings), 6))
    whole, half = accuracy(judge, drawings), accuracy(judge, drawings, 0.5)
    assert whole.top5.mean() > 0.75
    assert 0.2 < half.top5.mean() < whole.top5.mean()


@pytest.mark.parametrize(("example", "category"), [("half-a-cat", "cat"), ("face", "face"), ("car", "car")])
def test_partial_sketches_are_recognised(example: str, category: str) -> None:
    guesses = sketchgen.recognise(sketchgen.read(sketchgen.example(example)))
    assert category in [guess.category for guess in guesses]


def test_real_drawings_are_recognised(judge: Judge, data_dir: Path) -> None:
    drawings = read_drawings(data_dir / "quickdraw_simplified" / "cat.ndjson")[0]
    assert accuracy(judge, drawings.take(np.arange(min(300, len(drawings))))).top1.mean() > 0.6


@pytest.mark.parametrize("known", [True, False])
def test_what_is_missing_scores_higher_than_the_same_beside_its_place(known: bool) -> None:
    reward_model, better = sketchgen.load_reward_model(), []
    for item in unfinished()[::6]:
        if item.category not in reward_model.categories:
            continue
        shift = 0.3 * item.frame.scale * 255.0
        shifts = [(0.0, 0.0), (shift, 0.0), (-shift, 0.0), (0.0, shift), (0.0, -shift)]
        found = [Completion(item.given, moved(item.missing, 1.0, *each)) for each in shifts]
        scores = reward_model.scores(found, item.category if known else None)
        better.append((scores[0] > scores[1:]).mean())
    assert np.mean(better) > 0.8
