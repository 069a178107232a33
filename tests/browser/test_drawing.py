"""Drawing, completing, accepting, undoing: what a person does, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        """(() => { const c = Sketchgen.pad.canvas, box = c.getBoundingClientRect();
        const [x, y] = Sketchgen.pad.toWindow(300, 160);
        const d = c.getContext('2d').getImageData(x - box.x - 6, y - box.y - 6, 12, 12).data;
        return d.some((v, i) => i % 4 == 3 && v > 200); })()"""
    )
    assert dark


def test_suggestions_stream_in_and_one_is_kept_undone_and_finished_again(canvas: Any) -> None:
    canvas.draw(*CIRCLE)
    canvas.finish()
    count = canvas.suggestions.count()
    assert 1 <= count <= 4
    assert canvas.status.startswith(f"{count} suggestions")
    assert min(canvas.tell("Sketchgen.suggestions.items.map(a => a.arrived)")) >= 1
    canvas.wait("Sketchgen.suggestions.items[0].complete")
    assert canvas.tell("Sketchgen.pad.ghost.strokes.flat().length") > 0
    last = f"Sketchgen.suggestions.items[{count - 1}]"
    canvas.suggestions.nth(count - 1).hover()
    canvas.wait(f"JSON.stringify({last}.visible()) === JSON.stringify(Sketchgen.pad.ghost.strokes)")
    wanted = canvas.tell(f"{last}.strokes")
    canvas.suggestions.nth(count - 1).click()
    assert canvas.strokes[1:] == wanted
    assert canvas.added == [False] + [True] * len(wanted)
    canvas.do("undo")
    assert canvas.added == [False]
    canvas.do("redo")
    assert len(canvas.strokes) == 1 + len(wanted)
    canvas.draw(*LINE)
    assert canvas.added[-1] is False
    canvas.finish()
    canvas.paper.press("1")
    assert len(canvas.strokes) > 2 + len(wanted)
    assert canvas.added[-1] is True


SOME = (
    '{"alts":[[[50,50,0],[90,90,1],[200,60,0],[260,90,1]],[[300,300,0],[400,300,1]],[[9,9,1]]],'
    '"categories":["cat","dog","cat"],"done":true}'
)
"""Three suggestions: two lines, one line, and next to nothing."""


@pytest.fixture
def answered_at_once(canvas: Any) -> Iterator[Any]:
    """A page that has `SOME` for every drawing, where it does not matter what a model would draw."""
    canvas.page.route("**/sketchgen/draw", lambda route: route.fulfill(body=f"{SOME}\n"))
    yield canvas
    canvas.page.unroute("**/sketchgen/draw")


@pytest.fixture
def suggested(answered_at_once: Any) -> Any:
    """A circle and `SOME` for it; what is asked next is answered by the server."""
    answered_at_once.draw(*CIRCLE)
    answered_at_once.finish()
    answered_at_once.page.unroute("**/sketchgen/draw")
    return answered_at_once


def test_next_to_nothing_is_not_shown(suggested: Any) -> None:
    assert suggested.suggestions.count() == 2
    label = suggested.suggestions.nth(0).get_attribute("aria-label")
    assert label == "Suggestion 1 of 2: cat, 2 strokes added at the top left. Keep it"


def test_who_keeps_one_may_keep_another_instead(suggested: Any) -> None:
    suggested.suggestions.nth(0).click()
    assert len(suggested.strokes) == 3
    suggested.suggestions.nth(1).click()
    assert suggested.strokes[1:] == [[[300, 300], [400, 300]]]
    assert suggested.suggestions.nth(1).get_attribute("aria-pressed") == "true"
    # Undo brings back the first one, then the circle alone, always with the suggestions.
    for count in (3, 1):
        suggested.do("undo")
        assert len(suggested.strokes) == count
        suggested.page.wait_for_timeout(50)
        assert suggested.suggestions.count() == 2
    suggested.suggestions.nth(0).click()
    suggested.suggestions.nth(0).click()
    assert len(suggested.strokes) == 1
    # Another drawing has none, and undo finds them again.
    suggested.draw(*LINE)
    suggested.wait("document.querySelectorAll('#sg-strip .thumb').length === 0")
    suggested.do("undo")
    suggested.wait("document.querySelectorAll('#sg-strip .thumb').length === 2")


def test_a_part_of_a_suggestion_is_kept_from_the_strip_and_from_the_paper(suggested: Any) -> None:
    suggested.suggestions.nth(0).hover()
    suggested.page.get_by_label("Keep a part of it").first.click()
    suggested.wait("document.querySelectorAll('#sg-strip .thumb').length === 2")
    suggested.suggestions.nth(1).click()
    assert suggested.strokes[1:] == [[[200, 60], [260, 90]]]
    suggested.page.mouse.click(*suggested.at(70, 72))
    assert suggested.strokes[1:] == [[[50, 50], [90, 90]], [[200, 60], [260, 90]]]
    assert suggested.added[1:] == [True, True]
    suggested.wait("document.querySelectorAll('#sg-strip .kept').length === 2")
    suggested.suggestions.nth(1).press("Enter")
    assert suggested.strokes[1:] == [[[50, 50], [90, 90]]]
    suggested.do("done")
    suggested.draw(*LINE)
    assert len(suggested.strokes) == 3


def test_more_like_one_begin_as_it_does(suggested: Any) -> None:
    asked: list[dict[str, Any]] = []
    suggested.page.on("request", lambda request: asked.append(request.post_data_json or {}))
    suggested.suggestions.nth(0).hover()
    suggested.page.get_by_label("More like this").first.click()
    suggested.wait("Sketchgen.suggestions.items[0]?.prefix.length === 1")
    suggested.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")
    assert asked[-1]["category"] == "cat"
    assert asked[-1]["drawing"]["strokes"][1:] == [[[50, 50], [90, 90]]]
    first = suggested.tell("Sketchgen.suggestions.items.map(each => each.strokes[0])")
    assert all(stroke == [[50, 50], [90, 90]] for stroke in first)


def test_a_surprise_is_of_a_category_of_its_own_each(canvas: Any) -> None:
    asked: list[dict[str, Any]] = []
    canvas.page.on("request", lambda request: asked.append(request.post_data_json or {}))
    canvas.do("surprise")
    canvas.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")
    names = [each["category"] for each in asked if "category" in each]
    assert len(set(names)) == len(names) == 4


def test_whatever_ends_a_run_ends_it_on_the_server(visit: Callable[..., Any], slow_server: Any) -> None:
    canvas = visit(slow_server)
    alternatives = "Sketchgen.suggestions.items"
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
    assert not canvas.tell("Sketchgen.suggestions.running")
    assert canvas.tell("Sketchgen.pad.ghost") is None
    canvas.page.wait_for_timeout(100)
    assert canvas.tell(f"{alternatives}.length") == 0
    assert len(canvas.strokes) == 2
    canvas.do("finish")
    begun()
    canvas.do("undo")
    slow_server.until("stopped", 60)
    pad = canvas.paper
    pad.press("Enter")
    begun()
    canvas.tell(f"window.first = {alternatives}[0]")
    pad.press("Enter")
    slow_server.until("stopped", 60)
    begun()
    canvas.wait(f"{alternatives}[0] !== window.first")
    canvas.page.close()
    slow_server.until("stopped", 60)


def test_options_reach_the_model_and_are_kept(visit: Callable[..., Any], server: Any) -> None:
    canvas = visit(server)
    asked: list[dict[str, Any]] = []

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(body=f"{SOME}\n")

    canvas.page.route("**/sketchgen/draw", answer)
    defaults = {"count": 4, "temperature": 0.4, "best_of": 8, "guidance": 2}
    assert canvas.tell("Sketchgen.settings") == defaults
    canvas.draw(*CIRCLE)
    page = canvas.page
    page.locator("[data-menu=sg-options]").click()
    page.get_by_text("Advanced").click()
    for label, value in (("Alternatives", "7"), ("How closely it follows", "3.5"), ("Tries for each", "2")):
        page.get_by_label(label).fill(value)
    page.keyboard.press("Escape")
    canvas.finish()
    told = {name: asked[-1][name] for name in defaults}
    assert told == {"count": 7, "temperature": 0.4, "best_of": 2, "guidance": 3.5}
    assert asked[-1]["category"] == "auto"
    canvas.open()
    assert canvas.tell("Sketchgen.settings") == told


def test_live_completes_at_every_pen_up(answered_at_once: Any) -> None:
    canvas = answered_at_once
    canvas.do("live")
    canvas.page.locator("[data-do=live][aria-pressed=true]").wait_for()
    for count, stroke in enumerate((LINE, CIRCLE), 1):
        canvas.draw(*stroke)
        canvas.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")
        assert canvas.tell("Sketchgen.suggestions.timings.firstPoint.length") == count


def test_erase_clear_undo_redo(canvas: Any) -> None:
    canvas.draw(*LINE)
    canvas.draw(*CIRCLE)
    canvas.tell("Sketchgen.remember('eraser', 'remover')")
    canvas.do("eraser")
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
    canvas.do("eraser")
    canvas.do("clear")
    assert canvas.strokes == []
    canvas.do("undo")
    assert len(canvas.strokes) == 2
    canvas.paper.press("Control+Shift+z")
    assert canvas.strokes == []
    canvas.page.locator("[data-do=clear]:disabled").wait_for()


def test_the_whole_of_it_by_keyboard(answered_at_once: Any) -> None:
    canvas = answered_at_once
    pad = canvas.paper
    pad.focus()
    for key in (" ", "ArrowRight", "ArrowRight", "Shift+ArrowDown", "ArrowLeft", " "):
        pad.press(key)
    (stroke,) = canvas.strokes
    assert [point[:2] for point in stroke] == [[320, 240], [328, 240], [336, 240], [336, 272], [328, 272]]
    pad.press("Enter")
    canvas.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")
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
    canvas.tell(f"Sketchgen.sketch.change({filled % 500})")
    canvas.draw(*LINE)
    assert len(canvas.strokes) == 500
    assert "at most 500 strokes" in canvas.status
    # What the server refuses is said, too.
    canvas.tell(f"Sketchgen.sketch.change({filled % 501})")
    canvas.do("finish")
    canvas.wait("!Sketchgen.suggestions.running")
    assert "at most 500" in canvas.status


def test_two_people_see_their_own_drawings_only(canvas: Any, visit: Callable[..., Any], server: Any) -> None:
    one, two = canvas, visit(server)
    one.draw(*LINE)
    two.draw(*CIRCLE)
    two.draw((100, 100), (110, 110))
    one.do("finish")
    two.do("finish")
    one.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")
    two.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")
    for each, first, count in ((one, LINE[0], 1), (two, CIRCLE[0], 2)):
        assert len(each.strokes) == count
        assert each.strokes[0][0][:2] == pytest.approx(first, abs=1.5)
    drawn = "JSON.stringify(Sketchgen.suggestions.items.map(a => a.strokes))"
    assert one.tell(drawn) != two.tell(drawn)


def test_a_run_that_was_stopped_says_nothing_more(canvas: Any) -> None:
    canvas.draw(*CIRCLE)
    canvas.tell(
        """(() => { const fetched = window.fetch; window.late = [];
        window.fetch = (...all) => fetched(...all).then((answer) => new Promise((go) =>
          window.late.push(() => go(answer))));
        Sketchgen.suggestions.finish(); window.fetch = fetched; })()"""
    )
    canvas.wait("window.late.length === 1")
    canvas.do("undo")
    canvas.tell("window.late[0]()")
    canvas.page.wait_for_timeout(200)
    assert canvas.tell("Sketchgen.suggestions.items.length") == 0
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
        canvas.wait("!Sketchgen.suggestions.running")
        assert words in canvas.status
        canvas.page.unroute("**/sketchgen/draw")
    canvas.finish()
    assert "suggestion" in canvas.status


def test_what_was_shown_gives_way_to_what_is_better(canvas: Any) -> None:
    first = '{"alts":[[[9,9,1]],[[50,50,0]]],"done":false}'
    last = '{"alts":[[[20,20,0],[90,30,1]],[[60,80,1]]],"anew":[0],"done":true}'
    canvas.page.route("**/sketchgen/draw", lambda route: route.fulfill(body=f"{first}\n{last}\n"))
    canvas.draw(*CIRCLE)
    canvas.finish()
    canvas.page.unroute("**/sketchgen/draw")
    assert canvas.status.startswith("2 suggestions")
    drawn = canvas.tell("Sketchgen.suggestions.items.map((each) => each.strokes)")
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
          Sketchgen.server.draw({}, (message) => got.push(message) && message.done && go()));
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
    first.wait("Sketchgen.suggestions.items.length > 0")
    second.draw(*CIRCLE)
    second.do("finish")
    second.wait("/1 person ahead of you/.test(document.querySelector('#sg-status').textContent)")
    assert second.tell("Sketchgen.suggestions.items.length") == 0
    first.do("finish")
    second.wait("Sketchgen.suggestions.items.length > 0")
    second.do("finish")
