"""The encoder: the given part of a drawing, read in both directions, as one code."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sketchgen.models.layers import make_layer


def reversed_within(values: Float[Tensor, "b n f"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b n f"]:
    """Return each row's first `lengths` steps in reverse order; the padding behind them stays where it is."""
    index = torch.arange(values.shape[1], device=values.device).expand(values.shape[:2])
    back = lengths.unsqueeze(1) - 1 - index
    return values.gather(1, torch.where(back >= 0, back, index).unsqueeze(-1).expand_as(values))


class Encoder(nn.Module):
    """One recurrent layer forwards and one backwards; their last outputs are projected to the code.

    With width 0 there are none: the code is always that of nothing given.
    """

    def __init__(self, cell: str, inputs: int, width: int, code: int) -> None:
        """Build both directions of `width` units over `inputs` numbers, and the projection to `code` ones."""
        super().__init__()
        self.width = width
        if width:
            self.forwards, self.backwards = (make_layer(cell, inputs, width) for _ in range(2))
            self.project = nn.Linear(2 * width, code)
        self.nothing = nn.Parameter(torch.zeros(code))

    def forward(self, steps: Float[Tensor, "b n f"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """Return the code of each row's first `lengths` steps; that of nothing where that is 0."""
        if steps.shape[1] == 0 or not self.width:
            return self.nothing.expand(len(steps), -1)
        last = (lengths - 1).clamp(min=0).reshape(-1, 1, 1)
        ends = []
        for layer, values in ((self.forwards, steps), (self.backwards, reversed_within(steps, lengths))):
            outputs = layer.run(values)
            ends.append(outputs.gather(1, last.expand(-1, 1, outputs.shape[-1])).squeeze(1))
        code = self.project(torch.cat(ends, -1))
        return torch.where((lengths > 0).unsqueeze(-1), code, self.nothing.to(code.dtype))
