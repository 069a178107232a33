"""Measure whether curves are nearer to what was drawn than lines are.

    python benchmarks/curves.py quickdraw_raw/*.ndjson

Each stroke of Google's raw drawings is scaled to a 255 box and simplified as in the simplified data. Then the
distance is measured, px, of the raw line, a point each px, from the polyline and from the curve through its
points; and how many raw drawings and how many simplified ones count as smooth is counted.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from shapely import LineString, points

from sketchgen.errors import SketchgenError
from sketchgen.formats.curves import flatten, is_smooth
from sketchgen.formats.quickdraw import read_ndjson
from sketchgen.sketch.geometry import BOX, box_frame, in_frame, rdp, resample, simplify_as_quickdraw

MIN_LENGTH = 15.0
"""Shorter strokes are left out, px."""


def main(paths: list[str]) -> None:
    """Print the two tables."""
    distances: dict[str, list[np.ndarray]] = {"polyline": [], "curve": []}
    smooth = {"raw": 0, "simplified": 0}
    drawings = 0
    for path in paths:
        with Path(path).open("rb") as stream:
            found = [each for each in read_ndjson(stream, path) if not isinstance(each, SketchgenError)]
        for sketch in (each.sketch for each in found):
            drawings += 1
            raw = in_frame(sketch, box_frame(sketch, BOX))
            smooth["raw"] += is_smooth(raw.strokes, 1.0)
            smooth["simplified"] += is_smooth(simplify_as_quickdraw(sketch).strokes, 1.0)
            for stroke in raw.strokes:
                line = resample(stroke)
                few = np.rint(rdp(line))
                few = few[np.append(True, (np.diff(few, axis=0) != 0).any(axis=1))]
                if len(line) > MIN_LENGTH and len(few) > 2:
                    for name, drawn in (("polyline", few), ("curve", flatten(few, 1.0, 0.02))):
                        distances[name].append(np.atleast_1d(LineString(drawn).distance(points(line))))
    print(f"{drawings} drawings, {len(distances['curve'])} strokes of 3 points or more")
    print("| distance, px | mean | 95 % | 99 % |\n|---|---|---|---|")
    for name, parts in distances.items():
        values = np.concatenate(parts)
        print(f"| {name} | {values.mean():.3f} |", *(f"{np.percentile(values, p):.3f} |" for p in (95, 99)))
    nearer = np.mean([a.mean() < b.mean() for a, b in zip(*distances.values(), strict=True)])
    print(f"polyline nearer than curve: {nearer:.1%} of strokes")
    print({name: f"{count / drawings:.1%} smooth" for name, count in smooth.items()})


if __name__ == "__main__":
    main(sys.argv[1:])
