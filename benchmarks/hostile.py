"""Train ten thousand steps on drawings that could break a training.

    python benchmarks/hostile.py OUT

A store of 802 drawings, each in a category of its own: single points, the same point again and again, dots,
jumps of a whole page, noise, lines that go back and forth, and two of 5,000 points. Prints how many steps
were skipped, the largest loss and gradient, and whether every weight is finite at the end.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from hostile import hostile_store
from runs import small

from sketchgen.models.stroke_model import load_network
from sketchgen.training.trainer import fit

STEPS = 10_000


def main(out: Path) -> None:
    """Train, and look."""
    count = hostile_store(out / "store", 800)
    config = replace(small(out / "store", out / "run"), steps=STEPS, learning_rate=5e-3, save_every=60.0)
    fit(config, report=lambda figures: print(figures["step"], file=sys.stderr, end="\r"))
    with (out / "run" / "log.csv").open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    loss = [float(line["loss"]) for line in lines if line["loss"]]
    norm = [float(line["gradient_norm"]) for line in lines if line["gradient_norm"]]
    skipped = sum(int(line["skipped"]) for line in lines if line["skipped"])
    weights = load_network(out / "run" / "last")[0].weights()
    finite = all(bool(np.isfinite(value).all()) for value in weights.values())
    print(f"{STEPS} steps on {count} hostile drawings: {skipped} skipped")
    print(f"loss from {loss[0]:.2f} to {loss[-1]:.2f}, at most {max(loss):.2f} (means of 20 steps)")
    print(f"gradient norm at most {max(norm):.1f}; weights {'all finite' if finite else 'NOT all finite'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
