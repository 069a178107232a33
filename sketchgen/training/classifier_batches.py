"""Drawings as a recogniser learns from them: some cut, bent, mirrored, or with a stroke missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.data.drawings import Drawings
from sketchgen.models.numpy_classifier import in_own_box, point_features
from sketchgen.sketch.geometry import CENTRE


@dataclass(frozen=True)
class Changes:
    """How often training drawings are changed, as shares of the drawings.

    Attributes:
        cut: only a beginning is shown; half of them end with a stroke, the others anywhere.
        warp: slightly turned, sheared and stretched.
        mirror: left and right are exchanged.
        fewer_strokes: each stroke is left out with a chance of 0.15.
        fewer_points: each point inside a stroke is left out with a chance of 0.15.
        jitter: deviation of noise on each coordinate, px.
    """

    cut: float = 0.35
    warp: float = 0.8
    mirror: float = 0.2
    fewer_strokes: float = 0.2
    fewer_points: float = 0.3
    jitter: float = 1.0


CALM = Changes(cut=0.2, warp=0.3, mirror=0.1, fewer_strokes=0.0, fewer_points=0.1, jitter=0.5)
"""Few changes, for the last part of a training: what it learns then is what it will be shown."""

LEFT_OUT = 0.15
"""Chance of a stroke, or a point, to be left out where some are."""


@dataclass(frozen=True)
class Lesson:
    """A batch of drawings for the recogniser.

    Attributes:
        steps: features of the points; 0 in the padding.
        length: points of each drawing.
        category: index.
    """

    steps: Float[np.ndarray, "b n 13"]
    length: Int[np.ndarray, " b"]
    category: Int[np.ndarray, " b"]

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        """What the network is called with."""
        return self.steps, self.length

    @property
    def answer(self) -> Int[np.ndarray, " b"]:
        """What each drawing is of."""
        return self.category


@dataclass(frozen=True)
class Strokes:
    """How drawings are made into lessons for a recogniser, which reads strokes.

    Attributes:
        changes: how the drawings are changed.
    """

    changes: Changes

    def cuts(self, drawings: Drawings, random: np.random.Generator) -> Int[np.ndarray, " n"]:
        """How many points of each drawing are shown; see `chosen_cuts`."""
        return chosen_cuts(drawings, self.changes.cut, random)

    def lesson(self, drawings: Drawings, cut: Int[np.ndarray, " b"], random: np.random.Generator) -> Lesson:
        """The first `cut` points of each drawing as a batch; see `make_lesson`."""
        return make_lesson(drawings, cut, random, self.changes)


def chosen_cuts(drawings: Drawings, share: float, random: np.random.Generator) -> Int[np.ndarray, " n"]:
    """How many points of each drawing are shown: all, or of a `share` of them those of a beginning.

    Half of the beginnings end anywhere, from the first point on; the others with a stroke that is not the
    last. A drawing of one stroke is cut anywhere.
    """
    length = drawings.lengths
    anywhere = 1 + np.floor(random.random(len(length)) * length).astype(np.int64)
    ends = np.flatnonzero(drawings.lift)
    # The ends of drawing i are ends[before[i]:before[i + 1]]; the last one is the drawing's.
    before = np.searchsorted(ends, drawings.start)
    inner = np.diff(before) - 1
    which = before[:-1] + np.floor(random.random(len(length)) * np.maximum(inner, 0)).astype(np.int64)
    at_end = ends[which] + 1 - drawings.start[:-1]
    cut = np.where((random.random(len(length)) < 0.5) & (inner > 0), at_end, anywhere)
    return np.where(random.random(len(length)) < share, cut, length)


def make_lesson(
    drawings: Drawings, cut: Int[np.ndarray, " b"], random: np.random.Generator, changes: Changes
) -> Lesson:
    """The first `cut` points of each drawing, changed as `changes` says."""
    index = np.arange(int(cut.max()))
    rows = drawings.start[:-1, None] + np.minimum(index, cut[:, None] - 1)
    shown = index < cut[:, None]
    lift = drawings.lift[rows] | (index == cut[:, None] - 1)
    points = drawings.points[rows].astype(np.float64) - CENTRE
    kept = shown & _some_strokes(lift, shown, random, changes.fewer_strokes)
    kept &= _some_points(lift, random, changes.fewer_points)
    points, lift, length = _packed(points, lift, kept)
    valid = index[: lift.shape[1]] < length[:, None]
    points = in_own_box(points @ bends(len(points), random, changes), valid)
    # A dot is moved by noise, but has no extent to be scaled up to the box.
    noise = random.normal(size=points.shape) * changes.jitter
    return Lesson(point_features(points + noise, lift & valid, length), length, drawings.category)


def _some_strokes(
    lift: Bool[np.ndarray, "b n"], shown: Bool[np.ndarray, "b n"], random: np.random.Generator, share: float
) -> Bool[np.ndarray, "b n"]:
    """True but for the points of strokes that are left out; a drawing that would lose all keeps all."""
    stroke = np.cumsum(lift, axis=1) - lift
    out = random.random(lift.shape) < LEFT_OUT
    left = ~np.take_along_axis(out, stroke, 1)
    whole = (random.random(len(lift)) >= share) | ~(left & shown).any(1)
    return left | whole[:, None]


def _some_points(
    lift: Bool[np.ndarray, "b n"], random: np.random.Generator, share: float
) -> Bool[np.ndarray, "b n"]:
    """True but for points that are left out; the first and the last of a stroke stay."""
    ends = lift.copy()
    ends[:, 0] = True
    ends[:, 1:] |= lift[:, :-1]
    whole = random.random(len(lift)) >= share
    return ends | whole[:, None] | (random.random(lift.shape) >= LEFT_OUT)


def _packed(
    points: Float[np.ndarray, "b n 2"], lift: Bool[np.ndarray, "b n"], kept: Bool[np.ndarray, "b n"]
) -> tuple[Float[np.ndarray, "b m 2"], Bool[np.ndarray, "b m"], Int[np.ndarray, " b"]]:
    """The kept points of each drawing moved to its front, and their number."""
    length = kept.sum(1)
    order = np.argsort(~kept, axis=1, kind="stable")[:, : int(length.max())]
    return np.take_along_axis(points, order[..., None], 1), np.take_along_axis(lift, order, 1), length


def bends(count: int, random: np.random.Generator, changes: Changes) -> Float[np.ndarray, "b 2 2"]:
    """By what `count` drawings are turned, sheared, stretched and mirrored: (x', y') = (x, y) @ bend."""
    angle, shear, stretch = random.normal(size=(3, count)) * [[0.1], [0.1], [0.12]]
    warped = random.random(count) < changes.warp
    angle, shear, stretch = angle * warped, shear * warped, stretch * warped
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], 1)
    skew = np.zeros_like(turn)
    skew[:, 0, 0], skew[:, 0, 1], skew[:, 1, 1] = np.exp(stretch), shear, np.exp(-stretch)
    skew[:, 0] *= np.where(random.random(count) < changes.mirror, -1.0, 1.0)[:, None]
    return (turn @ skew).transpose(0, 2, 1)
