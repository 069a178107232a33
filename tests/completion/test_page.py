"""What is added stays on the page, where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sketchgen.completion.completer import Completer
from sketchgen.completion.framing import WHOLES, page_frames
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.models.config import ModelConfig
from sketchgen.ranking.ranker import Ranker
from sketchgen.sketch.distance import inside
from sketchgen.sketch.geometry import BOX
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch
from tests.support import untrained
from tests.support.critics import reward_model
from tests.support.recognisers import recogniser

PAGE = Box(0.0, 0.0, 640.0, 480.0)
WIDE = Box(-5e3, -5e3, 1e4, 1e4)


def ring(x: float, y: float, radius: float) -> Points:
    turn = np.linspace(0.0, 2.0 * np.pi, 24)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], 1)


def on(page: Box | None, *strokes: Points) -> Sketch:
    return Sketch.from_strokes(strokes, page=page)


BALL = on(PAGE, ring(320, 80, 70))
PLACES = {
    "at the top": BALL,
    "in a corner": on(PAGE, ring(580, 430, 45)),
    "a dot at the edge": on(PAGE, np.array([[2.0, 200.0]])),
    "nothing": Sketch(page=PAGE),
}


@pytest.fixture(scope="module")
def completer() -> Completer:
    config = ModelConfig(("cat", "The Mona Lisa", "dog"), layers=1, width=32, components=4, encoder_width=16)
    return untrained.completer(config)


def off_page(found: list[Completion]) -> int:
    return int(sum((~inside(each.added.points, [PAGE], 0.0)).sum() for each in found))


@pytest.mark.parametrize("guidance", [0.0, 2.0])
@pytest.mark.parametrize("temperature", [0.0, 2.0])
@pytest.mark.parametrize("place", PLACES)
def test_no_added_point_is_off_the_page(
    completer: Completer, place: str, temperature: float, guidance: float
):
    sketch = PLACES[place]
    guided = replace(completer, guidance=guidance)
    assert off_page(guided.complete(sketch, "cat", 2, temperature, limit=40)) == 0
    without = guided.complete(sketch.replaced(page=WIDE), "cat", 40, 2.0, limit=40)
    # Else nothing would be shown.
    assert off_page(without) > 0


@pytest.mark.parametrize("guidance", [0.0, 2.0])
def test_a_page_without_an_edge_in_reach_is_as_none(completer: Completer, guidance: float):
    guided = replace(completer, guidance=guidance)
    wide, none = (guided.complete(on(page, *BALL.strokes), "cat", 2, limit=40) for page in (WIDE, None))
    for one, other in zip(wide, none, strict=True):
        np.testing.assert_array_equal(one.added.points, other.added.points)
        assert one.log_likelihood == other.log_likelihood


def test_the_given_part_may_leave_the_page_and_what_is_added_goes_as_far():
    partial = PartialSketch.of(on(PAGE, ring(320, 20, 70)))
    assert partial.edges is not None
    corners = [partial.on_page(corner) for corner in partial.edges]
    np.testing.assert_allclose(corners, [[0, -50], [640, 480]], atol=0.5)


def test_a_page_that_is_cropped_to_the_ink_is_none():
    box = Box(250.0, 10.0, 140.0, 140.0)
    assert PartialSketch.of(on(box, *BALL.strokes)).edges is None
    # Three sides alone may be those of a small page.
    assert PartialSketch.of(on(Box(250.0, 10.0, 140.0, 300.0), *BALL.strokes)).edges is not None
    assert PartialSketch.of(on(None, *BALL.strokes)).edges is None


def test_a_mirror_image_off_the_page_is_no_candidate():
    face = [ring(0, 0, 80), ring(-30, -25, 12), np.array([(-35.0, 35.0), (0.0, 50.0), (35.0, 35.0)])]
    wing = ring(-130, 0, 40)
    sketch = on(None, *face, wing)
    assert PartialSketch.of(sketch).mirrored
    half = sketch.replaced(page=Box(-200.0, -200.0, 320.0, 400.0))
    for image in PartialSketch.of(half).mirrored:
        assert all(stroke[:, 0].max() < 120.0 for stroke in image.strokes)
    assert len(PartialSketch.of(half).mirrored) < len(PartialSketch.of(sketch).mirrored)


@pytest.mark.parametrize(
    "sketch", [BALL, on(PAGE, ring(560, 400, 60)), on(Box(-50.0, 20.0, 300.0, 700.0), ring(60, 500, 90))]
)
def test_frames_of_whole_drawings_stay_on_the_page_around_the_given_part(sketch: Sketch):
    page, ink = sketch.page, sketch.bounds
    assert page is not None
    assert ink is not None
    frames = page_frames(sketch)
    assert frames
    for frame in frames:
        low = np.array([frame.x, frame.y]) - frame.scale * BOX / 2.0
        high = low + frame.scale * BOX
        assert (low >= np.array(page[:2]) - 1e-9).all()
        assert (high <= np.array(page[:2]) + page[2:] + 1e-9).all()
        assert (low <= np.array(ink[:2]) + 1e-9).all()
        assert (high >= np.array(ink[:2]) + ink[2:] - 1e-9).all()


def test_a_given_part_at_the_top_is_the_top_of_the_whole_and_in_the_middle_its_middle():
    sizes = [frame.scale * BOX for frame in page_frames(BALL)]
    assert sizes == pytest.approx([times * 140.0 for times in WHOLES], rel=0.02)
    for frame, size in zip(page_frames(BALL), sizes, strict=True):
        assert frame.y - size / 2.0 == pytest.approx(10.0, abs=1.0)
        assert frame.x == pytest.approx(320.0, abs=1.0)


def test_there_are_none_without_a_page_or_where_nothing_larger_fits():
    assert page_frames(on(None, *BALL.strokes)) == []
    assert page_frames(Sketch(page=PAGE)) == []
    assert page_frames(on(PAGE, ring(320, 240, 235))) == []


def test_where_candidates_are_cut_off_further_ones_stand_in_those_frames(
    completer: Completer, monkeypatch: pytest.MonkeyPatch
):
    chosen = Completer(completer.decoder, "", {}, ranker=Ranker(recogniser(), reward_model()))

    def count(sketch: Sketch) -> int:
        run = chosen._run(sketch, "cat", 2, 1.5, 0, 20, None, 6)
        assert len(run.partial.on_page_frames()) == len(WHOLES)
        return len(chosen._finish(run, 2))

    wide = on(WIDE, *BALL.strokes)
    assert count(wide) == 12
    monkeypatch.setattr("sketchgen.completion.completer.MAX_CUT_OFF", 0.0)
    assert count(wide) == 12
    # Half as many again.
    assert count(BALL) == 18


def test_the_same_seed_gives_the_same_completions(completer: Completer):
    chosen = Completer(completer.decoder, "", {}, ranker=Ranker(recogniser(), reward_model()))
    one, two = (chosen.complete(BALL, "cat", 2, 1.5, 7, best_of=6, limit=20) for _ in range(2))
    assert [each.added for each in one] == [each.added for each in two]
    last = list(chosen.stream(BALL, "cat", 2, 1.5, 7, best_of=6, limit=20))[-1]
    assert last.completions is not None
    assert [each.added for each in last.completions] == [each.added for each in one]
