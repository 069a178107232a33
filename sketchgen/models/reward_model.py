"""The reward model: scores of completions of a partial sketch, in numpy.

    from sketchgen import load_reward_model

    scores = load_reward_model().scores(completions, "cat")

A stroke model adds point by point and does not see that a wheel comes beside its place, or that it continues
with another drawing. The reward model reads given and added strokes together, and of each point whether it
was added, how near the other part is and how near any other stroke is. It is trained to pick the completion
that is nearest to a person's (`sketchgen.training.reward_task`): exp(score) is proportional to the
probability of being the best of a group. `sketchgen.models.classifier` has the same network in torch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.checkpoint import REWARD_MODEL, Pretrained, read_checkpoint
from sketchgen.models.config import REWARD_FEATURES
from sketchgen.models.numpy_classifier import MAX_POINTS, NumpyEncoder, in_own_box, padded, point_features
from sketchgen.models.numpy_layers import one_thread
from sketchgen.models.recogniser import check_not_empty
from sketchgen.sketch.geometry import BOX, EPSILON, rdp, simplify_as_quickdraw
from sketchgen.sketch.sketch import Completion, Points, Sketch

NEAR, FAR = 6.0, 30.0
"""Scales in px of the two kernels of distance: strokes that touch, and strokes nearby."""


@dataclass(frozen=True)
class MarkedSketch:
    """A completed drawing of n points, px of its own box of 255, the centre at the origin.

    Attributes:
        lift: where strokes end.
        added: which points were added.
        to_other_part: distance to the given strokes from added points and to the added ones from given
            points; `inf` where there are none.
        to_other_stroke: distance to the nearest other stroke; `inf` where there is none.
    """

    points: Float[np.ndarray, "n 2"]
    lift: Bool[np.ndarray, " n"]
    added: Bool[np.ndarray, " n"]
    to_other_part: Float[np.ndarray, " n"]
    to_other_stroke: Float[np.ndarray, " n"]


def simplified(given: Sketch, added: Sketch) -> MarkedSketch:
    """Return a completed drawing of any size and place, simplified as Quick, Draw! does it."""
    strokes = simplify_as_quickdraw(Sketch(given.strokes + added.strokes)).strokes
    return marked(strokes[: len(given.strokes)], strokes[len(given.strokes) :])


def resimplified(given: Sequence[Points], added: Sequence[Points]) -> MarkedSketch:
    """Return a completed drawing whose strokes are simplified already, as training data are."""
    both = np.concatenate([*given, *added])
    low, side = both.min(0), float(np.ptp(both, axis=0).max())
    placed = [(stroke - low) * (BOX / side if side > 0.0 else 1.0) for stroke in [*given, *added]]
    thin = [np.rint(rdp(stroke, EPSILON) if len(stroke) > 2 else stroke) for stroke in placed]
    return marked(thin[: len(given)], thin[len(given) :])


def marked(given: Sequence[Points], added: Sequence[Points]) -> MarkedSketch:
    """Return simplified strokes in any frame as one drawing in its own box.

    Points beyond `MAX_POINTS` are not read; there must be one point.
    """
    strokes = [*given, *added]
    lengths = [len(stroke) for stroke in strokes]
    owner = np.repeat(np.arange(len(strokes)), lengths)[:MAX_POINTS]
    points = np.concatenate(strokes).astype(np.float64)[:MAX_POINTS]
    points = in_own_box(points[None], np.ones((1, len(points)), dtype=bool))[0]
    lift = np.diff(owner, append=-1) != 0
    late = owner >= len(given)
    distance = _distances(points, lift)
    to_other_part = np.where(late[:, None] != late, distance, np.inf).min(1)
    to_other_stroke = np.where(owner[:, None] != owner, distance, np.inf).min(1)
    return MarkedSketch(points, lift, late, to_other_part, to_other_stroke)


def _distances(points: Float[np.ndarray, "n 2"], lift: Bool[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
    """Return the distance of each point from the segment that starts at each; at a stroke's end, a point."""
    index = np.arange(len(points))
    along = points[np.where(lift, index, index + 1)] - points
    square = (along**2).sum(1)
    from_start = points[:, None] - points
    part = ((from_start * along).sum(-1) / np.where(square > 0.0, square, 1.0)).clip(0.0, 1.0)
    return np.hypot(*np.moveaxis(from_start - part[..., None] * along, -1, 0))


def reward_features(
    drawings: Sequence[MarkedSketch], points: Float[np.ndarray, "b n 2"] | None = None
) -> tuple[Float[np.ndarray, "b n f"], Int[np.ndarray, " b"]]:
    """Return the padded features of drawings, float32, and their numbers of points.

    Padded `points` may be read instead of the drawings' own.
    """
    places, lift, length = padded([(each.points, each.lift) for each in drawings])
    more = np.zeros((*lift.shape, REWARD_FEATURES), dtype=np.float32)
    for row, each in enumerate(drawings):
        distance = np.stack([each.to_other_part, each.to_other_stroke], -1)
        count = len(each.lift)
        more[row, :count, 0] = each.added
        more[row, :count, 1:3], more[row, :count, 3:5] = np.exp(-distance / NEAR), np.exp(-distance / FAR)
    features = point_features(places if points is None else points, lift, length)
    return np.concatenate([features, more], -1), length


class NumpyRewardNetwork(NumpyEncoder):
    """Reward model in numpy."""

    @one_thread
    def scores(
        self, drawings: Sequence[MarkedSketch], category: Int[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """Return scores of n completed drawings, nats; see `sketchgen.models.classifier.RewardNetwork`."""
        found = np.zeros(len(drawings))
        for rows in self._batches([len(each.lift) for each in drawings]):
            encoded = self.encode(*reward_features([drawings[row] for row in rows]))
            wanted = self._weights["category.weight"][category[rows]]
            told = self._linear("told", np.concatenate([encoded, encoded * wanted], -1))
            found[rows] = self._linear("head", np.maximum(told + self._linear("wide", wanted), 0.0))[:, 0]
        return found


@dataclass(frozen=True)
class RewardModel(Pretrained):
    """Scores completions of a drawing; make one with `load_reward_model`."""

    network: NumpyRewardNetwork
    name: str
    summary: dict[str, Any]

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that it knows."""
        return self.network.config.categories

    def scores(
        self, completions: Sequence[Completion], category: str | Sequence[str | None] | None
    ) -> Float[np.ndarray, " n"]:
        """Return a score of each completion, nats; higher is better.

        Only scores of completions of the same partial sketch can be compared.

        Args:
            completions: with at least one point each, given or added.
            category: what they are to be of, or what each is; None, like an unknown name, stands for any.

        Raises:
            SketchError: a drawing is empty; the message says which.
        """
        check_not_empty([each.whole for each in completions], "judge")
        known = {name: number for number, name in enumerate(self.categories)}
        names = [category] * len(completions) if category is None or isinstance(category, str) else category
        drawings = [simplified(each.given, each.added) for each in completions]
        return self.network.scores(drawings, np.array([known.get(name or "", len(known)) for name in names]))


def load_reward_model(name_or_path: str | os.PathLike[str] | None = None) -> RewardModel:
    """Load a reward model from a folder, else from the bundled checkpoint of a name, or from hf://user/name.

    Raises:
        CheckpointError: there is none, or it is of another kind or damaged.
    """
    checkpoint = read_checkpoint(name_or_path, REWARD_MODEL)
    network = NumpyRewardNetwork(checkpoint.config, checkpoint.weights)
    return RewardModel(network, checkpoint.name, checkpoint.summary)
