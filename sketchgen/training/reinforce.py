"""Policy-gradient training: a network completes partial sketches and learns from the rewards.

REINFORCE (Williams 1992) with a leave-one-out baseline: the advantage of a rollout is its reward less the
mean reward of the other rollouts of the same partial sketch (Kool et al. 2019, "Buy 4 REINFORCE samples, get
a baseline for free!"). Where people choose the best of k completions, the advantage is the expected gain of
the best of k by that rollout (Walder and Karkhanis 2025, "Pass@K policy optimization"). Rollouts are drawn by
the current weights, at temperatures that people use.

Deviations and correlations receive no gradient: smaller deviations raise the reward at any temperature, but
lower the likelihood of drawings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from sketchgen.completion.rollout import steps_of
from sketchgen.data.batching import Batch, TensorData
from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import MIN_POINTS, cut_after, prefix_length, random_cut
from sketchgen.data.store import Split
from sketchgen.evaluation.held_out import shown
from sketchgen.evaluation.likelihood import counted_log_prob, step_distribution
from sketchgen.models.classifier import Classifier
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen
from sketchgen.training.config import ReinforceConfig
from sketchgen.training.objectives import Objective, Outcome, scored_batch
from sketchgen.training.preference import stroke_end_logit
from sketchgen.training.rewards import Ink, Reference, category_log_prob, completion_reward, ink
from sketchgen.training.rollout import RolloutSampler, Samples

TEMPERATURES = (0.25, 0.5)
"""Temperatures of the rollouts; partial sketches take them in turn."""

MAX_ADDED = 120
"""Maximum number of points that are added."""

GPU_ROWS, CPU_ROWS = 1024, 64
"""Rollouts whose gradients are computed at once: many keep a GPU busy, few have little padding."""

KEPT = 0.5
"""Share of the rollouts of each partial sketch that are learned from, those of the largest absolute
advantages: nearly as good as all, in half of the time (Xu et al. 2025, arXiv:2504.13818)."""


FRAME_KNOWN = 0.3
"""Share of the partial sketches that are prefixes in a known frame; the others are random cuts."""

MIN_PREFIX, MAX_PREFIX = 0.1, 0.8
"""Bounds of a prefix's share of the drawing's points."""

BALANCE = 0.5
"""Categories are sampled in proportion to this power of their numbers of drawings."""

UNCONDITIONAL = 0.1
"""Share of the partial sketches that are shown without their category."""

MAX_GIVEN = 72
"""Maximum number of given points: rollouts advance in lockstep and wait for the longest."""

MAX_BOXES = 12
"""Maximum number of boxes of held-out strokes; of more strokes the last ones share a box."""


@dataclass(frozen=True)
class ReinforceBatch(TensorData):
    """b partial sketches.

    Attributes:
        offset: px of the network's frame; the first is relative to the frame's centre.
        pen: state after each point.
        cut: number of given points.
        category, known: see `sketchgen.models.stroke_model.Steps`.
        scale: px of the 255 box for one px of the network's frame.
        origin: last given point, px of the 255 box.
        reference: what completions are compared with.
    """

    offset: Float[Tensor, "b n 2"]
    pen: Int[Tensor, "b n"]
    cut: Int[Tensor, " b"]
    category: Int[Tensor, " b"]
    known: Float[Tensor, " b"]
    scale: Float[Tensor, " b"]
    origin: Float[Tensor, "b 2"]
    reference: Reference

    @property
    def pen_known(self) -> Bool[Tensor, " b"]:
        """Where the pen state after the last given point is known; elsewhere it is sampled."""
        return self.known > 0

    def steps(self) -> Steps:
        """Return the given points as the network's input."""
        return Steps(self.offset, self.pen, self.category, self.known)


@dataclass(frozen=True)
class ReinforceExample:
    """A partial sketch and its held-out strokes.

    Attributes:
        scale, origin: see `ReinforceBatch`.
        given, missing: strokes of the partial sketch and held-out strokes, px of the 255 box.
    """

    prefix: Prefix
    scale: float
    origin: Points
    given: Sequence[Points]
    missing: Sequence[Points]


def sample_example(sketch: Sketch, random: np.random.Generator) -> ReinforceExample | None:
    """Cut a drawing at random; return None where it is too short or the partial sketch too long."""
    known, cut = random.random() < FRAME_KNOWN, None
    if not known:
        cut = random_cut(sketch, random)
    else:
        # As `evaluate` cuts drawings.
        share = random.uniform(MIN_PREFIX, MAX_PREFIX)
        if sketch.point_count >= MIN_POINTS:
            cut = cut_after(sketch, prefix_length(sketch.point_count, share))
    if cut is None or cut.rest.is_empty:
        return None
    prefix, scale, origin = shown(cut, "scale known" if known else "scale unknown", 0)
    # The frame of an empty sketch or a dot is known: there is nothing to continue.
    if prefix.known != known or len(prefix.pen) > MAX_GIVEN:
        return None
    return ReinforceExample(prefix, scale, origin, cut.given.strokes, cut.rest.strokes)


class ReinforceBatches(Dataset[ReinforceBatch]):
    """Batches 0, 1, ... without end; batch i is the same whenever it is asked for."""

    def __init__(self, split: Split, categories: tuple[str, ...], sketches: int, seed: int) -> None:
        """Sample so many partial sketches a batch, for a network of these categories."""
        self._split, self._categories, self._sketches, self._seed = split, categories, sketches, seed
        self._drawings: Drawings | None = None
        self._rows, self._cumulative = list[NDArray[np.int64]](), np.zeros(0)
        self._category = np.zeros(0, dtype=np.int64)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for a worker process, without the drawings."""
        return self.__dict__ | {"_drawings": None, "_rows": [], "_category": None}

    def __getitem__(self, number: int) -> ReinforceBatch:
        drawings = self._read()
        random = np.random.default_rng([self._seed, 9, number])
        examples: list[ReinforceExample] = []
        categories: list[int] = []
        while len(examples) < self._sketches:
            rows = self._rows[int(np.searchsorted(self._cumulative, random.random(), side="right"))]
            row = int(rows[random.integers(len(rows))])
            example = sample_example(drawings.sketch(row), random)
            conditional = random.random() >= UNCONDITIONAL
            if example is not None:
                examples.append(example)
                categories.append(int(self._category[row]) if conditional else len(self._categories))
        return collate(examples, categories)

    def _read(self) -> Drawings:
        """Return the drawings; they are loaded once a process."""
        if self._drawings is None:
            drawings = self._split.drawings()
            order = np.argsort(drawings.category, kind="stable")
            sizes = np.bincount(drawings.category)
            self._rows = [rows for rows in np.split(order, np.cumsum(sizes)[:-1]) if len(rows)]
            weights = np.array([len(rows) for rows in self._rows], dtype=np.float64) ** BALANCE
            self._cumulative = np.cumsum(weights / weights.sum())
            self._cumulative[-1] = 1.0
            self._drawings = drawings
            self._category = drawings.known_as(self._categories)
        return self._drawings


def collate(examples: Sequence[ReinforceExample], categories: Sequence[int]) -> ReinforceBatch:
    """Return examples as a batch; an unconditional one has the number of categories as its category."""
    steps, cut = steps_of([example.prefix for example in examples])
    low, high = (np.zeros((len(cut), MAX_BOXES, 2), dtype=np.float32) for _ in range(2))
    boxed = np.zeros((len(cut), MAX_BOXES), dtype=bool)
    for row, example in enumerate(examples):
        strokes = list(example.missing)
        if len(strokes) > MAX_BOXES:
            strokes[MAX_BOXES - 1 :] = [np.concatenate(strokes[MAX_BOXES - 1 :])]
        for place, stroke in enumerate(strokes):
            low[row, place], high[row, place], boxed[row, place] = stroke.min(0), stroke.max(0), True
    given = strokes_ink([example.given for example in examples])
    missing = strokes_ink([example.missing for example in examples])
    return ReinforceBatch(
        offset=steps.offset,
        pen=steps.pen,
        cut=cut,
        category=torch.tensor(categories),
        known=steps.known,
        scale=torch.tensor([example.scale for example in examples], dtype=torch.float32),
        origin=torch.from_numpy(np.stack([example.origin for example in examples]).astype(np.float32)),
        reference=Reference(given, missing, *map(torch.from_numpy, (low, high, boxed))),
    )


def strokes_ink(drawings: Sequence[Sequence[Points]]) -> Ink:
    """Return the ink of the strokes of each drawing."""
    count = max(1, max(sum(map(len, strokes)) for strokes in drawings))
    points = np.zeros((len(drawings), count, 2), dtype=np.float32)
    starts, valid = (np.zeros((len(drawings), count), dtype=bool) for _ in range(2))
    for row, strokes in enumerate(drawings):
        ends = np.cumsum([len(stroke) for stroke in strokes])
        points[row, : ends[-1]] = np.concatenate(strokes)
        starts[row, [0, *ends[:-1]]] = True
        valid[row, : ends[-1]] = True
    return ink(*map(torch.from_numpy, (points, starts, valid)))


class PolicyGradient(Objective[ReinforceBatch]):
    """Policy-gradient training of a stroke model.

    The log shows `reward` and `best_reward`, the mean reward of the rollouts and of the best rollout of each
    partial sketch, both without the classifier's part; `classifier_log_prob`, its mean in nats (0 without a
    classifier); and `ended`, the share of the rollouts that the model ended.
    """

    figures = ("reward", "best_reward", "classifier_log_prob", "ended")

    def __init__(
        self, batches: ReinforceBatches, settings: ReinforceConfig, classifier: Classifier | None = None
    ) -> None:
        """Learn from rollouts, which a `classifier` rewards by the log probability of their category."""
        self.batches, self.settings, self.classifier = batches, settings, classifier
        self._sampler: RolloutSampler | None = None

    def step(self, network: StrokeModel, batch: ReinforceBatch, number: int) -> Outcome:
        """See `Objective.step`; the network computes without dropout meanwhile."""
        device, rollouts = next(network.parameters()).device, self.settings.rollouts
        network.without_dropout()
        temperature = torch.tensor(TEMPERATURES, device=device).repeat(len(batch.cut))[: len(batch.cut)]
        temperature = temperature.repeat_interleave(rollouts)
        kind, enabled = torch.get_autocast_dtype(device.type), torch.is_autocast_enabled(device.type)
        # A cache would keep weights that were cast without gradients.
        with torch.autocast(device.type, kind, enabled=enabled, cache_enabled=False):
            steps = sample_last_pen(network, batch, temperature, rollouts)
        cut = batch.cut.repeat_interleave(rollouts)
        if self._sampler is None or self._sampler.network is not network:
            self._sampler = RolloutSampler(network, len(cut), MAX_GIVEN, MAX_ADDED)
        samples = self._sampler.draw(steps, cut, temperature)
        reward, log_prob = self._rewards(batch, steps, samples)
        total = reward + self.settings.classifier_weight * log_prob
        advantage = advantages(total.unflatten(0, (-1, rollouts)), self.settings.best_of)
        advantage = advantage / advantage.std().clamp(min=1e-6)
        pen_sampled = ~batch.pen_known.repeat_interleave(rollouts)
        self._backward(network, rollout_batch(steps, samples), advantage, temperature, pen_sampled)
        network.train()
        groups = reward.unflatten(0, (-1, rollouts))
        means = (groups.mean(), groups.amax(1).mean(), log_prob.mean(), samples.ended.float().mean())
        return Outcome(torch.zeros(()), figures=dict(zip(self.figures, map(float, means), strict=True)))

    def _rewards(
        self, batch: ReinforceBatch, steps: Steps, samples: Samples
    ) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
        """Return the reward of each completion, and the classifier's log probability; 0 without one."""
        rows = torch.arange(len(batch.cut), device=samples.cut.device)
        rows = rows.repeat_interleave(self.settings.rollouts)
        added = ink(*_added_strokes(batch, samples, rows))
        reward = completion_reward(batch.reference[rows], added, samples.ended)
        if self.classifier is None or not self.settings.classifier_weight:
            return reward, torch.zeros_like(reward)
        return reward, category_log_prob(self.classifier, samples, steps.category)

    def _backward(
        self,
        network: StrokeModel,
        batch: Batch,
        advantage: Float[Tensor, "n r"],
        temperature: Float[Tensor, " b"],
        pen_sampled: Bool[Tensor, " b"],
    ) -> None:
        """Add the gradients of the loss in parts, each of rollouts of similar length."""
        kept = advantage.abs().topk(max(1, round(KEPT * advantage.shape[1])), 1).indices
        first = torch.arange(len(advantage), device=advantage.device).unsqueeze(1) * advantage.shape[1]
        chosen, count = (first + kept).flatten(), batch.scored.sum()
        size = GPU_ROWS if advantage.is_cuda else CPU_ROWS
        for rows in chosen[torch.argsort(batch.length[chosen])].split(size):
            log_prob = rollout_log_prob(network, _trimmed(batch, rows), temperature[rows], pen_sampled[rows])
            (-self.settings.weight * (advantage.flatten()[rows] * log_prob).sum() / count).backward()


def sample_last_pen(
    network: StrokeModel, batch: ReinforceBatch, temperature: Float[Tensor, " b"], rollouts: int
) -> Steps:
    """Return each partial sketch `rollouts` times, with sampled pen states after the last given points.

    A sampled pen state decides whether the last given stroke goes on; see `PartialSketch.done`. Known pen
    states stay. The temperature of each rollout divides the log odds.
    """
    given = batch.steps()
    with torch.no_grad():
        last = network(given, batch.cut).at(batch.cut - 1)
        rows = torch.arange(len(batch.cut), device=batch.cut.device)
        logit = stroke_end_logit(last, given.offset[rows, batch.cut - 1])
    repeated = Steps(*(value.repeat_interleave(rollouts, 0) for value in vars(given).values()))
    lifted = torch.rand_like(temperature) < torch.sigmoid(logit.repeat_interleave(rollouts) / temperature)
    rows, at = torch.arange(len(lifted), device=lifted.device), batch.cut.repeat_interleave(rollouts) - 1
    sampled = torch.where(lifted, int(Pen.LIFT), int(Pen.DRAW))
    pen = repeated.pen.clone()
    pen[rows, at] = torch.where(batch.pen_known.repeat_interleave(rollouts), pen[rows, at], sampled)
    return replace(repeated, pen=pen)


def rollout_log_prob(
    network: StrokeModel, batch: Batch, temperature: Float[Tensor, " b"], pen_sampled: Bool[Tensor, " b"]
) -> Float[Tensor, " b"]:
    """Return the log density, in nats, of each rollout at its temperature.

    Where the pen state after the last given point was sampled, it is included.
    """
    found = step_distribution(network, batch)
    found = replace(found, log_sigma=found.log_sigma.detach(), rho=found.rho.detach())
    log_prob = counted_log_prob(found.tempered(temperature.unsqueeze(1)), batch).sum(1)
    rows = torch.arange(len(batch.cut), device=batch.cut.device)
    logit = stroke_end_logit(found.at(batch.cut - 1), batch.target[rows, batch.cut - 1])
    sign = torch.where(batch.pen[rows, batch.cut - 1] == int(Pen.LIFT), 1.0, -1.0)
    return log_prob + torch.where(pen_sampled, functional.logsigmoid(sign * logit / temperature), 0.0)


def advantages(rewards: Float[Tensor, "b n"], best_of: int) -> Float[Tensor, "b n"]:
    """Return the expected gain of the best of `best_of` rollouts by each of n, over all choices of others.

    With 1 it is the reward less the mean of the others; only then the advantages of a row sum to 0.
    """
    order = rewards.argsort(1)
    weights = torch.from_numpy(_advantage_weights(rewards.shape[1], best_of)).to(rewards.device)
    # In float64, which autocast leaves alone.
    found = (rewards.gather(1, order).double() @ weights.T).to(rewards.dtype)
    return torch.empty_like(found).scatter_(1, order, found)


@cache
def _advantage_weights(count: int, best_of: int) -> Float[np.ndarray, "n n"]:
    """Return the matrix that takes rewards in rising order to their advantages."""
    if not 1 <= best_of < count:
        raise ValueError(f"best_of must be from 1 to {count - 1}, not {best_of}")
    weights = np.zeros((count, count))
    choices, others = math.comb(count - 1, best_of - 1), math.comb(count - 1, best_of)
    for one in range(count):
        # With it: it is the best, or the best of the others is better.
        weights[one, one] += math.comb(one, best_of - 1) / choices
        for better in range(one + 1, count):
            if best_of > 1:
                weights[one, better] += math.comb(better - 1, best_of - 2) / choices
        # Without it.
        rest = [other for other in range(count) if other != one]
        for place, other in enumerate(rest):
            weights[one, other] -= math.comb(place, best_of - 1) / others
    return weights


def _added_strokes(
    batch: ReinforceBatch, samples: Samples, rows: Int[Tensor, " b"]
) -> tuple[Float[Tensor, "b n 2"], Bool[Tensor, "b n"], Bool[Tensor, "b n"]]:
    """Return the added points, px of the 255 box, and which of them start a stroke and are no padding.

    A stroke that goes on starts at the last given point.
    """
    index = torch.arange(samples.pen.shape[1], device=samples.pen.device)
    points = samples.offset.cumsum(1)
    last = samples.cut - 1
    origin = points.gather(1, last.reshape(-1, 1, 1).expand(-1, 1, 2))
    points = (points - origin) * batch.scale[rows].reshape(-1, 1, 1) + batch.origin[rows].unsqueeze(1)
    starts = torch.cat([samples.pen[:, :1], samples.pen[:, :-1]], 1) != Pen.DRAW
    valid = (index >= samples.cut.unsqueeze(1)) & (index < samples.length.unsqueeze(1))
    goes_on = (index == last.unsqueeze(1)) & (samples.pen == Pen.DRAW)
    valid |= goes_on
    return points, (starts | goes_on) & valid, valid


def rollout_batch(steps: Steps, samples: Samples) -> Batch:
    """Return rollouts as a batch whose added steps are scored; the end only where the model drew it."""
    last = torch.where(samples.ended, samples.length, samples.length - 1)
    drawn = replace(steps, offset=samples.offset, pen=samples.pen)
    return scored_batch(drawn, samples.length, samples.cut, last)


def _trimmed(batch: Batch, rows: Int[Tensor, " r"]) -> Batch:
    """Return some rows of a batch, padded to the longest of these."""
    part = batch[rows]
    longest = int(part.length.max())
    steps = {name: getattr(part, name)[:, : longest + 1] for name in ("target", "pen", "scored")}
    return replace(part, offset=part.offset[:, :longest], **steps)
