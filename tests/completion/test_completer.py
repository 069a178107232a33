"""Laws of completion, on a small network that was not trained: they hold for any weights."""

from __future__ import annotations

import numpy as np
import pytest

from sketchgen.completion.completer import Completer
from sketchgen.completion.framing import frame_of, framed
from sketchgen.completion.partial_sketch import PartialSketch, tempered
from sketchgen.errors import CategoryError, SettingError
from sketchgen.models.config import ModelConfig
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Completion, Sketch
from sketchgen.sketch.strokes import Pen
from tests.support import untrained

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


def test_bad_settings_are_named(completer: Completer) -> None:
    with pytest.raises(CategoryError, match=r"no category 'the mona lsa'; did you mean 'The Mona Lisa'\?"):
        completer.complete(Sketch(), "the mona lsa")
    nan = float("nan")
    for settings in ({"count": 0}, {"temperature": -1.0}, {"temperature": nan}, {"seed": -1}, {"limit": 0}):
        with pytest.raises(SettingError, match=next(iter(settings))):
            completer.complete(Sketch(), **settings)  # pyright: ignore[reportArgumentType]


def test_a_drawing_with_extent_sets_its_own_frame_and_a_dot_does_not() -> None:
    frame, known = frame_of(BEGINNINGS["a head"])
    assert not known
    assert frame.scale == pytest.approx(90 / 160)
    for name in ("nothing", "a dot", "a dot of two points"):
        assert frame_of(BEGINNINGS[name])[1]
    shown = framed(BEGINNINGS["a head"])
    assert np.ptp(shown.points, axis=0).max() == pytest.approx(160, abs=0.1)
    assert len(framed(BEGINNINGS["many strokes"]).points) <= 420


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


@pytest.mark.parametrize("goes_on", [None, True, False])
@pytest.mark.parametrize("sketch", [Sketch(), Sketch.from_strokes([[(10, 20), (110, 40), (90, 160)]])])
def test_a_stream_grows_into_the_very_completions(completer: Completer, sketch: Sketch, goes_on: bool | None):
    grown: list[list[list[tuple[float, float]]]] = [[[]] for _ in range(4)]
    ended = np.zeros(4, dtype=bool)
    for growth in completer.stream(sketch, None, 4, 0.7, 5, limit=40, continue_stroke=goes_on):
        for row in np.flatnonzero(growth.drawn):
            grown[row][-1].append(tuple(growth.points[row].tolist()))
            if growth.pen[row] == Pen.LIFT:
                grown[row].append([])
        ended = growth.ended
    whole = completer.complete(sketch, None, 4, 0.7, 5, limit=40, continue_stroke=goes_on)
    for row, completion in enumerate(whole):
        strokes = [stroke for stroke in grown[row] if stroke]
        assert [len(stroke) for stroke in strokes] == [len(stroke) for stroke in completion.added.strokes]
        for stroke, expected in zip(strokes, completion.added.strokes, strict=True):
            assert np.array_equal(stroke, expected)
        assert ended[row] == completion.ended


def test_a_stream_refuses_at_once(completer: Completer):
    with pytest.raises(SettingError, match="temperature"):
        completer.stream(Sketch(), temperature=-1.0)


NEARLY = Sketch.from_strokes(
    [
        [(0, 0), (200, 0), (200, 200), (0, 200), (0, 0)],
        [(40, 40), (70, 40), (70, 70), (40, 70), (40, 40)],
        [(60, 150), (100, 160), (140, 150)],
    ],
    page=PAGE,
)
"""A square face with one eye."""


def test_some_alternatives_are_images_in_a_mirror_and_the_others_stay_as_they_are(completer: Completer):
    plain = completer.complete(NEARLY, "cat", 9, 0.7, 5, limit=40)
    found = completer.mirroring().complete(NEARLY, "cat", 9, 0.7, 5, limit=40)
    images = [row for row, each in enumerate(found) if each.symmetry]
    assert images[:1] == [3]
    assert set(images) <= {3, 7}
    assert [each.symmetry for each in plain] == [0.0] * 9
    for row in set(range(9)) - set(images):
        assert found[row].added == plain[row].added
        assert found[row].log_likelihood == plain[row].log_likelihood
    assert found[3].ended
    assert np.isfinite(found[3].log_likelihood)
    assert len(found[3].added.strokes) == 1
    assert np.allclose(
        found[3].added.strokes[0], [(160, 40), (130, 40), (130, 70), (160, 70), (160, 40)], atol=2
    )
    assert completer.mirroring().mirroring(False).complete(NEARLY, "cat", 4, 0.7, 5)[3].symmetry == 0.0


def test_who_wants_the_last_stroke_to_go_on_gets_no_images(completer: Completer):
    model = completer.mirroring()
    found = model.complete(NEARLY, "cat", 4, 0.7, 5, limit=40, continue_stroke=True)
    assert [each.symmetry for each in found] == [0.0] * 4


def test_images_are_streamed_as_they_are_completed(completer: Completer):
    model, grown, symmetry = completer.mirroring(), [[] for _ in range(8)], np.zeros(0)
    for growth in model.stream(NEARLY, "cat", 8, 0.7, 5, limit=40):
        symmetry = growth.symmetry
        for row in np.flatnonzero(growth.drawn):
            grown[row].append(growth.points[row].tolist())
    found = model.complete(NEARLY, "cat", 8, 0.7, 5, limit=40)
    assert [each.symmetry for each in found] == symmetry.tolist()
    assert [each.added.points.tolist() for each in found] == grown


def test_an_image_never_goes_on_with_the_last_stroke(completer: Completer):
    plain = [completer.complete(NEARLY, "cat", 4, 0.7, seed, limit=40)[3] for seed in range(40)]
    assert any(each.added.strokes[0][0].tolist() == NEARLY.strokes[-1][-1].tolist() for each in plain)
    model = completer.mirroring()
    images = [model.complete(NEARLY, "cat", 4, 0.7, seed, limit=40)[3].added for seed in range(40)]
    assert all(image == images[0] for image in images)
