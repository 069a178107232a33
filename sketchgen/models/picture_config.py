"""The validated shape of a network that names pictures, which its checkpoint carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sketchgen.errors import SettingError
from sketchgen.models.classifier_config import check_categories, check_widths, known_values, plain_values
from sketchgen.models.config import check_dropout

ENTRY_SPAN, SPAN = 5, 3
"""Pixels each way that the first convolution sees, and all others."""

MAX_BLOCKS = 8
"""Residual blocks that follow one halving at most."""


@dataclass(frozen=True)
class PictureConfig:
    """Shape of a network that names pictures.

    Attributes:
        categories: the names that it tells apart.
        widths: channels of each stage. A stage begins with a convolution that halves the picture's sides; the
            last one's channels, in the mean over the picture, are what a drawing is described by.
        blocks: residual blocks of two convolutions in each stage.
        dropout: share of the last layer's inputs that is dropped in training.
    """

    categories: tuple[str, ...]
    widths: tuple[int, ...] = (32, 64, 128, 192)
    blocks: tuple[int, ...] = (0, 1, 1, 0)
    dropout: float = 0.1

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SettingError: a value outside its limits.
        """
        check_widths(self.widths, 4)
        deep = all(isinstance(count, int) and 0 <= count <= MAX_BLOCKS for count in self.blocks)
        if not deep or len(self.blocks) != len(self.widths):
            wanted = f"as many whole numbers from 0 to {MAX_BLOCKS} as there are widths"
            raise SettingError(f"blocks must be {wanted}, not {self.blocks!r}")
        check_dropout(self.dropout)
        check_categories(self.categories)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The names and shapes of all weights, as a checkpoint holds them."""
        shapes: dict[str, tuple[int, ...]] = {}

        def convolution(name: str, below: int, width: int, span: int) -> None:
            shapes[f"{name}.conv.weight"] = (width, below, span, span)
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{name}.norm.{part}"] = (width,)

        below = (1, *self.widths[:-1])
        for stage, (inputs, width, blocks) in enumerate(zip(below, self.widths, self.blocks, strict=True)):
            convolution(f"halve.{stage}", inputs, width, SPAN if stage else ENTRY_SPAN)
            for block in range(blocks):
                for part in ("first", "second"):
                    convolution(f"blocks.{stage}.{block}.{part}", width, width, SPAN)
        shapes |= {
            "head.weight": (len(self.categories), self.widths[-1]),
            "head.bias": (len(self.categories),),
        }
        return shapes

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return plain_values(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PictureConfig:
        """The configuration in a checkpoint's JSON.

        Raises:
            SettingError: an unknown or a missing name, or a value outside its limits.
        """
        return cls(**known_values(cls, values, ("widths", "blocks")))
