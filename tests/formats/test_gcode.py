"""GRBL takes the G-code, as its documentation says: each line by its grammar, the pen up between strokes."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import vpype

from sketchgen.errors import SettingError
from sketchgen.formats.gcode import PROFILES, GcodeStream, to_gcode
from sketchgen.formats.page import Page
from sketchgen.formats.plotter import plot_pages, stroke_pages
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.sketch.sketch import Completion, Layer, Sheet, Sketch

MODAL = {
    "motion": ("G0", "G1"),
    "plane": ("G17", "G18", "G19"),
    "distance": ("G90", "G91"),
    "arc distance": ("G91.1",),
    "feed": ("G94",),
    "units": ("G20", "G21"),
    "radius": ("G40",),
    "work": ("G54", "G55", "G56", "G57", "G58", "G59"),
    "path": ("G61",),
    "once": ("G4",),
    "program": ("M0", "M1", "M2", "M30"),
    "spindle": ("M3", "M4", "M5"),
    "coolant": ("M8", "M9"),
}
"""Codes of GRBL 1.1 that a plotter needs, by modal group: a line has at most one of each. What passes here
passes `gc_execute_line` of GRBL's gcode.c, too (compared on thousands of lines with words added and lost)."""

GROUP = {code: group for group, codes in MODAL.items() for code in codes}
LINE = 79
"""Characters of a line, without its end: GRBL's buffer has 80."""


class Machine:
    """A plotter that obeys GRBL's rules."""

    def __init__(self, servo: bool) -> None:
        self.servo, self.modal, self.values = servo, dict[str, str](), dict[str, float]()
        self.down, self.ended, self.drawn, self.lines = False, False, list[list[tuple[float, float]]](), 0

    def run(self, text: str) -> None:
        assert text.endswith("\n")
        for line in text.splitlines():
            assert len(line) <= LINE
            assert not self.ended, "nothing stands behind M2"
            assert re.fullmatch(r"([A-Z]-?\d+(\.\d+)? ?)+", line), line
            self._obey([(word[0], float(word[1:])) for word in re.findall(r"[A-Z][-\d.]+", line)])
            self.lines += 1

    def _obey(self, words: list[tuple[str, float]]) -> None:
        codes = [f"{letter}{number:g}" for letter, number in words if letter in "GM"]
        values = {letter: number for letter, number in words if letter not in "GM"}
        assert set(codes) <= GROUP.keys(), codes
        groups = {GROUP[code]: code for code in codes}
        assert len(groups) == len(codes), "one code of a group on a line"
        assert len(values) + len(codes) == len(words), "each letter once"
        assert set(values) <= set("FPSXYZ")
        assert min(values.get(name, 0) for name in "FPS") >= 0
        self.values |= values
        if "once" in groups:
            assert (set(groups), set(values)) == ({"once"}, {"P"})
            return
        assert "P" not in values
        self.modal |= groups
        if "motion" in groups:
            self._move(groups["motion"], values)
        self.ended = groups.get("program") == "M2"
        if self.ended or "program" in groups:
            assert not self.down, "the pen is up while somebody changes it, and at the end"
        if self.servo and "spindle" in groups:
            assert groups["spindle"] == "M3"
            self._lift(self.values["S"] > 500)

    def _move(self, motion: str, values: dict[str, float]) -> None:
        assert self.modal["units"] == "G21"
        assert self.modal["distance"] == "G90"
        if motion == "G1":
            assert self.values.get("F", 0) > 0, "GRBL refuses G1 without a feed rate"
        if "Z" in values:
            assert not self.servo
            assert not values.keys() & {"X", "Y"}
            self._lift(values["Z"] <= 0)
        else:
            assert motion == ("G1" if self.down else "G0"), (
                "it travels with the pen up, and draws with it down"
            )
            assert values.keys() >= {"X", "Y"}
            self.at = values["X"], values["Y"]
            if self.down:
                self.drawn[-1].append(self.at)

    def _lift(self, down: bool) -> None:
        if down and not self.down:
            self.drawn.append([self.at])
        self.down = down


def begun() -> Sketch:
    layers = Layer("2 red", ("#ff0000",)), Layer("5 blue", ("#0000ff",))
    strokes = [[(0, 0), (50, 0), (50, 50)], [(10, 80)]]
    return Sketch.from_strokes(strokes, page=(0, 0, 100, 100), sheet=Sheet(("100mm", "100mm"), layers, 0.5))


MORE = [np.array(stroke, dtype=float) for stroke in ([(20, 50), (0, 50), (60, 90)], [(90, 90), (0, 99.5)])]


def plotted(text: str, profile: str) -> Machine:
    machine = Machine(profile == "grbl-servo")
    machine.run(text)
    assert machine.ended
    return machine


def in_mm(strokes: Any) -> list[list[tuple[float, float]]]:
    """What a machine is to draw, which counts upwards from the page's lower edge."""
    return [[(x, 100 - y) for x, y in np.asarray(stroke).tolist()] for stroke in strokes]


@pytest.mark.parametrize("profile", PROFILES)
def test_grbl_draws_what_is_on_the_page(profile: str):
    done = Completion(begun(), Sketch(tuple(MORE), begun().page))
    (page,) = plot_pages([done], Page(100, 100, 0), ordered=False)
    text = to_gcode(page, profile)
    machine = plotted(text, profile)
    assert machine.lines > 20
    wanted = in_mm([begun().strokes[0], begun().strokes[1][[0, 0]], *MORE])
    assert [len(stroke) for stroke in machine.drawn] == [len(stroke) for stroke in wanted]
    for found, points in zip(machine.drawn, wanted, strict=True):
        np.testing.assert_allclose(found, points, atol=2e-3)
    # Two pens were given, and one is added.
    assert text.count("M0\n") == 2
    assert to_gcode(page, profile) == text


@pytest.mark.parametrize("profile", PROFILES)
def test_pieces_are_the_page(profile: str):
    page, code = Page(100, 100, 0), GcodeStream(profile)
    given, *more = map(code.piece, stroke_pages(begun(), iter(MORE), page))
    (whole,) = plot_pages([Completion(begun(), Sketch(tuple(MORE), begun().page))], page, ordered=False)
    assert code.start + given + code.next_pen + "".join(more) + code.end == to_gcode(whole, profile)
    # After an interruption the end alone lifts the pen.
    for at in range(len(more) + 1):
        plotted(code.start + given + code.next_pen + "".join(more[:at]) + code.end, profile)


def test_the_machine_sees_faults():
    (page,) = plot_pages([begun()], Page(100, 100, 0))
    text = to_gcode(page)
    for before, after in [
        ("G21\n", ""),
        ("G90\n", "G91\n"),
        (" F1500", ""),
        ("G0 Z5\nM0", "M0"),
        ("M2", "M2\nG0 Z5"),
        ("G94", "G95"),
        ("G17", "G17 G18"),
        ("G1 X", "G1 X1" + "0" * 80 + " X"),
        ("G1 Z0", "g1 Z0"),
    ]:
        assert before in text
        without_feed = text.replace(" F600", "") if before == " F1500" else text
        with pytest.raises((AssertionError, KeyError)):
            plotted(without_feed.replace(before, after), "grbl")


def test_other_profiles():
    (page,) = plot_pages([begun()])
    assert to_gcode(page, "HPGL-R").startswith("IN;")
    assert to_gcode(page, "gcodemm").count("G00 ") == len(parse_svg(page).strokes)
    with pytest.raises(SettingError, match="the profile 'HPGL-R' counts from the last point"):
        GcodeStream("HPGL-R")


def test_a_profile_of_the_user_comes_first(monkeypatch: pytest.MonkeyPatch):
    mine = {**PROFILES["grbl"], "default_values": {"feed": 99, "plunge": 600, "up": 5, "down": 0}}
    monkeypatch.setitem(vpype.config_manager.config["gwrite"], "grbl", mine)
    assert " F99\n" in to_gcode(next(plot_pages([begun()])))


def test_bad_settings(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SettingError, match=r"no profile 'gcod'.*grbl, grbl-servo, .*gcodemm"):
        to_gcode("", "gcod")
    bad = {"segment": "{nothing}", "unit": "mm"}
    with monkeypatch.context() as patch:
        patch.setitem(vpype.config_manager.config["gwrite"], "bad", bad)
        with pytest.raises(SettingError, match=r"the profile 'bad' cannot be written: .*nothing"):
            to_gcode(next(plot_pages([replace(begun(), sheet=None)])), "bad")
    monkeypatch.setitem(sys.modules, "vpype_gcode.gwrite", None)
    with pytest.raises(SettingError, match=r"pip install 'sketchgen\[plotter\]'"):
        to_gcode("")
