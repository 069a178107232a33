"""The network that names pictures of drawings, in torch: convolutions, each stage half as large as the last.

Only training and evaluation load it, and they have torch loaded anyway.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import relu

from sketchgen.models.layers import Dropout
from sketchgen.models.picture_config import ENTRY_SPAN, SPAN, PictureConfig

UNSAVED = "num_batches_tracked"
"""What batch norm counts and does not need: no checkpoint holds it."""


class Convolution(nn.Module):
    """A convolution and batch norm after it."""

    def __init__(self, inputs: int, outputs: int, span: int = SPAN, stride: int = 1) -> None:
        """Build it; it sees `span` pixels each way, and the picture is `stride` times as small after it."""
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, span, stride, span // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, values: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o u v"]:
        """What comes of it, before the activation."""
        return self.norm(self.conv(values))


class Block(nn.Module):
    """Two convolutions, the outcome of which is added to what came in."""

    def __init__(self, width: int) -> None:
        """Build one that does nothing at first, so that a young network is a shallow one."""
        super().__init__()
        self.first, self.second = Convolution(width, width), Convolution(width, width)
        nn.init.zeros_(self.second.norm.weight)

    def forward(self, values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The sum, 0 where it is negative."""
        return relu(values + self.second(relu(self.first(values))))


class PictureNetwork(nn.Module):
    """Logits of the categories, given pictures."""

    def __init__(self, config: PictureConfig) -> None:
        """Build the network that `config` describes."""
        super().__init__()
        self.config = config
        sizes = list(zip((1, *config.widths[:-1]), config.widths, strict=True))
        self.halve = nn.ModuleList(
            [Convolution(*size, SPAN if stage else ENTRY_SPAN, stride=2) for stage, size in enumerate(sizes)]
        )
        stages = zip(config.widths, config.blocks, strict=True)
        self.blocks = nn.ModuleList(
            [nn.ModuleList([Block(width) for _ in range(count)]) for width, count in stages]
        )
        self.head = nn.Linear(config.widths[-1], len(config.categories))
        self.dropout = Dropout(config.dropout)
        # A pixel's channels side by side, which is what a processor's convolutions are quickest with.
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def forward(self, pictures: Float[Tensor, "b h w"]) -> Float[Tensor, "b c"]:
        """Logits of the categories; see `sketchgen.models.picture_features.pictures` for what is shown."""
        return self.head(self.dropout(self.described(pictures))).float()

    def described(self, pictures: Float[Tensor, "b h w"]) -> Float[Tensor, "b d"]:
        """What drawings are described by before the last layer: the mean over the picture."""
        values = pictures.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        for halve, blocks in zip(self.halve, self.blocks, strict=True):
            values = relu(halve(values))
            for block in blocks:  # pyright: ignore[reportGeneralTypeIssues]
                values = block(values)
        return values.float().mean((2, 3))

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Copies of all weights by name, float32, with the means and variances of batch norm."""
        kept = {name: value for name, value in self.state_dict().items() if UNSAVED not in name}
        return {name: np.array(value.float().cpu().contiguous().numpy()) for name, value in kept.items()}
