"""The one formula by which candidates for a drawing are ranked.

A model that draws point by point does not see the whole drawing, and carries a misreading to its end. Two
networks see the whole: the recogniser knows what a drawing shows, and the reward model knows how people
continue what was given. The score of a candidate, in nats of the reward model, adds

- `RECOGNISER` times the log probability that the recogniser takes it for what is wanted: for the category, or
  where that was guessed, for one that is drawn by what was believed of the given part,
- the reward model's score,
- `CONSENSUS` times the consensus with the other candidates (`sketchgen.ranking.consensus`),
- the geometry prior (`sketchgen.ranking.geometry_prior`),
- `SYMMETRY` times the symmetry of a candidate that completes one (`sketchgen.completion.symmetry`).

All but the first need something given. Benchmarks: `benchmarks/choosing.py`, `benchmarks/weights.py`, and
`benchmarks/best_of.py` with an independent judge.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from sketchgen.errors import SettingError
from sketchgen.models.numpy_layers import one_thread
from sketchgen.models.recogniser import Recogniser, default_recogniser
from sketchgen.models.reward_model import RewardModel, load_reward_model
from sketchgen.ranking.consensus import mean_similarity, similarities
from sketchgen.ranking.diversity import select_diverse
from sketchgen.ranking.geometry_prior import WEIGHTS, flawless, geometry_prior, measures
from sketchgen.sketch.sketch import Completion, Sketch

RECOGNISER = 8.0
"""Weight of the recogniser's log probability; the reward model alone barely tells the category."""

MIN_PROBABILITY = 1e-9
"""Added to the probability of being recognised as what is wanted."""

CONSENSUS = 6.0
"""Score of a candidate that all others agree with entirely."""

SYMMETRY = 2.5
"""Score of completing a drawing whose other ink is all symmetric; consensus says little for such candidates,
since few samples of the network resemble them."""

Rank = Literal["likelihood", "recogniser", "reward"]
"""What candidates are ranked by: their log-likelihood a point, the recogniser, or the whole formula."""


@dataclass(frozen=True)
class Candidate:
    """A completion that may be chosen, and where it comes from.

    Attributes:
        completion: the completion.
        symmetry: how symmetric the given drawing is, up to about 1, where the added strokes are mirror images
            of given ones; 0 where the network drew them. See `sketchgen.completion.symmetry`.
        belief: where the category was guessed, the probability of each of the recogniser's categories by the
            given part; the same for all candidates of a drawing.
    """

    completion: Completion
    symmetry: float = 0.0
    belief: Float[np.ndarray, " c"] | None = None


@dataclass(frozen=True)
class Ranker:
    """Ranks the candidates of a drawing; `load_ranker` makes the bundled one.

    Attributes:
        recogniser: scores the category; without it candidates are ranked by log-likelihood a point.
        reward_model: scores what was added to a given drawing; without it, neither consensus nor geometry nor
            symmetry counts.
    """

    recogniser: Recogniser | None = None
    reward_model: RewardModel | None = None

    def can_rank(self, given: Sketch, category: str | None) -> bool:
        """Return whether anything but chance tells candidates apart: something given, or a known category."""
        if self.recogniser is None or category in self.recogniser.categories:
            return True
        return self.reward_model is not None and not given.is_empty

    @one_thread
    def scores(self, candidates: Sequence[Candidate], category: str | None) -> Float[np.ndarray, " n"]:
        """Return the score of each of n candidates for one drawing, nats; -inf for an empty drawing.

        Args:
            candidates: all candidates of the drawing; consensus depends on the others.
            category: what the drawing is to show; None for any. Where the candidates hold a belief, each is
                scored as one of its own category.
        """
        measured = self._measures(candidates, category)
        consensus = mean_similarity(self._similarity(candidates))
        return self._scores_alone(candidates, category, measured) + CONSENSUS * consensus

    def rank(self, candidates: Sequence[Candidate], category: str | None) -> list[int]:
        """Return the rows of the candidates, best first.

        A candidate that adds something comes before one that does not, then one that the model ended before
        one that was stopped at the limit, then one without a flaw (`geometry_prior.FLAWS`) before one that
        has some; then the score decides, then the order of the candidates.
        """
        return self.select(candidates, category, 0)

    @one_thread
    def select(self, candidates: Sequence[Candidate], category: str | None, count: int) -> list[int]:
        """Return the rows of a diverse set of `count` candidates, best first; see `ranking.diversity`."""
        measured, similarity = self._measures(candidates, category), self._similarity(candidates)
        score = self._scores_alone(candidates, category, measured)
        total = score + CONSENSUS * mean_similarity(similarity)
        usable = [
            (not each.completion.added.is_empty, each.completion.ended, bool(sound))
            for each, sound in zip(candidates, flawless(measured), strict=True)
        ]
        order = sorted(range(len(candidates)), key=lambda row: (*usable[row], total[row], -row), reverse=True)
        return select_diverse(order, usable, score, similarity, count) if count else order

    def _similarity(self, candidates: Sequence[Candidate]) -> Float[np.ndarray, "n m"]:
        """Return how similar candidates are; zeros where nothing is given that they have in common."""
        if not self._continues(candidates):
            return np.zeros((len(candidates), len(candidates)))
        return similarities([each.completion for each in candidates])

    def _measures(self, candidates: Sequence[Candidate], category: str | None) -> Float[np.ndarray, "n 9"]:
        """Return the measures of the geometry prior; zeros where nothing is given."""
        if not self._continues(candidates):
            return np.zeros((len(candidates), len(WEIGHTS)))
        return measures([each.completion for each in candidates], _names(candidates, category))

    def _continues(self, candidates: Sequence[Candidate]) -> bool:
        """Return whether something is given that the reward model can compare candidates by."""
        return bool(self.reward_model and candidates and not candidates[0].completion.given.is_empty)

    def _scores_alone(
        self, candidates: Sequence[Candidate], category: str | None, measured: Float[np.ndarray, "n 9"]
    ) -> Float[np.ndarray, " n"]:
        """Return the scores without consensus."""
        completions = [each.completion for each in candidates]
        if self.recogniser is None:
            # Per point: of sums, the shortest drawing would always have the largest.
            return np.array([each.log_likelihood / max(1, each.added.point_count) for each in completions])
        score = np.full(len(completions), -np.inf)
        shown = [row for row, each in enumerate(completions) if not each.whole.is_empty]
        score[shown] = 0.0
        if shown and (_guessed(candidates) or category in self.recogniser.categories):
            score[shown] += RECOGNISER * self._recognised([candidates[row] for row in shown], category)
        if self.reward_model is not None and self._continues(candidates):
            names = _names(candidates, category)
            score += self.reward_model.scores(completions, names) + geometry_prior(measured)
            score += SYMMETRY * np.array([each.symmetry for each in candidates])
        return score

    def _recognised(self, candidates: Sequence[Candidate], category: str | None) -> Float[np.ndarray, " n"]:
        """Return the log probability that each candidate is recognised as what is wanted, nats."""
        assert self.recogniser is not None
        log_prob = self.recogniser.read([each.completion.whole for each in candidates]).log_prob
        belief, column = candidates[0].belief, self.recogniser.categories.index
        if belief is None:
            return log_prob[:, column(str(category))]
        if candidates[0].completion.given.is_empty:
            # Nothing is believed: each is to be what it was drawn as.
            own = [column(str(each.completion.category)) for each in candidates]
            return log_prob[np.arange(len(own)), own]
        return np.log(np.exp(log_prob) @ belief + MIN_PROBABILITY)


@functools.cache
def load_ranker(rank: Rank = "reward") -> Ranker:
    """Return the ranker of the bundled networks, which are loaded once.

    Raises:
        SettingError: there is no such ranking.
        CheckpointError: a network is missing or damaged.
    """
    if rank not in get_args(Rank):
        raise SettingError(f"no ranking {rank!r}; there are {', '.join(get_args(Rank))}")
    recogniser = None if rank == "likelihood" else default_recogniser()
    return Ranker(recogniser, load_reward_model() if rank == "reward" else None)


def _guessed(candidates: Sequence[Candidate]) -> bool:
    """Return whether the category was guessed."""
    return bool(candidates) and candidates[0].belief is not None


def _names(candidates: Sequence[Candidate], category: str | None) -> list[str | None]:
    """Return the category that each candidate is to show."""
    guessed = _guessed(candidates)
    return [each.completion.category if guessed else category for each in candidates]
