"""Geometry prior: whether what was added looks like part of the drawing, by its geometry alone.

Neither the reward model nor the recogniser holds much against a scribble over an eye. People see that it runs
along lines that are there, crosses them, and makes an even drawing lopsided. So the prior measures of each
completion

- how much of it runs along given ink;
- how often it crosses given ink, and itself;
- how much more of the drawing is its own image in an upright mirror;
- how many of the open ends of long lines it meets.

The weights were fitted to which of the model's completions finish drawings (`benchmarks/geometry_prior.py`).
People cross lines, too: the prior compares completions of one drawing, and judges none by itself.

All lengths are px of a box in which whole drawings have a longer side of 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from sketchgen.ranking.consensus import box_scale
from sketchgen.sketch.distance import evenly, long_runs, nearest
from sketchgen.sketch.sketch import Completion, Points

WEIGHTS = {"retraced": -8.0, "crossed": -1.0, "tangled": -0.5, "upright": 5.0, "met": 1.5}
"""Weight of each measure, nats of the reward model."""

ALONG, MIN_RUN = 3.0, 10.0
"""Ink that stays this near to given ink for more than `MIN_RUN` runs along it."""

IMAGE = 9.6
"""Ink whose mirror image comes this near to ink is its own image."""

MEETS, OWN = 12.0, 15.0
"""A line ends in the open if no ink comes as near to its end as `MEETS`, its own last `OWN` px aside."""

MIN_LINE = 90.0
"""Shorter lines, such as noses, whiskers and rays, have open ends by their nature."""

SPACING, MAX_POINTS = 2.5, 400
"""Px between points of ink; wider where there would be more points than this."""

MIRROR_STEP, MAX_MIRRORED = 2, 400
"""One of so many points is mirrored, and never more than `MAX_MIRRORED`."""

MAX_SEGMENTS, MAX_LINES = 400, 200
"""Segments that crossings are counted with, longer ones where there would be more; and lines up to which open
ends are looked for."""


def geometry_prior(completions: Sequence[Completion]) -> Float[np.ndarray, " n"]:
    """Return the prior of each of n completions of one drawing, nats; 0 where nothing is added."""
    return measures(completions) @ np.array(list(WEIGHTS.values()))


def measures(completions: Sequence[Completion]) -> Float[np.ndarray, "n 5"]:
    """Return the measures in the order of `WEIGHTS`; 0 where nothing is added, or nothing given.

    `retraced` is a share of the added ink; `crossed` and `tangled` are log(1 + number of crossings) with
    given ink and with itself; `upright` is the share of all ink that is its own image, less that of the given
    ink; `met` is a share of the open ends.

    Args:
        completions: of the same drawing; the others only set the scale.
    """
    measured = np.zeros((len(completions), len(WEIGHTS)))
    scale = box_scale(completions)
    if scale is None or completions[0].given.is_empty:
        return measured
    given = _Given.of([stroke * scale for stroke in completions[0].given.strokes])
    for row, each in enumerate(completions):
        if not each.added.is_empty:
            measured[row] = given.measure([stroke * scale for stroke in each.added.strokes])
    return measured


@dataclass(frozen=True)
class _Given:
    """The given part, measured once for all completions.

    Attributes:
        points: (n, 2) of its ink.
        segments: (m, 2, 2) their ends.
        ends: (k, 2) open ends of its lines.
        middle: x of the middle of its box.
        symmetry: share of its ink that is its own image, in an upright mirror there.
    """

    points: Points
    segments: Float[np.ndarray, "m 2 2"]
    ends: Points
    middle: float
    symmetry: float

    @classmethod
    def of(cls, strokes: Sequence[Points]) -> _Given:
        ink = evenly(strokes, SPACING, MAX_POINTS)
        points = np.concatenate(ink)
        middle = _middle(points)
        return cls(points, _segments(strokes), _open_ends(strokes, ink), middle, _own_image(points, middle))

    def measure(self, strokes: Sequence[Points]) -> list[float]:
        """Return the measures of added strokes."""
        ink = evenly(strokes, SPACING, MAX_POINTS)
        points = np.concatenate(ink)
        segments, whole = _segments(strokes), np.concatenate([self.points, points])
        # The middle may be clearer in the given part, or with what it lacked.
        upright = max(_own_image(whole, middle) for middle in (self.middle, _middle(whole))) - self.symmetry
        met = float((nearest(self.ends, points) < MEETS).mean()) if len(self.ends) else 0.0
        return [
            _share_along(ink, nearest(points, self.points)),
            np.log1p(_crossings(segments, self.segments)),
            np.log1p(_crossings(segments, segments) / 2.0),
            upright,
            met,
        ]


def _middle(points: Points) -> float:
    """Return x of the middle of their box."""
    return float(points[:, 0].min() + points[:, 0].max()) / 2.0


def _share_along(ink: Sequence[Points], distance: Float[np.ndarray, " n"]) -> float:
    """Return the share of ink that runs along other ink, from the distance of each point to it."""
    first, along = 0, 0
    for stroke in ink:
        spacing = float(np.hypot(*(stroke[1] - stroke[0]))) if len(stroke) > 1 else 0.0
        along += long_runs(distance[first : first + len(stroke)] <= ALONG, spacing, MIN_RUN)
        first += len(stroke)
    return along / len(distance)


def _own_image(points: Points, middle: float) -> float:
    """Return the share of points whose image in an upright mirror comes near to one of them."""
    some = points[:: max(MIRROR_STEP, -(-len(points) // MAX_MIRRORED))]
    image = np.stack([2.0 * middle - some[:, 0], some[:, 1]], 1)
    return float((nearest(image, some) <= IMAGE).mean())


def _segments(strokes: Sequence[Points]) -> Float[np.ndarray, "n 2 2"]:
    """Return the straight segments of strokes, from end to end."""
    count = sum(map(len, strokes))
    step = -(-count // MAX_SEGMENTS)
    fewer = [stroke if step == 1 else np.concatenate([stroke[:-1:step], stroke[-1:]]) for stroke in strokes]
    return np.concatenate([np.stack([line[:-1], line[1:]], 1) for line in fewer])


def _crossings(some: Float[np.ndarray, "n 2 2"], others: Float[np.ndarray, "m 2 2"]) -> int:
    """Return how often segments cross others; those that only touch do not cross."""
    start, along = some[:, None, 0], (some[:, 1] - some[:, 0])[:, None]
    start_, along_ = others[None, :, 0], (others[:, 1] - others[:, 0])[None]
    apart, turn = start_ - start, _cross(along, along_)
    with np.errstate(divide="ignore", invalid="ignore"):
        mine, theirs = _cross(apart, along_) / turn, _cross(apart, along) / turn
    within = (mine > 0.02) & (mine < 0.98) & (theirs > 0.02) & (theirs < 0.98)
    return int(within.sum())


def _cross(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cross product of (..., 2) vectors."""
    return one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]


def _open_ends(strokes: Sequence[Points], ink: Sequence[Points]) -> Points:
    """Return the ends of long lines that have no ink near them."""
    found = [np.zeros((0, 2))]
    for row, stroke in enumerate(strokes if len(strokes) <= MAX_LINES else ()):
        spacing = np.hypot(*(ink[row][1] - ink[row][0])) if len(ink[row]) > 1 else 0.0
        if spacing * len(ink[row]) < MIN_LINE:
            continue
        own, others = int(OWN / spacing), [*ink[:row], *ink[row + 1 :]]
        for end, rest in ((stroke[0], ink[row][own:]), (stroke[-1], ink[row][: -own or None])):
            if nearest(end[None], np.concatenate([rest, *others]))[0] > MEETS:
                found.append(end[None])
    return np.concatenate(found)
