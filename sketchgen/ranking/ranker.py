"""Choosing: of several candidates for a drawing the best, by who looks at the whole of each.

A model that draws does not see what it has drawn, and a start that it misread it goes on with to the end. Two
see it: the recogniser, who knows what a drawing is of, and the critic, who knows how people go on with what
was given. Both say logs of probabilities, which are added, the recogniser's three times: the critic alone
holds what is right and says little for as good as what shows the category. Besides it counts how much the
candidates of a drawing agree (`sketchgen.ranking.consensus`), the more of use the more there are, how
neatly each lies beside what was given (`sketchgen.ranking.geometry_prior`), and that one makes a drawing
symmetric that nearly is (`sketchgen.completion.symmetry`). What it brings was measured by a judge who has no
say in it, `benchmarks/best_of.py`, and by whether drawings are finished, `benchmarks/choosing.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from sketchgen.models.recogniser import Recogniser
from sketchgen.models.reward_model import RewardModel
from sketchgen.ranking.consensus import consensus, likenesses, mean_likeness
from sketchgen.ranking.geometry_prior import geometry_prior
from sketchgen.sketch.sketch import Completion

SURE = 3.0
"""How often the recogniser's log probability counts beside the critic's score; see docs/lab.md."""

AGREED = 6.0
"""What it counts that all other candidates draw the same, in the critic's nats; see docs/lab.md."""

SYMMETRIC = 2.5
"""What it counts that what was added completes the symmetry of a drawing, where all else is symmetric, in the
critic's nats: images in a mirror agree with few of the network's ways; see docs/lab.md."""

CALM = 4.0
"""Nats for which one candidate is e times as likely to be wanted as another; see docs/lab.md."""


@dataclass(frozen=True)
class Ranker:
    """Takes the best of several candidates.

    Attributes:
        recogniser: says how surely a drawing is of the category, where it knows that.
        critic: says how good what was added is, where something was given; None to do without that, without
            agreement and without neatness.
        agreed: what it counts that all others draw the same.
    """

    recogniser: Recogniser
    critic: RewardModel | None = None
    agreed: float = AGREED

    def worths(
        self, found: Sequence[Completion], category: str | None, candidates: int | None = None
    ) -> Float[np.ndarray, " n"]:
        """What each completion of one drawing is worth; an empty drawing is worth nothing, -inf.

        Args:
            found: the candidates.
            category: what they are to be of; None for any.
            candidates: how many in a row are compared with each other; None for all.
        """
        worth = np.full(len(found), -np.inf)
        shown = [index for index, each in enumerate(found) if not each.whole.is_empty]
        if not shown:
            return worth
        drawings = [found[index] for index in shown]
        worth[shown] = 0.0
        if category in self.recogniser.categories:
            column = self.recogniser.categories.index(category)
            sure = self.recogniser.read([each.whole for each in drawings]).log_prob[:, column]
            worth[shown] += SURE * sure
        return worth + self.told(found, category, candidates)

    def told(
        self, found: Sequence[Completion], category: str | None, candidates: int | None = None
    ) -> Float[np.ndarray, " n"]:
        """What all but the recogniser say; 0 of nothing drawn, and where nothing was given."""
        worth = np.zeros(len(found))
        given = [index for index, each in enumerate(found) if not each.given.is_empty]
        if self.critic is None or not given:
            return worth
        worth[given] = self.critic.scores([found[index] for index in given], category)
        worth[given] += [SYMMETRIC * found[index].symmetry for index in given]
        size = len(found) if candidates is None else candidates
        for first in range(0, len(found), size):
            group = [index for index in given if first <= index < first + size]
            compared = [found[index] for index in group]
            worth[group] += geometry_prior(compared)
            worth[group] += self.agreed * consensus(compared) if self.agreed else 0.0
        return worth

    def best_completions(
        self, found: Sequence[Completion], category: str | None, candidates: int
    ) -> list[Completion]:
        """The best of each `candidates` completions in a row."""
        return [found[row] for row in self.best_rows(found, category, candidates)]

    def best_rows(self, found: Sequence[Completion], category: str | None, candidates: int) -> list[int]:
        """Which of the completions are the best of each `candidates` in a row."""
        worth = self.worths(found, category, candidates)
        drawn = [not each.added.is_empty for each in found]
        ended = [each.ended for each in found]
        return [
            first + best_of(*(part[first : first + candidates] for part in (drawn, ended, worth.tolist())))
            for first in range(0, len(found), candidates)
        ]

    def several_rows(self, found: Sequence[Completion], category: str | None, count: int) -> list[int]:
        """Which of the completions of a drawing are shown, the best first, where `count` are.

        Which is wanted nobody knows, and several that are alike are of little use: with each further one the
        largest share of what may be wanted is to be drawn by one of them at least, each being wanted by odds
        of exp(worth / `CALM`) without agreement, which is what the shares are about. Greedily, which is near
        the best choice (Nemhauser, Wolsey and Fisher 1978). From nothing, where no two drawings need have
        anything in common, each is the best of as many in a row as there are for each.

        Args:
            found: all of the same drawing.
            category: what they are to be of; None for any.
            count: how many are chosen, as many at most.
        """
        if self.critic is None or not found or found[0].given.is_empty:
            return self.best_rows(found, category, max(1, len(found) // max(1, count)))
        worth, likeness = replace(self, agreed=0.0).worths(found, category), likenesses(found)
        agreed = worth + self.agreed * mean_likeness(likeness)
        drawn, ended = [not each.added.is_empty for each in found], [each.ended for each in found]
        rows = [best_of(drawn, ended, agreed.tolist())]
        odds = np.exp((worth - worth.max()) / CALM)[: likeness.shape[1]]
        while len(rows) < min(count, len(found)):
            more = np.maximum(likeness - likeness[rows].max(0), 0.0) @ odds
            left = [row for row in range(len(found)) if row not in rows]
            rows.append(max(left, key=lambda row: (drawn[row], ended[row], more[row], agreed[row], -row)))
        return rows


def best_of(drawn: Sequence[bool], ended: Sequence[bool], worth: Sequence[float]) -> int:
    """Which candidate is taken: the one worth most, and the first of equals.

    But something comes before nothing, and what the model ended before what it was stopped in.
    """
    return max(range(len(worth)), key=lambda row: (drawn[row], ended[row], worth[row], -row))
