"""Guess what a partial sketch is to become, where nobody says it.

Candidates are drawn under the likeliest categories by the classifier's belief about the given part, in
proportion, and where it is in doubt some under none. From nothing each is drawn under a category at random.
Which category a candidate gets depends on the belief, the seed and its number alone, so that asking for more
candidates does not change the first ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sketchgen.models.recogniser import Guess, Recogniser
from sketchgen.sketch.sketch import Sketch

AUTO = "auto"
"""The name that stands for a guess."""

MAX_GUESSES = 5
"""Most categories under which the candidates of a sketch are drawn."""

MIN_SHARE = 0.1
"""Share of the likeliest category's probability that a category must have to be tried."""

IN_DOUBT = 0.5
"""Probability of the categories that are tried below which candidates are drawn under no category, too."""


def is_auto(category: object) -> bool:
    """Return whether a category is to be guessed."""
    return isinstance(category, str) and category.strip().lower() == AUTO


@dataclass(frozen=True)
class Guesses:
    """What a partial sketch may become.

    Attributes:
        recogniser: whose belief it is.
        belief: the probability of each of its categories.
        anything: whether nothing is given, and all categories are as likely.
    """

    recogniser: Recogniser
    belief: Float[np.ndarray, " c"]
    anything: bool

    @classmethod
    def of(cls, recogniser: Recogniser, categories: Collection[str], sketch: Sketch) -> Guesses | None:
        """Guess what a sketch is to become of some categories; None if the recogniser knows none of them."""
        known = set(categories)
        belief = recogniser.belief(sketch) * [name in known for name in recogniser.categories]
        total = belief.sum()
        return cls(recogniser, belief / total, sketch.is_empty) if total > 0.0 else None

    def top(self, count: int) -> list[Guess]:
        """Return the likeliest categories, the likeliest first; none where nothing is given."""
        if self.anything:
            return []
        with np.errstate(divide="ignore"):
            found = self.recogniser.ranked(np.log(self.belief), count)
        return [guess for guess in found if guess.probability > 0.0]

    def categories(self, seed: int) -> Iterator[str | None]:
        """Yield the category of each candidate, without end; None for no category. The first is likeliest."""
        if not self.anything:
            return shared_out(self.top(MAX_GUESSES))
        order = np.random.default_rng(seed).permutation(np.flatnonzero(self.belief))
        return itertools.cycle([self.recogniser.categories[row] for row in order])


def shared_out(guesses: Sequence[Guess]) -> Iterator[str | None]:
    """Yield the category of each candidate, without end; None for no category.

    However many are taken, their shares are as near to the probabilities as may be: Webster's method, by
    which the seats of a parliament are shared out.

    Args:
        guesses: one or more, the likeliest first.
    """
    chosen = [guess for guess in guesses if guess.probability >= MIN_SHARE * guesses[0].probability]
    names = [*(guess.category for guess in chosen), None]
    weight = np.array([guess.probability for guess in chosen])
    # No category counts as much as the likeliest.
    weight = np.append(weight, weight[0] if weight.sum() < IN_DOUBT else 0.0)
    taken = np.zeros(len(names))
    while True:
        row = int((weight / (taken + 0.5)).argmax())
        taken[row] += 1.0
        yield names[row]
