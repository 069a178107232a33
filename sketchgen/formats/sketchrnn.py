"""sketch-rnn's `.npz` files: stroke-3 in whole numbers, one array of arrays a split.

Arrays of arrays are pickles. A pickle is a program, and loading one runs it, so these are read as data and
never unpickled: only operations that put numbers, bytes and lists together are interpreted, and only three
names that numpy's arrays need are known, which stand for plain records. Nothing is called.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import FormatError, SketchgenError
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import from_stroke3

PARTS = ("train", "valid", "test")
"""Names of the arrays, one a split."""

MAX_BYTES = 2 * 1024**3
"""Maximum size of an array; the largest published file has a sixth of that."""

BOX = 255.0
"""Longer side of the drawings in a written file, as in Magenta's."""

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
_TUPLES: dict[str, int | None] = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "TUPLE": None}


@dataclass
class _Record:
    """What a call in the pickle would have created: its kind, arguments and state."""

    kind: object
    arguments: Any
    state: Any = None


def _evaluated(data: bytes) -> Any:
    """Return the value of a pickle, with records in place of calls."""
    stack: list[Any] = []
    marks: list[int] = []
    memory: dict[int, Any] = {}
    push = stack.append

    def popped(count: int | None = None) -> list[Any]:
        """Pop so many values, or all above the last mark."""
        at = marks.pop() if count is None else len(stack) - count
        found = stack[at:]
        del stack[at:]
        return found

    def put(at: int | None) -> None:
        memory[len(memory) if at is None else at] = stack[-1]

    def named(words: str | None) -> None:
        words = words or " ".join(popped(2))
        if words not in _NAMES:
            raise FormatError(f"it names {words.replace(' ', '.')[:60]!r}, which no array needs")
        push(_NAMES[words])

    def build(_: Any) -> None:
        record, record_state = popped(2)
        if not isinstance(record, _Record):
            raise FormatError("it changes what is no array")
        record.state = record_state
        push(record)

    operations: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(_VALUES, push),
        **dict.fromkeys(_OLD_STRINGS, lambda text: push(text.encode("latin-1"))),
        **{name: lambda _, value=value: push(value) for name, value in _CONSTANTS.items()},
        **{name: lambda _, count=count: push(tuple(popped(count))) for name, count in _TUPLES.items()},
        **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), named),
        **dict.fromkeys(("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"), put),
        **dict.fromkeys(("BINGET", "LONG_BINGET", "GET"), lambda at: push(memory[at])),
        **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda _: None),
        "MARK": lambda _: marks.append(len(stack)),
        "EMPTY_LIST": lambda _: push([]),
        "APPEND": lambda _: stack[-2].append(stack.pop()),
        "APPENDS": lambda _: (found := popped(), stack[-1].extend(found)),
        "REDUCE": lambda _: push(_Record(*popped(2))),
        "BUILD": build,
    }
    for operation, argument, _ in pickletools.genops(data):
        if operation.name not in operations:
            raise FormatError(f"it does more than hold arrays ({operation.name})")
        operations[operation.name](argument)
    (whole,) = stack
    return whole


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
    whole = _evaluated(data)
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
