"""sketch-rnn's `.npz` files, whose arrays of arrays are pickles: read as data, never unpickled.

A pickle is a program, and loading one from elsewhere runs it. Here its operations are looked at one by one,
and only those are carried out that put numbers, bytes and lists together; of all the names that it may call,
the three that numpy's own arrays need stand for plain records, and any other is refused. Nothing is called.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import FormatError, SketchgenError
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import from_stroke3

PARTS = ("train", "valid", "test")
"""The arrays of such a file, one a split."""

MAX_BYTES = 2 * 1024**3
"""Largest array read; the largest published file unpacks to a sixth of that."""

_ARRAY, _TYPE = object(), object()
_NAMES = {
    "numpy.core.multiarray _reconstruct": _ARRAY,
    "numpy._core.multiarray _reconstruct": _ARRAY,
    "numpy ndarray": np.ndarray,
    "numpy dtype": _TYPE,
}
"""What a pickled array may name; the class stands there only to be passed about."""

_VALUES = {"BININT", "BININT1", "BININT2", "INT", "LONG1", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
_VALUES |= {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
_OLD_STRINGS = {"SHORT_BINSTRING", "BINSTRING"}
"""Python 2's strings, which are bytes; pickletools shows them as latin-1."""

_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass
class _Record:
    """What a call in the pickle would have made: of which kind, from what, and its state."""

    kind: object
    arguments: Any
    state: Any = None


class _Reader:
    """The stack and the memory of a pickle that is read as data."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}

    def since_mark(self) -> list[Any]:
        """Take what stands above the last mark."""
        at = self.marks.pop()
        found = self.stack[at:]
        del self.stack[at:]
        return found

    def do(self, name: str, argument: Any) -> None:
        """Carry an operation out.

        Raises:
            FormatError: it is not needed for arrays.
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
        """What a name stands for."""
        if words is None:
            name = self.stack.pop()
            words = f"{self.stack.pop()} {name}"
        if words not in _NAMES:
            raise FormatError(f"it names {words.replace(' ', '.')[:60]!r}, which no array needs")
        return _NAMES[words]

    def remember(self, name: str, argument: Any) -> bool:
        """Operations of the memory; whether it was one."""
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
        """Operations that put things together; whether it was one."""
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
    """The array that a record describes."""
    _, shape, kind, fortran, data = record.state
    code, order = _text(kind.arguments[0]), _text(kind.state[1])
    if record.kind is not _ARRAY or kind.kind is not _TYPE or code[0] not in "iuf" or len(shape) != 2:
        raise FormatError("a drawing in it is no array of rows of numbers")
    values = np.frombuffer(data, dtype=np.dtype(("" if order == "|" else order) + code))
    return values.reshape(shape, order="F" if fortran else "C")


def _arrays(data: bytes) -> list[NDArray[Any]]:
    """The arrays in the pickled array of arrays of one part."""
    reader = _Reader()
    for operation, argument, _ in pickletools.genops(data):
        reader.do(operation.name, argument)
    (whole,) = reader.stack
    drawings = whole.state[4]
    if whole.kind is not _ARRAY or not isinstance(drawings, list):
        raise FormatError("it is no array of arrays")
    return [_numbers(record) for record in drawings]


def _content(file: Any, name: str) -> bytes:
    """What follows an array's header."""
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, kind = header(file)
    if kind != np.dtype(object):
        raise FormatError(f"{name} holds {kind}, not an array of drawings")
    return file.read()


def read_npz(path: Path) -> Iterator[Sketch]:
    """The drawings of a sketch-rnn file, train, valid and test after one another, without their category.

    Each begins at (0, 0), for the files leave the first point out, and is moved so that its least coordinates
    are 0.

    Raises:
        FormatError: it is no such file, is damaged, or its pickles hold anything but numpy's arrays.
        SketchError: a drawing in it is none.
    """
    try:
        with zipfile.ZipFile(path) as whole:
            for part in PARTS:
                if whole.getinfo(f"{part}.npy").file_size > MAX_BYTES:
                    raise FormatError(f"{part} is larger than {MAX_BYTES // 1024**3} GB")
                with whole.open(f"{part}.npy") as file:
                    found = _arrays(_content(file, part))
                for steps in found:
                    yield _drawing(steps)
    except SketchgenError as error:
        raise type(error)(f"{path.name}: {error}") from error
    except OSError as error:
        raise FormatError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except Exception as error:
        # A damaged pickle fails in as many ways as there are bytes in it.
        raise FormatError(f"{path.name} is no sketch-rnn file, or damaged; get it again") from error


def _drawing(steps: NDArray[Any]) -> Sketch:
    """The drawing of (n, 3) rows dx, dy, lift, moved to the corner."""
    sketch = from_stroke3(np.concatenate([np.zeros((1, 3)), steps.astype(np.float64)]))
    corner = sketch.points.min(axis=0)
    return Sketch.from_strokes([stroke - corner for stroke in sketch.strokes])
