from __future__ import annotations

import gzip
import io
import os
import struct
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sketchgen.errors import FormatError, OutputError
from sketchgen.formats.quickdraw import Entry
from sketchgen.formats.read_write import MAX_FAULTS, entries, kind_of, read, read_all, write
from sketchgen.formats.registry import SUFFIXES, encode
from sketchgen.formats.render_options import RenderOptions
from sketchgen.sketch.sketch import Completion, Sketch

SKETCH = Sketch.from_strokes([[(0.1, 1 / 3), (20, 30)], [(5, 5)]], page=(0, 0, 64, 48), category="cat")
LINE = b'{"word":"cat","drawing":[[[0,1],[2,3]]]}'


@pytest.mark.parametrize("suffix", [".svg", ".json", ".SVG"])
def test_write_then_read(tmp_path, suffix):
    path = tmp_path / f"drawing{suffix}"
    SKETCH.save(path)
    assert read(path) == SKETCH
    assert read(str(path)) == SKETCH
    assert list(read_all(path)) == [SKETCH]
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_suffix_of_the_table_is_written(tmp_path, suffix):
    if suffix == ".gcode":
        pytest.importorskip("vpype_gcode")
    path = tmp_path / f"a{suffix}"
    Completion(SKETCH, SKETCH).save(path)
    assert path.read_bytes() == encode(Completion(SKETCH, SKETCH), RenderOptions(SUFFIXES[suffix]))


@pytest.mark.parametrize("name", ["a.jpg", "a.pdf", "a.bmp", "a.bin", "a", "a.1"])
def test_what_cannot_be_written_is_refused(tmp_path, name):
    with pytest.raises(FormatError, match=r"use .*\.svg.*\.ndjson") as caught:
        SKETCH.save(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_ndjson_has_no_page(tmp_path):
    write(SKETCH, tmp_path / "a.ndjson")
    assert read(tmp_path / "a.ndjson") == Sketch(SKETCH.strokes, None, "cat")
    write(SKETCH, tmp_path / "a.png")
    with pytest.raises(FormatError, match="neither SVG nor JSON"):
        read(tmp_path / "a.png")


RECORD = struct.pack("<Q2sbIHH", 5, b"DE", 1, 0, 1, 2) + bytes((0, 5, 1, 7))


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".svg", SKETCH.to_svg().encode()),
        (".json", encode(SKETCH, RenderOptions("json"))),
        (".ndjson", LINE + b"\n" + LINE),
        (".ndjson", b'{"drawing":[[[0,1],[2,3],[0,17]]]}\n'),
        (".npz", encode(SKETCH, RenderOptions("npz"))),
        (".bin", RECORD + RECORD),
    ],
)
def test_every_form_is_read_plain_and_compressed(tmp_path, monkeypatch, suffix, data):
    plain, packed, unnamed = tmp_path / f"a{suffix}", tmp_path / f"a{suffix}.gz", tmp_path / "b"
    plain.write_bytes(data)
    packed.write_bytes(gzip.compress(data))
    expected = list(read_all(plain))
    assert expected
    assert list(read_all(packed)) == expected
    assert read(packed) == expected[0]
    if suffix in (".bin", ".npz"):
        return
    for content in (data, b"\xef\xbb\xbf" + data, gzip.compress(data)):
        unnamed.write_bytes(content)
        assert list(read_all(unnamed)) == expected
        plain.write_bytes(content)
        assert list(read_all(plain)) == expected
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        assert list(read_all("-")) == expected


def test_reading_goes_on_after_a_bad_line(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(LINE + b"\n{\n" + b"x" * (33 * 2**20) + b"\n" + LINE)
    first, broken, long, last = entries(path, "name")
    assert isinstance(first, Entry)
    assert "name, line 2 is not JSON" in str(broken)
    assert "name, line 3 is larger than 32 MB" in str(long)
    assert isinstance(last, Entry)
    assert last.place == "name, line 4"


@pytest.mark.parametrize("name", ["a.ndjson.gz", "a.svg.gz"])
def test_damaged_compression(tmp_path, name):
    packed = gzip.compress(LINE * 2000)
    for content in (packed[:-20], b"no gzip", packed[:90] + b"xx"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FormatError, match=f"{name} cannot be read"):
            list(read_all(tmp_path / name))


def test_completions_keep_both_parts(tmp_path):
    completion = Completion(SKETCH, SKETCH)
    for suffix in (".svg", ".json", ".ndjson"):
        completion.save(tmp_path / f"c{suffix}")
        assert len(read(tmp_path / f"c{suffix}").strokes) == 4


def test_many_drawings(tmp_path):
    path = tmp_path / "many.ndjson"
    path.write_bytes(b"\n" + LINE + b"\n\n" + LINE.replace(b"cat", b"dog") + b"\nbroken\n")
    with pytest.warns(UserWarning, match="several"):
        assert read(path).category == "cat"
    drawings = read_all(path)
    assert [next(drawings).category, next(drawings).category] == ["cat", "dog"]
    with pytest.raises(FormatError, match=r"many\.ndjson, line 5 is not JSON"):
        next(drawings)


@pytest.mark.parametrize("content", [LINE, b"[[[0, 2], [1, 3]]]", b'{\n "strokes": [[[0, 2],\n [1, 3]]]\n}'])
def test_open_files_of_bytes_and_of_text(content):
    expected = read(io.BytesIO(content))
    assert expected.point_count == 2
    assert read(io.StringIO(content.decode())) == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.svg", b"", "a.svg is empty"),
        ("a.ndjson", b"", "a.ndjson is empty"),
        ("a.ndjson", b"\n \n", "a.ndjson is empty"),
        ("a.json", b"  ", "a.json is empty"),
        ("a.json", b"\xff\xfe", "not UTF-8"),
        ("a.json", b"{", "not JSON"),
        ("a.txt", b"hello", "neither SVG nor JSON"),
        ("a.svg", b"hello", "not SVG"),
        ("a.ndjson", b"[1]", "stroke 0"),
        ("a.json", b" " * (32 * 2**20) + b"[]", "larger than 32 MB"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(FormatError):
        list(read_all(tmp_path / name))


def test_no_such_file(tmp_path):
    for path in (tmp_path / "none.svg", tmp_path / "none.ndjson", tmp_path, "a\0b.svg"):
        with pytest.raises(FormatError, match="cannot be read"):
            read(path)
    with pytest.raises(FormatError, match="cannot be read"):
        list(read_all(tmp_path / "none.ndjson"))


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"a\.svg exists; .* --force"):
        SKETCH.save(path)
    assert path.read_text() == "mine"
    SKETCH.save(path, force=True)
    assert read(path) == SKETCH
    assert os.listdir(tmp_path) == ["a.svg"]


def test_read_says_that_there_are_more(tmp_path, recwarn):
    path = tmp_path / "many.ndjson"
    path.write_bytes(LINE + b"\n" + LINE + b"\n")
    with pytest.warns(
        UserWarning, match=r"many\.ndjson holds several drawings, and this is the first; read_all"
    ):
        read(path)
    recwarn.clear()
    path.write_bytes(LINE + b"\n\n")
    read(path)
    assert not recwarn


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_a_file_of_junk_is_left_soon(tmp_path, name):
    junk = b"1\n" * (4 * MAX_FAULTS)
    (tmp_path / name).write_bytes(gzip.compress(junk) if name.endswith("gz") else junk)
    found = list(entries(tmp_path / name))
    assert len(found) == MAX_FAULTS + 2
    assert "is read no further: 10001 of 10001 are no drawings" in str(found[-1])


def test_every_form_has_its_name_when_compressed():
    assert [kind_of(Path(name)) for name in ("a.svgz", "a.SVG.GZ", "a.npz.gz")] == [".svg", ".svg", ".npz"]
