"""Make the table of `sketchgen.ranking.usual_ink`: `python benchmarks/usual_ink.py STORE -o OUT.json`.

Of the training drawings of each category: mean and deviation of the log of the ink's length over the longer
side, the mean shares of what people added to cut drawings that are redrawn and detached by
`sketchgen.ranking.flaws`, and the share of the ink that is its own image in an upright mirror: its mean, and
the deviation within a category. Means of shares are drawn towards those of all categories as if there were
`PRIOR` more drawings.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from sketchgen.data.splitting import random_cut
from sketchgen.data.store import Store
from sketchgen.ranking.flaws import GivenInk
from sketchgen.ranking.geometry_prior import symmetry
from sketchgen.ranking.usual_ink import log_length
from sketchgen.sketch.files import write_atomic
from sketchgen.sketch.geometry import BOX, line_length

PRIOR = 4.0


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", help="folder of a prepared store; its training split is read")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--drawings", type=int, default=40_000, help="most that are read")
    parser.add_argument("--cuts", type=int, default=8, help="most that are cut of a category")
    parser.add_argument("--mirrored", type=int, default=24, help="most that are mirrored of a category")
    options = parser.parse_args()
    drawings = Store.open(options.store).split("train").drawings(options.drawings)
    random = np.random.default_rng(0)
    ink: dict[str, list[float]] = defaultdict(list)
    flaws: dict[str, list[tuple[float, float]]] = defaultdict(list)
    even: dict[str, list[float]] = defaultdict(list)
    for index in range(len(drawings)):
        sketch = drawings.sketch(index)
        name = str(sketch.category)
        if line_length(sketch.strokes) > 0.0:
            ink[name].append(log_length(sketch))
            if len(even[name]) < options.mirrored and sketch.bounds is not None:
                scale = BOX / sketch.bounds.longer
                even[name].append(symmetry([stroke * scale for stroke in sketch.strokes]))
        if len(flaws[name]) < options.cuts and (cut := random_cut(sketch, random)) is not None:
            flaws[name].append(GivenInk(cut.given.strokes).measure(cut.rest.strokes))
    overall = np.mean([each for some in flaws.values() for each in some], axis=0)
    middle, deviation = (
        np.mean([np.mean(some) for some in even.values()]),
        np.mean(list(map(np.std, even.values()))),
    )
    table = {
        name: np.round(
            [
                np.mean(ink[name]),
                np.std(ink[name]),
                *(np.sum(flaws[name], axis=0) + PRIOR * overall) / (len(flaws[name]) + PRIOR),
                (np.sum(even[name]) + PRIOR * middle) / (len(even[name]) + PRIOR) + deviation,
            ],
            3,
        ).tolist()
        for name in sorted(ink)
    }
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in table.items())
    write_atomic(options.out, f"{{\n{rows}\n}}\n".encode(), force=True)


if __name__ == "__main__":
    main()
