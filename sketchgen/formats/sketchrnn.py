"""sketch-rnn's `.npz` files: stroke-3 in whole numbers, one array of arrays a split.

Arrays of arrays are pickles. A pickle is a program, and loading one runs it, so these are read as data and
never unpickled: only operations that put numbers, bytes and lists together are interpreted, and only three
names that numpy's arrays need are known, which stand for plain records. Nothing is called.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import FormatError, SettingError, SketchgenError
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import from_stroke3

PARTS = ("train", "valid", "test")
"""Names of the arrays, one a split."""

MAX_BYTES = 2 * 1024**3
"""Maximum size of an array; the largest published file has a sixth of that."""

MAX_OFFSET = int(np.iinfo(np.int16).max)
"""Maximum offset in a file."""

_ARRAY, _TYPE = object(), object()
_NAMES = {
    "numpy.core.multiarray _reconstruct": _ARRAY,
    "numpy._core.multiarray _reconstruct": _ARRAY,
    "numpy ndarray": np.ndarray,
    "numpy dtype": _TYPE,
}
"""Names that a pickled array may contain; the class is only passed about."""

_VALUES = {"BININT", "BININT1", "BININT2", "INT", "LONG1", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
_VALUES |= {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
_OLD_STRINGS = {"SHORT_BINSTRING", "BINSTRING"}
"""Strings of Python 2, which are bytes; pickletools decodes them as latin-1."""

_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass
class _Record:
    """What a call in the pickle would have created: its kind, arguments and state."""

    kind: object
    arguments: Any
    state: Any = None


class _Reader:
    """Stack and memo of a pickle that is read as data."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}

    def since_mark(self) -> list[Any]:
        """Pop what is above the last mark."""
        at = self.marks.pop()
        found = self.stack[at:]
        del self.stack[at:]
        return found

    def do(self, name: str, argument: Any) -> None:
        """Interpret an operation.

        Raises:
            FormatError: arrays do not need it.
        """
        stack = self.stack
        if name in _VALUES:
            stack.append(argument)
        elif name in _OLD_STRINGS:
            stack.append(argument.encode("latin-1"))
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            taken = stack[len(stack) - _TUPLES[name] :]
            del stack[len(stack) - len(taken) :]
            stack.append(tuple(taken))
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            stack.append(self.named(argument))
        elif not self.remember(name, argument) and not self.collect(name):
            raise FormatError(f"it does more than hold arrays ({name})")

    def named(self, words: str | None) -> object:
        """Return what a name stands for."""
        if words is None:
            name = self.stack.pop()
            words = f"{self.stack.pop()} {name}"
        if words not in _NAMES:
            raise FormatError(f"it names {words.replace(' ', '.')[:60]!r}, which no array needs")
        return _NAMES[words]

    def remember(self, name: str, argument: Any) -> bool:
        """Interpret an operation of the memo; return whether it was one."""
        if name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memory[argument] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memory[len(self.memory)] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self.stack.append(self.memory[argument])
        else:
            return name in ("PROTO", "FRAME", "STOP")
        return True

    def collect(self, name: str) -> bool:
        """Interpret an operation that builds an object; return whether it was one."""
        stack = self.stack
        if name == "MARK":
            self.marks.append(len(stack))
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name == "TUPLE":
            stack.append(tuple(self.since_mark()))
        elif name == "APPEND":
            last = stack.pop()
            stack[-1].append(last)
        elif name == "APPENDS":
            found = self.since_mark()
            stack[-1].extend(found)
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(_Record(stack.pop(), arguments))
        elif name == "BUILD":
            state = stack.pop()
            if not isinstance(stack[-1], _Record):
                raise FormatError("it changes what is no array")
            stack[-1].state = state
        else:
            return False
        return True


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def _numbers(record: Any) -> NDArray[Any]:
    """Return the array that a record describes."""
    _, shape, kind, fortran, data = record.state
    code, order = _text(kind.arguments[0]), _text(kind.state[1])
    if record.kind is not _ARRAY or kind.kind is not _TYPE or code[0] not in "iuf" or len(shape) != 2:
        raise FormatError("a drawing in it is no array of rows of numbers")
    values = np.frombuffer(data, dtype=np.dtype(("" if order == "|" else order) + code))
    return values.reshape(shape, order="F" if fortran else "C")


def _arrays(data: bytes) -> list[NDArray[Any]]:
    """Return the arrays in the pickled array of arrays of a split."""
    reader = _Reader()
    for operation, argument, _ in pickletools.genops(data):
        reader.do(operation.name, argument)
    (whole,) = reader.stack
    drawings = whole.state[4]
    if whole.kind is not _ARRAY or not isinstance(drawings, list):
        raise FormatError("it is no array of arrays")
    return [_numbers(record) for record in drawings]


def _content(file: Any, name: str) -> bytes:
    """Return what follows the header of an array."""
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, kind = header(file)
    if kind != np.dtype(object):
        raise FormatError(f"{name} holds {kind}, not an array of drawings")
    return file.read()


def read_npz(stream: BufferedIOBase, name: str = "file") -> Iterator[Sketch]:
    """Yield the drawings of a file, of train, valid and test in turn, without their category.

    The files leave out the first point. Drawings are moved so that their least coordinates are 0.

    Args:
        stream: the file, open for reading.
        name: what errors call it.

    Raises:
        FormatError: it is not a sketch-rnn file, it is damaged, or its pickles hold anything but arrays.
        SketchError: something in it is not a drawing.
    """
    try:
        with zipfile.ZipFile(stream) as whole:
            for part in PARTS:
                if whole.getinfo(f"{part}.npy").file_size > MAX_BYTES:
                    raise FormatError(f"{part} is larger than {MAX_BYTES // 1024**3} GB")
                with whole.open(f"{part}.npy") as file:
                    found = _arrays(_content(file, part))
                for steps in found:
                    yield _drawing(steps)
    except SketchgenError as error:
        raise type(error)(f"{name}: {error}") from error
    except OSError as error:
        raise FormatError(f"{name} cannot be read: {error.strerror or error}") from error
    except Exception as error:
        # A damaged pickle fails in as many ways as there are bytes in it.
        raise FormatError(f"{name} is no sketch-rnn file, or damaged; get it again") from error


def _drawing(steps: NDArray[Any]) -> Sketch:
    """Return the drawing of (n, 3) rows dx, dy, lift."""
    sketch = from_stroke3(np.concatenate([np.zeros((1, 3)), steps.astype(np.float64)]))
    corner = sketch.points.min(axis=0)
    return Sketch.from_strokes([stroke - corner for stroke in sketch.strokes])


# --- Writing --------------------------------------------------------------------------------------------


def npz_bytes(
    train: Iterable[Sketch],
    valid: Iterable[Sketch] = (),
    test: Iterable[Sketch] = (),
    *,
    box: float | None = None,
) -> bytes:
    """Return drawings as the bytes of a file like Magenta's; `read_npz` reads them without unpickling.

    numpy loads them with `allow_pickle=True`. The form has whole numbers only, and no place on a page:
    drawings come back rounded, moved to the corner, and without page and category. A first stroke that is a
    dot comes back as two equal points, because the form leaves out the first point.

    Args:
        train: the drawings of the first split; empty ones are left out of each.
        valid: those of the second.
        test: those of the third.
        box: longer side that each drawing is scaled to (255 in Magenta's); None keeps the drawings' units.

    Raises:
        SettingError: a box outside its limits, or a drawing too large for whole numbers of 16 bits.
    """
    if box is not None and not 1 <= box <= MAX_OFFSET:
        raise SettingError(f"box is {box:g}; it must be from 1 to {MAX_OFFSET}")
    splits = {}
    for part, sketches in zip(PARTS, (train, valid, test), strict=True):
        kept = (sketch for sketch in sketches if not sketch.is_empty)
        splits[part] = _whole([_steps(sketch, box, f"{part} {index}") for index, sketch in enumerate(kept)])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **splits)
    return buffer.getvalue()


def _whole(arrays: list[NDArray[np.int16]]) -> NDArray[np.object_]:
    """Return arrays as one array of objects, even if they have the same length."""
    whole = np.empty(len(arrays), dtype=object)
    whole[:] = arrays
    return whole


def _steps(sketch: Sketch, box: float | None, name: str) -> NDArray[np.int16]:
    """Return the (n, 3) offsets and lifts after the first point."""
    bounds = sketch.bounds
    longer = bounds.longer if bounds is not None else 0.0
    scale = box / longer if box is not None and longer > 0 else 1.0
    # Rounded before the differences, so that errors do not add up along the drawing.
    strokes = [np.rint((stroke - sketch.points.min(axis=0)) * scale) for stroke in sketch.strokes]
    if len(strokes[0]) == 1:
        strokes[0] = strokes[0][[0, 0]]
    if longer * scale > MAX_OFFSET:
        raise SettingError(
            f"drawing {name} is {longer:g} wide, above {MAX_OFFSET}; scale it down or name a box"
        )
    offsets = np.diff(np.concatenate(strokes), axis=0)
    lifts = np.zeros(len(offsets))
    lifts[np.cumsum([len(stroke) for stroke in strokes]) - 2] = 1
    return np.column_stack([offsets, lifts]).astype(np.int16)
