from __future__ import annotations

import jaxtyping
import pytest
import torch
from torch import Tensor

from sketchgen.models.layers import Gated, Stack
from sketchgen.models.scan import BLOCK, gated_scan

BATCH, COUNT, WIDTH = 3, 7, 5

# By a loop, as on a processor, and by blocks, as on a GPU: which must not depend on where the tests run.
BOTH_WAYS = pytest.mark.parametrize("blocks", [False, True])
COUNTS = pytest.mark.parametrize("count", [1, 2, COUNT, BLOCK, BLOCK + 1, 3 * BLOCK + 2])


def gates(kind: torch.dtype = torch.float64, count: int = COUNT) -> Tensor:
    random = torch.Generator().manual_seed(0)
    return (2 * torch.randn(BATCH, count, 3 * WIDTH, generator=random, dtype=torch.float64)).to(kind)


def step_by_step(given: Tensor) -> Tensor:
    """The definition, by autograd."""
    enter, leave, candidate = given.chunk(3, -1)
    state, outputs = torch.zeros_like(candidate[:, 0]), []
    for step in range(given.shape[1]):
        share = torch.sigmoid(enter[:, step])
        state = (1 - share) * state + share * candidate[:, step]
        outputs.append(state * leave[:, step] * torch.sigmoid(leave[:, step]))
    return torch.stack(outputs, 1)


@BOTH_WAYS
@COUNTS
def test_it_is_the_recurrence_and_so_is_its_gradient(count: int, blocks: bool):
    given = gates(count=count).requires_grad_()
    torch.testing.assert_close(gated_scan(given, blocks=blocks), step_by_step(given))
    weight = torch.randn(BATCH, count, WIDTH, dtype=torch.float64)
    (found,) = torch.autograd.grad((gated_scan(given, blocks=blocks) * weight).sum(), given)
    (wanted,) = torch.autograd.grad((step_by_step(given) * weight).sum(), given)
    torch.testing.assert_close(found, wanted)


@BOTH_WAYS
def test_gates_and_gradients_may_lie_in_any_order_in_memory(blocks: bool):
    given = gates().transpose(0, 1).contiguous().transpose(0, 1).requires_grad_()
    # The gradient of a sum is one number, laid out over all places.
    (found,) = torch.autograd.grad(gated_scan(given, blocks=blocks).sum(), given)
    (wanted,) = torch.autograd.grad(step_by_step(given).sum(), given)
    torch.testing.assert_close(found, wanted)


@BOTH_WAYS
def test_extreme_gates_stay_finite(blocks: bool):
    given = torch.cat([gates(torch.float32) * 1e4, gates(torch.float32)], 1).requires_grad_()
    found = gated_scan(given, blocks=blocks)
    (grad,) = torch.autograd.grad(found.sum(), given)
    assert torch.isfinite(found).all()
    assert torch.isfinite(grad).all()


@BOTH_WAYS
def test_the_sum_of_many_steps_has_more_digits_than_bfloat16(blocks: bool):
    """Each step adds one part in 500 of what is there: in bfloat16 it would be lost."""
    given = torch.zeros(1, 600, 3, dtype=torch.bfloat16)
    given[..., 0], given[..., 1], given[..., 2] = -6.2, 4.0, 1.0
    found = gated_scan(given.requires_grad_(), blocks=blocks)
    assert found.dtype == torch.bfloat16
    wanted = step_by_step(given.detach().double())
    torch.testing.assert_close(found.double(), wanted, rtol=2**-8, atol=0.0)
    (grad,) = torch.autograd.grad(found[:, -1].sum(), given)
    exact = given.detach().double().requires_grad_()
    (wanted,) = torch.autograd.grad(step_by_step(exact)[:, -1].sum(), exact)
    assert grad.dtype == torch.bfloat16
    torch.testing.assert_close(grad.double(), wanted, rtol=2**-6, atol=1e-7)


def test_in_bfloat16_the_products_are_coarse_and_the_scan_is_not():
    torch.manual_seed(0)
    layer, inputs = Gated(8, 16), torch.randn(BATCH, COUNT, 8)
    kinds = []
    layer.gates.register_forward_hook(lambda _module, _read, found: kinds.append(found.dtype))
    exact = layer.run(inputs)
    with torch.autocast("cpu", torch.bfloat16):
        coarse = layer.run(inputs)
    assert kinds == [torch.float32, torch.bfloat16]
    assert coarse.dtype == torch.bfloat16
    torch.testing.assert_close(coarse.float(), exact, rtol=0.05, atol=0.01)


@pytest.mark.parametrize(("inputs", "width"), [(4, 6), (6, 6)])
def test_a_layer_is_its_equations(inputs: int, width: int):
    torch.manual_seed(0)
    layer, given = Gated(inputs, width).double(), torch.randn(BATCH, COUNT, inputs, dtype=torch.float64)
    read = given.clone()
    read[:, 1:] += layer.look_back * given[:, :-1]
    wanted = step_by_step(layer.gates(read)) + (given if inputs == width else 0.0)
    torch.testing.assert_close(layer.run(given), wanted)


def test_a_new_layer_remembers_for_short_and_for_long():
    torch.manual_seed(0)
    bias = Gated(4, 1000).gates.bias.detach()
    share = torch.sigmoid(bias[:1000])
    assert 1 / 65 < float(share.min()) < 1 / 50
    assert 0.45 < float(share.max()) <= 0.5
    # By the logarithm: as many from 1/2 to 1/8 as from there on.
    assert 0.4 < float((share > 1 / 8).float().mean()) < 0.6
    assert (bias[1000:2000] == 1.0).all()


def test_the_future_is_not_read():
    torch.manual_seed(0)
    stack, given = Stack("gated", 6, 8, 3, 0.0).eval(), torch.randn(BATCH, COUNT, 6)
    changed = given.clone()
    changed[:, 4:] += 1.0
    before, after = stack(given), stack(changed)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.isclose(before[:, 4], after[:, 4]).all(-1).any()


def test_shapes_are_checked_while_tests_run():
    with pytest.raises(jaxtyping.TypeCheckError):
        gated_scan(torch.zeros(4, 6))
