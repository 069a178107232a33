"""Drawings that break trainings: nothing moves, everything jumps, or there is no end to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import from_lists
from sketchgen.data.store import new_store

LONGEST = 5000


def _drawings(count: int, longest: int) -> Iterator[tuple[str, list[NDArray[np.uint8]]]]:
    """(kind, strokes) of `count` hostile drawings, of which two have `longest` points."""
    random = np.random.default_rng(0)
    for number in range(count):
        length = int(random.integers(2, 40))
        place = random.integers(0, 256, (1, 2)).astype(np.uint8)
        corners = (random.integers(0, 2, (length, 2)) * 255).astype(np.uint8)
        noise = random.integers(0, 256, (length, 2)).astype(np.uint8)
        kinds = {
            "one point": [place],
            "the same point": [place.repeat(length, 0)],
            "dots": [place] * length,
            "jumps of a whole page": [corners],
            "dots that jump": [corner[None] for corner in corners],
            "noise": [noise],
            "a line that goes back and forth": [np.tile(corners[:2], (length, 1))],
            "one way for ever": [np.linspace([0, 0], [255, 255], length).astype(np.uint8)],
        }
        kind = list(kinds)[number % len(kinds)]
        yield kind, kinds[kind]
    for kind in ("noise", "dots that jump"):
        points = random.integers(0, 256, (longest, 2)).astype(np.uint8)
        yield kind, [points] if kind == "noise" else [point[None] for point in points]


def hostile_store(out: Path, count: int = 300, longest: int = LONGEST) -> int:
    """Write a store of such drawings, each in a category of its own; returns how many it holds."""
    found = list(_drawings(count, longest))
    names = [f"{number:04d} {kind}" for number, (kind, _) in enumerate(found)]
    drawings = from_lists(
        range(len(found)),
        range(1, len(found) + 1),
        [[len(stroke) for stroke in strokes] for _, strokes in found],
        [np.concatenate(strokes) for _, strokes in found],
        names,
    )
    with new_store(out) as writer:
        for split, rows in (("train", range(len(found))), ("valid", range(40)), ("test", range(1))):
            writer.add(split, drawings.take(list(rows)))
        # The deviation that a store of single points has.
        writer.finish({"categories": names, "statistics": {"offset_deviation": 0.0}})
    return len(found)
