"""Select drawings for a store: the rules for dropping a drawing, its key, and its split."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings
from sketchgen.data.simplified import SHORTEST_FILLED
from sketchgen.data.sources import Found
from sketchgen.errors import SketchgenError
from sketchgen.limits import check_range
from sketchgen.sketch.geometry import BOX, simplify_as_quickdraw
from sketchgen.sketch.sketch import Sketch

SPLITS = ("train", "valid", "test")
"""Names of the splits: 90 %, 5 % and 5 % of the drawings."""

MIN_POINTS, MAX_POINTS = 2, 400
"""Bounds on the points of a drawing after simplification; with more, it is a scribble."""

MAX_NAME = 100
"""Maximum length of a category's name."""

UNREADABLE = "not a drawing that can be read"
DUPLICATE = "the same drawing twice"
NO_CATEGORY = "no category"
NOT_RECOGNISED = "not recognised by the game"
OTHER_CATEGORY = "of another category"
TRAINING_ONLY = "falls into validation or test, but is for training only"
BAD_NAME = "its category is no name of a line of up to 100 characters"
TOO_FEW_POINTS = f"fewer than {MIN_POINTS} points"
TOO_MANY_POINTS = f"more than {MAX_POINTS} points"
"""Reasons for dropping a drawing, as reports and `store.json` give them."""


@dataclass(frozen=True)
class Selection:
    """Which drawings go into a store.

    Attributes:
        recognised: only drawings that Quick, Draw!'s game recognised.
        categories: only drawings of these categories; None for all.
        max_per_category: only the drawings with the smallest keys, so many of a category; None for all.

    Raises:
        SettingError: `max_per_category` is less than 1.
    """

    recognised: bool = False
    categories: frozenset[str] | None = None
    max_per_category: int | None = None

    def __post_init__(self) -> None:
        check_range("max_per_category", self.max_per_category, 1)

    def reason_to_drop(self, category: str) -> str | None:
        """Return why drawings of a category are dropped, or None if they are not."""
        if self.categories is not None and category not in self.categories:
            return OTHER_CATEGORY
        return None if is_name(category) else BAD_NAME


def is_name(category: str) -> bool:
    """Return whether a text can name a category: one printable line without spaces around it."""
    return 0 < len(category) <= MAX_NAME and category.isprintable() and category == category.strip()


def drawing_keys(drawings: Drawings) -> NDArray[np.uint64]:
    """Return the key of each drawing, (n,): a 64-bit hash of its category, stroke lengths and points."""
    prefixes = [category.encode() + b"\0" for category in drawings.categories]
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


def split_numbers(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the index in `SPLITS` of each drawing's split, (n,).

    A split depends on the key alone, so that more drawings never move one to another split.
    """
    return np.searchsorted([90, 95], (keys % np.uint64(100)).astype(np.int64), side="right")


def row_of(found: Found, selection: Selection) -> tuple[str, NDArray[np.uint8], list[int]] | str:
    """Return category, points in whole px and stroke lengths of a drawing, or why it is dropped."""
    if isinstance(found, SketchgenError):
        raise found
    category = found.sketch.category
    if category is None:
        return NO_CATEGORY
    if selection.recognised and not found.recognised:
        return NOT_RECOGNISED
    if (reason := selection.reason_to_drop(category)) is not None:
        return reason
    try:
        sketch = _simplified(found.sketch)
    except SketchgenError as error:
        raise type(error)(f"{found.place}: {error}") from error
    points = sketch.points
    if len(points) < MIN_POINTS:
        return TOO_FEW_POINTS
    if len(points) > MAX_POINTS:
        return TOO_MANY_POINTS
    return category, points.astype(np.uint8), [len(stroke) for stroke in sketch.strokes]


def _simplified(sketch: Sketch) -> Sketch:
    """Return a drawing in whole px of the 255 box; one that is simplified already is returned as it is."""
    points = sketch.points
    aligned = len(points) > 0 and not points.min(axis=0).any()
    if aligned and SHORTEST_FILLED <= points.max() <= BOX and bool((points == np.round(points)).all()):
        return sketch
    return simplify_as_quickdraw(sketch)
