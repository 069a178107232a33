"""`Sketch`, an immutable drawing, and `Completion`, a drawing of given and added strokes."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sketchgen.errors import SketchError, printable
from sketchgen.limits import shortened

MAX_COORDINATE = 1e9
"""Maximum absolute coordinate, in the drawing's own units; float32 models lose a drawing beyond it."""

MAX_PAGE = 10 * MAX_COORDINATE
"""Maximum side of a page, and distance of its corner: room for every valid point and a margin."""

MAX_POINTS = 200_000
"""Maximum number of points of a drawing; the largest raw drawings of Quick, Draw! have a few thousand."""

Points = NDArray[np.float64]
"""(n, 2) x, y in the drawing's own units, y down."""

Values = NDArray[np.float64]
"""(n,) a number for each point of a stroke; NaN where it is unknown."""


class Box(NamedTuple):
    """An axis-aligned rectangle: a page, or the bounds of some strokes."""

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
        """The centre of the rectangle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Layer:
    """Consecutive strokes of a drawing that a file has on one layer.

    Attributes:
        name: what the file calls the layer; None for strokes that are on none.
        colours: of each stroke, as "#rrggbb"; None where it has no single one.
    """

    name: str | None
    colours: tuple[str | None, ...]


@dataclass(frozen=True)
class Sheet:
    """What a file says about the paper and the pens of its drawing.

    Attributes:
        size: physical width and height, such as ("210mm", "297mm"); None if they are unknown.
        layers: all strokes, in drawing order.
        pen: width of most lines, in the drawing's units; None if they have none.
    """

    size: tuple[str, str] | None = None
    layers: tuple[Layer, ...] = ()
    pen: float | None = None


def _stroke(values: ArrayLike, index: int) -> Points:
    """Return a checked, read-only copy of a stroke, (n, 2) float64."""
    try:
        points = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise SketchError(f"stroke {index} is not a list of (x, y) numbers") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise SketchError(f"stroke {index} must be one or more (x, y) points, its shape is {points.shape}")
    # NaN is not within it, either.
    if not np.abs(points).max() <= MAX_COORDINATE:
        if not (finite := np.isfinite(points).all(axis=1)).all():
            x, y = points[int(np.argmin(finite))]
            raise SketchError(f"stroke {index} has a point that is not finite: ({x}, {y})")
        x, y = points[int(np.abs(points).max(axis=1).argmax())]
        raise SketchError(
            f"stroke {index} has a point beyond {MAX_COORDINATE:g}: ({x:g}, {y:g}); scale the drawing down"
        )
    points.flags.writeable = False
    return points


def _values(
    name: str, values: Iterable[ArrayLike] | None, strokes: Sequence[Points]
) -> tuple[Values, ...] | None:
    """Return checked, read-only copies of a number for each point of each stroke."""
    if values is None:
        return None
    try:
        found = tuple(np.array(each, dtype=np.float64) for each in values)
    except (TypeError, ValueError, OverflowError) as error:
        raise SketchError(f"{name} must be lists of numbers, one for each stroke") from error
    if [each.shape for each in found] != [(len(stroke),) for stroke in strokes]:
        raise SketchError(f"{name} must have a list for each stroke, with a number for each of its points")
    for each in found:
        each.flags.writeable = False
    return found


class Rendered:
    """What can be shown and saved: a drawing, or a completion, whose given and added strokes are two groups.

    The package that does it stands above this one, so that no import statement here may name it.
    """

    def to_svg(self, style: Any = None) -> str:
        """Return the text of an SVG file in a `sketchgen.formats.svg_writer.Style`; same item, same bytes."""
        return importlib.import_module("sketchgen.formats.svg_writer").to_svg(self, style)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write it to `path`; the suffix tells the format, see `sketchgen.formats.registry`.

        Raises:
            OutputError: the file exists and `force` is false, or it cannot be written.
            FormatError: no format has that suffix.
        """
        importlib.import_module("sketchgen.formats.read_write").write(self, path, force=force)

    def _repr_svg_(self) -> str:
        """Show it in a notebook."""
        return self.to_svg()


@dataclass(frozen=True, eq=False)
class Sketch(Rendered):
    """An immutable drawing: ordered strokes in absolute coordinates, y down, in the units of its source.

    Use `Sketch.from_strokes`, which checks its arguments; the constructor does not.

    Attributes:
        strokes: one read-only (n, 2) float64 array a stroke, n >= 1. A stroke of one point is a dot.
        page: the page of the drawing, if it is known (an SVG's viewBox, a canvas).
        category: what it shows, if it is known (Quick, Draw!'s `word`).
        sheet: its physical size and layers, if it comes from a file that tells them. It is no part of
            what makes two drawings equal.
        times: when each point was drawn, ms; one (n,) array a stroke, NaN where it is unknown. Of a drawing
            from a `Pad`; no part of what makes two drawings equal, and not written into files.
        pressure: how hard the pen was pressed, from 0 to 1, 0.5 by a mouse; as `times`.
    """

    strokes: tuple[Points, ...] = ()
    page: Box | None = None
    category: str | None = None
    sheet: Sheet | None = None
    times: tuple[Values, ...] | None = None
    pressure: tuple[Values, ...] | None = None

    @classmethod
    def from_strokes(
        cls,
        strokes: Iterable[ArrayLike],
        *,
        page: Box | Sequence[float] | None = None,
        category: str | None = None,
        sheet: Sheet | None = None,
        times: Iterable[ArrayLike] | None = None,
        pressure: Iterable[ArrayLike] | None = None,
    ) -> Sketch:
        """Return a drawing of strokes, each a sequence of (x, y).

        Args:
            strokes: an iterable of (n, 2) array-likes; they are copied.
            page: x, y, width, height of the page, in the same units.
            category: what the drawing shows.
            sheet: its physical size and layers.
            times: a number for each point of each stroke, ms.
            pressure: a number for each point of each stroke.

        Raises:
            SketchError: a stroke is empty, not (n, 2), not finite or beyond `MAX_COORDINATE`; more than
                `MAX_POINTS` points; a page without area; not as many times as points;
                a category that no file can hold.
        """
        if category is not None and any("\ud800" <= each <= "\udfff" for each in category):
            raise SketchError(
                f"the category '{printable(category[:80])}' holds half a character; write it anew"
            )
        kept: list[Points] = []
        total = 0
        for index, values in enumerate(strokes):
            stroke = _stroke(values, index)
            total += len(stroke)
            if total > MAX_POINTS:
                raise SketchError(f"more than {MAX_POINTS} points in one drawing; simplify it or split it")
            kept.append(stroke)
        box = None if page is None else _page(page)
        times, pressure = _values("times", times, kept), _values("pressure", pressure, kept)
        return cls(tuple(kept), box, category, sheet, times, pressure)

    @property
    def point_count(self) -> int:
        """Number of points of all strokes."""
        return sum(len(stroke) for stroke in self.strokes)

    @property
    def is_empty(self) -> bool:
        """Whether the drawing has no strokes."""
        return not self.strokes

    @cached_property
    def points(self) -> Points:
        """All points in drawing order, (n, 2), read-only."""
        points = np.concatenate(self.strokes) if self.strokes else np.zeros((0, 2))
        points.flags.writeable = False
        return points

    @cached_property
    def bounds(self) -> Box | None:
        """The bounding box of the points, or None for an empty drawing."""
        if not self.strokes:
            return None
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))

    def replaced(self, *, page: Box | None = None, category: str | None = None) -> Sketch:
        """Return the same strokes with another page or category, where one is given."""
        # The size of a sheet is that of its page.
        sheet = self.sheet if page in (None, self.page) else None
        return replace(self, page=page or self.page, category=category or self.category, sheet=sheet)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sketch):
            return NotImplemented
        return (
            self.page == other.page
            and self.category == other.category
            and len(self.strokes) == len(other.strokes)
            and all(np.array_equal(a, b) for a, b in zip(self.strokes, other.strokes, strict=True))
        )

    def __hash__(self) -> int:
        # Adding 0.0 turns -0.0 into 0.0: the two are equal, so their hashes must be.
        return hash((self.page, self.category, tuple((stroke + 0.0).tobytes() for stroke in self.strokes)))

    def __repr__(self) -> str:
        parts = [f"{len(self.strokes)} strokes", f"{self.point_count} points"]
        if self.page is not None:
            parts.append(f"page {self.page.width:g} x {self.page.height:g}")
        if self.category is not None:
            parts.append(repr(self.category))
        return f"Sketch({', '.join(parts)})"


def _page(page: Box | Sequence[float]) -> Box:
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
class Completion(Rendered):
    """A drawing that a person began and a model completed.

    Attributes:
        given: the very object that was to be completed.
        added: what was added, in the same coordinates and on the same page. Where it continues the last given
            stroke, its first stroke starts at that stroke's last point.
        ended: whether the model ended the drawing (False: it was stopped at the limit).
        log_likelihood: natural log of the density of the added steps under the model at temperature 1, in
            the model's frame (255 box). Comparable between completions of the same drawing only.
        category: under which category it was drawn; None for none.
    """

    given: Sketch
    added: Sketch
    ended: bool = True
    log_likelihood: float = 0.0
    category: str | None = None

    @cached_property
    def whole(self) -> Sketch:
        """Given and added strokes as one drawing."""
        return Sketch(self.given.strokes + self.added.strokes, self.added.page, self.added.category)


Item = Sketch | Completion
"""What can be written and rendered."""


def whole_of(item: Item) -> Sketch:
    """Return a drawing, or all strokes of a completion."""
    return item.whole if isinstance(item, Completion) else item


def check_sketch(sketch: Sketch) -> None:
    """Check that a drawing is one.

    Raises:
        SketchError: it is of another type; the message says how to make one.
    """
    if not isinstance(sketch, Sketch):
        hint = "read a file by sketchgen.read(path)" if isinstance(sketch, str | os.PathLike) else ""
        hint = hint or "make one by Sketch.from_strokes(strokes)"
        raise SketchError(f"a Sketch is needed, not {shortened(sketch)}; {hint}")
