"""Train the published recipe on one category: `python benchmarks/one_category.py STORE OUT [NAME ...]`.

Trains the preset `sketch-rnn` on a store of one category, goes on from its best weights with a rate that is
high once more, and prints the nats per point of the validation split, and those of models of all categories
(the two bundled ones without any) on the same drawings, as a row in Markdown. Takes four minutes of a core.

    sketchgen prepare car.ndjson -o car.store
    python benchmarks/one_category.py car.store out/
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from sketchgen.data.store import Drawings, Store
from sketchgen.evaluation.likelihood import score
from sketchgen.models.checkpoint import read_checkpoint
from sketchgen.models.stroke_model import load_network
from sketchgen.training import TrainConfig, fit
from sketchgen.training.config import PRESETS

BUNDLED = ["sketch-rnn345", "quickdraw345"]


def trained(store: Path, out: Path, seconds: tuple[float, float]) -> list[Path]:
    """The best checkpoints of the two parts of the training."""
    preset = PRESETS["sketch-rnn"]
    first = TrainConfig(
        store, out / "first", time_limit=seconds[0], pictures=0, threads=1, **preset.settings()
    )
    best = fit(first)
    again = TrainConfig(
        store,
        out / "again",
        time_limit=seconds[1],
        validate_every=max(1.0, seconds[1] / 3),
        pictures=0,
        threads=1,
        seed=3,
        start=str(best),
        learning_rate=preset.learning_rate,
        prefixes=preset.prefixes,
    )
    return [best, fit(again)]


def seen(checkpoints: list[Path]) -> str:
    """How many drawings the parts of a training have seen together."""
    found = [read_checkpoint(path).summary for path in checkpoints]
    epochs = sum(each["epochs"] for each in found)
    return f"{sum(each['drawings_seen'] for each in found):,} ({epochs:.0f} epochs)"


def nats(name: str, drawings: Drawings) -> str:
    """Nats per point of a checkpoint, with the standard error over drawings."""
    network, _ = load_network(name)
    known = replace(drawings, category=drawings.known_as(network.config.categories))
    value, error = list(score(network, known).per_point().values())
    return f"{value:.3f} ± {error:.3f}"


def main() -> None:
    """Train on what the command line names, and print the row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path, help="folder of the two runs")
    parser.add_argument("others", nargs="*", default=BUNDLED, help="models of all categories")
    parser.add_argument("--seconds", type=float, nargs=2, default=(130.0, 100.0))
    options = parser.parse_args()
    store = Store.open(options.store)
    checkpoints = trained(options.store, options.out, options.seconds)
    drawings = store.split("valid").drawings()
    cells = [", ".join(store.categories), seen(checkpoints), nats(str(checkpoints[-1]), drawings)]
    cells += [nats(name, drawings) for name in options.others]
    heads = ["category", "drawings of it seen", "one model, no label", *map(str, options.others)]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
