"""The loop that trains every network: steps, validation, saves, signals and limits.

It is a plain loop over torch, not Lightning's. What a run of this project needs is what Lightning leaves to
its users: a step that a gradient that is not finite must not change, in any process; several objectives with
batches of their own, whose gradients are added up in parts; validation, saves and the end by a clock; a state
that is written whole or not at all, holds no pickle, and resumes bit for bit from any step. With Lightning
this took manual optimisation, no validation loop, an endless epoch, a checkpoint plugin and restored signal
handlers: all that was left of it were the names of its hooks. Its `EarlyStopping` is `RunConfig.patience`
here, `ModelCheckpoint` the folders `best` and `last`, `LearningRateMonitor` a column of the log; everything
else is a `Callback`.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from sketchgen.data.store import Split, Store
from sketchgen.errors import CheckpointError, SettingError
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.models.memory import give_back_freed_memory
from sketchgen.training.config import RunConfig, differences
from sketchgen.training.datasets import endless_loader
from sketchgen.training.distributed import (
    all_reduce_gradients,
    broadcast,
    rank,
    sum_over_processes,
    world_size,
)
from sketchgen.training.objectives import Objective, Outcome
from sketchgen.training.state import STATE, load_state, save_state

MAX_SKIPPED = 10
"""Steps in a row with a gradient that is not finite, after which a run stops."""


class OutOfTimeError(Exception):
    """A validation or a picture was given up, since the run's time is over; no run ends with this."""


class Task(ABC):
    """What is trained: a network, its objectives, and how it is measured and saved.

    Attributes:
        objectives: terms of the loss; the first one's is the loss in the log.
        examples: number of training drawings or groups.
        figures: names of the validation figures; by the first one, the lower the better, `best` is chosen.
        keep_last: whether `best` is always the last network, since the objectives cost likelihood.
        notes: what to tell before the first step.
        split: where drawings are found by their keys; None where the examples are no drawings.
        half: whether weights are saved as float16.
        card: what a checkpoint says of its last validation.
        deadline: time by `time.monotonic` from which on validation and pictures are given up.
    """

    network: nn.Module
    objectives: Sequence[Objective[Any]]
    examples: int
    figures: tuple[str, ...] = ("valid",)
    keep_last: bool = False
    notes: Sequence[str] = ()
    split: Split | None = None
    half: bool = False
    card: Mapping[str, Any] = MappingProxyType({})
    deadline: float = math.inf

    def check_time(self, *_: Any) -> None:
        """Raise `OutOfTimeError` from the deadline on; validation and pictures call this now and then."""
        if time.monotonic() >= self.deadline:
            raise OutOfTimeError

    def setup(self, report: Callable[[dict[str, Any]], None]) -> None:  # noqa: B027
        """Do what takes long, once the run's folder is there."""

    @abstractmethod
    def validate(self, network: Any) -> dict[str, float]:
        """Return the figures of a network over all processes, by the names in `figures`; set `card`."""

    def save(self, folder: Path, network: Any, summary: dict[str, Any]) -> None:
        """Write a checkpoint of a network and of how it was trained; what stands there is replaced."""
        save_checkpoint(folder, network, {**self.card, **summary}, force=True, half=self.half)

    def draw(self, network: Any) -> Image | None:
        """Return a picture of what a network does; None for none."""
        return None


@dataclass
class Position:
    """Where a run stands.

    Attributes:
        step: steps done, those that were skipped included.
        elapsed: seconds that the run has taken, over all resumed parts.
        skipped: steps skipped in a row up to now.
        best: best validation figure so far.
        waited: validations since then.
    """

    step: int = 0
    elapsed: float = 0.0
    drawings: int = 0
    skipped: int = 0
    best: float = math.inf
    waited: int = 0


@dataclass(frozen=True)
class StepResult:
    """Result of a step.

    Attributes:
        loss: of the first objective over all processes.
        norm: of the gradient before it was clipped.
        figures: of this process's objectives.
        suspects: keys of this process's drawings whose loss was not finite, of a skipped step.
    """

    loss: float
    norm: float
    rate: float
    drawings: int
    figures: dict[str, float]
    suspects: list[int] = field(default_factory=list)

    @property
    def skipped(self) -> bool:
        """Whether the weights were left as they were."""
        return not math.isfinite(self.norm)


class Callback:
    """Watches a run; override what you need."""

    def on_start(self, trainer: Trainer) -> None:
        """Act before the first step."""

    def on_step(self, trainer: Trainer, result: StepResult, waited: float) -> None:
        """Act after each step, of which `waited` seconds were spent on waiting for the batch."""

    def on_validation(self, trainer: Trainer, figures: dict[str, float]) -> None:
        """Act after each validation, when the checkpoints are written; no figures if there was no time."""

    def on_end(self, trainer: Trainer) -> None:
        """Act after the last step, or when an error ends the run."""

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs: nested dicts and lists of tensors and plain values."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""


class Trainer:
    """A run: `fit` takes its steps, from `position` on, and ends after one if `stopped` is set."""

    def __init__(
        self,
        config: RunConfig,
        task: Task,
        device: torch.device,
        *,
        bfloat16: bool = False,
        callbacks: Sequence[Callback] = (),
        began: float | None = None,
    ) -> None:
        """Put everything together; nothing is trained yet. The run's clock goes since `began`."""
        self.config, self.task, self.device, self.callbacks = config, task, device, tuple(callbacks)
        self.store = Store.open(config.store).fingerprint()
        self.bfloat16, self.stopped = bfloat16, False
        self.network = task.network.to(device).train()
        self._averaged = AveragedModel(self.network, avg_fn=self._average, use_buffers=True)
        self._averaged.requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.peak, weight_decay=config.weight_decay
        )
        self.position = Position()
        self._validated = self._saved = time.monotonic()
        self._clock = self._validated if began is None else began
        self._checkpoint_seconds = 0.0

    @property
    def average(self) -> nn.Module:
        """The network with averaged weights, in evaluation mode."""
        return self._averaged.module.eval()

    @property
    def progress(self) -> float:
        """Share of the run that is done, by whichever limit is nearer, and this process's clock.

        The last validation with its pictures and saves is within the time limit.
        """
        steps, seconds = self.config.steps, self.config.time_limit
        by_steps = 0.0 if steps is None else self.position.step / steps
        if seconds is None:
            return by_steps
        return max(by_steps, self.position.elapsed / max(seconds - 1.5 * self._checkpoint_seconds, 1e-9))

    def _tick(self) -> None:
        """Bring the position's time up to date."""
        now = time.monotonic()
        self.position.elapsed, self._clock = self.position.elapsed + now - self._clock, now

    def _average(self, average: Tensor, value: Tensor, count: Tensor | int) -> Tensor:
        if not average.is_floating_point():
            return value
        # A young average forgets faster, else it would carry the random first weights for long.
        keep = min(self.config.average, (1 + int(count)) / (10 + int(count)))
        return average.lerp(value, 1.0 - keep)

    def fit(self) -> None:
        """Train until the end, or until SIGINT or SIGTERM, with everything saved."""
        try:
            with self._signals():
                for callback in self.callbacks:
                    callback.on_start(self)
                self._validated = self._saved = time.monotonic()
                self._tick()
                # Several processes cannot give up a validation each for itself.
                if self.config.time_limit is not None and world_size() == 1:
                    self.task.deadline = self._clock + self.config.time_limit - self.position.elapsed
                loaders = [self._loader(objective) for objective in self.task.objectives]
                # A run of whatever limit leaves a checkpoint.
                going = broadcast(self.progress, self.device) < 1.0 or not self.position.step
                while going:
                    began = time.monotonic()
                    batches = [next(loader).to(self.device) for loader in loaders]
                    waited = time.monotonic() - began
                    result = self.step(batches)
                    for callback in self.callbacks:
                        callback.on_step(self, result, waited)
                    going = self._after_step()
        finally:
            for callback in self.callbacks:
                callback.on_end(self)

    def _loader(self, objective: Objective[Any]) -> Iterator[Any]:
        gpu = self.device.type == "cuda"
        workers = min(8, max(1, torch.get_num_threads() - 1)) if gpu else 0
        if self.config.workers is not None:
            workers = self.config.workers
        return iter(endless_loader(objective.batches, self.position.step, workers, pin=gpu))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Have SIGINT and SIGTERM end the run after the current step while the block runs."""

        def stop(*_: object) -> None:
            self.stopped = True

        before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def step(self, batches: Sequence[Any]) -> StepResult:
        """Take one step with a batch of each objective, or none where the gradient is not finite."""
        position, config, network = self.position, self.config, self.network
        rate = config.rate(position.step, broadcast(self.progress, self.device))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # Dropout is seeded by the step, so that a resumed run draws what an uninterrupted one would have.
        torch.manual_seed((config.seed * 1_000_003 + position.step) * 64 + rank())
        network.train()
        self.optimizer.zero_grad(set_to_none=True)
        # The statistics of batch norm move by being shown something.
        buffers = [buffer.clone() for buffer in network.buffers()]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            outcomes: list[Outcome] = [
                objective.step(network, batch, position.step)
                for objective, batch in zip(self.task.objectives, batches, strict=True)
            ]
        all_reduce_gradients(network)
        norm = float(nn.utils.clip_grad_norm_(network.parameters(), config.clip))
        if math.isfinite(norm):
            self.optimizer.step()
            self._averaged.update_parameters(network)
        else:
            for buffer, kept in zip(network.buffers(), buffers, strict=True):
                buffer.copy_(kept)
        first = outcomes[0]
        loss, drawings = sum_over_processes([float(first.loss), first.drawings], self.device)
        figures = {name: value for outcome in outcomes for name, value in outcome.figures.items()}
        suspects = [] if math.isfinite(norm) else first.suspects()
        result = StepResult(loss, norm, rate, int(drawings), figures, suspects)
        position.step, position.drawings = position.step + 1, position.drawings + result.drawings
        position.skipped = position.skipped + 1 if result.skipped else 0
        self._tick()
        return result

    def _after_step(self) -> bool:
        """Validate, save or end the run where it is time; return whether it goes on.

        All processes do each of these after the same step: the first one's clock says when, and a signal to
        any of them stops all.
        """
        config, position, now = self.config, self.position, time.monotonic()
        here = [
            self.progress >= 1.0,
            now - self._validated > config.validation_interval(self._checkpoint_seconds),
            now - self._saved > config.save_every,
        ]
        first = [float(value and not rank()) for value in here]
        stopped, finished, validate, save = sum_over_processes([float(self.stopped), *first], self.device)
        if position.skipped >= MAX_SKIPPED:
            count, position.skipped = position.skipped, 0
            # Skipped steps changed nothing, so that the state is as good as before them.
            self.save()
            remedy = "lower --learning-rate and go on with --resume"
            raise SettingError(f"the loss was not finite for {count} steps; {remedy}")
        if validate or finished or stopped:
            self.checkpoint()
            # There may be no time for another validation.
            finished = finished or broadcast(self.progress, self.device) >= 1.0
        elif save:
            self.save()
        impatient = config.patience is not None and position.waited >= config.patience
        return not (finished or stopped or impatient)

    def validate(self) -> dict[str, float]:
        """Return the figures of the averaged network."""
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            return self.task.validate(self.average)

    def checkpoint(self) -> None:
        """Validate, if there is time, and save everything: the best and the last network, and the state."""
        began, position = time.monotonic(), self.position
        try:
            figures = self.validate()
        except OutOfTimeError:
            figures, self.task.card = {}, {"validation_drawings": 0}
        # A network that was not validated is the best only where there is no other.
        figure = figures.get(self.task.figures[0], -math.inf if math.isinf(position.best) else math.inf)
        better = figure < position.best or self.task.keep_last
        if figures:
            position.waited = 0 if better else position.waited + 1
            position.best = figure if better else position.best
        if not rank():
            for name in ("last", "best") if better else ("last",):
                self.task.save(self.config.out / name, self.average, self._summary())
        # After the best network: a state that knows of one which is not on the disk would never write it.
        self.save()
        for callback in self.callbacks:
            callback.on_validation(self, figures)
        self._validated = time.monotonic()
        self._checkpoint_seconds = self._validated - began

    def _summary(self) -> dict[str, Any]:
        position = self.position
        return {
            "steps": position.step,
            "drawings_seen": position.drawings,
            "epochs": round(position.drawings / self.task.examples, 2),
            "training_seconds": round(position.elapsed),
            "processes": world_size(),
            "training_drawings": self.task.examples,
            "settings": self.config.summary(),
        }

    def save(self) -> None:
        """Write the state."""
        self._tick()
        if not rank():
            state = {
                "settings": self.config.summary(),
                "store": self.store,
                "position": asdict(self.position),
                "network": self.network.state_dict(),
                "average": self._averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "callbacks": [callback.state() for callback in self.callbacks],
            }
            save_state(self.config.out / STATE, state)
        give_back_freed_memory()
        self._saved = time.monotonic()

    def load(self) -> list[str]:
        """Go on from the saved state, and return how the settings differ from those of then."""
        state = load_state(self.config.out / STATE)
        # States from before these were saved have neither.
        if state.get("store") not in (None, self.store):
            raise CheckpointError(
                f"the run in {self.config.out} is of another store than {self.config.store}; resume it with "
                "its own, or choose another folder to begin anew"
            )
        found, own = (
            {name: tuple(value.shape) for name, value in each.items()}
            for each in (state["network"], self.network.state_dict())
        )
        if found != own:
            raise CheckpointError("the state is of another network; resume with the settings it began with")
        self.network.load_state_dict(state["network"])
        self._averaged.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.position = Position(**state["position"])
        for callback, saved in zip(self.callbacks, state["callbacks"], strict=False):
            callback.restore(saved)
        return differences(state.get("settings") or {}, self.config.summary())
