"""The training loop: one process, or several under torchrun, each on its own share of the batches."""

from __future__ import annotations

import csv
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as distributed

from sketchgen.data.batches import Batch, training_batches
from sketchgen.data.store import Drawings, Store
from sketchgen.errors import OutputError, SettingError
from sketchgen.evaluation.likelihood import score, step_log_prob
from sketchgen.model.config import ModelConfig
from sketchgen.model.pretrained import save_checkpoint
from sketchgen.model.strokemodel import StrokeModel
from sketchgen.train.config import TrainConfig
from sketchgen.train.state import Position, load_state, save_state

Report = Callable[[dict[str, Any]], None]
"""Called with the figures of a line of the log."""

LOG_EVERY = 20
MOST_SKIPPED = 10
"""Steps with a gradient that is not finite, one after the other, after which a run stops."""


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
        store = Store.open(config.store)
        self.train = store.split("train")
        if not len(self.train):
            raise SettingError(f"{config.store} has no training drawings; prepare more than a handful")
        self.valid = self._validation(store.split("valid"))
        torch.manual_seed(config.seed)
        scale = float(store.summary["statistics"]["offset_deviation"])
        shape = ModelConfig(tuple(store.categories), offset_scale=max(scale, 1.0), **asdict(config.model))
        self.model = StrokeModel(shape).to(self.device)
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        parameters = self.model.parameters()
        self.optimiser = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=0.01)
        self.position = Position()
        self.stopped = False

    def _validation(self, valid: Drawings) -> Drawings:
        # A store of a few drawings may have an empty validation split: then training drawings stand in.
        source = valid if len(valid) else self.train
        count = min(len(source), self.config.validate_drawings)
        return source.take(np.argsort(source.key, kind="stable")[:count])

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
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bfloat16):
            log_prob = step_log_prob(self.model, batch.to(self.device))
        loss = -log_prob.sum() / batch.scored.sum()
        loss.backward()
        self._share_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        if not bool(torch.isfinite(norm)):
            return None
        self.optimiser.step()
        self._move_average()
        return float(loss.detach())

    def _shared_progress(self) -> float:
        """Progress as the first process sees it: learning rates must not differ between processes."""
        if self.world == 1:
            return self.progress
        value = torch.tensor([self.progress])
        distributed.broadcast(value, 0)
        return float(value)

    def _share_gradients(self) -> None:
        if self.world == 1:
            return
        parameters = list(self.model.parameters())
        gradients = [torch.zeros_like(item) if item.grad is None else item.grad for item in parameters]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.world
        at = 0
        for item in parameters:
            item.grad = flat[at : at + item.numel()].view_as(item)
            at += item.numel()

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
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            return {
                "valid": score(model, self.valid, 0.0).per_point()[0],
                "valid_half": score(model, self.valid, 0.5).per_point()[0],
            }

    def save(self, figures: dict[str, float]) -> None:
        """Write state and last checkpoint, and the best one if the validation says so."""
        position, out, config = self.position, self.config.out, self.config
        better = figures["valid"] < position.best
        if better:
            position.best, position.best_step = figures["valid"], position.step
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
        save_state(out / "state", self.model, self.average, self.optimiser, position, self.config.to_dict())

    def checkpoint(self) -> None:
        """Validate and save, in the first process only."""
        if self.rank:
            return
        figures = self.validate()
        self.save(figures)
        self._log({"step": self.position.step, "seconds": round(self.position.elapsed)} | figures)

    def _log(self, figures: dict[str, Any]) -> None:
        columns = ["step", "seconds", "loss", "rate", "drawings_per_second", "valid", "valid_half", "skipped"]
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
        size = self.config.batch
        first = self.position.step * self.world + self.rank
        any_category = self.model.config.any_category
        batches = training_batches(
            self.train, size, self.config.seed, any_category, self.config.prefixes, first, self.world
        )
        validated, skipped, losses, last = time.monotonic(), 0, [], time.monotonic()
        seen = 0
        while not self._finished():
            batch = next(batches)
            loss = self.step(batch)
            skipped = skipped + 1 if loss is None else 0
            if skipped >= MOST_SKIPPED:
                remedy = "lower the learning rate and resume"
                raise SettingError(f"the loss was not finite for {skipped} steps; {remedy}")
            if loss is not None:
                losses.append(loss)
            now = time.monotonic()
            self.position.elapsed += now - last
            last = now
            self.position.step += 1
            self.position.drawings += len(batch.length) * self.world
            seen += len(batch.length) * self.world
            if self.position.step % LOG_EVERY == 0 and not self.rank:
                rate = seen / max(now - validated, 1e-9)
                loss_mean = float(np.mean(losses)) if losses else float("nan")
                figures = {"step": self.position.step, "seconds": round(self.position.elapsed)}
                figures |= {"skipped": skipped, "loss": round(loss_mean, 4)}
                self._log(figures | {"drawings_per_second": round(rate, 1)})
                losses = []
            if now - validated > self.config.validate_every:
                self.checkpoint()
                # Validation does not count as training time, nor into the rate.
                validated = last = time.monotonic()
                seen = 0
        self.checkpoint()

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
    if not resume and (config.out / "state").exists():
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
