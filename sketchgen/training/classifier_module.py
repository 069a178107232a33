"""What teaches a recogniser, or a judge of pictures: its settings, one step, and its exact state on disk."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sketchgen.errors import CheckpointError, SettingError
from sketchgen.models.checkpoint import read_checkpoint
from sketchgen.models.stroke_model import bfloat16_pays
from sketchgen.training.classifier_batches import Changes
from sketchgen.training.config import check_limits
from sketchgen.training.state import StateFile
from sketchgen.training.tasks import Batch, Config, subject_of

MAX_SKIPPED = 10
"""Steps with a gradient that is not finite, one after the other, after which a training stops."""


@dataclass(frozen=True)
class RecogniserTraining:
    """How a recogniser is trained.

    Attributes:
        time_limit: seconds of training, over all resumed parts; None for no limit.
        steps: most steps; None for no limit. One of the two must be set.
        batch: drawings a step.
        learning_rate: peak; it rises over `warmup` steps and falls along a cosine to nearly 0 at the end.
        warmup: steps.
        weight_decay: of AdamW.
        smoothing: share of the label that is spread over all categories.
        clip: largest norm of the gradient.
        average: decay of the moving average of the weights, which is what is measured and saved.
        save_every: seconds between saves.
        seed: of everything random.
        bfloat16: compute in bfloat16 where that is safe; None where it is faster, too.
        threads: torch's threads; more than the free cores makes everything slower.
        changes: how the drawings are changed.
        start: name or path of a recogniser to start from, of the same categories; None for a new one.
    """

    time_limit: float | None = None
    steps: int | None = None
    batch: int = 128
    learning_rate: float = 2e-3
    warmup: int = 300
    weight_decay: float = 0.02
    smoothing: float = 0.05
    clip: float = 1.0
    average: float = 0.999
    save_every: float = 120.0
    seed: int = 0
    bfloat16: bool | None = None
    threads: int | None = None
    changes: Changes = field(default_factory=Changes)
    start: str | None = None

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SettingError: a value outside its limits, or no end to the training.
        """
        if self.time_limit is None and self.steps is None:
            raise SettingError("a training needs an end: set --time-limit or --steps")
        limits: dict[str, tuple[float, float]] = {
            "time_limit": (1, 1e8),
            "steps": (1, 1e9),
            "batch": (1, 65536),
            "learning_rate": (1e-8, 1.0),
            "warmup": (0, 1e7),
            "weight_decay": (0.0, 10.0),
            "smoothing": (0.0, 0.9),
            "clip": (1e-6, 1e6),
            "average": (0.0, 0.99999),
            "save_every": (0, 1e6),
            "seed": (0, 2**31),
            "threads": (1, 1024),
        }
        check_limits(self, limits)

    def told(self) -> dict[str, Any]:
        """The settings as a checkpoint tells of them: of what it started from the name, no folder."""
        return asdict(self) | ({"start": Path(self.start).name} if self.start else {})

    def rate(self, step: int, progress: float) -> float:
        """Learning rate at a step, with `progress` (0 to 1) of the training behind it."""
        rise = min(1.0, (step + 1) / max(self.warmup, 1))
        fall = 0.002 + 0.998 * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
        return self.learning_rate * rise * fall


class Teacher:
    """A network in training: the network, the average of its weights, the optimiser, and how far it is.

    Attributes:
        config: the shape of both networks.
        subject: what it learns.
        network, average: what learns, and what is measured and kept.
        step: steps done, those that were skipped included.
        elapsed: seconds of training done, over all parts; making the batches included.
        skipped: steps that were skipped in a row up to now.
    """

    def __init__(self, config: Config, training: RecogniserTraining) -> None:
        """Begin with a new network, or with the one to start from.

        Raises:
            CheckpointError: none is there, it is damaged, or has other categories or another shape.
        """
        if training.threads is not None:
            torch.set_num_threads(training.threads)
        torch.manual_seed(training.seed)
        self.training, self.config, self.subject = training, config, subject_of(config)
        chosen = training.bfloat16
        self._bfloat16 = bfloat16_pays(torch.device("cpu")) if chosen is None else chosen
        self.network = self.subject.network(config)
        if training.start is not None:
            self._take(training.start)
        self.average = self.subject.network(config).requires_grad_(False).eval()
        self.average.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), training.learning_rate, weight_decay=training.weight_decay
        )
        self.loss = nn.CrossEntropyLoss(label_smoothing=training.smoothing)
        self.step, self.elapsed, self.skipped = 0, 0.0, 0

    def _take(self, start: str) -> None:
        """Begin with the weights of a checkpoint."""
        found = read_checkpoint(start, self.subject.kind)
        if found.config != self.config:
            remedy = "prepare the store with the same ones, or leave out --from"
            raise CheckpointError(f"{start} has other categories or another shape than the store's; {remedy}")
        self.network.load_state_dict({name: torch.from_numpy(value) for name, value in found.weights.items()})

    @property
    def progress(self) -> float:
        """Share of the training that is done, by whichever limit is nearer."""
        limits, done = (self.training.steps, self.training.time_limit), (self.step, self.elapsed)
        return max(part / limit for part, limit in zip(done, limits, strict=True) if limit is not None)

    def learn(self, lesson: Batch) -> tuple[float, float]:
        """One step of the optimiser; none where the gradient is not finite.

        Returns:
            The loss in nats a drawing, and the share of the drawings that were told rightly.

        Raises:
            SettingError: `MAX_SKIPPED` steps in a row were skipped.
        """
        training = self.training
        # Dropout is seeded by the step, so that a resumed training goes on as an uninterrupted one would.
        torch.manual_seed(training.seed * 1_000_003 + self.step)
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = training.rate(self.step, self.progress)
        answer = torch.from_numpy(lesson.answer)
        before = [value.clone() for value in self._buffers(self.network)]
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
            logits = self.network(*map(torch.from_numpy, lesson.inputs))
        loss = self.loss(logits, answer)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._move(before)
        right = answer if answer.dim() == 1 else answer.argmax(1)
        return float(loss.detach()), float((logits.detach().argmax(1) == right).float().mean())

    @staticmethod
    def _buffers(network: nn.Module) -> list[torch.Tensor]:
        """The means and variances of batch norm, which move by being shown something."""
        return [value for value in network.buffers() if value.is_floating_point()]

    def _move(self, before: list[torch.Tensor]) -> None:
        """Move the weights and their average, unless the gradient is not finite: then all is as `before`."""
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.training.clip)
        self.skipped = 0 if bool(torch.isfinite(norm)) else self.skipped + 1
        if not self.skipped:
            self.optimiser.step()
            self._average()
        else:
            for value, kept in zip(self._buffers(self.network), before, strict=True):
                value.copy_(kept)
        self.step += 1
        if self.skipped >= MAX_SKIPPED:
            remedy = "lower --learning-rate and begin again"
            raise SettingError(f"the loss was not finite for {self.skipped} steps; {remedy}")

    @torch.no_grad()
    def _average(self) -> None:
        # A young average forgets faster, else it would carry the random first weights for long.
        keep = min(self.training.average, (1 + self.step) / (10 + self.step))
        mine, theirs = (
            [*network.parameters(), *self._buffers(network)] for network in (self.average, self.network)
        )
        for average, value in zip(mine, theirs, strict=True):
            average.lerp_(value, 1.0 - keep)

    def save(self, path: Path) -> None:
        """Write the exact state; until it is on the disk whole, the one before it stands there.

        Raises:
            OutputError: it cannot be written.
        """
        StateFile().save_checkpoint(
            {
                "config": self.config.to_dict(),
                "training": asdict(self.training),
                "step": self.step,
                "elapsed": self.elapsed,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
            },
            path,
        )

    def restore(self, path: Path) -> None:
        """Go on from where a saved training stood.

        Raises:
            CheckpointError: there is none, it is damaged, or of another network.
        """
        state: dict[str, Any] = StateFile().load_checkpoint(path)
        if state.get("config") != self.config.to_dict():
            raise CheckpointError(f"{path} is of another network; resume with the store that it began with")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.elapsed = state["step"], state["elapsed"]
