from __future__ import annotations

from dataclasses import replace
from typing import Any

import jaxtyping
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sketchgen.models.features import BORDERS
from sketchgen.models.layers import Dropout, reversed_within
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.stroke_model import Steps, StrokeModel, in_precision, refresh
from sketchgen.sketch.strokes import Pen
from tests.support import untrained

BATCH, COUNT = 3, 9
each_network = pytest.mark.parametrize("shape", untrained.SHAPES, ids=str)


def network(shape: dict[str, Any] | None = None) -> StrokeModel:
    return untrained.network(untrained.shaped(shape or {}))


def steps(count: int = COUNT, seed: int = 0) -> Steps:
    random = torch.Generator().manual_seed(seed)
    return Steps(
        offset=(torch.randn(BATCH, count, 2, generator=random) * 30).round(),
        pen=torch.randint(0, 2, (BATCH, count), generator=random),
        category=torch.tensor([0, 1, 2]),
        known=torch.tensor([1.0, 0.0, 1.0]),
    )


def first(given: Steps, count: int) -> Steps:
    return replace(given, offset=given.offset[:, :count], pen=given.pen[:, :count])


def at(flat: StepDistribution, step: int | slice) -> dict[str, Tensor]:
    return {name: value[:, step] for name, value in vars(flat).items()}


def check_close(one: dict[str, Tensor], two: dict[str, Tensor]) -> None:
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], atol=1e-5, rtol=1e-5, msg=name)


def cuts(count: int) -> Tensor:
    return torch.full((BATCH,), count)


@torch.no_grad()
@each_network
def test_before_the_cut_nothing_is_known_of_it(shape: dict[str, Any]):
    model, given = network(shape), steps()
    check_close(at(model(given, cuts(6)), slice(0, 6)), at(model(given, cuts(0)), slice(0, 6)))


@torch.no_grad()
@each_network
def test_padding_never_changes_results(shape: dict[str, Any]):
    model, given = network(shape), steps()
    count = torch.tensor([9, 5, 2])
    cut = torch.tensor([4, 0, 2])
    together = model(given, cut)
    for row in range(BATCH):
        end = int(count[row])
        alone = Steps(*(value[row : row + 1] for value in vars(given).values()))
        single = model(first(alone, end), cut[row : row + 1])
        among = {name: value[row : row + 1, : end + 1] for name, value in vars(together).items()}
        count_alone = single.log_weight.shape[-1]
        shorter = {
            name: value if name == "end" else value[:, :, :count_alone] for name, value in among.items()
        }
        check_close(shorter, vars(single))


@torch.no_grad()
@each_network
@pytest.mark.parametrize(("cut", "changed"), [(3, 3), (0, 6)])
def test_a_point_changes_only_what_follows_it(shape: dict[str, Any], cut: int, changed: int):
    model, given = network(shape), steps()
    offset, pen = given.offset.clone(), given.pen.clone()
    offset[:, changed] += 17.0
    pen[:, changed] = 1 - pen[:, changed]
    before, after = model(given, cuts(cut)), model(replace(given, offset=offset, pen=pen), cuts(cut))
    for name, value in vars(before).items():
        assert torch.equal(value[:, : changed + 1], vars(after)[name][:, : changed + 1]), name
    assert not torch.allclose(before.mean[:, changed + 1], after.mean[:, changed + 1])


@torch.no_grad()
@each_network
def test_the_given_part_reaches_all_that_follows_the_cut(shape: dict[str, Any]):
    model, given = network(shape), steps()
    offset = given.offset.clone()
    offset[:, 2] += 17.0
    before, after = model(given, cuts(5)), model(replace(given, offset=offset), cuts(5))
    for step in range(5, COUNT + 1):
        assert not torch.allclose(before.mean[:, step], after.mean[:, step])


@each_network
def test_gradients_reach_every_parameter(shape: dict[str, Any]):
    model, given = network(shape), steps()
    pen = torch.cat([given.pen, torch.full((BATCH, 1), int(Pen.DRAW))], 1)
    pen[:, -1] = torch.where(given.pen[:, -1] == Pen.LIFT, int(Pen.END), int(Pen.DRAW))
    target = torch.cat([given.offset, torch.zeros(BATCH, 1, 2)], 1)
    (-model(given, torch.tensor([4, 0, 7])).log_prob(target, pen).sum()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


@torch.no_grad()
def test_a_new_network_takes_the_sides_of_the_box_for_rare():
    found = network({"inputs": "bounded", "box_components": True})(steps(), cuts(0))
    sides = found.log_weight[:, :, -len(BORDERS) :].exp().sum(-1)
    assert 0.1 < float(sides[0].mean()) < 0.2
    # Where the frame is not the box there are none.
    assert float(sides[1].max()) == 0.0


@torch.no_grad()
def test_category_and_frame_are_read():
    model, given = network(), steps()
    before = model(given, cuts(0)).mean
    for other in (
        replace(given, category=torch.tensor([1, 2, 0])),
        replace(given, known=1 - given.known),
    ):
        assert not torch.allclose(before, model(other, cuts(0)).mean)


@torch.no_grad()
def test_a_drawing_can_end_only_with_the_pen_up():
    given = steps()
    flat = network()(given, cuts(2))
    assert (flat.end[:, 0] == -torch.inf).all()
    assert torch.equal(torch.isfinite(flat.end[:, 1:]), given.pen == Pen.LIFT)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_reversing_twice_is_nothing_and_leaves_the_padding(lengths: list[int]):
    values = torch.arange(len(lengths) * 6 * 2.0).reshape(len(lengths), 6, 2)
    count = torch.tensor(lengths)
    back = reversed_within(values, count)
    assert torch.equal(reversed_within(back, count), values)
    for row, length in enumerate(lengths):
        assert torch.equal(back[row, :length], values[row, :length].flip(0))
        assert torch.equal(back[row, length:], values[row, length:])


def test_shapes_are_checked_while_tests_run():
    with pytest.raises(jaxtyping.TypeCheckError):
        network()(steps(), torch.zeros(BATCH + 1, dtype=torch.int64))
    with pytest.raises(jaxtyping.TypeCheckError):
        replace(steps(), known=torch.zeros(BATCH, 2))


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(share: float):
    torch.manual_seed(0)
    dropout, ones = Dropout(share), torch.ones(100, 37, 11)
    assert torch.equal(dropout.eval()(ones), ones)
    found = dropout.train()(ones)
    assert float((found == 0).float().mean()) == pytest.approx(share, abs=0.01)
    assert float(found.mean()) == pytest.approx(1.0, abs=0.02)
    assert len(found.unique()) == 2
    # Which numbers are dropped depends on neither place nor neighbours.
    for axis in range(3):
        others = tuple(set(range(3)) - {axis})
        assert (found == 0).float().mean(others).sub(share).abs().max() < 0.2
    torch.manual_seed(0)
    assert torch.equal(dropout(ones), found)
    torch.manual_seed(1)
    assert not torch.equal(dropout(ones), found)


def test_gradients_flow_where_nothing_was_dropped():
    torch.manual_seed(0)
    values = torch.ones(10, 50, requires_grad=True)
    found = Dropout(0.3)(values)
    found.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, found.detach())


def advanced(
    model: StrokeModel, given: Steps, cut: Tensor, room: int
) -> list[tuple[StepDistribution, Tensor]]:
    """The distributions by `step` behind the cut of each drawing, and where there are any."""
    state, rows, found = model.prime(given, cut, room), torch.arange(BATCH), []
    for count in range(COUNT + 1):
        found.append((model.step(state), cut + count <= COUNT))
        at = (cut + count).clamp(max=COUNT - 1)
        state.advance(given.offset[rows, at], given.pen[rows, at], cut + count < COUNT)
    return found


@torch.no_grad()
@each_network
@pytest.mark.parametrize("cut", [[0, 0, 0], [9, 0, 4]], ids=str)
def test_steps_are_what_all_steps_at_once_are(shape: dict[str, Any], cut: list[int]):
    model, given, first_step = network(shape), steps(), torch.tensor(cut)
    whole = model(given, first_step)
    for count, (found, there) in enumerate(advanced(model, given, first_step, 0)):
        wanted = vars(whole.at((first_step + count).clamp(max=COUNT)))
        # Components that are never taken, at points yet to come, are fewer in one of the two.
        size = min(found.log_weight.shape[1], wanted["log_weight"].shape[1])
        taken = there.unsqueeze(1) & (wanted["log_weight"][:, :size] > -1e8)
        assert torch.equal(taken[there], found.log_weight[there, :size] > -1e8)
        for name, value in vars(found).items():
            pair = value[there], wanted[name][there]
            if name != "end":
                pair = value[:, :size][taken], wanted[name][:, :size][taken]
            torch.testing.assert_close(*pair, atol=1e-4, rtol=1e-4, msg=name)


@torch.no_grad()
@each_network
def test_a_row_may_be_given_to_another_drawing(shape: dict[str, Any]):
    model, cut = network(shape), torch.tensor([2, 0, 5])
    state = model.prime(steps(), torch.tensor([4, 9, 0]), COUNT + 1)
    model.step(state)
    state.put(torch.tensor([0, 2]), model.prime(steps(seed=1), cut, 40), torch.tensor([2, 1]))
    found, wanted = vars(model.step(state)), vars(model.step(model.prime(steps(seed=1), cut, 6)))
    for row, of in ((0, 2), (2, 1)):
        for name, value in found.items():
            torch.testing.assert_close(value[row], wanted[name][of], atol=1e-5, rtol=1e-5, msg=name)


@torch.no_grad()
@each_network
def test_in_bfloat16_a_step_is_nearly_the_same(shape: dict[str, Any]):
    model = network(shape)
    coarse = in_precision(model, torch.bfloat16)
    assert in_precision(model, torch.float32) is model
    state = [model.prime(steps(), cuts(4), COUNT + 1) for _ in range(2)]
    exact, found = model.step(state[0]), coarse.step(state[1])
    assert all(value.dtype == torch.float32 for value in vars(found).values())
    torch.testing.assert_close(found.log_weight, exact.log_weight, atol=0.1, rtol=0.05)
    assert not torch.equal(found.log_weight, exact.log_weight)
    for value in model.parameters():
        value.mul_(1.5)
    refresh(coarse, model)
    assert torch.equal(coarse.head.weight, model.head.weight.bfloat16())
