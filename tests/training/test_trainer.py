from __future__ import annotations

import csv
import json
import math
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from runs import MODEL, prepared, rows, saved, small, step, tensors
from torch import Tensor

from sketchgen.data.batching import Batch, evaluation_batch
from sketchgen.data.prepare import prepare
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, FormatError, OutputError, SettingError
from sketchgen.evaluation.likelihood import step_log_prob
from sketchgen.models.stroke_model import StrokeModel, load_network
from sketchgen.training import run_log as journal
from sketchgen.training import trainer as run
from sketchgen.training.callbacks import STATE, Keeper
from sketchgen.training.config import FRESH_RATE, TUNING_RATE, TrainConfig
from sketchgen.training.distillation import Lessons
from sketchgen.training.module import MAX_SKIPPED
from sketchgen.training.trainer import Run, bfloat16_pays, fit


@pytest.fixture(scope="module")
def store(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "store"
    prepare([sample_dir], out)
    return out


@pytest.fixture
def config(store: Path, tmp_path: Path) -> TrainConfig:
    return small(store, tmp_path / "run")


def first_batch(run: Run) -> Batch:
    return run.training.batches[0]


def interrupt(_: dict[str, Any]) -> None:
    signal.raise_signal(signal.SIGINT)


def spoil(monkeypatch: pytest.MonkeyPatch, factor: float, rows: slice = slice(None)) -> None:
    """Multiply the log densities of some drawings of each batch that the loop sees."""

    as_it_is = Lessons.log_prob

    def spoiled(lessons: Lessons, model: StrokeModel, batch: Batch, number: int) -> Tensor:
        log_prob = as_it_is(lessons, model, batch, number)
        factors = torch.ones(len(log_prob), 1)
        factors[rows] = factor
        return log_prob * factors

    monkeypatch.setattr(Lessons, "log_prob", spoiled)


def weights(run: Run) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in run.training.state_dict().items()}


def check_refused(config: TrainConfig, match: str) -> None:
    with pytest.raises(CheckpointError, match=match) as caught:
        fit(config, resume=True)
    assert "\n" not in str(caught.value)


def check_same(one: Path, two: Path) -> None:
    """Both runs have left the same state, bit for bit."""
    straight, resumed = tensors(saved(one)), tensors(saved(two))
    assert straight.keys() == resumed.keys()
    assert len(straight) > 30
    for name, value in straight.items():
        assert torch.equal(value, resumed[name]), name


def test_fifty_steps_lower_the_loss_and_leave_a_checkpoint(config: TrainConfig):
    config = replace(config, steps=50, pictures=2)
    begun = prepared(Run(config))
    before = begun.keeper.validate(begun.training)
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
        assert torch.equal(value, state["state_dict"][f"average.module.{name}"])
    assert list(rows(config.out, "loss")) == [20, 40]
    assert list(rows(config.out, "valid")) == [50]
    rates = list(rows(config.out, "learning_rate").values())
    assert 5e-3 > rates[0] > rates[1] > 0
    assert all(0.0 <= share <= 1.0 for share in rows(config.out, "waiting").values())


def test_a_run_shows_what_it_draws(config: TrainConfig):
    fit(replace(config, steps=2, pictures=3))
    (file,) = (config.out / "pictures").iterdir()
    assert file.name == "step-00000002.png"
    sheet = np.asarray(Image.open(file).convert("L"))
    # Three beginnings and three drawings from nothing, six in a row.
    cells = np.split(sheet[:144], 6, axis=1)
    assert len(cells) == 6
    assert all((cell < 128).any() for cell in cells[:3])


def test_tensorboard_has_the_figures_and_the_pictures(config: TrainConfig):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit(replace(config, pictures=2))
    found = EventAccumulator(str(config.out / "tensorboard")).Reload()
    assert {"loss", "valid", "valid_half", "learning_rate"} <= set(found.Tags()["scalars"])
    assert found.Tags()["images"] == ["drawings"]
    (event,) = found.Scalars("loss")
    assert event.step == 20
    assert event.value == pytest.approx(rows(config.out, "loss")[20], abs=1e-4)


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_resumed_run_is_the_run_that_was_not_interrupted(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: signal.Signals
):
    config = replace(config, steps=40)
    fit(config)
    parts = replace(config, out=tmp_path / "parts")
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    def stop(figures: dict[str, Any]) -> None:
        if figures["step"] == 10:
            signal.raise_signal(name)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "LOG_EVERY", 10)
        fit(parts, report=stop)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert saved(parts.out)["position"]["step"] == 10
    # The line at step 10 has its losses; those of the next one are what came since.
    fit(parts, resume=True)
    check_same(config.out, parts.out)
    assert saved(parts.out)["position"]["drawings"] == saved(config.out)["position"]["drawings"] == 320
    assert rows(parts.out, "loss")[40] == rows(config.out, "loss")[40]
    best = load_network(config.out / "last")[0].state_dict()
    average = saved(config.out)["state_dict"]
    assert all(torch.equal(best[name], average[f"average.module.{name}"]) for name in best)


def test_a_finished_run_stays_as_it_is_and_may_be_prolonged(config: TrainConfig, tmp_path: Path):
    fit(config)
    shutil.copytree(config.out, tmp_path / "copy")
    assert fit(config, resume=True) == config.out / "best"
    check_same(config.out, tmp_path / "copy")
    fit(replace(config, steps=22), resume=True)
    assert saved(config.out)["position"]["step"] == 22


def test_lines_behind_the_saved_state_are_written_once(config: TrainConfig):
    fit(config)
    log = config.out / "log.csv"
    whole = log.read_text()
    log.write_text(whole + whole.splitlines()[1].replace("20,", "40,", 1) + "\n41,")
    fit(replace(config, steps=60), resume=True)
    with log.open() as stream:
        steps = [row["step"] for row in csv.DictReader(stream)]
    assert steps == ["20", "20", "40", "60", "60"]


def test_seeds_decide_everything(config: TrainConfig):
    def trained(seed: int) -> dict[str, Tensor]:
        run = prepared(Run(replace(config, seed=seed)))
        step(run, first_batch(run))
        return weights(run)

    one, two, other = trained(0), trained(0), trained(1)
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    assert not torch.equal(one["network.head.weight"], other["network.head.weight"])


@pytest.mark.parametrize("factor", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, factor: float
):
    run = prepared(Run(config))
    batch, before = first_batch(run), weights(run)
    with monkeypatch.context() as patch:
        spoil(patch, factor, slice(2, 4))
        failed = step(run, batch)
    assert failed.skipped
    assert all(torch.equal(value, before[name]) for name, value in weights(run).items())
    optimiser = run.training.optimizers()
    assert not isinstance(optimiser, list)
    assert not optimiser.state
    assert failed.suspects == batch.key[2:4].numpy().view(np.uint64).tolist()
    done = step(run, batch)
    assert not done.skipped
    assert math.isfinite(done.loss)
    assert not torch.equal(before["network.head.weight"], run.training.network.head.weight)
    assert run.training.position.step == 2
    assert run.training.position.skipped == 0


def test_a_skipped_step_is_told_with_its_drawings(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    spoil(monkeypatch, math.nan, slice(0, 1))
    told: list[dict[str, Any]] = []
    calls = 0

    def report(figures: dict[str, Any]) -> None:
        nonlocal calls
        told.append(figures)
        calls += 1
        if calls == 3:
            monkeypatch.undo()

    fit(config, report=report)
    warnings = [figures["warning"] for figures in told if "warning" in figures]
    assert len(warnings) == 3
    assert rows(config.out, "skipped") == {20: 3.0}
    lines = (config.out / "skipped.ndjson").read_text().splitlines()
    assert len(lines) == 3
    train = Store.open(config.store).split("train")
    key = int(warnings[0].split("drawing ")[1].split()[0], 16)
    sketch = train.find(key).sketch(0)
    drawing = [[axis.tolist() for axis in stroke.T] for stroke in sketch.strokes]
    assert json.loads(lines[0]) == {"word": sketch.category, "drawing": drawing}


def test_a_run_whose_loss_stays_not_finite_stops(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        spoil(patch, math.nan)
        with pytest.raises(SettingError, match=f"{MAX_SKIPPED} steps; lower --learning-rate"):
            fit(config)
    # It can be gone on with, at another rate, though it never came to a checkpoint.
    fit(config, resume=True)
    assert saved(config.out)["position"]["step"] == 20


def test_gradients_are_clipped(config: TrainConfig):
    run = prepared(Run(replace(config, clip=1e-3)))
    found = step(run, first_batch(run))
    gradients = [item.grad.norm() for item in run.training.network.parameters() if item.grad is not None]
    assert float(torch.stack(gradients).norm()) <= 1.01e-3
    assert found.norm > 1e-2


def test_bfloat16_computes_nearly_the_same_losses(config: TrainConfig, tmp_path: Path):
    losses = []
    for bfloat16 in (False, True):
        out = tmp_path / str(bfloat16)
        fit(replace(config, out=out, bfloat16=bfloat16))
        losses.append(rows(out, "loss")[20])
    assert losses[1] == pytest.approx(losses[0], rel=0.01)
    assert losses[1] != losses[0]


def test_the_average_lags_behind_the_network(config: TrainConfig):
    run = prepared(Run(config))
    for number in range(3):
        step(run, run.training.batches[number])
    network, average = run.training.network.state_dict(), run.training.averaged().state_dict()
    assert not torch.equal(network["head.weight"], average["head.weight"])
    torch.testing.assert_close(network["head.weight"], average["head.weight"], atol=0.05, rtol=0.5)


def test_a_run_stops_early_when_it_gets_no_better(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    figures = iter([5.0, 4.0, 4.5, 3.0, 3.1, 3.0, 3.2, 1.0])
    monkeypatch.setattr(Keeper, "validate", lambda *_: dict.fromkeys(("valid", "valid_half"), next(figures)))
    best = fit(replace(config, validate_every=0.0, patience=3))
    assert saved(config.out)["position"]["step"] == 7
    assert load_network(best)[1]["steps"] == 4
    assert load_network(config.out / "last")[1]["steps"] == 7


def test_a_folder_with_a_run_is_refused(config: TrainConfig):
    config = replace(config, steps=1)
    fit(config)
    before = (config.out / STATE).read_bytes()
    with pytest.raises(OutputError, match="--resume"):
        fit(config)
    assert (config.out / STATE).read_bytes() == before


def test_a_place_that_is_no_folder_is_refused(config: TrainConfig):
    config.out.write_text("a file")
    with pytest.raises(OutputError, match="cannot be made"):
        fit(config)


def test_no_state_or_a_damaged_or_a_foreign_one_is_refused(config: TrainConfig):
    config = replace(config, steps=1)
    check_refused(config, "no state of a run")
    fit(config)
    check_refused(replace(config, model=replace(MODEL, width=32)), "of another network")
    file = config.out / STATE
    file.write_bytes(file.read_bytes()[:1000])
    check_refused(config, "no state of a run")


def test_what_a_kill_in_the_middle_of_a_rename_has_left_is_mended(config: TrainConfig):
    fit(replace(config, steps=2))
    (config.out / "best").rename(config.out / ".best.old")
    (config.out / ".0123456789abcdef.tmp").write_text("half a state")
    (config.out / ".mine.tmp").write_text("not the run's")
    fit(replace(config, steps=3, learning_rate=1e-8), resume=True)
    assert load_network(config.out / "best")[1]["steps"] in (2, 3)
    hidden = [path.name for path in config.out.iterdir() if path.name.startswith(".")]
    assert hidden == [".mine.tmp"]


def test_no_store_and_an_old_one_are_format_errors(config: TrainConfig, tmp_path: Path):
    with pytest.raises(FormatError, match="sketchgen prepare"):
        fit(replace(config, store=tmp_path / "nowhere"))


def test_a_store_that_is_deleted_ends_no_run_that_has_it_open(config: TrainConfig, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(config.store, copy)
    # Two epochs: the store is read once more after it is gone.
    config = replace(config, store=copy, steps=230)
    fit(config, report=lambda figures: shutil.rmtree(copy, ignore_errors=True))
    assert saved(config.out)["position"]["step"] == 230
    with pytest.raises(FormatError, match="sketchgen prepare"):
        fit(replace(config, steps=240), resume=True)


def test_a_damaged_store_ends_the_run_with_what_it_has(config: TrainConfig, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(config.store, copy)
    (copy / "train-00000.arrow").write_bytes(b"no drawings")
    with pytest.raises(FormatError, match=r"train-00000\.arrow .*prepare the store again") as caught:
        fit(replace(config, store=copy))
    assert "\n" not in str(caught.value)


def test_the_rate_rises_over_the_warmup_and_falls_to_a_fiftieth(config: TrainConfig):
    peak = config.peak
    assert [config.rate(step, 0.0) for step in range(5)] == pytest.approx([peak * k / 5 for k in range(1, 6)])
    falling = [config.rate(1000, progress / 10) for progress in range(11)]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == pytest.approx(peak)
    assert falling[-1] == config.rate(1000, 1.5) == pytest.approx(0.02 * peak)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": None},
        {"batch": 0},
        {"learning_rate": math.nan},
        {"clip": math.inf},
        {"average": 1.0},
        {"patience": 0},
        {"workers": -1},
    ],
)
def test_settings_outside_their_limits_are_refused(config: TrainConfig, wrong: dict[str, Any]):
    with pytest.raises(SettingError) as caught:
        replace(config, **wrong)
    assert "\n" not in str(caught.value)
    assert json.loads(json.dumps(config.to_dict()))["steps"] == 20


def test_dropout_is_drawn_by_the_step(config: TrainConfig):
    # At this rate the weights stay as they are, in effect: what differs is what was dropped.
    run = prepared(Run(replace(config, learning_rate=1e-8, model=replace(MODEL, dropout=0.5))))
    batch, losses = first_batch(run), []
    for number in (0, 0, 1):
        run.training.position.step = number
        losses.append(step(run, batch).loss)
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert abs(losses[2] - losses[0]) > 1e-3


def test_what_is_faster_is_chosen_unless_told(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    assert isinstance(bfloat16_pays(torch.device("cpu")), bool)
    for pays in (True, False):
        monkeypatch.setattr(run, "bfloat16_pays", lambda device, pays=pays: pays)
        named = {True: "bf16-mixed", False: "32-true"}
        assert Run(replace(config, bfloat16=None)).trainer().precision == named[pays]
        assert Run(replace(config, bfloat16=not pays)).trainer().precision == named[not pays]


def test_a_run_may_start_from_what_another_has_learned(config: TrainConfig, tmp_path: Path):
    first = fit(config)
    old, _ = load_network(first)
    lines = [json.dumps({"word": "owl", "drawing": [[[0, 255, k], [0, k, 200]]]}) + "\n" for k in range(60)]
    (tmp_path / "owl.ndjson").write_text("".join(lines))
    prepare([tmp_path / "owl.ndjson"], tmp_path / "owls")
    tuning = replace(
        config, store=tmp_path / "owls", out=tmp_path / "tuned", start=str(first), learning_rate=None
    )
    run = prepared(Run(tuning))
    names = old.config.categories
    network = run.training.network
    assert network.config.categories == (*names, "owl")
    assert network.config.offset_scale == old.config.offset_scale
    assert set(first_batch(run).category.tolist()) <= {len(names), len(names) + 1}
    before, after = old.state_dict(), dict(network.state_dict())
    added = after.pop("category.weight")
    assert torch.equal(added[: len(names)], before["category.weight"][:-1])
    # The new one and "any" both begin as "any".
    assert torch.equal(added[len(names) :], before["category.weight"][-1:].repeat(2, 1))
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    valid = run.keeper.valid
    assert set(valid.category.tolist()) == {len(names)}
    unseen = step_log_prob(old, evaluation_batch(valid, np.random.default_rng(0), 0.0)).sum()
    tuned, _ = load_network(fit(tuning))
    assert tuned.config.categories == (*names, "owl")
    seen = step_log_prob(tuned, evaluation_batch(valid, np.random.default_rng(0), 0.0)).sum()
    assert float(seen.detach()) > float(unseen.detach())


def test_learning_more_of_what_is_known_adds_no_category(config: TrainConfig):
    first = fit(replace(config, steps=2))
    again = Run(replace(config, out=config.out.parent / "again", start=str(first)))
    assert again.training.network.config.categories == load_network(first)[0].config.categories


def test_a_run_that_starts_from_a_checkpoint_resumes_exactly(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = fit(replace(config, steps=3))
    whole, parts = (
        replace(config, start=str(first), steps=12, out=tmp_path / name) for name in ("whole", "parts")
    )
    fit(whole)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "LOG_EVERY", 5)
        fit(parts, report=interrupt)
    assert saved(parts.out)["position"]["step"] == 5
    fit(parts, resume=True)
    check_same(whole.out, parts.out)


def test_batches_made_ahead_by_workers_are_the_same_batches(config: TrainConfig, tmp_path: Path):
    fit(config)
    ahead = replace(config, out=tmp_path / "ahead", workers=2)
    fit(ahead)
    check_same(config.out, ahead.out)


def test_a_run_from_nothing_and_one_from_a_checkpoint_have_rates_of_their_own(config: TrainConfig):
    unset = replace(config, learning_rate=None)
    assert unset.peak == FRESH_RATE
    assert replace(unset, start="quickdraw345").peak == TUNING_RATE
    assert replace(unset, start="quickdraw345", learning_rate=0.01).peak == 0.01


def test_short_runs_are_validated_more_often(config: TrainConfig):
    assert replace(config, time_limit=None).validation_interval == 240
    assert replace(config, time_limit=60).validation_interval == 5
    assert replace(config, time_limit=86_400).validation_interval == 240
    assert replace(config, time_limit=60, validate_every=30).validation_interval == 30


def test_a_run_cannot_start_from_nowhere(config: TrainConfig):
    with pytest.raises(CheckpointError, match="no checkpoint"):
        Run(replace(config, start="nowhere"))


def test_a_store_of_one_drawing_is_validated_on_itself(config: TrainConfig, tmp_path: Path):
    (tmp_path / "owl.ndjson").write_text('{"word":"a/b","drawing":[[[0,255,3],[0,7,200]]]}\n')
    kept = prepare([tmp_path / "owl.ndjson"], tmp_path / "one").kept
    assert kept == {"train": 1, "valid": 0, "test": 0}
    best = fit(replace(config, store=tmp_path / "one"))
    assert load_network(best)[0].config.categories == ("a/b",)
    assert math.isfinite(rows(config.out, "valid")[20])


def test_a_store_without_training_drawings_is_refused(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    store = Store.open(config.store)
    empty = replace(store, summary=store.summary | {"shards": store.summary["shards"] | {"train": []}})
    monkeypatch.setattr(Store, "open", lambda path: empty)
    with pytest.raises(SettingError, match="no training drawings; prepare more"):
        fit(config)


def test_the_loss_is_nats_a_scored_step(config: TrainConfig):
    run = prepared(Run(replace(config, model=replace(MODEL, dropout=0.0))))
    batch = first_batch(run)
    with torch.no_grad():
        expected = -step_log_prob(run.training.network, batch).sum() / batch.scored.sum()
    assert step(run, batch).loss == pytest.approx(float(expected), rel=1e-5)


def test_the_first_step_is_as_long_as_the_rate_of_its_warm_up(config: TrainConfig):
    run = prepared(Run(config))
    before = weights(run)
    last = step(run, first_batch(run))
    assert last.rate == pytest.approx(config.peak / config.warmup)
    # AdamW's first step moves each weight by the rate, whatever its gradient, and decays it a little.
    moved = max(
        float((value - before[name]).abs().max())
        for name, value in weights(run).items()
        if name.startswith("network.")
    )
    assert moved == pytest.approx(last.rate, rel=0.1)
