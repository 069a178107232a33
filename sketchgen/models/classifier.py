"""The recogniser as it learns, in torch; `sketchgen.models.numpy_classifier` is the same network in numpy.

Two convolutions over neighbouring points, recurrent layers in both directions, and a pooling of all points:
the mean by attention, and the maximum. Many steps go in, one label comes out.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from sketchgen.models.classifier_config import FIRST_SPAN, SECOND_SPAN, RecogniserConfig
from sketchgen.models.encoder import reversed_within
from sketchgen.models.layers import Dropout


def neighbours(values: Float[Tensor, "b n f"], span: int) -> Float[Tensor, "b n g"]:
    """Each point beside its neighbours, `span` of them in all, in their order; 0 beyond the ends."""
    count, side = values.shape[1], span // 2
    wide = pad(values, (0, 0, side, side))
    return torch.cat([wide[:, shift : shift + count] for shift in range(span)], -1)


def real(values: Float[Tensor, "b n f"], length: Int[Tensor, " b"]) -> Bool[Tensor, "b n"]:
    """Which steps are of the drawing and not of the padding."""
    return torch.arange(values.shape[1], device=values.device) < length.unsqueeze(1)


def in_pairs(values: Float[Tensor, "b n f"]) -> Float[Tensor, "b m g"]:
    """Steps 0 and 1 side by side, then 2 and 3, and so on; 0 beside a last one that is alone."""
    return pad(values, (0, 0, 0, values.shape[1] % 2)).reshape(len(values), -1, 2 * values.shape[2])


class Describer(nn.Module):
    """What reads the features of a drawing's points and describes the drawing by some numbers."""

    def __init__(self, config: RecogniserConfig) -> None:
        """Build the layers that `config` describes, but for the last."""
        super().__init__()
        self.config = config
        both = 2 * config.widths[-1]
        self.first = nn.Linear(FIRST_SPAN * config.features, config.entry)
        self.second = nn.Linear(SECOND_SPAN * config.entry, config.entry)
        sizes = list(zip(config.inputs, config.widths, strict=True))
        self.forwards = nn.ModuleList([nn.LSTM(*size, batch_first=True) for size in sizes])
        self.backwards = nn.ModuleList([nn.LSTM(*size, batch_first=True) for size in sizes])
        self.attention = nn.Linear(both, config.heads)
        self.pool = nn.Linear(2 * both, config.pooled)
        self.dropout = Dropout(config.dropout)
        for name, value in self.named_parameters():
            if "bias_ih" in name:
                # A forget gate that starts open: Jozefowicz et al. 2015.
                with torch.no_grad():
                    value[len(value) // 4 : len(value) // 2] = 1.0

    def described(self, steps: Float[Tensor, "b n f"], length: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        """What a drawing is described by before the last layer."""
        hidden, length = self._read(steps, length)
        return relu(self.pool(self.dropout(self._pooled(hidden, real(hidden, length)))))

    def _read(
        self, steps: Float[Tensor, "b n f"], length: Int[Tensor, " b"]
    ) -> tuple[Float[Tensor, "b m w"], Int[Tensor, " b"]]:
        """The last layer's outputs, and how many of them are of the drawing and not of the padding."""
        hidden = relu(self.first(neighbours(steps, FIRST_SPAN))) * real(steps, length).unsqueeze(-1)
        hidden = relu(self.second(neighbours(hidden, SECOND_SPAN)))
        for index, (forwards, backwards) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            if index:
                hidden = in_pairs(hidden * real(hidden, length).unsqueeze(-1))
                length = (length + 1) // 2
            ahead = forwards(hidden)[0]
            back = reversed_within(backwards(reversed_within(hidden, length))[0], length)
            hidden = self.dropout(torch.cat([ahead, back], -1))
        return hidden, length

    def _pooled(self, hidden: Float[Tensor, "b n w"], valid: Bool[Tensor, "b n"]) -> Float[Tensor, "b p"]:
        """Mean by attention, each head over its own part of the numbers, and maximum, over the points."""
        hidden = hidden.float()
        score = self.attention(hidden).float().masked_fill(~valid.unsqueeze(-1), -torch.inf)
        share = torch.softmax(score, 1).unsqueeze(-1)
        mean = (hidden.unflatten(-1, (self.config.heads, -1)) * share).sum(1).flatten(1)
        most = hidden.masked_fill(~valid.unsqueeze(-1), -torch.inf).amax(1)
        return torch.cat([mean, most], -1)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Copies of all weights by name, float32: what a checkpoint holds."""
        return {name: value.float().cpu().numpy().copy() for name, value in self.state_dict().items()}


class RecogniserNetwork(Describer):
    """Log probabilities of the categories, given the features of drawings."""

    def __init__(self, config: RecogniserConfig) -> None:
        """Build the network that `config` describes."""
        super().__init__(config)
        self.head = nn.Linear(config.pooled, len(config.categories))

    def forward(self, steps: Float[Tensor, "b n f"], length: Int[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """Logits of the categories.

        Args:
            steps: features of the points, 0 in the padding.
            length: points of each drawing, 1 or more.
        """
        return self.head(self.dropout(self.described(steps, length))).float()
