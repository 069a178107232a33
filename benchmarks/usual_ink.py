"""Make the table of `sketchgen.ranking.usual_ink`: `python benchmarks/usual_ink.py STORE -o OUT.json`.

Of the training drawings of each category: mean and deviation of the log of the ink's length over the longer
side, and the mean shares of what people added to cut drawings that are redrawn and detached by
`sketchgen.ranking.flaws`, drawn towards those of all categories as if there were `PRIOR` more cuts.
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
from sketchgen.ranking.usual_ink import log_length
from sketchgen.sketch.files import write_atomic
from sketchgen.sketch.geometry import line_length

PRIOR = 4.0


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", help="folder of a prepared store; its training split is read")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--drawings", type=int, default=40_000, help="most that are read")
    parser.add_argument("--cuts", type=int, default=8, help="most that are cut of a category")
    options = parser.parse_args()
    drawings = Store.open(options.store).split("train").drawings(options.drawings)
    random = np.random.default_rng(0)
    ink: dict[str, list[float]] = defaultdict(list)
    flaws: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for index in range(len(drawings)):
        sketch = drawings.sketch(index)
        name = str(sketch.category)
        if line_length(sketch.strokes) > 0.0:
            ink[name].append(log_length(sketch))
        if len(flaws[name]) < options.cuts and (cut := random_cut(sketch, random)) is not None:
            flaws[name].append(GivenInk(cut.given.strokes).measure(cut.rest.strokes))
    overall = np.mean([each for some in flaws.values() for each in some], axis=0)
    table = {
        name: np.round(
            [
                np.mean(ink[name]),
                np.std(ink[name]),
                *(np.sum(flaws[name], axis=0) + PRIOR * overall) / (len(flaws[name]) + PRIOR),
            ],
            3,
        ).tolist()
        for name in sorted(ink)
    }
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in table.items())
    write_atomic(options.out, f"{{\n{rows}\n}}\n".encode(), force=True)


if __name__ == "__main__":
    main()
