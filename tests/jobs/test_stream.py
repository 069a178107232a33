"""What a plotter gets while a drawing is drawn: whole strokes, as they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import untrained

from sketchgen.completion.run import NextPoints
from sketchgen.errors import SettingError
from sketchgen.formats.gcode import GcodeStream
from sketchgen.formats.render_options import RenderOptions
from sketchgen.jobs.stream import stream_gcode
from sketchgen.sketch.sketch import Sheet, Sketch
from sketchgen.sketch.strokes import Pen

GIVEN = Sketch.from_strokes([[(10, 20), (60, 90)]], page=(0, 0, 100, 100), sheet=Sheet(("100mm", "100mm")))
OPTIONS = RenderOptions("gcode")


def point(x: float, pen: Pen) -> NextPoints:
    return NextPoints(np.array([[x, 50.0]]), np.array([int(pen)]), np.array([pen != Pen.END]))


def pieces(drawn: Iterator[NextPoints], given: Sketch = GIVEN) -> list[str]:
    found: list[str] = []
    stream_gcode(given, drawn, OPTIONS, found.append)
    return found


def test_a_stroke_is_written_as_soon_as_the_pen_is_lifted():
    found: list[str] = []

    def drawn() -> Iterator[NextPoints]:
        # The start, and the given strokes.
        assert len(found) == 2
        yield point(30, Pen.DRAW)
        yield point(40, Pen.LIFT)
        yield point(70, Pen.LIFT)
        assert [line for line in found[2].splitlines() if "X" in line] == [
            "G0 X30.000 Y50.000",
            "G1 X40.000 Y50.000 F1500",
        ]
        yield point(80, Pen.DRAW)
        yield NextPoints.last([], ())

    stream_gcode(GIVEN, drawn(), OPTIONS, found.append)
    assert len(found) == 6
    assert "X80.000" in found[4], "the limit ends a stroke, too"
    assert found[5] == GcodeStream().end


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
def test_an_interruption_lifts_the_pen(stop: type[BaseException]):
    found: list[str] = []

    def drawn() -> Iterator[NextPoints]:
        yield point(30, Pen.LIFT)
        yield point(40, Pen.DRAW)
        raise stop

    with pytest.raises(stop):
        stream_gcode(GIVEN, drawn(), OPTIONS, found.append)
    assert found[-1] == GcodeStream().end
    assert len(found) == 4, "nothing of the stroke that was not finished"


def test_a_model_that_draws():
    model = untrained.completer(untrained.shaped({}))
    (done,) = model.complete(GIVEN, "cat", 1, seed=2, limit=30)
    text = "".join(pieces(iter(model.stream(GIVEN, "cat", 1, seed=2, limit=30))))
    assert text.count("G0 X") == 2 + len(done.added.strokes)
    assert text.count("M0\n") == 1


def test_a_drawing_without_a_page_has_no_place():
    with pytest.raises(SettingError, match="only a drawing that knows its page"):
        pieces(iter(()), replace(GIVEN, page=None))
