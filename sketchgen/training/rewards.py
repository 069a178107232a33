"""What thousands of ways to finish a drawing are worth, all at once, in torch.

The figures of `sketchgen.evaluation.finishing`, of which its `completion_value` makes a worth, with ink
in pieces of a fixed number: near enough to tell better ways from worse ones, a hundred times faster. What is
drawn again counts wherever it runs, and gaps are not looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sketchgen.evaluation.finishing import (
    AGAIN,
    ALONG,
    ANGLE,
    COVERED,
    MARGIN,
    MAX_REACH,
    MIN_REACH,
    REACH,
    SLACK,
    TWICE,
    VALUE_FAR,
    VALUE_SPACING,
    WITHIN,
)

PIECES = 96
"""Most pieces of ink of a drawing; longer lines have longer pieces."""

DOT = 1.0
"""Length of a dot, px."""

UNENDED = 1.0
"""What is taken off for a way that the model did not end."""

EXACT = "donot_use_mm_for_euclid_dist"
"""By differences, not by products, whose rounding is tenths of a px."""


@dataclass(frozen=True)
class Ink:
    """The lines of b drawings as pieces of like length.

    Attributes:
        middle: of each piece, px.
        way: along it, of length 1; 0 of a dot.
        there: which pieces are ink.
        amount: length of all lines, px.
    """

    middle: Float[Tensor, "b s 2"]
    way: Float[Tensor, "b s 2"]
    there: Bool[Tensor, "b s"]
    amount: Float[Tensor, " b"]

    def __getitem__(self, rows: Tensor) -> Ink:
        """The ink of some drawings."""
        return Ink(**{name: value[rows] for name, value in vars(self).items()})


def ink(points: Float[Tensor, "b n 2"], begins: Bool[Tensor, "b n"], there: Bool[Tensor, "b n"]) -> Ink:
    """Cut lines into pieces.

    Args:
        points: px, padded behind.
        begins: which begin a stroke.
        there: which are points, not padding.
    """
    before = torch.cat([points[:, :1], points[:, :-1]], 1)
    start = torch.where(begins.unsqueeze(-1), points, before)
    way = points - start
    length = way.square().sum(-1).sqrt()
    alone = begins & torch.cat([begins[:, 1:] | ~there[:, 1:], torch.ones_like(begins[:, :1])], 1)
    length = torch.where(alone, DOT, length) * there
    reached = length.cumsum(1)
    amount = reached[:, -1]
    spacing = (amount / PIECES).clamp(min=VALUE_SPACING)
    # One piece at least where there is any ink.
    count = torch.ceil(amount / spacing - 1e-6).clamp(max=PIECES)
    places = torch.arange(PIECES, device=points.device).expand(len(points), -1)
    at = (places + 0.5) * (amount / count.clamp(min=1.0)).unsqueeze(1)
    index = torch.searchsorted(reached, at.contiguous()).clamp(max=points.shape[1] - 1)
    wide = index.unsqueeze(-1).expand(-1, -1, 2)
    of = length.gather(1, index)
    share = 1.0 - ((reached.gather(1, index) - at) / of.clamp(min=1e-6)).clamp(0.0, 1.0)
    along = way.gather(1, wide)
    middle = start.gather(1, wide) + share.unsqueeze(-1) * along
    norm = along.square().sum(-1, keepdim=True).sqrt()
    return Ink(middle, along / norm.clamp(min=1e-6), places < count.unsqueeze(1), amount)


@dataclass(frozen=True)
class Missing:
    """What is missing of b drawings, and what is given, px.

    Attributes:
        given, rest: their ink.
        low, high: corners of the boxes of the missing strokes.
        boxed: which boxes are there.
    """

    given: Ink
    rest: Ink
    low: Float[Tensor, "b k 2"]
    high: Float[Tensor, "b k 2"]
    boxed: Bool[Tensor, "b k"]

    def __getitem__(self, rows: Tensor) -> Missing:
        """What is missing of some of them."""
        return Missing(self.given[rows], self.rest[rows], self.low[rows], self.high[rows], self.boxed[rows])


def worth(missing: Missing, added: Ink, ended: Bool[Tensor, " b"]) -> Float[Tensor, " b"]:
    """What was added to b drawings is worth: `evaluation.finishing.completion_value`, and ended by itself.

    Args:
        missing: of each.
        added: to each.
        ended: whether the model ended it.
    """
    rest = missing.rest
    far = torch.cdist(rest.middle, added.middle, compute_mode=EXACT)
    far = torch.where(rest.there.unsqueeze(2) & added.there.unsqueeze(1), far, VALUE_FAR).clamp(max=VALUE_FAR)
    chamfer = (_mean(far.amin(2), rest.there) + _mean(far.amin(1), added.there)) / 2
    low = missing.low.masked_fill(~missing.boxed.unsqueeze(-1), torch.inf).amin(1)
    high = missing.high.masked_fill(~missing.boxed.unsqueeze(-1), -torch.inf).amax(1)
    reach = (REACH * (high - low).amax(-1)).clamp(MIN_REACH, MAX_REACH).reshape(-1, 1, 1)
    alike = (rest.way @ added.way.transpose(1, 2)).abs() >= math.cos(math.radians(ANGLE))
    alike |= ~rest.way.any(-1).unsqueeze(2) | ~added.way.any(-1).unsqueeze(1)
    covered = _mean(((far < reach) & alike).any(2).float(), rest.there)
    inside = (added.middle.unsqueeze(2) >= missing.low.unsqueeze(1) - MARGIN).all(-1)
    inside &= (added.middle.unsqueeze(2) <= missing.high.unsqueeze(1) + MARGIN).all(-1)
    placed = _mean((inside & missing.boxed.unsqueeze(1)).any(2).float(), added.there)
    again = torch.cdist(added.middle, missing.given.middle, compute_mode=EXACT)
    again = again.masked_fill(~missing.given.there.unsqueeze(1), VALUE_FAR).amin(2) < ALONG
    finished = (covered >= COVERED) & (placed >= WITHIN) & (_mean(again.float(), added.there) <= AGAIN)
    finished &= added.amount <= TWICE * rest.amount + SLACK
    found = finished.float() + (covered + placed) / 2 - chamfer / VALUE_FAR
    return found - UNENDED * (~ended).float()


def _mean(values: Float[Tensor, "b s"], there: Bool[Tensor, "b s"]) -> Float[Tensor, " b"]:
    return (values * there).sum(1) / there.sum(1).clamp(min=1)
