"""The engine in JavaScript draws what Python draws, point by point."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import playwright
import pytest

from sketchgen.completion.completer import Completer, load
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.portable import MODEL, WEIGHTS, write_web_model
from sketchgen.completion.sampler import first_number
from sketchgen.evaluation.pages import beginnings
from sketchgen.models.numpy_classifier import NumpyClassifier
from sketchgen.models.quantising import rounded
from sketchgen.models.recogniser import Recogniser, default_recogniser
from sketchgen.ranking.flaws import GivenInk, share_at_edge
from sketchgen.ranking.ranker import Ranker
from sketchgen.resources import bundled
from sketchgen.sketch.sketch import Box, Completion, Sketch

HERE = Path(__file__).parent
NODE = shutil.which("node") or str(Path(str(playwright.__file__)).parent / "driver" / "node")
"""Playwright brings its own."""

PAGE = Box(0.0, 0.0, 640.0, 480.0)
COUNT, LIMIT = 2, 40


def completer() -> Completer:
    """The model with the classifier that was exported."""
    whole = default_recogniser()
    assert isinstance(whole.network, NumpyClassifier)
    network = NumpyClassifier(whole.network.config, rounded(whole.network.weights(), "int8"))
    return replace(load("tiny"), ranker=Ranker(Recogniser(network, whole.name, whole.summary)))


def sketches() -> list[Sketch]:
    return [each.given for each in beginnings()[::17]][:12]


def settings(number: int) -> dict[str, Any]:
    category = ("auto", "none", "cat")[number % 3]
    return {"category": category, "seed": number, "temperature": (0.5, 0.0, 1.0, 0.3)[number % 4]}


def lists(sketch: Sketch) -> list[Any]:
    return [stroke.tolist() for stroke in sketch.strokes]


def case(sketch: Sketch, asked: dict[str, Any]) -> dict[str, Any]:
    page = sketch.page and sketch.page._asdict()
    return {"strokes": lists(sketch), "page": page, "count": COUNT, "limit": LIMIT, **asked}


def damaged(folder: Path, write: Callable[[Path], Any]) -> str:
    """A copy of a model to which something is done."""
    place = folder.parent / f"damaged-{len(list(folder.parent.iterdir()))}"
    shutil.copytree(folder, place)
    write(place)
    return place.as_uri()


def cut(place: Path) -> None:
    (place / WEIGHTS).write_bytes((place / WEIGHTS).read_bytes()[:1000])


def changed(place: Path) -> None:
    data = bytearray((place / WEIGHTS).read_bytes())
    data[500] ^= 1
    (place / WEIGHTS).write_bytes(data)


def newer(place: Path) -> None:
    about = json.loads((place / MODEL).read_text(encoding="utf-8"))
    (place / MODEL).write_text(json.dumps(about | {"version": 2}), encoding="utf-8")


DAMAGES = (cut, changed, newer)


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Sketch, dict[str, Any]]]:
    """What is completed: a dozen partial drawings, and an empty page."""
    some = [(sketch, settings(number)) for number, sketch in enumerate(sketches())]
    return [*some, (Sketch(page=PAGE), {"category": "dog", "seed": 5, "temperature": 0.4})]


@pytest.fixture(scope="module")
def completions(drawn: list[tuple[Sketch, dict[str, Any]]]) -> list[list[Completion]]:
    model = completer()
    return [model.complete(sketch, count=COUNT, limit=LIMIT, **asked) for sketch, asked in drawn]


@pytest.fixture(scope="module")
def found(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[Sketch, dict[str, Any]]],
    completions: list[list[Completion]],
) -> dict[str, Any]:
    """All that the engine says, in one run."""
    folder = tmp_path_factory.mktemp("engine") / "model"
    write_web_model("tiny", folder)
    asked = {
        "engine": bundled("web", "engine").as_uri(),
        "model": folder.as_uri(),
        "cases": [case(*each) for each in drawn],
        "damaged": [damaged(folder, each) for each in DAMAGES],
        "inks": [
            {"given": lists(each[0].given), "added": lists(each[0].added), "page": each[0].given.page}
            for each in completions[:-1]
        ],
    }
    command = [NODE, HERE / "engine_cases.mjs"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, timeout=600)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def test_noise_is_that_of_numpy(found: dict[str, Any]) -> None:
    key = np.array([2**53 - 1, 3], dtype=np.uint64)
    random = np.random.Generator(np.random.Philox(key=key))
    assert found["uniform"] == random.random(20).tolist()
    np.testing.assert_allclose(found["normal"], random.standard_normal(20_000), rtol=0, atol=1e-12)
    assert found["first"] == first_number(5, 3)


def test_points_are_those_of_python(
    found: dict[str, Any],
    drawn: list[tuple[Sketch, dict[str, Any]]],
    completions: list[list[Completion]],
) -> None:
    for (sketch, _), answer, wanted in zip(drawn, found["cases"], completions, strict=True):
        assert answer["categories"] == [each.category for each in wanted]
        scale = PartialSketch.of(sketch).frame.scale
        for strokes, each in zip(answer["strokes"], wanted, strict=True):
            assert [len(stroke) for stroke in strokes] == [len(stroke) for stroke in each.added.strokes]
            points = np.array([point for stroke in strokes for point in stroke]).reshape(-1, 2)
            np.testing.assert_allclose(points, each.added.points, rtol=0, atol=0.05 * scale)
    # Two seeds or categories draw two drawings.
    assert len({json.dumps(answer["strokes"]) for answer in found["cases"]}) == len(drawn)


def test_guesses_are_those_of_python(
    found: dict[str, Any], drawn: list[tuple[Sketch, dict[str, Any]]]
) -> None:
    model = completer()
    for (sketch, _), answer in zip(drawn, found["cases"], strict=True):
        wanted = model.guess(sketch)
        assert [each["category"] for each in answer["guesses"]] == [each.category for each in wanted]
        shares = [each["probability"] for each in answer["guesses"]]
        assert shares == pytest.approx([each.probability for each in wanted], abs=1e-3)


def test_flaws_and_mirror_images_are_those_of_python(
    found: dict[str, Any], completions: list[list[Completion]]
) -> None:
    for answer, (each, *_) in zip(found["inks"], completions, strict=False):
        ink, added = GivenInk(each.given.strokes), each.added.strokes
        assert answer["measured"] == pytest.approx(ink.measure(added))
        assert answer["along"] == pytest.approx(ink.shares_along(added))
        assert answer["edge"] == pytest.approx(share_at_edge([each])[0])
        images = PartialSketch.of(replace(each.given, page=None)).mirrored
        assert len(answer["mirrored"]) == len(images)
        for got, image in zip(answer["mirrored"], images, strict=True):
            assert got == pytest.approx([image.symmetry, len(image.strokes)])


def test_it_grows_and_can_be_stopped(found: dict[str, Any]) -> None:
    assert found["stopped"] == ["stopped", 1]
    assert max(answer["growths"] for answer in found["cases"]) > 2
    assert [len(each["strokes"]) > 0 for each in found["generated"]] == [True] * 3
    assert all(answer["strokes"][0] for answer in found["odd"])
    assert len(found["best"]["strokes"]) == 2
    assert found["best"]["categories"] == ["cat", "cat"]


def test_what_cannot_be_used_is_refused_in_a_line(found: dict[str, Any]) -> None:
    short, other, version = found["refused"]["model"]
    assert "cut off: it has 1000 of" in short
    assert "damaged" in other
    assert "version 2, this engine reads 1" in version
    assert "not [x, y] of numbers" in found["refused"]["strokes"]
    assert "count must be a whole number from 1 to 64, not 0" in found["refused"]["count"]
    assert "no category dgo" in found["refused"]["category"]
