"""Rewards of many completions at once, in torch.

The reward of a completion is its value (`sketchgen.evaluation.finishing.completion_value`), less a penalty if
the model did not end it, plus the log probability that a classifier gives to its category. Values are
approximated for speed: a drawing's ink has a bounded number of pieces, ink that is drawn again counts at any
length, and gaps do not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sketchgen.data.batching import TensorData
from sketchgen.errors import SettingError
from sketchgen.evaluation import finishing as rules
from sketchgen.models.checkpoint import CLASSIFIER, read_checkpoint
from sketchgen.models.classifier import Classifier
from sketchgen.models.numpy_classifier import point_features
from sketchgen.sketch.strokes import Pen
from sketchgen.training.rollout import Samples

MAX_PIECES = 96
"""Maximum number of pieces of a drawing's ink; longer drawings have longer pieces."""

DOT_LENGTH = 1.0
"""Length of a dot, px."""

UNENDED_PENALTY = 1.0
"""Penalty for a completion that the model did not end."""

MIN_LOG_PROB = -5.0
"""Lower bound of a classifier's log probability, nats."""

CLASSIFIER_ROWS = 2048
"""Maximum number of drawings in one call of a classifier."""

_EXACT = "donot_use_mm_for_euclid_dist"
"""Mode of `torch.cdist`: matrix products would round distances to tenths of a px."""


@dataclass(frozen=True)
class Ink(TensorData):
    """The lines of b drawings as pieces of equal length.

    Attributes:
        centre: of each piece, px.
        direction: unit vector along each piece; 0 for a dot.
        valid: which pieces are ink, not padding.
        length: of all lines, px.
    """

    centre: Float[Tensor, "b s 2"]
    direction: Float[Tensor, "b s 2"]
    valid: Bool[Tensor, "b s"]
    length: Float[Tensor, " b"]


def ink(points: Float[Tensor, "b n 2"], starts: Bool[Tensor, "b n"], valid: Bool[Tensor, "b n"]) -> Ink:
    """Cut lines into pieces, given points in px, which of them start a stroke, and which are no padding."""
    previous = torch.cat([points[:, :1], points[:, :-1]], 1)
    origin = torch.where(starts.unsqueeze(-1), points, previous)
    vector = points - origin
    length = vector.square().sum(-1).sqrt()
    dot = starts & torch.cat([starts[:, 1:] | ~valid[:, 1:], torch.ones_like(starts[:, :1])], 1)
    length = torch.where(dot, DOT_LENGTH, length) * valid
    reached = length.cumsum(1)
    total = reached[:, -1]
    spacing = (total / MAX_PIECES).clamp(min=rules.VALUE_SPACING)
    # At least one piece where there is any ink.
    count = torch.ceil(total / spacing - 1e-6).clamp(max=MAX_PIECES)
    number = torch.arange(MAX_PIECES, device=points.device).expand(len(points), -1)
    at = (number + 0.5) * (total / count.clamp(min=1.0)).unsqueeze(1)
    index = torch.searchsorted(reached, at.contiguous()).clamp(max=points.shape[1] - 1)
    wide = index.unsqueeze(-1).expand(-1, -1, 2)
    segment = length.gather(1, index)
    share = 1.0 - ((reached.gather(1, index) - at) / segment.clamp(min=1e-6)).clamp(0.0, 1.0)
    along = vector.gather(1, wide)
    centre = origin.gather(1, wide) + share.unsqueeze(-1) * along
    norm = along.square().sum(-1, keepdim=True).sqrt()
    return Ink(centre, along / norm.clamp(min=1e-6), number < count.unsqueeze(1), total)


@dataclass(frozen=True)
class Reference(TensorData):
    """What is given and what is missing of b partial sketches, px of their 255 boxes.

    Attributes:
        given, missing: ink of the partial sketches and of the held-out strokes.
        low, high: top left and bottom right corners of the boxes of the held-out strokes.
        valid: which boxes are not padding.
    """

    given: Ink
    missing: Ink
    low: Float[Tensor, "b k 2"]
    high: Float[Tensor, "b k 2"]
    valid: Bool[Tensor, "b k"]


def completion_reward(reference: Reference, added: Ink, ended: Bool[Tensor, " b"]) -> Float[Tensor, " b"]:
    """Return the approximate value of each completion, less a penalty if the model did not end it."""
    missing, low, high = reference.missing, reference.low, reference.high
    distance = torch.cdist(missing.centre, added.centre, compute_mode=_EXACT)
    both = missing.valid.unsqueeze(2) & added.valid.unsqueeze(1)
    distance = torch.where(both, distance, rules.VALUE_FAR).clamp(max=rules.VALUE_FAR)
    chamfer = (_mean(distance.amin(2), missing.valid) + _mean(distance.amin(1), added.valid)) / 2
    outer_low = low.masked_fill(~reference.valid.unsqueeze(-1), torch.inf).amin(1)
    outer_high = high.masked_fill(~reference.valid.unsqueeze(-1), -torch.inf).amax(1)
    reach = rules.REACH * (outer_high - outer_low).amax(-1)
    reach = reach.clamp(rules.MIN_REACH, rules.MAX_REACH).reshape(-1, 1, 1)
    cosine = (missing.direction @ added.direction.transpose(1, 2)).abs()
    parallel = cosine >= math.cos(math.radians(rules.ANGLE))
    # A dot has no direction: it is parallel to everything.
    parallel |= ~missing.direction.any(-1).unsqueeze(2) | ~added.direction.any(-1).unsqueeze(1)
    covered = _mean(((distance < reach) & parallel).any(2).float(), missing.valid)
    inside = (added.centre.unsqueeze(2) >= low.unsqueeze(1) - rules.MARGIN).all(-1)
    inside &= (added.centre.unsqueeze(2) <= high.unsqueeze(1) + rules.MARGIN).all(-1)
    placed = _mean((inside & reference.valid.unsqueeze(1)).any(2).float(), added.valid)
    to_given = torch.cdist(added.centre, reference.given.centre, compute_mode=_EXACT)
    to_given = to_given.masked_fill(~reference.given.valid.unsqueeze(1), rules.VALUE_FAR).amin(2)
    again = _mean((to_given < rules.ALONG).float(), added.valid)
    finished = (covered >= rules.COVERED) & (placed >= rules.WITHIN) & (again <= rules.AGAIN)
    finished &= added.length <= rules.TWICE * missing.length + rules.SLACK
    value = finished.float() + (covered + placed) / 2 - chamfer / rules.VALUE_FAR
    return value - UNENDED_PENALTY * (~ended).float()


def _mean(values: Float[Tensor, "b s"], valid: Bool[Tensor, "b s"]) -> Float[Tensor, " b"]:
    return (values * valid).sum(1) / valid.sum(1).clamp(min=1)


@torch.no_grad()
def category_log_prob(
    classifier: Classifier, samples: Samples, category: Int[Tensor, " b"]
) -> Float[Tensor, " b"]:
    """Return the log probability, in nats, of each drawing's category; `MIN_LOG_PROB` at least.

    Points are read as they were drawn, without being simplified first. Drawings without a category, whose
    index is the number of categories, have 0.
    """
    drawings = samples.offset.cumsum(1), samples.pen == Pen.LIFT, samples.length
    features = point_features(*(part.cpu().numpy() for part in drawings))
    parts = torch.from_numpy(features).to(category.device).split(CLASSIFIER_ROWS)
    lengths = samples.length.split(CLASSIFIER_ROWS)
    log_prob = torch.cat([classifier(*pair).log_softmax(-1) for pair in zip(parts, lengths, strict=True)])
    categories = log_prob.shape[1]
    own = log_prob.gather(1, category.clamp(max=categories - 1).unsqueeze(1)).squeeze(1)
    return torch.where(category < categories, own.clamp(min=MIN_LOG_PROB), 0.0)


def load_reward_classifier(name: str, categories: tuple[str, ...], device: torch.device) -> Classifier:
    """Load a classifier of these categories to reward completions by, in evaluation mode."""
    checkpoint = read_checkpoint(name, CLASSIFIER)
    if checkpoint.config.categories != categories:
        remedy = "take one that was trained on this store"
        raise SettingError(f"classifier {name} has other categories; {remedy}")
    network = Classifier.from_weights(checkpoint.config, checkpoint.weights)
    return network.to(device).requires_grad_(False)
