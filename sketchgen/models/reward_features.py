"""What the critic reads of a finished drawing: what the recogniser does, and how given and added ink lie.

A drawing stands in its own box, whatever its size, and lines are thinned, so that how finely a hand or a
model has drawn tells nothing. Of each point it is told whether it was added, how near the other part's ink
is, and how near that of any other stroke: lines that meet, and parts at their place, show in these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.classifier_config import MAX_POINTS
from sketchgen.models.classifier_features import features
from sketchgen.models.reward_config import MORE_FEATURES
from sketchgen.sketch.geometry import BOX, EPSILON, rdp, simplify_as_quickdraw
from sketchgen.sketch.sketch import Points, Sketch

NEAR, FAR = 6.0, 30.0
"""Px over which two of the features fall to 1 / e: ink that touches, and ink at hand."""


@dataclass(frozen=True)
class Shown:
    """A finished drawing as the critic reads it, of n points; px of its own box of 255, the middle at 0.

    Attributes:
        points: (n, 2).
        lift: where strokes end.
        added: which points were added.
        across: how far the ink of the other part is; `inf` where there is none.
        beside: how far the ink of the nearest other stroke is; `inf` where there is none.
    """

    points: Float[np.ndarray, "n 2"]
    lift: Bool[np.ndarray, " n"]
    added: Bool[np.ndarray, " n"]
    across: Float[np.ndarray, " n"]
    beside: Float[np.ndarray, " n"]


def seen(given: Sketch, added: Sketch) -> Shown:
    """A finished drawing of any size and place, thinned as Quick, Draw! does it.

    Raises:
        SketchError: it would take more than `geometry.MAX_RESAMPLED` points on the way.
    """
    thin = simplify_as_quickdraw(Sketch(given.strokes + added.strokes)).strokes
    return shown(thin[: len(given.strokes)], thin[len(given.strokes) :])


def thinned(given: Sequence[Points], added: Sequence[Points]) -> Shown:
    """A finished drawing whose lines are thin already, as those of training drawings and of models are."""
    both = np.concatenate([*given, *added])
    low, side = both.min(0), float(np.ptp(both, axis=0).max())
    scale = BOX / side if side > 0.0 else 1.0

    def thin(stroke: Points) -> Points:
        placed = (stroke - low) * scale
        return np.rint(rdp(placed, EPSILON) if len(placed) > 2 else placed)

    return shown([thin(stroke) for stroke in given], [thin(stroke) for stroke in added])


def shown(given: Sequence[Points], added: Sequence[Points]) -> Shown:
    """Strokes that are thin and in any box, as the critic reads them; one point at least.

    Points beyond `MAX_POINTS` are not read.
    """
    strokes = [*given, *added]
    lengths = [len(stroke) for stroke in strokes]
    owner = np.repeat(np.arange(len(strokes)), lengths)[:MAX_POINTS]
    points = np.concatenate(strokes).astype(np.float64)[:MAX_POINTS]
    lift = np.diff(owner, append=-1) != 0
    low, high = points.min(0), points.max(0)
    side = float((high - low).max())
    points = (points - (low + high) / 2) * (BOX / side if side > 0.0 else 1.0)
    late = owner >= len(given)
    far = _distances(points, lift)
    across = np.where(late[:, None] != late, far, np.inf).min(1)
    beside = np.where(owner[:, None] != owner, far, np.inf).min(1)
    return Shown(points, lift, late, across, beside)


def _distances(points: Float[np.ndarray, "n 2"], lift: Bool[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
    """How far each point is from the line that leads on from each, at a stroke's end from that point."""
    index = np.arange(len(points))
    along = points[np.where(lift, index, index + 1)] - points
    square = (along**2).sum(1)
    way = points[:, None] - points
    part = ((way * along).sum(-1) / np.where(square > 0.0, square, 1.0)).clip(0.0, 1.0)
    return np.hypot(*np.moveaxis(way - part[..., None] * along, -1, 0))


def reward_features(
    drawings: Sequence[Shown], points: Float[np.ndarray, "b n 2"] | None = None
) -> tuple[Float[np.ndarray, "b n f"], Int[np.ndarray, " b"]]:
    """What the network reads of drawings, float32, 0 in the padding; and their numbers of points.

    Args:
        drawings: at least one.
        points: where their points are, padded, if they have been moved.
    """
    length = np.array([len(each.lift) for each in drawings], dtype=np.int64)
    places, lift = padded(drawings) if points is None else (points, padded(drawings)[1])
    more = np.zeros((*lift.shape, MORE_FEATURES), dtype=np.float32)
    for row, each in enumerate(drawings):
        far = np.stack([each.across, each.beside], -1)
        count = len(each.lift)
        more[row, :count, 0] = each.added
        more[row, :count, 1:3], more[row, :count, 3:5] = np.exp(-far / NEAR), np.exp(-far / FAR)
    return np.concatenate([features(places, lift, length), more], -1), length


def padded(drawings: Sequence[Shown]) -> tuple[Float[np.ndarray, "b n 2"], Bool[np.ndarray, "b n"]]:
    """The points of drawings and where their strokes end, as arrays of as many points as the longest has."""
    most = max(len(each.lift) for each in drawings)
    places = np.zeros((len(drawings), most, 2))
    lift = np.zeros((len(drawings), most), dtype=bool)
    for row, each in enumerate(drawings):
        places[row, : len(each.points)], lift[row, : len(each.lift)] = each.points, each.lift
    return places, lift
