"""Guidance prefers what the category makes likelier, and leaves alone a network that was told none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sketchgen.completion.completer import Completer
from sketchgen.completion.guidance import CANDIDATES, Guided, GuidedStep
from sketchgen.completion.rollout import Request, draw_all
from sketchgen.completion.sampler import noise_rows, sample_steps
from sketchgen.errors import SettingError
from sketchgen.models.features import USUAL_POINTS
from sketchgen.models.numpy_layers import sigmoid
from sketchgen.models.numpy_mixture import StepDistribution
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen
from tests.support import untrained
from tests.support.mixtures import mixture, repeated

DROPPED = {"settings": {"prefixes": {"drop_category": 0.1}}}
BEGUN = Sketch.from_strokes(
    [np.array([[0.0, 0.0], [60.0, 10.0], [90.0, 80.0]]), np.array([[20.0, 30.0], [25.0, 60.0]])]
)
each_network = pytest.mark.parametrize("shape", untrained.NUMPY_SHAPES, ids=str)


def completer(shape: dict[str, Any] | None = None, summary: dict[str, Any] | None = None) -> Completer:
    decoder = untrained.decoder(untrained.network(untrained.shaped(shape or {"pointers": 8})))
    return Completer(decoder, "test", DROPPED if summary is None else summary)


def left_right(weight: list[float], rows: int = 1, **changes: Any) -> StepDistribution:
    """Two narrow components, one to the left and one to the right."""
    return repeated(mixture(np.log(weight), [[-50.0, 0.0], [50.0, 0.0]], **changes), rows)


def guided(conditional: StepDistribution, unconditional: StepDistribution, strength: float) -> GuidedStep:
    return GuidedStep(StepDistribution.join([conditional, unconditional]), strength)


def noise(rows: int, seed: int = 0) -> np.ndarray:
    return next(noise_rows(seed, rows, CANDIDATES))


def test_what_the_category_makes_likelier_is_drawn_more_often():
    rows = 4000
    conditional, unconditional = left_right([0.5, 0.5], rows), left_right([0.8, 0.2], rows)
    right = []
    for strength in (0.0, 0.5, 1.0, 3.0):
        offset, _ = guided(conditional, unconditional, strength).sample(noise(rows), 1.0)
        right.append((offset[:, 0] > 0).mean())
    assert right[0] == pytest.approx(0.5, abs=0.03)
    # The told one's odds are 1 : 1, the other's 4 : 1; so strength 1 makes them 1 : 4.
    assert right[2] == pytest.approx(0.8, abs=0.05)
    assert right[0] < right[1] < right[2] < right[3]


def test_at_temperature_0_the_candidates_are_the_heaviest_components():
    conditional, unconditional = left_right([0.6, 0.4]), left_right([0.9, 0.1])
    for strength, wanted in ((0.0, -50.0), (0.1, -50.0), (1.0, 50.0)):
        offset, _ = guided(conditional, unconditional, strength).sample(noise(1), 0.0)
        assert offset[0, 0] == wanted


def test_an_end_that_the_category_makes_likelier_comes_more_often():
    rows = 2000
    conditional, unconditional = (
        left_right([0.5, 0.5], rows, end=0.0),
        left_right([0.5, 0.5], rows, end=-2.0),
    )
    ends = [
        (guided(conditional, unconditional, strength).sample(noise(rows), 0.5)[1] == Pen.END).mean()
        for strength in (0.0, 1.0)
    ]
    assert ends[0] == pytest.approx(0.5, abs=0.04)
    assert ends[1] > 0.7
    step = guided(conditional, unconditional, 2.0).without_end()
    assert not (step.sample(noise(rows), 0.5)[1] == Pen.END).any()


def test_at_temperature_0_none_but_the_heaviest_components_are_candidates():
    weights = np.log(np.array([1.0, 2.0, 3.0, 12.0, 4.0, 11.0, 5.0, 10.0, 6.0, 9.0, 7.0, 8.0]))
    means = np.stack([np.arange(12.0), np.zeros(12)], -1)
    conditional = mixture(weights, means, sigma=0.4)
    for strength in (0.0, 4.0):
        offset, _ = guided(conditional, conditional, strength).sample(noise(1), 0.0)
        assert offset[0, 0] == 3
    # The lightest of all is what the category makes likeliest by far, but it is not among the eight.
    means[0] += (50.0, 0.0)
    unconditional = mixture(weights, means, sigma=0.4)
    offset, _ = guided(conditional, unconditional, 1.0).sample(noise(1), 0.0)
    assert offset[0, 0] == 3


@pytest.mark.parametrize(("lighter", "chosen"), [(15.0, 50.0), (30.0, -50.0)])
def test_no_strength_prefers_a_candidate_by_more_than_20_nats(lighter: float, chosen: float):
    # The category makes a step to the right likelier by 50 nats, and it is lighter by so many.
    conditional = left_right([1.0, np.exp(-lighter)])
    unconditional = left_right([1.0, np.exp(-lighter - 50.0)])
    offset, _ = guided(conditional, unconditional, 10.0).sample(noise(1), 0.0)
    assert offset[0, 0] == chosen


def test_at_temperature_0_drawings_are_lifted_and_ended_and_long_ones_in_a_hurry():
    rows = 2000
    numbers = np.random.default_rng(5).random((rows, CANDIDATES, 6))
    conditional = left_right([0.5, 0.5], rows, end=-3.0, lift=-3.0)

    def lifted_and_ended(points: int) -> tuple[float, float]:
        long = replace(conditional, points=np.full(rows, points))
        _, pen = guided(long, long, 2.0).sample(numbers, 0.0)
        _, on = guided(long, long, 2.0).without_end().sample(numbers, 0.0)
        return float((on == Pen.LIFT).mean()), float((pen == Pen.END).mean())

    usual = float(sigmoid(np.array([-3.0]))[0])
    assert lifted_and_ended(USUAL_POINTS) == pytest.approx((usual, usual), abs=0.015)
    assert min(lifted_and_ended(USUAL_POINTS + 120)) > 0.97


def test_a_step_is_as_likely_as_the_network_that_was_told_says():
    conditional, unconditional = left_right([0.7, 0.3], 3, end=0.0), left_right([0.2, 0.8], 3, end=1.0)
    step = np.array([[-49.0, 0.5], [50.5, 0.0], [0.0, 0.0]]), np.array([Pen.DRAW, Pen.LIFT, Pen.END])
    for strength in (0.0, 3.0):
        np.testing.assert_array_equal(
            guided(conditional, unconditional, strength).log_prob(*step), conditional.log_prob(*step)
        )


def test_every_step_is_under_the_strength_that_was_asked_for():
    model = completer()
    given = Prefix(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), np.array([0, 1]), known=True)
    for strength in (0.5, 7.0):
        stepper = model.guided(strength).stepper
        found, state = stepper.prime(given)
        assert found.strength == strength
        found, _ = stepper.advance(np.ones((2, 2)), np.array([0, 1]), state)
        assert found.strength == strength


@each_network
def test_both_halves_say_what_the_network_says_alone(shape: dict[str, Any]):
    model = completer(shape)
    any_category = model.config.any_category
    category = np.array([1, 0, 1])
    offset, pen = np.diff(BEGUN.points, axis=0, prepend=0.0), np.array([0, 0, 1, 0, 1])
    given = Prefix(offset, pen, category, known=False, going_on=np.array([True, False, False]))
    guide, plain = Guided(model.decoder, any_category, 2.0), model.decoder
    found, state = guide.prime(given)
    alone = [
        plain.prime(given),
        plain.prime(replace(given, category=np.full(3, any_category))),
    ]
    for _ in range(3):
        halves = found.both.take(slice(3)), found.both.take(slice(3, None))
        step = np.array([[5.0, 3.0], [-20.0, 8.0], [0.0, 40.0]]), np.array([0, 1, 0])
        for ours, (one, _) in zip(halves, alone, strict=True):
            np.testing.assert_allclose(ours.components, one.components, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(ours.log_prob(*step), one.log_prob(*step), rtol=1e-4, atol=1e-4)
        found, state = guide.advance(*step, state)
        alone = [plain.advance(*step, each) for _, each in alone]


def test_a_drawing_is_the_same_alone_among_others_and_in_a_rollout():
    model = completer().guided(2.0)
    many = model.complete(BEGUN, "cat", 5, 0.8, seed=3, limit=30)
    few = model.complete(BEGUN, "cat", 2, 0.8, seed=3, limit=30)
    for one, two in zip(few, many, strict=False):
        np.testing.assert_allclose(one.added.points, two.added.points, atol=1e-2)
    given = Prefix(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), np.array([0]), known=True)
    network = StrokeModel.from_weights(model.config, model.decoder.weights())
    together = draw_all(network, [given], [Request(0, 3, number) for number in range(6)], 0.8, 30, 2.0)
    everyone = replace(given, category=np.zeros(6, dtype=np.int64))
    wanted = sample_steps(model.stepper, everyone, noise_rows(3, 6, CANDIDATES), 30, 0.8)
    for number, added in enumerate(together):
        assert len(added.offset) == wanted.length[number]
        np.testing.assert_allclose(
            added.offset, wanted.offset[number, : len(added.offset)], rtol=1e-3, atol=1e-3
        )


def test_any_category_is_drawn_as_without_guidance():
    model = completer()
    for plain, guided in zip(
        model.complete(BEGUN, None, 3, 0.5, limit=20),
        model.guided(3.0).complete(BEGUN, None, 3, 0.5, limit=20),
        strict=True,
    ):
        np.testing.assert_array_equal(plain.added.points, guided.added.points)


def test_streams_and_completions_agree_under_guidance():
    model = completer().guided(2.0)
    whole = model.complete(BEGUN, "cat", 2, 0.5, limit=12, continue_stroke=False)
    grown = list(model.stream(BEGUN, "cat", 2, 0.5, limit=12, continue_stroke=False))
    for row, item in enumerate(whole):
        points = np.array([step.points[row] for step in grown if step.drawn[row]])
        np.testing.assert_array_equal(points, item.added.points)


def test_only_what_was_learned_without_categories_can_be_guided():
    with pytest.raises(SettingError, match="test cannot be guided"):
        completer(summary={}).guided(1.0)
    assert completer(summary={}).guided(0.0).stepper is not None
    for wrong in (-1.0, 11.0, float("nan")):
        with pytest.raises(SettingError, match="guidance must be a number from 0 to 10"):
            completer().guided(wrong)
