"""Choosing: of several candidates for a drawing the one that the recogniser is surest of.

A model that draws does not see what it has drawn, and a start that it misread it goes on with to the end. Who
looks at the whole sees that. What it brings was measured by another judge, who has no say in it:
`benchmarks/best_of.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from sketchgen.drawing.sketch import Completion, Sketch
from sketchgen.errors import unknown_category
from sketchgen.recognition.recogniser import Recogniser


def worth(
    recogniser: Recogniser, wholes: Sequence[Sketch], category: str, ended: Sequence[bool]
) -> Float[np.ndarray, " n"]:
    """What each candidate is worth: how sure the recogniser is that it is of the category, 0 to 1.

    Something comes before nothing at all, and what the model ended before what it was stopped in.

    Args:
        recogniser: who looks at them.
        wholes: the finished drawings.
        category: one of the recogniser's.
        ended: which of them the model ended.

    Raises:
        CategoryError: the recogniser does not know the category.
    """
    if category not in recogniser.categories:
        raise unknown_category(category, recogniser.categories)
    value = np.zeros(len(wholes))
    shown = [index for index, whole in enumerate(wholes) if not whole.is_empty]
    if shown:
        column = recogniser.categories.index(category)
        value[shown] = 2.0 + np.exp(recogniser.read([wholes[index] for index in shown]).log_prob[:, column])
    return value + 4.0 * np.asarray(ended, dtype=bool)


def best_rows(worths: Float[np.ndarray, " n"], candidates: int) -> NDArray[np.int64]:
    """Which of n candidates, `candidates` in a row for each drawing, are the best; the first of equals."""
    rows = worths.reshape(-1, candidates)
    return np.arange(len(rows)) * candidates + rows.argmax(1)


def best_completions(
    recogniser: Recogniser, found: Sequence[Completion], category: str, candidates: int
) -> list[Completion]:
    """The best of each `candidates` completions in a row; see `worth`.

    A candidate that added nothing counts as one that did not end.
    """
    ended = [each.ended and not each.added.is_empty for each in found]
    worths = worth(recogniser, [each.whole for each in found], category, ended)
    return [found[int(row)] for row in best_rows(worths, candidates)]
