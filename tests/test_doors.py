"""Every door takes the same files and gives the same answer: library, commands, and the page."""

from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import recognisers

import sketchgen
from sketchgen.cli import main
from sketchgen.errors import SketchgenError
from sketchgen.formats.registry import encode
from sketchgen.formats.render_options import RenderOptions
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.sketch.sketch import Sketch
from sketchgen.web.exchange import opened

SKETCH = Sketch.from_strokes([[(1, 2), (30, 40)], [(5, 5), (60, 5)]], page=(0, 0, 64, 48), category="cat")
FILES = {name: encode(SKETCH, RenderOptions(name)) for name in ("svg", "json", "excalidraw", "ndjson", "npz")}
GOOD = {
    **{f"good.{name}": data for name, data in FILES.items()},
    "good.svgz": gzip.compress(FILES["svg"]),
    "good.ndjson.gz": gzip.compress(FILES["ndjson"]),
    "mark.svg": b"\xef\xbb\xbf" + FILES["svg"],
    "utf16.svg": FILES["svg"].decode().encode("utf-16"),
}
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"'
NOTHING = {
    "blank.svg": f"{HEAD}/>".encode(),
    "hidden.svg": f'{HEAD}><path opacity="0" d="M0 0L9 9"/></svg>'.encode(),
    "away.svg": f'{HEAD}><path stroke="red" d="M20 20L30 30"/></svg>'.encode(),
    "blank.json": b'{"strokes": []}',
    "blank.excalidraw": b'{"type": "excalidraw", "elements": []}',
}
BAD = {
    "empty.svg": b"",
    "half.svg": FILES["svg"][:-20],
    "prose.svg": b"a drawing",
    "page.svg": b"<html/>",
    "text.svg": f"{HEAD}><text>a</text></svg>".encode(),
    "entity.svg": f'<!DOCTYPE svg [<!ENTITY a "b">]>{HEAD}>&a;</svg>'.encode(),
    "far.svg": f'{HEAD}><path stroke="red" d="M0 0L1e300 1"/></svg>'.encode(),
    "half.svgz": gzip.compress(FILES["svg"])[:-30],
    "deep.json": b"[" * 5000,
    "keys.json": b'{"lines": []}',
    "far.json": b'{"strokes": [[[1e300, 0]]]}',
    "many.json": json.dumps([[[0, 0]] * 200_001]).encode(),
    "other.excalidraw": b'{"type": "excalidrawlib", "elements": []}',
    "broken.ndjson": b'{"word": "cat", "drawing": [[[1, 2], [3]]]}\n',
    "prose.npz": b"a drawing",
}
CASES = [
    *((name, data, "read") for name, data in GOOD.items()),
    *((name, data, "nothing visible") for name, data in NOTHING.items()),
    *((name, data, "refused") for name, data in BAD.items()),
]
Door = Callable[[Path], str]
"""Takes a file, and returns what is said of it."""


def library(path: Path) -> str:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            assert list(sketchgen.read_all(path))
        except SketchgenError as error:
            return str(error)
    return "\n".join(str(each.message) for each in told)


def page(path: Path) -> str:
    try:
        assert opened(path.read_bytes().decode("utf-8", "replace"), path.name)[0].strokes
    except SketchgenError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("classifier") / "tiny"
    save_checkpoint(folder, recognisers.network(), {})
    return str(folder)


@pytest.mark.parametrize(("name", "data", "kind"), CASES, ids=[name for name, *_ in CASES])
def test_every_door_gives_the_same_answer(
    checkpoint: Path,
    classifier: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    data: bytes,
    kind: str,
) -> None:
    path = tmp_path / "cat" / name
    path.parent.mkdir()
    path.write_bytes(data)

    def command(*arguments: object) -> Door:
        def run(path: Path) -> str:
            capsys.readouterr()
            status = main([str(argument) for argument in arguments])
            said = capsys.readouterr().err
            assert (status == 0) == (kind == "read") or (
                kind == "nothing visible" and "complete" in arguments
            )
            assert "Traceback" not in said
            return said

        return run

    doors: dict[str, Door] = {
        "library": library,
        "recognise": command("recognise", path, "--checkpoint", classifier),
        "complete": command("complete", path, "-n", 1, "-o", tmp_path / "out", "--checkpoint", checkpoint),
        "prepare": command("prepare", path, "-o", tmp_path / "store"),
    }
    # The browser reads the page's files as text in UTF-8.
    if path.suffix not in (".npz", ".svgz", ".gz") and not name.startswith("utf16"):
        doors["page"] = page
    answer = library(path).replace(str(path), name)
    assert (not answer) == (kind == "read")
    assert ("nothing visible in" in answer) == (kind == "nothing visible")
    for door, ask in doors.items():
        said = ask(path).replace(str(path), name)
        if kind == "read":
            assert name not in said or "completions" in said, door
        else:
            assert answer in said, door
