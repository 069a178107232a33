from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sketchgen.completion.completer import Completer
from sketchgen.errors import SettingError, SketchgenError
from sketchgen.sketch.sketch import Box
from sketchgen.web.request import MAX_POINTS, MAX_STROKES, checked
from tests.support import untrained

DRAWING: dict[str, Any] = {
    "strokes": [[[1, 2, 0, 0.5], [30, 40, 9, 0.5]]],
    "width": 640,
    "height": 480,
}


@pytest.fixture(scope="module")
def completer() -> Completer:
    return untrained.tiny("The Mona Lisa", "cat")


def test_a_sound_request_is_taken_as_it_is(completer: Completer) -> None:
    request = checked(completer, DRAWING, "the mona lisa", 4.0, 0.5, 7)
    assert request.category == "The Mona Lisa"
    assert (request.count, request.temperature, request.seed) == (4, 0.5, 7)
    assert request.sketch.page == Box(0, 0, 640, 480)
    assert request.sketch.points.tolist() == [[1, 2], [30, 40]]


@pytest.mark.parametrize("best_of", [0, 17, 2.5, True, "4", math.inf])
def test_candidates_outside_their_limits_are_refused(completer: Completer, best_of: Any) -> None:
    with pytest.raises(SettingError, match="best_of must be a whole number from 1 to 16"):
        checked(completer, DRAWING, "cat", 1, 0.5, 0, best_of=best_of)


@pytest.fixture(scope="module")
def guidable(completer: Completer) -> Completer:
    return Completer(completer.decoder, "test", {"settings": {"prefixes": {"drop_category": 0.1}}}, 2.0)


def test_guidance_is_the_model_s_own_unless_asked_for(completer: Completer, guidable: Completer) -> None:
    for asked in (None, 0, 3.5, 10):
        request = checked(guidable, DRAWING, "cat", 1, 0.5, 0, asked)
        assert request.guidance == asked
        model = guidable if asked is None else guidable.guided(asked)
        wanted = model.complete(request.sketch, "cat", 1, 0.5, 0)
        assert [each.added for each in request.complete(guidable).completions or ()] == [wanted[0].added]
    # None at all can be asked of any model.
    assert checked(completer, DRAWING, "cat", 1, 0.5, 0, 0).guidance == 0


@pytest.mark.parametrize(
    "guidance",
    [-1, 10.5, math.nan, math.inf, "2", True, [2.0], {}, 10**400],
    ids=lambda value: str(value)[:9],
)
def test_guidance_outside_its_limits_is_refused(guidable: Completer, guidance: Any) -> None:
    with pytest.raises(SettingError, match="guidance must be a number from 0 to 10") as caught:
        checked(guidable, DRAWING, "cat", 1, 0.5, 0, guidance)
    assert len(str(caught.value)) < 300


def test_a_model_that_cannot_be_guided_says_so(completer: Completer) -> None:
    with pytest.raises(SettingError, match="cannot be guided"):
        checked(completer, DRAWING, "cat", 1, 0.5, 0, 2.0)


@pytest.mark.parametrize(
    ("category", "taken"),
    [(None, "auto"), ("", "auto"), (" Auto ", "auto"), ("none", None), (" Any ", None), ("CAT", "cat")],
)
def test_where_no_category_is_named_it_is_guessed(completer: Completer, category: Any, taken: Any) -> None:
    assert checked(completer, DRAWING, category, 1, 0, 0).category == taken


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"drawing": None}, "no drawing"),
        ({"drawing": "hello"}, "not JSON"),
        ({"drawing": {"strokes": 3}}, "strokes must be a list"),
        ({"drawing": {"strokes": [[[math.nan, 1]]]}}, "not finite"),
        ({"drawing": {"strokes": [[["1", "2"]]]}}, "must be a number"),
        ({"drawing": {"strokes": [[[1e308, 1]]]}}, "beyond"),
        ({"drawing": {"strokes": [[[0, 0]]] * (MAX_STROKES + 1)}}, f"at most {MAX_STROKES}"),
        ({"drawing": {"strokes": [[[0, 0]] * (MAX_POINTS + 1)]}}, f"at most {MAX_POINTS}"),
        ({"drawing": {"strokes": [[0] * 10**6]}}, f"at most {MAX_POINTS}"),
        ({"drawing": {"strokes": [], "width": -1, "height": 5}}, "above 0"),
        ({"category": "catt"}, "did you mean 'cat'"),
        ({"category": "<script>alert(1)</script>"}, "no category"),
        ({"category": "c" * 5000}, "must be a name"),
        ({"category": 7}, "must be a name"),
        ({"count": 0}, "count must be a whole number from 1 to 9"),
        ({"count": -3}, "count"),
        ({"count": 10}, "count"),
        ({"count": "3"}, "count"),
        ({"count": True}, "count"),
        ({"count": 2.5}, "count"),
        ({"count": math.inf}, "count"),
        ({"count": math.nan}, "count"),
        ({"count": 10**400}, "count"),
        ({"temperature": -1}, "temperature must be a number from 0 to 2"),
        ({"temperature": 1e9}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": "0.5"}, "temperature"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**60}, "seed"),
    ],
)
def test_what_is_wrong_is_named_in_a_line(completer: Completer, change: dict[str, Any], words: str) -> None:
    sound = {"drawing": DRAWING, "category": "cat", "count": 3, "temperature": 0.5, "seed": 0}
    with pytest.raises(SketchgenError) as caught:
        checked(completer, **{**sound, **change})
    assert words in str(caught.value)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(ANYTHING, st.tuples(*[ANYTHING] * 5))
def test_nothing_from_outside_raises_anything_else(
    completer: Completer, drawing: Any, rest: tuple[Any, ...]
) -> None:
    for each in (drawing, {"strokes": drawing}, {"strokes": [drawing], "page": rest[0]}):
        with contextlib.suppress(SketchgenError):
            checked(completer, each, *rest)
