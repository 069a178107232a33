"""Laws of the loop: exact resume, skipped steps, limits, what a run leaves, and what it refuses."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from sketchgen.completion.completer import Completer
from sketchgen.data.batching import Batch, evaluation_batch
from sketchgen.data.prepare import prepare
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, FormatError, OutputError, SettingError
from sketchgen.evaluation.likelihood import step_log_prob
from sketchgen.models.stroke_model import StrokeModel, load_network
from sketchgen.training import trainer as trainer_module
from sketchgen.training.config import TrainConfig
from sketchgen.training.distributed import choose_device
from sketchgen.training.loop import MAX_SKIPPED, Callback, StepResult, Trainer
from sketchgen.training.objectives import Likelihood
from sketchgen.training.state import STATE
from sketchgen.training.stroke_task import StrokeTask
from sketchgen.training.trainer import bfloat16_pays, fit
from tests.support.hostile import hostile_store
from tests.support.runs import MODEL, StopAfter, as_json, check_same, prepared, rows, saved, small, tensors


def first_batch(trainer: Trainer) -> Batch:
    return trainer.task.objectives[0].batches[0]


def stroke_model(trainer: Trainer) -> StrokeModel:
    assert isinstance(trainer.network, StrokeModel)
    return trainer.network


def weights(trainer: Trainer) -> dict[str, Tensor]:
    both = {"network": trainer.network.state_dict(), "average": trainer.average.state_dict()}
    return {name: value.clone() for name, value in tensors(both).items()}


def spoil(monkeypatch: pytest.MonkeyPatch, factor: float, which: slice = slice(None)) -> None:
    """Multiply the log densities of some drawings of each batch."""
    plain = Likelihood.log_prob

    def spoiled(self: Likelihood, model: StrokeModel, batch: Batch, number: int) -> Tensor:
        log_prob = plain(self, model, batch, number)
        factors = torch.ones(len(log_prob), 1)
        factors[which] = factor
        return log_prob * factors

    monkeypatch.setattr(Likelihood, "log_prob", spoiled)


@pytest.fixture(scope="module")
def done(store: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """A run of twenty steps that has ended; tests leave it as it is."""
    config = small(store, tmp_path_factory.mktemp("done") / "run")
    fit(config)
    return config


@pytest.fixture
def copy(done: TrainConfig, tmp_path: Path) -> TrainConfig:
    """The same run, to go on with."""
    shutil.copytree(done.out, tmp_path / "run")
    return replace(done, out=tmp_path / "run")


def test_fifty_steps_lower_the_loss_and_leave_a_checkpoint(config: TrainConfig):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = replace(config, steps=50, pictures=3)
    before = prepared(config).validate()
    seen: list[dict[str, Any]] = []
    best = fit(config, report=seen.append)
    assert best == config.out / "best"
    assert seen[-1]["valid"] < before["valid"] - 0.4
    assert seen[-1]["valid_half"] < before["valid_half"] - 0.35
    assert seen[-1]["progress"] == 1.0
    left = {path.name for path in config.out.iterdir()}
    assert left == {"best", "last", STATE, "log.csv", "pictures", "tensorboard"}
    model, summary = load_network(best)
    state = saved(config.out)
    assert summary["steps"] == 50
    assert summary["drawings_seen"] == state["position"]["drawings"] == 400
    assert summary["nats_per_point_valid"] == pytest.approx(seen[-1]["valid"], abs=1e-4)
    for name, value in model.state_dict().items():
        assert torch.equal(value, state["average"][f"module.{name}"])
    assert list(rows(config.out, "loss")) == [20, 40]
    assert list(rows(config.out, "valid")) == [50]
    rates = list(rows(config.out, "learning_rate").values())
    assert 5e-3 > rates[0] > rates[1] > 0
    assert all(0.0 <= share <= 1.0 for share in rows(config.out, "waiting").values())
    (sheet,) = (config.out / "pictures").iterdir()
    assert sheet.name == "step-00000050.png"
    cells = np.split(np.asarray(Image.open(sheet).convert("L"))[:144], 6, axis=1)
    assert all((cell < 128).any() for cell in cells[:3])
    board = EventAccumulator(str(config.out / "tensorboard")).Reload()
    assert {"loss", "valid", "learning_rate"} <= set(board.Tags()["scalars"])
    assert board.Tags()["images"] == ["drawings"]
    assert [event.step for event in board.Scalars("loss")] == [20, 40]


class RaiseSignal(Callback):
    def __init__(self, name: signal.Signals) -> None:
        self.name = name

    def on_step(self, trainer: Trainer, result: StepResult, waited: float) -> None:
        if trainer.position.step == 7:
            signal.raise_signal(self.name)


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_resumed_run_is_the_run_that_was_not_interrupted(
    done: TrainConfig, tmp_path: Path, name: signal.Signals
):
    parts = replace(done, out=tmp_path / "parts")
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    fit(parts, callbacks=[RaiseSignal(name)])
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert saved(parts.out)["position"]["step"] == 7
    # With batches that workers make ahead, which are the same.
    fit(replace(parts, workers=2 if name == signal.SIGINT else None), resume=True)
    # The line at step 20 has the losses of both parts.
    check_same(done.out, parts.out)
    assert saved(parts.out)["position"]["drawings"] == saved(done.out)["position"]["drawings"] == 160


KILLED = """
import os, signal, sys
from sketchgen.training import Callback, fit
from tests.support.runs import from_json

class Kill(Callback):
    def on_step(self, trainer, result, waited):
        if trainer.position.step == 13:
            os.kill(os.getpid(), signal.SIGKILL)

fit(from_json(sys.argv[1]), callbacks=[Kill()])
"""


def test_a_killed_run_goes_on_from_its_last_save(done: TrainConfig, tmp_path: Path):
    # benchmarks/campaign.py kills ten times, at any moment.
    killed = replace(done, out=tmp_path / "killed", save_every=0.0)
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    found = subprocess.run([sys.executable, "-c", KILLED, as_json(killed)], env=environment, check=False)
    assert found.returncode == -signal.SIGKILL
    assert saved(killed.out)["position"]["step"] == 12
    fit(killed, resume=True)
    check_same(done.out, killed.out)


def test_a_finished_run_stays_as_it_is_and_may_be_prolonged(done: TrainConfig, copy: TrainConfig):
    with pytest.raises(OutputError, match="--resume"):
        fit(copy)
    assert fit(copy, resume=True) == copy.out / "best"
    check_same(done.out, copy.out)
    # Lines after the saved state are written once.
    log = copy.out / "log.csv"
    whole = log.read_text()
    log.write_text(whole + whole.splitlines()[1].replace("20,", "40,", 1) + "\n41,")
    fit(replace(copy, steps=40), resume=True)
    assert saved(copy.out)["position"]["step"] == 40
    with log.open() as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["20", "20", "40", "40"]


def test_seeds_decide_everything(config: TrainConfig):
    def trained(seed: int) -> dict[str, Tensor]:
        trainer = prepared(replace(config, seed=seed))
        trainer.step([first_batch(trainer)])
        return weights(trainer)

    one, two, other = trained(0), trained(0), trained(1)
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    assert not torch.equal(one["/network/head.weight"], other["/network/head.weight"])


@pytest.mark.parametrize("factor", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, factor: float
):
    trainer = prepared(config)
    batch, before = first_batch(trainer), weights(trainer)
    with monkeypatch.context() as patch:
        spoil(patch, factor, slice(2, 4))
        failed = trainer.step([batch])
    assert failed.skipped
    assert all(torch.equal(value, before[name]) for name, value in weights(trainer).items())
    assert not trainer.optimizer.state
    assert failed.suspects == batch.key[2:4].numpy().view(np.uint64).tolist()
    done = trainer.step([batch])
    assert not done.skipped
    assert math.isfinite(done.loss)
    assert not torch.equal(before["/network/head.weight"], trainer.network.state_dict()["head.weight"])
    assert (trainer.position.step, trainer.position.skipped) == (2, 0)


def test_a_skipped_step_is_reported_with_its_drawings(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    spoil(monkeypatch, math.nan, slice(0, 1))
    seen: list[dict[str, Any]] = []

    def report(figures: dict[str, Any]) -> None:
        # Before the first step there is a warning of the small validation split.
        if figures["step"]:
            seen.append(figures)
        if len(seen) == 3:
            monkeypatch.undo()

    fit(config, report=report)
    warnings = [figures["warning"] for figures in seen if "warning" in figures]
    assert len(warnings) == 3
    assert rows(config.out, "skipped") == {20: 3.0}
    lines = (config.out / "skipped.ndjson").read_text().splitlines()
    assert len(lines) == 3
    key = int(warnings[0].split("drawing ")[1].split()[0], 16)
    sketch = Store.open(config.store).split("train").find(key).sketch(0)
    drawing = [[axis.tolist() for axis in stroke.T] for stroke in sketch.strokes]
    assert json.loads(lines[0]) == {"word": sketch.category, "drawing": drawing}


def test_a_run_whose_loss_stays_not_finite_stops(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        spoil(patch, math.nan)
        with pytest.raises(SettingError, match=f"{MAX_SKIPPED} steps; lower --learning-rate"):
            fit(config)
    # It can be resumed, at another rate, though it never came to a checkpoint.
    fit(config, resume=True)
    assert saved(config.out)["position"]["step"] == 20


@pytest.mark.parametrize("bfloat16", [False, True])
def test_hostile_drawings_break_no_step(tmp_path: Path, bfloat16: bool):
    hostile_store(tmp_path / "store", 120, longest=600)
    config = small(tmp_path / "store", tmp_path / "run", steps=40, learning_rate=2e-2, bfloat16=bfloat16)
    fit(config)
    assert set(rows(config.out, "skipped").values()) == {0.0}
    for column in ("loss", "gradient_norm", "valid", "valid_half"):
        found = rows(config.out, column)
        assert found
        assert all(math.isfinite(value) for value in found.values())
    assert load_network(config.out / "last")[0].config.offset_scale == 1.0


def test_bfloat16_computes_nearly_the_same_losses(done: TrainConfig, config: TrainConfig):
    fit(replace(config, bfloat16=True))
    losses = [rows(out, "loss")[20] for out in (done.out, config.out)]
    assert losses[1] == pytest.approx(losses[0], rel=0.01)
    assert losses[1] != losses[0]


def test_gradients_are_clipped(config: TrainConfig):
    trainer = prepared(replace(config, clip=1e-3))
    found = trainer.step([first_batch(trainer)])
    gradients = [item.grad.norm() for item in trainer.network.parameters() if item.grad is not None]
    assert float(torch.stack(gradients).norm()) <= 1.01e-3
    assert found.norm > 1e-2


def test_the_loss_is_nats_a_scored_step(config: TrainConfig):
    trainer = prepared(replace(config, model=replace(MODEL, dropout=0.0)))
    batch = first_batch(trainer)
    with torch.no_grad():
        expected = -step_log_prob(stroke_model(trainer), batch).sum() / batch.scored.sum()
    assert trainer.step([batch]).loss == pytest.approx(float(expected), rel=1e-5)


def test_the_first_step_is_as_long_as_the_rate_of_its_warmup(config: TrainConfig):
    trainer = prepared(config)
    before = weights(trainer)
    rate = trainer.step([first_batch(trainer)]).rate
    assert rate == pytest.approx(config.peak / config.warmup)
    # AdamW's first step moves each weight by the rate, whatever its gradient, and decays it a little.
    after = weights(trainer)
    moved = [float((after[name] - before[name]).abs().max()) for name in before if "/network/" in name]
    assert max(moved) == pytest.approx(rate, rel=0.1)


def test_dropout_is_drawn_by_the_step(config: TrainConfig):
    # At this rate the weights stay as they are, in effect: what differs is what was dropped.
    trainer = prepared(replace(config, learning_rate=1e-8, model=replace(MODEL, dropout=0.5)))
    batch, losses = first_batch(trainer), []
    for number in (0, 0, 1):
        trainer.position.step = number
        losses.append(trainer.step([batch]).loss)
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert abs(losses[2] - losses[0]) > 1e-3


def test_a_run_stops_early_when_it_gets_no_better(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    figures = iter([5.0, 4.0, 4.5, 3.0, 3.1, 3.0, 3.2, 1.0])
    found = lambda *_: dict.fromkeys(("valid", "valid_half"), next(figures))  # noqa: E731
    monkeypatch.setattr(StrokeTask, "validate", found)
    best = fit(replace(config, validate_every=0.0, patience=3))
    assert saved(config.out)["position"]["step"] == 7
    assert load_network(best)[1]["steps"] == 4
    assert load_network(config.out / "last")[1]["steps"] == 7


def test_a_time_limit_ends_a_run(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    now = iter(range(10**6))
    monkeypatch.setattr("sketchgen.training.loop.time.monotonic", lambda: 0.5 * next(now))
    fit(replace(config, steps=None, time_limit=60, save_every=1e6, validate_every=20))
    position = saved(config.out)["position"]
    # The last validation, which takes a few readings of this clock, is within the limit, too.
    assert 50 <= position["elapsed"] <= 0.5 * next(now) - 0.5 <= 64
    assert 10 < position["step"] < 120


def test_start_and_validation_count_and_a_run_of_no_time_leaves_a_checkpoint(config: TrainConfig):
    fit(replace(config, steps=None, time_limit=1000), began=time.monotonic() - 2000)
    position = saved(config.out)["position"]
    assert position["step"] == 1
    assert position["elapsed"] > 2000
    assert load_network(config.out / "best")[1]["steps"] == 1


@pytest.mark.parametrize("fast", [0, 1], ids=["from its start", "after a validation"])
def test_a_run_ends_in_time_on_a_machine_that_is_too_busy(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, fast: int
):
    now, validated, told = [0.0], [0], []
    monkeypatch.setattr("sketchgen.training.loop.time.monotonic", lambda: now[0])
    take, validate = Trainer.step, StrokeTask.validate

    def slow(seconds: float, act: Any, *given: Any, **named: Any) -> Any:
        now[0] += seconds
        return act(*given, **named)

    def batch(*given: Any) -> Batch:
        return slow(0.1 if validated[0] <= fast else 20.0, evaluation_batch, *given)

    def count(*given: Any) -> dict[str, float]:
        validated[0] += 1
        return validate(*given)

    monkeypatch.setattr(Trainer, "step", lambda *given: slow(1.0, take, *given))
    monkeypatch.setattr(StrokeTask, "validate", count)
    monkeypatch.setattr("sketchgen.evaluation.likelihood.evaluation_batch", batch)
    monkeypatch.setattr("sketchgen.evaluation.likelihood.BATCH", 4)
    config = replace(config, steps=None, time_limit=45, validate_every=10, pictures=2)
    best = fit(config, report=told.append, began=0.0)
    # A batch of the validation that had begun is the most that it is late.
    assert 45 <= now[0] <= 65
    assert "no time left to validate" in told[-1]["warning"]
    assert load_network(config.out / "last")[1]["validation_drawings"] == 0
    assert (load_network(best)[1]["validation_drawings"] > 0) == bool(fast)
    assert len(list(config.out.glob("pictures/*"))) == fast
    assert math.isinf(saved(config.out)["position"]["best"]) != bool(fast)


def test_a_picture_for_which_there_is_no_time_is_left_out(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
):
    now, complete = [0.0], Completer.complete

    def slow(*given: Any) -> Any:
        now[0] += 30.0
        return complete(*given)

    monkeypatch.setattr("sketchgen.training.loop.time.monotonic", lambda: now[0])
    monkeypatch.setattr(Completer, "complete", slow)
    config = replace(config, steps=3, time_limit=45, pictures=9)
    assert load_network(fit(config, began=0.0))[1]["validation_drawings"] > 0
    assert now[0] == 60
    assert not (config.out / "pictures").exists()


def test_a_place_that_is_no_folder_is_refused(config: TrainConfig):
    config.out.write_text("a file")
    with pytest.raises(OutputError, match="cannot be made"):
        fit(config)


def test_no_state_or_a_damaged_or_a_foreign_one_is_refused(config: TrainConfig, copy: TrainConfig):
    def check_refused(config: TrainConfig, match: str) -> None:
        with pytest.raises(CheckpointError, match=match) as caught:
            fit(config, resume=True)
        assert "\n" not in str(caught.value)

    check_refused(replace(config, out=config.out / "new"), "no state of a run")
    check_refused(replace(copy, model=replace(MODEL, width=32)), "of another network")
    file = copy.out / STATE
    whole = bytearray(file.read_bytes())
    whole[-10] ^= 1
    file.write_bytes(whole)
    check_refused(copy, f"{STATE} holds no state of a run to resume: it is damaged, its checksum")
    file.write_bytes(whole[:1000])
    check_refused(copy, "no state of a run")


def test_what_a_kill_in_the_middle_of_a_rename_leaves_is_mended(copy: TrainConfig):
    (copy.out / "best").rename(copy.out / ".best.old")
    (copy.out / ".0123456789abcdef.tmp").write_text("half a state")
    (copy.out / ".mine.tmp").write_text("not the run's")
    fit(replace(copy, steps=21, learning_rate=1e-8), resume=True)
    assert load_network(copy.out / "best")[1]["steps"] in (20, 21)
    hidden = [path.name for path in copy.out.iterdir() if path.name.startswith(".")]
    assert hidden == [".mine.tmp"]


def test_a_missing_store_and_one_that_is_damaged_are_refused(config: TrainConfig, tmp_path: Path):
    with pytest.raises(FormatError, match="sketchgen prepare"):
        fit(replace(config, store=tmp_path / "nowhere"))
    with pytest.raises(CheckpointError, match="no stroke model"):
        fit(replace(config, start="nowhere"))
    copy = tmp_path / "copy"
    shutil.copytree(config.store, copy)
    (copy / "train-00000.arrow").write_bytes(b"no drawings")
    with pytest.raises(FormatError, match=r"train-00000\.arrow .*prepare the store again") as caught:
        fit(replace(config, store=copy))
    assert "\n" not in str(caught.value)


def test_a_store_without_training_drawings_is_refused(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    store = Store.open(config.store)
    empty = replace(store, summary=store.summary | {"shards": store.summary["shards"] | {"train": []}})
    monkeypatch.setattr(Store, "open", lambda path: empty)
    with pytest.raises(SettingError, match="no training drawings; prepare more"):
        fit(config)


def test_a_store_without_validation_drawings_shows_no_validation_figures(config: TrainConfig, tmp_path: Path):
    (tmp_path / "owl.ndjson").write_text('{"word":"a/b","drawing":[[[0,255,3],[0,7,200]]]}\n')
    prepare([tmp_path / "owl.ndjson"], tmp_path / "one")
    told: list[dict[str, Any]] = []
    best = fit(replace(config, store=tmp_path / "one"), report=told.append)
    assert "the validation split is empty" in told[0]["warning"]
    model, summary = load_network(best)
    assert model.config.categories == ("a/b",)
    assert (summary["validation_drawings"], summary["steps"]) == (0, 20)
    assert not any("valid" in name for line in told for name in line)
    assert math.isfinite(rows(config.out, "train")[20])


def test_few_validation_drawings_and_a_huge_learning_rate_are_told(config: TrainConfig):
    told: list[dict[str, Any]] = []
    fit(replace(config, steps=1, learning_rate=0.5), report=told.append)
    rate, few = (line["warning"] for line in told if "warning" in line)
    assert rate.startswith("learning rate 0.5 is far above the usual 0.0015")
    assert "to validate on: the figures are rough" in few


def test_a_run_is_resumed_with_its_own_store_and_says_what_else_differs(copy: TrainConfig, tmp_path: Path):
    told: list[dict[str, Any]] = []
    fit(replace(copy, steps=21, batch=7, save_every=5.0), resume=True, report=told.append)
    words = [line["warning"] for line in told if "warning" in line][-1]
    assert words == f"resumed with other settings: batch is 7 (was {copy.batch})"
    moved = shutil.copytree(copy.store, tmp_path / "moved")
    assert fit(replace(copy, steps=21, store=moved), resume=True).is_dir()
    (tmp_path / "owl.ndjson").write_text('{"word":"cat","drawing":[[[0,255,3],[0,7,200]]]}\n')
    prepare([tmp_path / "owl.ndjson"], tmp_path / "other")
    with pytest.raises(CheckpointError, match=r"is of another store than .*other; resume it with its own"):
        fit(replace(copy, steps=22, store=tmp_path / "other"), resume=True)


def test_the_faster_precision_is_chosen_unless_one_is_set(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
):
    assert isinstance(bfloat16_pays(torch.device("cpu")), bool)
    for pays in (True, False):
        monkeypatch.setattr(trainer_module, "bfloat16_pays", lambda device, pays=pays: pays)
        assert prepared(replace(config, bfloat16=None)).bfloat16 == pays
        assert prepared(replace(config, bfloat16=not pays)).bfloat16 != pays


def test_devices_are_honoured_or_refused_in_one_line(config: TrainConfig):
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto") == choose_device(None)
    with pytest.raises(SettingError, match="auto, cpu, cuda or mps"):
        fit(replace(config, device="tpu"))
    for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())):
        if not there:
            with pytest.raises(SettingError, match=f"no device {name} here"):
                fit(replace(config, device=name))


def test_fine_tuning_keeps_what_is_known_and_adds_categories(
    done: TrainConfig, config: TrainConfig, tmp_path: Path
):
    first = done.out / "best"
    old, _ = load_network(first)
    lines = [json.dumps({"word": "owl", "drawing": [[[0, 255, k], [0, k, 200]]]}) + "\n" for k in range(60)]
    (tmp_path / "owl.ndjson").write_text("".join(lines))
    prepare([tmp_path / "owl.ndjson"], tmp_path / "owls")
    tuning = replace(
        config, store=tmp_path / "owls", out=tmp_path / "tuned", start=str(first), learning_rate=None
    )
    trainer = prepared(tuning)
    names = old.config.categories
    again = prepared(replace(config, out=tmp_path / "again", start=str(first)))
    assert stroke_model(again).config.categories == names
    network = stroke_model(trainer)
    assert network.config.categories == (*names, "owl")
    assert network.config.offset_scale == old.config.offset_scale
    assert set(first_batch(trainer).category.tolist()) <= {len(names), len(names) + 1}
    before, after = old.state_dict(), dict(network.state_dict())
    added = after.pop("category.weight")
    assert torch.equal(added[: len(names)], before["category.weight"][:-1])
    # The new one and "any" both start as "any".
    assert torch.equal(added[len(names) :], before["category.weight"][-1:].repeat(2, 1))
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    valid = Store.open(tmp_path / "owls").split("valid").drawings()
    valid = replace(valid, category=valid.known_as(network.config.categories))
    batch = evaluation_batch(valid, np.random.default_rng(0), 0.0)
    tuned, _ = load_network(fit(tuning, callbacks=[StopAfter(8)]))
    unseen, seen = (float(step_log_prob(each, batch).sum().detach()) for each in (network, tuned))
    assert seen > unseen
    assert tuned.config.categories == (*names, "owl")
    # It goes on exactly, too.
    fit(replace(tuning, out=tmp_path / "whole"))
    fit(tuning, resume=True)
    check_same(tmp_path / "whole", tuning.out)
