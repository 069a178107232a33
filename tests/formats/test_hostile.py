"""Files that mean harm, of every kind that is read: answered quickly, in bounded memory, in one line."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from commandline import environment

SECONDS, MEGABYTES = 1, 200
"""What a file may take beyond what the process has; machines under load are granted four times the time."""

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" fill="none" stroke="black">'
PATH = '<path class="a b" d="M1 2l5 5 3-3"/>'
MANY = 9_900
VARIABLES = "var(--a)" * 9
FILL = "fill:red;" * 100


def svg(body: str, head: str = "") -> bytes:
    return f"{head}{HEAD}{body}</svg>".encode()


def entities(count: int, text: str) -> str:
    values = [text, *(f"&e{at};" * 10 for at in range(count - 1))]
    rows = (f'<!ENTITY e{at} "{value}">' for at, value in enumerate(values))
    return f"<!DOCTYPE svg [{''.join(rows)}]>"


def uses(depth: int, width: int) -> str:
    last = '<g id="u0"><path d="M0 0L9 9"/></g>'
    bodies = ((at, f'<use href="#u{at - 1}"/>' * width) for at in range(1, depth))
    return last + "".join(f'<g id="u{at}">{body}</g>' for at, body in bodies)


def sheet(selectors: str, body: str = PATH * MANY) -> bytes:
    return svg(f"<style>{selectors}</style>{body}")


def array(header: str, size: int = 0) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(size)


def archive(content: bytes, how: int = zipfile.ZIP_DEFLATED, copies: int = 1) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as file:
        for at in range(copies):
            file.writestr("train.npy" if not at else f"{at}.npy", content)
    return stream.getvalue()


def scene(elements: str) -> bytes:
    return f'{{"type":"excalidraw","version":2,"elements":[{elements}]}}'.encode()


def freedraw(points: str, more: str = "") -> str:
    return f'{{"type":"freedraw","x":0,"y":0,"points":[{points}]{more}}}'


OBJECTS = array("{'descr': '|O', 'fortran_order': False, 'shape': (9,), }")


def svgs() -> dict[str, bytes]:
    return {
        "groups": svg("<g>" * 100_000 + "</g>" * 100_000),
        "groups that are never closed": (HEAD + "<g>" * 1_000_000).encode(),
        "groups of groups": svg(("<g>" * 200 + PATH + "</g>" * 200) * 45),
        "a bomb of uses": svg(f'<defs>{uses(40, 10)}</defs><use href="#u39"/>'),
        "a use of itself": svg('<g id="a"><use href="#a"/><use href="#a"/></g>'),
        "uses": svg('<path id="a" d="M0 0l5 5"/>' + '<use href="#a" x="3"/>' * MANY),
        "uses of megabytes": svg('<path id="a" d="' + "M0 0" * 200_000 + '"/>' + '<use href="#a"/>' * 1_000),
        "entities": svg("&e19;", entities(20, "ha")),
        "a long entity": svg("&e0;" * 20_000, entities(1, "x" * 100_000)),
        "an entity from outside": svg("&e;", '<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        "paths": svg(PATH * 19_000),
        "as many paths as may be": svg(PATH * MANY),
        "paths that differ": svg(
            "".join(f'<path style="stroke:#{at:06x}" d="M1 {at}h3"/>' for at in range(MANY))
        ),
        "paths that are turned": svg(
            "".join(f'<path transform="rotate({at})translate({at},1)" d="M1 1h3"/>' for at in range(MANY))
        ),
        "paths that are clipped": svg(
            '<clipPath id="c"><circle r="50"/></clipPath>' + '<path clip-path="url(#c)" d="M1 1h300"/>' * MANY
        ),
        "frames in frames": svg('<svg viewBox="0 0 90 90">' * 60 + PATH * MANY + "</svg>" * 60),
        "lines that are cut": svg(
            f'<clipPath id="c"><path d="M0 0{"l1 2-1-1" * 20_000}z"/></clipPath><g clip-path="url(#c)">'
            + f'<path d="M0 0{"l1 1-1 2" * 99}"/>' * 300
            + "</g>"
        ),
        "lines that cross all edges": svg(
            f'<clipPath id="c"><path d="M0 0{"l1 9l1-9" * 2_400}z"/></clipPath><g clip-path="url(#c)">'
            + '<path d="M0 5h9000"/>' * MANY
            + "</g>"
        ),
        "lines that are drawn twice": svg('<path d="' + "M1 2l3 4 5 6" * 18_000 + '"/>'),
        "strokes of pens": svg(f'<path fill="red" stroke="none" d="M0 0{"h9" * 99}v5{"h-9" * 99}z"/>' * 900),
        "circles": svg('<circle cx="9" cy="9" r="7"/>' * MANY),
        "transforms": svg('<g transform="' + "rotate(" * 8_000 + f'"/>{PATH}'),
        "functions": svg('<g transform="' + "rotate(1)" * 100_000 + f'">{PATH}</g>'),
        "closings": svg('<path d="M0 0' + "z" * 1_000_000 + '"/>'),
        "digits": svg('<path d="M' + "1" * 4_000_000 + ' 0L1 1"/>'),
        "numbers without space": svg('<path d="M0 0' + "-1" * 1_000_000 + '"/>'),
        "dots": svg('<path d="M0 0' + ".1" * 1_000_000 + '"/>'),
        "commas": svg('<path d="M0 0' + "," * 4_000_000 + 'x"/>'),
        "arcs": svg('<path d="M0 0A' + "1 1 0 0 0 9 9 " * 100_000 + '"/>'),
        "curves": svg('<path d="M0 0' + "c1 9 8 2 3 4" * 100_000 + '"/>'),
        "points": svg('<polyline points="' + "1 2 " * 2_000_000 + '"/>'),
        "far away": svg(f'<g transform="scale(1e300)">{PATH}</g>'),
        "selectors": sheet("".join(f"#a{at} b>c{{fill:red}}" for at in range(20_000))),
        "as many selectors as may be": sheet("".join(f".a{at % 7} .b{{fill:red}}" for at in range(1_990))),
        "a long selector": sheet("g " * 40_000 + "path{fill:red}"),
        "brackets of a selector": sheet(":not(" * 40_000 + ")" * 40_000 + "{fill:red}"),
        "siblings": sheet(":nth-last-child(2n+1)~path{fill:red}*~*~*~path{fill:blue}"),
        "has": sheet("*:has(.z)~*{fill:red}", "<g>" * 90 + PATH * 5_000 + "</g>" * 90),
        "a long rule": sheet("path{" + "stroke:red;" * 8_000 + "}"),
        "media": svg(f'<style media="{"screen and (a:b)," * 200_000}">a{{fill:red}}</style>{PATH}'),
        "blocks": sheet("@media screen{" * 40_000),
        "brackets of CSS": sheet("a{fill:" + "(" * 90_000, PATH),
        "variables": sheet(
            "*{--a:1;" + "".join(f"--a{at}:{VARIABLES};" for at in range(50)) + "fill:var(--a9)}"
        ),
        "comments of CSS": sheet("/*" * 1_000_000, PATH),
        "styles": svg("".join(f'<path style="x:{at};{FILL}" d="M1 1h3"/>' for at in range(3_000))),
        "attributes": svg("<path " + " ".join(f'a{at}="1"' for at in range(400_000)) + "/>"),
        "comments": svg("<!---->" * 1_000_000),
        "text": svg(f"<text>{' ' * 20_000_000}</text>{PATH}"),
        "a picture": svg(
            f'<image href="data:image/png;base64,{base64.b64encode(bytes(15_000_000)).decode()}"/>'
        ),
        "a name": svg(f"<{'a' * 4_000_000}/>"),
        "no end": (HEAD + '<path d="' + "1 " * 5_000_000).encode(),
        "UTF-16": svg(PATH * 19_000).decode().encode("utf-16"),
    }


def jsons() -> dict[str, bytes]:
    return {
        "brackets": b"[" * 1_000_000,
        "objects": b'{"strokes":' * 200_000,
        "strokes": b'{"strokes":[' + b"[[1,2]]," * 300_000 + b"[[1,2]]]}",
        "points": b'{"strokes":[[' + b"[1,2]," * 1_000_000 + b"[1,2]]]}",
        "dots": b"[" + b"[[1,2]]," * 199_999 + b"[[1,2]]]",
        "as many strokes as may be": b"[" + b"[[1,2],[3,4]]," * 19_999 + b"[[1,2]]]",
        "keys": b"{" + b",".join(b'"k%d":1' % at for at in range(1_000_000)) + b"}",
        "digits": b'{"strokes":[[[' + b"1" * 4_000_000 + b",2]]]}",
        "text": b'{"strokes":"' + b"x" * 20_000_000 + b'"}',
        "escapes": b'{"strokes":"' + b"\\u0041" * 4_000_000 + b'"}',
    }


def scenes() -> dict[str, bytes]:
    return {
        "points": scene(freedraw("[1,2]," * 1_000_000 + "[1,2]")),
        "elements": scene((freedraw("[1,2],[3,4]") + ",") * 300_000 + freedraw("[1,2]")),
        "texts": scene('{"type":"text"},' * 400_000 + '{"type":"text"}'),
        "ellipses": scene(
            '{"type":"ellipse","x":0,"y":0,"width":9,"height":9},' * 20_000 + freedraw("[1,2]")
        ),
        "nodes": scene(freedraw("[1,2]," * 50_000 + "[1,2]", ',"customData":{"sketchgen":{"nodes":[0,1]}}')),
        "brackets": scene("[" * 500_000),
    }


def lines() -> dict[str, bytes]:
    return {
        "one line": b'{"drawing":[[' + b"1," * 17_000_000 + b"1]]}",
        "one line of brackets": b'{"drawing":' + b"[" * 1_000_000,
        "no drawings": b"x\n" * 1_000_000,
        "blank lines": b"\n" * 20_000_000,
        "empty strokes": b'{"drawing":[' + b"[[],[]]," * 300_000 + b"[[],[]]]}",
        "uneven strokes": b'{"drawing":[' + b"[[1],[2,3]]," * 200_000 + b"[[1],[1]]]}",
    }


def arrays() -> dict[str, bytes]:
    return {
        "a size": archive(array("{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999, 3), }")),
        "a bomb": archive(OBJECTS + b"\x80\x02" + b"N" * 60_000_000),
        "tuples": archive(OBJECTS + b"\x80\x02" + b"(" * 10_000_000),
        "a long value": archive(OBJECTS + b"\x80\x02X\xff\xff\xff\x7f" + b"a" * 1_000_000),
        "a program": archive(OBJECTS + b"cposix\nsystem\n(S'true'\ntR."),
        "bzip2": archive(OBJECTS + b"N" * 2_000_000, zipfile.ZIP_BZIP2),
        "files": archive(b"", copies=20_000),
    }


def records() -> dict[str, bytes]:
    return {
        "counts": struct.pack("<Q2sbIH", 5, b"DE", 1, 0, 65535) + struct.pack("<H", 65535) * 20_000,
        "no strokes": struct.pack("<Q2sbIH", 5, b"DE", 1, 0, 0) * 200_000,
    }


def compressed() -> dict[str, bytes]:
    # One after the other they are one file, of 200 MB.
    spaces, breaks, zeros = (gzip.compress(each * 10_000_000) * 20 for each in (b" ", b"\n", b"\0"))
    return {
        "a bomb.svgz": gzip.compress(HEAD.encode()) + spaces,
        "a bomb.ndjson.gz": breaks,
        "a bomb in a bomb.gz": gzip.compress(zeros),
        "bzip2.gz": bz2.compress(bytes(1_000_000)),
        "half.svgz": gzip.compress(svg(PATH * 1_000))[:-9],
    }


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file."""
    kinds = {
        ".svg": svgs,
        ".json": jsons,
        ".excalidraw": scenes,
        ".ndjson": lines,
        ".npz": arrays,
        ".bin": records,
        "": compressed,
    }
    for suffix, made in kinds.items():
        yield from ((name + suffix, data) for name, data in made().items())


READER = """
import json, os, resource, signal, sys, time, warnings
from sketchgen.errors import SketchgenError
from sketchgen.formats import svg_reader
from sketchgen.formats.read_write import read_all

seconds, megabytes = map(int, sys.argv[1:3])
warnings.simplefilter("ignore")
list(read_all(sys.argv[3]))
for path in sys.argv[4:]:
    sys.stdout.flush()
    if not (child := os.fork()):
        pages = int(open("/proc/self/statm").read().split()[0])
        limit = pages * resource.getpagesize() + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CPU, (4 * seconds, 4 * seconds))
        try:
            answer = sum(len(each.strokes) for each in read_all(path))
        except SketchgenError as error:
            answer = str(error)
        except BaseException as error:
            answer = [type(error).__name__]
        print(json.dumps([path, answer, time.process_time()]), flush=True)
        os._exit(0)
    if status := os.waitpid(child, 0)[1]:
        print(json.dumps([path, ["killed"], 0]))
"""
"""Reads each file in a process of its own, with bounds on memory and time."""


def answers(folder: Path, code: str = READER) -> dict[str, object]:
    """Return what is answered for each file of a folder: a number of strokes, an error, or what is wrong."""
    (folder / "first.svg").write_bytes(svg(PATH))
    command = [sys.executable, "-c", code, str(SECONDS), str(MEGABYTES), str(folder / "first.svg")]
    command += map(str, sorted(folder.iterdir()))
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    return {Path(path).name: answer for path, answer, _ in map(json.loads, done.stdout.splitlines())}


def test_each_file_is_answered_quickly_in_one_line(tmp_path: Path):
    names = []
    for name, data in files():
        (tmp_path / name).write_bytes(data)
        names.append(name)
    found = answers(tmp_path)
    assert set(found) == {*names, "first.svg"}
    for name, answer in found.items():
        assert isinstance(answer, str | int), (name, answer)
        if isinstance(answer, str):
            assert "\n" not in answer
            assert name in answer
            assert len(answer) < 300


@pytest.mark.parametrize(
    ("harm", "fault"), [("bytes(10**9)", "MemoryError"), ("any(iter(int, 1))", "killed")]
)
def test_what_exceeds_the_bounds_is_seen(tmp_path: Path, harm: str, fault: str):
    harmed = READER.replace("sum(len", f"{harm} and sum(len").replace("4 * seconds", "seconds")
    (answer,) = answers(tmp_path, harmed).values()
    assert answer == [fault]
