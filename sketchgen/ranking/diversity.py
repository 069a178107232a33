"""A diverse set of candidates: several that are worth showing beside each other.

Nobody knows which candidate a person wants, and several that look alike are of little use. Each is wanted
with odds of exp(score / `TEMPERATURE`); a set is good if whatever is wanted is similar to one of its members.
This coverage is submodular, so that greedy selection is near the best set (Nemhauser, Wolsey and Fisher 1978,
"An analysis of approximations for maximizing submodular set functions").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

TEMPERATURE = 4.0
"""Nats by which the score of a candidate exceeds that of another which is wanted e times less often."""


def select_diverse(
    order: Sequence[int],
    usable: Sequence[tuple[bool, ...]],
    score: Float[np.ndarray, " n"],
    similarity: Float[np.ndarray, "n m"],
    count: int,
) -> list[int]:
    """Return the rows of a diverse set, the best candidate first.

    Args:
        order: all n rows, best first; ties are decided by it.
        usable: of each candidate, whether it adds anything, whether it ended and whether it has no flaw;
            these come before the others, however much coverage they add.
        score: of each candidate, without consensus: coverage accounts for what they have in common.
        similarity: of each candidate to the first m of them, 0 to 1. All zeros where candidates cannot be
            compared: the set is then the first ones of `order`.
        count: size of the set; n at most.
    """
    rows = list(order[: min(count, 1)])
    odds = np.exp((score - score.max()) / TEMPERATURE)[: similarity.shape[1]] if similarity.any() else 0.0
    place = {row: index for index, row in enumerate(order)}
    while len(rows) < min(count, len(order)):
        gain = (np.maximum(similarity - similarity[rows].max(0), 0.0) * odds).sum(1)
        left = [row for row in order if row not in rows]
        rows.append(max(left, key=lambda row: (*usable[row], gain[row], -place[row])))
    return rows
