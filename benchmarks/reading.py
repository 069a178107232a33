"""Time the encoding of given parts, alone and together: `python benchmarks/reading.py STORE`.

Validation drawings of which half is given, by one thread, with the guidance of the model and without; each
way is measured `--rounds` times in turns, and the best is told.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"


def seconds(read: Callable[[], object]) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    read()
    return time.perf_counter() - begin


def main() -> None:
    """Print a line for each kind of reading."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", help="folder of a prepared store")
    parser.add_argument("--model", help="name or path of a checkpoint; the bundled one without")
    parser.add_argument("--drawings", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    import numpy as np

    import sketchgen
    from sketchgen.completion.partial_sketch import PartialSketch
    from sketchgen.completion.sampler import prime_all
    from sketchgen.data.store import Store
    from sketchgen.evaluation.held_out import held_out
    from sketchgen.sketch.sketch import Sketch

    model = sketchgen.load(options.model)
    drawings = Store.open(options.store).split("valid").drawings()
    given = []
    for row in range(min(options.drawings, len(drawings))):
        sketch = drawings.sketch(row)
        half = held_out(sketch, 0.5, model.category_index(sketch.category), row)
        shown = PartialSketch.of(Sketch(half.given.strokes), model.closing)
        if not shown.known:
            given.append(shown.prefix(np.array([half.category]), np.array([False])))
    points = np.mean([len(each.pen) for each in given])
    print(f"{len(given)} beginnings of {points:.0f} points in the mean, ms each")
    for told, network in (("guided", model.stepper), ("not guided", model.decoder)):
        kinds = {
            "one after the other": lambda network=network: [network.prime(each) for each in given],
            "together": lambda network=network: prime_all(network, given),
        }
        rounds = [{kind: seconds(read) for kind, read in kinds.items()} for _ in range(options.rounds)]
        best = {kind: min(each[kind] for each in rounds) / len(given) * 1000 for kind in kinds}
        ratio = best["one after the other"] / best["together"]
        words = ", ".join(f"{kind} {value:.1f}" for kind, value in best.items())
        print(f"{told}: {words}; {ratio:.1f} times faster together")


if __name__ == "__main__":
    main()
