"""sketch-rnn's files are read without unpickling: the real ones, ours, and those that mean harm."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import time
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.errors import SketchgenError
from sketchgen.formats.quickdraw import Entry
from sketchgen.formats.read_write import entries, read_all
from sketchgen.formats.sketchrnn import PARTS, npz_bytes, read_npz
from sketchgen.sketch.sketch import Sketch

STEPS = [
    np.array([[10, 0, 0], [0, 20, 1], [5, 5, 0], [-3, 4, 1]], dtype=np.int16),
    np.array([[7, 7, 1]], dtype=np.int16),
]


def of_arrays(arrays: list[Any]) -> np.ndarray:
    whole = np.empty(len(arrays), dtype=object)
    whole[:] = arrays
    return whole


def member(content: bytes, count: int = 1) -> bytes:
    """A .npy file of objects with this pickle in it."""
    out = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(out, header)
    return out.getvalue() + content


def packed(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as whole:
        for name in PARTS:
            good = member(pickle.dumps(of_arrays(STEPS), 2))
            whole.writestr(f"{name}.npy", members.get(name, good))
    return path


@pytest.mark.parametrize("name", ["aaron_sheep", "short_kanji"])
def test_real_files_have_the_drawings_that_are_said_to_be_in_them(data_dir: Path, name: str) -> None:
    path = data_dir / "sketch-rnn-npz" / f"{name}.npz"
    found = list(islice(read_all(path), 1000))
    assert len(found) == 1000
    # Loaded as numpy would, which we may here, for these files are known.
    with np.load(path, allow_pickle=True, encoding="latin1") as whole:
        wanted = [steps for part in PARTS for steps in whole[part]]
    for sketch, steps in zip(found[::97], wanted[: len(found) : 97], strict=True):
        assert np.array_equal(np.diff(sketch.points, axis=0), steps[:, :2])
        assert sketch.points.min(axis=0).tolist() == [0, 0]
        assert len(sketch.strokes) == max(1, int(steps[:, 2].sum()) + (not steps[-1, 2]))


@pytest.mark.parametrize("protocol", range(2, 5))
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32, np.dtype(">i2")])
def test_what_numpy_saves_is_read(tmp_path: Path, protocol: int, kind: Any) -> None:
    arrays = of_arrays([steps.astype(kind) for steps in STEPS])
    content = member(pickle.dumps(arrays, protocol), 2)
    if protocol == 2:
        # Python 3 writes bytes in this protocol by a call of a codec, which Python 2 had no need of.
        with pytest.raises(SketchgenError, match="encode"):
            list(read_all(packed(tmp_path / "a.npz", train=content)))
        return
    first, second, *_ = read_all(packed_all(tmp_path / "a.npz", content))
    assert [stroke.tolist() for stroke in first.strokes] == [
        [[0, 0], [10, 0], [10, 20]],
        [[15, 25], [12, 29]],
    ]
    assert second.points.tolist() == [[0, 0], [7, 7]]


def packed_all(path: Path, content: bytes) -> Path:
    return packed(path, **dict.fromkeys(PARTS, content))


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> Any:
        return self.call, self.arguments


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "how", ["system", "touch", "eval", "getattr", "inside an array", "as a state", "numpy's load"]
)
def test_a_pickle_that_means_harm_is_refused_and_not_run(tmp_path: Path, protocol: int, how: str) -> None:
    sprung = tmp_path / "sprung"
    traps = {
        "system": Trap(os.system, f"touch {sprung}"),
        "touch": Trap(Path.touch, sprung),
        "eval": Trap(eval, f"open({str(sprung)!r}, 'w')"),
        "getattr": Trap(getattr, os, "system") if protocol > 5 else Trap(getattr, "x", "upper"),
        "inside an array": of_arrays([*STEPS, Trap(os.system, f"touch {sprung}")]),
        "as a state": {"a": Trap(os.system, f"touch {sprung}")},
        "numpy's load": Trap(np.load, str(sprung)),
    }
    path = packed(tmp_path / "trap.npz", train=member(pickle.dumps(traps[how], protocol)))
    with pytest.raises(SketchgenError) as caught:
        list(read_all(path))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert not sprung.exists()


def test_the_trap_would_have_sprung(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    path = packed(tmp_path / "a.npz", train=member(pickle.dumps(Trap(os.system, f"touch {sprung}"), 2)))
    with np.load(path, allow_pickle=True) as whole:
        whole["train"]
    assert sprung.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x02",
        member(b""),
        member(b"\x80\x02."),
        member(b"\x80\x02]."),
        member(b"\x80\x02K\x01."),
        member(pickle.dumps([1, 2, 3], 3)),
        member(pickle.dumps(of_arrays([np.zeros((3, 3), dtype=object)]), 3)),
        member(pickle.dumps(of_arrays([np.zeros(3)]), 3)),
        member(pickle.dumps(of_arrays([np.zeros((3, 2))]), 3)),
        member(pickle.dumps(of_arrays([np.full((3, 3), np.nan)]), 3)),
        member(pickle.dumps(of_arrays([np.full((3, 3), "x")]), 3)),
    ],
)
def test_what_is_no_drawings_is_refused_in_a_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SketchgenError) as caught:
        list(read_all(packed(tmp_path / "a.npz", train=content)))
    assert "\n" not in str(caught.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK nothing")
    np.savez(tmp_path / "b.npz", train=np.zeros(3))
    np.savez(tmp_path / "c.npz", **dict.fromkeys(PARTS, np.zeros((4, 3))))
    for name, words in (("a", "no sketch-rnn file"), ("b", "not an array of drawings"), ("c", "float64")):
        with pytest.raises(SketchgenError, match=words):
            list(read_all(tmp_path / f"{name}.npz"))


def lone(bad: Any) -> np.ndarray:
    return of_arrays([*[STEPS[0]] * 100, bad, *[STEPS[0]] * 50])


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.full((3, 3), np.nan), "not finite"),
        (np.full((3, 3), np.inf), "not finite"),
        (np.full((3, 3), 1e12), "beyond"),
        (np.zeros((3, 2), np.int16), "rows of 2 numbers"),
        (np.zeros(3), "no array of rows"),
        (np.zeros((2, 3, 3)), "no array of rows"),
        (np.full((3, 3), "x"), "no array of rows"),
        (np.full((3, 3), None), "no array of rows"),
        ([[1, 2.5, 0]], "no array of rows"),
        (None, "no array of rows"),
        ("text", "no array of rows"),
    ],
)
def test_a_bad_drawing_costs_itself(tmp_path: Path, bad: Any, words: str) -> None:
    path = packed_all(tmp_path / "a.npz", member(pickle.dumps(lone(bad), 4), 151))
    found = list(entries(path))
    assert len(found) == 3 * 151
    error, *_ = (each for each in found if isinstance(each, SketchgenError))
    assert found[100] is error
    assert "a.npz, drawing 101" in str(error)
    assert words in str(error)


BOMBS = {
    "lists": member(b"\x80\x02" + b"]" * 4_000_000),
    "marks": member(b"\x80\x02" + b"(" * 4_000_000),
    "numbers": member(b"\x80\x02" + b"K\1" * 2_000_000),
    "a value": member(b"\x80\x03B\xff\xff\xff\x7f" + b"\0" * 4_000_000),
    "a long line": member(b"\x80\x02c" + b"a" * 4_000_000),
    "a type without end": member(b"\x80\x02cnumpy\ndtype\nK\x01" + b"q\0h\0\x86" * 60 + b"\x85R."),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_what_only_takes_time_and_memory_is_refused(tmp_path: Path, content: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(SketchgenError):
        list(read_all(packed(tmp_path / "a.npz", train=content)))
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    ("method", "size", "more", "words"),
    [
        (zipfile.ZIP_BZIP2, 100, 0, "otherwise than by deflate"),
        (zipfile.ZIP_LZMA, 100, 0, "otherwise than by deflate"),
        (zipfile.ZIP_DEFLATED, 20_000_000, 0, "inflates to more than 8 MB"),
        (zipfile.ZIP_STORED, 100, 2000, "more files than train, valid and test"),
    ],
)
def test_an_archive_that_numpy_does_not_write_is_refused(
    tmp_path: Path, method: int, size: int, more: int, words: str
) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as whole:
        for name in (*PARTS, *(f"more-{number}" for number in range(more))):
            whole.writestr(f"{name}.npy", member(b"\x80\x02" + b"]" * size))
    with pytest.raises(SketchgenError, match=words):
        list(read_all(tmp_path / "a.npz"))


def test_an_array_may_stand_in_several_places(tmp_path: Path) -> None:
    path = packed_all(tmp_path / "a.npz", member(pickle.dumps(of_arrays([STEPS[0]] * 3), 4), 3))
    first, second, third, *_ = read_all(path)
    assert first == second == third


@given(st.data())
def test_a_damaged_file_never_does_more_than_fail(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    raw = bytearray(pickle.dumps(of_arrays(STEPS), 4))
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = packed(tmp_path_factory.mktemp("damaged") / "a.npz", train=member(bytes(raw)))
    with contextlib.suppress(SketchgenError):
        assert all(sketch.point_count for sketch in read_all(path))


# --- Writing --------------------------------------------------------------------------------------------

whole_numbers = st.integers(-300, 300).map(float)
sketches = st.lists(
    st.lists(
        st.lists(st.tuples(whole_numbers, whole_numbers), min_size=1, max_size=5), min_size=1, max_size=4
    ),
    max_size=5,
)


def written(*sketches: Sketch) -> bytes:
    return npz_bytes(sketches)


def boxed(strokes: list) -> list:
    """What comes back of a drawing."""
    points = np.concatenate([np.array(stroke) for stroke in strokes])
    extent = float(np.ptp(points, axis=0).max())
    scale = 255 / extent if extent else 1.0
    found = [np.rint((np.array(stroke) - points.min(axis=0)) * scale).tolist() for stroke in strokes]
    return [found[0] * 2, *found[1:]] if len(found[0]) == 1 else found


@settings(max_examples=30, deadline=None)
@given(sketches)
def test_what_is_written_is_read(drawn: list) -> None:
    data = io.BytesIO(written(*map(Sketch.from_strokes, drawn), Sketch()))
    read_back = [entry for entry in read_npz(data) if isinstance(entry, Entry)]
    found = [[stroke.tolist() for stroke in entry.sketch.strokes] for entry in read_back]
    assert found == [boxed(item) for item in drawn]


def test_the_form_is_magenta_s() -> None:
    square = Sketch.from_strokes([[(0, 0), (102, 0), (102, 255)], [(51, 0), (51, 51)]])
    # Loaded as numpy would, which we may here, for we have written it.
    with np.load(io.BytesIO(written(square, square)), allow_pickle=True) as file:
        assert sorted(file.files) == sorted(PARTS)
        assert [len(file[part]) for part in PARTS] == [2, 0, 0]
        steps = file["train"][1]
    assert steps.dtype == np.int16
    assert steps.tolist() == [[102, 0, 0], [0, 255, 1], [-51, -255, 0], [0, 51, 1]]


def test_rounding_does_not_add_up() -> None:
    points = np.cumsum(np.full((200, 2), 255 / 199), axis=0)
    (entry,) = read_npz(io.BytesIO(written(Sketch.from_strokes([points]))))
    assert isinstance(entry, Entry)
    found = entry.sketch
    assert np.abs(found.points - (points - points[0])).max() <= 0.5 + 1e-9
