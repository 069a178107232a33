"""Signatures that were seen."""

from __future__ import annotations

import numpy as np

from sketchgen.jobs.near_duplicates import SeenSignatures, signature
from sketchgen.sketch.sketch import Sketch


def test_as_many_bits_as_allowed_make_a_near_duplicate_and_one_more_does_not() -> None:
    seen = SeenSignatures(3)
    seen.add(0, 7, bytes(32))
    codes = [bytes(31) + bytes([(1 << bits) - 1]) for bits in (2, 3, 4)]
    assert [seen.earlier(0, code) for code in codes] == [7, 7, None]
    assert seen.earlier(1, codes[0]) is None


def test_a_drawing_is_known_again_moved_and_larger_and_another_is_not() -> None:
    random = np.random.default_rng(2)
    strokes, other = random.uniform(0, 255, (2, 3, 6, 2))
    larger = strokes * 3 + random.uniform(-3, 3, strokes.shape) + [50, -20]
    seen = SeenSignatures()
    seen.add(0, 7, signature(Sketch.from_strokes(strokes)))
    found = [seen.earlier(0, signature(Sketch.from_strokes(each))) for each in (strokes, larger, other)]
    assert found == [7, 7, None]
