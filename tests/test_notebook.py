"""The pad in a notebook without one: what its views send, and what is sent to them."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import pytest

import sketchgen
from sketchgen.completion.completer import Completer
from sketchgen.errors import MissingDependencyError, SketchgenError
from sketchgen.notebook import NO_WIDGETS, Pad, from_json, script, to_json
from sketchgen.sketch.sketch import Sketch
from sketchgen.web.assets import text_of
from sketchgen.web.exchange import PAGE
from sketchgen.web.request import MAX_STROKES
from tests.support import untrained

DRAWN = [[[100.25, 100, 0, 0.5], [200, 300, 9, 0.625]], [[320, 80], [20, 30.5]], [[5, 5, 20, 1]]]


@pytest.fixture(scope="module")
def completer() -> Completer:
    return untrained.tiny("cat")


@pytest.fixture
def pad(completer: Completer) -> Pad:
    return Pad(model=completer)


@pytest.fixture
def sent(pad: Pad, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is sent to the views of the pad."""
    found: list[Any] = []
    monkeypatch.setattr(pad, "_send", lambda message, **_: found.append(message))
    return found


def answers(pad: Pad, sent: list[Any], *asked: dict[str, Any]) -> list[Any]:
    """The messages with which a view is answered, up to the last one."""
    for each in asked:
        pad._handle_custom_msg(each, [])
    pad._runs.submit(time.monotonic).result(60)
    return [message["content"] for message in sent if message["method"] == "custom"]


def question(**settings: Any) -> dict[str, Any]:
    drawing = {"strokes": DRAWN, "width": 640, "height": 480}
    usual = {"drawing": drawing, "category": "auto", "count": 2, "temperature": 0.4, "seed": 3, "best_of": 1}
    return {"run": 7, "question": usual | settings}


def test_what_a_view_sends_arrives_and_goes_back_unchanged() -> None:
    sketch = from_json(DRAWN)
    assert to_json(sketch) == DRAWN
    assert sketch.page == PAGE
    assert sketch.times is not None
    assert sketch.pressure is not None
    assert sketch.times[0].tolist() == [0, 9]
    assert np.isnan(sketch.times[1]).all()
    assert sketch.pressure[2].tolist() == [1]
    assert to_json(Sketch.from_strokes([[(1, 2)]])) == [[[1, 2]]]


def test_strokes_are_observed_and_not_sent_back(pad: Pad, sent: list[Any]) -> None:
    seen: list[Sketch] = []
    pad.observe(lambda change: seen.append(change["new"]), "sketch")
    pad.set_state({"sketch": DRAWN})
    assert [to_json(each) for each in seen] == [DRAWN]
    assert [message["method"] for message in sent] == ["echo_update"]
    assert repr(pad) == "Pad(Sketch(3 strokes, 5 points, page 640 x 480))"


def test_a_drawing_that_is_set_is_placed_on_the_paper(pad: Pad, sent: list[Any]) -> None:
    pad.sketch = Sketch.from_strokes(
        [[(0, 0), (10, 20)]], page=(0, 0, 20, 20), times=[[0, 5]], pressure=[[1, 1]]
    )
    assert to_json(pad.sketch) == [[[80, 0, 0, 1], [320, 480, 5, 1]]]
    assert [message["state"]["sketch"] for message in sent] == [to_json(pad.sketch)]


@pytest.mark.parametrize("drawn", [DRAWN, [[[5, 5]]], []])
def test_alternatives_are_returned_and_shown(pad: Pad, sent: list[Any], drawn: list[Any]) -> None:
    pad.set_state({"sketch": drawn})
    found = pad.finish(3, best_of=1, seed=4)
    (shown,) = answers(pad, sent)
    assert shown["strokes"] == drawn
    assert shown["message"]["done"]
    points = [[point[:2] for point in alternative] for alternative in shown["message"]["alts"]]
    assert points == [each.added.points.tolist() for each in found]
    again = pad.finish(3, best_of=1, seed=4)
    assert [each.added for each in again] == [each.added for each in found]


@pytest.mark.parametrize("category", ["auto", None, "Cat"])
def test_a_view_is_answered_as_the_page_is(pad: Pad, sent: list[Any], category: str | None) -> None:
    pad.category = category
    found = answers(pad, sent, question())
    assert {each["run"] for each in found} == {7}
    assert [each["message"]["done"] for each in found] == [False] * (len(found) - 1) + [True]
    assert found[-1]["message"]["categories"] == ([None] * 2 if category is None else ["cat"] * 2)


def test_a_request_that_was_stopped_is_not_answered(pad: Pad, sent: list[Any]) -> None:
    asked = [question(count=9), {"stop": 7}]
    # Both are heard before the first of them is worked on.
    pad._runs.submit(time.sleep, 0.05)
    assert answers(pad, sent, *asked) == []
    assert answers(pad, sent, {"stop": 8}) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"category": "catt"}, "no category 'catt'; did you mean 'cat'?"),
        ({"count": 99}, "count must be a whole number from 1 to 9, not 99"),
        ({"drawing": {"strokes": [[[0, 0]]] * (MAX_STROKES + 1)}}, "501 strokes; at most 500 are taken here"),
    ],
)
def test_a_wrong_request_is_answered_in_one_line(
    pad: Pad, sent: list[Any], wrong: dict[str, Any], said: str
) -> None:
    (found,) = answers(pad, sent, question(**wrong))
    assert found["message"]["error"].endswith(said)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"category": "catt"}, "no category 'catt'"),
        ({"category": 3}, "category must be a name, not 3"),
        ({"width": 10}, "width must be a whole number from 160 to 2000, not 10"),
        ({"sketch": "cat.svg"}, "read a file by sketchgen.read"),
        ({"sketch": Sketch.from_strokes([[(0, 0)]] * (MAX_STROKES + 1))}, "at most 500 are taken here"),
        ({"model": "/nowhere"}, "no stroke model '/nowhere'"),
    ],
)
def test_a_pad_that_cannot_be_is_refused_in_one_line(
    completer: Completer, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(SketchgenError, match=said):
        Pad(**{"model": completer, **settings})


def test_without_widgets_the_drawing_is_shown_and_a_line_that_helps(pad: Pad) -> None:
    pad.set_state({"sketch": DRAWN})
    data, _ = pad._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"].startswith("<svg")
    assert NO_WIDGETS in data["text/html"]
    assert "\n" not in NO_WIDGETS


def test_without_anywidget_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "sketchgen.notebook")
    with pytest.raises(MissingDependencyError, match=r"pip install 'sketchgen\[notebook\]'"):
        _ = sketchgen.Pad


def test_the_pad_is_made_of_the_page_s_files() -> None:
    found = script()
    assert text_of("hand.js") in found
    assert "http://" not in found.replace("http://www.w3.org/2000/svg", "")
