"""The sampling loop: steps of drawings from any model with `prime` and `advance`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.numpy_layers import END
from sketchgen.models.numpy_stroke_model import Prefix


@runtime_checkable
class Stepper(Protocol):
    """What the sampler needs of a model.

    States have a method `take(rows)`; distributions have the methods of `StepDistribution`.

    Attributes:
        candidates: how many are drawn for a step, each from a row of noise; see `noise_blocks`.
    """

    candidates: int

    def prime(self, given: Prefix) -> tuple[Any, Any]:
        """Read the given part; return the distribution of the first added step, and the state."""
        ...

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: Any
    ) -> tuple[Any, Any]:
        """Take a step; return the distribution of the next one, and the state that replaces the one given."""
        ...


@runtime_checkable
class ReadsMany(Protocol):
    """A model that reads several given parts faster together than one after the other."""

    def prime_all(self, given: Sequence[Prefix]) -> tuple[Any, Any]:
        """Read each, for one drawing; see `Decoder.prime_all`."""
        ...


AT_ONCE = 64
"""Given parts that are read together: more take more memory and are hardly faster."""


def prime_all(model: Stepper, given: Sequence[Prefix]) -> tuple[Any, Any]:
    """Read several given parts, each for one drawing: row i is of the i-th of them.

    Equal to `Stepper.prime` of each up to the last bits; those of like length are read together.

    Args:
        model: what reads.
        given: of known or of unknown frames, not both; at least one.
    """
    order = np.argsort([len(each.pen) for each in given], kind="stable")
    if isinstance(model, ReadsMany):
        portions = [order[first : first + AT_ONCE] for first in range(0, len(order), AT_ONCE)]
        read = [model.prime_all([given[row] for row in rows]) for rows in portions]
    else:
        read = [model.prime(given[row]) for row in order]
    steps, states = zip(*read, strict=True)
    back = np.argsort(order)
    return type(steps[0]).join(steps).take(back), type(states[0]).join(states).take(back)


NOISE_STEPS = 32
"""Steps whose noise is made at once: a call of a generator takes as long as twenty of its numbers."""


def noise_blocks(seed: int, index: int, candidates: int = 1) -> Iterator[Float[np.ndarray, "s *w n"]]:
    """Yield the noise of drawing `index` under `seed`, of `NOISE_STEPS` steps at a time.

    A step takes three uniform numbers and two normal ones. Where it is chosen among several candidates there
    is a row for each, with a uniform number more at its end.
    """
    random = np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64)))
    shape, uniforms = ((NOISE_STEPS,), 3) if candidates == 1 else ((NOISE_STEPS, candidates), 4)
    while True:
        uniform, normal = random.random((*shape, uniforms)), random.standard_normal((*shape, 2))
        yield np.concatenate([uniform[..., :3], normal, uniform[..., 3:]], -1)


def noise_rows(seed: int, count: int, candidates: int = 1) -> Iterator[Float[np.ndarray, "b *w n"]]:
    """Yield the noise of drawings 0 to `count` - 1 under `seed`, a step at a time.

    That of a drawing depends on the seed and its index alone, whatever else is drawn together with it.
    """
    each = [noise_blocks(seed, index, candidates) for index in range(count)]
    while True:
        yield from np.stack([next(noise) for noise in each], 1)


def first_number(seed: int, index: int) -> float:
    """Return a uniform number in [0, 1) for drawing `index` under `seed`, independent of its noise."""
    # Far along the counter of the generator that makes the noise: no drawing ever gets there.
    key = np.array([seed, index], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=2**128)).random()


def first_numbers(seed: int, count: int) -> Float[np.ndarray, " b"]:
    """Return the `first_number` of drawings 0 to `count` - 1."""
    return np.array([first_number(seed, index) for index in range(count)])


Forced = Mapping[int, tuple[Float[np.ndarray, "n 2"], Int[np.ndarray, " n"]]]
"""Offset and pen of the first steps of some drawings, by their rows; what follows is sampled."""


def force(
    forced: Forced,
    number: Int[np.ndarray, " b"],
    offset: Float[np.ndarray, "b 2"],
    pen: Int[np.ndarray, " b"],
) -> tuple[Float[np.ndarray, "b 2"], Int[np.ndarray, " b"]]:
    """Return the steps that b drawings take: the forced ones of some, the sampled ones of the others.

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
        if number[row] < len(pens):
            offset[row], pen[row] = offsets[number[row]], pens[number[row]]
    return offset, pen


@dataclass(frozen=True)
class Step:
    """The next step of b drawings.

    Attributes:
        offset: px of the model's box.
        pen: after the point.
        drawn: which drawings got a point; the rows of the others have no meaning.
        ended: which drawings the model has ended, now or before.
        rows: the drawings that `distribution` has rows for: those that had not ended, and maybe others.
        distribution: that the step was drawn from.
        counted: in which drawings a step was decided on: the others had ended before.
    """

    offset: Float[np.ndarray, "b 2"]
    pen: Int[np.ndarray, " b"]
    drawn: Bool[np.ndarray, " b"]
    ended: Bool[np.ndarray, " b"]
    rows: Int[np.ndarray, " c"]
    distribution: Any
    counted: Bool[np.ndarray, " b"]


Edges = tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]
"""Corners of the rectangle that added points stay in, px of the frame from where they are counted."""

NO_EDGES: Edges = np.full(2, -np.inf), np.full(2, np.inf)

DROP = 0.9
"""Rows of drawings that have ended are dropped when less than this share of the rows goes on."""


def steps(
    model: Stepper,
    given: Prefix,
    noise: Iterable[Float[np.ndarray, "b *w n"]],
    limit: int,
    temperature: float,
    *,
    at_least_one: bool = True,
    forced: Forced = MappingProxyType({}),
    edges: Edges | None = None,
) -> Iterator[Step]:
    """Sample step by step until every drawing has ended or has `limit` points.

    The last step draws no point: in it the last drawings end, or are found not to.

    Args:
        model: what is asked for distributions.
        given: the given part.
        noise: a row a step, at least `limit` + 1 of them; see `noise_rows`.
        limit: largest number of points of a drawing.
        temperature: 0 or more; see `StepDistribution.samples`.
        at_least_one: do not let a drawing end before a point was added.
        forced: steps that are not sampled.
        edges: what sampled points stay in: steps that lead out of it are less likely, and cut off there. None
            for no limit.
    """
    count = len(given.category)
    alive, rows = np.ones(count, dtype=bool), np.arange(count)
    low, high = edges or NO_EDGES
    at = np.zeros((count, 2))
    offset, pen = np.zeros((count, 2)), np.full(count, END)
    distribution: Any = None
    state: Any = None
    for number, numbers in zip(range(limit + 1), noise, strict=False):
        if not number:
            distribution, state = model.prime(given)
            if at_least_one:
                distribution = distribution.without_end()
        else:
            if np.count_nonzero(alive) < DROP * len(rows):
                going = alive[rows]
                rows, state = rows[going], state.take(np.flatnonzero(going))
            distribution, state = model.advance(offset[rows], pen[rows], state)
        free = distribution.within(low - at[rows], high - at[rows]) if edges else distribution
        if len(rows) == count:
            offset, pen = free.sample(numbers, temperature)
        else:
            offset, pen = np.zeros((count, 2)), np.full(count, END)
            offset[rows], pen[rows] = free.sample(numbers[rows], temperature)
        if forced:
            offset, pen = force(forced, np.full(count, number), offset, pen)
        at = at + offset
        ends = pen == END
        counted = alive & ends if number == limit else alive
        alive = alive & ~ends
        drawn = alive if number < limit else np.zeros_like(alive)
        yield Step(offset, pen, drawn, ~alive, rows, distribution, counted)
        if not drawn.any():
            return


def log_likelihood(step: Step) -> Float[np.ndarray, " b"]:
    """Return the log-likelihood of a step of each drawing at temperature 1, nats; 0 of those that had ended.

    Steps are not joined to be measured at once: sums over components of another number round differently.
    """
    offset, pen, counted = step.offset[step.rows], step.pen[step.rows], step.counted[step.rows]
    nats = np.zeros(len(step.pen))
    nats[step.rows] = np.where(counted, step.distribution.log_prob(offset, pen), 0.0)
    return nats


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
    """Sample whole drawings; see `steps`."""
    offset, pen, drawn, ended = [], [], [], np.zeros(0, dtype=bool)

    log_prob: Any = 0.0
    for step in steps(model, given, noise, limit, temperature, at_least_one=at_least_one, forced=forced):
        # Not the step itself: its distribution is large, and soon of no more use.
        offset.append(step.offset)
        pen.append(step.pen)
        drawn.append(step.drawn)
        ended = step.ended
        log_prob = log_prob + log_likelihood(step)
    length = np.stack(drawn, 1).sum(1)
    most = int(length.max())
    return Sampled(np.stack(offset, 1)[:, :most], np.stack(pen, 1)[:, :most], length, ended, log_prob)
