from __future__ import annotations

import itertools

import numpy as np
import pytest

from sketchgen.formats.svg_clip import Region, clipped

SQUARE = np.array([[2.0, 2], [8, 2], [8, 8], [2, 8], [2, 2]])
RING = Region((SQUARE, 5 + (SQUARE - 5) / 3), even_odd=True)
DIAMOND = Region((np.array([[5.0, 0], [10, 5], [5, 10], [0, 5]]),))


def lists(line, *regions):
    return [piece.round(9).tolist() for piece in clipped(np.array(line, dtype=float), regions)]


@pytest.mark.parametrize(
    ("line", "regions", "expected"),
    [
        ([[0, 5], [10, 5]], [Region((SQUARE,))], [[[2, 5], [8, 5]]]),
        ([[0, 5], [5, 5], [5, 0]], [Region((SQUARE,))], [[[2, 5], [5, 5], [5, 2]]]),
        ([[0, 5], [10, 5]], [RING], [[[2, 5], [4, 5]], [[6, 5], [8, 5]]]),
        ([[0, 2], [10, 2]], [DIAMOND], [[[3, 2], [7, 2]]]),
        ([[2, 2], [8, 2]], [Region((SQUARE,))], [[[2, 2], [8, 2]]]),
        ([[0, 0], [1, 1]], [DIAMOND], []),
        ([[0, 5], [10, 5]], [Region((SQUARE / 2,)), Region((SQUARE / 2 + 5,))], []),
        ([[0, 3], [10, 3]], [Region((SQUARE / 2,)), Region((SQUARE - 0.5,))], [[[1, 3], [7.5, 3]]]),
        ([[5, 5]], [DIAMOND], [[[5, 5]]]),
        ([[5, 5]], [RING], []),
        ([[5, 5], [6, 6]], [], []),
    ],
)
def test_what_is_inside(line, regions, expected):
    assert lists(line, *regions) == expected


def test_a_closed_line_stays_in_one_piece_where_it_starts():
    assert lists([[5, 5], [5, 20], [6, 20], [6, 5], [5, 5]], Region((SQUARE,))) == [
        [[6, 8], [6, 5], [5, 5], [5, 8]]
    ]


def test_a_line_that_is_all_inside_is_itself():
    line = np.array([[3.1, 3.3], [7.7, 5.1]])
    assert clipped(line, [Region((SQUARE,))])[0] is line


def test_clipping_agrees_with_points_along_the_line():
    generator = np.random.default_rng(1)
    star = Region((generator.uniform(0, 10, (9, 2)),))
    line = generator.uniform(0, 10, (20, 2))
    t = np.linspace(0, 1, 400)[:, None]
    along = np.concatenate([a + t * (b - a) for a, b in itertools.pairwise(line)])
    length = np.hypot(*np.diff(along, axis=0).T)
    expected = length[star.contains(along)[1:]].sum()
    found = sum(np.hypot(*np.diff(piece, axis=0).T).sum() for piece in clipped(line, [star]))
    assert found == pytest.approx(expected, rel=0.01)
