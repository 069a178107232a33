"""Figures with standard errors over drawings, for all categories and by how often they were trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.store import Store

DEEP = 300
"""Training drawings from which on a category is called deep; the others are rare."""

Values = NDArray[np.floating] | NDArray[np.integer]
Figure = dict[str, Any]

Progress = Callable[[str, int, int], None]
"""Called with what is being measured, how much is done, and how much there is."""
Groups = dict[str, NDArray[np.bool_]]
"""Which drawings belong to a part of the set: "all", and where the depth is known "deep" and "rare"."""


def figure(value: float, error: float | None, **others: Any) -> Figure:
    """Return a value with its standard error as plain JSON; what is not finite becomes None."""
    finite = [None if item is None or not np.isfinite(item) else float(item) for item in (value, error)]
    return {"value": finite[0], "standard_error": finite[1], **others}


def mean(values: Values) -> Figure:
    """Return the mean over drawings."""
    count = len(values)
    if not count:
        return figure(np.nan, None)
    error = float(np.std(values, ddof=1) / np.sqrt(count)) if count > 1 else None
    return figure(float(np.mean(values)), error)


def ratio(top: Values, bottom: Values) -> Figure:
    """Return the sum of one over the sum of the other.

    The standard error is that of a ratio estimator: the root of the summed squares of top - ratio * bottom,
    over the sum of `bottom` (Cochran 1977, Sampling Techniques, section 6.4).
    """
    total = float(np.sum(bottom))
    if not len(top) or total == 0.0:
        return figure(np.nan, None)
    value = float(np.sum(top)) / total
    error = float(np.sqrt(np.sum((top - value * bottom) ** 2))) / abs(total)
    return figure(value, error)


def category_counts(source: Path, summary: Mapping[str, Any]) -> dict[str, int] | None:
    """Return the number of training drawings of each category, if it is known.

    A store's own counts are of all splits; they are multiplied by the training split's share. Without a store
    a mapping `categories` in the model's summary is taken, if it has one.
    """
    if (source / "store.json").is_file():
        about = Store.open(source).summary
        counts, kept = about.get("statistics", {}).get("by_category"), about.get("kept")
        if isinstance(counts, Mapping) and isinstance(kept, Mapping) and sum(kept.values()):
            share = kept.get("train", 0) / sum(kept.values())
            return {str(name): round(count * share) for name, count in counts.items()}
    counts = summary.get("categories")
    if isinstance(counts, Mapping) and all(isinstance(count, int) for count in counts.values()):
        return {str(name): int(count) for name, count in counts.items()}
    return None


def depth_groups(names: Sequence[str], counts: Mapping[str, int] | None) -> Groups:
    """Return which drawings are of deep and of rare categories, given the name of each one's category."""
    groups = {"all": np.ones(len(names), dtype=bool)}
    if counts is not None:
        deep = np.array([counts.get(name, 0) >= DEEP for name in names], dtype=bool)
        groups |= {"deep": deep, "rare": ~deep}
    return groups
