"""What some minutes on a hundred drawings teach.

    python benchmarks/fine_tuning.py short_kanji.npz STORE OUT --category kanji
    python benchmarks/fine_tuning.py snowman.ndjson STORE OUT --category snowman --from PRETRAINED

Takes 100 drawings of a file, as SVGs, to learn from and 300 others to be measured on, fine-tunes a
checkpoint, and prints nats per point on those others and on 1,000 validation drawings of STORE (Quick,
Draw!), before and after. OUT/finished/sheet.png shows 18 beginnings of the others as the tuned model finishes
them, OUT/before/sheet.png the same by the checkpoint that it started from, OUT/drawn/sheet.png drawings from
nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from sketchgen.data.sources import Entry, entries
from sketchgen.drawing.quickdraw_line import to_line
from sketchgen.drawing.sketch import Sketch
from sketchgen.train.journal import beginning

TAUGHT, MEASURED, SHOWN = 100, 300, 18


def sketchgen(*arguments: str | Path) -> str:
    """What the program prints."""
    command = [sys.executable, "-m", "sketchgen", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def figures(checkpoint: str | Path, source: Path, *limits: str) -> str:
    """Nats per point of a checkpoint, with the standard error."""
    found = json.loads(sketchgen("evaluate", checkpoint, source, "--samples", "1", "--json", *limits))
    return f"{found['nats_per_point']:.3f} ± {found['nats_per_point_se']:.3f}"


def finish(checkpoint: str | Path, begun: Path, out: Path, *more: str) -> None:
    """Finish every beginning of a file once."""
    options = ("--count", "1", "--temperature", "0.35", "--checkpoint", checkpoint, "-o", out, "--force")
    sketchgen("complete", begun, *options, *more)


def written(drawings: list[Sketch], out: Path, category: str) -> None:
    """The two sets as folders of SVGs, and beginnings of some that were not taught."""
    order = np.random.default_rng(0).permutation(len(drawings))
    for name, rows in (("taught", order[:TAUGHT]), ("others", order[TAUGHT : TAUGHT + MEASURED])):
        folder = out / name / category
        folder.mkdir(parents=True, exist_ok=True)
        for number, row in enumerate(rows):
            drawings[row].save(folder / f"{number:03d}.svg", force=True)
    begun = [beginning(drawings[row], 0.4) for row in order[TAUGHT : TAUGHT + SHOWN]]
    (out / "begun.ndjson").write_text("".join(map(to_line, begun)), encoding="utf-8")


def main() -> None:
    """Make the two sets, train, measure, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--category", required=True)
    parser.add_argument("--from", dest="start", default="quickdraw345")
    parser.add_argument("--time-limit", default="3m")
    options = parser.parse_args()
    out, start, category = options.out, options.start, options.category
    written([found.sketch for found in entries(options.source) if isinstance(found, Entry)], out, category)
    sketchgen("prepare", out / "taught", "-o", out / "store", "--force")
    limit = ("--time-limit", options.time_limit, "--batch", "20")
    sketchgen("train", out / "store", "-o", out / "run", "--from", start, *limit)
    best = out / "run" / "best"
    finish(start, out / "begun.ndjson", out / "before", "--category", "any")
    finish(best, out / "begun.ndjson", out / "finished", "--category", category)
    drawn = ("--category", category, "--count", "9", "--temperature", "0.35")
    sketchgen("generate", *drawn, "--checkpoint", best, "-o", out / "drawn", "--force")
    print(f"| nats per point | {Path(start).name} | after {options.time_limit} |\n|---|---|---|")
    for what, source, limits in (
        ("the others", out / "others", ()),
        ("Quick, Draw!", options.store, ("--limit", "1000")),
    ):
        print(f"| {what} | {figures(start, source, *limits)} | {figures(best, source, *limits)} |")


if __name__ == "__main__":
    main()
