"""The doors through which other people's data comes in, and mutated inputs for each of them.

The mutations keep the structure of a valid input, so that most get past the first check of a reader.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import os
import pickle
import pickletools
import random
import re
import struct
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sketchgen.errors import SketchgenError
from sketchgen.formats.excalidraw import to_scene
from sketchgen.formats.quickdraw import HEAD
from sketchgen.formats.read_write import entries
from sketchgen.formats.sketchrnn import npz_bytes
from sketchgen.sketch.files import write_sums
from sketchgen.sketch.sketch import Sketch

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Door:
    """A way in; see the module."""

    make: Callable[[random.Random], Any]
    is_deep: Callable[[Any], bool]
    enter: Callable[[Any], str]


class Fault(Exception):
    """An outcome that breaks a promise."""


# --- Mutations -----------------------------------------------------------------------------------------

ODD_NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 2, 255, 256, 65535, 65536, 2**31 - 1, -(2**31), 2**32, 2**53, 2**63, -(2**63), 10**25),
    *(0.5, -0.0, 1e-320, 1e-9, 1e7, 1e9, 1e18, 1e300, -1e308, 3.0),
)
ODD_TEXTS = (
    *(
        "",
        " ",
        "cat",
        "CAT",
        "none",
        "auto",
        "all",
        "null",
        "0",
        "-1",
        "NaN",
        "1e999",
        "#12345",
        "red",
        "../x",
    ),
    *("a\nb", "a\0b", "\ud800", "\u202e", "é" * 300, "😀" * 80, "%s%n", "{}", "A4", "210x297mm", "x" * 5000),
)
ODD_VALUES: tuple[Any, ...] = (*ODD_NUMBERS, *ODD_TEXTS, None, True, False, [], {}, [[]], [[[]]], {"": None})

_NUMBER = re.compile(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?")


def odd_bytes(chance: random.Random, data: bytes) -> bytes:
    """Return bytes of which one to four were changed, removed, repeated or inserted."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(found) + 1), chance.choice((1, 1, 2, 4, 16, 64))
        part = bytes(found[at : at + length])
        new = chance.choice((b"", part * 2, chance.randbytes(len(part)), chance.randbytes(length) + part))
        found[at : at + length] = new
    return bytes(found)


def flipped(chance: random.Random, data: bytes) -> bytes:
    """Return bytes with one other bit."""
    found = bytearray(data)
    found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    return bytes(found)


def _places(value: Any, into: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return (container, key) of everything in a JSON value; of long lists only the ends."""
    keys: Any = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value)) if len(value) < 8 else (0, 1, len(value) // 2, len(value) - 1)
    for key in keys:
        into.append((value, key))
        _places(value[key], into)
    return into


def odd_json(chance: random.Random, value: Any) -> Any:
    """Return a JSON value of which one to four parts are others."""
    value = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 2, 4))):
        places = _places(value, [])
        if not places:
            return chance.choice(ODD_VALUES)
        inside, key = chance.choice(places)
        _change_part(chance, inside, key, places)
    return value


def _change_part(chance: random.Random, inside: Any, key: Any, places: list[tuple[Any, Any]]) -> None:
    part, kind = inside[key], chance.randrange(8)
    if kind == 0:
        del inside[key]
    elif kind == 1:
        inside[key] = [part]
    elif kind == 2 and isinstance(inside, list):
        inside[key:key] = [copy.deepcopy(part) for _ in range(chance.choice((1, 2, 30)))]
    elif kind == 3 and isinstance(inside, dict):
        inside[chance.choice(ODD_TEXTS)] = part
    elif kind == 4:
        container, other = chance.choice(places)
        # Of a part that an earlier change has taken out of the value, nothing is left to take.
        inside[key] = copy.deepcopy(container[other])
    elif kind == 5 and type(part) in (int, float):
        inside[key] = chance.choice((-part, part * 1000, part + 0.5, str(part), chance.choice(ODD_NUMBERS)))
    elif kind == 6 and isinstance(part, str):
        inside[key] = odd_bytes(chance, part.encode("utf-8", "replace")).decode("latin-1")
    else:
        inside[key] = copy.deepcopy(chance.choice(ODD_VALUES))


def json_bytes(chance: random.Random, value: Any) -> bytes:
    """Return a mutated JSON value as text, of which a twelfth has odd bytes besides."""
    data = json.dumps(odd_json(chance, value), ensure_ascii=chance.random() < 0.9).encode("utf-8", "replace")
    return odd_bytes(chance, data) if chance.random() < 1 / 12 else data


# --- SVG -------------------------------------------------------------------------------------------------

SVG_ATTRIBUTES = {
    "transform": (
        *("translate(3)", "scale(0)", "scale(1e200)", "rotate(45 1 2)", "matrix(1 0 0 1 0)", "skewX(90)"),
        *("rotate(" * 50, "translate(1e308) " * 3, "none", "perspective(3px)", "rotate3d(1,1,1,45deg)"),
    ),
    "style": (
        *(
            "opacity:0",
            "fill:none;stroke:red",
            "display:none",
            "stroke-width:1e9px",
            "transform:rotate(1turn)",
        ),
        *(
            "{",
            ";;:;",
            "transform-origin:50% 50%",
            "stroke:var(--x)",
            "d:path('M0 0L1 1')",
            "visibility:hidden",
        ),
    ),
    "class": ("a", "a b", "a " * 300, ""),
    "id": ("a", "b", "#", ""),
    "href": ("#a", "#b", "#", "http://localhost/", "file:///etc/passwd", "data:image/png;base64,AAAA"),
    "clip-path": ("url(#a)", "url(#b)", "url()", "circle(3px)", "none"),
    "viewBox": ("0 0 0 0", "0 0 10 10", "1 2 3", "0 0 1e300 1e-300", "-5 -5 10 10"),
    "d": (
        "",
        "M",
        "M0,0",
        "M0 0 L 1",
        "M0 0z" * 100,
        "M0 0a1 1 0 0 1 2 2",
        "M0 0A0 0 0 2 3 1 1",
        "m1e308 1e308 5 5",
    ),
    "points": ("", "1", "1 2 3", "0,0 1,1", "1e999 1"),
    "width": ("0", "100%", "210mm", "-3", "1e300", "auto", "1em"),
    "preserveAspectRatio": ("none", "xMidYMid slice", "x"),
    "{http://www.inkscape.org/namespaces/inkscape}groupmode": ("layer", "x"),
    "{http://www.inkscape.org/namespaces/inkscape}label": ("2 red", "", "x" * 300),
}
"""Values of attributes that readers of SVG stumble over."""

_TAGS = (
    "g",
    "use",
    "symbol",
    "svg",
    "switch",
    "clipPath",
    "defs",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
)
_TAGS += ("polyline", "polygon", "style", "text", "a", "image", "script", "foreignObject", "unknown")

_SHEETS = (
    "",
    "path{stroke:red}",
    ".a>.b~c{opacity:0}",
    "@media print{*{display:none}}",
    "*{transform:scale(2)}",
)
_SHEETS += (
    "a" * 2000,
    "@import url(x);",
    ":not(" * 40,
    "path{stroke-width:calc(1px*(2+",
    "{}}}{",
    "/*",
    "[a=b] *{d:x}",
)


def odd_svg(chance: random.Random, text: str) -> bytes:
    """Return an SVG of which some elements and attributes are others; a twelfth has odd bytes besides."""
    root = ET.fromstring(text)
    for _ in range(chance.randint(1, 4)):
        _change_element(chance, root)
    data = ET.tostring(root)
    if chance.random() < 0.03:
        data = data.decode("utf-8").encode("utf-16")
    return odd_bytes(chance, data) if chance.random() < 1 / 12 else data


def _change_element(chance: random.Random, root: ET.Element) -> None:
    elements = list(root.iter())
    element, other, kind = chance.choice(elements), chance.choice(elements), chance.randrange(9)
    if kind == 0 and element.attrib:
        element.attrib.pop(chance.choice(list(element.attrib)))
    elif kind == 1:
        name = chance.choice(list(SVG_ATTRIBUTES))
        element.set(name, chance.choice(SVG_ATTRIBUTES[name]))
    elif kind == 2 and len(elements) < 300:
        element.extend(copy.deepcopy(list(other)) or [ET.Element(chance.choice(_TAGS), other.attrib)])
    elif kind == 3 and len(element):
        element.remove(chance.choice(list(element)))
    elif kind == 4 and element is not root:
        element.tag = chance.choice(_TAGS) if chance.random() < 0.5 else other.tag
    elif kind == 5:
        ET.SubElement(element, "{http://www.w3.org/2000/svg}style").text = chance.choice(_SHEETS)
    elif kind == 6 and len(elements) < 300:
        ET.SubElement(element, "{http://www.w3.org/2000/svg}use", {"href": chance.choice(("#a", "#b", "#c"))})
    elif element.attrib:
        name = chance.choice(list(element.attrib))
        element.set(name, _odd_words(chance, element.get(name, "")))


def _odd_words(chance: random.Random, text: str) -> str:
    """Return a value of an attribute with other numbers, or with words left out, repeated or exchanged."""
    found = [match.span() for match in _NUMBER.finditer(text)]
    if found and chance.random() < 0.6:
        start, end = chance.choice(found)
        return text[:start] + str(chance.choice(ODD_NUMBERS)) + text[end:]
    words = text.split(" ")
    at = chance.randrange(len(words))
    words[at : at + 1] = chance.choice(
        ([], words[at : at + 1] * 2, [chance.choice(words)], words[: at + 1] * 3)
    )
    return " ".join(words)


# --- Doors ---------------------------------------------------------------------------------------------


def _check_line(error: BaseException) -> None:
    if len(str(error).splitlines()) != 1:
        raise Fault(f"a message of {len(str(error).splitlines())} lines: {str(error)[:80]!r}")


def _is_json(check: Callable[[Any], bool]) -> Callable[[bytes], bool]:
    """Return whether bytes are JSON of which something is true."""

    def is_deep(data: bytes) -> bool:
        try:
            return check(json.loads(data))
        except (ValueError, RecursionError):
            return False

    return is_deep


# --- Readers ---------------------------------------------------------------------------------------------


def _seen(found: Iterator[Any]) -> str:
    """Read all drawings of a file."""
    drawings = errors = 0
    for each in found:
        if isinstance(each, SketchgenError):
            errors += 1
            _check_line(each)
        else:
            drawings += 1
    return "refused" if not drawings else "warning" if errors else "read"


def _reader(folder: Path, suffix: str, make: Callable[[random.Random], bytes], is_deep: Any) -> Door:
    path = folder / f"case{suffix}"

    def enter(data: bytes) -> str:
        path.write_bytes(data)
        return _seen(entries(path))

    return Door(make, is_deep, enter)


_SVGS = (
    """<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm"
    viewBox="0 0 210 297"><style>.a{fill:none;stroke:#000} g > .b:first-child{opacity:.5}
    @media screen{#c{stroke-width:2}}</style>
    <g class="a" transform="translate(3,4) rotate(30 5 5)"><path id="a" class="a b" d="M1 2
    C3 4 5 6 7 8 s1 2 3 4 Q1 2 3 4 t5 6 a5 6 10 1 0 3 4z m3 3 h4 v5 H6 V7"/>
    <rect x="1" y="2" width="30" height="40" rx="3"/></g>
    <circle id="c" cx="5" cy="6" r="7" stroke="red"
    style="transform:scale(2);transform-origin:center"/></svg>""",
    """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 99 99"><defs><symbol id="a" viewBox="0 0 9 9">
    <line x1="1" y1="2" x2="8" y2="7" stroke="#123"/></symbol>
    <clipPath id="b"><circle r="40"/></clipPath></defs>
    <use href="#a" x="3" y="4" width="20" height="20"/><g clip-path="url(#b)"><polyline fill="none"
    stroke="black" points="1,2 3,4 50,60"/><polygon points="1 2 3 4 5 1"/></g><switch><g systemLanguage="de">
    <ellipse rx="3" ry="4"/></g><ellipse rx="5" ry="6" stroke="rgba(1,2,3,.5)"/></switch>
    <svg x="3" width="9" height="9" viewBox="0 0 3 3"><path d="M0 0L3 3" stroke="#000"/></svg></svg>""",
    """<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><path fill="#1e1e1e"
    d="M10 10 Q 20 12 30 10 T 50 12 L 51 14 Q 40 13 30 13 T 11 13 Z"/>
    <path d="M1 1 L50 50" stroke="#000"/>
    <path d="M1.4 1.2 L50.3 49.6" stroke="#000"/></svg>""",
)

_LINE = {"word": "cat", "recognized": True, "drawing": [[[0, 9, 30], [5, 6, 7]], [[1, 2], [3, 4], [0, 16]]]}

_CANVAS = {"strokes": [[[1, 2], [3, 4, 16], [5, 6, 32, 0.5]], [[9.5, 8.25]]], "width": 640, "height": 480}
_EXACT = {
    "format": "sketchgen",
    "version": 1,
    "strokes": [[[0, 0], [9, 9]], [[3, 4]]],
    "page": [0, 0, 99, 99],
}
_EXACT |= {"category": "cat", "given": 1, "styles": [{"color": "#112233", "width": 3, "corners": True}, None]}


def _svg(chance: random.Random) -> bytes:
    return odd_svg(chance, chance.choice(_SVGS))


def _is_xml(data: bytes) -> bool:
    try:
        return ET.fromstring(data).tag.endswith("svg")
    except (ET.ParseError, ValueError, LookupError):
        return False


def _ndjson(chance: random.Random) -> bytes:
    lines = [json_bytes(chance, _LINE), *[json.dumps(_LINE).encode()] * chance.randrange(2)]
    chance.shuffle(lines)
    return chance.choice((b"\n", b"\n", b"\r\n", b"\n\n")).join(lines)


def _any_json(chance: random.Random) -> bytes:
    return json_bytes(chance, chance.choice((_CANVAS, _EXACT, _LINE, _CANVAS["strokes"])))


def _scene() -> Any:
    scene = json.loads(to_scene([Sketch.from_strokes([[(0, 0), (9, 5), (20, 7)], [(3, 3)]])]))
    shape = {
        "type": "rectangle",
        "x": 3,
        "y": 4,
        "width": 90,
        "height": 60,
        "angle": 0.5,
        "roundness": {"type": 3},
    }
    more = [shape, {**shape, "type": "ellipse"}, {**shape, "type": "diamond"}, {**shape, "type": "text"}]
    more.append({"type": "arrow", "x": 1, "y": 2, "points": [[0, 0], [5, 5]], "strokeColor": "#1971c2"})
    return {**scene, "elements": [*scene["elements"], *more]}


def _binary(chance: random.Random) -> bytes:
    parts = []
    for _ in range(chance.randint(1, 3)):
        count = chance.choice((0, 1, 2, 3, 400))
        points = [chance.choice((0, 1, 2, 9, 60)) for _ in range(count)]
        claimed = chance.choice((count, count, count + 1, 65535))
        head = HEAD.pack(
            chance.getrandbits(64), b"DE", chance.choice((-128, 0, 1)), chance.getrandbits(32), claimed
        )
        strokes = [
            struct.pack("<H", chance.choice((n, n, n, n, n, 65535))) + chance.randbytes(2 * n) for n in points
        ]
        parts.append(head + b"".join(strokes))
    data = b"".join(parts)
    return odd_bytes(chance, data) if chance.random() < 0.3 else data[: chance.choice((None, None, -1))]


def _npz_seeds() -> list[dict[str, bytes]]:
    """Return the members of valid files: of ours, of older protocols, and of arrays of other kinds."""
    drawings = [
        Sketch.from_strokes([[(0, 0), (9, 5), (20, 7)], [(3, 3), (4, 4)]]),
        Sketch.from_strokes([[(1, 2)]]),
    ]
    with zipfile.ZipFile(io.BytesIO(npz_bytes(drawings))) as file:
        ours = {name: file.read(name) for name in file.namelist()}
    found = [ours]
    for dtype in (">i2", "<f8", "O", "U3", "bool"):
        array = np.empty(2, dtype=object)
        array[:] = [np.array([[1, 2, 0], [3, 4, 1]]).astype(dtype), np.zeros((0, 3), dtype)]
        for protocol in (2, 4):
            head = io.BytesIO()
            np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
            found.append({**ours, "train.npy": head.getvalue() + pickle.dumps(array, protocol)})
    return found


def _npz(seeds: list[dict[str, bytes]]) -> Callable[[random.Random], bytes]:
    """Return what makes archives whose pickles have other operations."""
    starts = {data: data.index(b"\n") + 1 for seed in seeds for data in seed.values()}
    operations = {data: _operations(data[at:]) for data, at in starts.items()}

    def make(chance: random.Random) -> bytes:
        seed, target = chance.choice(seeds), io.BytesIO()
        with zipfile.ZipFile(target, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as file:
            for name, data in seed.items():
                changed = data
                if name == "train.npy" or chance.random() < 0.1:
                    changed = data[: starts[data]] + _odd_operations(chance, operations[data])
                if chance.random() > 0.01:
                    file.writestr(name, odd_bytes(chance, changed) if chance.random() < 0.05 else changed)
        whole = target.getvalue()
        return odd_bytes(chance, whole) if chance.random() < 1 / 12 else whole

    return make


def _operations(data: bytes) -> list[bytes]:
    places = [at for _, _, at in pickletools.genops(data)]
    return [data[at:end] for at, end in zip(places, [*places[1:], len(data)], strict=True)]


def _odd_operations(chance: random.Random, parts: list[bytes]) -> bytes:
    found = list(parts)
    for _ in range(chance.randint(1, 3)):
        at, other = chance.randrange(len(found)), chance.choice(parts)
        new = (
            [],
            [found[at]] * chance.choice((2, 300)),
            [other],
            [found[at], other],
            [odd_bytes(chance, found[at])],
        )
        found[at : at + 1] = chance.choice(new) if len(found) > 1 else [other]
    return b"".join(found)


def _is_npz(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file, file.open("train.npy") as member:
            return np.lib.format.read_magic(member) in ((1, 0), (2, 0))
    except Exception:
        return False


def _gz(chance: random.Random) -> bytes:
    data = chance.choice((_svg, _ndjson, _any_json))(chance)
    if chance.random() < 0.02:
        data += chance.choice((b" ", b"\n", b"[", b"<g>", b"0,")) * chance.choice((10**5, 5 * 10**6))
    packed = gzip.compress(data, 1)
    packed += chance.choice((b"", b"", b"\0" * 8, gzip.compress(data, 1), b"x"))
    return odd_bytes(chance, packed) if chance.random() < 1 / 12 else packed


def _is_gz(data: bytes) -> bool:
    try:
        return bool(gzip.GzipFile(fileobj=io.BytesIO(data)).read(1))
    except Exception:
        return False


# --- Folders: checkpoints and stores ----------------------------------------------------------------------


def _folder_door(
    folder: Path, seeds: list[Path], about: str, check: Callable[[Any], bool], load: Callable[[Path], Any]
) -> Door:
    """Return the door of a folder with a JSON file, binary files, and mostly the right checksums of them."""
    contents = [
        {path.name: path.read_bytes() for path in seed.iterdir() if path.suffix != ".md"} for seed in seeds
    ]
    is_deep = _is_json(check)

    def make(chance: random.Random) -> dict[str, bytes]:
        files = dict(chance.choice(contents))
        sums = files.pop("SHA256SUMS")
        binary = [name for name in files if name != about]
        if chance.random() < 0.7:
            files[about] = json_bytes(chance, json.loads(files[about]))
        else:
            name = chance.choice(binary)
            # The head of a file tells where its parts are.
            at = chance.choice((0, 0, 8, len(files[name]) // 2))
            files[name] = (
                files[name][:at] + odd_bytes(chance, files[name][at : at + 2000]) + files[name][at + 2000 :]
            )
        if chance.random() < 0.03:
            files.pop(chance.choice(list(files)))
        kind = chance.random()
        return files | ({"SHA256SUMS": sums} if kind < 0.05 else {"right": b""} if kind < 0.6 else {})

    def enter(files: dict[str, bytes]) -> str:
        for path in folder.iterdir():
            path.unlink()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        if "right" in files:
            (folder / "right").unlink()
            write_sums(folder)
        load(folder)
        return "read"

    folder.mkdir()
    return Door(make, lambda files: is_deep(files.get(about, b"")), enter)


def _checkpoint(folder: Path) -> Door:
    import critics
    import recognisers
    import seeing
    import untrained

    import sketchgen
    from sketchgen.models.checkpoint import save_checkpoint
    from sketchgen.models.picture_classifier import load_picture_recogniser

    model = untrained.network(untrained.shaped({}))
    networks = (model, recognisers.network(), seeing.network(), critics.network())
    loaders = (
        sketchgen.load,
        sketchgen.load_recogniser,
        load_picture_recogniser,
        sketchgen.load_reward_model,
    )
    seeds = [folder / f"seed{number}" for number in range(len(networks))]
    for seed, network in zip(seeds, networks, strict=True):
        save_checkpoint(seed, network, {"steps": 3})

    def load(path: Path) -> None:
        """Load a checkpoint as each kind; one of them may read it."""
        refused: list[SketchgenError] = []
        for loader in loaders:
            try:
                loader(path)
                return
            except SketchgenError as error:
                _check_line(error)
                refused.append(error)
        raise refused[0]

    def known(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and value.get("version") == 1
            and str(value.get("format")).startswith("sketch")
        )

    return _folder_door(folder / "case", seeds, "config.json", known, load)


def _store(folder: Path) -> Door:
    from sketchgen.data.prepare import prepare
    from sketchgen.data.store import SPLITS, STORE_VERSION, Store

    source = folder / "owl.ndjson"
    source.write_text(
        "".join(json.dumps(_LINE | {"key_id": str(n)}) + "\n" for n in range(1, 60)), encoding="utf-8"
    )
    prepare([source], folder / "seed")

    def load(path: Path) -> None:
        store = Store.open(path)
        store.fingerprint()
        for split in SPLITS:
            store.split(split).drawings()

    def known(value: Any) -> bool:
        return isinstance(value, dict) and value.get("version") == STORE_VERSION

    return _folder_door(folder / "case", [folder / "seed"], "store.json", known, load)


# --- Requests, manifests, arguments -----------------------------------------------------------------------


def _request(_: Path) -> Door:
    """Return the door of the page's requests and of those of programs, up to where the model begins."""
    import untrained

    from sketchgen.web import exchange, request

    completer = untrained.tiny("cat", "sun")
    settings = {"category": "cat", "count": 3, "temperature": 0.5, "seed": 1, "guidance": None, "best_of": 2}
    seeds = [
        *({"drawing": drawing, **settings} for drawing in (_CANVAS, _EXACT, _CANVAS["strokes"])),
        *({"payload": _EXACT, "form": form} for form in ("svg", "json", "ndjson", "excalidraw")),
        *({"text": text, "name": "a.svg"} for text in (_SVGS[1], json.dumps(_EXACT), json.dumps(_scene()))),
        {"drawing": json.dumps(_CANVAS), "form": "svg", **settings},
        {"drawing": _CANVAS, "added": _CANVAS["strokes"], "category": "sun"},
    ]

    def enter(data: bytes) -> str:
        try:
            asked = json.loads(data)
        except (ValueError, RecursionError):
            return "refused"
        asked = asked if isinstance(asked, dict) else {}
        values = [asked.get(name) for name in settings]
        if "text" in asked:
            exchange.opened(asked["text"], asked.get("name"))
        elif "payload" in asked:
            # Pictures take their time by their size; the page's largest is tested elsewhere.
            form = asked.get("form") if asked.get("form") not in ("gif", "png", "animated") else "svg"
            exchange.exported(asked["payload"], form)
        elif "added" in asked:
            request.checked_sketch(asked.get("drawing"))
            request.checked_sketch(asked["added"], "added")
            request.checked_category(completer, asked.get("category"))
        elif "form" in asked:
            request.checked(completer, exchange.parsed(asked.get("drawing")), *values)
        else:
            request.checked(completer, asked.get("drawing"), *values)
        return "read"

    return Door(
        lambda chance: json_bytes(chance, chance.choice(seeds)),
        _is_json(lambda v: isinstance(v, dict)),
        enter,
    )


def _manifest(folder: Path) -> Door:
    import untrained
    from scribbles import open_scribbles

    from sketchgen.formats.registry import encode
    from sketchgen.formats.render_options import RenderOptions
    from sketchgen.jobs.executor import InProcess
    from sketchgen.jobs.inputs import open_source
    from sketchgen.jobs.manifest import FORMAT, VERSION, check_same_job
    from sketchgen.jobs.output import open_output
    from sketchgen.jobs.redraw import find_drawing, redraw
    from sketchgen.jobs.run import Run
    from sketchgen.jobs.spec import Job, Sampling
    from sketchgen.models.checkpoint import find_checkpoint

    model, given = str(untrained.saved(folder / "model")), folder / "given.ndjson"
    given.write_text(json.dumps(_LINE) + "\n", encoding="utf-8")
    source, weights = open_source([(str(given), given)], 9, ""), find_checkpoint(model).fingerprint()
    jobs = (
        (
            Job(
                Sampling(model),
                "batch",
                ("cat", "sun"),
                2,
                5,
                ("cat", "sun"),
                render_options=RenderOptions("json"),
            ),
            None,
        ),
        (Job(Sampling(model), "batch", ("cat",), 3, 5, ("given",), given=1, files=(1,), unique=True), source),
    )
    seeds: list[list[Any]] = []
    for number, (job, partial) in enumerate(jobs):
        out = folder / f"job{number}"
        Run(job, partial, open_output(out, job), weights).go(InProcess(open_scribbles))
        seeds.append([json.loads(line) for line in (out / "manifest.jsonl").read_bytes().splitlines()])
    path = folder / "case.jsonl"

    def make(chance: random.Random) -> bytes:
        lines = list(chance.choice(seeds))
        at = chance.choice((0, 0, 1, 2))
        found = [json.dumps(line).encode() for line in lines]
        found[at] = json_bytes(chance, lines[at])
        return b"\n".join(found) + chance.choice((b"\n", b"\n", b"", b"\n{", b"\n\n"))

    def enter(data: bytes) -> str:
        path.write_bytes(data)
        drawing = find_drawing(path, "1")
        job, sources = drawing.job, drawing.header["sources"]
        check_same_job(path, drawing.header, drawing.header)
        names = (
            None if sources is None else [(str(each["name"]), Path(str(each["name"]))) for each in sources]
        )
        partial = None if names is None else open_source(names, 9, "")
        encode(redraw(drawing, partial, InProcess(open_scribbles)), job.render_options)
        return "read"

    def known(data: bytes) -> bool:
        head = data.split(b"\n")[0]
        return _is_json(
            lambda v: isinstance(v, dict) and (v.get("format"), v.get("version")) == (FORMAT, VERSION)
        )(head)

    return Door(make, known, enter)


class _Arguments:
    """The door of the command line: everything but the drawing, the training and the serving itself."""

    def __init__(self, folder: Path) -> None:
        import untrained

        from sketchgen.cli.command import COMMANDS

        self._commands, self._model, self.accepted = COMMANDS, str(untrained.saved(folder / "model")), False
        (folder / "a.svg").write_text(_SVGS[0], encoding="utf-8")
        (folder / "b.ndjson").write_text(json.dumps(_LINE) + "\n", encoding="utf-8")
        (folder / "store").mkdir()
        os.chdir(folder)
        os.environ["HOME"] = str(folder)
        self._leave_out_the_work()
        drawing = ["--checkpoint", self._model, "--force"]
        self._seeds = [
            ["complete", "a.svg", "-c", "cat", "-o", "x.svg", *drawing],
            ["complete", "a.svg", "b.ndjson", "-c", "sun", "-o", "out", "-n", "3", *drawing],
            ["generate", "cat", "sun", "-n", "2", "-o", "p.png", "--size", "200", *drawing],
            ["generate", "cat", "-o", "p.svg", "--page", "A4", "--margin", "1cm", *drawing],
            ["train", "store", "-o", "run", "--time-limit", "1h30m", "--layers", "2", "--preset", "tiny"],
            ["train-classifier", "store", "-o", "run", "--steps", "5", "--batch", "8"],
            ["sample-candidates", "store", "-o", "candidates", "--seed", "3"],
            ["download", "cat", "dog", "-o", "files", "--jobs", "3", "--format", "binary"],
            ["info", self._model, "--json"],
        ]

    def _leave_out_the_work(self) -> None:
        from sketchgen.data import download
        from sketchgen.jobs.run import Outcome, Run
        from sketchgen.training import candidates, trainer

        work = [(Run, "go", Outcome()), (trainer, "fit", Path("run")), (download, "download", [])]
        for owner, name, answer in (*work, (candidates, "draw_candidates", None)):
            setattr(owner, name, lambda *_, answer=answer, **__: answer)
        for command in self._commands.values():
            assert command.callback is not None
            command.callback = self._watched(command.callback)

    def _watched(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **settings: Any) -> Any:
            self.accepted = True
            return callback(*args, **settings)

        return called

    def make(self, chance: random.Random) -> list[str]:
        """Return the arguments of a command, of which some are others."""
        import click

        words = list(chance.choice(self._seeds))
        options = [each for each in self._commands[words[0]].params if isinstance(each, click.Option)]
        for _ in range(chance.randint(1, 2)):
            kind, at = chance.randrange(5), chance.randrange(1, len(words))
            if kind == 0:
                words[at : at + 1] = chance.choice(([], [words[at]] * 2))
            elif kind == 1:
                words[at] = str(chance.choice((*ODD_VALUES, *ODD_TEXTS)))
            else:
                option = chance.choice(options)
                words += [option.opts[0], *([] if option.is_flag else [_value(chance, option)])]
        # Nothing outside the folder is written.
        return [word for word in words if word == self._model or not (word.startswith("/") or ".." in word)]

    def enter(self, words: list[str]) -> str:
        """Run a command."""
        from sketchgen import cli

        self.accepted = False
        out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(words)
        told = [line for line in err.getvalue().splitlines() if line.startswith("sketchgen: error: ")]
        if bool(status) != bool(told):
            raise Fault(f"status {status}, and {len(told)} errors on lines of their own")
        return "refused" if status else "read"

    def is_deep(self, _: list[str]) -> bool:
        """Return whether the last arguments were options and values of their kinds."""
        return self.accepted


def _value(chance: random.Random, option: Any) -> str:
    """Return a value for an option: mostly of its kind."""
    import click

    if chance.random() < 0.15:
        return str(chance.choice(ODD_VALUES))
    if isinstance(option.type, click.Choice):
        return chance.choice(list(option.type.choices))
    numbers = ("0", "1", "2", "3", "9", "100", "10000", "-1", "1000000", str(2**63))
    if option.type.name == "integer":
        return chance.choice(numbers)
    if option.type.name == "float":
        return chance.choice((*numbers, "0.5", "1e-9", "nan", "inf", "2.0"))
    words = (
        "cat",
        "x.svg",
        "x.png",
        "x.ndjson",
        "x.npz",
        "out",
        "red",
        "#112233",
        "on",
        "off",
        "A4",
        "A3 landscape",
    )
    return chance.choice((*words, "10mm", "0.3mm", "1cm 2cm", "45s", "1h", "tiny", "store", "grbl"))


# --- All of them -------------------------------------------------------------------------------------------


def open_door(name: str, folder: Path) -> Any:
    """Return a door; `folder` is where its inputs are written, best in memory."""
    scene = _scene()
    doors: dict[str, Callable[[], Door]] = {
        "svg": lambda: _reader(folder, ".svg", _svg, _is_xml),
        "ndjson": lambda: _reader(
            folder,
            ".ndjson",
            _ndjson,
            lambda data: any(map(_is_json(lambda v: isinstance(v, dict)), data.splitlines())),
        ),
        "npz": lambda: _reader(folder, ".npz", _npz(_npz_seeds()), _is_npz),
        "bin": lambda: _reader(folder, ".bin", _binary, lambda data: len(data) >= HEAD.size),
        "excalidraw": lambda: _reader(
            folder,
            ".excalidraw",
            lambda chance: json_bytes(chance, scene),
            _is_json(lambda v: isinstance(v, dict)),
        ),
        "json": lambda: _reader(folder, ".json", _any_json, _is_json(lambda v: isinstance(v, (dict, list)))),
        "gz": lambda: _reader(folder, ".gz", _gz, _is_gz),
        "checkpoint": lambda: _checkpoint(folder),
        "store": lambda: _store(folder),
        "request": lambda: _request(folder),
        "manifest": lambda: _manifest(folder),
        "arguments": lambda: _Arguments(folder),
    }
    return doors[name]()
