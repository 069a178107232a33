"""`evaluate`: every figure of a checkpoint on a set of drawings, as one plain object."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sketchgen.data.prepare import read_drawings
from sketchgen.data.store import Drawings, Store
from sketchgen.errors import FormatError, SettingError
from sketchgen.evaluation.likelihood import FRACTIONS, Scores, by_category, score
from sketchgen.generate.completer import Completer, load
from sketchgen.model.strokemodel import StrokeModel, as_network

TEMPERATURES = (0.0, 0.25, 0.5, 1.0)
"""Temperatures at which the share of drawings that end by themselves is measured."""

END_LIMIT = 200
"""Points within which a drawing must have ended."""

SAMPLE_BATCH = 256

Progress = Callable[[str, int, int], None]
"""Called with what is being measured, how much is done, and how much there is."""


def source_drawings(source: Path, split: str) -> tuple[Drawings, str]:
    """The drawings of a store's split, or all of an ndjson file or folder, and what to call them."""
    if (source / "store.json").is_file():
        return Store.open(source).split(split).drawings(), split
    return read_drawings(source)[0], "all"


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
    checkpoint: Completer | str | os.PathLike[str] | None,
    source: str | os.PathLike[str],
    *,
    split: str = "valid",
    limit: int | None = None,
    samples: int = 512,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure a checkpoint on a prepared store or on ndjson that it has never seen.

    Args:
        checkpoint: a completer, or a name or path that `load` takes.
        source: a store, an ndjson file, or a folder of ndjson files.
        split: which split of a store.
        limit: most drawings, those with the smallest hashes; None for all.
        samples: drawings sampled for each temperature; 0 for none.
        seed: of dequantisation and sampling.
        progress: called now and then.

    Returns:
        nats_per_point, nats_per_sketch and their standard errors; `suffix` by share given; `by_category`;
        `ended` by temperature; counts; the checkpoint's name. All plain JSON values.

    Raises:
        CheckpointError: no such checkpoint.
        FormatError: no drawings.
        SettingError: a limit or a number of samples below its least.
    """
    if limit is not None and limit < 1:
        raise SettingError(f"limit must be 1 or more drawings, not {limit}")
    if samples < 0:
        raise SettingError(f"samples must be 0 or more, not {samples}")
    report: Progress = progress or (lambda what, done, of: None)
    completer = checkpoint if isinstance(checkpoint, Completer) else load(checkpoint)
    drawings, called = source_drawings(Path(source), split)
    if not len(drawings):
        raise FormatError(f"{source} has no drawing in its {called} split")
    if limit is not None and limit < len(drawings):
        drawings = drawings.take(np.sort(np.argsort(drawings.key, kind="stable")[:limit]))
    # A category that the model does not know is "any" to it.
    mapped = replace(drawings, category=drawings.known_as(completer.categories))
    network = as_network(completer.config, completer.decoder.weights())
    scores = {
        fraction: _score(network, mapped, fraction, seed, report, position)
        for position, fraction in enumerate(FRACTIONS)
    }
    whole = scores[0.0]
    per_point, per_sketch = whole.per_point(), whole.per_sketch()
    return {
        "checkpoint": completer.name,
        "source": Path(source).name,
        "split": called,
        "seed": seed,
        "drawings": len(drawings),
        "points": int(whole.points.sum()),
        "nats_per_point": per_point[0],
        "nats_per_point_se": per_point[1],
        "nats_per_sketch": per_sketch[0],
        "nats_per_sketch_se": per_sketch[1],
        "suffix": {f"{fraction:g}": _suffix(item) for fraction, item in scores.items()},
        "by_category": by_category(replace(whole, category=drawings.category), drawings.categories),
        "ended": ended_shares(completer, samples, seed, report) if samples else {},
        "samples": samples,
    }


def _score(
    network: StrokeModel, drawings: Drawings, fraction: float, seed: int, report: Progress, position: int
) -> Scores:
    done = position * len(drawings)

    def advance(count: int) -> None:
        nonlocal done
        done += count
        report("likelihood", done, len(FRACTIONS) * len(drawings))

    return score(network, drawings, fraction, seed=seed, progress=advance)


def _suffix(scores: Scores) -> dict[str, Any]:
    value, error = scores.per_point()
    return {"nats_per_point": value, "standard_error": error, "points": int(scores.points.sum())}
