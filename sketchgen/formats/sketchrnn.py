"""sketch-rnn's `.npz` files: stroke-3 in whole numbers, one array of arrays a split.

Arrays of arrays are pickles. A pickle is a program, and loading one runs it, so these are read as data and
never unpickled: only operations that put numbers, bytes and lists together are interpreted, and only three
names that numpy's arrays need are known, which stand for plain records. Nothing is called. Drawings are read
one by one as the file is decompressed, so that neither a large file nor one that means harm fills the memory.
"""

from __future__ import annotations

import io
import pickletools
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import FormatError, SketchgenError
from sketchgen.formats.compressed import check_inflated
from sketchgen.formats.quickdraw import Entry
from sketchgen.sketch.files import read_limited
from sketchgen.sketch.sketch import MAX_POINTS, Sketch
from sketchgen.sketch.strokes import from_stroke3

PARTS = ("train", "valid", "test")
"""Names of the arrays, one a split."""

BOX = 255.0
"""Longer side of the drawings in a written file, as in Magenta's."""

MAX_DIRECTORY = 64 * 1024
"""Maximum size of the list of files in the archive."""

MAX_ARGUMENT = 3 * 8 * MAX_POINTS + 1024
"""Maximum size of a value in a pickle, bytes: a drawing in float64."""

MAX_OPERATIONS, MAX_OPERATIONS_EACH = 50_000, 200
"""Maximum number of operations of a pickle: those of a thousand arrays, which take about 30 each and come
a thousand at a time, and so many for each array that has come."""

MAX_PENDING = 64 * 1024 * 1024
"""Maximum size of all values between two drawings, bytes."""

MAX_KEPT = 32 * 1024 * 1024
"""Bytes up to which values are kept in case that the pickle names them again."""

_ARRAY, _TYPE = object(), object()
_NAMES = {
    "numpy.core.multiarray _reconstruct": _ARRAY,
    "numpy._core.multiarray _reconstruct": _ARRAY,
    "numpy ndarray": np.ndarray,
    "numpy dtype": _TYPE,
}
"""Names that a pickled array may contain; the class is only passed about."""

_VALUES = {"BININT", "BININT1", "BININT2", "INT", "LONG1", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
_VALUES |= {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BINFLOAT"}
_OLD_STRINGS = {"SHORT_BINSTRING", "BINSTRING"}
"""Strings of Python 2, which are bytes; pickletools decodes them as latin-1."""

_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES: dict[str, int | None] = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "TUPLE": None}


@dataclass
class _Record:
    """What a call in the pickle would have created: its kind, arguments and state."""

    kind: object
    arguments: Any
    state: Any = None


class _Pickle:
    """A pickled array of arrays, of which the elements are yielded one by one.

    The first list of the pickle is the array's content; its elements are passed on instead of kept.
    """

    def __init__(self, file: BufferedIOBase) -> None:
        self._file = file
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memory: dict[int, Any] = {}
        self._put = self._kept = self._pending = self._passed_on = 0
        self._content: list[Any] | None = None
        self._found: list[Any] = []
        push = self._stack.append
        self._operations: dict[str, Callable[[Any], Any]] = {
            **dict.fromkeys(_VALUES, push),
            **dict.fromkeys(_OLD_STRINGS, lambda text: push(text.encode("latin-1"))),
            **{name: lambda _, value=value: push(value) for name, value in _CONSTANTS.items()},
            **{name: lambda _, count=count: push(tuple(self._pop(count))) for name, count in _TUPLES.items()},
            **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), self._name),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"), self._keep),
            **dict.fromkeys(("BINGET", "LONG_BINGET", "GET"), lambda at: push(self._memory[at])),
            **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda _: None),
            "MARK": lambda _: self._marks.append(len(self._stack)),
            "EMPTY_LIST": self._list,
            "APPEND": lambda _: self._extend(self._pop(1)),
            "APPENDS": lambda _: self._extend(self._pop(None)),
            "REDUCE": lambda _: push(_Record(*self._pop(2))),
            "BUILD": self._build,
        }

    # What pickletools reads from.

    def read(self, size: int) -> bytes:
        """Return the next bytes of the pickle."""
        if size > MAX_ARGUMENT:
            raise FormatError(f"a value in it has {size} bytes; a drawing has {MAX_ARGUMENT} at most")
        self._pending += size
        if self._pending > MAX_PENDING:
            raise FormatError(f"there are over {MAX_PENDING // 2**20} MB between two drawings in it")
        return self._file.read(size)

    def readline(self) -> bytes:
        """Return the next line of the pickle."""
        return self._file.readline(1024)

    def elements(self) -> Iterator[Any]:
        """Yield the elements of the array."""
        for number, (operation, argument, _) in enumerate(pickletools.genops(self)):  # pyright: ignore[reportArgumentType]
            if operation.name not in self._operations:
                raise FormatError(f"it does more than hold arrays ({operation.name})")
            if number > MAX_OPERATIONS + MAX_OPERATIONS_EACH * self._passed_on:
                raise FormatError(f"it takes more than {MAX_OPERATIONS_EACH} operations to hold a drawing")
            self._operations[operation.name](argument)
            if self._found:
                found, self._found = self._found, []
                self._pending, self._passed_on = 0, self._passed_on + len(found)
                yield from (each.state if isinstance(each, _Record) else each for each in found)
        (whole,) = self._stack
        if not isinstance(whole, _Record) or whole.kind is not _ARRAY or whole.state[4] is not self._content:
            raise FormatError("it is no array of arrays")

    def _pop(self, count: int | None) -> list[Any]:
        """Pop so many values, or all above the last mark."""
        at = self._marks.pop() if count is None else len(self._stack) - count
        found = self._stack[at:]
        del self._stack[at:]
        return found

    def _keep(self, at: int | None) -> None:
        """Keep the last value under a number, unless it is the bytes of an array or there are many values."""
        value, at = self._stack[-1], self._put if at is None else at
        self._put += 1
        if self._has_room(256) and not (isinstance(value, bytes) and len(value) > 64):
            self._memory[at] = value

    def _has_room(self, size: int) -> bool:
        """Return whether so many more bytes may be kept."""
        self._kept += size
        return self._kept <= MAX_KEPT

    def _name(self, words: str | None) -> None:
        words = words or " ".join(self._pop(2))
        if words not in _NAMES:
            raise FormatError(f"it names {words.replace(' ', '.')[:60]!r}, which no array needs")
        self._stack.append(_NAMES[words])

    def _list(self, _: Any) -> None:
        self._stack.append([])
        if self._content is None:
            self._content = self._stack[-1]

    def _extend(self, values: list[Any]) -> None:
        if self._stack[-1] is self._content:
            self._found = values
        else:
            self._stack[-1].extend(values)

    def _build(self, _: Any) -> None:
        record, state = self._pop(2)
        if not isinstance(record, _Record):
            raise FormatError("it changes what is no array")
        if record.kind is not _ARRAY or state[4] is self._content:
            record.state = state
            self._stack.append(record)
            return
        found = _numbers(state)
        # The pickle may name the array again by the record.
        if self._has_room(0 if found is None else found.nbytes):
            record.state = found
        self._stack.append(found)


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value


def _numbers(state: Any) -> NDArray[Any] | None:
    """Return the array of a pickled state; None where it is none of rows of numbers."""
    _, shape, kind, fortran, data = state
    if not isinstance(kind, _Record) or kind.kind is not _TYPE:
        raise FormatError("an array in it has no type")
    code, order = _text(kind.arguments[0]), _text(kind.state[1])
    if not re.fullmatch(r"[iuf][1248]", code) or len(shape) != 2 or not isinstance(data, bytes):
        return None
    values = np.frombuffer(data, dtype=np.dtype(("" if order == "|" else order) + code))
    return values.reshape(shape, order="F" if fortran else "C")


def _content_of(file: Any, name: str) -> BufferedIOBase:
    """Return an array from after its header."""
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, kind = header(file)
    if kind != np.dtype(object):
        raise FormatError(f"{name} holds {kind}, not an array of drawings")
    return io.BufferedReader(file, 64 * 1024)


def read_npz(stream: BufferedIOBase, name: str = "file") -> Iterator[Entry | SketchgenError]:
    """Yield the drawings of a file, of train, valid and test in turn, without their category.

    The files leave out the first point. Drawings are moved so that their least coordinates are 0. Reading
    goes on after an error in the place of an array that is no drawing.

    Args:
        stream: the file, open for reading.
        name: what errors call it.

    Raises:
        FormatError: it is not a sketch-rnn file, it is damaged, or its pickles hold anything but arrays.
    """
    try:
        stream = stream if stream.seekable() else io.BytesIO(read_limited(stream, name))
        size = _checked_size(stream)
        with zipfile.ZipFile(stream) as whole:
            members = whole.infolist()
            if any(each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for each in members):
                raise FormatError("it is compressed otherwise than by deflate; save it with numpy")
            check_inflated(sum(each.file_size for each in members), size, "it")
            number = 0
            for part in PARTS:
                with whole.open(f"{part}.npy") as file:
                    for found in _Pickle(_content_of(file, part)).elements():
                        number += 1
                        yield _entry(found, f"{name}, drawing {number}")
    except SketchgenError as error:
        raise type(error)(f"{name}: {error}") from error
    except OSError as error:
        raise FormatError(f"{name} cannot be read: {error.strerror or error}") from error
    except Exception as error:
        # A damaged pickle fails in as many ways as there are bytes in it.
        raise FormatError(f"{name} is no sketch-rnn file, or damaged; get it again") from error


def _checked_size(stream: BufferedIOBase) -> int:
    """Return the size of an archive, after checking that its list of files is as short as numpy's."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 42))
    # The end: 20 bytes that would begin PK67 if the list of files were elsewhere, then 22 that begin PK56.
    end = stream.read()[-42:].rjust(42, b"\0")
    if end[20:24] == b"PK\5\6" and (
        end[:4] == b"PK\6\7" or int.from_bytes(end[32:36], "little") > MAX_DIRECTORY
    ):
        raise FormatError("it holds more files than train, valid and test")
    stream.seek(0)
    return size


def _entry(steps: Any, place: str) -> Entry | SketchgenError:
    """Return the drawing of (n, 3) rows dx, dy, lift, or the error that says why it is none."""
    if not isinstance(steps, np.ndarray):
        return FormatError(f"{place} is no array of rows of numbers")
    try:
        sketch = from_stroke3(np.concatenate([np.zeros((1, 3)), steps.astype(np.float64)]))
        corner = sketch.points.min(axis=0)
        return Entry(Sketch.from_strokes([stroke - corner for stroke in sketch.strokes]), place)
    except SketchgenError as error:
        return type(error)(f"{place}: {error}")
    except ValueError:
        return FormatError(f"{place} has rows of {steps.shape[1]} numbers, not 3")


def npz_bytes(drawings: Iterable[Sketch]) -> bytes:
    """Return drawings as the first split of a file like Magenta's; `read_npz` reads it without unpickling.

    numpy loads it with `allow_pickle=True`. The form has whole numbers only, and no place on a page: drawings
    come back scaled to `BOX`, rounded, moved to the corner, and without page and category. A first stroke
    that is a dot comes back as two equal points, because the form leaves out the first point. Empty drawings
    are left out.
    """
    splits: dict[str, Any] = {part: np.empty(0, dtype=object) for part in PARTS}
    arrays = [_steps(sketch) for sketch in drawings if not sketch.is_empty]
    # Element by element, or arrays of one length would become a single one.
    splits[PARTS[0]] = np.empty(len(arrays), dtype=object)
    splits[PARTS[0]][:] = arrays
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **splits)
    return buffer.getvalue()


def _steps(sketch: Sketch) -> NDArray[np.int16]:
    """Return the (n, 3) offsets and lifts after the first point."""
    bounds = sketch.bounds
    scale = BOX / bounds.longer if bounds is not None and bounds.longer > 0 else 1.0
    # Rounded before the differences, so that errors do not add up along the drawing.
    strokes = [np.rint((stroke - sketch.points.min(axis=0)) * scale) for stroke in sketch.strokes]
    if len(strokes[0]) == 1:
        strokes[0] = strokes[0][[0, 0]]
    offsets = np.diff(np.concatenate(strokes), axis=0)
    lifts = np.zeros(len(offsets))
    lifts[np.cumsum([len(stroke) for stroke in strokes]) - 2] = 1
    return np.column_stack([offsets, lifts]).astype(np.int16)
