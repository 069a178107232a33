"""The prepared store: Arrow files, opened memory-mapped, one a split, and a `store.json` beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sketchgen.drawing.output import whole_folder
from sketchgen.drawing.sketch import Sketch
from sketchgen.drawing.strokes import split_strokes
from sketchgen.errors import FormatError

SPLITS = ("train", "valid", "test")
"""Names of the splits; 90, 5 and 5 in a hundred of the drawings."""

STORE_VERSION = 1

SCHEMA = pa.schema(
    [
        ("category", pa.uint16()),
        ("key", pa.uint64()),
        ("stroke_lengths", pa.list_(pa.uint16())),
        ("points", pa.list_(pa.uint8())),
    ]
)
"""One row a drawing: x and y interleaved, in whole px of the 255 box."""


@dataclass(frozen=True)
class Drawings:
    """Many drawings as flat arrays, in the 255 box.

    Attributes:
        category: (n,) index into `categories`.
        key: (n,) hash of each drawing; the same drawing has the same key in any store.
        start: (n + 1,) where each drawing's points begin in `points`.
        points: (p, 2) uint8 px.
        lift: (p,) true at the last point of each stroke.
        categories: the names.
    """

    category: NDArray[np.int64]
    key: NDArray[np.uint64]
    start: NDArray[np.int64]
    points: NDArray[np.uint8]
    lift: NDArray[np.bool_]
    categories: tuple[str, ...]

    def __len__(self) -> int:
        """Number of drawings."""
        return len(self.category)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) number of points of each drawing."""
        return np.diff(self.start)

    def sketch(self, index: int) -> Sketch:
        """Drawing `index` as a Sketch in the 255 box."""
        first, last = int(self.start[index]), int(self.start[index + 1])
        points = self.points[first:last].astype(np.float64)
        strokes = split_strokes(points, self.lift[first:last])
        return Sketch.from_strokes(strokes, category=self.categories[int(self.category[index])])

    def known_as(self, categories: Sequence[str]) -> NDArray[np.int64]:
        """(n,) index of each drawing's category in other names; their number where it is not among them."""
        index = {name: number for number, name in enumerate(categories)}
        table = np.array([index.get(name, len(index)) for name in self.categories], dtype=np.int64)
        return table[self.category]

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> Drawings:
        """The drawings at `indices`, in that order."""
        indices = np.asarray(indices, dtype=np.int64)
        lengths = self.lengths[indices]
        start = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.arange(start[-1]) + np.repeat(self.start[indices] - start[:-1], lengths)
        return Drawings(
            self.category[indices],
            self.key[indices],
            start,
            self.points[rows],
            self.lift[rows],
            self.categories,
        )


def from_table(table: pa.Table, categories: Sequence[str]) -> Drawings:
    """The columns of a store's table as `Drawings`; points are not copied where the table is in one chunk."""
    table = table.combine_chunks()

    def column(name: str) -> Any:
        values = table.column(name)
        return values.chunk(0) if values.num_chunks else pa.array([], SCHEMA.field(name).type)

    strokes, points = column("stroke_lengths"), column("points")
    lengths = strokes.flatten().to_numpy().astype(np.int64)
    flat = points.flatten().to_numpy().reshape(-1, 2)
    lift = np.zeros(len(flat), dtype=bool)
    lift[np.cumsum(lengths) - 1] = True
    offsets = points.offsets.to_numpy().astype(np.int64)
    return Drawings(
        category=column("category").to_numpy().astype(np.int64),
        key=column("key").to_numpy(),
        start=(offsets - offsets[0]) // 2,
        points=flat,
        lift=lift,
        categories=tuple(categories),
    )


@dataclass
class TableWriter:
    """Collects drawings as rows of `SCHEMA`."""

    category: list[int] = field(default_factory=list)
    key: list[int] = field(default_factory=list)
    stroke_lengths: list[list[int]] = field(default_factory=list)
    points: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, category: int, key: int, stroke_lengths: list[int], points: NDArray[np.uint8]) -> None:
        """Add a drawing of (p, 2) uint8 points."""
        self.category.append(category)
        self.key.append(key)
        self.stroke_lengths.append(stroke_lengths)
        self.points.append(points.reshape(-1))

    def table(self) -> pa.Table:
        """What was collected, as a table."""
        columns = [self.category, self.key, self.stroke_lengths, self.points]
        arrays = [pa.array(values, type=item.type) for values, item in zip(columns, SCHEMA, strict=True)]
        return pa.table(arrays, schema=SCHEMA)


def write_store(out: Path, tables: dict[str, pa.Table], summary: dict[str, Any]) -> None:
    """Write a store so that `out` is either whole or not there: into a sibling folder, then renamed."""
    with whole_folder(out) as work:
        for split, table in tables.items():
            with (
                pa.OSFile(str(work / f"{split}.arrow"), "wb") as sink,
                pa.ipc.new_file(sink, SCHEMA) as writer,
            ):
                writer.write_table(table)
        text = json.dumps(summary, indent=1, ensure_ascii=False) + "\n"
        (work / "store.json").write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Store:
    """A prepared store, opened.

    Attributes:
        path: its folder.
        summary: what `store.json` says: version, categories, counts, statistics, what was dropped.
    """

    path: Path
    summary: dict[str, Any]

    @classmethod
    def open(cls, path: Path | str) -> Store:
        """Open the store in folder `path`; milliseconds, nothing is read but `store.json`.

        Raises:
            FormatError: no store is there, or one of another version.
        """
        path = Path(path)
        try:
            summary = json.loads((path / "store.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FormatError(f"{path} is not a prepared store; make one with `sketchgen prepare`") from error
        version = summary.get("version") if isinstance(summary, dict) else None
        if version != STORE_VERSION:
            raise FormatError(f"{path} is a store of version {version}, this program reads {STORE_VERSION}")
        return cls(path, summary)

    @property
    def categories(self) -> list[str]:
        """The categories' names, sorted; a drawing's category is an index into them."""
        return list(self.summary["categories"])

    def split(self, name: str) -> Drawings:
        """The drawings of one split, memory-mapped.

        Raises:
            FormatError: no such split, or its file is damaged.
        """
        if name not in SPLITS:
            raise FormatError(f"no split {name!r}; there are {', '.join(SPLITS)}")
        file = self.path / f"{name}.arrow"
        try:
            table = pa.ipc.open_file(pa.memory_map(str(file), "r")).read_all()
        except (OSError, pa.ArrowInvalid) as error:
            raise FormatError(f"{file} is damaged or missing; prepare the store again") from error
        if table.schema != SCHEMA:
            raise FormatError(f"{file} is not a split of a store; prepare the store again")
        return from_table(table, self.categories)
