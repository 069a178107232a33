"""How sure a recogniser is of many drawings' categories, in torch, from the points that a network drew."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from sketchgen.errors import SettingError
from sketchgen.models.checkpoint import CLASSIFIER, read_checkpoint
from sketchgen.models.classifier import Classifier
from sketchgen.models.features import NEAR, POSITION_SCALE
from sketchgen.models.numpy_classifier import OFFSET_SCALE
from sketchgen.sketch.geometry import BOX
from sketchgen.sketch.strokes import Pen
from sketchgen.training.rollout import Samples

UNSURE = 5.0
"""Nats beyond which doubts are alike."""

ROWS = 2048
"""Drawings that are read at once."""


class Namer:
    """A recogniser that judges what a network draws."""

    def __init__(self, network: Classifier) -> None:
        """Judge by `network`, on its device."""
        self.network = network.eval().requires_grad_(False)

    @torch.no_grad()
    def sure(self, ways: Samples, category: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Log probability of each drawing's category, nats, -`UNSURE` at least; 0 where none was told.

        Points are read as they were drawn, in order, without being simplified once more.

        Args:
            ways: what was drawn.
            category: index, or any higher number where none was told.
        """
        points, lift = ways.offset.cumsum(1), ways.pen == Pen.LIFT
        parts = [
            functional.log_softmax(
                self.network(features(points[rows], lift[rows], ways.length[rows]), ways.length[rows]), -1
            )
            for rows in torch.arange(len(category), device=category.device).split(ROWS)
        ]
        log_prob = torch.cat(parts)
        own = log_prob.gather(1, category.clamp(max=log_prob.shape[1] - 1).unsqueeze(1)).squeeze(1)
        return torch.where(category < log_prob.shape[1], own.clamp(min=-UNSURE), 0.0)


def features(
    points: Float[Tensor, "b n 2"], lift: Bool[Tensor, "b n"], length: Int[Tensor, " b"]
) -> Float[Tensor, "b n 13"]:
    """`sketchgen.models.numpy_classifier.point_features` in torch."""
    index = torch.arange(points.shape[1], device=points.device)
    valid = (index < length.unsqueeze(1)).unsqueeze(-1)
    low = points.masked_fill(~valid, torch.inf).amin(1, keepdim=True)
    high = points.masked_fill(~valid, -torch.inf).amax(1, keepdim=True)
    side = (high - low).amax(-1, keepdim=True)
    placed = (points - (low + high) / 2) * torch.where(side > 0, BOX / side.clamp(min=1e-9), 1.0)
    offset = torch.diff(placed, dim=1, prepend=placed[:, :1])
    begins = torch.cat([torch.ones_like(lift[:, :1]), lift[:, :-1]], 1)
    first = torch.where(begins, index, 0).cummax(1).values.unsqueeze(-1).expand(-1, -1, 2)
    way = placed - placed.gather(1, first)
    far = offset.square().sum(-1, keepdim=True).sqrt()
    parts = [
        offset / OFFSET_SCALE,
        placed / POSITION_SCALE,
        way / POSITION_SCALE,
        torch.exp(-way.square().sum(-1, keepdim=True) / NEAR),
        (~begins).unsqueeze(-1).float(),
        lift.unsqueeze(-1).float(),
        torch.log1p(far) / 4.0,
        offset / far.clamp(min=1e-9),
        torch.tanh((begins.cumsum(1) - 1) / 8.0).unsqueeze(-1),
    ]
    return torch.cat(parts, -1) * valid


def load_namer(name: str, categories: tuple[str, ...], device: torch.device) -> Namer:
    """A recogniser to judge by.

    Raises:
        CheckpointError: none there.
        SettingError: one of other categories than those of the network that learns.
    """
    kept = read_checkpoint(name, CLASSIFIER)
    if kept.config.categories != categories:
        raise SettingError(f"judge {name} has other categories; take one that was trained on this store")
    return Namer(Classifier.from_weights(kept.config, kept.weights).to(device))
