"""The command that recognises drawings."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from sketchgen import limits
from sketchgen.cli.command import FILES, Problems, command, emit, input_path, option
from sketchgen.errors import SketchError, SketchgenError

BATCH = 1024
"""Drawings that are read and recognised together, so that memory does not grow with a file."""


@command(
    "recognise",
    "Draw",
    """
    sketchgen recognise drawing.svg
    sketchgen recognise example:half-a-cat example:car --top 3
    sketchgen recognise drawings.ndjson --json > guesses.ndjson
    sketchgen generate cat -n 20 -f ndjson | sketchgen recognise - --top 1
    """,
)
@FILES
@option("--top", 5, "Number of categories to name.")
@option("--checkpoint NAME|FOLDER", str, "Classifier: a bundled one, or a folder.  [default: recogniser345]")
@option("--json as_json", False, "Print one JSON object for each drawing.")
def recognise(files: tuple[str, ...], top: int, checkpoint: str | None, as_json: bool) -> int:
    """Recognise what drawings show, complete or partial.

    Prints the likeliest categories of each drawing with their probabilities. FILE is as for complete.
    """
    limits.check_range("top", top, 1)

    from sketchgen.models.recogniser import load_recogniser

    classifier, problems = load_recogniser(checkpoint), Problems()
    named = (pair for file in files for pair in drawings(file, problems, "recognise"))
    while batch := list(itertools.islice(named, BATCH)):
        log_prob = classifier.read([sketch for _, sketch in batch]).log_prob
        for (name, _), row in zip(batch, log_prob, strict=True):
            guesses = classifier.ranked(row, top)
            if as_json:
                found = [
                    {"category": one.category, "probability": round(one.probability, 6)} for one in guesses
                ]
                emit(json.dumps({"drawing": name, "guesses": found}, ensure_ascii=False))
            else:
                emit(f"{name}: " + ", ".join(f"{one.category} {one.probability:.1%}" for one in guesses))
    return problems.status()


def drawings(name: str, problems: Problems, purpose: str) -> Iterator[tuple[str, Any]]:
    """Yield (name, drawing) of all in an input that is not empty; `purpose` is a verb for errors."""
    from sketchgen.formats.read_write import entries

    path = input_path(name)
    found = entries("-" if path is None else path)
    try:
        first = list(itertools.islice(found, 2))
        for number, entry in enumerate(itertools.chain(first, found), 1):
            shown = name if len(first) == 1 else f"{name}, drawing {number}"
            if isinstance(entry, SketchgenError):
                problems.add(entry)
            elif entry.sketch.is_empty:
                problems.add(SketchError(f"{shown} is empty; there must be a point to {purpose}"))
            else:
                yield shown, entry.sketch
    except SketchgenError as error:
        problems.add(error)
