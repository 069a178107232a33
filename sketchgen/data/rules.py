"""What becomes of a drawing: whether it is wanted, why it is dropped, its key, and the split that follows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings
from sketchgen.data.simplified import SHORTEST_FILLED
from sketchgen.data.sources import Found
from sketchgen.errors import SettingError, SketchgenError
from sketchgen.sketch.geometry import BOX, simplify_as_quickdraw
from sketchgen.sketch.sketch import Sketch

SPLITS = ("train", "valid", "test")
"""Names of the splits; 90, 5 and 5 in a hundred of the drawings."""

MIN_POINTS, MAX_POINTS = 2, 400
"""Limits on a drawing's points after simplification; fewer are no drawing, more are scribbles."""

MAX_NAME = 100
"""Longest name of a category."""

UNREADABLE = "not a drawing that can be read"
TWICE = "the same drawing twice"
NO_CATEGORY = "no category"
NOT_RECOGNISED = "not recognised by the game"
OTHER_CATEGORY = "of another category"
TRAINING_ONLY = "falls into validation or test, but is for training only"
NO_NAME = "its category is no name of a line of up to 100 characters"
"""Why drawings are dropped."""


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
    fewest_points: int = MIN_POINTS
    most_points: int = MAX_POINTS

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            SettingError: they leave nothing.
        """
        if self.most is not None and self.most < 1:
            raise SettingError(f"most must be 1 or more drawings of a category, not {self.most}")
        if not 1 <= self.fewest_points <= self.most_points <= MAX_POINTS:
            limits = f"{self.fewest_points} to {self.most_points}"
            raise SettingError(f"points must be from 1 to {MAX_POINTS}, the fewest first, not {limits}")

    @property
    def too_few(self) -> str:
        """Why a drawing of fewer points is dropped."""
        return f"fewer than {self.fewest_points} points"

    @property
    def too_many(self) -> str:
        """Why a drawing of more points is dropped."""
        return f"more than {self.most_points} points"

    @property
    def beyond(self) -> str:
        """Why a drawing is dropped where there are more than `most` of its category."""
        return f"beyond {self.most} of their category"

    def refuses(self, category: str) -> str | None:
        """Why drawings of a category are dropped; None where they are not."""
        if self.categories is not None and category not in self.categories:
            return OTHER_CATEGORY
        return None if is_name(category) else NO_NAME


def is_name(category: str) -> bool:
    """Whether a text can stand as a category: a line that can be printed, without spaces around it."""
    return 0 < len(category) <= MAX_NAME and category.isprintable() and category == category.strip()


def drawing_key(points: NDArray[np.uint8], stroke_lengths: Sequence[int], category: str) -> int:
    """64-bit hash of a drawing and its category; it alone decides the split."""
    lengths = np.asarray(stroke_lengths, dtype="<u4").tobytes()
    return int.from_bytes(
        _digest(_prefix(category) + lengths + np.ascontiguousarray(points).tobytes()), "little"
    )


def drawing_keys(drawings: Drawings) -> NDArray[np.uint64]:
    """(n,) `drawing_key` of each drawing."""
    prefixes = [_prefix(category) for category in drawings.categories]
    ends = np.flatnonzero(drawings.lift) + 1
    lengths = np.diff(ends, prepend=0).astype("<u4").tobytes()
    points = drawings.points.tobytes()
    stroke_at = (4 * np.searchsorted(ends, drawings.start, side="right")).tolist()
    point_at = (2 * drawings.start).tolist()
    blake2b = hashlib.blake2b
    digests = [
        blake2b(prefixes[category] + lengths[low:high] + points[first:last], digest_size=8).digest()
        for category, low, high, first, last in zip(
            drawings.category.tolist(), stroke_at, stroke_at[1:], point_at, point_at[1:], strict=False
        )
    ]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _prefix(category: str) -> bytes:
    """What is hashed before a drawing."""
    return category.encode() + b"\0"


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()


def split_of(key: int) -> str:
    """The split of a drawing: 90 % train, 5 % valid, 5 % test, whatever else is in the store."""
    return SPLITS[int(split_numbers(np.array([key], dtype=np.uint64))[0])]


def split_numbers(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(n,) index in `SPLITS` of the split of each drawing."""
    return np.searchsorted([90, 95], (keys % np.uint64(100)).astype(np.int64), side="right")


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
        return wanted.too_few
    if len(points) > wanted.most_points:
        return wanted.too_many
    return points.astype(np.uint8), [len(stroke) for stroke in sketch.strokes]


def row_of(found: Found, wanted: Wanted) -> tuple[str, NDArray[np.uint8], list[int]] | str:
    """Category, points and stroke lengths of a drawing, or the reason why it is dropped.

    Raises:
        SketchgenError: it cannot be read, or not be simplified; the message names its place.
    """
    if isinstance(found, SketchgenError):
        raise found
    category = found.sketch.category
    if category is None:
        return NO_CATEGORY
    if wanted.recognised and not found.recognised:
        return NOT_RECOGNISED
    refused = wanted.refuses(category)
    if refused is not None:
        return refused
    try:
        boxed = _boxed(found.sketch, wanted)
    except SketchgenError as error:
        raise type(error)(f"{found.place}: {error}") from error
    return boxed if isinstance(boxed, str) else (category, *boxed)
