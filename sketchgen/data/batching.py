"""Batches of drawings as tensors, cut into a given and a missing part, in a known or an unknown frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import Prefixes, cut_points, held_back, opened
from sketchgen.sketch.geometry import BOX, CENTRE, GIVEN_SIDE
from sketchgen.sketch.strokes import Pen

M = TypeVar("M", bound="TensorData")


class TensorData:
    """A dataclass of tensors, and of other such data, with a row for each example."""

    def __getitem__(self: M, rows: Tensor) -> M:
        return self._each(lambda part: part[rows])

    def to(self: M, device: torch.device, *, non_blocking: bool = True) -> M:
        """Return the data on another device; from pinned memory it is copied while the device computes."""
        return self._each(lambda part: part.to(device, non_blocking=non_blocking))

    def pin_memory(self: M) -> M:
        """Return the data in pinned memory; torch's loader calls this."""
        return self._each(lambda part: part.pin_memory())

    def _each(self: M, change: Callable[[Any], Any]) -> M:
        parts = vars(self).values()
        return type(self)(
            *(tuple(map(change, each)) if type(each) is tuple else change(each) for each in parts)
        )


@dataclass(frozen=True)
class Batch(TensorData):
    """Whole drawings with a cut, padded to the longest.

    Attributes:
        offset: px, as the network reads them; the first is counted from the frame's centre.
        target: px, as they are scored, dequantised; one more than points, the last without meaning.
        pen: pen state after each point; END behind the last one and in the padding.
        length: points of each drawing.
        cut: how many of them are given.
        category, known: see `sketchgen.models.stroke_model.Steps`.
        scored: which of the n + 1 steps count.
        key: 64-bit hash of each drawing, as a signed number.
    """

    offset: Float[Tensor, "b n 2"]
    target: Float[Tensor, "b m 2"]
    pen: Int[Tensor, "b m"]
    length: Int[Tensor, " b"]
    cut: Int[Tensor, " b"]
    category: Int[Tensor, " b"]
    known: Float[Tensor, " b"]
    scored: Bool[Tensor, "b m"]
    key: Int[Tensor, " b"]


def warps(
    angle: Float[np.ndarray, " b"],
    shear: Float[np.ndarray, " b"],
    stretch: Float[np.ndarray, " b"],
    side: Float[np.ndarray, " b"] | float = 1.0,
) -> Float[np.ndarray, "b 2 2"]:
    """Return maps (x', y') = (x, y) @ warp that turn, shear and stretch, and mirror where `side` is -1."""
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], 1)
    skew = np.zeros_like(turn)
    skew[:, 0, 0], skew[:, 0, 1], skew[:, 1, 1] = np.exp(stretch) * side, shear * side, np.exp(-stretch)
    return (turn @ skew).transpose(0, 2, 1)


def _extent(
    points: Float[np.ndarray, "b n 2"], valid: Bool[np.ndarray, "b n"]
) -> tuple[Float[np.ndarray, "b 2"], Float[np.ndarray, " b"]]:
    """Return the lower corner and the longer side of the points where `valid`."""
    low = np.where(valid[..., None], points, np.inf).min(1)
    high = np.where(valid[..., None], points, -np.inf).max(1)
    return low, (high - low).max(1)


def padded(
    drawings: Drawings,
) -> tuple[Float[np.ndarray, "b n 2"], Bool[np.ndarray, "b n"], Bool[np.ndarray, "b n"]]:
    """Return the points, where strokes end, and which are no padding; padding repeats the last point."""
    lengths = drawings.lengths
    count = int(lengths.max())
    index = np.arange(count)
    valid = index < lengths[:, None]
    rows = drawings.start[:-1, None] + np.minimum(index, lengths[:, None] - 1)
    return drawings.points[rows].astype(np.float64), drawings.lift[rows] & valid, valid


def make_batch(
    drawings: Drawings, random: np.random.Generator, any_category: int, prefixes: Prefixes
) -> Batch:
    """Return a training batch of drawings, cut and presented as `prefixes` says."""
    points, lift, valid = padded(drawings)
    lengths, batch = drawings.lengths, len(drawings)
    warp = random.random(batch) < prefixes.warp
    bent = (points - CENTRE) @ warps(*random.normal(size=(3, batch)) * [[0.05], [0.04], [0.06]])
    low, side = _extent(bent, valid)
    bent = np.rint((bent - low[:, None]) * (BOX / np.maximum(side, 1.0))[:, None, None])
    points = np.where(warp[:, None, None], bent, points) - CENTRE
    cut = cut_points(lengths, lift, prefixes, random)
    order, others = held_back(lengths, lift, prefixes.held_back, random)
    lift = np.take_along_axis(lift, order, 1)
    turn, lift, pieces = opened(np.where(others < 0, lengths, 0), points, lift, prefixes.opened, random)
    points = np.take_along_axis(points, np.where(pieces[:, None] < 0, order, turn)[..., None], 1)
    others = np.maximum(others, pieces)
    late = others >= 0
    cut = np.where(late, others, cut)
    scale, shift = np.ones(batch), np.zeros((batch, 2))
    given = np.arange(points.shape[1]) < np.maximum(cut, 1)[:, None]
    low, side = _extent(points, given)
    wanted = GIVEN_SIDE / np.maximum(side, 1e-9) * np.exp(random.normal(size=batch) * prefixes.scale_jitter)
    unknown = (random.random(batch) < prefixes.unknown) & (cut > 1) & (wanted < 4.0)
    jitter = random.random(points.shape) - 0.5
    middle = (low + np.where(given[..., None], points, -np.inf).max(1)) / 2
    scale, shift = np.where(unknown, wanted, scale), np.where(unknown[:, None], middle, shift)
    # Where the scale is unknown, any real number is a coordinate: the network reads the noise as well.
    points = (points + jitter * unknown[:, None, None] - shift[:, None]) * scale[:, None, None]
    offset = np.diff(points, axis=1, prepend=0.0)
    noise = (random.random(points.shape) - 0.5) * ~unknown[:, None, None]
    drop = random.random(batch) < prefixes.drop_category
    category = np.where(drop, any_category, drawings.category)
    # Nor is the given part scored where its order is not the one that it was drawn in.
    first_scored = np.where(unknown | late, cut, 0)
    return assemble(drawings, offset, offset + noise, lift, cut, category, ~unknown, first_scored)


def assemble(
    drawings: Drawings,
    offset: Float[np.ndarray, "b n 2"],
    target: Float[np.ndarray, "b n 2"],
    lift: Bool[np.ndarray, "b n"],
    cut: Int[np.ndarray, " b"],
    category: Int[np.ndarray, " b"],
    known: Bool[np.ndarray, " b"],
    first_scored: Int[np.ndarray, " b"],
) -> Batch:
    """Return tensors from padded arrays; steps before `first_scored` and behind the end do not count."""
    batch, count = lift.shape
    lengths = drawings.lengths
    steps = np.arange(count + 1)
    pen = np.full((batch, count + 1), int(Pen.END), dtype=np.int64)
    pen[:, :count] = np.where(steps[:count] < lengths[:, None], np.where(lift, Pen.LIFT, Pen.DRAW), Pen.END)
    wide = np.zeros((batch, count + 1, 2), dtype=np.float32)
    wide[:, :count] = target
    scored = (steps <= lengths[:, None]) & (steps >= first_scored[:, None])
    return Batch(
        offset=torch.from_numpy(offset.astype(np.float32)),
        target=torch.from_numpy(wide),
        pen=torch.from_numpy(pen),
        length=torch.from_numpy(np.asarray(lengths, dtype=np.int64)),
        cut=torch.from_numpy(np.asarray(cut, dtype=np.int64)),
        category=torch.from_numpy(np.asarray(category, dtype=np.int64)),
        known=torch.from_numpy(known.astype(np.float32)),
        scored=torch.from_numpy(scored),
        key=torch.from_numpy(drawings.key.astype(np.uint64).view(np.int64)),
    )


def evaluation_batch(drawings: Drawings, random: np.random.Generator, fraction: float) -> Batch:
    """Return drawings in their 255 box, of which round(fraction * n) points are given and the rest is scored.

    Offsets are dequantised by uniform noise in [-0.5, 0.5) from `random`, which the network does not read.
    """
    points, lift, _ = padded(drawings)
    lengths = drawings.lengths
    offset = np.diff(points - CENTRE, axis=1, prepend=0.0)
    noise = random.random(offset.shape) - 0.5
    cut = np.round(fraction * lengths).astype(np.int64)
    known = np.ones(len(drawings), dtype=bool)
    return assemble(drawings, offset, offset + noise, lift, cut, drawings.category, known, cut)
