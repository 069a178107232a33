"""Recipes: the shape of a network, and how it is shown its drawings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sketchgen.data.splitting import Prefixes
from sketchgen.models.config import ModelSettings
from sketchgen.training.config import BoundSettings


@dataclass(frozen=True)
class Preset:
    """A network's shape and how it is shown its drawings; see `TrainConfig`."""

    model: ModelSettings
    prefixes: Prefixes = field(default_factory=Prefixes)
    learning_rate: float | None = None
    bound: BoundSettings = field(default_factory=BoundSettings)

    def settings(self) -> dict[str, Any]:
        """Return it as arguments of `TrainConfig`."""
        return dict(vars(self))


PRESETS = {
    "quickdraw345": Preset(
        ModelSettings(
            components=24,
            encoder_width=128,
            inputs="bounded",
            rotated=12,
            self_attention=128,
            pointers=64,
            box_components=True,
        )
    ),
    "tiny": Preset(
        ModelSettings(
            cell="gated",
            width=352,
            components=16,
            embedding=96,
            encoder_width=64,
            dropout=0.05,
            inputs="bounded",
            rotated=8,
            pointers=32,
            box_components=True,
        )
    ),
    # Ha and Eck 2017, decoder only: the given part is replayed, nothing but offsets and pens is read, one pen
    # for all components. Our category embedding, dequantisation and optimiser, so that it is a fair rival.
    "sketch-rnn": Preset(
        ModelSettings(layers=1, width=512, encoder_width=0, dropout=0.1, inputs="offsets", pen="shared"),
        Prefixes(1.0, 0.0, 0.0, 0.0, unknown=0.0, drop_category=0.0, held_back=0.0, opened=0.0),
        learning_rate=1e-3,
    ),
    # The paper's other model, with the same exceptions; besides, the prior depends on the category, which
    # half of the drawings do not tell, and the vector is read at each step only.
    "sketch-rnn-vae": Preset(
        ModelSettings(
            layers=1,
            width=512,
            encoder_width=0,
            dropout=0.1,
            inputs="offsets",
            pen="shared",
            latent=128,
            latent_encoder=256,
        ),
        Prefixes(1.0, 0.0, 0.0, 0.0, unknown=0.0, drop_category=0.5, held_back=0.0, opened=0.0),
        learning_rate=1e-3,
        # The paper weighs the mean divergence of the 128 numbers by a half, beside the mean of 250 points;
        # below 0.2 it costs nothing. In less time than theirs it has to weigh sooner.
        bound=BoundSettings(
            kl_weight=1.0,
            kl_steps=4_000,
            free_nats=0.2 * 128,
            unheard=0.0,
            picture_weight=0.0,
            category_weight=0.0,
            picture_steps=0,
        ),
    ),
}
"""Recipes by name; the first is that of the bundled model."""

# Most drawings from nothing, and half without a category, which the vector then has to hold.
LATENT_PREFIXES = Prefixes(
    nothing=0.7,
    first_stroke=0.05,
    stroke_end=0.1,
    anywhere=0.1,
    unknown=0.25,
    drop_category=0.5,
    held_back=0.1,
    opened=0.05,
)


def with_latent(preset: Preset, width: int = 64) -> Preset:
    """Return a preset with a latent vector of so many numbers."""
    return Preset(replace(preset.model, latent=width), LATENT_PREFIXES, preset.learning_rate or 1e-3)
