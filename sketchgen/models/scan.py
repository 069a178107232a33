"""A gated linear recurrence over all steps of a sequence, forwards and backwards, with a gradient by hand.

Feng et al. 2024 ("Were RNNs All We Needed?") run theirs in parallel, by cumulative sums of logarithms. That
is for processors of thousands of lanes. Where there are few, the recurrence itself is next to nothing, and
what costs is to go through memory again and again. For 100 drawings of 45 steps and 512 units, forwards and
backwards, one core took 4 to 6 ms with a loop in place, 42 with cumulative products of blocks, 68 with shifts
that double, 70 with the loop under autograd, which keeps each step's parts and fills their gradients up with
zeros, and 280 with logarithms. So on a processor the loop it is.

On a GPU each step of a loop is a dozen kernels that are done before the next is begun. There the steps are
taken in blocks of `BLOCK`: all blocks at once, each from 0, then from block to block what each begins with.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 8
"""Steps in a block on a GPU: the loops are of so many turns, and of a turn for each block."""


def gated_scan(gates: Float[Tensor, "b t g"], *, blocks: bool | None = None) -> Float[Tensor, "b t w"]:
    """h_t = h_{t-1} + sigmoid(enter_t) (candidate_t - h_{t-1}), from h = 0; returns h_t silu(leave_t).

    Computed in float32, or float64 where the gates are, and returned as what the gates are.

    Args:
        gates: enter, leave and candidate, w numbers of each, for each step.
        blocks: whether by blocks of steps; None for that on a GPU, and by a loop on a processor.
    """
    by_blocks = gates.device.type != "cpu" if blocks is None else blocks
    return (_BlockScan if by_blocks else _Scan).apply(gates)


def _kept_in(gates: Tensor) -> torch.dtype:
    """What is added up over many steps needs more digits than bfloat16 has."""
    return torch.promote_types(gates.dtype, torch.float32)


def scan(gates: Float[Tensor, "b t g"]) -> tuple[Float[Tensor, "u b w"], Float[Tensor, "b t w"]]:
    """Return the t + 1 states, steps first, and the outputs of `gated_scan` by a loop; no gradient."""
    batch, count, width = gates.shape[0], gates.shape[1], gates.shape[2] // 3
    # Steps first: a step's states lie together. The one before the first is 0.
    states = torch.zeros(count + 1, batch, width, dtype=_kept_in(gates), device=gates.device)
    outputs = gates.new_empty(batch, count, width)
    for step, (now, output) in enumerate(zip(gates.unbind(1), outputs.unbind(1), strict=True)):
        enter, leave, candidate = now.to(states.dtype).chunk(3, 1)
        state = torch.lerp(states[step], candidate, enter.sigmoid(), out=states[step + 1])
        output.copy_(torch.nn.functional.silu(leave).mul_(state))
    return states, outputs


class _Scan(torch.autograd.Function):
    """`gated_scan` with its gradient: all but the gates and the states is computed again on the way back."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor) -> Tensor:
        states, outputs = scan(gates)
        ctx.save_for_backward(gates, states)
        return outputs

    # The decorator, without which a second derivative would be wrong without a word, hides the names.
    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        gates, states = ctx.saved_tensors
        found = torch.empty_like(gates)
        # Of the loss by the state, from all later steps.
        carried = torch.zeros_like(states[0])
        steps = zip(gates.unbind(1), grads[0].unbind(1), found.unbind(1), strict=True)
        for step, (now, grad, out) in reversed(list(enumerate(steps))):
            enter, leave, _ = now.to(states.dtype).chunk(3, 1)
            grad, enter = grad.to(states.dtype), enter.sigmoid()
            before, state = states[step], states[step + 1]
            by_enter, by_leave, by_candidate = out.chunk(3, 1)
            by_leave.copy_(torch.ops.aten.silu_backward(grad * state, leave))
            carried.addcmul_(grad, torch.nn.functional.silu(leave))
            entered = carried * enter
            carried.sub_(entered)
            by_candidate.copy_(entered)
            # (candidate - before) enter = state - before, and sigmoid' = enter (1 - enter).
            by_enter.copy_((state - before).mul_(carried))
        return found


def linear_recurrence(keep: Float[Tensor, "b t w"], added: Float[Tensor, "b t w"]) -> Float[Tensor, "b t w"]:
    """h_t = keep_t h_{t-1} + added_t from h = 0, by blocks of `BLOCK` steps; no gradient."""
    count = keep.shape[1]
    keep, states = _in_blocks(keep), _in_blocks(added)
    for step in range(1, BLOCK):
        states[:, :, step].addcmul_(keep[:, :, step], states[:, :, step - 1])
        keep[:, :, step].mul_(keep[:, :, step - 1])
    # keep is now what is left of a block's beginning at each of its steps.
    begins = torch.zeros_like(states[:, :, 0])
    for block in range(1, states.shape[1]):
        torch.addcmul(
            states[:, block - 1, -1], keep[:, block - 1, -1], begins[:, block - 1], out=begins[:, block]
        )
    return states.addcmul_(keep, begins.unsqueeze(2)).flatten(1, 2)[:, :count]


def _in_blocks(values: Tensor) -> Tensor:
    """A copy, (b, blocks, `BLOCK`, w); behind the end there are zeros."""
    batch, count, width = values.shape
    wide = values.new_zeros(batch, -(-count // BLOCK) * BLOCK, width)
    wide[:, :count] = values
    return wide.unflatten(1, (-1, BLOCK))


class _BlockScan(torch.autograd.Function):
    """`gated_scan` by blocks; see `_Scan`."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor) -> Tensor:
        enter, leave, candidate = gates.to(_kept_in(gates)).chunk(3, -1)
        enter = enter.sigmoid()
        states = linear_recurrence(1.0 - enter, enter * candidate)
        ctx.save_for_backward(gates, states)
        return (torch.nn.functional.silu(leave) * states).to(gates.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        gates, states = ctx.saved_tensors
        enter, leave, _ = gates.to(states.dtype).chunk(3, -1)
        grad, enter = grads[0].to(states.dtype), enter.sigmoid()
        # From behind: what a state does at its own step, and to the next one, which keeps a part of it.
        keep = torch.nn.functional.pad(1.0 - enter[:, 1:], (0, 0, 0, 1))
        own = grad * torch.nn.functional.silu(leave)
        carried = linear_recurrence(keep.flip(1), own.flip(1)).flip(1)
        before = torch.nn.functional.pad(states[:, :-1], (0, 0, 1, 0))
        by_enter = (states - before) * (1.0 - enter) * carried
        by_leave = torch.ops.aten.silu_backward(grad * states, leave)
        return torch.cat([by_enter, by_leave, carried * enter], -1).to(gates.dtype)
