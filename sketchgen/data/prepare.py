"""From Quick, Draw! files to a prepared store: reading, dropping with a reason, splitting by hash."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.store import SPLITS, STORE_VERSION, Drawings, TableWriter, from_table, write_store
from sketchgen.drawing.geometry import BOX, simplify_as_quickdraw
from sketchgen.drawing.output import check_replaceable
from sketchgen.drawing.quickdraw_line import parse_line
from sketchgen.drawing.sketch import Sketch
from sketchgen.errors import FormatError, OutputError, SketchgenError

FEWEST_POINTS, MOST_POINTS = 2, 400
"""Limits on a drawing's points after simplification; fewer are no drawing, more are scribbles."""

SHORTEST_FILLED = 245
"""Longer side, px, from which a drawing that is aligned to 0 counts as simplified already.

Google thins after it scales, so that a fifth of its simplified drawings have lost their outermost point and
end at 248 to 254; to scale and thin those again would lose a few points more.
"""

Progress = Callable[[str, int], None]
"""Called with a file's name and the number of drawings read from it."""


@dataclass(frozen=True)
class PrepareReport:
    """What `prepare` did.

    Attributes:
        kept: number of drawings in each split.
        categories: the names, sorted.
        dropped: number of drawings left out, by reason.
        statistics: points a drawing, the offsets' standard deviation in px, and drawings by category.
    """

    kept: dict[str, int]
    categories: list[str]
    dropped: dict[str, int]
    statistics: dict[str, Any]

    def text(self) -> str:
        """The report for a person, a few lines."""
        total = sum(self.kept.values())
        splits = ", ".join(f"{count} {split}" for split, count in self.kept.items())
        lines = [f"kept {total} drawings in {len(self.categories)} categories ({splits})"]
        dropped = [f"dropped {count}: {reason}" for reason, count in sorted(self.dropped.items())]
        lines += dropped or ["dropped none"]
        points = self.statistics["points"]
        mean, most = f"mean {points['mean']:.1f}", f"most {points['max']}"
        lines.append(f"points a drawing: {mean}, 95 % under {points['p95']:.0f}, {most}")
        return "\n".join(lines)


def drawing_key(points: NDArray[np.uint8], stroke_lengths: Sequence[int], category: str) -> int:
    """64-bit hash of a drawing and its category; it alone decides the split."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(category.encode() + b"\0")
    digest.update(np.asarray(stroke_lengths, dtype="<u4").tobytes())
    digest.update(np.ascontiguousarray(points).tobytes())
    return int.from_bytes(digest.digest(), "little")


def split_of(key: int) -> str:
    """The split of a drawing: 90 % train, 5 % valid, 5 % test, whatever else is in the store."""
    part = key % 100
    return SPLITS[0] if part < 90 else SPLITS[1] if part < 95 else SPLITS[2]


def source_files(sources: Sequence[Path]) -> list[Path]:
    """The ndjson files that are named, or stand in the folders that are named, sorted by name.

    Raises:
        FormatError: a source that does not exist, or nothing in it.
    """
    files: list[Path] = []
    for source in sources:
        found = sorted(source.glob("*.ndjson")) if source.is_dir() else [source]
        if not source.exists():
            raise FormatError(f"{source} does not exist; name ndjson files or folders of them")
        if not found:
            raise FormatError(f"{source} holds no .ndjson file")
        files += found
    return files


def _boxed(sketch: Sketch) -> tuple[NDArray[np.uint8], list[int]] | str:
    """A drawing's whole px in the 255 box and its strokes' lengths, or the reason why it is dropped.

    Simplified drawings that fill the box pass as they are; anything else is simplified first.
    """
    points = sketch.points
    aligned = len(points) > 0 and not points.min(axis=0).any()
    fills = aligned and SHORTEST_FILLED <= points.max() <= BOX
    if not (fills and bool((points == np.round(points)).all())):
        sketch = simplify_as_quickdraw(sketch)
        points = sketch.points
    if len(points) < FEWEST_POINTS:
        return f"fewer than {FEWEST_POINTS} points"
    if len(points) > MOST_POINTS:
        return f"more than {MOST_POINTS} points"
    return points.astype(np.uint8), [len(stroke) for stroke in sketch.strokes]


def _rows(file: Path, dropped: Counter[str]) -> Iterator[tuple[str, NDArray[np.uint8], list[int]]]:
    """Category, points and stroke lengths of each drawing in an ndjson file; the others are counted."""
    try:
        stream = file.open("rb")
    except OSError as error:
        raise FormatError(f"{file} cannot be read: {error.strerror}") from error
    with stream:
        for line in stream:
            if not line.strip():
                continue
            try:
                sketch = parse_line(line, file.name)
                boxed = "no category" if sketch.category is None else _boxed(sketch)
            except SketchgenError:
                dropped["not a drawing that can be read"] += 1
                continue
            if isinstance(boxed, str):
                dropped[boxed] += 1
                continue
            assert sketch.category is not None
            yield sketch.category, *boxed


def _collect(
    files: Sequence[Path], dropped: Counter[str], progress: Progress | None
) -> dict[str, list[tuple[int, NDArray[np.uint8], list[int]]]]:
    """Key, points and stroke lengths of every distinct drawing, by category."""
    found: dict[str, list[tuple[int, NDArray[np.uint8], list[int]]]] = {}
    seen: set[int] = set()
    for file in files:
        count = 0
        for category, points, lengths in _rows(file, dropped):
            key = drawing_key(points, lengths, category)
            if key in seen:
                dropped["the same drawing twice"] += 1
                continue
            seen.add(key)
            found.setdefault(category, []).append((key, points, lengths))
            count += 1
        if progress is not None:
            progress(file.name, count)
    return found


def _statistics(drawings: Sequence[Drawings]) -> dict[str, Any]:
    """Figures over all splits; the offsets' deviation from the first (training) split only."""
    lengths = np.concatenate([part.lengths for part in drawings])
    train = drawings[0]
    inner = np.ones(len(train.points), dtype=bool)
    inner[train.start[:-1]] = False
    offsets = np.diff(train.points.astype(np.float64), axis=0, prepend=0.0)[inner]
    names = train.categories
    counts = np.bincount(np.concatenate([part.category for part in drawings]), minlength=len(names))
    return {
        "points": {
            "mean": float(lengths.mean()),
            "p95": float(np.quantile(lengths, 0.95)),
            "max": int(lengths.max()),
        },
        "offset_deviation": float(offsets.std()) if len(offsets) else 1.0,
        "by_category": {name: int(count) for name, count in zip(names, counts, strict=True)},
    }


def prepare(
    sources: Sequence[Path], out: Path, *, force: bool = False, progress: Progress | None = None
) -> PrepareReport:
    """Turn Quick, Draw! ndjson files (simplified or raw) into a prepared store in folder `out`.

    Raises:
        FormatError: a source is missing or holds no drawing.
        OutputError: `out` exists and `force` is false, or cannot be written.
    """
    out = Path(out)
    check_replaceable(out, "store.json", "a store", force=force)
    dropped: Counter[str] = Counter()
    found = _collect(source_files([Path(source) for source in sources]), dropped, progress)
    if not found:
        raise FormatError(f"no drawing in {', '.join(str(source) for source in sources)}")
    categories = sorted(found)
    writers = {split: TableWriter() for split in SPLITS}
    for index, category in enumerate(categories):
        for key, points, lengths in found[category]:
            writers[split_of(key)].add(index, key, lengths, points)
    tables = {split: writer.table() for split, writer in writers.items()}
    parts = [from_table(table, categories) for table in tables.values()]
    report = PrepareReport(
        kept={split: len(part) for split, part in zip(SPLITS, parts, strict=True)},
        categories=categories,
        dropped=dict(dropped),
        statistics=_statistics(parts),
    )
    summary = {
        "version": STORE_VERSION,
        "categories": categories,
        "kept": report.kept,
        "dropped": report.dropped,
        "statistics": report.statistics,
    }
    try:
        write_store(out, tables, summary)
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror or error}") from error
    return report


def read_drawings(source: Path) -> tuple[Drawings, list[str]]:
    """All drawings of an ndjson file or a folder of them, unsplit, and their categories.

    Raises:
        FormatError: nothing there, or no drawing in it.
    """
    found = _collect(source_files([Path(source)]), Counter(), None)
    if not found:
        raise FormatError(f"no drawing in {source}")
    categories = sorted(found)
    writer = TableWriter()
    for index, category in enumerate(categories):
        for key, points, lengths in found[category]:
            writer.add(index, key, lengths, points)
    return from_table(writer.table(), categories), categories
