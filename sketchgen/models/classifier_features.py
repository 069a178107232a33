"""What the recogniser reads of a drawing: every point in the drawing's own box, described by 13 numbers.

Training and recognition both come through here, so that they cannot differ. A beginning is shown in its own
box, as a whole drawing is: how large the whole will be is not known.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.classifier_config import FEATURES
from sketchgen.models.features import NEAR, POSITION_SCALE
from sketchgen.sketch.geometry import BOX

OFFSET_SCALE = 32.0
"""Offsets are divided by this many px, about their deviation in the 255 box."""


def in_own_box(
    points: Float[np.ndarray, "b n 2"], valid: Bool[np.ndarray, "b n"]
) -> Float[np.ndarray, "b n 2"]:
    """Points with the middle of each drawing's bounds at the origin and its longer side 255 px long.

    A drawing without extent, a dot, is only moved.
    """
    low = np.where(valid[..., None], points, np.inf).min(1)
    high = np.where(valid[..., None], points, -np.inf).max(1)
    side = (high - low).max(1)
    scale = np.where(side > 0.0, BOX / np.where(side > 0.0, side, 1.0), 1.0)
    return (points - ((low + high) / 2)[:, None]) * scale[:, None, None]


def features(
    points: Float[np.ndarray, "b n 2"], lift: Bool[np.ndarray, "b n"], length: Int[np.ndarray, " b"]
) -> Float[np.ndarray, "b n 13"]:
    """What the network reads of padded drawings, float32; 0 in the padding.

    A point is told by its offset from the one before, its position, the way from its stroke's start and how
    near that is, whether a line led there, whether the pen is lifted after it, how long and in which
    direction the offset was, and how many strokes there were before.

    Args:
        points: px, in any frame; they are brought into each drawing's own box.
        lift: true at the last point of each stroke.
        length: how many of the n points are the drawing's, 1 or more.
    """
    index = np.arange(points.shape[1])
    valid = index < length[:, None]
    placed = in_own_box(points, valid)
    offset = np.diff(placed, axis=1, prepend=placed[:, :1])
    begins = np.ones(lift.shape, dtype=bool)
    begins[:, 1:] = lift[:, :-1]
    first = np.maximum.accumulate(np.where(begins, index, 0), axis=1)
    way = placed - np.take_along_axis(placed, first[..., None], 1)
    far = np.hypot(offset[..., 0], offset[..., 1])
    found = np.zeros((*lift.shape, FEATURES), dtype=np.float32)
    found[..., 0:2] = offset / OFFSET_SCALE
    found[..., 2:4] = placed / POSITION_SCALE
    found[..., 4:6] = way / POSITION_SCALE
    found[..., 6] = np.exp(-(way**2).sum(-1) / NEAR)
    found[..., 7] = ~begins
    found[..., 8] = lift
    found[..., 9] = np.log1p(far) / 4.0
    found[..., 10:12] = offset / np.maximum(far, 1e-9)[..., None]
    found[..., 12] = np.tanh((begins.cumsum(1) - 1) / 8.0)
    return found * valid[..., None]
