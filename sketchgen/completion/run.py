"""The candidates of one sketch while they are sampled: their next points, and at last their completions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.completion.gap_closing import Closings
from sketchgen.completion.guessing import Guesses
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.sampler import Step, log_likelihood
from sketchgen.completion.symmetry import Mirrored
from sketchgen.models.recogniser import Guess
from sketchgen.ranking.ranker import Candidate
from sketchgen.sketch.sketch import Completion
from sketchgen.sketch.strokes import Pen


@dataclass(frozen=True)
class NextPoints:
    """The next point of each of several completions that are streamed.

    Attributes:
        points: (count, 2) on the page.
        pen: (count,) after each point.
        drawn: (count,) which completions got a point; the others' rows have no meaning.
        completions: in the last item of a stream, which draws no point, the finished completions.
        replaced: in the last item, which of the completions are other candidates than those that were
            streamed in their places.
        guesses: what the drawing is guessed to be, the likeliest first; none where a category was named.
    """

    points: Float[np.ndarray, "count 2"]
    pen: Int[np.ndarray, " count"]
    drawn: Bool[np.ndarray, " count"]
    completions: list[Completion] | None = None
    replaced: tuple[int, ...] = ()
    guesses: tuple[Guess, ...] = ()

    @classmethod
    def last(
        cls, completions: list[Completion], replaced: tuple[int, ...], guesses: tuple[Guess, ...] = ()
    ) -> NextPoints:
        """Return the last item of a stream."""
        count = len(completions)
        nothing = np.zeros((count, 2)), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
        return cls(*nothing, completions, replaced, guesses)


@dataclass
class Run:
    """Candidates of one sketch while they are sampled.

    Attributes:
        partial: the given sketch.
        categories: (n,) under which each candidate is drawn; None for none.
        going_on: (n,) which candidates continue the last given stroke.
        images: candidates that are mirror images, by their rows.
        sampled: the sampler's steps; each is taken once.
        guesses: by which the categories were chosen; None where one was named.
        others: prepares further runs of the same sketch, for where the page's edge cuts these candidates off.
        enough: candidates that must have ended for the others to be given up; None to sample all.
    """

    partial: PartialSketch
    categories: Sequence[str | None]
    going_on: Bool[np.ndarray, " n"]
    images: Mapping[int, Mirrored]
    sampled: Iterator[Step]
    guesses: Guesses | None = None
    others: Callable[[], Iterator[Run]] = lambda: iter(())
    enough: int | None = None
    _taken: list[tuple[np.ndarray, ...]] = field(default_factory=list)
    _log_prob: Any = 0.0

    def __iter__(self) -> Iterator[Step]:
        """Sample, and note what is sampled."""
        for step in self.sampled:
            self._taken.append((step.offset, step.pen, step.drawn, step.ended))
            self._log_prob = self._log_prob + log_likelihood(step)
            yield step
            if self.enough is not None and np.count_nonzero(step.ended) >= self.enough:
                self.sampled = iter(())
                return

    def points(self, rows: Int[np.ndarray, " k"]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Sample, and yield points (k, 2) and pens (k,) of some candidates on the page, and which got one."""
        going_on, at = self.going_on[rows], np.zeros((1, 2))
        if self.going_on.any():
            yield np.tile(self.partial.origin, (len(rows), 1)), np.full(len(rows), int(Pen.DRAW)), going_on
        closing = Closings(self.partial.closer, going_on)
        for step in self:
            at, pen = at + step.offset[rows], step.pen[rows]
            yield self.partial.on_page(closing.next(at, pen)), pen, step.drawn[rows]

    def finish(self) -> list[Candidate]:
        """Sample what is left, and return the candidates that were not given up, in their order."""
        for _ in self:
            pass
        offset, pen, drawn, ended = (np.stack(part, 1) for part in zip(*self._taken, strict=True))
        found, given_up = [], ~ended[:, -1] & drawn[:, -1]
        for row in np.flatnonzero(~given_up).tolist():
            length = drawn[row].sum()
            sampled = offset[row, :length], pen[row, :length]
            sketch, category, going_on = self.partial.sketch, self.categories[row], bool(self.going_on[row])
            added = self.partial.added(*sampled, category or sketch.category, going_on=going_on)
            log_prob = float(self._log_prob[row])
            completion = Completion(sketch, added, bool(ended[row, -1]), log_prob, category)
            image = self.images.get(row)
            belief = self.guesses.belief if self.guesses else None
            found.append(Candidate(completion, image.symmetry if image else 0.0, belief))
        return found
