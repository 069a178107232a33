"""The training loop: one process, or several under torchrun, each on its own share of the batches."""

from __future__ import annotations

import csv
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor

from sketchgen.data.batches import Batch, training_batches
from sketchgen.data.store import Drawings, Store
from sketchgen.errors import OutputError, SettingError
from sketchgen.evaluation.likelihood import score, step_log_prob
from sketchgen.model.config import ModelConfig
from sketchgen.model.pretrained import read_checkpoint, save_checkpoint
from sketchgen.model.strokemodel import StrokeModel, as_network
from sketchgen.train.config import TrainConfig
from sketchgen.train.state import Position, has_state, load_state, save_state

Report = Callable[[dict[str, Any]], None]
"""Called with the figures of a line of the log."""

LOG_EVERY = 20
MOST_SKIPPED = 10
"""Steps with a gradient that is not finite, one after the other, after which a run stops."""


@dataclass
class _Meter:
    """What happened since the last line of the log.

    Attributes:
        losses: of the steps since then, nats per scored step.
        drawings: seen since then.
        skipped: steps skipped, one after the other, up to now.
        since: when it was (`time.monotonic`).
    """

    losses: list[float] = field(default_factory=list)
    drawings: int = 0
    skipped: int = 0
    since: float = field(default_factory=time.monotonic)

    def count(self, loss: float | None, drawings: int) -> None:
        """Count a step, whose loss is None if it was skipped."""
        self.skipped = self.skipped + 1 if loss is None else 0
        self.losses += [] if loss is None else [loss]
        self.drawings += drawings

    def figures(self) -> dict[str, float]:
        """Mean loss and speed since the last call, for a line of the log."""
        now = time.monotonic()
        mean = float(np.mean(self.losses)) if self.losses else float("nan")
        speed = self.drawings / max(now - self.since, 1e-9)
        self.losses, self.drawings, self.since = [], 0, now
        return {"loss": round(mean, 4), "drawings_per_second": round(speed, 1), "skipped": self.skipped}


def bfloat16_pays(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 are clearly faster than in float32 here; takes some milliseconds.

    Measured, for a processor says nothing about it: with bfloat16 units it is a few times as fast, and
    without them, where each product is emulated, a few times slower.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    seconds: dict[torch.dtype, float] = {}
    for kind in (torch.float32, torch.bfloat16):
        one = torch.ones(256, 256, dtype=kind)
        times = []
        for _ in range(4):
            started = time.perf_counter()
            torch.mm(one, one)
            times.append(time.perf_counter() - started)
        seconds[kind] = min(times)
    return seconds[torch.bfloat16] * 1.2 < seconds[torch.float32]


class Run:
    """A training run in progress: network, average, optimiser, position."""

    def __init__(self, config: TrainConfig, report: Report | None = None) -> None:
        """Open the store and build everything; nothing is trained yet."""
        self.config, self.report = config, report or (lambda figures: None)
        self.rank, self.world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        if self.world > 1 and not distributed.is_initialized():
            distributed.init_process_group("gloo")
        if config.threads is not None:
            torch.set_num_threads(config.threads)
        self.device = torch.device(config.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        chosen = config.bfloat16
        self.bfloat16 = bfloat16_pays(self.device) if chosen is None else chosen
        store = Store.open(config.store)
        self.train = store.split("train").drawings()
        if not len(self.train):
            raise SettingError(f"{config.store} has no training drawings; prepare more than a handful")
        self.valid = self._validation(store.split("valid").drawings())
        torch.manual_seed(config.seed)
        self.model = self._network(store).to(self.device)
        known = self.model.config.categories
        self.train = replace(self.train, category=self.train.known_as(known))
        self.valid = replace(self.valid, category=self.valid.known_as(known))
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        parameters = self.model.parameters()
        self.optimiser = torch.optim.AdamW(parameters, lr=config.peak, weight_decay=0.01)
        self.position = Position()
        self.stopped = False

    def _validation(self, valid: Drawings) -> Drawings:
        # A store of a few drawings may have an empty validation split: then training drawings stand in.
        source = valid if len(valid) else self.train
        count = min(len(source), self.config.validate_drawings)
        return source.take(np.argsort(source.key, kind="stable")[:count])

    def _network(self, store: Store) -> StrokeModel:
        """A new network for the store's categories, or the one to start from, which then knows them, too."""
        if self.config.start is not None:
            known = read_checkpoint(self.config.start).knowing(store.categories)
            return as_network(known.config, known.weights)
        scale = max(float(store.summary["statistics"]["offset_deviation"]), 1.0)
        settings = asdict(self.config.model)
        return StrokeModel(ModelConfig(tuple(store.categories), offset_scale=scale, **settings))

    @property
    def progress(self) -> float:
        """Share of the run that is done, by whichever limit is nearer."""
        shares = [0.0]
        if self.config.steps is not None:
            shares.append(self.position.step / self.config.steps)
        if self.config.time_limit is not None:
            shares.append(self.position.elapsed / self.config.time_limit)
        return max(shares)

    def step(self, batch: Batch) -> float | None:
        """One step of the optimiser; returns the loss in nats per scored step, or None if it was skipped."""
        config = self.config
        # Dropout is seeded by the step, so that a resumed run draws what an uninterrupted one would have.
        torch.manual_seed((config.seed * 1_000_003 + self.position.step) * 64 + self.rank)
        for group in self.optimiser.param_groups:
            group["lr"] = config.rate(self.position.step, self._shared_progress())
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        mine = batch.part(self.rank, self.world)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            log_prob = step_log_prob(self.model, mine.to(self.device))
        # Divided by the steps of the whole batch: the processes' gradients add up to those of one process.
        loss = -log_prob.sum() / batch.scored.sum()
        loss.backward()
        shared = self._share(loss.detach())
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        if not bool(torch.isfinite(norm)):
            return None
        self.optimiser.step()
        self._move_average()
        return shared

    def _shared_progress(self) -> float:
        """Progress as the first process sees it: learning rates must not differ between processes."""
        if self.world == 1:
            return self.progress
        value = torch.tensor([self.progress])
        distributed.broadcast(value, 0)
        return float(value)

    def _share(self, loss: Tensor) -> float:
        """Add up the gradients, and the losses, of all processes; returns the loss of the whole batch."""
        if self.world == 1:
            return float(loss)
        parameters = list(self.model.parameters())
        gradients = [torch.zeros_like(item) if item.grad is None else item.grad for item in parameters]
        flat = torch.cat([loss.reshape(1), *(gradient.flatten() for gradient in gradients)])
        distributed.all_reduce(flat)
        at = 1
        for item in parameters:
            item.grad = flat[at : at + item.numel()].view_as(item)
            at += item.numel()
        return float(flat[0])

    def _move_average(self) -> None:
        # A young average forgets faster, else it would carry the random first weights for long.
        keep = min(self.config.average, (1 + self.position.step) / (10 + self.position.step))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                self.average[name].lerp_(value, 1.0 - keep)

    def averaged(self) -> StrokeModel:
        """A copy of the network with the averaged weights."""
        copy = StrokeModel(self.model.config).to(self.device)
        copy.load_state_dict(self.average)
        return copy.eval()

    def validate(self) -> dict[str, float]:
        """Nats per point of the averaged network: whole drawings, and second halves with the first given."""
        model = self.averaged()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            return {
                "valid": score(model, self.valid, 0.0).per_point()[0],
                "valid_half": score(model, self.valid, 0.5).per_point()[0],
            }

    def save(self, figures: dict[str, float]) -> None:
        """Write state and last checkpoint, and the best one if the validation says so."""
        position, out, config = self.position, self.config.out, self.config
        better = figures["valid"] < position.best
        if better:
            position.best = figures["valid"]
        summary = {
            "nats_per_point_valid": round(figures["valid"], 4),
            "validation_drawings": len(self.valid),
            "steps": position.step,
            "drawings_seen": position.drawings,
            "epochs": round(position.drawings / len(self.train), 2),
            "training_seconds": round(position.elapsed),
            "processes": self.world,
            "training_drawings": len(self.train),
            "settings": config.to_dict() | {"store": config.store.name, "out": out.name},
        }
        model = self.averaged()
        save_checkpoint(out / "last", model, summary, force=True)
        if better:
            save_checkpoint(out / "best", model, summary, force=True)
        self._save_state()

    def _save_state(self) -> None:
        folder, settings = self.config.out / "state", self.config.to_dict()
        save_state(folder, self.model, self.average, self.optimiser, self.position, settings)

    def checkpoint(self) -> None:
        """Validate and save, in the first process only."""
        if self.rank:
            return
        figures = self.validate()
        self.save(figures)
        self._log(self._where() | figures)

    def _log(self, figures: dict[str, Any]) -> None:
        columns = ["step", "seconds", "loss", "learning_rate", "drawings_per_second", "skipped"]
        columns += ["valid", "valid_half"]
        path = self.config.out / "log.csv"
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns, extrasaction="ignore")
            if fresh:
                writer.writeheader()
            writer.writerow(figures)
        self.report(figures | {"progress": self.progress})

    def loop(self) -> None:
        """Train until the limit, or until `stopped` is set; checkpoint on the way and at the end."""
        config, position = self.config, self.position
        any_category = self.model.config.any_category
        batches = training_batches(
            self.train, config.batch, config.seed, any_category, config.prefixes, position.step
        )
        meter, validated, last = _Meter(), time.monotonic(), time.monotonic()
        while not self._finished():
            batch = next(batches)
            meter.count(self.step(batch), len(batch.length))
            if meter.skipped >= MOST_SKIPPED:
                self._give_up(meter.skipped)
            now = time.monotonic()
            position.elapsed, last = position.elapsed + now - last, now
            position.step, position.drawings = position.step + 1, position.drawings + len(batch.length)
            if position.step % LOG_EVERY == 0 and not self.rank:
                rate = round(self.optimiser.param_groups[0]["lr"], 7)
                self._log(self._where() | meter.figures() | {"learning_rate": rate})
            if now - validated > config.validation_interval:
                self.checkpoint()
                # Validation does not count as training time, nor into the speed.
                validated = last = meter.since = time.monotonic()
        self.checkpoint()

    def _where(self) -> dict[str, float]:
        return {"step": self.position.step, "seconds": round(self.position.elapsed)}

    def _give_up(self, skipped: int) -> NoReturn:
        # Skipped steps changed nothing, so that the state is as good as before them.
        if not self.rank:
            self._save_state()
        remedy = "lower the learning rate and resume"
        raise SettingError(f"the loss was not finite for {skipped} steps; {remedy}")

    def _finished(self) -> bool:
        done = self.stopped or self.progress >= 1.0
        if self.world == 1:
            return done
        flag = torch.tensor([float(done)])
        distributed.broadcast(flag, 0)
        return bool(flag.item())


def fit(config: TrainConfig, *, resume: bool = False, report: Report | None = None) -> Path:
    """Train a model and return the folder of its best checkpoint.

    SIGINT and SIGTERM end the run after the current step with everything saved; `resume` goes on from there.

    Raises:
        OutputError: the run's folder holds a run and `resume` is false, or it cannot be written.
        CheckpointError: `resume` without a state to resume.
        FormatError: no store.
        SettingError: settings that cannot work, or a loss that stays not finite.
    """
    config = replace(config, store=Path(config.store), out=Path(config.out))
    run = Run(config, report)
    if not resume and has_state(config.out / "state"):
        raise OutputError(f"{config.out} holds a run; go on with it by --resume, or choose another folder")
    try:
        config.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{config.out} cannot be made: {error.strerror}") from error
    if resume:
        run.position = load_state(config.out / "state", run.model, run.average, run.optimiser)

    def stop(*_: object) -> None:
        run.stopped = True

    handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        run.loop()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return config.out / "best"
