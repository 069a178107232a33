"""Checkpoints of critics, kept as recognisers are; see `sketchgen.models.classifier_checkpoint`."""

from __future__ import annotations

import os

from sketchgen.models.checkpoint import CRITIC_FORMAT
from sketchgen.models.classifier_checkpoint import Kept, Kind, read_kept
from sketchgen.models.reward_config import RewardConfig
from sketchgen.resources import CRITIC_WEIGHTS, bundled_critics

CRITIC_VERSION = 1

DEFAULT_CRITIC = "critic345"
"""The bundled critic."""


def _about(config: RewardConfig) -> str:
    """The first paragraphs of its card."""
    return (
        f"# A sketchgen critic, of {len(config.categories)} categories\n\n"
        "Tells which of several ways to finish a drawing is most as a person would have gone on with it, by "
        "given and added strokes together: a recogniser's network that is told the category and says one "
        "number. By it the best of several candidates is taken. It draws nothing.\n\n"
    )


CRITIC = Kind(
    "critic",
    CRITIC_FORMAT,
    CRITIC_VERSION,
    CRITIC_WEIGHTS,
    "critic",
    RewardConfig.from_dict,
    _about,
    DEFAULT_CRITIC,
    bundled_critics,
)
"""Those of critics."""


def read_reward_model(name_or_path: str | os.PathLike[str] | None = None) -> Kept[RewardConfig]:
    """Read a critic's checkpoint; see `find_kept` for the name.

    Raises:
        CheckpointError: none there, one of another kind, a newer one, or damaged weights.
    """
    return read_kept(CRITIC, name_or_path)
