"""What the subcommands of the recogniser do; see `sketchgen.cli.commands`."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sketchgen import example
from sketchgen.cli.recogniser_options import Recognise, TrainCritic, TrainRecogniser
from sketchgen.cli.times import duration
from sketchgen.errors import SettingError, SketchError

AT_ONCE = 1024
"""Drawings that are read and recognised together: memory does not grow with a file."""

EXAMPLE = "example:"
"""What begins a name that stands for a bundled file."""


def recognise(options: Recognise) -> None:
    """Print what the drawings of files are of.

    Raises:
        SketchgenError: a file or a drawing in it cannot be read, or no recogniser is there.
    """
    if not options.files:
        raise SettingError("no files; name drawings, such as drawing.svg, or - for standard input")
    if options.top < 1:
        raise SettingError(f"top is {options.top}; it must be 1 or more")

    from sketchgen.models.recogniser import load_recogniser

    recogniser = load_recogniser(options.checkpoint)
    named = (pair for file in options.files for pair in _drawings(file))
    while chunk := list(itertools.islice(named, AT_ONCE)):
        empty = next((name for name, sketch in chunk if sketch.is_empty), None)
        if empty is not None:
            raise SketchError(f"{empty} is empty; there must be a point to recognise")
        log_prob = recogniser.read([sketch for _, sketch in chunk]).log_prob
        for (name, _), row in zip(chunk, log_prob, strict=True):
            guesses = recogniser.ranked(row, options.top)
            sys.stdout.write((_as_json if options.json else _as_words)(name, guesses) + "\n")


def _drawings(source: str) -> Iterator[tuple[str, Any]]:
    """(name, drawing) of everything that a source holds; several of a file are numbered."""
    from sketchgen.formats.read_write import read_all

    path = str(example(source.removeprefix(EXAMPLE))) if source.startswith(EXAMPLE) else source
    sketches = iter(read_all(path))
    first = list(itertools.islice(sketches, 2))
    if len(first) == 1:
        yield source, first[0]
        return
    for number, sketch in enumerate(itertools.chain(first, sketches), 1):
        yield f"{source}, drawing {number}", sketch


def _as_json(name: str, guesses: Sequence[Any]) -> str:
    """The guesses of a drawing as one JSON object."""
    found = [{"category": guess.category, "probability": round(guess.probability, 6)} for guess in guesses]
    return json.dumps({"drawing": name, "guesses": found}, ensure_ascii=False)


def _as_words(name: str, guesses: Sequence[Any]) -> str:
    """The guesses of a drawing on one line."""
    return f"{name}: " + ", ".join(f"{guess.category} {guess.probability:.1%}" for guess in guesses)


def train_recogniser(options: TrainRecogniser) -> None:
    """Train a recogniser or a judge of pictures, and print the folder of its checkpoint.

    Raises:
        SketchgenError: there is no store, a setting is outside its limits, or the run cannot be written.
    """
    limit = _checked(options)

    from sketchgen.cli.running import shown_run
    from sketchgen.training.config import LIGHT, LIGHT_PICTURES, ClassifierTrainConfig
    from sketchgen.training.trainer import fit

    names = ("steps", "batch", "learning_rate", "threads", "seed", "start")
    told: dict[str, Any] = {name: getattr(options, name) for name in names}
    settings = {name: value for name, value in told.items() if value is not None}
    if options.calm:
        settings["augment"] = LIGHT_PICTURES if options.pictures else LIGHT
    settings |= {"time_limit": limit, "pictures": options.pictures}
    config = ClassifierTrainConfig(Path(options.store), options.out, **settings)
    folder = fit(config, resume=options.resume, **shown_run())
    sys.stdout.write(f"{folder}\n")


def train_critic(options: TrainCritic) -> None:
    """Train a critic, and print the folder of its checkpoint.

    Raises:
        SketchgenError: there is no store, a setting is outside its limits, or the run cannot be written.
    """
    limit = _checked(options)
    if options.jobs is not None and options.jobs < 1:
        raise SettingError(f"jobs is {options.jobs}; it must be 1 or more")

    from sketchgen.cli.progress import usable_cores
    from sketchgen.cli.running import shown_run
    from sketchgen.training.config import RewardTrainConfig
    from sketchgen.training.trainer import fit

    names = ("steps", "batch", "learning_rate", "threads", "seed", "start")
    settings: dict[str, Any] = {name: getattr(options, name) for name in names}
    settings |= {"time_limit": limit, "checkpoint": options.model, "classifier": options.recogniser}
    settings |= {"sketches": options.beginnings, "candidates_per_sketch": options.ways}
    settings |= {"candidates": tuple(options.rehearsals), "jobs": options.jobs or usable_cores()}
    config = RewardTrainConfig(options.store, options.out, **settings)
    folder = fit(config, resume=options.resume, **shown_run())
    sys.stdout.write(f"{folder}\n")


def _checked(options: TrainRecogniser | TrainCritic) -> float | None:
    """The seconds of a training, its other settings checked as far as that is quick."""
    if options.threads is not None and options.threads < 1:
        raise SettingError(f"threads is {options.threads}; it must be 1 or more")
    limit = None if options.time_limit is None else duration(options.time_limit, "time_limit")
    if not options.store.is_dir():
        raise SettingError(f"{options.store} is no store; make one with sketchgen prepare SOURCES -o STORE")
    return limit
