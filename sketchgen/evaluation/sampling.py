"""Finishing many drawings at once: each is read alone, then all go on together, a step at a time.

What a drawing becomes depends on its beginning, its seed and the number of the alternative alone, up to the
last bits of a product of matrices: it is what `Completer.complete` draws for that seed. Rows that have ended
leave the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from sketchgen.completion.sampler import Stepper, noise_of
from sketchgen.errors import SettingError
from sketchgen.sketch.strokes import Pen

ROWS = 384
"""Most drawings in a batch."""

DROP = 0.9
"""Rows that have ended are dropped once less than this share goes on."""

Progress = Callable[[int], None]


def drawing_seed(seed: int, key: int) -> int:
    """The seed of a drawing's completions under a seed for all: it depends on no other drawing."""
    return int(np.random.SeedSequence([seed, key]).generate_state(1, np.uint64)[0] >> np.uint64(1))


@dataclass(frozen=True)
class Row:
    """A drawing in a batch.

    Attributes:
        found: the distribution of its first added step, one row.
        state: the network's state before it, one row.
        seed, alternative: name its noise; see `sketchgen.completion.sampler.noise_rows`.
    """

    found: Any
    state: Any
    seed: int
    alternative: int = 0


@dataclass(frozen=True)
class Added:
    """The steps that were added to one drawing.

    Attributes:
        offset: px of the model's box.
        pen: after each point.
        ended: whether the model ended the drawing (False: it was stopped at the limit).
        log_prob: log-likelihood of its steps at temperature 1, nats.
    """

    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    ended: bool
    log_prob: float


def sample_rows(
    model: Stepper,
    rows: Sequence[Row],
    temperature: float,
    limit: int,
    progress: Progress | None = None,
) -> list[Added]:
    """Go on with many drawings until each has ended, or has `limit` added points; at least one is added.

    Args:
        model: what the rows' states belong to.
        rows: the drawings. Those whose states cannot be stacked must not stand in one call.
        temperature: see `StepDistribution.samples`.
        limit: most points that are added.
        progress: called with the number of drawings finished since the last call.

    Raises:
        SettingError: a limit below 1.
    """
    if limit < 1:
        raise SettingError(f"limit must be 1 or more points, not {limit}")
    found: list[Added] = []
    for first in range(0, len(rows), ROWS):
        part = rows[first : first + ROWS]
        found += _sample(model, part, temperature, limit)
        if progress is not None:
            progress(len(part))
    return found


def _sample(model: Stepper, rows: Sequence[Row], temperature: float, limit: int) -> list[Added]:
    """`sample_rows` of one batch."""
    book = _Book(len(rows))
    noise = [noise_of(row.seed, row.alternative, model.candidates) for row in rows]
    found, state = (
        type(parts[0]).join(parts) for parts in zip(*((row.found, row.state) for row in rows), strict=True)
    )
    found = found.without_end()
    # Which drawing each row of the batch is, and which of them go on.
    who, going = np.arange(len(rows)), np.ones(len(rows), dtype=bool)
    for step in range(limit + 1):
        offset, pen = found.sample(np.stack([next(noise[one]) for one in who]), temperature)
        ends = pen == Pen.END
        counted = going & (ends | (step < limit))
        book.log_prob[who] += np.where(counted, found.log_prob(offset, pen), 0.0)
        book.ended[who[going & ends]] = True
        going = going & ~ends & (step < limit)
        if not going.any():
            break
        book.note(who[going], offset[going], pen[going])
        if going.mean() < DROP:
            kept = np.flatnonzero(going)
            who, going, offset, pen = who[kept], going[kept], offset[kept], pen[kept]
            state = state.take(kept)
        found, state = model.advance(offset, pen, state)
    return book.drawings()


class _Book:
    """What was drawn so far in a batch of drawings."""

    def __init__(self, count: int) -> None:
        self.ended = np.zeros(count, dtype=bool)
        self.log_prob = np.zeros(count)
        self._steps: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def note(self, who: np.ndarray, offset: np.ndarray, pen: np.ndarray) -> None:
        """Note a point of each of some drawings."""
        self._steps.append((who, offset, pen))

    def drawings(self) -> list[Added]:
        """The points of each drawing, in their order."""
        who = np.concatenate([np.zeros(0, dtype=np.int64), *(step[0] for step in self._steps)])
        offset = np.concatenate([np.zeros((0, 2)), *(step[1] for step in self._steps)])
        pen = np.concatenate([np.zeros(0, dtype=np.int64), *(step[2] for step in self._steps)])
        order = np.argsort(who, kind="stable")
        ends = np.cumsum(np.bincount(who, minlength=len(self.ended)))
        parts = np.split(order, ends[:-1])
        return [
            Added(offset[part], pen[part], bool(ended), float(log_prob))
            for part, ended, log_prob in zip(parts, self.ended, self.log_prob, strict=True)
        ]
