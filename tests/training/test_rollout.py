"""Ways drawn in torch, many at once: by the network's own distribution, each from where it was begun."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from untrained import SHAPES, network, shaped

from sketchgen.models.mixture import StepDistribution
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.sketch.strokes import Pen
from sketchgen.training import rollout as rollouts
from sketchgen.training.rollout import Rollouts, Ways, repeated

TOTAL = 20
CUT = torch.tensor([1, 4, 6, 2, 6])


def begun() -> Steps:
    random = torch.Generator().manual_seed(5)
    offset = torch.randn(5, 6, 2, generator=random) * 20.0
    pen = torch.where(torch.rand(5, 6, generator=random) < 0.3, int(Pen.LIFT), int(Pen.DRAW))
    pen[torch.arange(6) >= CUT.unsqueeze(1)] = int(Pen.END)
    offset[torch.arange(6) >= CUT.unsqueeze(1)] = 0.0
    return Steps(offset, pen, torch.tensor([0, 1, 2, 0, 2]), torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0]))


def drawn(model: StrokeModel, temperature: float = 0.5, seed: int = 0) -> Ways:
    torch.manual_seed(seed)
    return Rollouts(model, 5, TOTAL).draw(begun(), CUT, torch.full((5,), temperature))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_step_is_drawn_from_what_the_network_says_of_the_steps_before(
    shape: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    # What has ended is left out as soon as it can be: the others are to go on from where they are.
    monkeypatch.setattr(rollouts, "LOOK", 1)
    model = network(shaped(shape))
    with torch.no_grad():
        model.head.bias[0] = 0.5
    said: list[tuple[torch.Tensor, StepDistribution]] = []
    ahead = Rollouts._ahead

    def heard(self: Rollouts, bias: torch.Tensor) -> StepDistribution:
        said.append((self._rows, ahead(self, bias)))
        return said[-1][1]

    monkeypatch.setattr(Rollouts, "_ahead", heard)
    found = drawn(model)
    assert len({len(rows) for rows, _ in said}) > 1
    steps = begun()
    with torch.no_grad():
        whole = model(Steps(found.offset, found.pen, steps.category, steps.known), CUT)
    count = found.pen.shape[1]
    assert len(said) >= count
    for step, (rows, own) in enumerate(said[:count]):
        # None is left out before it has ended.
        assert set(rows.tolist()) >= set((found.length > step).nonzero().flatten().tolist())
        there, offset, pen = step < found.length[rows], found.offset[rows, step], found.pen[rows, step]
        expected = whole.at(torch.full_like(CUT, step)).log_prob(found.offset[:, step], found.pen[:, step])
        assert torch.allclose(own.log_prob(offset, pen)[there], expected[rows][there], atol=1e-3, rtol=1e-4)


def test_what_was_given_stays_and_at_least_a_point_is_added():
    model = network(shaped({"pointers": 8, "self_attention": 16, "layers": 2}))
    with torch.no_grad():
        # It would rather end at once, and everywhere.
        model.head.bias[0] = 30.0
    found, steps = drawn(model), begun()
    for row, cut in enumerate(CUT.tolist()):
        assert torch.equal(found.offset[row, :cut], steps.offset[row, :cut])
        assert torch.equal(found.pen[row, :cut], steps.pen[row, :cut])
    assert bool((found.length > CUT).all())
    assert bool(found.ended.all())
    # A drawing ends only where the pen is up.
    last = found.pen[torch.arange(5), found.length - 1]
    assert bool((last == Pen.LIFT).all())
    behind = torch.arange(found.pen.shape[1]) >= found.length.unsqueeze(1)
    assert bool((found.pen[behind] == Pen.END).all())
    assert not bool(found.offset[behind].any())


def test_a_drawing_that_does_not_end_is_stopped():
    model = network(shaped({}))
    with torch.no_grad():
        model.head.bias[0] = -30.0
    found = drawn(model)
    assert found.pen.shape[1] == TOTAL
    assert not bool(found.ended.any())
    assert found.length.tolist() == [TOTAL] * 5


def test_the_same_seed_draws_the_same_and_another_one_doesnt():
    model = network(shaped({"self_attention": 16, "layers": 2}))
    with torch.no_grad():
        model.head.bias[0] = -30.0
    one, again, other = drawn(model), drawn(model), drawn(model, seed=1)
    assert torch.equal(one.offset, again.offset)
    assert not torch.equal(one.offset, other.offset)
    # And what was drawn once leaves nothing behind for the next time.
    torch.manual_seed(0)
    rolls = Rollouts(model, 5, TOTAL)
    rolls.draw(begun(), CUT, torch.full((5,), 0.5))
    torch.manual_seed(0)
    assert torch.equal(rolls.draw(begun(), CUT, torch.full((5,), 0.5)).offset, one.offset)


def test_the_colder_the_nearer_to_the_means():
    model = network(shaped({"components": 1}))
    with torch.no_grad():
        model.head.bias[0] = -30.0
    steps = begun()

    def spread(temperature: float) -> float:
        found = drawn(model, temperature)
        with torch.no_grad():
            whole = model(Steps(found.offset, found.pen, steps.category, steps.known), CUT)
        far = found.offset - whole.mean[:, :-1, 0]
        return float((far / whole.log_sigma[:, :-1, 0].exp())[:, 6:].square().mean())

    assert spread(1.0) == pytest.approx(1.0, rel=0.3)
    assert spread(0.25) == pytest.approx(0.25, rel=0.3)


def test_it_looks_now_and_then_whether_all_have_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rollouts, "LOOK", 3)
    model, taken = network(shaped({})), []
    with torch.no_grad():
        model.head.bias[0] = 30.0
        model.head.bias[-3:] = 30.0
    take = Rollouts._take
    monkeypatch.setattr(Rollouts, "_take", lambda self: (taken.append(1), take(self))[1])
    assert bool(drawn(model).ended.all())
    assert len(taken) == 9


def test_each_drawing_is_repeated_beside_itself():
    found = repeated(begun(), 3)
    assert found.category.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0, 2, 2, 2]
    assert torch.equal(found.offset[3], found.offset[5])
