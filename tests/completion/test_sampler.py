"""The sampler, on a fake model that only knows `prime` and `advance`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sketchgen.completion import sampler
from sketchgen.completion.guidance import Guided
from sketchgen.completion.sampler import (
    ReadsMany,
    Sampled,
    Stepper,
    noise_blocks,
    noise_rows,
    prime_all,
    sample_steps,
    steps,
)
from sketchgen.models.numpy_mixture import StepDistribution
from sketchgen.models.numpy_stroke_model import Decoder, Prefix
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen, to_steps
from tests.support import untrained
from tests.support.mixtures import mixture, repeated


def distribution(batch: int, *, end: float, lift: float) -> StepDistribution:
    """One narrow component at (10, 0)."""
    return repeated(mixture([0.0], [[10.0, 0.0]], sigma=0.4, lift=lift, end=end), batch)


class Nothing:
    """A state without contents."""

    def take(self, rows: np.ndarray) -> Nothing:
        return self


@dataclass
class Fake:
    """Goes on for `points` points, then is sure that the drawing has ended."""

    points: int
    candidates: int = 1
    advanced: int = 0

    def _answer(self, batch: int) -> StepDistribution:
        done = self.advanced >= self.points
        return distribution(batch, end=50.0 if done else -np.inf, lift=50.0 if done else -50.0)

    def prime(self, given: Prefix) -> tuple[StepDistribution, Nothing]:
        return self._answer(len(given.category)), Nothing()

    def advance(
        self, offset: NDArray[np.float64], pen: NDArray[np.int64], state: Nothing
    ) -> tuple[StepDistribution, Nothing]:
        self.advanced += 1
        return self._answer(len(offset)), state


def blank(batch: int) -> Prefix:
    none = np.zeros(0, dtype=np.int64)
    return Prefix(np.zeros((0, 2)), none, np.zeros(batch, dtype=np.int64), known=True)


def noise_for(seed: int, index: int, limit: int) -> np.ndarray:
    """(limit + 1, 5) noise of one drawing."""
    rows = islice(noise_rows(seed, index + 1), limit + 1)
    return np.stack(list(rows))[:, index]


def noise(batch: int, limit: int) -> NDArray[np.float64]:
    return np.stack([noise_for(3, index, limit) for index in range(batch)])


def sample(model: Fake, batch: int, limit: int, temperature: float, **settings: Any) -> Sampled:
    return sample_steps(model, blank(batch), noise_rows(3, batch), limit, temperature, **settings)


def test_it_ends_when_the_model_says_so() -> None:
    sampled = sample(Fake(points=5), 3, 20, 0.5)
    assert sampled.length.tolist() == [5, 5, 5]
    assert sampled.ended.tolist() == [True] * 3
    assert sampled.offset.shape == (3, 5, 2)
    assert np.allclose(sampled.offset.mean((0, 1)), [10.0, 0.0], atol=0.5)


def test_it_stops_at_the_limit_and_says_so() -> None:
    sampled = sample(Fake(points=1000), 2, 7, 0.5)
    assert sampled.length.tolist() == [7, 7]
    assert sampled.ended.tolist() == [False, False]
    assert (sampled.pen == Pen.DRAW).all()


@pytest.mark.parametrize(("at_least_one", "points"), [(True, 1), (False, 0)])
def test_a_finished_drawing_gets_a_point_only_if_asked(at_least_one: bool, points: int) -> None:
    sampled = sample(Fake(points=0), 2, 9, 0.5, at_least_one=at_least_one)
    assert sampled.length.tolist() == [points, points]
    assert sampled.ended.all()


def test_log_likelihood_is_the_sum_over_its_steps() -> None:
    sampled = sample(Fake(points=2), 1, 9, 0.7)
    going = distribution(1, end=-np.inf, lift=-50.0)
    expected = sum(going.log_prob(sampled.offset[:, i], sampled.pen[:, i]) for i in range(2))
    assert np.allclose(sampled.log_prob, expected)


def test_noise_does_not_depend_on_the_limit_but_on_seed_and_index() -> None:
    assert np.array_equal(noise_for(1, 2, 10), noise_for(1, 2, 30)[:11])
    assert not np.array_equal(noise_for(1, 2, 10), noise_for(1, 3, 10))
    assert not np.array_equal(noise_for(1, 2, 10), noise_for(2, 2, 10))


def test_rows_of_noise_are_those_of_each_drawing() -> None:
    rows = np.stack([row for row, _ in zip(noise_rows(3, 2), range(8), strict=False)], 1)
    assert np.array_equal(rows, noise(2, 7))


def test_nothing_is_computed_ahead_of_who_asks() -> None:
    fake = Fake(points=1000)
    stream = steps(fake, blank(2), noise_rows(0, 2), 100, 0.5)
    for number in range(5):
        next(stream)
        assert fake.advanced == number


def test_the_last_step_draws_no_point_but_tells_who_ended() -> None:
    found = list(steps(Fake(points=3), blank(2), noise_rows(0, 2), 100, 0.5))
    assert [step.drawn.tolist() for step in found] == [[True, True]] * 3 + [[False, False]]
    assert [step.ended.all() for step in found] == [False] * 3 + [True]
    cut = list(steps(Fake(points=3), blank(2), noise_rows(0, 2), 2, 0.5))
    assert len(cut) == 3
    assert not cut[-1].drawn.any()
    assert not cut[-1].ended.any()


@pytest.mark.parametrize("guided", [False, True])
def test_a_drawing_is_the_same_alone_as_among_others_that_end_sooner_or_later(guided: bool):
    decoder = network()
    model = Guided(decoder, decoder.config.any_category, 2.0) if guided else decoder
    given = Prefix(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), np.zeros(9, dtype=np.int64), known=True)
    together = sample_steps(model, given, noise_rows(1, 9, model.candidates), 60, 1.0)
    assert len(set(together.length.tolist())) > 3
    for row in range(9):
        one = replace(given, category=given.category[:1])
        noise = (item[None] for block in noise_blocks(1, row, model.candidates) for item in block)
        alone = sample_steps(model, one, noise, 60, 1.0)
        length = int(alone.length[0])
        assert length == together.length[row]
        assert alone.ended[0] == together.ended[row]
        np.testing.assert_allclose(alone.offset[0, :length], together.offset[row, :length], atol=1e-3)
        assert alone.log_prob[0] == pytest.approx(together.log_prob[row], rel=1e-5)


def test_forced_steps_are_taken_whatever_is_sampled_and_the_others_stay_as_they_are() -> None:
    sketch = Sketch.from_strokes([[(3.0, 4.0), (8.0, -2.0)]])
    alone, begun = to_steps(sketch), to_steps(sketch, ends=False)
    assert alone[1].tolist() == [Pen.DRAW, Pen.LIFT, Pen.END]
    free = sample(Fake(points=5), 4, 20, 0.5)
    found = sample(Fake(points=5), 4, 20, 0.5, forced={1: alone, 3: begun})
    assert found.length.tolist() == [5, 2, 5, 5]
    assert found.ended.all()
    for row in (1, 3):
        assert found.offset[row, :2].tolist() == begun[0].tolist()
        assert found.pen[row, :2].tolist() == begun[1].tolist()
    assert np.array_equal(found.offset[3, 2:], free.offset[3, 2:])
    for row in (0, 2):
        assert np.array_equal(found.offset[row], free.offset[row])
        assert found.log_prob[row] == free.log_prob[row]


def test_forced_steps_stop_at_the_limit_too() -> None:
    steps_of = {0: (np.ones((9, 2)), np.zeros(9, dtype=np.int64))}
    found = sample(Fake(points=1000), 2, 7, 0.5, forced=steps_of)
    assert found.length.tolist() == [7, 7]
    assert not found.ended.any()


LENGTHS = (7, 0, 1, 12, 3, 0, 7)


def parts() -> list[Prefix]:
    random = np.random.default_rng(1)
    found = []
    for number, count in enumerate(LENGTHS):
        offset, pen = np.rint(random.normal(size=(count, 2)) * 30), random.integers(0, 2, count)
        going_on = np.array([number % 2 == 0]) if number < 4 else None
        found.append(Prefix(offset, pen, np.array([number % 2]), False, going_on))
    return found


def check_reading(model: Stepper) -> None:
    """Each of several given parts is read as it is alone, and gone on from as alone."""
    random, given = np.random.default_rng(2), parts()
    found, state = prime_all(model, given)
    alone = [model.prime(each) for each in given]
    for _ in range(3):
        offset, pen = random.normal(size=(len(given), 2)) * 20, random.integers(0, 2, len(given))
        nats = [one.log_prob(offset[[row]], pen[[row]])[0] for row, (one, _) in enumerate(alone)]
        np.testing.assert_allclose(found.log_prob(offset, pen), nats, rtol=1e-4, atol=1e-4)
        found, state = model.advance(offset, pen, state)
        alone = [model.advance(offset[[row]], pen[[row]], each) for row, (_, each) in enumerate(alone)]


def network() -> Decoder:
    return untrained.decoder(
        untrained.network(untrained.shaped({"self_attention": 16, "pointers": 8, "layers": 2}))
    )


def test_given_parts_of_like_length_are_read_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sampler, "AT_ONCE", 3)
    read: list[list[int]] = []
    real = Decoder.prime_all

    def seen(self: Decoder, given: list[Prefix]) -> Any:
        read.append([len(each.pen) for each in given])
        return real(self, given)

    monkeypatch.setattr(Decoder, "prime_all", seen)
    check_reading(network())
    assert read == [[0, 0, 1], [3, 7, 7], [12]]


def test_under_guidance_both_halves_are_read_as_alone():
    guided = Guided(network(), 2, 2.0)
    check_reading(guided)
    both, one = prime_all(guided, parts())[0].take(np.array([3])), guided.prime(parts()[3])[0]
    np.testing.assert_allclose(both.both.end, one.both.end, rtol=1e-4, atol=1e-4)


def test_a_model_that_reads_one_at_a_time_does():
    class One:
        """A network that reads no more than one."""

        candidates = 1

        def __init__(self, network: Decoder) -> None:
            self.prime, self.advance = network.prime, network.advance

    one = One(network())
    assert not isinstance(one, ReadsMany)
    check_reading(one)
