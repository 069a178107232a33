"""Sampling steps from anything that can `prime` and `advance`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.numpy_pen_state import END
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.trees import stacked, taken


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

    def prime(self, given: Prefix) -> tuple[Any, Any]:
        """Read the given part; the distribution of the first added step, and the state."""
        ...

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: Any
    ) -> tuple[Any, Any]:
        """Take a step; the distribution of the next, and the state."""
        ...


@runtime_checkable
class ReadsMany(Protocol):
    """What reads several given parts faster together than one after the other."""

    def prime_all(self, given: Sequence[Prefix]) -> tuple[Any, Any]:
        """Read each; a row for each, see `Decoder.prime_all`."""
        ...


AT_ONCE = 64
"""Given parts that are read together: more take more memory and are hardly faster."""


def prime_all(model: Stepper, given: Sequence[Prefix]) -> tuple[Any, Any]:
    """`Stepper.prime` of several given parts, each for one drawing: row i is of the i-th of them.

    But for the last bits what `prime` says of each; those of like length are read together.

    Args:
        model: what reads.
        given: of known or of unknown scale, not both; one at least.
    """
    length = np.array([len(each.pen) for each in given])
    order, found = np.argsort(length, kind="stable"), []
    together = order[length[order] > 0] if isinstance(model, ReadsMany) else order[:0]
    for row in order[: len(order) - len(together)]:
        found.append(model.prime(given[row]))
    for first in range(0, len(together), AT_ONCE):
        some = [given[row] for row in together[first : first + AT_ONCE]]
        assert isinstance(model, ReadsMany)
        found.append(model.prime_all(some))
    steps, states = (stacked(part) for part in zip(*found, strict=True))
    back = np.argsort(order)
    return taken(steps, back), taken(states, back)


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


BLOCK = 32
"""Steps whose noise is made at once: asking a generator costs as much as twenty of its numbers."""


def noise_blocks(seed: int, index: int, ways: int = 1) -> Iterator[Float[np.ndarray, "s *w n"]]:
    """Noise of drawing `index` under `seed`, for `BLOCK` steps at a time; see `noise_of`."""
    random = np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64)))
    shape, uniforms = ((BLOCK,), 3) if ways == 1 else ((BLOCK, ways), 4)
    while True:
        uniform, normal = random.random((*shape, uniforms)), random.standard_normal((*shape, 2))
        yield np.concatenate([uniform[..., :3], normal, uniform[..., 3:]], -1)


def noise_of(seed: int, index: int, ways: int = 1) -> Iterator[Float[np.ndarray, "*w n"]]:
    """Noise of drawing `index` under `seed`, for a step at a time: three uniform numbers, two normal ones.

    Where a step is chosen among several `ways`, a row for each, with a uniform number more at its end.
    """
    for block in noise_blocks(seed, index, ways):
        yield from block


def noise_rows(seed: int, count: int, ways: int = 1) -> Iterator[Float[np.ndarray, "b *w n"]]:
    """Noise of drawings 0 to `count` - 1 under `seed`, a row a step, made when it is asked for.

    That of a drawing depends on the seed and its index alone, whatever else is drawn together with it.
    """
    each = [noise_blocks(seed, index, ways) for index in range(count)]
    while True:
        yield from np.stack([next(noise) for noise in each], 1)


def first_number(seed: int, index: int) -> float:
    """A uniform number in [0, 1) for drawing `index` under `seed`, independent of its noise."""
    # Far along the counter of the generator that makes the noise: no drawing ever gets there.
    key = np.array([seed, index], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=2**128)).random()


def first_numbers(seed: int, count: int) -> Float[np.ndarray, " b"]:
    """`first_number` of drawings 0 to `count` - 1."""
    return np.array([first_number(seed, index) for index in range(count)])


@dataclass(frozen=True)
class Step:
    """What the sampler drew next for b drawings.

    Attributes:
        offset: px of the model's box.
        pen: after the point.
        drawn: which drawings got a point; what stands in the rows of the others has no meaning.
        ended: which drawings the model has ended, now or before.
        found: the distribution that it was drawn from.
        counted: in which drawings anything was decided in this step: the others have ended before.
    """

    offset: Float[np.ndarray, "b 2"]
    pen: Int[np.ndarray, " b"]
    drawn: Bool[np.ndarray, " b"]
    ended: Bool[np.ndarray, " b"]
    found: Distribution
    counted: Bool[np.ndarray, " b"]

    def log_prob(self) -> Float[np.ndarray, " b"]:
        """Log-likelihood of what was decided in this step at temperature 1, nats; 0 behind the end."""
        return np.where(self.counted, self.found.log_prob(self.offset, self.pen), 0.0)


Forced = Mapping[int, tuple[Float[np.ndarray, "n 2"], Int[np.ndarray, " n"]]]
"""Offset and pen of each point of some drawings, by their rows, which end behind the last."""


def led(
    forced: Forced,
    number: Int[np.ndarray, " b"],
    offset: Float[np.ndarray, "b 2"],
    pen: Int[np.ndarray, " b"],
) -> tuple[Float[np.ndarray, "b 2"], Int[np.ndarray, " b"]]:
    """The steps that b drawings take where so much was sampled: teacher forcing of some of them.

    Args:
        forced: the steps that are not sampled.
        number: which of its steps each drawing takes, from 0.
        offset: as sampled, px of the model's box.
        pen: as sampled.
    """
    if not forced:
        return offset, pen
    offset, pen = offset.copy(), pen.copy()
    for row, (offsets, pens) in forced.items():
        there = number[row] < len(pens)
        offset[row] = offsets[number[row]] if there else 0.0
        pen[row] = pens[number[row]] if there else END
    return offset, pen


ROWS = 512
"""Rows of distributions of which the likelihood is worked out at once: alone each takes as long as thirty."""


def log_likelihood(found: Iterable[Step]) -> Float[np.ndarray, " b"]:
    """The sum of the `log_prob` of steps of the same b drawings, nats."""
    total: Any = 0.0
    waiting: list[Step] = []
    for step in found:
        waiting.append(step)
        if len(waiting) * len(step.pen) >= ROWS:
            total, waiting = total + _summed(waiting), []
    return total + _summed(waiting) if waiting else total


def _summed(found: list[Step]) -> Float[np.ndarray, " b"]:
    """The sum of the `log_prob` of a few steps, worked out together."""
    if len(found) == 1:
        return found[0].log_prob()
    offset, pen = (np.concatenate([getattr(step, name) for step in found]) for name in ("offset", "pen"))
    nats = stacked([step.found for step in found]).log_prob(offset, pen).reshape(len(found), -1)
    return np.where(np.stack([step.counted for step in found]), nats, 0.0).sum(0)


def steps(
    model: Stepper,
    given: Prefix,
    noise: Iterable[Float[np.ndarray, "b *w n"]],
    limit: int,
    temperature: float,
    *,
    at_least_one: bool = True,
    forced: Forced = MappingProxyType({}),
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
        forced: steps that are not sampled.
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
        offset, pen = led(forced, np.full(len(alive), row), *found.sample(numbers, temperature))
        ends = pen == END
        counted = alive & ends if row == limit else alive
        alive = alive & ~ends
        drawn = alive if row < limit else np.zeros_like(alive)
        before = Step(offset, pen, drawn, ~alive, found, counted)
        yield before
        if not drawn.any():
            return


def sample_steps(
    model: Stepper,
    given: Prefix,
    noise: Iterable[Float[np.ndarray, "b *w n"]],
    limit: int,
    temperature: float,
    *,
    at_least_one: bool = True,
    forced: Forced = MappingProxyType({}),
) -> Sampled:
    """All of `steps` at once."""
    offset, pen, drawn, ended = [], [], [], np.zeros(0, dtype=bool)

    def noted() -> Iterator[Step]:
        # Not the steps themselves: what they were drawn from is large, and soon of no more use.
        nonlocal ended
        for step in steps(model, given, noise, limit, temperature, at_least_one=at_least_one, forced=forced):
            offset.append(step.offset)
            pen.append(step.pen)
            drawn.append(step.drawn)
            ended = step.ended
            yield step

    log_prob = log_likelihood(noted())
    length = np.stack(drawn, 1).sum(1)
    most = int(length.max())
    return Sampled(np.stack(offset, 1)[:, :most], np.stack(pen, 1)[:, :most], length, ended, log_prob)
