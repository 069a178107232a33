"""The classifier of strokes and the reward model in torch.

Both share an encoder: two convolutions over neighbouring points, recurrent layers (bidirectional LSTM ones by
default), each half as long as the one below, and pooling over the steps by attention and maximum.
`sketchgen.models.numpy_classifier` and `sketchgen.models.reward_model` are the same networks in numpy.
"""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from sketchgen.models.config import FIRST_SPAN, POINT_FEATURES, SECOND_SPAN, ClassifierConfig, RewardConfig
from sketchgen.models.layers import CheckpointNetwork, Dropout, make_layer, reversed_within

GROUP = 5
"""Completions of the same partial sketch that a reward model is trained on together."""


class StrokeEncoder(CheckpointNetwork):
    """Stroke encoder shared by the classifier and the reward model."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Linear(FIRST_SPAN * config.features, config.entry)
        self.second = nn.Linear(SECOND_SPAN * config.entry, config.entry)
        sizes = list(zip(config.inputs, config.widths, strict=True))
        for direction in config.directions:
            layers = nn.ModuleList([make_layer(config.cell, *size) for size in sizes])
            self.add_module(direction, layers)
        self.attention = nn.Linear(config.outputs, config.heads)
        self.pool = nn.Linear(2 * config.outputs, config.pooled)
        self.dropout = Dropout(config.dropout)
        for name, value in self.named_parameters():
            if "bias_ih" in name and config.cell == "lstm":
                # A forget gate that starts open: Jozefowicz et al. 2015.
                with torch.no_grad():
                    value[len(value) // 4 : len(value) // 2] = 1.0

    def encode(self, steps: Float[Tensor, "b n f"], length: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """Return the representation of drawings that the last layer reads.

        Args:
            steps: features of the points, 0 in the padding.
            length: points of each drawing, 1 or more.
        """
        hidden = relu(self.first(_windows(steps, FIRST_SPAN))) * _mask(steps, length).unsqueeze(-1)
        hidden = relu(self.second(_windows(hidden, SECOND_SPAN)))
        layers = [cast("nn.ModuleList", self.get_submodule(each)) for each in self.config.directions]
        for index, (forwards, *backwards) in enumerate(zip(*layers, strict=True)):
            if index:
                hidden = _pairs(hidden * _mask(hidden, length).unsqueeze(-1))
                length = (length + 1) // 2
            read = [forwards.run(hidden)]
            read += [reversed_within(each.run(reversed_within(hidden, length)), length) for each in backwards]
            hidden = self.dropout(torch.cat(read, -1))
        return relu(self.pool(self.dropout(self._pool(hidden, _mask(hidden, length)))))

    def _pool(self, hidden: Float[Tensor, "b n w"], valid: Bool[Tensor, "b n"]) -> Float[Tensor, "b p"]:
        """Pool over the steps: the mean by attention, each head over its own channels, and the maximum."""
        hidden = hidden.float()
        score = self.attention(hidden).float().masked_fill(~valid.unsqueeze(-1), -torch.inf)
        share = torch.softmax(score, 1).unsqueeze(-1)
        mean = (hidden.unflatten(-1, (self.config.heads, -1)) * share).sum(1).flatten(1)
        maximum = hidden.masked_fill(~valid.unsqueeze(-1), -torch.inf).amax(1)
        return torch.cat([mean, maximum], -1)


class Classifier(StrokeEncoder):
    """Classifier of whole and partial drawings."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__(config)
        self.head = nn.Linear(config.pooled, len(config.categories))

    def forward(self, steps: Float[Tensor, "b n f"], length: Int[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """Return the logits of the categories; see `encode` for the arguments."""
        return self.head(self.dropout(self.encode(steps, length))).float()


class RewardNetwork(StrokeEncoder):
    """Reward model of finished drawings, conditioned on the category; a new one gives all the same score.

    The category's embedding multiplies the representation, so that each category weighs it in its own way.
    """

    def __init__(self, config: RewardConfig) -> None:
        super().__init__(config)
        wide = config.pooled
        self.category = nn.Embedding(len(config.categories) + 1, wide)
        self.told, self.wide = nn.Linear(2 * wide, wide), nn.Linear(wide, wide)
        self.head = nn.Linear(wide, 1)
        nn.init.zeros_(self.head.weight)

    def forward(
        self, steps: Float[Tensor, "b n f"], length: Int[Tensor, " b"], category: Int[Tensor, " b"]
    ) -> Float[Tensor, "g w"]:
        """Return the scores of groups of `GROUP` completions of the same partial sketch; see `scores`."""
        return self.scores(steps, length, category).view(-1, GROUP)

    def scores(
        self, steps: Float[Tensor, "b n f"], length: Int[Tensor, " b"], category: Int[Tensor, " b"]
    ) -> Float[Tensor, " b"]:
        """Return scores, nats; only those of completions of the same partial sketch can be compared.

        The number of categories stands for any; see `encode` for the other arguments.
        """
        encoded, category = self.encode(steps, length), self.category(category)
        both = relu(self.told(torch.cat([encoded, encoded * category], -1)) + self.wide(category))
        return self.head(self.dropout(both)).squeeze(-1).float()

    @torch.no_grad()
    def initialise_from(self, classifier: Classifier) -> None:
        """Copy the weights of a classifier of the same shape and categories.

        The features that it does not read start with weight 0. The embedding of a category starts as its row
        in the classifier's last layer, that of any category as the mean of all rows.
        """
        own, theirs = self.state_dict(), classifier.state_dict()
        for name, value in theirs.items():
            if not name.startswith(("first.weight", "head.")):
                own[name].copy_(value)
        first = own["first.weight"].zero_().view(-1, FIRST_SPAN, self.config.features)
        first[..., :POINT_FEATURES] = theirs["first.weight"].view(-1, FIRST_SPAN, POINT_FEATURES)
        names = theirs["head.weight"]
        own["category.weight"].copy_(torch.cat([names, names.mean(0, keepdim=True)]))


def _windows(values: Float[Tensor, "b n f"], span: int) -> Float[Tensor, "b n g"]:
    """Return each step beside its neighbours, `span` in all; 0 beyond the ends."""
    count, side = values.shape[1], span // 2
    wide = pad(values, (0, 0, side, side))
    return torch.cat([wide[:, shift : shift + count] for shift in range(span)], -1)


def _mask(values: Float[Tensor, "b n f"], length: Int[Tensor, " b"]) -> Bool[Tensor, "b n"]:
    """Return which steps are not padding."""
    return torch.arange(values.shape[1], device=values.device) < length.unsqueeze(1)


def _pairs(values: Float[Tensor, "b n f"]) -> Float[Tensor, "b m g"]:
    """Return steps 0 and 1 side by side, then 2 and 3, and so on; 0 beside a last one that is alone."""
    return pad(values, (0, 0, 0, values.shape[1] % 2)).reshape(len(values), -1, 2 * values.shape[2])
