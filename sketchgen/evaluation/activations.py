"""What a stroke model computes along a drawing: hidden states, distributions, and how far gradients reach.

`activations` returns everything of a drawing in one call. `gradient_by_distance` measures how much each step
still depends on the state k steps before; `recorded` and `gradient_norms` do so for any stack of layers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad, silu

from sketchgen.completion.completer import Completer
from sketchgen.errors import SettingError, SketchError
from sketchgen.limits import check_whole
from sketchgen.models.layers import GRU, LSTM, RNN, Gated, LayerState, Recurrent, Stack
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.resources import unknown_category
from sketchgen.sketch.geometry import CENTRE, simplify_as_quickdraw
from sketchgen.sketch.sketch import Sketch, check_sketch
from sketchgen.sketch.strokes import Pen, pens

ROWS = 32
"""Steps whose gradients are computed at once."""

States = list[list[LayerState]]
"""States by layer and by step, (b, w) each: hidden state and cell of an LSTM, else the hidden state alone."""


@dataclass(frozen=True)
class Activations:
    """What a stroke model computes before each of the m = n + 1 steps of a drawing of n points.

    Attributes:
        sketch: the drawing as the network reads it, simplified, px of its 255 box.
        position: where the pen is before each step, px of that box; at first its centre.
        offset: of the steps, px; without meaning for the last one, the end.
        pen: after each step; END for the last one.
        hidden: hidden states of the recurrent layers, on which the distribution depends.
        cell: cells of LSTM layers; None for others.
        distribution: of each step, with the leading shape (m,).
        log_prob: log density of each step, nats.
    """

    sketch: Sketch
    position: Float[Tensor, "m 2"]
    offset: Float[Tensor, "m 2"]
    pen: Int[Tensor, " m"]
    hidden: Float[Tensor, "m l w"]
    cell: Float[Tensor, "m l w"] | None
    distribution: StepDistribution
    log_prob: Float[Tensor, " m"]


@torch.no_grad()
def activations(
    model: Completer | StrokeModel, sketch: Sketch, category: str | None = None, given: int = 0
) -> Activations:
    """Return what a model computes along a drawing, teacher-forced, without gradients.

    Args:
        model: a completer, or a network in evaluation mode, whatever its cells.
        sketch: at least one point, at any size.
        category: what it shows; None leaves it open.
        given: how many of the simplified points the encoder reads; its code counts from the step after them.

    Raises:
        SketchError: the drawing is empty.
        CategoryError: the model does not know the category.
        SettingError: `given` is outside its limits, or `model` is none.
    """
    network = _network(model)
    drawn, steps = _teacher_forced(network, sketch, category)
    count = drawn.point_count
    check_whole("given, of the simplified points,", given, 0, count)
    with recorded(network.stack) as states:
        found = network(steps, torch.full_like(steps.category, given))
    parts = [[torch.cat(part) for part in zip(*layer, strict=True)] for layer in states]
    hidden, *cell = (torch.stack(part, 1) for part in zip(*parts, strict=True))
    distribution = StepDistribution(**{name: value[0] for name, value in vars(found).items()})
    offset, pen = _with_end(steps)
    return Activations(
        sketch=drawn,
        position=pad(steps.offset[0].cumsum(0), (0, 0, 1, 0)) + CENTRE,
        offset=offset,
        pen=pen,
        hidden=hidden,
        cell=cell[0] if cell else None,
        distribution=distribution,
        log_prob=distribution.log_prob(offset, pen),
    )


def gradient_by_distance(
    model: Completer | StrokeModel, sketch: Sketch, category: str | None = None
) -> Float[Tensor, " m"]:
    """Return the mean norm of d loss_t / d state_(t-k) over the steps t of a drawing, for k = 0, 1, ..., n.

    The loss of a step is its negative log density, nats; the state is that of all layers, with the cells.
    See Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", section 2.1. The
    arguments and the errors are those of `activations`.
    """
    network = _network(model)
    drawn, steps = _teacher_forced(network, sketch, category)
    count = drawn.point_count + 1
    offset, pen = _with_end(steps)
    sums = torch.zeros(count)
    for at in torch.arange(count).split(ROWS):
        many = Steps(**{name: value.expand(len(at), *value.shape[1:]) for name, value in vars(steps).items()})
        with torch.enable_grad(), recorded(network.stack) as states:
            found = network(many, torch.zeros_like(at)).at(at)
            norms = gradient_norms(-found.log_prob(offset[at], pen[at]), states)
        for step, row in zip(at.tolist(), norms, strict=True):
            sums[: step + 1] += row[: step + 1].flip(0)
    return sums / torch.arange(count, 0, -1)


def gradient_norms(loss: Float[Tensor, " b"], states: States) -> Float[Tensor, "b t"]:
    """Return the norm of the gradient of each row's loss with respect to its state after each of t steps."""
    parts = [part for layer in states for step in layer for part in step]
    # What no loss depends on, such as the last cell, has no gradient.
    found = torch.autograd.grad(loss.sum(), parts, materialize_grads=True)
    squares = torch.stack([grad.square().sum(-1) for grad in found])
    return squares.view(len(states), len(states[0]), -1, len(loss)).sum((0, 2)).sqrt().T


@contextlib.contextmanager
def recorded(stack: Stack) -> Iterator[States]:
    """Yield a list that is filled with the states of a stack's layers when the stack runs within the block.

    The layers then take one step after the other, so that each state is a node of the graph of gradients.
    """
    states: States = []

    def stepwise(layer: Recurrent) -> Callable[[Tensor], Tensor]:
        def run(inputs: Tensor) -> Tensor:
            # So that there are gradients where the weights are frozen, too.
            if torch.is_grad_enabled() and not inputs.requires_grad:
                inputs = inputs.detach().requires_grad_()
            outputs, found = _gated(layer, inputs) if isinstance(layer, Gated) else _of_torch(layer, inputs)
            states.append(found)
            return outputs

        return run

    for layer in stack.cells:
        vars(layer)["run"] = stepwise(layer)
    try:
        yield states
    finally:
        for layer in stack.cells:
            del vars(layer)["run"]


def _of_torch(layer: LSTM | GRU | RNN, inputs: Float[Tensor, "b t i"]) -> tuple[Tensor, list[LayerState]]:
    """Return the outputs of a layer of torch, and its states after each step."""
    state, found = None, []
    for step in inputs.split(1, 1):
        output, state = layer(step, state)
        # The output is the hidden state: the same node for the next step as for the layer above.
        hidden, cell = output[:, 0], state[1:] if isinstance(state, tuple) else ()
        found.append((hidden, *(part[0] for part in cell)))
        state = (hidden[None], found[-1][1][None]) if cell else hidden[None]
    return torch.stack([hidden for hidden, *_ in found], 1), found


def _gated(layer: Gated, inputs: Float[Tensor, "b t i"]) -> tuple[Tensor, list[LayerState]]:
    """Return the outputs of a gated layer, and its states after each step."""
    enter, leave, candidate = layer.gates_of(inputs).chunk(3, -1)
    hidden, found = torch.zeros_like(candidate[:, 0]), []
    for share, new in zip(enter.sigmoid().unbind(1), candidate.unbind(1), strict=True):
        hidden = torch.lerp(hidden, new, share)
        found.append((hidden,))
    outputs = torch.stack([hidden for (hidden,) in found], 1) * silu(leave)
    return inputs + outputs if layer.adds else outputs, found


def _network(model: Completer | StrokeModel) -> StrokeModel:
    if not isinstance(model, Completer | StrokeModel):
        raise SettingError(f"model is {str(model)[:60]!r}, no network; load one by sketchgen.load(name)")
    return model.network() if isinstance(model, Completer) else model


def _teacher_forced(network: StrokeModel, sketch: Sketch, category: str | None) -> tuple[Sketch, Steps]:
    """Return a drawing as the network reads it, and its steps, (1, n)."""
    check_sketch(sketch)
    if sketch.is_empty:
        raise SketchError("the drawing is empty; there must be a point to read")
    names = network.config.categories
    if category is not None and category not in names:
        raise unknown_category(category, names)
    drawn = simplify_as_quickdraw(sketch)
    index = network.config.any_category if category is None else names.index(category)
    device = network.read.weight.device
    offset = torch.from_numpy(np.diff(drawn.points - CENTRE, axis=0, prepend=0.0)).float()
    pen = torch.from_numpy(pens(drawn))
    steps = Steps(offset[None], pen[None], torch.tensor([index]), torch.ones(1))
    return drawn, Steps(**{name: value.to(device) for name, value in vars(steps).items()})


def _with_end(steps: Steps) -> tuple[Float[Tensor, "m 2"], Int[Tensor, " m"]]:
    """Return the steps of one drawing and its end."""
    return pad(steps.offset[0], (0, 0, 0, 1)), pad(steps.pen[0], (0, 1), value=int(Pen.END))
