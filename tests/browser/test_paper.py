"""The paper: what mouse, fingers, palm and pen do on it, its view, eraser and pens; no server is needed."""

from __future__ import annotations

import itertools
import math

import pytest
from paper import Canvas

STROKES = [
    {
        "points": [[100, 100, 0, 0.2], [300, 100, 80, 0.9], [300, 300, 160, 0.4]],
        "added": False,
        "color": "#dc2f45",
    },
    {"points": [[120, 400, 0, 0.5], [520, 420, 90, 0.5]], "added": True, "corners": True},
    {"points": [[50, 50, 0, 0.5]], "added": False},
]


def length(points: list[list[float]]) -> float:
    return sum(math.dist(a[:2], b[:2]) for a, b in itertools.pairwise(points))


def test_one_finger_draws(paper: Canvas) -> None:
    paper.touch("Start", (100, 100))
    for x in range(110, 300, 20):
        paper.touch("Move", (x, 120))
    paper.touch("End")
    (stroke,) = paper.strokes
    assert len(stroke) > 5


@pytest.mark.parametrize("before", [0, 1, 3])
def test_two_fingers_never_draw_but_move_the_view(paper: Canvas, before: int) -> None:
    under = paper.tell("Sketchgen.pad.view.toPage([250, 200])")
    paper.touch("Start", (200, 200))
    for step in range(before):
        paper.touch("Move", (200 + 4 * step, 200))
    paper.touch("Start", (200, 200), (300, 200))
    for step in range(1, 11):
        paper.touch("Move", (200 - 5 * step, 200 + 3 * step), (300 + 5 * step, 200 + 3 * step))
    # One finger is lifted, and the other one goes on: it draws nothing either.
    paper.touch("End", (150, 230))
    for step in range(1, 4):
        paper.touch("Move", (350 + 30 * step, 230), first=1)
    paper.touch("End")
    assert paper.strokes == []
    assert paper.tell("Sketchgen.sketch.past.length") == 0
    scale, x, y = paper.view
    whole = paper.tell("Sketchgen.pad.view.whole")
    assert scale == pytest.approx(2 * whole, rel=0.05)
    # What was under the fingers is under them still.
    assert [x + scale * under[0], y + scale * under[1]] == pytest.approx([250, 230], abs=6)


def test_a_long_line_stays_when_another_finger_comes(paper: Canvas) -> None:
    paper.touch("Start", (100, 100))
    paper.later(0.5)
    for x in range(110, 400, 10):
        paper.touch("Move", (x, 120))
    paper.touch("Start", (390, 120), (500, 300))
    paper.touch("Move", (350, 120), (540, 300))
    paper.touch("End")
    (stroke,) = paper.strokes
    assert max(point[0] for point in stroke) <= paper.tell("Sketchgen.sketch.strokes[0].points.at(-1)[0]") + 1
    assert not paper.tell("Sketchgen.pad.view.fitted")


def test_three_fingers_do_nothing(paper: Canvas) -> None:
    paper.touch("Start", (100, 100), (200, 100), (300, 100))
    paper.touch("Move", (120, 150), (220, 150), (320, 150))
    paper.touch("End")
    assert paper.strokes == []
    paper.touch("Start", (100, 100))
    paper.touch("Move", (150, 150))
    paper.touch("End")
    assert len(paper.strokes) == 1


def test_what_the_system_takes_away_was_a_palm(paper: Canvas) -> None:
    paper.touch("Start", (100, 100))
    paper.touch("Move", (150, 150))
    paper.touch("Cancel")
    assert paper.strokes == []


def test_a_pen_beats_the_palm(paper: Canvas) -> None:
    # The palm comes first, moves a little, and stays while the pen draws; then it comes anew.
    paper.touch("Start", (500, 400))
    paper.touch("Move", (504, 402))
    paper.pen("Pressed", 100, 100, 0.3)
    for x in range(110, 300, 20):
        paper.pen("Moved", x, 120, 0.8)
    paper.touch("Move", (510, 410))
    paper.pen("Released", 300, 120)
    paper.touch("End")
    paper.touch("Start", (520, 420))
    paper.touch("Move", (540, 440))
    paper.touch("End")
    (stroke,) = paper.strokes
    assert len(stroke) > 5
    assert {point[3] for point in stroke} >= {0.3, 0.8}
    assert paper.tell("Sketchgen.pad.view.fitted")
    # Long after the pen a finger draws again.
    paper.later(1)
    paper.touch("Start", (520, 420))
    paper.touch("Move", (540, 440))
    paper.touch("End")
    assert len(paper.strokes) == 2


def test_two_taps_fit_a_page_that_does_not(paper: Canvas) -> None:
    def tap_twice() -> None:
        for _ in range(2):
            paper.touch("Start", (300, 300))
            paper.touch("End")

    # Two dots are two eyes, where the page fits already.
    tap_twice()
    assert len(paper.strokes) == 2
    paper.renew()
    paper.tell("Sketchgen.pad.look((view) => view.zoom(3))")
    tap_twice()
    assert paper.strokes == []
    paper.page.wait_for_function("Sketchgen.pad.view.fitted && !Sketchgen.pad.flight")


def test_200_strokes_in_ten_seconds(paper: Canvas) -> None:
    paper.tell(
        """() => { const { canvas } = Sketchgen.pad, box = canvas.getBoundingClientRect();
        const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, { pointerId: 1, buttons: 1,
          pointerType: "mouse", clientX: box.x + x, clientY: box.y + y, bubbles: true }));
        for (let k = 0; k < 200; k++) {
          const x = 20 + (k % 20) * 30, y = 20 + Math.floor(k / 20) * 40;
          send("pointerdown", x, y);
          for (let i = 0; i < 8; i++) send("pointermove", x + 3 * i, y + i * (k % 5));
          send("pointerup", x, y);
        } }"""
    )
    assert len(paper.strokes) == 200
    assert all(len(stroke) == 8 for stroke in paper.strokes)
    assert paper.tell("Sketchgen.sketch.past.length") == 200
    paper.page.keyboard.press("Control+z")
    assert len(paper.strokes) == 199


def test_the_view_and_its_inverse(paper: Canvas) -> None:
    found = paper.tell(
        """() => { const view = new Sketchgen.View(800, 500), random = (a, b) => a + (b - a) * Math.random();
        const wrong = [];
        for (let k = 0; k < 500; k++) {
          const act = k % 5, at = [random(0, 800), random(0, 500)], under = view.toPage(at);
          if (act === 0) view.pan(random(-90, 90), random(-90, 90));
          if (act === 1) view.zoom(random(0.5, 2), at);
          const fingers = [[random(0, 800), 250], [random(0, 800), 260]];
          if (act === 2) view.pinch([at, [at[0] + 80, at[1]]], fingers);
          if (act === 3) view.resize(random(300, 900), random(300, 700));
          if (act === 4) view.fit(k % 2 ? undefined : { x: 10, y: 20, width: 100, height: 300 });
          const there = view.toWindow(view.toPage(at)), { box, scale } = view;
          if (Math.hypot(there[0] - at[0], there[1] - at[1]) > 1e-6) wrong.push(["inverse", act]);
          if (Math.abs(box.width * scale - view.width) > 1e-6) wrong.push(["box", act]);
          // Some of the page is always seen.
          const seen = box.x < 640 && box.y < 480 && box.x + box.width > 0 && box.y + box.height > 0;
          if (!seen) wrong.push(["lost", act]);
          if (scale < 0.2 * view.whole || scale > 13 * view.whole) wrong.push(["scale", scale / view.whole]);
        }
        return wrong; }"""
    )
    assert found == []


def test_what_was_under_the_pointer_stays_there(paper: Canvas) -> None:
    before = paper.tell("Sketchgen.pad.view.toPage([200, 150])")
    paper.page.mouse.move(paper.box["x"] + 200, paper.box["y"] + 150)
    paper.page.keyboard.down("Control")
    paper.page.mouse.wheel(0, -100)
    paper.page.keyboard.up("Control")
    paper.page.wait_for_function("!Sketchgen.pad.view.fitted")
    assert paper.tell("Sketchgen.pad.view.toPage([200, 150])") == pytest.approx(before, abs=0.01)
    scale, x, y = paper.view
    assert scale > 1.2 * paper.tell("Sketchgen.pad.view.whole")
    # The wheel alone, the middle button, and the space key with the left one move it.
    paper.page.mouse.wheel(30, 50)
    paper.page.wait_for_function("y => Sketchgen.pad.view.y < y - 40", arg=y)
    paper.drag((300, 300), (340, 320), button="middle")
    paper.page.keyboard.down(" ")
    paper.drag((300, 300), (340, 320))
    paper.page.keyboard.up(" ")
    assert paper.view == pytest.approx([scale, x - 30 + 80, y - 50 + 40])
    assert paper.strokes == []
    assert not paper.tell("Boolean(Sketchgen.pad.hand.cursor)")
    # Drawn in such a view, a line is where the hand was.
    paper.drag((100, 100), (180, 130))
    assert paper.strokes[0][0][:2] == pytest.approx(
        paper.tell("Sketchgen.pad.view.toPage([100, 100])"), abs=0.1
    )
    paper.page.keyboard.press("0")
    paper.page.wait_for_function("Sketchgen.pad.view.fitted && !Sketchgen.pad.flight")


def test_the_view_fits_what_was_added(paper: Canvas) -> None:
    paper.tell("strokes => Sketchgen.sketch.change(strokes)", STROKES[:1])
    paper.tell("Sketchgen.pad.look((view) => view.zoom(4, [150, 150]))")
    seen = paper.tell("Sketchgen.pad.view.box")
    far = {"points": [[500, 400], [560, 430]], "added": True}
    paper.tell("far => Sketchgen.sketch.change([...Sketchgen.sketch.strokes, far])", far)
    paper.page.wait_for_function("!Sketchgen.pad.flight")
    now = paper.tell("Sketchgen.pad.view.box")
    assert now["x"] <= seen["x"] + 1
    assert now["x"] + now["width"] >= 560
    assert now["y"] + now["height"] >= 430
    # What lies inside moves nothing.
    paper.tell(
        "Sketchgen.sketch.change([...Sketchgen.sketch.strokes, { points: [[300, 300]], added: true }])"
    )
    paper.frames()
    assert paper.tell("Sketchgen.pad.view.box") == now


@pytest.mark.parametrize(
    ("at", "radius"), [([200, 100], 20), ([300, 100], 30), ([300, 200], 5), ([100, 100], 9)]
)
def test_nothing_but_the_cut_is_lost(paper: Canvas, at: list[float], radius: float) -> None:
    left = paper.tell(
        "([strokes, at, radius]) => Sketchgen.cutStrokes(strokes, at, radius)", [STROKES, at, radius]
    )
    parts = [stroke for stroke in left if stroke.get("color")]
    others = [stroke for stroke in left if not stroke.get("color")]
    assert others == STROKES[1:]
    whole = STROKES[0]["points"]
    # How much of the line lies in the circle, by many small steps.
    steps = 20_000
    inside = 0.0
    for a, b in itertools.pairwise(whole):
        near = [
            math.dist(at, [a[i] + (k + 0.5) / steps * (b[i] - a[i]) for i in (0, 1)]) <= radius
            for k in range(steps)
        ]
        inside += sum(near) / steps * math.dist(a[:2], b[:2])
    assert inside > 0
    assert sum(length(part["points"]) for part in parts) == pytest.approx(length(whole) - inside, abs=0.1)
    for part in parts:
        times = [point[2] for point in part["points"]]
        assert times == sorted(times)
        assert all(len(point) == 4 for point in part["points"])
        assert all(math.dist(point[:2], at) >= radius - 0.02 for point in part["points"])
        # The points of the line that were not cut are there as they were; others are the ends of a cut.
        ends = [point for point in part["points"] if point not in whole]
        assert all(math.dist(point[:2], at) == pytest.approx(radius, abs=0.02) for point in ends)


def test_what_is_not_touched_is_the_same_list(paper: Canvas) -> None:
    for erased in ("cutStrokes", "dropStrokes"):
        same = f"(strokes) => Sketchgen.{erased}(strokes, [600, 20], 10) === strokes"
        assert paper.tell(same, STROKES)
        dot = paper.tell(f"(strokes) => Sketchgen.{erased}(strokes, [52, 50], 5)", STROKES)
        assert dot == STROKES[:2]
    assert paper.tell("(strokes) => Sketchgen.dropStrokes(strokes, [200, 102], 5)", STROKES) == STROKES[1:]


def test_a_gesture_of_the_eraser_is_one_step_back(paper: Canvas) -> None:
    paper.tell("strokes => Sketchgen.sketch.change(strokes)", STROKES)
    x, y = paper.tell("Sketchgen.pad.view.toWindow([200, 40])")
    ex, ey = paper.tell("Sketchgen.pad.view.toWindow([200, 440])")
    for key, count in (("e", 5), ("Shift+E", 1)):
        paper.page.locator("#sg-paper > canvas").press(key)
        # Fast: the eraser takes what lies between two places of the pointer, too.
        paper.page.mouse.move(paper.box["x"] + x, paper.box["y"] + y)
        paper.page.mouse.down()
        paper.page.mouse.move(paper.box["x"] + ex, paper.box["y"] + ey)
        paper.page.mouse.up()
        assert len(paper.strokes) == count
        paper.page.keyboard.press("Control+z")
        assert len(paper.strokes) == 3
    # Two fingers while the eraser is chosen erase nothing.
    paper.touch("Start", (x, y))
    paper.touch("Move", (x, y + 10))
    paper.touch("Start", (x, y + 10), (x + 100, y))
    paper.touch("Move", (x, y + 90), (x + 100, y + 90))
    paper.touch("End")
    assert len(paper.strokes) == 3


def test_colour_and_width_are_the_stroke_s(paper: Canvas) -> None:
    page = paper.page
    page.get_by_role("button", name="Colour and width").click()
    page.get_by_role("button", name="Green").click()
    page.get_by_role("button", name="Bold").click()
    page.keyboard.press("Escape")
    paper.drag((100, 100), (300, 100))
    assert paper.tell("(({ color, width }) => [color, width])(Sketchgen.sketch.strokes[0])") == ["#2f8f4e", 8]
    style = paper.tell("JSON.parse(JSON.stringify(Sketchgen.sketch.payload())).styles[0]")
    assert style == {"color": "#2f8f4e", "width": 8}
    paper.frames()
    ratio = paper.tell("Sketchgen.pad.canvas.width / Sketchgen.pad.canvas.clientWidth")
    pixel = "([x, y]) => [...Sketchgen.pad.canvas.getContext('2d').getImageData(x, y, 1, 1).data]"
    assert paper.tell(pixel, [round(200 * ratio), round(100 * ratio)]) == [0x2F, 0x8F, 0x4E, 255]


def test_curves_of_a_growing_line_are_those_of_the_whole(paper: Canvas) -> None:
    found = paper.tell(
        """() => { let worst = 0;
        for (const size of [0.7, 3, 30]) {
          let x = 7;
          const random = () => (x = (16807 * x) % 2147483647) / 2147483647 - 0.5;
          const points = [[100, 100]], grown = [[100, 100]];
          for (let k = 0; k < 300; k++) {
            const [px, py] = points[points.length - 1];
            points.push([px + size * (Math.cos(k / 9) + random()), py + size * (Math.sin(k / 9) + random())]);
          }
          for (let k = 1; k <= 300; k += 1 + (k % 3)) {
            while (grown.length < k) grown.push(points[grown.length]);
            const now = Sketchgen.controlPoints(grown).flat(2);
            const whole = Sketchgen.controlPoints([...grown]).flat(2);
            worst = Math.max(worst, ...now.map((value, i) => Math.abs(value - whole[i])));
          }
        }
        return worst; }"""
    )
    assert found < 1e-9


FRAMES = """({ strokes, count, frames }) => { const { sketch, pad } = Sketchgen;
  sketch.change(Array.from({ length: strokes }, (_, k) => ({ added: k % 3 === 0, points:
    Array.from({ length: count }, (_, i) => [20 + (k % 10) * 60 + 50 * Math.cos(i / 8 + k),
      30 + Math.floor(k / 10) * 42 + 30 * Math.sin(i / 6), i, 0.5]) })));
  pad.draw();
  pad.begin([10, 10, 0, 0.5]);
  const times = [];
  for (let k = 0; k < frames; k++) {
    const start = performance.now();
    for (let i = 0; i < 4; i++) pad.go([10 + k * 4 + i, 200 + 100 * Math.sin((k + i / 4) / 9), k, 0.5]);
    pad.draw();
    // Nothing is drawn before somebody looks.
    pad.canvas.getContext("2d").getImageData(0, 0, 1, 1);
    times.push(performance.now() - start);
  }
  pad.current = null;
  return times.sort((a, b) => a - b); }"""
"""Drawing on, with many points on the paper already: ms a frame, the quickest first."""


def test_many_lines_are_drawn_anew_when_the_view_rests(paper: Canvas) -> None:
    paper.tell(FRAMES, {"strokes": 100, "count": 50, "frames": 1})
    found = paper.tell(
        """async () => { const { pad } = Sketchgen, { canvas } = pad;
        const inked = () => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
          .filter((value, i) => i % 4 === 3 && value > 128).length;
        pad.look((view) => view.zoom(2));
        pad.draw();
        const [before, moved] = [pad.layerView, inked()];
        while (pad.moving) await new Promise((go) => setTimeout(go, 30));
        pad.draw();
        return { moved, rested: inked(), scales: [before[0], pad.layerView[0], pad.view.scale] }; }"""
    )
    first, last, wanted = found["scales"]
    assert first < last == wanted
    # The same lines in the same places, blurred at first.
    assert found["moved"] == pytest.approx(found["rested"], rel=0.1)


def test_many_lines_in_a_thumbnail_are_drawn_anew_when_it_rests(paper: Canvas) -> None:
    found = paper.tell(
        """() => { const S = Sketchgen, circle = (k) => Array.from({ length: 100 }, (_, i) =>
          [320 + (90 + 3 * k) * Math.cos(i / 16), 240 + (90 + 3 * k) * Math.sin(i / 16)]);
        const inks = S.inks(S.root), base = S.asStrokes(Array.from({ length: 20 }, (_, k) => circle(k)));
        const line = Array.from({ length: 60 }, (_, i) => [i * 6, 100, i === 59 ? 1 : 0]);
        const made = () => {
          const thumb = new S.Thumb({ base });
          document.body.append(thumb.element);
          thumb.canvas.style.cssText = "display: block; width: 160px; height: 160px";
          return thumb;
        };
        const all = ({ canvas }) => canvas.getContext("2d").getImageData(0, 0, 160, 160).data;
        const { drawStrokes } = S, thumb = made();
        let drawn = 0;
        S.drawStrokes = (...all) => { drawn += all[2] === base; drawStrokes(...all); };
        for (const point of line) {
          thumb.add([point]);
          thumb.move(5);
          thumb.draw(inks);
        }
        const growing = drawn;
        thumb.finish();
        for (let k = 0; k < 30; k++) thumb.draw(inks);
        const still = all(thumb), other = made();
        S.drawStrokes = drawStrokes;
        other.base = [...base];
        other.add(line);
        other.finish();
        other.draw(inks);
        const wanted = all(other);
        for (const each of [thumb, other]) each.element.remove();
        const apart = still.filter((value, i) => Math.abs(value - wanted[i]) > 32).length;
        return { growing, all: drawn, apart, inked: wanted.filter((value) => value > 64).length }; }"""
    )
    assert found["growing"] < 10
    assert found["all"] <= found["growing"] + 2
    assert found["inked"] > 1000 > 20 * found["apart"]


def test_a_long_stroke_looks_the_same_while_it_grows(paper: Canvas) -> None:
    found = paper.tell(
        """() => { const { pad } = Sketchgen, { canvas } = pad, all = () =>
          canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        pad.begin([320, 240, 0, 0.5]);
        for (let k = 0; k < 2000; k++) {
          pad.go([320 + k / 9 * Math.cos(k / 20), 240 + k / 9 * Math.sin(k / 20), k, 0.5]);
          if (k % 37 === 0) pad.draw();
        }
        pad.draw();
        const grown = all(), settled = pad.settled;
        pad.end();
        pad.draw();
        const whole = all();
        let apart = 0, inked = 0;
        for (let i = 3; i < whole.length; i += 4) {
          apart += Math.abs(whole[i] - grown[i]) > 64;
          inked += whole[i] > 64;
        }
        return { settled, apart, inked }; }"""
    )
    assert found["settled"] > 1500
    assert found["inked"] > 10_000
    assert found["apart"] < 0.001 * found["inked"]


def test_5000_points_cost_hardly_more_than_none(paper: Canvas) -> None:
    empty = paper.tell(FRAMES, {"strokes": 0, "count": 0, "frames": 60})
    full = paper.tell(FRAMES, {"strokes": 100, "count": 50, "frames": 60})
    # The quickest quarter: whoever else works on this machine is not what is measured.
    assert full[15] < 2 * empty[15] + 2
