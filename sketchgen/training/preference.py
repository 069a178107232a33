"""Preference training: preferred candidates become likelier than rejected ones.

Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290, equation 7): with r the log-likelihood
ratio of a candidate under the network and a frozen reference, the network at the start, the loss of a pair is
-log sigmoid(beta (r_preferred - r_rejected)). The loss has a lower bound, unlike the log density of
rejected candidates, which a network could lower without end. The likelihood of drawings is another objective
of the same run and keeps the densities calibrated.

Candidates (`sketchgen.training.candidates`) have values, since the person's own strokes are known. The two
candidates of a pair complete the same partial sketch. From partial sketches alone the network learns whether
the person lifted the pen after the last given point: the odds of
`sketchgen.completion.partial_sketch.PartialSketch.done`, by which completions continue that stroke or not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from sketchgen.completion.completer import LIMIT
from sketchgen.completion.partial_sketch import STOPPED_EARLY, PartialSketch
from sketchgen.completion.rollout import steps_of
from sketchgen.data.batching import Batch, TensorData
from sketchgen.errors import SettingError
from sketchgen.evaluation.likelihood import step_distribution, step_log_prob
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen
from sketchgen.training.candidates import CandidateGroup, category_index, framed, read_groups
from sketchgen.training.distributed import world_size
from sketchgen.training.objectives import Objective, Outcome, scored_batch

BETA = 0.1
"""Inverse temperature of the preference, per nat."""

STROKE_END_WEIGHT = 0.3
"""Weight of the loss by which the network learns where strokes end."""


MARGIN = 0.4
"""Minimum difference in value between the candidates of a pair."""

PREFERRED_SHARE = 0.25
"""Preferred candidates are among this share of the candidates, those of the highest values."""

BLOCK = 16
"""Batches that are sampled together and sorted, so that the drawings of a batch have similar lengths."""

MAX_POINTS = 200
"""Maximum number of points of a drawing: a few in ten thousand have more, and the memory of a step grows
with the square of the longest."""


@dataclass(frozen=True)
class PrefixSteps:
    """A partial sketch as steps of the network, px of its frame, the first from the frame's centre.

    `lifted` tells whether the person lifted the pen after the last point.
    """

    category: int
    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    lifted: bool


@dataclass(frozen=True)
class CandidateSteps:
    """A candidate as steps of the network, px of its frame.

    `continues` tells whether the first step continues the last given stroke; for `value` see
    `sketchgen.evaluation.finishing.completion_values`.
    """

    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    continues: bool
    value: float


class Pair(NamedTuple):
    """A partial sketch, and a preferred and a rejected candidate for it."""

    prefix: PrefixSteps
    preferred: CandidateSteps
    rejected: CandidateSteps

    def points(self) -> int:
        """Return the number of points of the longer drawing."""
        return len(self.prefix.pen) + max(len(self.preferred.pen), len(self.rejected.pen))


@dataclass(frozen=True)
class PairPool:
    """A partial sketch, and the candidates that continue its last stroke, or those that do not.

    The person's own strokes are not among them: to prefer these to what the model draws makes everything that
    the model draws less likely, good candidates and the end of a drawing included.

    Attributes:
        candidates: in rising order of their values; at least one.
    """

    prefix: PrefixSteps
    candidates: list[CandidateSteps]

    def preferred(self) -> list[CandidateSteps]:
        """Return the candidates of the highest values that have others to be preferred to."""
        count = max(1, round(len(self.candidates) * PREFERRED_SHARE))
        return [each for each in self.candidates[-count:] if self._rejected(each)]

    def _rejected(self, preferred: CandidateSteps) -> list[CandidateSteps]:
        """Return the candidates whose values are lower by `MARGIN` or more."""
        return [each for each in self.candidates if each.value <= preferred.value - MARGIN]

    def sample(self, random: np.random.Generator) -> Pair:
        """Return a random pair; `preferred` must not be empty."""
        choices = self.preferred()
        preferred = choices[random.integers(len(choices))]
        rejected = self._rejected(preferred)
        return Pair(self.prefix, preferred, rejected[random.integers(len(rejected))])


def candidate_steps(partial: PartialSketch, strokes: Sequence[Points], value: float) -> CandidateSteps:
    """Return strokes on the page as steps of the network: the inverse of `PartialSketch.added`."""
    continues = len(strokes[0]) > 1 and bool(np.abs(strokes[0][0] - partial.origin).max() < 2e-3)
    points, pen = framed(partial, strokes, continues=continues)
    return CandidateSteps(np.diff(points, axis=0, prepend=0.0), pen, continues, value)


def pair_pools(group: CandidateGroup, category: int) -> tuple[PrefixSteps, list[PairPool]]:
    """Return a partial sketch, and its candidates by whether they continue the last stroke.

    Candidates that were stopped at the limit of points, and very long ones, are left out.
    """
    partial = PartialSketch.of(Sketch.from_strokes(group.given))
    offset = np.diff(partial.points, axis=0, prepend=0.0)
    lifted = not candidate_steps(partial, group.rest, 0.0).continues
    found = [
        candidate_steps(partial, strokes, value)
        for strokes, value in zip(group.candidates, group.values, strict=True)
        if strokes
    ]
    most = min(LIMIT - 1, MAX_POINTS - len(offset))
    found = sorted((each for each in found if 0 < len(each.pen) <= most), key=lambda each: each.value)
    prefix = PrefixSteps(category, offset, partial.pen, lifted)
    kinds = dict.fromkeys(each.continues for each in found)
    return prefix, [PairPool(prefix, [each for each in found if each.continues == kind]) for kind in kinds]


@dataclass(frozen=True)
class PreferenceBatch(TensorData):
    """Pairs and partial sketches; see `pair_batch` and `prefix_batch`."""

    pairs: Batch
    prefixes: Batch


class PreferenceBatches(Dataset[PreferenceBatch]):
    """Batches 0, 1, ... of pairs and as many partial sketches, without end."""

    def __init__(self, folder: Path, categories: Sequence[str], pairs: int, seed: int, rank: int = 0) -> None:
        """Read the candidates of a folder; each process, by its `rank`, samples other pairs."""
        self._count, self._seed, self._rank = pairs, seed, rank
        self.prefixes: list[PrefixSteps] = []
        self.pools: list[PairPool] = []
        for each in read_groups(folder):
            prefix, pools = pair_pools(each, category_index(folder, each, categories))
            if len(prefix.pen) <= MAX_POINTS:
                self.prefixes.append(prefix)
            self.pools += [pool for pool in pools if pool.preferred()]
        if not self.pools:
            raise SettingError(
                f"{folder} has no candidates of which one is clearly better; draw more of them"
            )
        self._block: tuple[int, list[list[Pair]]] = -1, []

    def __getitem__(self, number: int) -> PreferenceBatch:
        random = np.random.default_rng([self._seed, 7, number, self._rank])
        prefixes = [self.prefixes[index] for index in random.integers(len(self.prefixes), size=self._count)]
        return PreferenceBatch(pair_batch(self.sample_pairs(number)), prefix_batch(prefixes))

    def sample_pairs(self, number: int) -> list[Pair]:
        """Return the pairs of batch `number`."""
        block, place = divmod(number, BLOCK)
        if self._block[0] != block:
            random = np.random.default_rng([self._seed, 6, block, self._rank])
            chosen = random.integers(len(self.pools), size=self._count * BLOCK)
            pairs = sorted((self.pools[index].sample(random) for index in chosen), key=Pair.points)
            # In the same order in all processes: they wait for each other, and long drawings take long.
            order = np.random.default_rng([self._seed, 8, block]).permutation(BLOCK) * self._count
            self._block = block, [pairs[first : first + self._count] for first in order]
        return self._block[1][place]


def pair_batch(pairs: Sequence[Pair]) -> Batch:
    """Return the preferred candidates of b pairs, then the rejected, (2 b), each after its partial sketch.

    Only the candidates' steps are scored.
    """
    both = [(pair.prefix, pair.preferred) for pair in pairs]
    both += [(pair.prefix, pair.rejected) for pair in pairs]
    prefixes = [prefix for prefix, _ in both]
    offsets = [np.concatenate([prefix.offset, each.offset]) for prefix, each in both]
    pens = [np.concatenate([_pens(prefix, lifted=not each.continues), each.pen]) for prefix, each in both]
    cut = np.array([len(prefix.pen) for prefix in prefixes])
    return _batch(prefixes, offsets, pens, cut, np.array([len(pen) for pen in pens]))


def prefix_batch(prefixes: Sequence[PrefixSteps]) -> Batch:
    """Return partial sketches, (b), with all but the last points given; only these are scored."""
    last = np.array([len(prefix.pen) - 1 for prefix in prefixes])
    pens = [_pens(prefix, lifted=prefix.lifted) for prefix in prefixes]
    return _batch(prefixes, [prefix.offset for prefix in prefixes], pens, last, last)


def _pens(prefix: PrefixSteps, *, lifted: bool) -> NDArray[np.int64]:
    return np.append(prefix.pen[:-1], int(Pen.LIFT if lifted else Pen.DRAW))


def _batch(
    prefixes: Sequence[PrefixSteps],
    offsets: Sequence[NDArray[np.float64]],
    pens: Sequence[NDArray[np.int64]],
    cut: NDArray[np.int64],
    last: NDArray[np.int64],
) -> Batch:
    """Collate drawings of which steps `cut` to `last` are scored."""
    # The frame is the partial sketch's own: that of the whole drawing is unknown.
    drawings = [
        Prefix(offset, pen, np.array([prefix.category]), known=False)
        for prefix, offset, pen in zip(prefixes, offsets, pens, strict=True)
    ]
    return scored_batch(*steps_of(drawings), torch.from_numpy(cut), torch.from_numpy(last))


class Preference(Objective[PreferenceBatch]):
    """Direct preference optimisation of a stroke model.

    The log shows `preference_accuracy`, the share of the pairs whose preferred candidate has the higher
    log-likelihood ratio, and `preferred_log_ratio`, the mean ratio of the preferred candidates in nats. Where
    that falls far below 0, everything that the model draws becomes less likely: take a smaller weight.
    """

    figures = ("preference_accuracy", "preferred_log_ratio")

    def __init__(self, batches: PreferenceBatches, reference: StrokeModel, weight: float = 1.0) -> None:
        """Learn from pairs of candidates; the reference, the network at the start, stays frozen."""
        self.batches, self.reference, self.weight = batches, reference, weight

    def step(self, network: StrokeModel, batch: PreferenceBatch, number: int) -> Outcome:
        """See `Objective.step`; the network computes without dropout meanwhile."""
        network.without_dropout()
        loss, accuracy, log_ratio = dpo_loss(network, self.reference, batch.pairs, BETA)
        loss = self.weight * loss + STROKE_END_WEIGHT * stroke_end_loss(network, batch.prefixes)
        loss = loss / world_size()
        loss.backward()
        network.train()
        figures = zip(self.figures, (float(accuracy), float(log_ratio)), strict=True)
        return Outcome(loss.detach(), figures=dict(figures))


def dpo_loss(
    network: StrokeModel, reference: StrokeModel, pairs: Batch, beta: float
) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the mean loss, the accuracy, and the mean log-likelihood ratio of the preferred, in nats.

    `pairs` holds the preferred candidates, followed by the rejected ones in the same order.
    """
    with torch.no_grad():
        reference_log_prob = step_log_prob(reference, pairs).sum(1)
    preferred, rejected = (step_log_prob(network, pairs).sum(1) - reference_log_prob).chunk(2)
    loss = -functional.logsigmoid(beta * (preferred - rejected)).mean()
    return loss, (preferred > rejected).float().mean().detach(), preferred.mean().detach()


def stroke_end_loss(network: StrokeModel, prefixes: Batch) -> Float[Tensor, ""]:
    """Return the mean cross entropy, in nats, of whether the pen is lifted after the last given points."""
    last = step_distribution(network, prefixes).at(prefixes.cut)
    rows = torch.arange(len(prefixes.cut), device=prefixes.cut.device)
    lifted = (prefixes.pen[rows, prefixes.cut] == int(Pen.LIFT)).float()
    logit = stroke_end_logit(last, prefixes.target[rows, prefixes.cut])
    return functional.binary_cross_entropy_with_logits(logit, lifted)


def stroke_end_logit(last: StepDistribution, offset: Float[Tensor, "b 2"]) -> Float[Tensor, " b"]:
    """Return the log odds that strokes end at the last given points; see `PartialSketch.done`.

    `last` are the distributions of the steps that led there, of these offsets in px.
    """
    return last.lift_logit(offset) - math.log(STOPPED_EARLY)
