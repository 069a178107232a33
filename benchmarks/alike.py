"""How many signature bits tell near-duplicates: those of real drawings, and of changed ones.

    python benchmarks/alike.py store/ [drawings of each category]

For real drawings: in how many bits the nearest other drawing of the category differs (of so many drawings a
category, which are all drawings of their own). For the same drawings with each point moved by some pixels, or
with their last stroke left out: in how many bits they differ from what they were.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from sketchgen.data.store import Store
from sketchgen.jobs.near_duplicates import hamming_distance, signature
from sketchgen.sketch.sketch import Sketch

SHARES = (0.0001, 0.001, 0.01, 0.05, 0.5, 0.95, 0.99)


def moved(sketch: Sketch, numbers: np.random.Generator, pixels: float) -> Sketch:
    """The drawing with each point moved by up to so many px."""
    return Sketch.from_strokes(
        [line + numbers.uniform(-pixels, pixels, line.shape) for line in sketch.strokes]
    )


def main(store: str, most: int = 300, categories: int = 60) -> None:
    """Print the quantiles."""
    numbers = np.random.default_rng(0)
    drawings = Store.open(Path(store)).split("train").drawings()
    ones = np.array([bin(value).count("1") for value in range(2**16)], dtype=np.uint8)
    nearest: list[int] = []
    changed: dict[str, list[int]] = {"1 px": [], "2 px": [], "4 px": [], "without the last stroke": []}
    for category in numbers.permutation(len(drawings.categories))[:categories]:
        rows = np.flatnonzero(drawings.category == category)[:most]
        sketches = [drawings.sketch(int(row)) for row in rows]
        codes = [signature(sketch) for sketch in sketches]
        if len(codes) < 2:
            continue
        table = np.frombuffer(b"".join(codes), dtype=np.uint16).reshape(-1, 16)
        for number, row in enumerate(table):
            differ = ones[table ^ row].sum(1, dtype=np.int64)
            differ[number] = 256
            nearest.append(int(differ.min()))
        for sketch, code in list(zip(sketches, codes, strict=True))[:20]:
            for pixels in (1, 2, 4):
                changed[f"{pixels} px"].append(
                    hamming_distance(code, signature(moved(sketch, numbers, pixels)))
                )
            if len(sketch.strokes) > 2:
                rest = Sketch.from_strokes(sketch.strokes[:-1])
                changed["without the last stroke"].append(hamming_distance(code, signature(rest)))
    print("bits at the quantiles", *SHARES, sep="\t")
    print(f"nearest of {len(nearest)} real", *np.quantile(nearest, SHARES).round(0), sep="\t")
    for name, values in changed.items():
        print(f"{name} ({len(values)})", *np.quantile(values, SHARES).round(0), sep="\t")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
