"""What Lightning trains: the network, the average of its weights, the optimiser, and one step of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from sketchgen.data.batching import Batch
from sketchgen.errors import CheckpointError, SettingError
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.training.config import TrainConfig
from sketchgen.training.distillation import Lessons
from sketchgen.training.distributed import added_up, as_the_first_says, rank, world_size
from sketchgen.training.loader import TrainingBatches, endless_loader
from sketchgen.training.preference import Preferring
from sketchgen.training.reinforce import Practised, Practising
from sketchgen.training.reinforce_batches import Openings

MAX_SKIPPED = 10
"""Steps with a gradient that is not finite, one after the other, after which a run stops."""


@dataclass
class Position:
    """Where a run stands.

    Attributes:
        step: steps done, those that were skipped included.
        elapsed: seconds of training done, over all parts of the run.
        drawings: drawings seen.
        skipped: steps skipped in a row up to now.
        best: lowest validation figure so far, nats per point.
        waited: validations since then.
    """

    step: int = 0
    elapsed: float = 0.0
    drawings: int = 0
    skipped: int = 0
    best: float = float("inf")
    waited: int = 0


@dataclass
class Step:
    """What came of a step.

    Attributes:
        loss: nats per scored step over all processes, not finite where the step was skipped.
        norm: of the gradient, before it was clipped.
        rate: of learning.
        drawings: in the batch of all processes.
        told, gained: see `sketchgen.training.preference.Preferred`; None without preferences, and of this
            process's pairs.
        practised: what came of practising; None where that isn't done.
        suspects: keys of this process's drawings whose loss was not finite; of all of its batch where only
            the gradient was not.
    """

    loss: float
    norm: float
    rate: float
    drawings: int
    told: float | None = None
    gained: float | None = None
    practised: Practised | None = None
    suspects: list[int] = field(default_factory=list)

    @property
    def skipped(self) -> bool:
        """Whether the weights were left as they were."""
        return not np.isfinite(self.norm)


class Training(LightningModule):
    """A network in training; `network` is what learns, `average` what is validated and kept."""

    def __init__(
        self,
        network: StrokeModel,
        config: TrainConfig,
        batches: TrainingBatches,
        lessons: Lessons | None = None,
        preferring: Preferring | None = None,
        practising: Practising | None = None,
    ) -> None:
        """Train `network` on `batches` as `config` says.

        Args:
            network: what learns.
            config: how.
            batches: what it learns from.
            lessons: with which teachers; None for none.
            preferring: which of its own ways it is to prefer; None for no such thing.
            practising: how it practises; None where it doesn't.
        """
        super().__init__()
        # The step is our own: one with a gradient that is not finite must leave everything as it was, in all
        # processes, and the average moves only after the others.
        self.automatic_optimization = False
        self.config, self.batches = config, batches
        self.network = network
        # Its teachers are in no module, and so no part of what is saved.
        self.lessons, self.preferring, self.practising = lessons or Lessons(), preferring, practising
        self.average = AveragedModel(network, avg_fn=self._averaged, use_buffers=True).requires_grad_(False)
        self.position = Position()
        self.stopped = False
        self.last = Step(float("nan"), float("nan"), 0.0, 0)
        self._clock = time.monotonic()
        self._openings: Iterator[Openings] = iter(())

    def averaged(self) -> StrokeModel:
        """The network with the averaged weights, ready to be measured."""
        network = self.average.module
        assert isinstance(network, StrokeModel)
        return network.eval()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW over the network; its rate is set before each step."""
        return torch.optim.AdamW(
            self.network.parameters(), lr=self.config.peak, weight_decay=self.config.weight_decay
        )

    def train_dataloader(self) -> DataLoader[Batch]:
        """The batches from where the run stands."""
        return endless_loader(
            self.batches, self.position.step, self._workers(), pin=self.device.type == "cuda"
        )

    def _workers(self) -> int:
        if self.config.workers is not None:
            return self.config.workers
        return min(8, max(1, (torch.get_num_threads() or 2) - 1)) if self.device.type == "cuda" else 0

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """A batch where it is computed."""
        return batch.to(device)

    def on_train_start(self) -> None:
        """Start the clock of the training time, and the practice from where the run stands."""
        if self.practising is not None:
            gpu = self.device.type == "cuda"
            self._openings = self.practising.ahead(self.position.step, self._workers(), pin=gpu)
        self.resume_clock()

    def resume_clock(self) -> None:
        """Let time pass unseen, as for a validation: it counts neither as training nor into the speed."""
        self._clock = time.monotonic()

    @property
    def goes_its_own_way(self) -> bool:
        """Whether it learns what costs likelihood: then the last network is the best, whatever that says."""
        return self.preferring is not None or self.practising is not None

    @property
    def progress(self) -> float:
        """Share of the run that is done, by whichever limit is nearer; by this process's clock."""
        shares, position = [0.0], self.position
        if self.config.steps is not None:
            shares.append(position.step / self.config.steps)
        if self.config.time_limit is not None:
            shares.append(position.elapsed / self.config.time_limit)
        return max(shares)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """One step of the optimiser, or none where the gradient is not finite; `last` says what came of it.

        Raises:
            SettingError: `MAX_SKIPPED` steps in a row were skipped.
        """
        position, config = self.position, self.config
        (progress,) = as_the_first_says([self.progress], self.device)
        # Dropout is seeded by the step, so that a resumed run draws what an uninterrupted one would have.
        torch.manual_seed((config.seed * 1_000_003 + position.step) * 64 + rank())
        rate = config.rate(position.step, progress)
        self.network.train()
        log_prob = self.lessons.log_prob(self.network, batch, position.step)
        counts = added_up(torch.stack([batch.scored.sum(), torch.tensor(len(batch.length)).to(self.device)]))
        # Divided by the steps of all processes, whose gradients are averaged: so they are those of one.
        loss = -log_prob.sum() / counts[0] * world_size()
        liked = None if self.preferring is None else self.preferring.learned(self.network, position.step)
        practised, norm = self._learn(loss if liked is None else loss + liked.loss, rate)
        shared = added_up(loss.detach().double() / world_size())
        self.last = Step(float(shared), norm, rate, int(counts[1]), practised=practised)
        if liked is not None:
            self.last.told, self.last.gained = float(liked.told), float(liked.gained)
        position.step, position.drawings = position.step + 1, position.drawings + self.last.drawings
        position.skipped = position.skipped + 1 if self.last.skipped else 0
        if self.last.skipped:
            self.last.suspects = suspects(batch, log_prob.detach())
        self._count_time()

    def _learn(self, loss: Tensor, rate: float) -> tuple[Practised | None, float]:
        """Move the weights and their average, unless the gradient is not finite; returns its norm.

        What is practised has its gradients worked out in between, in parts, for which its loss need not be
        kept; returns what came of it, too.
        """
        optimiser = self.optimizers()
        assert not isinstance(optimiser, list)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        self.manual_backward(loss)
        practised = None
        if self.practising is not None:
            practised = self.practising.learned(self.network, next(self._openings), self.manual_backward)
        norm = float(nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip))
        if np.isfinite(norm):
            optimiser.step()
            self.average.update_parameters(self.network)
        return practised, norm

    def _averaged(self, average: Tensor, value: Tensor, count: Tensor | int) -> Tensor:
        # A young average forgets faster, else it would carry the random first weights for long.
        keep = min(self.config.average, (1 + int(count)) / (10 + int(count)))
        return average.lerp(value, 1.0 - keep)

    def _count_time(self) -> None:
        now = time.monotonic()
        self.position.elapsed, self._clock = self.position.elapsed + now - self._clock, now

    def give_up_if_hopeless(self) -> None:
        """Stop a run that skips one step after the other.

        Raises:
            SettingError: it does.
        """
        if self.position.skipped >= MAX_SKIPPED:
            remedy = "lower --learning-rate and go on with --resume"
            raise SettingError(f"the loss was not finite for {self.position.skipped} steps; {remedy}")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say where the run stands, in what is saved."""
        checkpoint["position"] = asdict(self.position)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on from where a saved run stood.

        Raises:
            CheckpointError: it is a run of another network.
        """
        shapes = {name: tuple(value.shape) for name, value in self.state_dict().items()}
        found = {name: tuple(value.shape) for name, value in checkpoint["state_dict"].items()}
        if shapes != found:
            raise CheckpointError("the state is of another network; resume with the settings it began with")
        self.position = Position(**checkpoint["position"])


def suspects(batch: Batch, log_prob: Tensor) -> list[int]:
    """The keys of the drawings whose log density, (b, n + 1), is not finite, or of all where each is."""
    bad = ~torch.isfinite(log_prob).all(1)
    rows = batch.key[bad] if bool(bad.any()) else batch.key
    return rows.cpu().numpy().view(np.uint64).tolist()
