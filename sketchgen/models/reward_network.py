"""The critic as it learns, in torch; `sketchgen.models.reward_model.NumpyRewardNetwork` is the same in numpy.

The recogniser's network describes the finished drawing; what it is to be of is told by numbers that stand
for the category, number by number the weights with which the description counts. One score comes out.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import relu

from sketchgen.models.classifier import Describer, RecogniserNetwork
from sketchgen.models.classifier_config import FEATURES, FIRST_SPAN
from sketchgen.models.reward_config import WAYS, RewardConfig


class RewardNetwork(Describer):
    """Scores of finished drawings, by their features and categories."""

    def __init__(self, config: RewardConfig) -> None:
        """Build the network that `config` describes; a new one holds all drawings for equally good."""
        super().__init__(config)
        wide = config.pooled
        self.category = nn.Embedding(len(config.categories) + 1, wide)
        self.told, self.wide = nn.Linear(2 * wide, wide), nn.Linear(wide, wide)
        self.head = nn.Linear(wide, 1)
        nn.init.zeros_(self.head.weight)

    def forward(
        self, steps: Float[Tensor, "b n f"], length: Int[Tensor, " b"], category: Int[Tensor, " b"]
    ) -> Float[Tensor, "g w"]:
        """The scores of groups of `WAYS` ways to finish the same drawing; see `scores`."""
        return self.scores(steps, length, category).view(-1, WAYS)

    def scores(
        self, steps: Float[Tensor, "b n f"], length: Int[Tensor, " b"], category: Int[Tensor, " b"]
    ) -> Float[Tensor, " b"]:
        """What tells good ways from bad ones, nats; those of one beginning can be compared.

        Args:
            steps: features of the points, 0 in the padding.
            length: points of each drawing, 1 or more.
            category: what each is to be of, an index; the number of categories for any.
        """
        seen, wanted = self.described(steps, length), self.category(category)
        both = relu(self.told(torch.cat([seen, seen * wanted], -1)) + self.wide(wanted))
        return self.head(self.dropout(both)).squeeze(-1).float()

    @torch.no_grad()
    def begin_with(self, recogniser: RecogniserNetwork) -> None:
        """Take over what a recogniser of the same shape and categories has learned.

        What it does not read has no weight at first, and a category stands for what it was told by.
        """
        own, theirs = self.state_dict(), recogniser.state_dict()
        for name, value in theirs.items():
            if not name.startswith(("first.weight", "head.")):
                own[name].copy_(value)
        first = own["first.weight"].zero_().view(-1, FIRST_SPAN, self.config.features)
        first[..., :FEATURES] = theirs["first.weight"].view(-1, FIRST_SPAN, FEATURES)
        names = theirs["head.weight"]
        own["category.weight"].copy_(torch.cat([names, names.mean(0, keepdim=True)]))
