"""From Quick, Draw! files to a prepared store: reading, dropping with a reason, splitting by hash."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import from_lists
from sketchgen.data.sources import Found, entries, source_files
from sketchgen.data.store import SPLITS, Drawings, new_store
from sketchgen.drawing.geometry import BOX, simplify_as_quickdraw
from sketchgen.drawing.output import check_replaceable
from sketchgen.drawing.sketch import Sketch
from sketchgen.errors import FormatError, OutputError, SettingError, SketchgenError

FEWEST_POINTS, MOST_POINTS = 2, 400
"""Limits on a drawing's points after simplification; fewer are no drawing, more are scribbles."""

MOST_NAME = 100
"""Longest name of a category."""

MOST_FAULTS = 20
"""How many of the things that cannot be read are named; the others are counted."""

UNREADABLE = "not a drawing that can be read"

SHORTEST_FILLED = 245
"""Longer side, px, from which a drawing that is aligned to 0 counts as simplified already.

Google thins after it scales, so that a fifth of its simplified drawings have lost their outermost point and
end at 248 to 254; to scale and thin those again would lose a few points more.
"""

Progress = Callable[[str, int], None]
"""Called with a file's name and the number of drawings read from it."""


@dataclass(frozen=True)
class Wanted:
    """Which drawings are taken.

    Attributes:
        recognised: only those that Quick, Draw!'s game recognised.
        categories: only these; None for all.
        most: at most so many of each category, those with the smallest hashes; None for all.
        fewest_points, most_points: limits after simplification.
    """

    recognised: bool = False
    categories: frozenset[str] | None = None
    most: int | None = None
    fewest_points: int = FEWEST_POINTS
    most_points: int = MOST_POINTS

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            SettingError: they leave nothing.
        """
        if self.most is not None and self.most < 1:
            raise SettingError(f"most must be 1 or more drawings of a category, not {self.most}")
        if not 1 <= self.fewest_points <= self.most_points <= MOST_POINTS:
            limits = f"{self.fewest_points} to {self.most_points}"
            raise SettingError(f"points must be from 1 to {MOST_POINTS}, the fewest first, not {limits}")


@dataclass(frozen=True)
class PrepareReport:
    """What `prepare` did.

    Attributes:
        kept: number of drawings in each split.
        categories: the names, sorted.
        dropped: number of drawings left out, by reason.
        faults: what could not be read, file and place first; at most `MOST_FAULTS` of them.
        statistics: points a drawing, the offsets' standard deviation in px, and drawings by category.
    """

    kept: dict[str, int]
    categories: list[str]
    dropped: dict[str, int]
    faults: list[str]
    statistics: dict[str, Any]

    def text(self) -> str:
        """The report for a person, a few lines."""
        total = sum(self.kept.values())
        splits = ", ".join(f"{count} {split}" for split, count in self.kept.items())
        lines = [f"kept {total} drawings in {len(self.categories)} categories ({splits})"]
        dropped = [f"dropped {count}: {reason}" for reason, count in sorted(self.dropped.items())]
        lines += dropped or ["dropped none"]
        lines += [f"  {fault}" for fault in self.faults]
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


def _boxed(sketch: Sketch, wanted: Wanted) -> tuple[NDArray[np.uint8], list[int]] | str:
    """A drawing's whole px in the 255 box and its strokes' lengths, or the reason why it is dropped.

    Simplified drawings that fill the box pass as they are; anything else is simplified first.
    """
    points = sketch.points
    aligned = len(points) > 0 and not points.min(axis=0).any()
    fills = aligned and SHORTEST_FILLED <= points.max() <= BOX
    if not (fills and bool((points == np.round(points)).all())):
        sketch = simplify_as_quickdraw(sketch)
        points = sketch.points
    if len(points) < wanted.fewest_points:
        return f"fewer than {wanted.fewest_points} points"
    if len(points) > wanted.most_points:
        return f"more than {wanted.most_points} points"
    return points.astype(np.uint8), [len(stroke) for stroke in sketch.strokes]


def _row(found: Found, wanted: Wanted) -> tuple[str, NDArray[np.uint8], list[int]] | str:
    """Category, points and stroke lengths of a drawing, or the reason why it is dropped.

    Raises:
        SketchgenError: it cannot be read, or not be simplified; the message names its place.
    """
    if isinstance(found, SketchgenError):
        raise found
    category = found.sketch.category
    if category is None:
        return "no category"
    if wanted.recognised and not found.recognised:
        return "not recognised by the game"
    if wanted.categories is not None and category not in wanted.categories:
        return "of another category"
    if not is_name(category):
        return "its category is no name of a line of up to 100 characters"
    try:
        boxed = _boxed(found.sketch, wanted)
    except SketchgenError as error:
        raise type(error)(f"{found.place}: {error}") from error
    return boxed if isinstance(boxed, str) else (category, *boxed)


def is_name(category: str) -> bool:
    """Whether a text can stand as a category: a line that can be printed, without spaces around it."""
    return 0 < len(category) <= MOST_NAME and category.isprintable() and category == category.strip()


@dataclass
class _Collected:
    """What was found in the sources.

    Attributes:
        rows: key, points and stroke lengths of every distinct drawing, by category.
        dropped: how many drawings were left out, by reason.
        faults: what could not be read, with its place: the first `MOST_FAULTS`.
    """

    rows: dict[str, list[tuple[int, NDArray[np.uint8], list[int]]]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def categories(self) -> list[str]:
        """The names that occur, sorted."""
        return sorted(self.rows)

    def drawings(self) -> Drawings:
        """All of them in the order of their keys."""
        found = [
            (key, index, *row) for index, name in enumerate(self.categories) for key, *row in self.rows[name]
        ]
        found.sort(key=lambda row: row[0])
        keys, indices, points, lengths = zip(*found, strict=True)
        return from_lists(indices, keys, lengths, points, self.categories)


def _collect(files: Sequence[Path], wanted: Wanted, progress: Progress | None) -> _Collected:
    """Every distinct drawing that is wanted."""
    collected, seen = _Collected(), set[int]()
    for file in files:
        count = 0
        for found in entries(file):
            try:
                row = _row(found, wanted)
            except SketchgenError as error:
                row = UNREADABLE
                if len(collected.faults) < MOST_FAULTS:
                    collected.faults.append(str(error))
            if isinstance(row, str):
                collected.dropped[row] += 1
                continue
            category, points, lengths = row
            key = drawing_key(points, lengths, category)
            if key in seen:
                collected.dropped["the same drawing twice"] += 1
                continue
            seen.add(key)
            collected.rows.setdefault(category, []).append((key, points, lengths))
            count += 1
        if progress is not None:
            progress(file.name, count)
    _cap(collected, wanted.most)
    return collected


def _cap(collected: _Collected, most: int | None) -> None:
    """Keep at most so many drawings of each category: those with the smallest keys, whatever the order."""
    for category, rows in collected.rows.items():
        if most is not None and len(rows) > most:
            collected.dropped[f"beyond {most} of their category"] += len(rows) - most
            kept = {key for key, _, _ in sorted(rows, key=lambda row: row[0])[:most]}
            collected.rows[category] = [row for row in rows if row[0] in kept]


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
    sources: Sequence[Path],
    out: Path,
    wanted: Wanted | None = None,
    *,
    strict: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> PrepareReport:
    """Turn files of drawings into a prepared store in folder `out`.

    Args:
        sources: Quick, Draw! ndjson (simplified or raw, also .gz) or binary files, sketch-rnn .npz, SVGs and
            canvas JSON in folders by category; or folders of any of them.
        out: the store's folder.
        wanted: which drawings are taken.
        strict: write nothing if something could not be read.
        force: replace a store that stands there.
        progress: called after each file.

    Raises:
        FormatError: a source is missing or holds no drawing; or, with `strict`, something cannot be read.
        OutputError: `out` exists and `force` is false, or cannot be written.
    """
    out = Path(out)
    check_replaceable(out, "store.json", "a store", force=force)
    collected = _collect(source_files([Path(each) for each in sources]), wanted or Wanted(), progress)
    if strict and collected.dropped[UNREADABLE]:
        count = collected.dropped[UNREADABLE]
        raise FormatError(f"{count} could not be read, nothing was written; the first: {collected.faults[0]}")
    if not collected.rows:
        why = "".join(f"; {count} {reason}" for reason, count in sorted(collected.dropped.items()))
        raise FormatError(f"no drawing in {', '.join(str(source) for source in sources)}{why}")
    whole, categories = collected.drawings(), collected.categories
    splits = np.array([SPLITS.index(split_of(int(key))) for key in whole.key])
    parts = [whole.take(np.flatnonzero(splits == number)) for number in range(len(SPLITS))]
    kept = {split: len(part) for split, part in zip(SPLITS, parts, strict=True)}
    dropped = dict(collected.dropped)
    report = PrepareReport(kept, categories, dropped, collected.faults, _statistics(parts))
    try:
        with new_store(out) as store:
            for split, part in zip(SPLITS, parts, strict=True):
                store.add(split, part)
            store.finish(vars(report))
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror or error}") from error
    return report


def read_drawings(source: Path) -> tuple[Drawings, list[str]]:
    """All drawings of a file or a folder, unsplit, and their categories; see `prepare` for what is read.

    Raises:
        FormatError: nothing there, or no drawing in it.
    """
    collected = _collect(source_files([Path(source)]), Wanted(), None)
    if not collected.rows:
        raise FormatError(f"no drawing in {source}")
    return collected.drawings(), collected.categories
