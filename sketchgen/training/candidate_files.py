"""A folder of rehearsals: what was asked for, which files belong to it, and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sketchgen.errors import CheckpointError, FormatError, SettingError
from sketchgen.sketch.files import write_atomic
from sketchgen.sketch.sketch import Points

CHUNK = 512
"""Beginnings in a file."""

NOTE = "rehearsals.json"
"""The file in which what was asked for is noted."""

_STROKES = pa.list_(pa.list_(pa.float32()))
SCHEMA = pa.schema(
    [
        ("category", pa.string()),
        ("given", _STROKES),
        ("rest", _STROKES),
        ("ways", pa.list_(_STROKES)),
        ("worths", pa.list_(pa.float32())),
    ]
)
"""A row a beginning: what is given, how the person went on, the model's ways, and what each of these is worth
(`evaluation.finishing.completion_values`). A stroke is x, y, x, y, ..., px of the drawing's 255 box."""


@dataclass(frozen=True)
class Rehearsal:
    """What is to be drawn.

    Attributes:
        store: folder of the store.
        split: of it.
        model: name or path of the checkpoint that draws.
        beginnings: how many.
        ways: of the model, for each.
        seed: of everything random.
    """

    store: str
    split: str
    model: str | None
    beginnings: int
    ways: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SettingError: one is outside its limits.
        """
        limits = {"beginnings": (1, 10_000_000), "ways": (1, 64), "seed": (0, 2**31)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingError(f"{name} is {value}; it must be from {low} to {high}")

    @property
    def chunks(self) -> int:
        """How many files there are to be."""
        return -(-self.beginnings // CHUNK)


def chunk_path(folder: Path, number: int) -> Path:
    """Where a chunk stands."""
    return folder / f"rehearsal-{number:05d}.arrow"


def note(folder: Path, rehearsal: Rehearsal) -> None:
    """Note what is drawn into a folder, or refuse to mix it with what was.

    Raises:
        CheckpointError: something else stands there.
        OutputError: it cannot be written.
    """
    file, asked = folder / NOTE, asdict(rehearsal)
    folder.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        write_atomic(file, json.dumps(asked).encode())
        return
    there = _noted(file)
    if there != asked:
        wrong = [name for name in asked if there.get(name) != asked[name]]
        raise CheckpointError(f"{folder} was drawn with another {wrong[0]}; choose another folder")


def _noted(file: Path) -> dict[str, Any]:
    """What a file notes; nothing where it is none."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def noted(folder: Path) -> Rehearsal:
    """What stands in a folder, all of it.

    Raises:
        FormatError: it is no folder of rehearsals, or not all of them have been drawn.
    """
    try:
        rehearsal = Rehearsal(**_noted(folder / NOTE))
    except (TypeError, SettingError) as error:
        remedy = "draw some by sketchgen sample-candidates STORE -o FOLDER"
        raise FormatError(f"{folder} holds no rehearsals; {remedy}") from error
    there = sum(chunk_path(folder, number).exists() for number in range(rehearsal.chunks))
    if there < rehearsal.chunks:
        remedy = "give the command that began it once more"
        raise FormatError(f"{folder} has {there} of {rehearsal.chunks} files of rehearsals; {remedy}")
    return rehearsal


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write a file of rehearsals.

    Raises:
        OutputError: it cannot be written.
    """
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_table(pa.Table.from_pylist(list(rows), SCHEMA))
    write_atomic(path, sink.getvalue().to_pybytes(), force=True)


def read_rows(folder: Path, rehearsal: Rehearsal) -> Iterator[dict[str, Any]]:
    """What was drawn, a row a beginning; see `SCHEMA`.

    Raises:
        FormatError: a file is damaged or missing.
    """
    for number in range(rehearsal.chunks):
        path = chunk_path(folder, number)
        try:
            with pa.memory_map(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
            rows = table.select(SCHEMA.names).cast(SCHEMA).to_pylist()
        except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
            raise FormatError(f"{path} is damaged or missing; delete it and resume") from error
        yield from rows


def known_rows(
    folder: Path, rehearsal: Rehearsal, categories: Sequence[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of `read_rows`, each with the index of its category.

    Raises:
        FormatError: a file is damaged or missing.
        SettingError: a category that is not among these.
    """
    names = {name: index for index, name in enumerate(categories)}
    for row in read_rows(folder, rehearsal):
        if row["category"] not in names:
            raise SettingError(f"{folder} holds {row['category']!r}, which the network does not know")
        yield names[row["category"]], row


def flat(strokes: Sequence[Points]) -> list[list[float]]:
    """Strokes as lists of x, y, x, y, ..."""
    return [stroke.ravel().tolist() for stroke in strokes]


def strokes_of(rows: Sequence[Sequence[float]]) -> list[Points]:
    """The strokes of such lists."""
    return [np.array(stroke).reshape(-1, 2) for stroke in rows]
