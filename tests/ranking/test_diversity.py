"""Laws of diverse sets."""

from __future__ import annotations

import numpy as np

from sketchgen.ranking.diversity import select_diverse


def chosen(score: list[float], groups: str, count: int, usable: list[tuple[bool, bool]] | None = None):
    """Select among candidates of which those with the same letter are alike."""
    similarity = np.array([[float(one == other) for other in groups] for one in groups])
    order = sorted(range(len(score)), key=lambda row: -score[row])
    good = usable or [(True, True)] * len(score)
    return select_diverse(order, good, np.array(score, dtype=float), similarity, count)


def test_further_ones_are_what_those_before_lack() -> None:
    assert chosen([0.0] * 7, "aaaabbc", 3) == [0, 4, 6]
    # Odds decide, not numbers: one that is far better comes before several that are alike.
    assert chosen([0, 0, 0, 0, 0, 0, 20], "aaaabbc", 2) == [6, 0]
    assert chosen([9, 9, 9, 9, -9, -9, 0], "aaaabbc", 3) == [0, 6, 4]


def test_of_those_that_are_alike_the_better_one_comes_first() -> None:
    assert chosen([0, 3, 1], "aaa", 3) == [1, 2, 0]


def test_what_cannot_be_used_comes_last() -> None:
    usable = [(True, True), (True, False), (True, True), (False, True)]
    assert chosen([3, 2, 1, 0], "abac", 4, usable) == [0, 2, 1, 3]


def test_without_similarity_the_order_decides() -> None:
    order, usable = [2, 0, 1], [(True, True)] * 3
    score = np.array([-np.inf, -np.inf, 0.0])
    assert select_diverse(order, usable, score, np.zeros((3, 3)), 2) == [2, 0]
    assert select_diverse([], [], np.zeros(0), np.zeros((0, 0)), 3) == []
