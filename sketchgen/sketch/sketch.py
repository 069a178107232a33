"""`Sketch`, the one type that carries a drawing through the program, and `Completion`, given and added."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sketchgen.errors import SketchError

if TYPE_CHECKING:
    from sketchgen.formats.svg_writer import Style

MAX_COORDINATE = 1e9
"""Largest absolute coordinate taken, in the drawing's own units; float32 models lose a drawing beyond it."""

MAX_PAGE = 10 * MAX_COORDINATE
"""Largest side of a page, and farthest corner: room for every point that is taken, and a margin."""

MAX_POINTS = 200_000
"""Most points taken in one drawing; the largest Quick, Draw! raw drawings hold a few thousand."""

Points = NDArray[np.float64]
"""(n, 2) x, y in the drawing's own units, y down."""


class Box(NamedTuple):
    """An axis-aligned rectangle in the drawing's own units: a page, or the bounds of some ink."""

    x: float
    y: float
    width: float
    height: float

    @property
    def longer(self) -> float:
        """The longer of the two sides."""
        return max(self.width, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the rectangle."""
        return self.x + self.width / 2, self.y + self.height / 2


def _stroke(values: ArrayLike, index: int) -> Points:
    """Check one stroke and return its own read-only copy, (n, 2) float64."""
    try:
        points = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise SketchError(f"stroke {index} is not a list of (x, y) numbers") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise SketchError(f"stroke {index} must be one or more (x, y) points, its shape is {points.shape}")
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        x, y = points[int(np.argmin(finite))]
        raise SketchError(f"stroke {index} has a point that is not finite: ({x}, {y})")
    far = np.abs(points).max(axis=1) > MAX_COORDINATE
    if far.any():
        x, y = points[int(np.argmax(far))]
        raise SketchError(
            f"stroke {index} has a point beyond {MAX_COORDINATE:g}: ({x:g}, {y:g}); scale the drawing down"
        )
    points.flags.writeable = False
    return points


@dataclass(frozen=True, eq=False)
class Sketch:
    """An immutable drawing: ordered strokes in absolute coordinates, y down, in the units of its source.

    Build one with `Sketch.from_strokes`, which checks; the constructor trusts its arguments.

    Attributes:
        strokes: one read-only (n, 2) float64 array a stroke, n >= 1. A stroke of one point is a dot.
        page: the page the drawing stands on, if it is known (an SVG's viewBox, a canvas).
        category: what it shows, if it is known (Quick, Draw!'s `word`).
    """

    strokes: tuple[Points, ...] = ()
    page: Box | None = None
    category: str | None = None

    @classmethod
    def from_strokes(
        cls,
        strokes: Iterable[ArrayLike],
        *,
        page: Box | Sequence[float] | None = None,
        category: str | None = None,
    ) -> Sketch:
        """Build a drawing from strokes, each a sequence of (x, y).

        Args:
            strokes: any iterable of (n, 2) array-likes; they are copied.
            page: x, y, width, height of the page, in the same units.
            category: what the drawing shows.

        Raises:
            SketchError: a stroke is empty, not (n, 2), not finite or beyond `MAX_COORDINATE`; more than
                `MAX_POINTS` points; a page without area.
        """
        kept: list[Points] = []
        total = 0
        for index, values in enumerate(strokes):
            stroke = _stroke(values, index)
            total += len(stroke)
            if total > MAX_POINTS:
                raise SketchError(f"more than {MAX_POINTS} points in one drawing; simplify it or split it")
            kept.append(stroke)
        return cls(tuple(kept), None if page is None else _page(page), category)

    @property
    def point_count(self) -> int:
        """Number of points over all strokes."""
        return sum(len(stroke) for stroke in self.strokes)

    @property
    def is_empty(self) -> bool:
        """True for a drawing without any stroke."""
        return not self.strokes

    @cached_property
    def points(self) -> Points:
        """All points in drawing order, (n, 2), read-only."""
        points = np.concatenate(self.strokes) if self.strokes else np.zeros((0, 2))
        points.flags.writeable = False
        return points

    @cached_property
    def bounds(self) -> Box | None:
        """The smallest box around the points, or None for an empty drawing."""
        if not self.strokes:
            return None
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))

    def replaced(self, *, page: Box | None = None, category: str | None = None) -> Sketch:
        """The same strokes (the same arrays) with another page or category where one is named."""
        return Sketch(self.strokes, page or self.page, category or self.category)

    def to_svg(self, style: Style | None = None) -> str:
        """The drawing as the text of an SVG file; same drawing and style, same bytes."""
        from sketchgen.formats.svg_writer import sketch_to_svg

        return sketch_to_svg(self, style)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the drawing to `path`; the suffix picks the format (.svg, .png, .json, .ndjson).

        Raises:
            OutputError: the file exists and `force` is false, or it cannot be written.
            FormatError: no writer for that suffix.
        """
        from sketchgen.formats.read_write import write

        write(self, path, force=force)

    def _repr_svg_(self) -> str:
        """How a notebook shows the drawing."""
        return self.to_svg()

    def __eq__(self, other: object) -> bool:
        """Equal when page, category and every coordinate are equal."""
        if not isinstance(other, Sketch):
            return NotImplemented
        return (
            self.page == other.page
            and self.category == other.category
            and len(self.strokes) == len(other.strokes)
            and all(np.array_equal(a, b) for a, b in zip(self.strokes, other.strokes, strict=True))
        )

    def __hash__(self) -> int:
        """Hash of the coordinates, so that equal drawings meet in a set."""
        # Adding 0.0 turns -0.0 into 0.0: the two are equal, so their hashes must be.
        return hash((self.page, self.category, tuple((stroke + 0.0).tobytes() for stroke in self.strokes)))

    def __repr__(self) -> str:
        """A short line: counts, page and category, never the points."""
        parts = [f"{len(self.strokes)} strokes", f"{self.point_count} points"]
        if self.page is not None:
            parts.append(f"page {self.page.width:g} x {self.page.height:g}")
        if self.category is not None:
            parts.append(repr(self.category))
        return f"Sketch({', '.join(parts)})"


def _page(page: Box | Sequence[float]) -> Box:
    """Check a page given as four numbers."""
    try:
        values = [float(value) for value in page]
    except (TypeError, ValueError, OverflowError) as error:
        raise SketchError(f"a page is four numbers: x, y, width, height; got {str(page)[:60]}") from error
    if len(values) != 4 or not np.isfinite(values).all():
        raise SketchError(f"a page is x, y, width, height; got {tuple(values[:5])}")
    box = Box(*values)
    if max(abs(box.x), abs(box.y)) > MAX_PAGE:
        raise SketchError(f"a page's corner lies beyond {MAX_PAGE:g}: ({box.x:g}, {box.y:g})")
    if not (0 < box.width <= MAX_PAGE and 0 < box.height <= MAX_PAGE):
        raise SketchError(
            f"a page needs a width and a height above 0, at most {MAX_PAGE:g}; "
            f"got {box.width:g} x {box.height:g}"
        )
    return box


@dataclass(frozen=True, eq=False)
class Completion:
    """A drawing that a person began and a model completed.

    Attributes:
        given: the very object that was to be completed.
        added: what was added, in the same coordinates and on the same page. Where it continues the last given
            stroke, its first stroke starts at that stroke's last point.
        ended: whether the model ended the drawing (False: it was stopped at the limit).
        log_likelihood: natural log of the density of the added steps under the model at temperature 1, in
            the model's frame (255 box). Comparable between completions of the same drawing only.
    """

    given: Sketch
    added: Sketch
    ended: bool = True
    log_likelihood: float = 0.0

    @cached_property
    def whole(self) -> Sketch:
        """Given and added strokes as one drawing."""
        return Sketch(self.given.strokes + self.added.strokes, self.added.page, self.added.category)

    def to_svg(self, style: Style | None = None) -> str:
        """The completion as the text of an SVG file, given and added strokes as two groups."""
        from sketchgen.formats.svg_writer import completion_to_svg

        return completion_to_svg(self, style)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the completion to `path` with given and added told apart; see `Sketch.save`."""
        from sketchgen.formats.read_write import write

        write(self, path, force=force)

    def _repr_svg_(self) -> str:
        """How a notebook shows the completion."""
        return self.to_svg()
