"""What three minutes on a hundred drawings teach.

    python benchmarks/fine_tuning.py short_kanji.npz STORE OUT

Takes 100 drawings of a sketch-rnn file, as SVGs, to learn from and 300 others to be measured on, fine-tunes
the bundled model, and prints nats per point on those others and on 1,000 validation drawings of STORE (Quick,
Draw!), before and after; OUT/drawn/sheet.png shows nine drawings from nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from sketchgen.data.sketchrnn import read_npz

TAUGHT, MEASURED = 100, 300


def sketchgen(*arguments: str | Path) -> str:
    """What the program prints."""
    command = [sys.executable, "-m", "sketchgen", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def figures(checkpoint: str | Path, source: Path, *limits: str) -> str:
    """Nats per point of a checkpoint, with the standard error."""
    found = json.loads(sketchgen("evaluate", checkpoint, source, "--samples", "1", "--json", *limits))
    return f"{found['nats_per_point']:.3f} ± {found['nats_per_point_se']:.3f}"


def main(npz: Path, store: Path, out: Path) -> None:
    """Make the two sets, train, measure."""
    drawings = list(read_npz(npz))
    order = np.random.default_rng(0).permutation(len(drawings))
    for name, rows in (("taught", order[:TAUGHT]), ("others", order[TAUGHT : TAUGHT + MEASURED])):
        folder = out / name / "kanji"
        folder.mkdir(parents=True)
        for number, row in enumerate(rows):
            drawings[row].save(folder / f"{number:03d}.svg")
    sketchgen("prepare", out / "taught", "-o", out / "store")
    limit = ("--time-limit", "3m", "--batch", "20")
    sketchgen("train", out / "store", "-o", out / "run", "--from", "quickdraw345", *limit)
    best = out / "run" / "best"
    options = ("--category", "kanji", "--count", "9", "--temperature", "0.4")
    sketchgen("generate", *options, "--checkpoint", best, "-o", out / "drawn")
    print("| nats per point | quickdraw345 | after three minutes |\n|---|---|---|")
    for what, source, limits in (
        ("300 others", out / "others", ()),
        ("Quick, Draw!", store, ("--limit", "1000")),
    ):
        print(f"| {what} | {figures('quickdraw345', source, *limits)} | {figures(best, source, *limits)} |")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
