"""Neatness: whether what was added looks like part of the drawing, by its geometry alone.

A critic that reads strokes, and a recogniser, hold a scribble over an eye for little worse than an eye. What
people hold against it is plain to see: it runs along lines that are there, crosses them, and leaves the
drawing lopsided that was even. So each way to finish a drawing is measured by

- how much of it runs along given ink;
- how often it crosses given ink, and itself;
- how much more of the drawing is its own image in an upright mirror;
- how many of the ends of long lines that stop in the open it meets.

What each counts was fitted to which of the model's ways finish drawings (docs/lab.md). No drawing is bad for
one of them: people cross lines. It is the model's ways that are compared, where the better one crosses less.

All lengths are px of a box in which the whole drawings have a longer side of 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from sketchgen.ranking.consensus import scale_of
from sketchgen.sketch.geometry import BOX, evenly
from sketchgen.sketch.sketch import Completion, Points

WEIGHTS = {"retraced": -8.0, "crossed": -1.0, "tangled": -0.5, "upright": 5.0, "met": 1.5}
"""What each counts, in the critic's nats."""

ALONG, RUN = 3.0, 10.0
"""Ink this near to given ink, over more than `RUN`, runs along it."""

IMAGE = 9.6
"""Ink is its own image where that comes as near to ink."""

MEETS, BEYOND = 12.0, 15.0
"""A line stops in the open if no other ink comes as near to its end, its own last px left out."""

SHORT = 90.0
"""Shorter lines, such as noses, whiskers and rays, end in the open by their nature, and are not looked at."""

SPACING, MAX_POINTS = 2.5, 400
"""Px between points of ink; more where there would be more points than this."""

EVERY, MAX_IMAGES = 2, 400
"""Of so many points one is looked for in a mirror, and never more points than this."""

MAX_PIECES, MAX_LINES = 400, 200
"""Straight pieces of which crossings are looked for, more being taken for fewer and longer ones; and lines of
which ends are: where there are more, none is known to stop in the open."""

_FAR = 4.0 * BOX


def geometry_prior(found: Sequence[Completion]) -> Float[np.ndarray, " n"]:
    """What the neatness of each completion of one drawing counts, in the critic's nats; 0 of nothing added.

    Args:
        found: completions of the same drawing; at most the scale is told by the others.
    """
    return measures(found) @ np.array(list(WEIGHTS.values()))


def measures(found: Sequence[Completion]) -> Float[np.ndarray, "n 5"]:
    """The measures, in the order of `WEIGHTS`; 0 of nothing added, and of nothing given.

    `retraced` is a share of the added ink, `crossed` and `tangled` are log(1 + how often) for given ink and
    its own, `upright` is the share of all ink that is its own image, that of the given ink taken off, and
    `met` is a share of the ends that stop in the open.
    """
    measured = np.zeros((len(found), len(WEIGHTS)))
    scale = scale_of(found)
    if scale is None or found[0].given.is_empty:
        return measured
    given = _Given.of([stroke * scale for stroke in found[0].given.strokes])
    for row, each in enumerate(found):
        if not each.added.is_empty:
            measured[row] = given.beside([stroke * scale for stroke in each.added.strokes])
    return measured


@dataclass(frozen=True)
class _Given:
    """What was given, as far as it is looked at for each way.

    Attributes:
        points: (n, 2) of its ink.
        pieces: (m, 2, 2) the ends of its straight pieces.
        ends: (k, 2) where its lines stop in the open.
        middle: of its box, px from the left.
        symmetry: share of its ink that is its own image, in an upright mirror there.
    """

    points: Points
    pieces: Float[np.ndarray, "m 2 2"]
    ends: Points
    middle: float
    symmetry: float

    @classmethod
    def of(cls, strokes: Sequence[Points]) -> _Given:
        """Look at it."""
        ink = evenly(strokes, SPACING, MAX_POINTS)
        points = np.concatenate(ink)
        middle = _middle(points)
        ends = _open_ends(strokes, ink)
        return cls(points, _pieces(strokes), ends, middle, _own_image(points, middle))

    def beside(self, strokes: Sequence[Points]) -> list[float]:
        """The measures of what was added, some strokes."""
        ink = evenly(strokes, SPACING, MAX_POINTS)
        points = np.concatenate(ink)
        near = _nearest(points, self.points)
        pieces, whole = _pieces(strokes), np.concatenate([self.points, points])
        # Where the middle is may be seen better in the given part, or with what it lacked.
        upright = max(_own_image(whole, middle) for middle in (self.middle, _middle(whole))) - self.symmetry
        met = float((_nearest(self.ends, points) < MEETS).mean()) if len(self.ends) else 0.0
        tangled = np.log1p(_crossings(pieces, pieces) / 2.0)
        return [_along(ink, near), np.log1p(_crossings(pieces, self.pieces)), tangled, upright, met]


def _middle(points: Points) -> float:
    """The middle of their box, from the left."""
    return float(points[:, 0].min() + points[:, 0].max()) / 2.0


def _squares(points: Points, others: Points) -> Float[np.ndarray, "n m"]:
    """The square of each distance, in single precision, as nothing hangs on the last digits."""
    one, two = points.astype(np.float32), others.astype(np.float32)
    return (one[:, None, 0] - two[:, 0]) ** 2 + (one[:, None, 1] - two[:, 1]) ** 2


def _nearest(points: Points, others: Points) -> Float[np.ndarray, " n"]:
    """How far the nearest of the others is from each point."""
    if not len(points) or not len(others):
        return np.full(len(points), _FAR)
    return np.sqrt(_squares(points, others).min(1))


def _along(ink: Sequence[Points], near: Float[np.ndarray, " n"]) -> float:
    """Share of the ink that runs along what it is so near to."""
    first, along = 0, 0
    for stroke in ink:
        close = np.append(near[first : first + len(stroke)] <= ALONG, False)
        edges = np.flatnonzero(np.diff(close, prepend=False))
        runs = edges[1::2] - edges[::2]
        spacing = np.hypot(*(stroke[1] - stroke[0])) if len(stroke) > 1 else 0.0
        along += int(runs[runs * spacing > RUN].sum())
        first += len(stroke)
    return along / len(near)


def _own_image(points: Points, middle: float) -> float:
    """Share of the points whose image in an upright mirror comes near to one."""
    some = points[:: max(EVERY, -(-len(points) // MAX_IMAGES))]
    image = np.stack([2.0 * middle - some[:, 0], some[:, 1]], 1)
    return float((_squares(image, some).min(1) <= IMAGE**2).mean())


def _pieces(strokes: Sequence[Points]) -> Float[np.ndarray, "n 2 2"]:
    """The straight pieces of strokes, from end to end."""
    count = sum(map(len, strokes))
    every = -(-count // MAX_PIECES)
    fewer = [stroke if every == 1 else np.concatenate([stroke[:-1:every], stroke[-1:]]) for stroke in strokes]
    return np.concatenate([np.stack([line[:-1], line[1:]], 1) for line in fewer])


def _crossings(some: Float[np.ndarray, "n 2 2"], others: Float[np.ndarray, "m 2 2"]) -> int:
    """How often pieces cross others; where they only touch is none."""
    start, way = some[:, None, 0], (some[:, 1] - some[:, 0])[:, None]
    start_, way_ = others[None, :, 0], (others[:, 1] - others[:, 0])[None]
    apart, turn = start_ - start, _cross(way, way_)
    with np.errstate(divide="ignore", invalid="ignore"):
        mine, theirs = _cross(apart, way_) / turn, _cross(apart, way) / turn
    within = (mine > 0.02) & (mine < 0.98) & (theirs > 0.02) & (theirs < 0.98)
    return int(within.sum())


def _cross(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much one turns into the other: the sine of the angle times both lengths."""
    return one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]


def _open_ends(strokes: Sequence[Points], ink: Sequence[Points]) -> Points:
    """Where lines stop and no ink is near."""
    found = [np.zeros((0, 2))]
    for row, stroke in enumerate(strokes if len(strokes) <= MAX_LINES else ()):
        spacing = np.hypot(*(ink[row][1] - ink[row][0])) if len(ink[row]) > 1 else 0.0
        if spacing * len(ink[row]) < SHORT:
            continue
        left_out, others = int(BEYOND / spacing), [*ink[:row], *ink[row + 1 :]]
        for end, rest in ((stroke[0], ink[row][left_out:]), (stroke[-1], ink[row][: -left_out or None])):
            if _nearest(end[None], np.concatenate([rest, *others]))[0] > MEETS:
                found.append(end[None])
    return np.concatenate(found)
