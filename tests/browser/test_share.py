"""Out and in beside saving: links, the clipboard, dropping and pasting, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sketchgen.formats.quickdraw import parse_json
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.sketch.sketch import Sketch

STATUS = "document.querySelector('#sg-status').textContent"
DRAWN = """[
  {points: [[100.25, 50.5], [180, 90.75], [260, 50]], added: false,
    color: "#d62828", width: 7.5, corners: true},
  {points: [[10, 10, 3, 0.2], [20, 15, 9, 0.9]], added: false},
  {points: [[-40, 300], [700.5, 301]], added: true},
  {points: [[5, 5]], added: false}]"""
LINK = "Sketchgen.linkTo({...Sketchgen.sketch.state, smooth: false})"


@pytest.fixture
def page(canvas: Any) -> Any:
    """The shared page with a drawing, a cat, on its paper."""
    canvas.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    canvas.tell(f"Sketchgen.sketch.load({DRAWN}, 'cat')")
    return canvas


def strokes(page: Any) -> Any:
    return page.tell("Sketchgen.sketch.strokes.map(stroke => stroke.points.map(([x, y]) => [x, y]))")


def said(page: Any, words: str) -> None:
    page.wait(f"{STATUS}.includes({json.dumps(words)})")


def clipboard(page: Any) -> str:
    return page.tell("navigator.clipboard.readText()")


def test_a_link_holds_the_drawing(page: Any) -> None:
    page.choose("share", "link")
    said(page, "Link copied")
    link = clipboard(page)
    assert link.startswith(page.url.rstrip("/") + "/#d=")
    assert len(link) < 250
    wanted = page.tell("Sketchgen.sketch.strokes")
    other = type(page)(page.page.context.new_page(), link)
    other.wait("Sketchgen.sketch.strokes.length")
    found = other.tell("Sketchgen.sketch.strokes")
    assert [{**stroke, "points": 0} for stroke in found] == [{**stroke, "points": 0} for stroke in wanted]
    assert strokes(other) == strokes(page)
    assert [point[3] for point in found[1]["points"]] == [0.2, 0.9]
    assert other.tell("Sketchgen.sketch.category") == "cat"
    # The address is free of it again, so that a reload brings what was drawn since.
    assert other.tell("location.hash") == ""
    other.tell("Sketchgen.sketch.change([Sketchgen.sketch.strokes[0]])")
    other.page.reload()
    other.wait("document.querySelector('.sg.ready')")
    assert len(strokes(other)) == 1
    other.page.close()


def test_a_link_is_read_back_whatever_is_in_it(page: Any) -> None:
    trips = page.tell(
        """(async () => {
          const random = (n) => Math.floor(Math.random() * n), found = [];
          for (let trip = 0; trip < 40; trip++) {
            const strokes = Array.from({length: 1 + random(5)}, () => ({
              points: Array.from({length: 1 + random(30)}, () => [random(4000) / 4 - 200, random(2000) / 4]),
              added: random(2) > 0,
              ...(random(2) && {color: '#00ff7' + random(10)}),
              ...(random(2) && {width: 1 + random(90) / 10}),
            }));
            const category = ['auto', 'none', 'The Mona Lisa', '猫'][random(4)], smooth = random(2) > 0;
            const link = await Sketchgen.linkTo({strokes, category, smooth});
            const back = await Sketchgen.readLink(Sketchgen.linked(link));
            const sorted = (each) => JSON.stringify(Object.entries(each).sort());
            found.push(back.category === category && back.smooth === smooth
              && String(back.strokes.map(sorted)) === String(strokes.map(sorted)));
          }
          return found; })()"""
    )
    assert all(trips)


def test_a_damaged_link_is_refused_and_nothing_is_lost(page: Any) -> None:
    before = strokes(page)
    link = page.tell(LINK)
    text = link.split("#d=")[1]
    changed = text[:40] + ("A" if text[40] != "A" else "B") + text[41:]
    zeros = (
        "Sketchgen.linkTo({strokes: [{points: new Array(19000).fill([1, 1])}], category: '', smooth: true})"
    )
    bomb = page.tell(zeros).split("#d=")[1]
    for wrong in (
        text[:-9],
        text[:3],
        "",
        changed,
        "%%%",
        "AQ",
        text + "AAAA",
        "gAAAAAAA",
        bomb[:-5],
        "A" * 600_000,
    ):
        page.tell("Sketchgen.say('')")
        page.tell(f"location.hash = '#d={wrong}'")
        said(page, "This link is cut off or was changed")
        assert strokes(page) == before
        page.wait("location.hash === ''")
    page.tell("location.hash = '#d=' + btoa('\\x05aaaaaaaa')")
    said(page, "newer version")
    assert strokes(page) == before


def test_a_long_drawing_is_thinned_and_one_that_is_too_long_is_told(page: Any) -> None:
    along = "[320 + i / 30 * Math.cos(i / 40), 240 + i / 30 * Math.sin(i / 40)]"
    spiral = f"Array.from({{length: 6000}}, (_, i) => {along})"
    page.tell(f"Sketchgen.sketch.change([{{points: {spiral}, added: false}}])")
    link = page.tell(LINK)
    assert 500 < len(link) < 8100
    far = page.tell(
        f"""Sketchgen.readLink(Sketchgen.linked({json.dumps(link)})).then(({{strokes: [found]}}) =>
          Math.max(...Sketchgen.sketch.strokes[0].points.map(
            ([x, y]) => Sketchgen.distanceToStroke(found.points, x, y))))"""
    )
    assert far < 1.3
    noise = "Array.from({length: 19000}, () => [Math.random() * 640, Math.random() * 480])"
    told = page.tell(
        f"""Sketchgen.linkTo({{strokes: [{{points: {noise}, added: false}}], category: 'auto', smooth: true}})
          .then(() => '', (error) => error.message)"""
    )
    assert "too long for a link" in told


def test_links_are_read_and_made_without_compression(page: Any) -> None:
    plain = page.tell(
        f"""(async () => {{ const {{ CompressionStream }} = window; delete window.CompressionStream;
        try {{ return await {LINK}; }} finally {{ window.CompressionStream = CompressionStream; }} }})()"""
    )
    packed = page.tell(LINK)
    assert plain != packed
    both = [
        page.tell(f"Sketchgen.readLink(Sketchgen.linked({json.dumps(link)}))") for link in (plain, packed)
    ]
    assert both[0] == both[1]


def test_copies_can_be_pasted(page: Any) -> None:
    drawn = strokes(page)
    by_parts = [drawn[0], drawn[1], drawn[3], drawn[2]]
    page.choose("share", "svg")
    said(page, "SVG copied")
    assert [stroke.tolist() for stroke in parse_svg(clipboard(page)).strokes] == by_parts
    page.choose("share", "excalidraw")
    said(page, "Paste it into Excalidraw")
    scene = json.loads(clipboard(page))
    assert scene["type"] == "excalidraw/clipboard"
    assert {element["type"] for element in scene["elements"]} == {"freedraw"}
    page.tell("Sketchgen.sketch.change([])")
    page.page.locator("#sg-paper canvas").first.focus()
    page.page.keyboard.press("Control+V")
    page.wait("Sketchgen.sketch.strokes.length === 4")
    assert parse_json(json.dumps({"strokes": strokes(page)})) == Sketch.from_strokes(
        [[[round(x, 6), round(y, 6)] for x, y in stroke] for stroke in by_parts]
    )
    page.tell("Sketchgen.sketch.undo()")
    assert strokes(page) == []
    page.tell("Sketchgen.sketch.undo()")
    page.choose("share", "png")
    said(page, "Picture copied")
    assert page.tell("navigator.clipboard.read().then(([item]) => item.types)") == ["image/png"]


def test_the_clipboard_is_not_needed(page: Any) -> None:
    page.tell("void (navigator.clipboard.write = () => Promise.reject(new Error('no')))")
    page.choose("share", "link")
    said(page, "Link copied")
    assert "#d=" in clipboard(page)
    page.choose("share", "png")
    said(page, "does not allow copying")
    page.tell("delete navigator.clipboard.write")


DROP = """async ([kind, name, content, size]) => {
  const data = new DataTransfer();
  if (kind === 'file') data.items.add(new File([size ? new Uint8Array(size) : content], name));
  else data.setData('text/plain', content);
  const paper = document.querySelector('#sg-paper');
  paper.dispatchEvent(new DragEvent('dragover', {dataTransfer: data, bubbles: true, cancelable: true}));
  const marked = paper.classList.contains('dropping');
  paper.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
  return marked && !paper.classList.contains('dropping');
}"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 480"><path d="M1 2L3 4" stroke="red"/></svg>'


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("file", "a.svg", SVG),
        ("text", "", SVG),
        ("file", "a.json", '{"strokes": [[[1, 2], [3, 4]]], "width": 640, "height": 480}'),
        (
            "file",
            "a.excalidraw",
            '{"type": "excalidraw", "sketchgen": {"page": [0, 0, 640, 480]}, "elements": '
            '[{"type": "line", "x": 1, "y": 2, "points": [[0, 0], [2, 2]]}]}',
        ),
    ],
)
def test_what_is_dropped_is_opened(page: Any, kind: str, name: str, content: str) -> None:
    before = strokes(page)
    assert page.page.evaluate(DROP, [kind, name, content, 0])
    page.wait("Sketchgen.sketch.strokes.length === 1")
    assert strokes(page) == [[[1, 2], [3, 4]]]
    page.tell("Sketchgen.sketch.undo()")
    assert strokes(page) == before


@pytest.mark.parametrize(
    ("name", "content", "size", "words"),
    [
        ("empty.svg", "", 0, "empty.svg is empty"),
        ("film.mp4", "", 50_000_000, "film.mp4 is larger than 2 MB"),
        ("photo.png", "\x89PNG\r\n", 0, "photo.png cannot be opened"),
        ("zeros.bin", "", 1000, "zeros.bin cannot be opened"),
        ("notes.txt", "buy milk", 0, "notes.txt cannot be opened"),
        ("<img src=x onerror=alert(1)>.svg", "<svg><script>alert(1)</script>", 0, "is not SVG"),
        ("cut.json", '{"strokes": [[[1, 2]', 0, "cut.json is not JSON"),
        (
            "text.excalidraw",
            '{"type": "excalidraw", "elements": [{"type": "text"}]}',
            0,
            "holds no lines, only text",
        ),
    ],
)
def test_what_is_no_drawing_is_told_and_nothing_is_lost(
    page: Any, name: str, content: str, size: int, words: str
) -> None:
    before = strokes(page)
    page.page.evaluate(DROP, ["file", name, content, size])
    said(page, words)
    assert strokes(page) == before
    assert page.tell("document.querySelectorAll('#sg-status *').length") == 0


def test_excalidraw_is_saved_and_opened_again(page: Any, tmp_path: Path) -> None:
    drawn = strokes(page)
    with page.page.expect_download() as download:
        page.choose("save", "excalidraw")
    path = tmp_path / "saved.excalidraw"
    download.value.save_as(path)
    page.tell("Sketchgen.sketch.change([])")
    page.page.locator("#sg-file").set_input_files(path)
    page.wait("Sketchgen.sketch.strokes.length === 4")
    found = [[[round(x, 6), round(y, 6)] for x, y in stroke] for stroke in strokes(page)]
    assert found == [drawn[0], drawn[1], drawn[3], drawn[2]]
