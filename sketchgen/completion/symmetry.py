"""Candidates from symmetry: given strokes that have no mirror image yet, mirrored.

A second eye, ear, wheel or wing is where the first one is, on the other side. A network that draws from a
mixture of likely places puts it near there, a size too small or a line too high. So where most of a drawing
is its own image in an upright or a level mirror, the images of the strokes that have none yet are a candidate
to complete it, and begin another, which the network goes on with: a cat of two ears is no cat yet. Whether
it is a good one is for the ranking to say: a fish from the side has one eye.

Mirrors are tried where one may stand: in the middle of a large stroke or between two that are alike. People
do not draw exactly: two strokes are each other's image if most of the ink of each is near the other's image.

All lengths are px of the network's frame, in which a given part is 160 px long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from sketchgen.sketch.geometry import line_length, resample
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import to_steps

MAX_MIRRORED = 3
"""Largest number of candidates for a drawing."""

MIN_SYMMETRY = 0.2

UPRIGHT_BONUS = 0.1
"""Added to the symmetry in an upright mirror, as most symmetric things stand upright."""

LEVEL_MARGIN = 0.1
"""How much more symmetric a drawing must be in a level mirror than in any upright one, bonus included."""

WHOLE = 0.85
"""Symmetry from which on a drawing that lacks no image in a mirror is symmetric already."""

LACKING_WEIGHT = 0.5
"""Weight of ink without an image against the symmetry; ink that can have none has weight 1."""

NEAR = 9.6
"""Ink this near is the same."""

MIN_LIKENESS = 0.7
"""Likeness (F1 of the shares of their ink) from which on two strokes are each other's image."""

ASIDE = 3.2
"""A stroke stands on one side of the mirror if it reaches over it by less."""

LARGE = 24.0
"""Size of strokes in whose middle a mirror may stand."""

APART = 1.6
"""Mirrors nearer to each other are one."""

EVERY = 4
"""Of so many alternatives in a row the last is such a candidate, while there are some."""

MAX_MIRRORS, MAX_PAIRED, MAX_POINTS = 24, 24, 300
"""Largest numbers of mirrors of a direction, of strokes among which pairs are sought, and of points that
stand for the ink."""


@dataclass(frozen=True)
class Mirrored:
    """A candidate that makes a drawing symmetric.

    Attributes:
        strokes: images of the strokes that have none yet, in the order of these.
        symmetry: share of the given ink that has an image, less half the share that has none yet and less the
            share that can have none as it stands across; `UPRIGHT_BONUS` more in an upright mirror.
        goes_on: whether the network goes on drawing behind the images.
    """

    strokes: tuple[Points, ...]
    symmetry: float
    goes_on: bool = False

    @property
    def steps(self) -> tuple[Float[np.ndarray, "n 2"], Int[np.ndarray, " n"]]:
        """Offsets from point to point, the first one from the origin, and the pen after each."""
        return to_steps(Sketch(self.strokes), ends=not self.goes_on)


def placed(mirrored: Sequence[Mirrored], count: int) -> dict[int, Mirrored]:
    """Return which of `count` alternatives, from 0, are such candidates: first each alone, then going on."""
    rows = range(EVERY - 1, count, EVERY)
    begun = [replace(image, goes_on=True) for image in mirrored]
    return dict(zip(rows, [*mirrored, *begun], strict=False))


def mirrored(strokes: Sequence[Points]) -> list[Mirrored]:
    """Return what completes the symmetry of a drawing, the most symmetric first; `MAX_MIRRORED` at most.

    Level mirrors count only where the drawing is clearly more symmetric in them than in any upright one.
    There is nothing to complete where it is symmetric in an upright one already: an owl of two eyes gets no
    second pair below. A ladder, which is symmetric in a level one, may lack a rail.

    Args:
        strokes: (n, 2) points each, px of the network's frame.
    """
    ink = _Ink.of(strokes)
    if ink is None:
        return []
    upright, level = _candidates(ink, strokes, 0), _candidates(ink, strokes, 1)
    if _whole(upright):
        return []
    level = [] if _whole(level) else level
    upright, level = ([each for each in some if each.strokes] for some in (upright, level))
    best = max((each.symmetry for each in upright), default=-np.inf) + LEVEL_MARGIN
    better = [each for each in level if each.symmetry > best]
    return sorted([*upright, *better], key=lambda each: -each.symmetry)[:MAX_MIRRORED]


def _whole(found: Sequence[Mirrored]) -> bool:
    """Return whether a drawing is symmetric already in one of some mirrors."""
    return any(not each.strokes and each.symmetry >= WHOLE for each in found)


def _candidates(ink: _Ink, strokes: Sequence[Points], axis: int) -> list[Mirrored]:
    """Return the candidates by mirrors that stand across an axis; of no strokes if nothing lacks an image."""
    found: dict[tuple[int, ...], tuple[float, float]] = {}
    for at in _mirrors(ink, axis):
        seen = _seen(ink, axis, at)
        # One candidate for the same strokes: in the mirror in which the drawing is most symmetric.
        if seen is not None and seen[1] > found.get(seen[0], (MIN_SYMMETRY, 0.0))[0]:
            found[seen[0]] = seen[1:]
    return [
        Mirrored(tuple(_image(strokes[row], axis, at) for row in rows), symmetry)
        for rows, (symmetry, at) in found.items()
    ]


@dataclass(frozen=True)
class _Ink:
    """The strokes of a drawing, their boxes, and points along them.

    Attributes:
        middle, side: (k, 2) of each stroke's box.
        points: (n, 2) of all strokes, one after the other.
        counts: (k,) how many of them are each stroke's.
    """

    middle: Points
    side: Points
    points: Points
    counts: Int[np.ndarray, " k"]

    @classmethod
    def of(cls, strokes: Sequence[Points]) -> _Ink | None:
        """Put points on strokes; None where there are none, or too much ink for `MAX_POINTS`."""
        if not strokes:
            return None
        spacing = max(1.6, line_length(strokes) / MAX_POINTS)
        if not 0.0 < spacing <= NEAR or len(strokes) > MAX_POINTS:
            return None
        low = np.array([stroke.min(0) for stroke in strokes])
        high = np.array([stroke.max(0) for stroke in strokes])
        points = [resample(stroke, spacing) for stroke in strokes]
        counts = np.array([len(each) for each in points])
        return cls((low + high) / 2.0, high - low, np.concatenate(points), counts)


def _mirrors(ink: _Ink, axis: int) -> NDArray[np.float64]:
    """Return where mirrors may stand: in the middle of all, of a large stroke or of two that are alike."""
    middle, side = ink.middle[:, axis], ink.side[:, axis]
    edges = (middle - side / 2.0).min(), (middle + side / 2.0).max()
    found = [sum(edges) / 2.0, *middle[side > LARGE].tolist(), *_between(ink, axis)]
    places = np.sort(np.array(found))
    places = places[np.diff(places, prepend=-np.inf) > APART]
    rows = np.linspace(0, len(places) - 1, min(len(places), MAX_MIRRORS)).round().astype(int)
    return places[rows]


def _between(ink: _Ink, axis: int) -> Iterator[float]:
    """Yield the middles between strokes of one size that stand beside each other."""
    middle, side = ink.middle[:MAX_PAIRED], ink.side[:MAX_PAIRED]
    apart, other = middle[:, None] - middle, 1 - axis
    like = (np.abs(side[:, None] - side) < NEAR).all(-1)
    pairs = like & (np.abs(apart[..., other]) < NEAR) & (apart[..., axis] > 2.0 * ASIDE)
    for one, two in zip(*np.nonzero(pairs), strict=True):
        yield float(middle[one, axis] + middle[two, axis]) / 2.0


def _seen(ink: _Ink, axis: int, at: float) -> tuple[tuple[int, ...], float, float] | None:
    """Return the strokes without an image, the symmetry, and where the mirror stands best.

    None where nothing is symmetric.
    """
    likeness = _likeness(ink, axis, at)
    paired = likeness.max(1) >= MIN_LIKENESS
    if not paired.any():
        return None
    # Once more, where the mirror stands in the middle of what are images.
    middle = ink.middle[:, axis]
    between = (middle + middle[likeness.argmax(1)]) / 2.0
    at = float(np.average(between[paired], weights=ink.counts[paired]))
    paired = _likeness(ink, axis, at).max(1) >= MIN_LIKENESS
    beside: Bool[np.ndarray, " k"] = np.abs(middle - at) > ink.side[:, axis] / 2.0 - ASIDE
    lacking = beside & ~paired
    if not paired.any():
        return None
    good, lack, amiss = (float(ink.counts[rows].sum()) for rows in (paired, lacking, ~(paired | lacking)))
    symmetry = (good - LACKING_WEIGHT * lack - amiss) / float(ink.counts.sum())
    rows = tuple(int(row) for row in np.flatnonzero(lacking))
    return rows, symmetry + (UPRIGHT_BONUS if axis == 0 else 0.0), at


def _likeness(ink: _Ink, axis: int, at: float) -> Float[np.ndarray, "k k"]:
    """Return how alike each stroke is to the image of each: harmonic mean of two shares of ink (F1)."""
    image, points = _image(ink.points, axis, at), ink.points
    far = (image[:, None, 0] - points[:, 0]) ** 2 + (image[:, None, 1] - points[:, 1]) ** 2
    starts = np.cumsum(ink.counts) - ink.counts
    near = np.minimum.reduceat(far, starts, axis=1) <= NEAR**2
    # Of the images of one's points, those near the other; a mirror turns both ways.
    share = np.add.reduceat(near.astype(np.float64), starts, axis=0) / ink.counts[:, None]
    return 2.0 * share * share.T / np.maximum(share + share.T, 1e-9)


def _image(points: Points, axis: int, at: float) -> Points:
    """Return points in the mirror."""
    found = points.copy()
    found[:, axis] = 2.0 * at - found[:, axis]
    return found
