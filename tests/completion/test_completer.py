"""Laws of completion, on a small network that was not trained: they hold for any weights."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import sketchgen
from sketchgen.completion.completer import ENOUGH, Completer
from sketchgen.completion.partial_sketch import PartialSketch, tempered
from sketchgen.completion.run import NextPoints
from sketchgen.errors import CategoryError, SettingError, SketchError
from sketchgen.models.config import ModelConfig
from sketchgen.models.stroke_model import Steps
from sketchgen.ranking.ranker import Ranker
from sketchgen.sketch.geometry import CENTRE, moved, simplify_as_quickdraw
from sketchgen.sketch.sketch import Box, Completion, Sketch
from sketchgen.sketch.strokes import Pen, pens
from tests.support import untrained
from tests.support.critics import reward_model
from tests.support.recognisers import recogniser

PAGE = Box(0, 0, 640, 480)
HEAD = [(300, 200), (340, 190), (380, 205), (390, 240), (360, 280), (320, 275), (300, 240), (300, 200)]
BEGINNINGS = {
    "nothing": Sketch(page=PAGE),
    "nothing, no page": Sketch(),
    "a dot": Sketch.from_strokes([[(50, 60)]], page=PAGE),
    "a dot of two points": Sketch.from_strokes([[(50, 60), (50, 60)]], page=PAGE),
    "a line": Sketch.from_strokes([[(100, 100), (200, 130)]], page=PAGE),
    "a level line": Sketch.from_strokes([[(100, 100), (200, 100)]], page=PAGE),
    "a head": Sketch.from_strokes([HEAD], page=PAGE),
    "many strokes": Sketch.from_strokes([np.array(HEAD) * 0.1 + i * 3 for i in range(60)], page=PAGE),
}


@pytest.fixture(scope="module")
def completer() -> Completer:
    config = ModelConfig(("cat", "The Mona Lisa", "dog"), layers=1, width=32, components=4, encoder_width=16)
    return untrained.completer(config)


@pytest.mark.parametrize("name", list(BEGINNINGS))
def test_every_beginning_is_completed_and_stays_untouched(completer: Completer, name: str) -> None:
    sketch = BEGINNINGS[name]
    before = [stroke.copy() for stroke in sketch.strokes]
    completions = completer.complete(sketch, "cat", count=3, limit=40)
    assert len(completions) == 3
    for completion in completions:
        assert completion.given is sketch
        assert completion.added.page == sketch.page
        assert 1 <= completion.added.point_count <= 40
        assert completion.whole.strokes[: len(before)] == sketch.strokes
    assert all(np.array_equal(a, b) for a, b in zip(before, sketch.strokes, strict=True))


@pytest.mark.parametrize("name", ["a line", "a head", "many strokes", "a dot", "nothing"])
@pytest.mark.parametrize("factor", [0.01, 0.1, 3.0, 10.0, 1000.0])
def test_a_page_enlarged_gives_the_completion_enlarged(
    completer: Completer, name: str, factor: float
) -> None:
    sketch = BEGINNINGS[name]
    small = completer.complete(sketch, "dog", count=4, limit=40)
    large = completer.complete(moved(sketch, factor), "dog", count=4, limit=40)
    for a, b in zip(small, large, strict=True):
        assert a.added.point_count == b.added.point_count
        assert np.allclose(a.added.points * factor, b.added.points, atol=0.02 * factor)


def test_a_beginning_is_completed_alike_wherever_it_stands(completer: Completer) -> None:
    here = completer.complete(BEGINNINGS["a head"], count=3, limit=40)
    moved_head = moved(BEGINNINGS["a head"], 0.125, 37, -12).replaced(page=PAGE)
    there = completer.complete(moved_head, count=3, limit=40)
    for a, b in zip(here, there, strict=True):
        assert np.allclose(a.added.points * 0.125 + (37, -12), b.added.points, atol=0.02)


def test_alternatives_do_not_depend_on_how_many_are_asked_for(completer: Completer) -> None:
    few = completer.complete(BEGINNINGS["a head"], count=2, seed=7, limit=40)
    many = completer.complete(BEGINNINGS["a head"], count=6, seed=7, limit=40)
    for a, b in zip(few, many, strict=False):
        assert np.allclose(a.added.points, b.added.points, atol=1e-2)
    assert len({c.added for c in many}) == 6
    other = completer.complete(BEGINNINGS["a head"], count=2, seed=8, limit=40)
    assert other[0].added != few[0].added


def test_category_changes_the_completion_and_is_written_on_it(completer: Completer) -> None:
    cat = completer.complete(BEGINNINGS["a head"], "CAT", count=1, limit=40)[0]
    dog = completer.complete(BEGINNINGS["a head"], "dog", count=1, limit=40)[0]
    free = completer.complete(BEGINNINGS["a head"], "any", count=1, limit=40)[0]
    assert (cat.added.category, dog.added.category, free.added.category) == ("cat", "dog", None)
    assert len({tuple(map(tuple, c.added.points)) for c in (cat, dog, free)}) == 3


def test_an_open_stroke_goes_on_from_its_last_point(completer: Completer) -> None:
    sketch = BEGINNINGS["a line"]
    completion: Completion = completer.complete(sketch, count=1, limit=40, continue_stroke=True)[0]
    assert np.array_equal(completion.added.strokes[0][0], sketch.strokes[-1][-1])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"count": 0}, "count must be a whole number from 1 to 10000, not 0"),
        ({"best_of": 0}, "best_of"),
        ({"count": 100, "best_of": 101}, "best_of must be a whole number from 1 to 100,"),
        ({"temperature": -1.0}, "temperature must be a number from 0 to 2, not -1.0"),
        ({"temperature": float("nan")}, "temperature"),
        ({"seed": -1}, "seed"),
        ({"limit": 0}, "limit"),
    ],
)
def test_bad_settings_are_named_at_once(completer: Completer, settings: dict[str, Any], words: str) -> None:
    for call in (completer.complete, completer.stream):
        with pytest.raises(SettingError, match=words):
            call(Sketch(), **settings)
    with pytest.raises(CategoryError, match=r"no category 'the mona lsa'; did you mean 'The Mona Lisa'\?"):
        completer.complete(Sketch(), "the mona lsa")


def test_a_wrong_type_gets_a_sentence() -> None:
    # In a Python of its own: here the annotations are checked before anything else.
    code = """
import sketchgen
blank = sketchgen.Sketch()
for call in (
    lambda: sketchgen.complete("x.svg"),
    lambda: sketchgen.complete([[(0, 0)]]),
    lambda: sketchgen.complete(blank, count="3"),
    lambda: sketchgen.complete(blank, count=2.5),
    lambda: sketchgen.complete(blank, temperature="hot"),
    lambda: sketchgen.generate(["cat", "dog"]),
):
    try:
        call()
    except sketchgen.SketchgenError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "a Sketch is needed, not 'x.svg'; read a file by sketchgen.read(path)",
        "a Sketch is needed, not [[(0, 0)]]; make one by Sketch.from_strokes(strokes)",
        "count must be a whole number from 1 to 10000, not '3'",
        "count must be a whole number from 1 to 10000, not 2.5",
        "temperature must be a number from 0 to 2, not 'hot'",
        "category must be one name or None, not ['cat', 'dog']",
    ]


def test_a_drawing_with_extent_sets_its_own_frame_and_a_dot_does_not() -> None:
    head = PartialSketch.of(BEGINNINGS["a head"])
    assert not head.known
    assert head.frame.scale == pytest.approx(90 / 160)
    assert np.ptp(head.points, axis=0).max() == pytest.approx(160, abs=0.1)
    for name in ("nothing", "a dot", "a dot of two points"):
        assert PartialSketch.of(BEGINNINGS[name]).known
    assert len(PartialSketch.of(BEGINNINGS["many strokes"]).points) <= 420


def test_generate_draws_on_the_page(completer: Completer) -> None:
    drawings = completer.generate("cat", count=3, page=PAGE, limit=40)
    assert all(drawing.page == PAGE and drawing.category == "cat" for drawing in drawings)
    assert all(drawing.page is None for drawing in completer.generate("cat", count=2, limit=40))


@pytest.mark.parametrize("name", ["a line", "a head", "many strokes"])
def test_each_alternative_judges_whether_the_last_stroke_goes_on(completer: Completer, name: str) -> None:
    sketch = BEGINNINGS[name]
    asked = {
        wanted: completer.complete(sketch, "cat", 60, 1.0, 3, limit=8, continue_stroke=wanted)
        for wanted in (None, True, False)
    }
    chosen = []
    for judged, on, off in zip(asked[None], asked[True], asked[False], strict=True):
        points = judged.added.points.tolist()
        assert points in (on.added.points.tolist(), off.added.points.tolist())
        chosen.append(points == on.added.points.tolist())
    # A network that was not trained lifts at every other point: most strokes are done.
    assert 0 < sum(chosen) < 30
    few = completer.complete(sketch, "cat", 5, 1.0, 3, limit=8)
    assert [one.added.points.tolist() for one in few] == [
        one.added.points.tolist() for one in asked[None][:5]
    ]


@pytest.mark.parametrize(("chance", "sharper"), [(0.5, 0.5), (0.8, 16 / 17), (0.2, 1 / 17), (1.0, 1.0)])
def test_whether_a_stroke_goes_on_is_sharpened_by_the_temperature(chance: float, sharper: float) -> None:
    assert tempered(chance, 1.0) == pytest.approx(chance)
    assert tempered(chance, 0.5) == pytest.approx(sharper)
    assert tempered(sharper, 2.0) == pytest.approx(chance, abs=1e-5)
    assert tempered(chance, 0.0) == {0.5: 0.5}.get(chance, round(chance))
    assert tempered(chance, 1e-9) == pytest.approx({0.5: 0.5}.get(chance, round(chance)))


def test_at_a_low_temperature_more_alternatives_agree_on_going_on(completer: Completer) -> None:
    begun = PartialSketch.of(BEGINNINGS["a head"])
    index = completer.category_index("cat")
    done = [begun.done(completer.decoder, index, temperature) for temperature in (1.0, 0.5, 0.25, 0.0)]
    assert 0.5 < done[0] < done[1] < done[2] < done[3] == 1.0
    shares = []
    for temperature in (1.0, 0.25):
        made = completer.complete(BEGINNINGS["a head"], "cat", 200, temperature, limit=2)
        on = completer.complete(BEGINNINGS["a head"], "cat", 200, temperature, limit=2, continue_stroke=True)
        pairs = zip(made, on, strict=True)
        shares.append(np.mean([a.added.points.tolist() == b.added.points.tolist() for a, b in pairs]))
    assert shares == pytest.approx([1.0 - done[0], 1.0 - done[2]], abs=0.1)


@pytest.mark.parametrize("name", ["nothing", "a dot"])
def test_where_nothing_could_go_on_nothing_is_judged(completer: Completer, name: str) -> None:
    judged, lifted = (
        completer.complete(BEGINNINGS[name], "cat", 9, 0.5, limit=8, continue_stroke=wanted)
        for wanted in (None, False)
    )
    assert [one.added.points.tolist() for one in judged] == [one.added.points.tolist() for one in lifted]


NEARLY = Sketch.from_strokes(
    [
        [(0, 0), (200, 0), (200, 200), (0, 200), (0, 0)],
        [(40, 40), (70, 40), (70, 70), (40, 70), (40, 40)],
        [(60, 150), (100, 160), (140, 150)],
    ],
    page=PAGE,
)
"""A square face with one eye."""


def grown(found: Iterator[NextPoints], count: int) -> tuple[list[list[list[list[float]]]], NextPoints]:
    """The strokes of each alternative, put together point by point, and the last item."""
    strokes: list[list[list[list[float]]]] = [[] for _ in range(count)]
    whole = [True] * count
    last = None
    for last in found:
        for row in np.flatnonzero(last.drawn):
            strokes[row] += [[]] if whole[row] else []
            strokes[row][-1].append(last.points[row].tolist())
            whole[row] = last.pen[row] == Pen.LIFT
    assert last is not None
    assert not last.drawn.any()
    return strokes, last


def strokes_of(found: list[Completion]) -> list[list[list[list[float]]]]:
    return [[stroke.tolist() for stroke in each.added.strokes] for each in found]


@pytest.mark.parametrize("goes_on", [None, True, False])
@pytest.mark.parametrize("sketch", [Sketch(), Sketch.from_strokes([[(10, 20), (110, 40), (90, 160)]])])
def test_a_stream_grows_into_the_very_completions(completer: Completer, sketch: Sketch, goes_on: bool | None):
    settings = sketch, None, 4, 0.7, 5
    strokes, last = grown(completer.stream(*settings, limit=40, continue_stroke=goes_on), 4)
    whole = completer.complete(*settings, limit=40, continue_stroke=goes_on)
    assert strokes == strokes_of(whole)
    assert last.replaced == ()
    for streamed, completed in zip(last.completions or [], whole, strict=True):
        assert streamed.added == completed.added
        assert (streamed.ended, streamed.log_likelihood) == (completed.ended, completed.log_likelihood)


RANKER = Ranker(recogniser(), reward_model())


def ranked(category: str) -> Completer:
    config = ModelConfig((category, "mud"), layers=1, width=32, components=4, encoder_width=16)
    return replace(untrained.completer(config), ranker=RANKER)


@pytest.mark.parametrize("sketch", [Sketch(), NEARLY])
def test_the_best_of_several_are_those_that_the_ranker_selects(
    sketch: Sketch, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sketchgen.completion.completer.ENOUGH", 1.0)
    category = RANKER.recogniser.categories[1] if RANKER.recogniser else ""
    model = ranked(category)
    settings = category.upper(), 3, 0.7, 5
    candidates = model.candidates(sketch, category, 12, 0.7, 5, limit=40)
    rows = RANKER.select(candidates, category, 3)
    best = model.complete(sketch, *settings, best_of=4, limit=40)
    assert strokes_of(best) == strokes_of([candidates[row].completion for row in rows])
    # The first candidate of each four is streamed, and replaced where another one is chosen.
    strokes, last = grown(model.stream(sketch, *settings, best_of=4, limit=40), 3)
    assert strokes == strokes_of([candidates[row].completion for row in (0, 4, 8)])
    assert last.replaced == tuple(place for place, row in enumerate(rows) if row != place * 4) != ()
    assert strokes_of(last.completions or []) == strokes_of(best)
    drawn = model.generate(category, 3, 0.7, 5, best_of=4, limit=40)
    assert sketch.strokes or drawn == [each.added for each in best]


def test_the_last_candidates_to_end_are_given_up():
    every, some = (ranked("cat")._run(NEARLY, "cat", 3, 0.7, 5, 200, None, 4) for _ in range(2))
    every.enough = None
    candidates, kept = every.finish(), some.finish()
    until = np.sum([~step[3] for step in every._taken], 0)
    last = np.sort(until)[math.ceil(ENOUGH * 12) - 1]
    assert last < until.max()
    wanted = [each.completion.added for each, steps in zip(candidates, until, strict=True) if steps <= last]
    assert [each.completion.added for each in kept] == wanted


def test_where_there_is_nothing_to_choose_by_nothing_is_chosen(completer: Completer):
    model = replace(completer, ranker=RANKER)
    one, many = (model.generate(None, 3, 0.7, 5, best_of=best_of, limit=40) for best_of in (1, 4))
    assert one == many


def test_some_candidates_are_mirror_images_and_the_others_stay_as_they_are(completer: Completer):
    plain = completer.complete(NEARLY, "cat", 9, 0.7, 5, limit=40)
    found = completer.candidates(NEARLY, "cat", 9, 0.7, 5, limit=40)
    images = [row for row, each in enumerate(found) if each.symmetry]
    assert images[:1] == [3]
    assert set(images) <= {3, 7}
    for row in set(range(9)) - set(images):
        assert found[row].completion.added == plain[row].added
        assert found[row].completion.log_likelihood == plain[row].log_likelihood
    image = found[3].completion
    assert image.ended
    assert np.isfinite(image.log_likelihood)
    assert len(image.added.strokes) == 1
    assert np.allclose(
        image.added.strokes[0], [(160, 40), (130, 40), (130, 70), (160, 70), (160, 40)], atol=2
    )
    others = completer.candidates(NEARLY, "cat", 4, 0.7, 5, limit=40, symmetry=False)
    assert [each.symmetry for each in others] == [0.0] * 4


def test_a_mirror_image_never_continues_the_last_stroke(completer: Completer):
    plain = [completer.complete(NEARLY, "cat", 4, 0.7, seed, limit=40)[3] for seed in range(12)]
    assert any(each.added.strokes[0][0].tolist() == NEARLY.strokes[-1][-1].tolist() for each in plain)
    images = [completer.candidates(NEARLY, "cat", 4, 0.7, seed, limit=40)[3] for seed in range(12)]
    assert all(each.completion.added == images[0].completion.added for each in images)


def test_the_likelihood_is_that_of_the_network_as_it_is_trained(completer: Completer):
    sketch = simplify_as_quickdraw(NEARLY)
    offset = np.diff(sketch.points - CENTRE, axis=0, prepend=0.0)
    pen = np.append(pens(sketch), Pen.END)
    network = completer.network()
    assert not network.training
    for category in ("dog", None):
        index = torch.tensor([completer.category_index(category)])
        steps = Steps(
            torch.tensor(offset, dtype=torch.float32)[None],
            torch.tensor(pen[:-1])[None],
            index,
            torch.ones(1),
        )
        with torch.no_grad():
            found = network(steps, torch.tensor([0]))
            target = torch.tensor(np.vstack([offset, [0.0, 0.0]]), dtype=torch.float32)[None]
            wanted = found.log_prob(target, torch.tensor(pen)[None]).sum()
        assert completer.log_likelihood(NEARLY, category) == pytest.approx(float(wanted), rel=1e-4)
    assert completer.log_likelihood(moved(NEARLY, 3.0, 9.0), "dog") == completer.log_likelihood(NEARLY, "dog")
    with pytest.raises(SketchError, match="empty"):
        completer.log_likelihood(Sketch())


def test_the_front_door_uses_the_bundled_model(completer: Completer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sketchgen.completion.completer.default_model", lambda: completer)
    found = sketchgen.complete(NEARLY, "cat", 2, seed=3, limit=9)
    assert strokes_of(found) == strokes_of(completer.complete(NEARLY, "cat", 2, seed=3, limit=9))
    assert sketchgen.generate("cat", 2, limit=9) == completer.generate("cat", 2, limit=9)
