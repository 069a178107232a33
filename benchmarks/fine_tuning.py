"""Fine-tune a checkpoint on a hundred drawings for some minutes, and measure it before and after.

    python benchmarks/fine_tuning.py short_kanji.npz STORE OUT --category kanji
    python benchmarks/fine_tuning.py snowman.ndjson STORE OUT --category snowman --from PRETRAINED

Takes drawings of a file, as SVGs: 100 (--taught) to learn from and 300 others to be measured on. Fine-tunes a
checkpoint, and prints nats per point on those others and on 1,000 validation drawings of STORE (Quick,
Draw!), before and after. OUT/finished.png shows 18 beginnings of the others as the tuned model finishes them,
OUT/before.png the same by the checkpoint that it started from, OUT/drawn/sheet.png drawings from nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from sketchgen.completion.completer import load
from sketchgen.data.sources import Entry, entries
from sketchgen.data.splitting import cut_after, prefix_length
from sketchgen.formats.poster import contact_sheet
from sketchgen.formats.quickdraw import to_line
from sketchgen.formats.raster import save_png
from sketchgen.formats.read_write import read_all
from sketchgen.sketch.sketch import Completion, Sketch

MEASURED, SHOWN = 300, 18
TEMPERATURE = 0.2


def sketchgen(*arguments: str | Path) -> str:
    """What the program prints."""
    command = [sys.executable, "-m", "sketchgen", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def figures(checkpoint: str | Path, source: Path, *limits: str) -> str:
    """Nats per point of a checkpoint, with the standard error."""
    quick = ("--protocol", "likelihood", "--samples", "1", "--json")
    found = json.loads(sketchgen("evaluate", checkpoint, source, *quick, *limits))
    return f"{found['nats_per_point']:.3f} ± {found['nats_per_point_se']:.3f}"


def finished(checkpoint: str | Path, category: str, begun: Path, out: Path) -> None:
    """A sheet of every beginning of a file, finished once."""
    model = load(checkpoint)
    cells: list[Sketch | Completion] = []
    for sketch in read_all(begun):
        cells += model.complete(sketch, category, 1, TEMPERATURE)
    save_png(contact_sheet(cells, 6, 150), out, force=True)


def written(drawings: list[Sketch], out: Path, category: str, taught: int) -> None:
    """The two sets as folders of SVGs, and beginnings of some that were not taught."""
    order = np.random.default_rng(0).permutation(len(drawings))
    for name, rows in (("taught", order[:taught]), ("others", order[taught : taught + MEASURED])):
        folder = out / name / category
        folder.mkdir(parents=True, exist_ok=True)
        for number, row in enumerate(rows):
            # A file says of which category it is, which goes before the folder.
            drawings[row].replaced(category=category).save(folder / f"{number:03d}.svg", force=True)
    some = [drawings[row] for row in order[taught : taught + SHOWN]]
    begun = [
        cut_after(one.replaced(page=one.bounds), prefix_length(one.point_count, 0.4)).given for one in some
    ]
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
    parser.add_argument("--taught", type=int, default=100)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--learning-rate", default="5e-4")
    options = parser.parse_args()
    out, start, category = options.out, options.start, options.category
    drawings = [found.sketch for found in entries(options.source) if isinstance(found, Entry)]
    written(drawings, out, category, options.taught)
    sketchgen("prepare", out / "taught", "-o", out / "store", "--force")
    limit = ("--time-limit", options.time_limit, "--batch", "20", "--threads", options.threads)
    limit += ("--learning-rate", options.learning_rate)
    sketchgen("train", out / "store", "-o", out / "run", "--from", start, *limit)
    best = out / "run" / "best"
    finished(start, "any", out / "begun.ndjson", out / "before.png")
    finished(best, category, out / "begun.ndjson", out / "finished.png")
    drawn = ("--category", category, "--count", "9", "--temperature", str(TEMPERATURE))
    sketchgen("generate", *drawn, "--checkpoint", best, "-o", out / "drawn", "--force")
    print(f"| nats per point | {Path(start).name} | after {options.time_limit} |\n|---|---|---|")
    for what, source, limits in (
        ("the others", out / "others", ()),
        ("Quick, Draw!", options.store, ("--limit", "1000")),
    ):
        print(f"| {what} | {figures(start, source, *limits)} | {figures(best, source, *limits)} |")


if __name__ == "__main__":
    main()
