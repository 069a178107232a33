"""`evaluate`: every figure of a checkpoint on a set of drawings, as one plain object, and as a page."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer, load
from sketchgen.errors import SettingError
from sketchgen.evaluation.completion_metrics import (
    copying_table,
    distance_table,
    model_nearness,
    name_completions,
    recognition_table,
    retrieval_nearness,
)
from sketchgen.evaluation.figures import category_counts
from sketchgen.evaluation.nats import likelihood_figures
from sketchgen.evaluation.recognition import Judge, load_judge
from sketchgen.evaluation.report_files import check_report, write_report
from sketchgen.evaluation.source import Source, open_source
from sketchgen.evaluation.task import TEMPERATURES as FINISHED_AT
from sketchgen.evaluation.task import Task, about_judge, make_task, training_drawings

TEMPERATURES = (0.0, 0.25, 0.5, 1.0)
"""Temperatures at which the share of drawings that end by themselves is measured."""

END_LIMIT = 200
"""Points within which a drawing must have ended."""

SAMPLE_BATCH = 256

SAMPLES = 512
"""Drawings that are finished, and drawn from nothing, unless asked for another number."""

PROTOCOLS = ("all", "likelihood")
Progress = Callable[[str, int, int], None]
"""Called with what is being measured, how much is done, and how much there is."""

Checkpoint = Completer | str | os.PathLike[str] | None


def opened(checkpoint: Checkpoint, guidance: float | None = None) -> Completer:
    """A completer, or the one that `load` finds, under a guidance if it can be guided."""
    model = checkpoint if isinstance(checkpoint, Completer) else load(checkpoint)
    return model if guidance is None or not model.guidable else model.guided(guidance)


def opened_judge(judge: Judge | str | os.PathLike[str] | None) -> Judge:
    """A judge, or the recogniser of that name."""
    return load_judge(judge) if judge is None or isinstance(judge, str | os.PathLike) else judge


def check_settings(samples: int, protocol: str, limit: int | None) -> None:
    """Check what `evaluate` and `compare` are asked for.

    Raises:
        SettingError: a limit or a number of samples below its least, or an unknown protocol.
    """
    if limit is not None and limit < 1:
        raise SettingError(f"limit must be 1 or more drawings, not {limit}")
    if samples < 0:
        raise SettingError(f"samples must be 0 or more, not {samples}")
    if protocol not in PROTOCOLS:
        raise SettingError(f"no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")


def ended_shares(completer: Completer, samples: int, seed: int, progress: Progress) -> dict[str, Any]:
    """Share of drawings from nothing that end by themselves under `END_LIMIT` points, by temperature."""
    shares: dict[str, Any] = {}
    for number, temperature in enumerate(TEMPERATURES):
        ended: list[bool] = []
        for first in range(0, samples, SAMPLE_BATCH):
            count = min(SAMPLE_BATCH, samples - first)
            labels = [(first + index) % len(completer.categories) for index in range(count)]
            ended += completer.sample_many(labels, temperature, seed + first, END_LIMIT).ended.tolist()
            progress("ended", number * samples + len(ended), len(TEMPERATURES) * samples)
        share = float(np.mean(ended))
        error = float(np.sqrt(share * (1 - share) / samples))
        shares[f"{temperature:g}"] = {"share": share, "standard_error": error}
    return shares


def evaluate(
    checkpoint: Checkpoint,
    source: str | os.PathLike[str],
    *,
    split: str = "valid",
    limit: int | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    protocol: str = "all",
    judge: Judge | str | os.PathLike[str] | None = None,
    against: Sequence[Checkpoint] = (),
    training: str | os.PathLike[str] | None = None,
    temperatures: Sequence[float] = FINISHED_AT,
    guidance: float | None = None,
    report: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure a checkpoint on a prepared store or on ndjson that it has never seen.

    What each figure means stands in docs/evaluation.md.

    Args:
        checkpoint: a completer, or a name or path that `load` takes.
        source: a store, an ndjson file, or a folder of ndjson files.
        split: which split of a store.
        limit: most drawings, those with the smallest hashes; None for all.
        samples: drawings sampled at each temperature, and drawings finished; 0 for likelihood alone.
        seed: of dequantisation and sampling.
        protocol: "all", or "likelihood" without what a judge or training drawings are needed for.
        judge: who names drawings, or the name or path of one; None for the bundled recogniser.
        against: other models for the same tables.
        training: a store whose training drawings are searched; None for `source`, if it is a store.
        temperatures: at which drawings are finished.
        guidance: of all models that can be guided; None for what each of them has.
        report: where a page goes, .html or .md; None for none.
        force: replace a page that stands there.
        progress: called now and then.

    Returns:
        The checkpoint's figures, and those of the others in a list `against`. All plain JSON values.

    Raises:
        CategoryError: the judge knows none of the categories.
        CheckpointError: no such checkpoint or judge.
        FormatError: no drawings.
        OutputError: the page cannot be written.
        SettingError: a limit, a number of samples, a temperature or a guidance outside its limits, or an
                unknown suffix.
    """
    check_settings(samples, protocol, limit)
    target = None if report is None else check_report(Path(report), force=force)
    say: Progress = progress or (lambda what, done, of: None)
    models = [opened(item, guidance) for item in (checkpoint, *against)]
    namer = opened_judge(judge) if protocol == "all" and samples else None
    found = open_source(Path(source), split, limit)
    counts = category_counts(found.path, models[0].summary)
    task = None
    if namer is not None:
        searched = training_drawings(found.path if training is None else Path(training))
        settings = {"samples": samples, "temperatures": temperatures, "seed": seed, "report": say}
        task = make_task(found.drawings, counts, namer, searched, **settings)
    parts = [_measured(model, found, counts, task, samples, seed, say) for model in models]
    result = _header(found, seed) | parts[0] | {"samples": samples}
    if task is not None:
        result |= _beside(task, found)
    if len(parts) > 1:
        result["against"] = parts[1:]
    if target is not None:
        write_report(target, result, models[0], found.drawings, force=force)
    return result


def _header(found: Source, seed: int) -> dict[str, Any]:
    drawings = found.drawings
    return {
        "source": found.path.name,
        "split": found.split,
        "seed": seed,
        "drawings": len(drawings),
        "points": len(drawings.points),
    }


def _measured(
    model: Completer,
    found: Source,
    counts: dict[str, int] | None,
    task: Task | None,
    samples: int,
    seed: int,
    report: Progress,
) -> dict[str, Any]:
    """All figures of one model."""
    result = {"checkpoint": model.name, "guidance": model.guidance} | likelihood_figures(
        model, found.drawings, counts, seed, report
    )
    result["ended"] = ended_shares(model, samples, seed, report) if samples else {}
    if task is None:
        return result
    named = name_completions(task, model)
    temperature = named.temperature["scale known"]
    ways = model_nearness(task, model, temperature)
    return result | {
        "temperature": temperature,
        "recognition": recognition_table(task, named),
        "ten_ways": {f"{share:g}": item.table(task.groups) for share, item in ways.items()},
        "distances": distance_table(task, named),
        "copying": copying_table(task, model, temperature),
    }


def _beside(task: Task, found: Source) -> dict[str, Any]:
    """What is the same whatever model is measured: the judge, and the figures without a model."""
    nearest = retrieval_nearness(task)
    return {
        "judge": about_judge(task.judge, found.drawings),
        "finished": len(task.sketches),
        "searched": 0 if task.training is None else len(task.training),
        "baselines": {
            "retrieval_ten_ways": {f"{share:g}": item.table(task.groups) for share, item in nearest.items()},
            "distances": distance_table(task, None),
        },
    }
