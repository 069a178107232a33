"""Drawing, completing, accepting, undoing: what a person does, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

LINE = [(120, 200), (300, 160), (420, 260)]
CIRCLE = [(400, 240), (360, 320), (280, 320), (240, 240), (280, 160), (360, 160), (400, 240)]


def test_a_stroke_is_drawn_where_the_hand_went(canvas: Any) -> None:
    canvas.draw(*LINE)
    (stroke,) = canvas.strokes
    for wanted, found in ((LINE[0], stroke[0]), (LINE[-1], stroke[-1])):
        assert found[:2] == pytest.approx(wanted, abs=1.5)
    assert len(stroke) >= 8
    times = [point[2] for point in stroke]
    assert times == sorted(times)
    dark = canvas.tell(
        """(() => { const c = document.querySelector('#sketchgen-pad canvas');
        const k = c.width / 640; const d = c.getContext('2d').getImageData(300*k-6, 160*k-6, 12, 12).data;
        return d.some((v, i) => i % 4 == 3 && v > 200); })()"""
    )
    assert dark


def test_completions_stream_in_and_one_is_accepted_undone_and_completed_again(canvas: Any) -> None:
    canvas.draw(*CIRCLE)
    canvas.finish()
    assert canvas.page.locator("#sketchgen-completions .alternative:visible").count() == 4
    assert canvas.status.startswith("4 drawings")
    arrived = canvas.tell("Sketchgen.completions.alternatives.map(a => a.arrived)")
    assert min(arrived) >= 1
    canvas.wait("Sketchgen.completions.alternatives[0].complete")
    assert canvas.tell("Sketchgen.pad.ghost.flat().length") > 0
    canvas.page.locator("#sketchgen-completions .alternative").nth(2).hover()
    third = "JSON.stringify(Sketchgen.completions.alternatives[2].visible())"
    canvas.wait(f"{third} === JSON.stringify(Sketchgen.pad.ghost)")
    wanted = canvas.tell("Sketchgen.completions.alternatives[1].strokes")
    canvas.page.locator("#sketchgen-completions .alternative").nth(1).click()
    assert canvas.strokes[1:] == wanted
    assert canvas.added == [False] + [True] * len(wanted)
    # The page hides them a moment after it has taken the strokes over.
    hidden = "!document.querySelector('#sketchgen-completions .alternative')?.checkVisibility()"
    canvas.page.wait_for_function(hidden, timeout=5000)
    assert canvas.page.locator("#sketchgen-completions .alternative:visible").count() == 0
    canvas.do("undo")
    assert canvas.added == [False]
    canvas.do("redo")
    assert len(canvas.strokes) == 1 + len(wanted)
    canvas.draw(*LINE)
    assert canvas.added[-1] is False
    canvas.finish()
    canvas.page.locator("#sketchgen-pad canvas").press("1")
    assert len(canvas.strokes) > 2 + len(wanted)
    assert canvas.added[-1] is True


def test_whatever_ends_a_run_ends_it_on_the_server(visit: Callable[..., Any], slow_server: Any) -> None:
    canvas = visit(slow_server)
    alternatives = "Sketchgen.completions.alternatives"
    canvas.draw(*LINE)

    def begun() -> None:
        slow_server.until("started", 60)
        canvas.wait(f"{alternatives}.length && {alternatives}[0].arrived > 5")

    # Stopping, drawing on, undoing, asking again, and leaving.
    canvas.do("finish")
    begun()
    canvas.do("finish")
    slow_server.until("stopped", 60)
    canvas.do("finish")
    begun()
    canvas.draw(*CIRCLE)
    slow_server.until("stopped", 60)
    assert not canvas.tell("Sketchgen.pad.running")
    assert canvas.tell("Sketchgen.pad.ghost") is None
    canvas.page.wait_for_timeout(100)
    assert canvas.tell(f"{alternatives}.length") == 0
    assert len(canvas.strokes) == 2
    canvas.do("finish")
    begun()
    canvas.do("undo")
    slow_server.until("stopped", 60)
    pad = canvas.page.locator("#sketchgen-pad canvas")
    pad.press("Enter")
    begun()
    canvas.tell(f"window.first = {alternatives}[0]")
    pad.press("Enter")
    slow_server.until("stopped", 60)
    begun()
    assert canvas.tell(f"{alternatives}[0] !== window.first")
    canvas.page.close()
    slow_server.until("stopped", 60)


def test_what_is_set_beside_the_pad_reaches_the_model(visit: Callable[..., Any], server: Any) -> None:
    canvas = visit(server)
    asked: list[dict[str, Any]] = []
    canvas.page.on(
        "request", lambda request: asked.append(request.post_data_json) if "draw" in request.url else None
    )
    assert canvas.tell("Sketchgen.settings") == {
        "category": "auto",
        "count": 4,
        "temperature": 0.4,
        "best_of": 8,
        "guidance": 2,
    }
    canvas.draw(*CIRCLE)
    page = canvas.page
    page.get_by_label("What is it?").first.fill("octo")
    page.get_by_role("option", name="octopus").click()
    for label, value in (("How many", "7"), ("How much like its category", "3.5"), ("Best of how many", "2")):
        page.get_by_label(label).first.fill(value)
        page.get_by_label(label).first.press("Tab")
    canvas.wait("Sketchgen.settings.category === 'octopus' && Sketchgen.settings.guidance === 3.5")
    canvas.wait("Sketchgen.settings.best_of === 2")
    canvas.finish()
    told = [asked[-1][name] for name in ("category", "count", "guidance", "best_of")]
    assert told == ["octopus", 7, 3.5, 2]
    assert page.locator("#sketchgen-completions .alternative:visible").count() == 7


def test_live_completes_at_every_pen_up(canvas: Any) -> None:
    canvas.do("live")
    canvas.page.locator("[data-do=live][aria-pressed=true]").wait_for()
    for count, stroke in enumerate((LINE, CIRCLE), 1):
        canvas.draw(*stroke)
        canvas.wait_done()
        assert canvas.tell("Sketchgen.pad.timings.firstPoint.length") == count


def test_erase_clear_undo_redo(canvas: Any) -> None:
    canvas.draw(*LINE)
    canvas.draw(*CIRCLE)
    canvas.do("erase")
    canvas.draw((150, 150), (160, 230))
    assert len(canvas.strokes) == 1
    canvas.draw((150, 150), (260, 200), (420, 230))
    assert canvas.strokes == []
    canvas.do("undo")
    canvas.do("redo")
    canvas.do("undo")
    assert len(canvas.strokes) == 1
    canvas.do("undo")
    assert len(canvas.strokes) == 2
    # One gesture is one step, whatever it wiped out.
    canvas.draw((150, 140), (150, 250), (245, 240), (235, 240))
    assert canvas.strokes == []
    canvas.do("undo")
    assert len(canvas.strokes) == 2
    canvas.do("erase")
    canvas.do("clear")
    assert canvas.strokes == []
    canvas.do("undo")
    assert len(canvas.strokes) == 2
    canvas.page.locator("#sketchgen-pad canvas").press("Control+Shift+z")
    assert canvas.strokes == []
    canvas.page.locator("[data-do=clear]:disabled").wait_for()


def test_the_whole_of_it_by_keyboard(canvas: Any) -> None:
    pad = canvas.page.locator("#sketchgen-pad canvas")
    pad.focus()
    for key in (" ", "ArrowRight", "ArrowRight", "Shift+ArrowDown", "ArrowLeft", " "):
        pad.press(key)
    (stroke,) = canvas.strokes
    assert [point[:2] for point in stroke] == [[320, 240], [328, 240], [336, 240], [336, 272], [328, 272]]
    pad.press("Enter")
    canvas.wait_done()
    pad.press("2")
    assert canvas.added[1:] == [True] * (len(canvas.strokes) - 1)
    assert len(canvas.strokes) > 1
    pad.press("Control+z")
    assert len(canvas.strokes) == 1


def test_the_drawing_outlives_reload_and_resizing(visit: Callable[..., Any], server: Any) -> None:
    canvas = visit(server)
    canvas.draw(*CIRCLE)
    before = canvas.strokes
    canvas.resize(500, 800)
    assert canvas.strokes == before
    canvas.draw(*LINE)
    assert canvas.strokes[1][0][:2] == pytest.approx(LINE[0], abs=2)
    canvas.open()
    assert canvas.strokes[0] == before[0]
    assert len(canvas.strokes) == 2


def test_a_page_that_is_full_says_so(canvas: Any) -> None:
    filled = "Array.from({length: %d}, () => ({points: [[5, 5, 0, .5]], added: false}))"
    canvas.tell(f"Sketchgen.pad.changed({filled % 500})")
    canvas.draw(*LINE)
    assert len(canvas.strokes) == 500
    assert "at most 500 strokes" in canvas.status
    # What the server refuses is said, too.
    canvas.tell(f"Sketchgen.pad.changed({filled % 501})")
    canvas.do("finish")
    canvas.wait("!Sketchgen.pad.running")
    assert "at most 500" in canvas.status


def test_two_people_see_their_own_drawings_only(canvas: Any, visit: Callable[..., Any], server: Any) -> None:
    one, two = canvas, visit(server)
    one.draw(*LINE)
    two.draw(*CIRCLE)
    two.draw((100, 100), (110, 110))
    one.do("finish")
    two.do("finish")
    one.wait_done()
    two.wait_done()
    for each, first, count in ((one, LINE[0], 1), (two, CIRCLE[0], 2)):
        assert len(each.strokes) == count
        assert each.strokes[0][0][:2] == pytest.approx(first, abs=1.5)
    drawn = "JSON.stringify(Sketchgen.completions.alternatives.map(a => a.strokes))"
    assert one.tell(drawn) != two.tell(drawn)


def test_a_run_that_was_stopped_says_nothing_more(canvas: Any) -> None:
    canvas.draw(*CIRCLE)
    canvas.tell(
        """(() => { const fetched = window.fetch; window.late = [];
        window.fetch = (...all) => fetched(...all).then((answer) => new Promise((go) =>
          window.late.push(() => go(answer)))); Sketchgen.pad.finish(); window.fetch = fetched; })()"""
    )
    canvas.wait("window.late.length === 1")
    canvas.do("undo")
    canvas.tell("window.late[0]()")
    canvas.page.wait_for_timeout(200)
    assert canvas.tell("Sketchgen.completions.alternatives.length") == 0
    assert canvas.tell("Sketchgen.pad.ghost") is None
    assert canvas.status == ""


def answered(answer: dict[str, Any] | None) -> Callable[[Any], None]:
    """What answers a request in this way, or not at all."""
    return lambda route: route.abort() if answer is None else route.fulfill(**answer)


def test_a_server_that_fails_is_told_of(canvas: Any) -> None:
    canvas.draw(*CIRCLE)
    for answer, words in (
        ({"status": 413, "json": {"detail": "request larger than 4 MB"}}, "request larger than 4 MB"),
        ({"status": 502, "body": "<html>bad gateway</html>"}, "the server answered 502"),
        ({"status": 200, "body": '{"alts":[[[9,9,1]]],"done":false}\n'}, "stopped in the middle"),
        (None, "did not answer"),
    ):
        canvas.page.route("**/sketchgen/draw", answered(answer))
        canvas.do("finish")
        canvas.wait("!Sketchgen.pad.running")
        assert words in canvas.status
        canvas.page.unroute("**/sketchgen/draw")
    canvas.finish()
    assert canvas.status.startswith("4 drawings")


def test_what_was_shown_gives_way_to_what_is_better(canvas: Any) -> None:
    first = '{"alts":[[[9,9,1]],[[50,50,0]]],"done":false}'
    last = '{"alts":[[[20,20,0],[90,30,1]],[[60,80,1]]],"anew":[0],"done":true}'
    canvas.page.route("**/sketchgen/draw", lambda route: route.fulfill(body=f"{first}\n{last}\n"))
    canvas.draw(*CIRCLE)
    canvas.finish()
    canvas.page.unroute("**/sketchgen/draw")
    assert canvas.status.startswith("2 drawings")
    drawn = canvas.tell("Sketchgen.completions.alternatives.map((each) => each.strokes)")
    assert drawn == [[[[20, 20], [90, 30]]], [[[50, 50], [60, 80]]]]
    canvas.page.keyboard.press("1")
    assert canvas.strokes[-1] == [[20, 20], [90, 30]]


def test_lines_may_be_torn_anywhere(canvas: Any) -> None:
    canvas.draw(*CIRCLE)
    found = canvas.tell(
        """(async () => { const text = new TextEncoder().encode(
          '{"waiting":2}\\n{"alts":[[[1.5,2,0]]],"done":false,"x":"\u00e9"}\\n{"alts":[[]],"done":true}\\n');
        const fetched = window.fetch; window.fetch = async () => new Response(new ReadableStream({ start(to) {
          for (const byte of text) to.enqueue(new Uint8Array([byte])); to.close(); } }));
        const got = []; await new Promise((go) =>
          Sketchgen.run({}, (message) => got.push(message) && message.done && go()));
        window.fetch = fetched; return got; })()"""
    )
    assert found == [
        {"waiting": 2},
        {"alts": [[[1.5, 2, 0]]], "done": False, "x": "é"},
        {"alts": [[]], "done": True},
    ]


def test_who_must_wait_is_told(visit: Callable[..., Any], slow_server: Any) -> None:
    first, second = visit(slow_server), visit(slow_server)
    first.draw(*LINE)
    first.do("finish")
    first.wait("Sketchgen.completions.alternatives.length > 0")
    second.draw(*CIRCLE)
    second.do("finish")
    second.wait("/queue: 1 before you/.test(Sketchgen.pad.status.textContent)")
    assert second.tell("Sketchgen.completions.alternatives.length") == 0
    first.do("finish")
    second.wait("Sketchgen.completions.alternatives.length > 0")
    second.do("finish")
