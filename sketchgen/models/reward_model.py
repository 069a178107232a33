"""The critic: of several ways to finish a drawing, which is most as a person would have gone on.

    from sketchgen.models.reward_model import load_critic

    scores = load_critic().scores(completions, "cat")

A model draws point by point and sees neither that a wheel comes beside its place nor that it goes on with
another drawing. The critic reads given and added ink together. It has learned which of the model's own ways
are nearest to how people went on with drawings, and to tell these from the model's, from moved and from
unfinished ways (`sketchgen.training.reward_batches`); a nat more is e times likelier to be the best, so
that taking the best of several candidates mends what the model does wrong.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from sketchgen.models.checkpoint import Weights, name_of
from sketchgen.models.numpy_classifier import BATCH, Reader
from sketchgen.models.recogniser import check_drawn
from sketchgen.models.reward_checkpoint import DEFAULT_CRITIC, read_reward_model
from sketchgen.models.reward_config import RewardConfig
from sketchgen.models.reward_features import Shown, reward_features, seen
from sketchgen.sketch.sketch import Completion


class NumpyRewardNetwork(Reader):
    """The critic's network in numpy."""

    def __init__(self, config: RewardConfig, weights: Weights) -> None:
        """Make the network that `config` describes of `weights`, those of a checkpoint."""
        super().__init__(config, weights)

    def scores(self, drawings: Sequence[Shown], category: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """What each of n finished drawings is worth, nats; see `RewardNetwork.scores`."""
        found = np.zeros(len(drawings))
        order = np.argsort([len(each.lift) for each in drawings], kind="stable")
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            described = self.described(*reward_features([drawings[row] for row in rows]))
            wanted = self._weights["category.weight"][category[rows]]
            told = self._dense("told", np.concatenate([described, described * wanted], -1))
            found[rows] = self._dense("head", np.maximum(told + self._dense("wide", wanted), 0.0))[:, 0]
        return found


@dataclass(frozen=True)
class RewardModel:
    """Tells good ways to finish a drawing; make one with `load_reward_model`.

    Attributes:
        config: the network's shape, and the categories that it can be told.
        reader: the network.
        name: the checkpoint's name or path.
        summary: how it was trained.
    """

    config: RewardConfig
    reader: NumpyRewardNetwork
    name: str
    summary: dict[str, Any]

    def scores(self, completions: Sequence[Completion], category: str | None) -> Float[np.ndarray, " n"]:
        """What each completion is worth, nats; those of one beginning can be compared.

        Args:
            completions: with at least one point each, given or added.
            category: what they are to be of; None, and one that it does not know, stand for any.

        Raises:
            SketchError: a drawing is empty; the message says which.
        """
        check_drawn([each.whole for each in completions], "judge")
        known = self.config.categories
        index = known.index(category) if category in known else len(known)
        shown = [seen(each.given, each.added) for each in completions]
        return self.reader.scores(shown, np.full(len(shown), index))


def load_reward_model(name_or_path: str | os.PathLike[str] | None = None) -> RewardModel:
    """Load a critic by its bundled name or by the path of its folder; the bundled one without either.

    Raises:
        CheckpointError: none there, one of another kind, or damaged.
    """
    found = read_reward_model(name_or_path)
    reader = NumpyRewardNetwork(found.config, found.weights)
    return RewardModel(found.config, reader, name_of(name_or_path, DEFAULT_CRITIC), found.summary)
