"""Rollouts are drawn from the network's distribution, queued and in lockstep."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from untrained import SHAPES, network, shaped

from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.sketch.strokes import Pen
from sketchgen.training import rollout
from sketchgen.training.rollout import RolloutSampler, Samples

LIMIT = 12
CUT = torch.tensor([1, 4, 6, 2, 6])

both = pytest.mark.parametrize("lockstep", [False, True])


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw fewer at a time than there are, so that rows are reused."""
    monkeypatch.setattr(rollout, "CPU_ROWS", 2)


def partial() -> Steps:
    random = torch.Generator().manual_seed(5)
    offset = torch.randn(5, 6, 2, generator=random) * 20.0
    pen = torch.where(torch.rand(5, 6, generator=random) < 0.3, int(Pen.LIFT), int(Pen.DRAW))
    pen[torch.arange(6) >= CUT.unsqueeze(1)] = int(Pen.END)
    offset[torch.arange(6) >= CUT.unsqueeze(1)] = 0.0
    return Steps(offset, pen, torch.tensor([0, 1, 2, 0, 2]), torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0]))


def model_ending(logit: float, shape: dict[str, Any] | None = None) -> StrokeModel:
    model = network(shaped(shape or {}))
    with torch.no_grad():
        model.head.bias[0] = logit
    return model


def drawn(model: StrokeModel, lockstep: bool, temperature: float = 0.5, seed: int = 0) -> Samples:
    torch.manual_seed(seed)
    sampler = RolloutSampler(model, 5, 6, LIMIT, lockstep=lockstep)
    return sampler.draw(partial(), CUT, torch.full((5,), temperature))


@both
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_step_is_drawn_from_the_distribution_after_the_steps_before(
    shape: dict[str, Any], lockstep: bool
):
    model = model_ending(0.5, shape)
    found, steps = drawn(model, lockstep, temperature=1e-12), partial()
    with torch.no_grad():
        whole = model(Steps(found.offset, found.pen, steps.category, steps.known), CUT)
    # At this temperature each step is the mean of the heaviest component.
    heaviest = whole.log_weight.argmax(-1)[..., None, None].expand(-1, -1, 1, 2)
    mean = whole.mean.gather(2, heaviest).squeeze(2)[:, : found.offset.shape[1]]
    index = torch.arange(found.pen.shape[1])
    added = (index >= CUT.unsqueeze(1)) & (index < found.length.unsqueeze(1))
    assert bool(added.any(1).all())
    torch.testing.assert_close(found.offset[added], mean[added], atol=1e-2, rtol=1e-3)


@both
def test_given_points_stay_and_at_least_one_is_added(lockstep: bool):
    # The model prefers to end at once, everywhere.
    model = model_ending(30.0, {"pointers": 8, "self_attention": 16, "layers": 2})
    found, steps = drawn(model, lockstep), partial()
    for row, cut in enumerate(CUT.tolist()):
        assert torch.equal(found.offset[row, :cut], steps.offset[row, :cut])
        assert torch.equal(found.pen[row, :cut], steps.pen[row, :cut])
    assert bool((found.length > CUT).all())
    # A drawing ends only where the pen is up.
    last = found.pen[torch.arange(5), found.length - 1]
    assert torch.equal(last == Pen.LIFT, found.ended)
    behind = torch.arange(found.pen.shape[1]) >= found.length.unsqueeze(1)
    assert bool((found.pen[behind] == Pen.END).all())
    assert not bool(found.offset[behind].any())


@both
def test_a_drawing_that_does_not_end_is_stopped(lockstep: bool):
    found = drawn(model_ending(-30.0), lockstep)
    assert not bool(found.ended.any())
    assert torch.equal(found.length, CUT + LIMIT)


@both
def test_equal_seeds_draw_equal_samples(lockstep: bool):
    model = model_ending(-30.0, {"self_attention": 16, "layers": 2})
    one, other = drawn(model, lockstep), drawn(model, lockstep, seed=1)
    assert not torch.equal(one.offset, other.offset)
    # And a sampler keeps nothing of one batch for the next.
    sampler = RolloutSampler(model, 5, 6, LIMIT, lockstep=lockstep)
    for _ in range(2):
        torch.manual_seed(0)
        again = sampler.draw(partial(), CUT, torch.full((5,), 0.5))
        assert torch.equal(again.offset, one.offset)


@both
def test_the_current_weights_draw(lockstep: bool):
    with torch.autocast("cpu", torch.bfloat16):
        model = model_ending(-30.0)
        sampler = RolloutSampler(model, 5, 6, LIMIT, lockstep=lockstep)
        assert sampler._rollout.stepping.head.weight.dtype == torch.bfloat16
        model.load_state_dict(network(shaped({}), seed=2).state_dict())
        torch.manual_seed(0)
        later = sampler.draw(partial(), CUT, torch.full((5,), 0.5))
        fresh = drawn(network(shaped({}), seed=2), lockstep)
    assert torch.equal(later.pen, fresh.pen)


@both
def test_lower_temperatures_draw_nearer_to_the_means(lockstep: bool):
    model, steps = model_ending(-30.0, {"components": 1}), partial()

    def spread(temperature: float) -> float:
        found = drawn(model, lockstep, temperature)
        with torch.no_grad():
            whole = model(Steps(found.offset, found.pen, steps.category, steps.known), CUT)
        far = found.offset - whole.mean[:, :-1, 0]
        index = torch.arange(found.pen.shape[1])
        added = (index >= CUT.unsqueeze(1)) & (index < found.length.unsqueeze(1))
        return float((far / whole.log_sigma[:, :-1, 0].exp())[added].square().mean())

    assert spread(1.0) == pytest.approx(1.0, rel=0.4)
    assert spread(0.25) == pytest.approx(0.25, rel=0.4)
