"""The commands that train: train, sample-candidates, train-classifier, train-reward-model."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sketchgen import limits
from sketchgen.cli.command import check_store, command, emit, given, goes_on, option, options, say
from sketchgen.errors import SettingError

_NETWORK, _OPTIMISATION, _MACHINE = "Network", "Optimisation", "Machine"
_DISTIL, _PREFER, _REINFORCE = "Distillation", "Preference training", "Policy gradient"

CELLS = ("lstm", "gru", "rnn", "gated")

STORE = click.argument("store", type=Path)

RUN = options(
    option("-o --out RUN", Path, "Folder of the run.", required=True),
    option("--time-limit TIME", str, "Take 45s, 90m, 1h30m in all; a run needs this or --steps."),
    option("--steps", int, "Stop after this many steps."),
    option("--resume", False, "Go on with the run in RUN."),
    option("--from start NAME|FOLDER", str, "Start from a trained checkpoint."),
    option("-s --seed", int, "Random seed."),
    option("--batch", int, "Drawings a step, over all processes.", _OPTIMISATION),
    option("--learning-rate", float, "Peak learning rate.", _OPTIMISATION),
    option("--threads", int, "Threads of each process.", _MACHINE),
)
"""The options of every training run."""

BALANCE = option(
    "--balance", float, "0: every drawing as often; 1: every category as often.  [default: 0]", _OPTIMISATION
)

SKETCHES = options(
    option("--checkpoint NAME|FOLDER", str, "Model that completes.  [default: quickdraw345]"),
    option("--sketches", int, "Partial sketches to complete.  [default: 16384, or 32768]"),
    option("--candidates-per-sketch", 8, "Completions of each."),
    option("--jobs", int, "Processes that draw.  [default: one a core]"),
)
"""The options of commands that draw candidates to learn from."""


@command(
    "train",
    "Train",
    """
    sketchgen train store/ -o run/ --time-limit 90m
    sketchgen train store/ -o run/ --time-limit 3h --resume
    sketchgen train my-store/ -o owls/ --from quickdraw345 --time-limit 5m
    sketchgen train store/ -o small/ --preset tiny --teacher run/best --time-limit 30m
    sketchgen train store/ -o better/ --from quickdraw345 --reinforce 256 --time-limit 10m
    sketchgen train store/ -o held/ --from quickdraw345 --latent --time-limit 90m
    torchrun --nproc-per-node 2 -m sketchgen train store/ -o run/ --time-limit 90m --threads 1
    """,
)
@STORE
@RUN
@option("--preset", ("quickdraw345", "tiny", "sketch-rnn", "sketch-rnn-vae"), "Recipe to start from.")
@option("--cell", CELLS, "Recurrent cell.", _NETWORK)
@option("--layers", int, "Layers of the decoder.", _NETWORK)
@option("--width", int, "Units of a decoder layer.", _NETWORK)
@option("--components", int, "Gaussians in the mixture.", _NETWORK)
@option("--encoder-width", int, "Units of the encoder, each direction.", _NETWORK)
@option("--attention self_attention", int, "Width of the self-attention; 0 for none.", _NETWORK)
@option("--pointers", int, "Width of the pointers to earlier points; 0 for none.", _NETWORK)
@option("--latent", False, "Give it a latent vector, to interpolate drawings with.", _NETWORK)
@option("--dropout", float, "Share of a layer's outputs dropped.", _NETWORK)
@option(
    "--teacher teachers NAME|FOLDER", str, "Checkpoint to distil; several take turns.", _DISTIL, multiple=True
)
@option("--distillation", float, "Share of the teachers in the loss.  [default: 0.7]", _DISTIL)
@option("--candidates FOLDER", Path, "Learn preferences among these candidates.", _PREFER)
@option("--preference-weight", float, "Weight beside the likelihood.  [default: 1]", _PREFER)
@option("--reinforce", int, "Partial sketches to complete and learn from in a step, such as 256.", _REINFORCE)
@option("--rollouts", int, "Completions of each.  [default: 16]", _REINFORCE)
@option("--best-of", int, "Reward the best of so many.  [default: 1]", _REINFORCE)
@option("--reinforce-weight", float, "Weight beside the likelihood.  [default: 3]", _REINFORCE)
@option("--classifier NAME|FOLDER", str, "Rewards completions; not one to evaluate with.", _REINFORCE)
@option("--kl-weight", float, "Weight of a latent vector's divergence.  [default: 0.1]", _OPTIMISATION)
@BALANCE
@option("--patience", int, "Stop after so many validations without improvement.", _OPTIMISATION)
@option("--validate-every TIME", str, "Time between validations.  [default: 4m]", _MACHINE)
@option("--save-every TIME", str, "Time between saves.  [default: 1m]", _MACHINE)
@option("--pictures", int, "Drawings pictured at a validation.  [default: 12]", _MACHINE)
@option("--workers", int, "Processes that make batches ahead.", _MACHINE)
def train(store: Path, out: Path, resume: bool, preset: str | None, latent: bool, **settings: Any) -> None:
    """Train a model to complete drawings.

    STORE is made by sketchgen prepare. RUN gets the best and the last checkpoint, a log, and pictures. A GPU
    is used where there is one. Ctrl-C ends a run with everything saved, and --resume goes on.
    """
    began = time.monotonic()
    settings = _run_settings(store, settings)
    if "distillation" in settings and "teachers" not in settings:
        raise SettingError("--distillation is the share of teachers; name one by --teacher, or leave it out")
    if "preference_weight" in settings and "candidates" not in settings:
        raise SettingError("--preference-weight goes with --candidates FOLDER; add that, or leave it out")

    from sketchgen.training.config import ModelSettings, TrainConfig
    from sketchgen.training.distributed import rank
    from sketchgen.training.presets import PRESETS, Preset, with_latent
    from sketchgen.training.trainer import fit

    reinforce = _reinforce(settings)
    recipe = Preset(ModelSettings()) if preset is None else PRESETS[preset]
    shape = {name: settings.pop(name) for name in vars(ModelSettings()) if name in settings}
    model = replace(recipe.model, **shape)
    if "start" in settings and model != ModelSettings():
        raise SettingError(
            "a run that starts from a checkpoint has its shape; leave out --preset, --layers, ..."
        )
    if latent:
        recipe = with_latent(recipe)
        model = replace(model, latent=recipe.model.latent)
    if "kl_weight" in settings:
        if not model.latent:
            raise SettingError("--kl-weight is of a latent vector; add --latent, or leave it out")
        settings["bound"] = replace(recipe.bound, kl_weight=settings.pop("kl_weight"))
    settings = recipe.settings() | {"model": model, "reinforce": reinforce} | settings
    best = fit(TrainConfig(store=store, out=out, **settings), resume=resume, began=began, **_shown_run())
    # Under torchrun there are several processes, of which the first one speaks.
    if rank() == 0:
        emit(str(best))


@command(
    "sample-candidates",
    "Train",
    """
    sketchgen sample-candidates store/ -o candidates/
    sketchgen train store/ -o better/ --from quickdraw345 --candidates candidates/ --time-limit 30m
    """,
)
@STORE
@option("-o --out FOLDER", Path, "Where the candidates go.", required=True)
@SKETCHES
@option("-s --seed", 0, "Random seed.")
def sample_candidates(
    store: Path,
    out: Path,
    checkpoint: str | None,
    sketches: int | None,
    candidates_per_sketch: int,
    jobs: int | None,
    seed: int,
) -> None:
    """Sample candidate completions to learn preferences from.

    The model completes partial sketches of the store's training split several times; each candidate is scored
    against the person's own strokes. After an interruption the same command goes on where it stopped.
    """
    limits.check_range("jobs", jobs, 1)
    check_store(store)

    from sketchgen.cli.progress import usable_cores
    from sketchgen.training.candidates import CandidateSpec, draw_candidates

    spec = CandidateSpec(str(store), "train", checkpoint, sketches or 16384, candidates_per_sketch, seed)
    cores = jobs or usable_cores()
    with goes_on():
        draw_candidates(spec, out, cores, lambda done, count: say(f"{done:,} of {count:,} sketches"))
    emit(str(out))


@command(
    "train-classifier",
    "Train",
    """
    sketchgen train-classifier store/ -o run/ --time-limit 50m
    sketchgen train-classifier store/ -o last/ --from run/best --light-augmentation --time-limit 15m
    sketchgen recognise drawing.svg --checkpoint run/best
    sketchgen train-classifier store/ -o seen/ --pictures --batch 64 --time-limit 25m
    sketchgen train-classifier store/ -o small/ --cell gated --width 128 --one-way --time-limit 20m
    """,
)
@STORE
@RUN
@option("--pictures", False, "Train on pictures of ink instead of strokes, to evaluate with.")
@option("--cell", CELLS, "Recurrent cell.  [default: lstm]", _NETWORK)
@option("--width", int, "Units of a layer each way; once for each layer.", _NETWORK, multiple=True)
@option("--one-way", False, "Read forwards only, as the strokes are drawn.", _NETWORK)
@BALANCE
@option("--light-augmentation", False, "Change the drawings less, to end a training with.", _OPTIMISATION)
def train_classifier(
    store: Path,
    out: Path,
    resume: bool,
    pictures: bool,
    light_augmentation: bool,
    one_way: bool,
    **settings: Any,
) -> None:
    """Train a classifier, which recognises what a drawing shows.

    STORE is made by sketchgen prepare. It learns from complete and partial drawings, and leaves a checkpoint,
    RUN/best. Ctrl-C ends a run with everything saved, and --resume goes on.
    """
    began = time.monotonic()
    widths = settings.pop("width")
    settings = _run_settings(store, settings)

    from sketchgen.training.config import LIGHT, LIGHT_PICTURES, ClassifierSettings, ClassifierTrainConfig
    from sketchgen.training.trainer import fit

    usual = ClassifierSettings()
    cell = settings.pop("cell", usual.cell)
    settings["model"] = ClassifierSettings(cell, widths or usual.widths, one_way)
    if light_augmentation:
        settings["augment"] = LIGHT_PICTURES if pictures else LIGHT
    config = ClassifierTrainConfig(store, out, pictures=pictures, **settings)
    emit(str(fit(config, resume=resume, began=began, **_shown_run())))


@command(
    "train-reward-model",
    "Train",
    """
    sketchgen train-reward-model store/ -o run/ --time-limit 40m
    sketchgen train-reward-model store/ -o run/ --candidates candidates/ --time-limit 40m
    sketchgen train-reward-model store/ -o run/ --checkpoint mine/best --classifier names/last --steps 9000
    """,
)
@STORE
@RUN
@SKETCHES
@option(
    "--classifier NAME|FOLDER", str, "Of the store's categories, to begin with.  [default: recogniser345]"
)
@option("--candidates FOLDER", Path, "Learn from candidates drawn before; may be repeated.", multiple=True)
def train_reward_model(store: Path, out: Path, resume: bool, jobs: int | None, **settings: Any) -> None:
    """Train a reward model, which ranks several completions of a drawing.

    The model completes many partial sketches of the store; then a network learns which candidates are like
    the person's own strokes. It leaves a checkpoint, RUN/best. Ctrl-C ends a run with everything saved, and
    --resume goes on.
    """
    began = time.monotonic()
    limits.check_range("jobs", jobs, 1)
    settings = {"batch": 32, "learning_rate": 6e-4} | _run_settings(store, settings)

    from sketchgen.cli.progress import usable_cores
    from sketchgen.training.config import RewardTrainConfig
    from sketchgen.training.trainer import fit

    config = RewardTrainConfig(store, out, jobs=jobs or usable_cores(), **settings)
    with goes_on("with --resume it goes on where it stopped"):
        emit(str(fit(config, resume=resume, began=began, **_shown_run())))


def duration(text: str, name: str = "time_limit") -> float:
    """Return the seconds of a time such as "45s", "90m" or "1h30m"; `name` is what errors call it."""
    name = name.replace("_", " ")
    number = r"(\d+(?:\.\d+)?)"
    match = re.fullmatch(rf"(?:{number}h)?(?:{number}m)?(?:{number}s)?", text.strip().lower())
    if match is None or not any(match.groups()):
        raise SettingError(f"{name} {text[:40]!r} is no time; write one as 45s, 90m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not 0 < total <= limits.MAX_TRAINING_HOURS * 3600:
        most = limits.MAX_TRAINING_HOURS
        raise SettingError(f"{name} is {text[:40]!r}; it must be above 0 and at most {most}h")
    return total


def _run_settings(store: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run that were given, checked as far as that is quick."""
    settings = given(settings)
    for name in ("time_limit", "validate_every", "save_every"):
        if name in settings:
            settings[name] = duration(settings[name], name)
    for name in ("layers", "width", "components", "encoder_width", "batch", "steps", "threads", "patience"):
        limits.check_range(name.replace("_", " "), settings.get(name), 1)
    limits.check_range("seed", settings.get("seed"), 0, limits.MAX_SEED)
    check_store(store)
    return settings


def _reinforce(settings: dict[str, Any]) -> Any:
    """Take the settings of policy-gradient training out of all settings; None where there is none."""
    from sketchgen.training.config import ReinforceConfig

    names = {"reinforce": "sketches", "rollouts": "rollouts", "best_of": "best_of"}
    names |= {"reinforce_weight": "weight", "classifier": "classifier"}
    found = {new: settings.pop(old) for old, new in names.items() if old in settings}
    if found and "sketches" not in found:
        listed = "--rollouts, --best-of, --reinforce-weight and --classifier"
        raise SettingError(f"{listed} are for policy-gradient training; add --reinforce 256")
    return ReinforceConfig(**found) if found else None


def _shown_run() -> dict[str, Any]:
    """Return what `fit` calls: a bar and a line a validation on a terminal, else a line now and then."""
    from sketchgen.training.callbacks import ProgressBar

    if not sys.stderr.isatty():
        return {"report": lambda figures: say(_line(figures))}
    bar = ProgressBar()

    def report(figures: dict[str, Any]) -> None:
        if {"valid", "train", "warning"} & figures.keys():
            bar.say(_line(figures))

    return {"report": report, "callbacks": [bar]}


def _line(figures: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in figures.items()
        if value is not None
    )
