"""What is usual in a category: how much ink, how much of it drawn twice or standing apart, and how symmetric.

A cat of two ears is no cat yet, however good the second ear is: its ink is far less than that of other cats.
Rain stands apart from its cloud, but a wheel does not from its car; and a picture frame is drawn twice. An
owl looks at us, but a bird stands sideways: what makes it as even as an owl is a second head.
`datasets/usual_ink.json` has this for each category, from training drawings (`benchmarks/usual_ink.py`).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sketchgen.resources import bundled
from sketchgen.sketch.geometry import line_length
from sketchgen.sketch.sketch import Completion, Sketch

SLIGHT = 0.5
"""Added ink below this share of the median of the candidates is slight."""

MAX_RATIO = 3.0
"""Largest log of a ratio of ink: what is added may have no length at all."""


class UsualInk(NamedTuple):
    """What is usual in a category.

    Attributes:
        length: mean of the log of the ink's length over the longer side of the drawing.
        deviation: its standard deviation.
        redrawn: mean share of the ink by which people complete drawings that is redrawn; see `ranking.flaws`.
        detached: the same of detached ink.
        symmetry: mean share of the ink that is its own image in an upright mirror (`ranking.geometry_prior`),
            and a standard deviation more.
    """

    length: float
    deviation: float
    redrawn: float
    detached: float
    symmetry: float


@functools.cache
def usual_ink() -> dict[str, UsualInk]:
    """Return what is usual in each category."""
    text = bundled("datasets", "usual_ink.json").read_text(encoding="utf-8")
    return {category: UsualInk(*values) for category, values in json.loads(text).items()}


def log_length(sketch: Sketch) -> float:
    """Return the log of the ink's length over the longer side of a drawing; very small for a dot."""
    bounds = sketch.bounds
    side = max(bounds.longer, 1e-300) if bounds is not None else 1e-300
    return _log(line_length(sketch.strokes) / side)


def unfinished(
    completions: Sequence[Completion], categories: Sequence[str | None]
) -> Float[np.ndarray, " n"]:
    """Return by how much the log of the ink falls short of what all but few drawings of the category have.

    It is 0 where there is more ink than a standard deviation below the mean, or the category is unknown.
    """
    found = np.zeros(len(completions))
    for row, (completion, category) in enumerate(zip(completions, categories, strict=True)):
        usual = usual_ink().get(category or "")
        if usual is not None:
            found[row] = usual.length - usual.deviation - log_length(completion.whole)
    return found.clip(0.0, MAX_RATIO)


def slight(completions: Sequence[Completion]) -> Float[np.ndarray, " n"]:
    """Return by how much the log of the added ink falls short of `SLIGHT` of the candidates' median."""
    lengths = [line_length(each.added.strokes) for each in completions]
    middle = float(np.median(lengths)) if len(lengths) else 0.0
    if middle <= 0.0:
        return np.zeros(len(completions))
    return np.array([_log(SLIGHT * middle) - _log(length) for length in lengths]).clip(0.0, MAX_RATIO)


def beyond_usual(
    shares: Float[np.ndarray, "n 2"], categories: Sequence[str | None]
) -> Float[np.ndarray, "n 2"]:
    """Return by how much shares of redrawn and detached ink exceed what is usual in the category of each."""
    usual = [usual_ink().get(category or "") for category in categories]
    expected = [(0.0, 0.0) if each is None else (each.redrawn, each.detached) for each in usual]
    return np.maximum(shares - np.reshape(expected, (-1, 2)), 0.0)


def usual_symmetry(category: str | None) -> float:
    """Return the symmetry that all but few drawings of a category stay below; 1 for an unknown one."""
    usual = usual_ink().get(category or "")
    return 1.0 if usual is None else usual.symmetry


def _log(length: float) -> float:
    """Return the log; of dots, which have no length, a very small one."""
    return float(np.log(max(length, 1e-9)))
