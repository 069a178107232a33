"""Geometry prior: whether what was added looks like part of the drawing, by its geometry alone.

Neither the reward model nor the recogniser holds much against a scribble over an eye. People see that it
draws given lines again, crosses them, and makes an even drawing lopsided. So the prior measures of each
completion

- how much of it draws given parts again, and how much stands apart (`sketchgen.ranking.flaws`);
- how often it crosses given ink, and itself;
- how much more of the drawing is its own image in an upright mirror, as far as that is usual;
- how many of the open ends of long lines it meets;
- how much less ink there is than usual (`sketchgen.ranking.usual_ink`);
- how much of it is cut off at the edge of the page.

The weights of crossings, symmetry and ends were fitted to which completions finish drawings
(`benchmarks/geometry_prior.py`), those of flaws chosen so that few are shown (docs/experiments.md). People
cross lines, too: the prior compares completions of one drawing, and judges none by itself.

All lengths are px of a box in which whole drawings have a longer side of 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from sketchgen.ranking.consensus import box_scale
from sketchgen.ranking.flaws import GivenInk, share_at_edge
from sketchgen.ranking.usual_ink import beyond_usual, slight, unfinished, usual_symmetry
from sketchgen.sketch.distance import evenly, nearest
from sketchgen.sketch.sketch import Completion, Points

WEIGHTS = {
    "redrawn": -12.0,
    "detached": -12.0,
    "crossed": -1.0,
    "tangled": -0.5,
    "upright": 5.0,
    "met": 1.5,
    "unfinished": -4.0,
    "slight": -4.0,
    "cut off": -12.0,
}
"""Weight of each measure, nats of the reward model."""

FLAWS = {"redrawn": 0.15, "detached": 0.15, "unfinished": 0.25, "slight": 0.2, "cut off": 0.03}
"""Measures above these are flaws; nearly all completions by people have none."""

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


def geometry_prior(measured: Float[np.ndarray, "n 9"]) -> Float[np.ndarray, " n"]:
    """Return the prior of each of n completions from their measures, nats."""
    return measured @ np.array(list(WEIGHTS.values()))


def measures(
    completions: Sequence[Completion], categories: Sequence[str | None] | None = None
) -> Float[np.ndarray, "n 9"]:
    """Return the measures in the order of `WEIGHTS`; 0 where nothing is added, or nothing given.

    `redrawn` and `detached`, beyond what is usual, and `cut off` are shares of the added ink; `crossed` and
    `tangled` are log(1 + number of crossings) with given ink and with itself; `upright` is the share of all
    ink that is its own image, less that of the given ink, both up to what is usual; `met` is a share of the
    open ends; `unfinished` and `slight` are logs of ratios of ink.

    Args:
        completions: of the same drawing; the others set the scale and what is slight.
        categories: what each is to show; None for any.
    """
    measured = np.zeros((len(completions), len(WEIGHTS)))
    scale = box_scale(completions)
    rows = [row for row, each in enumerate(completions) if not each.added.is_empty]
    if scale is None or completions[0].given.is_empty or not rows:
        return measured
    strokes = [stroke * scale for stroke in completions[0].given.strokes]
    given, ink = _Given.of(strokes), GivenInk(strokes)
    some = [completions[row] for row in rows]
    names = [categories[row] if categories else None for row in rows]
    for row, name in zip(rows, names, strict=True):
        added = [stroke * scale for stroke in completions[row].added.strokes]
        measured[row, :-3] = *ink.measure(added), *given.measure(added, usual_symmetry(name))
    measured[rows, :2] = beyond_usual(measured[rows, :2], names)
    measured[rows, -3:] = np.stack([unfinished(some, names), slight(some), share_at_edge(some)], 1)
    return measured


def flawless(measured: Float[np.ndarray, "n 9"]) -> Bool[np.ndarray, " n"]:
    """Return which completions have no flaw, from their measures."""
    limits = np.array([FLAWS.get(name, np.inf) for name in WEIGHTS])
    return np.logical_and.reduce(measured <= limits, axis=1)


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

    def measure(self, strokes: Sequence[Points], usual: float) -> list[float]:
        """Return the measures of added strokes where symmetry up to `usual` counts."""
        ink = evenly(strokes, SPACING, MAX_POINTS)
        points = np.concatenate(ink)
        segments, whole = _segments(strokes), np.concatenate([self.points, points])
        # The middle may be clearer in the given part, or with what it lacked.
        symmetry = max(_own_image(whole, middle) for middle in (self.middle, _middle(whole)))
        upright = min(symmetry, usual) - min(self.symmetry, usual)
        met = float((nearest(self.ends, points) < MEETS).mean()) if len(self.ends) else 0.0
        return [
            np.log1p(_crossings(segments, self.segments)),
            np.log1p(_crossings(segments, segments) / 2.0),
            upright,
            met,
        ]


def symmetry(strokes: Sequence[Points]) -> float:
    """Return the share of the ink of strokes that is its own image in an upright mirror in their middle."""
    points = np.concatenate(evenly(strokes, SPACING, MAX_POINTS))
    return _own_image(points, _middle(points))


def _middle(points: Points) -> float:
    """Return x of the middle of their box."""
    return float(points[:, 0].min() + points[:, 0].max()) / 2.0


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
