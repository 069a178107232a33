"""What weights of fewer bits cost: nats a step against float32, by the share of a drawing that is given.

All are measured on the same validation drawings.

    python benchmarks/precisions.py store/ --limit 300
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from sketchgen.evaluation.comparison import compare
from sketchgen.models.checkpoint import read_checkpoint, save_checkpoint
from sketchgen.models.quantising import rounded
from sketchgen.models.stroke_model import StrokeModel

CHECKPOINTS = ("tiny", "quickdraw345", "sketch-rnn345")


def main() -> None:
    """Print a line for each model, precision and share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--limit", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in CHECKPOINTS:
            checkpoint = read_checkpoint(name)
            for precision in ("float16", "int8"):
                place = Path(folder) / f"{name}-{precision}"
                network = StrokeModel.from_weights(checkpoint.config, rounded(checkpoint.weights, precision))
                save_checkpoint(place, network, checkpoint.summary)
                found = compare(
                    name, str(place), arguments.store, protocol="likelihood", limit=arguments.limit
                )
                for cut, figures in found["nats"].items():
                    more = figures["all"]["difference"]
                    figures = f"{more['value']:+.5f} ± {more['standard_error']:.5f}"
                    print(f"{name:14} {precision:8} {cut:5} {figures}", flush=True)


if __name__ == "__main__":
    main()
