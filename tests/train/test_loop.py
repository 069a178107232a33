from __future__ import annotations

import csv
import json
import math
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from sketchgen.data.batches import Batch, evaluation_batch, training_batches
from sketchgen.data.prepare import prepare
from sketchgen.errors import CheckpointError, FormatError, OutputError, SettingError
from sketchgen.evaluation.likelihood import step_log_prob
from sketchgen.model.strokemodel import StrokeModel, load_network
from sketchgen.train import loop
from sketchgen.train.config import FRESH_RATE, TUNING_RATE, ModelSettings, TrainConfig
from sketchgen.train.loop import MOST_SKIPPED, Run, bfloat16_pays, fit

MODEL = ModelSettings(layers=1, width=24, components=3, embedding=16, encoder_width=16)


@pytest.fixture(scope="module")
def store(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "store"
    prepare([sample_dir], out)
    return out


@pytest.fixture
def config(store: Path, tmp_path: Path) -> TrainConfig:
    return TrainConfig(
        store,
        tmp_path / "run",
        steps=20,
        batch=8,
        learning_rate=5e-3,
        warmup=5,
        validate_drawings=16,
        bfloat16=False,
        threads=1,
        device="cpu",
        model=MODEL,
    )


def state(out: Path) -> dict[str, Tensor]:
    return load_file(out / "state" / "state.safetensors")


def position(out: Path) -> dict[str, Any]:
    return json.loads((out / "state" / "state.json").read_text())["position"]


def batch_for(run: Run) -> Batch:
    any_category = run.model.config.any_category
    return next(training_batches(run.train, 8, 0, any_category, run.config.prefixes))


def interrupt(_: dict[str, Any]) -> None:
    signal.raise_signal(signal.SIGINT)


def spoil(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    """Multiply every log density that the loop sees."""

    def spoiled(model: StrokeModel, batch: Batch) -> Tensor:
        return step_log_prob(model, batch) * factor

    monkeypatch.setattr(loop, "step_log_prob", spoiled)


def weights(run: Run) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in run.model.state_dict().items()}


def check_refused(config: TrainConfig) -> None:
    with pytest.raises(CheckpointError) as caught:
        fit(config, resume=True)
    assert "\n" not in str(caught.value)


def test_fifty_steps_lower_the_loss_and_leave_a_checkpoint(config: TrainConfig):
    config = replace(config, steps=50)
    before = Run(config).validate()
    seen: list[dict[str, Any]] = []
    best = fit(config, report=seen.append)
    assert best == config.out / "best"
    assert seen[-1]["valid"] < before["valid"] - 0.4
    assert seen[-1]["valid_half"] < before["valid_half"] - 0.35
    assert seen[-1]["progress"] == 1.0
    assert {path.name for path in config.out.iterdir()} == {"best", "last", "state", "log.csv"}
    assert {path.suffix for path in (config.out / "state").iterdir()} == {".safetensors", ".json"}
    model, summary = load_network(best)
    assert summary["steps"] == 50
    assert summary["drawings_seen"] == position(config.out)["drawings"] == 400
    assert summary["nats_per_point_valid"] == pytest.approx(seen[-1]["valid"], abs=1e-4)
    average = {name: value for name, value in state(config.out).items() if name.startswith("average.")}
    assert all(torch.equal(value, average[f"average.{name}"]) for name, value in model.state_dict().items())
    with (config.out / "log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["20", "40", "50"]
    rates = [float(row["learning_rate"]) for row in rows if row["learning_rate"]]
    assert 5e-3 > rates[0] > rates[1] > 0


def test_a_resumed_run_is_the_run_that_was_not_interrupted(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fit(config)
    parts = replace(config, out=tmp_path / "parts")
    monkeypatch.setattr(loop, "LOG_EVERY", 10)
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    fit(parts, report=interrupt)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert position(parts.out)["step"] == 10
    fit(parts, resume=True)
    assert position(parts.out)["step"] == position(config.out)["step"] == 20
    assert position(parts.out)["drawings"] == position(config.out)["drawings"]
    straight, resumed = state(config.out), state(parts.out)
    assert straight.keys() == resumed.keys()
    assert {name.split(".")[0] for name in straight} == {"model", "average", "optimiser"}
    for name, value in straight.items():
        assert torch.equal(value, resumed[name]), name
    best = load_network(config.out / "last")[0].state_dict()
    assert all(torch.equal(best[name], straight[f"average.{name}"]) for name in best)


def test_seeds_decide_everything(config: TrainConfig):
    def trained(seed: int) -> dict[str, Tensor]:
        run = Run(replace(config, seed=seed))
        run.step(batch_for(run))
        return weights(run)

    one, two, other = trained(0), trained(0), trained(1)
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    assert not torch.equal(one["head.weight"], other["head.weight"])


@pytest.mark.parametrize("factor", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, factor: float
):
    run = Run(config)
    batch, before = batch_for(run), weights(run)
    average = {name: value.clone() for name, value in run.average.items()}
    with monkeypatch.context() as patch:
        spoil(patch, factor)
        assert run.step(batch) is None
    assert all(torch.equal(value, before[name]) for name, value in run.model.state_dict().items())
    assert all(torch.equal(value, average[name]) for name, value in run.average.items())
    assert not run.optimiser.state
    loss = run.step(batch)
    assert loss is not None
    assert math.isfinite(loss)
    assert not torch.equal(before["head.weight"], run.model.head.weight)


def test_a_run_whose_loss_stays_not_finite_stops(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    spoil(monkeypatch, math.nan)
    with pytest.raises(SettingError, match=f"{MOST_SKIPPED} steps; lower the learning rate"):
        fit(config)
    # It can be gone on with, at another rate, though it never came to a checkpoint.
    monkeypatch.undo()
    fit(config, resume=True)
    assert position(config.out)["step"] == 20


def test_gradients_are_clipped(config: TrainConfig):
    run = Run(replace(config, clip=1e-3))
    run.step(batch_for(run))
    norms = [parameter.grad.norm() for parameter in run.model.parameters() if parameter.grad is not None]
    assert float(torch.stack(norms).norm()) <= 1.01e-3


def test_bfloat16_computes_nearly_the_same_loss(config: TrainConfig):
    losses = []
    for bfloat16 in (False, True):
        run = Run(replace(config, bfloat16=bfloat16))
        losses.append(run.step(batch_for(run)))
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


def test_a_folder_with_a_run_is_refused(config: TrainConfig):
    config = replace(config, steps=1)
    fit(config)
    before = state(config.out)
    with pytest.raises(OutputError, match="--resume"):
        fit(config)
    assert all(torch.equal(value, before[name]) for name, value in state(config.out).items())


def test_a_place_that_is_no_folder_is_refused(config: TrainConfig):
    config.out.write_text("a file")
    with pytest.raises(OutputError, match="cannot be made"):
        fit(config)


def test_no_state_or_a_damaged_or_a_foreign_one_is_refused(config: TrainConfig):
    config = replace(config, steps=1)
    check_refused(config)
    fit(config)
    check_refused(replace(config, model=replace(MODEL, width=32)))
    about = config.out / "state" / "state.json"
    whole = about.read_text()
    for text in ("", "{}", json.dumps({"position": {"stepp": 1}})):
        about.write_text(text)
        check_refused(config)
    about.write_text(whole)
    file = config.out / "state" / "state.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    check_refused(config)


def test_a_kill_between_the_renames_loses_nothing(config: TrainConfig):
    fit(replace(config, steps=2))
    (config.out / "state").rename(config.out / ".state.old")
    fit(replace(config, steps=3), resume=True)
    assert position(config.out)["step"] == 3
    assert not (config.out / ".state.old").exists()


def test_no_store_is_a_format_error(config: TrainConfig, tmp_path: Path):
    with pytest.raises(FormatError, match="sketchgen prepare"):
        fit(replace(config, store=tmp_path / "nowhere"))


def test_the_rate_rises_over_the_warmup_and_falls_to_a_fiftieth(config: TrainConfig):
    peak = config.peak
    assert [config.rate(step, 0.0) for step in range(5)] == pytest.approx([peak * k / 5 for k in range(1, 6)])
    falling = [config.rate(1000, progress / 10) for progress in range(11)]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == pytest.approx(peak)
    assert falling[-1] == config.rate(1000, 1.5) == pytest.approx(0.02 * peak)


@pytest.mark.parametrize(
    "wrong",
    [{"steps": None}, {"batch": 0}, {"learning_rate": math.nan}, {"clip": math.inf}, {"average": 1.0}],
)
def test_settings_outside_their_limits_are_refused(config: TrainConfig, wrong: dict[str, Any]):
    with pytest.raises(SettingError) as caught:
        replace(config, **wrong)
    assert "\n" not in str(caught.value)
    assert json.loads(json.dumps(config.to_dict()))["steps"] == 20


def test_dropout_is_drawn_by_the_step(config: TrainConfig):
    # At this rate the weights stay as they are, in effect: what differs is what was dropped.
    run = Run(replace(config, learning_rate=1e-8, model=replace(MODEL, dropout=0.5)))
    batch, losses = batch_for(run), []
    for step in (0, 0, 1):
        run.position.step = step
        losses.append(run.step(batch))
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert abs(losses[2] - losses[0]) > 1e-3


def in_two_processes(config: TrainConfig) -> None:
    """Train as two processes under torchrun do."""
    script = config.out.parent / "two.py"
    config.out.parent.mkdir(exist_ok=True)
    script.write_text(
        "import json, sys\n"
        "from pathlib import Path\n"
        "from sketchgen.train.config import FRESH_RATE, TUNING_RATE, ModelSettings, TrainConfig\n"
        "from sketchgen.train.loop import fit\n"
        "values = json.loads(sys.argv[1])\n"
        "values['model'] = ModelSettings(**values['model'])\n"
        "values.pop('prefixes')\n"
        "fit(TrainConfig(**values))\n"
    )
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    told = [*command, json.dumps(config.to_dict())]
    done = subprocess.run([sys.executable, *told], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_two_processes_learn_what_one_does_from_the_same_batches(config: TrainConfig, tmp_path: Path):
    # Nine drawings a step: the two shares differ in size. Dropout would be drawn by each process for itself.
    same = {"batch": 9, "steps": 20, "model": replace(MODEL, dropout=0.0)}
    one, two = (replace(config, out=tmp_path / name / "run", **same) for name in ("one", "two"))
    fit(one)
    in_two_processes(two)
    found = [[row for row in csv.DictReader((each.out / "log.csv").open())] for each in (one, two)]
    for column in ("loss", "valid"):
        first, second = ([float(row[column]) for row in rows if row[column]] for rows in found)
        assert first
        assert second == pytest.approx(first, abs=2e-4)
    for name, value in state(one.out).items():
        torch.testing.assert_close(state(two.out)[name], value, atol=1e-4, rtol=1e-3)


def test_what_is_faster_is_chosen_unless_told(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    assert isinstance(bfloat16_pays(torch.device("cpu")), bool)
    for pays in (True, False):
        monkeypatch.setattr(loop, "bfloat16_pays", lambda device, pays=pays: pays)
        assert Run(replace(config, bfloat16=None)).bfloat16 is pays
        assert Run(replace(config, bfloat16=not pays)).bfloat16 is not pays


def test_a_run_whose_state_lies_under_the_old_name_is_not_begun_anew(config: TrainConfig):
    fit(replace(config, steps=2))
    (config.out / "state").rename(config.out / ".state.old")
    with pytest.raises(OutputError, match="--resume"):
        fit(config)
    fit(config, resume=True)
    assert position(config.out)["step"] == 20


def test_a_run_may_start_from_what_another_has_learned(config: TrainConfig, tmp_path: Path):
    first = fit(config)
    old, _ = load_network(first)
    lines = [json.dumps({"word": "owl", "drawing": [[[0, 255, k], [0, k, 200]]]}) + "\n" for k in range(60)]
    (tmp_path / "owl.ndjson").write_text("".join(lines))
    prepare([tmp_path / "owl.ndjson"], tmp_path / "owls")
    tuning = TrainConfig(
        tmp_path / "owls", tmp_path / "tuned", steps=20, batch=8, start=str(first), threads=1
    )
    run = Run(tuning)
    names = old.config.categories
    assert run.model.config.categories == (*names, "owl")
    assert run.model.config.offset_scale == old.config.offset_scale
    assert set(run.train.category.tolist()) == {len(names)}
    before, after = old.state_dict(), weights(run)
    rows = after.pop("category.weight")
    assert torch.equal(rows[: len(names)], before["category.weight"][:-1])
    # The new one and "any" both begin as "any".
    assert torch.equal(rows[len(names) :], before["category.weight"][-1:].repeat(2, 1))
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    unseen = step_log_prob(old, evaluation_batch(run.valid, np.random.default_rng(0), 0.0)).sum()
    tuned, _ = load_network(fit(tuning))
    assert tuned.config.categories == (*names, "owl")
    seen = step_log_prob(tuned, evaluation_batch(run.valid, np.random.default_rng(0), 0.0)).sum()
    assert float(seen.detach()) > float(unseen.detach())


def test_learning_more_of_what_is_known_adds_no_category(config: TrainConfig):
    first = fit(replace(config, steps=2))
    again = Run(replace(config, out=config.out.parent / "again", start=str(first)))
    assert again.model.config.categories == load_network(first)[0].config.categories


def test_a_run_that_starts_from_a_checkpoint_resumes_exactly(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = fit(replace(config, steps=3))
    whole, parts = (
        replace(config, start=str(first), steps=12, out=tmp_path / name) for name in ("whole", "parts")
    )
    fit(whole)
    monkeypatch.setattr(loop, "LOG_EVERY", 5)
    fit(parts, report=interrupt)
    assert position(parts.out)["step"] == 5
    fit(parts, resume=True)
    straight, resumed = state(whole.out), state(parts.out)
    assert all(torch.equal(value, resumed[name]) for name, value in straight.items())


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
