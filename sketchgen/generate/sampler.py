"""Sampling steps from anything that can `prime` and `advance`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.drawing.strokes import Pen
from sketchgen.generate.decoder import Given


@runtime_checkable
class Distribution(Protocol):
    """All that the sampler knows of a distribution over a step of b drawings."""

    def without_end(self) -> Distribution:
        """The distribution under the condition that the drawing goes on."""
        ...

    def sample(
        self, noise: Float[np.ndarray, "b *w n"], temperature: float
    ) -> tuple[Float[np.ndarray, "b 2"], Int[np.ndarray, " b"]]:
        """Draw an offset (px) and a pen."""
        ...

    def log_prob(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, " b"]:
        """Log density of a step at temperature 1, nats."""
        ...


@runtime_checkable
class Stepper(Protocol):
    """All that the sampler knows of a model.

    Attributes:
        ways: candidates that it draws for a step, each from a row of noise of its own; see `noise_of`.
    """

    ways: int

    def prime(self, given: Given) -> tuple[Any, Any]:
        """Read the given part; the distribution of the first added step, and the state."""
        ...

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: Any
    ) -> tuple[Any, Any]:
        """Take a step; the distribution of the next, and the state."""
        ...


@dataclass(frozen=True)
class Sampled:
    """Steps of b drawings.

    Attributes:
        offset: px of the model's box.
        pen: after each point.
        length: number of points of each; what stands behind them has no meaning.
        ended: whether the model ended the drawing (False: it was stopped at the limit).
        log_prob: log-likelihood of each drawing's steps at temperature 1, nats.
    """

    offset: Float[np.ndarray, "b n 2"]
    pen: Int[np.ndarray, "b n"]
    length: Int[np.ndarray, " b"]
    ended: Bool[np.ndarray, " b"]
    log_prob: Float[np.ndarray, " b"]


def noise_of(seed: int, index: int, ways: int = 1) -> Iterator[Float[np.ndarray, "*w n"]]:
    """Noise of drawing `index` under `seed`, for a step at a time: three uniform numbers, two normal ones.

    Where a step is chosen among several `ways`, a row for each, with a uniform number more at its end.
    """
    random = np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64)))
    while True:
        if ways == 1:
            yield np.concatenate([random.random(3), random.standard_normal(2)])
        else:
            uniform, normal = random.random((ways, 4)), random.standard_normal((ways, 2))
            yield np.concatenate([uniform[:, :3], normal, uniform[:, 3:]], 1)


def noise_rows(seed: int, count: int, ways: int = 1) -> Iterator[Float[np.ndarray, "b *w n"]]:
    """Noise of drawings 0 to `count` - 1 under `seed`, a row a step, made when it is asked for.

    That of a drawing depends on the seed and its index alone, whatever else is drawn together with it.
    """
    each = [noise_of(seed, index, ways) for index in range(count)]
    while True:
        yield np.stack([next(noise) for noise in each])


def first_numbers(seed: int, count: int) -> Float[np.ndarray, " b"]:
    """A uniform number in [0, 1) for each drawing of `noise_rows`, independent of its rows there."""
    keys = [np.array([seed, index], dtype=np.uint64) for index in range(count)]
    # Far along the counter of the generator that makes the rows: no drawing ever gets there.
    return np.array([np.random.Generator(np.random.Philox(key=key, counter=2**128)).random() for key in keys])


@dataclass(frozen=True)
class Step:
    """What the sampler drew next for b drawings.

    Attributes:
        offset: px of the model's box.
        pen: after the point.
        drawn: which drawings got a point; what stands in the rows of the others has no meaning.
        ended: which drawings the model has ended, now or before.
        log_prob: log-likelihood of what was decided in this step at temperature 1, nats; 0 behind the end.
    """

    offset: Float[np.ndarray, "b 2"]
    pen: Int[np.ndarray, " b"]
    drawn: Bool[np.ndarray, " b"]
    ended: Bool[np.ndarray, " b"]
    log_prob: Float[np.ndarray, " b"]


def steps(
    model: Stepper,
    given: Given,
    noise: Iterable[Float[np.ndarray, "b *w n"]],
    limit: int,
    temperature: float,
    *,
    at_least_one: bool = True,
) -> Iterator[Step]:
    """Sample step by step until every drawing has ended, or has `limit` points.

    The last step draws no point: in it the last drawings end, or it is only found out whether they would.

    Args:
        model: what is asked for distributions.
        given: the given part.
        noise: a row a step, `limit` + 1 of them at least; see `noise_rows`.
        limit: most points of a drawing.
        temperature: 0 or more; see `NextStep.tempered`.
        at_least_one: do not let a drawing end before a point was added.
    """
    alive = np.ones(len(given.category), dtype=bool)
    before: Step | None = None
    state: Any = None
    for row, numbers in zip(range(limit + 1), noise, strict=False):
        if before is None:
            found, state = model.prime(given)
        else:
            found, state = model.advance(before.offset, before.pen, state)
        if row == 0 and at_least_one:
            found = found.without_end()
        offset, pen = found.sample(numbers, temperature)
        ends = pen == Pen.END
        counted = alive & (ends | (row < limit))
        log_prob = np.where(counted, found.log_prob(offset, pen), 0.0)
        alive = alive & ~ends
        drawn = alive & (row < limit)
        before = Step(offset, pen, drawn, ~alive, log_prob)
        yield before
        if not drawn.any():
            return


def sample_steps(
    model: Stepper,
    given: Given,
    noise: Iterable[Float[np.ndarray, "b *w n"]],
    limit: int,
    temperature: float,
    *,
    at_least_one: bool = True,
) -> Sampled:
    """All of `steps` at once."""
    found = list(steps(model, given, noise, limit, temperature, at_least_one=at_least_one))
    drawn = np.stack([step.drawn for step in found], 1)
    most = int(drawn.sum(1).max())
    return Sampled(
        np.stack([step.offset for step in found], 1)[:, :most],
        np.stack([step.pen for step in found], 1)[:, :most],
        drawn.sum(1),
        found[-1].ended,
        np.stack([step.log_prob for step in found], 1).sum(1),
    )
