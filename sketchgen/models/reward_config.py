"""The validated shape of a critic: a recogniser's, but it reads more of each point, and says one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sketchgen.models.classifier_config import FEATURES, RecogniserConfig, known_values

MORE_FEATURES = 5
"""What it reads of a point beside what a recogniser does; see `sketchgen.models.reward_features`."""

WAYS = 5
"""Ways to finish a drawing in a group: the person's, the model's, and last the person's that was spoiled; or
the model's alone."""


@dataclass(frozen=True)
class RewardConfig(RecogniserConfig):
    """Shape of a critic; see `RecogniserConfig` for the attributes.

    The categories are those that it can be told; whoever does not tell one means any, which comes last.
    """

    @property
    def features(self) -> int:
        """Numbers that a point is described by."""
        return FEATURES + MORE_FEATURES

    def dense_sizes(self) -> dict[str, tuple[int, int]]:
        """Outputs and inputs of the layers that are none of the recurrent ones, by name."""
        wide = self.pooled
        return super().dense_sizes() | {"told": (wide, 2 * wide), "wide": (wide, wide), "head": (1, wide)}

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The names and shapes of all weights, as a checkpoint holds them."""
        return super().weight_shapes() | {"category.weight": (len(self.categories) + 1, self.pooled)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RewardConfig:
        """The configuration in a checkpoint's JSON.

        Raises:
            SettingError: an unknown or a missing name, or a value outside its limits.
        """
        return cls(**known_values(cls, values, ("widths",)))
