"""Compare a model with the decoders that Google published, on the categories of these.

    python benchmarks/magenta.py sheep.gen.json rabbit.gen.json pool.gen.json --store store/
    python benchmarks/magenta.py sheep.gen.json rabbit.gen.json pool.gen.json --node FOLDER

With `--store`: real drawings of each category, begun (a quarter and a half of the points given, in the frame
of the whole drawing and in one of the given part's own), are completed `--count` times by the model, told the
category, and by the published decoder. Two judges, of strokes and of pictures, name the completions, and the
added strokes are compared with the real ones. Published decoders draw by our rule of temperature and by that
of Magenta's demo, where components and pens are tempered less and alike.

With `--node`: the largest differences between our distributions and those of @magenta/sketch (installed by
`npm install --prefix FOLDER @magenta/sketch`) along drawings that it samples.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import sketchgen
from sketchgen.completion.completer import Completer
from sketchgen.data.store import Store
from sketchgen.evaluation.completion_metrics import CANDIDATE_SHARES, nearness
from sketchgen.evaluation.held_out import (
    SCALES,
    Finished,
    HeldOut,
    Scale,
    drawing_seed,
    finish,
    held_out,
)
from sketchgen.evaluation.recognition import Judge, judged, load_judge
from sketchgen.evaluation.statistics import mean
from sketchgen.models.magenta import SIDE, read_magenta
from sketchgen.models.numpy_layers import sigmoid
from sketchgen.models.numpy_mixture import StepDistribution
from sketchgen.models.numpy_stroke_model import Decoder, Prefix
from sketchgen.sketch.geometry import BOX

Judges = dict[str, Judge]
Key = tuple[float, Scale, str]
"""Share given, frame, and model with its temperature."""

JUDGES = ("recogniser345", "pictures345")
TEMPERATURES = (0.25, 0.4)


def published(path: Path, demo: float | None = None) -> Completer:
    """A published decoder; with `demo` one that draws at this temperature as Magenta's demo does.

    There, logits of components and pens are divided by (1 + T) / 2, and variances multiplied by T.
    """
    found = read_magenta(path)
    weights = dict(found.weights)
    if demo is not None:
        soft = (1.0 + demo) / 2.0
        factor = np.ones(len(weights["head.bias"]), np.float32)
        factor[[0, -1]] = 1.0 / soft
        # Our sampler divides these by T.
        factor[1 : 1 + found.config.components] = demo / soft
        weights["head.weight"] = weights["head.weight"] * factor[:, None]
        weights["head.bias"] = weights["head.bias"] * factor
    return Completer(Decoder(found.config, weights), path.name, {})


def beginnings(store: Store, splits: Sequence[str], category: str, share: float) -> list[HeldOut]:
    """The real drawings of a category, of which a share of the points is given."""
    found = []
    for drawings in (store.split(name).drawings() for name in splits):
        for row in np.flatnonzero(drawings.known_as([category]) == 0).tolist():
            seed = drawing_seed(0, int(drawings.key[row]))
            found.append(held_out(drawings.sketch(row), share, 0, seed))
    return found


@dataclass
class Row:
    """Figures of a model at a temperature, share given and scale: a value for each drawing.

    Attributes:
        wrong: share of its completions that each judge does not name right.
        best, apart: see `sketchgen.evaluation.completion_metrics.Nearness`.
        ended: share that the model ended by itself.
    """

    wrong: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in JUDGES})
    best: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)

    def add(self, found: Sequence[Sequence[Finished]], items: Sequence[HeldOut], judges: Judges) -> None:
        """Note the figures of the completions of some beginnings."""
        wholes = [each.whole for row in found for each in row]
        names = [sketch.category or "" for sketch in wholes]
        for name, judge in judges.items():
            right = judged(judge, wholes, names).top1.reshape(len(items), -1)
            self.wrong[name] += (1.0 - right.mean(1)).tolist()
        near = nearness(items, found)
        self.best += near.best.tolist()
        self.apart += near.apart.tolist()
        self.ended += [float(np.mean([each.completion.ended for each in row])) for row in found]

    def cells(self) -> list[str]:
        """The means, with standard errors over drawings."""
        wrong = [_cell(values, 100.0, "%") for values in self.wrong.values()]
        return [*wrong, _cell(self.best), _cell(self.apart), _cell(self.ended, 100.0, "%")]

    def less(self, other: Row) -> list[str]:
        """The means of the differences to another model on the same drawings."""
        pairs = zip(self.wrong.values(), other.wrong.values(), strict=True)
        shares = [_cell(np.subtract(*pair), 100.0, "%", "+") for pair in pairs]
        lengths = [(self.best, other.best), (self.apart, other.apart)]
        return [*shares, *(_cell(np.subtract(*pair), sign="+") for pair in lengths), ""]


def line(cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def _cell(values: Sequence[float] | np.ndarray, factor: float = 1.0, unit: str = "", sign: str = "") -> str:
    found = mean(factor * np.asarray(values)[np.isfinite(values)])
    error = found["standard_error"]
    return f"{found['value']:{sign}.1f}{unit and ' '}{unit}" + ("" if error is None else f" ± {error:.1f}")


def compare(options: argparse.Namespace) -> None:
    """Print the table of completions."""
    store, judges = Store.open(options.store), {name: load_judge(name) for name in JUDGES}
    ours = sketchgen.load(options.model)
    rows: dict[Key, Row] = {}
    real = Row()
    for path in options.weights:
        (category,) = published(path).categories
        models = {(ours.name, value): ours for value in TEMPERATURES}
        models |= {("published", value): published(path) for value in TEMPERATURES}
        models |= {("published, demo's rule", value): published(path, value) for value in TEMPERATURES}
        wholes = [item.given for item in beginnings(store, options.splits, category, 1.0)]
        for name, judge in judges.items():
            right = judged(judge, wholes, [category] * len(wholes)).top1
            real.wrong[name] += (1.0 - right).tolist()
        print(f"{category}: {len(wholes)} drawings", flush=True)
        for share, scale in itertools.product(CANDIDATE_SHARES, SCALES):
            items = beginnings(store, options.splits, category, share)
            for (name, value), model in models.items():
                index = model.category_index(category)
                told = [replace(item, category=index) for item in items]
                row = rows.setdefault((share, scale, f"{name}, T {value:g}"), Row())
                row.add(finish(model, told, scale, value, options.count), told, judges)
    print("real drawings wrong:", *(_cell(each, 100.0, "%") for each in real.wrong.values()))
    heads = ["given", "frame", "model", *JUDGES, "nearest, px", "apart, px", "ended"]
    print(line(heads), line(["---"] * len(heads)), sep="\n")
    for (share, scale, name), row in rows.items():
        print(line([f"{share:g}", scale.split()[-1], name, *row.cells()]))
    for share, scale in itertools.product(CANDIDATE_SHARES, SCALES):
        own, other = (best(rows, (share, scale, whose)) for whose in (ours.name, "published"))
        print(line([f"{share:g}", scale.split()[-1], "difference, best of each", *own.less(other)]))


def best(rows: dict[Key, Row], which: Key) -> Row:
    """The row of a model at the temperature and by the rule at which fewest completions are wrong."""
    found = [row for key, row in rows.items() if key[:2] == which[:2] and key[2].startswith(which[2])]
    return min(found, key=lambda row: np.mean([*row.wrong.values()]))


def equality(path: Path, folder: Path) -> str:
    """A row of the largest differences to @magenta/sketch."""
    script = Path(__file__).with_name("magenta_sketch.js")
    command = ["node", str(script), str(folder), str(path)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = read_magenta(path)
    decoder, unit = Decoder(found.config, found.weights), SIDE / BOX
    worst: dict[str, float] = {}
    for drawing in told:
        start = Prefix(np.zeros((1, 2)), np.zeros(1, dtype=np.int64), np.array([0]), known=True)
        step, state = decoder.prime(start)
        for right in drawing:
            if right["read"]:
                x, y, *pens = right["read"]
                step, state = decoder.advance(np.array([[x, y]]) / unit, np.array([np.argmax(pens)]), state)
            for name, value in differences(step, right, found.config.offset_scale).items():
                worst[name] = max(worst.get(name, 0.0), value)
    points = sum(map(len, told))
    return line([found.config.categories[0], f"{points:,}", *(f"{value:.1e}" for value in worst.values())])


KINDS = ("weights", "means", "deviations", "correlations", "lift", "end")


def differences(step: StepDistribution, right: dict[str, Any], scale: float) -> dict[str, float]:
    """The largest difference of each kind of parameter between our distribution of a step and theirs."""
    draw, lift, end = right["pen"]
    means, sigmas = (np.stack([right[f"{name}X"], right[f"{name}Y"]], -1) for name in ("mu", "sigma"))
    ends = end if np.isfinite(step.end[0]) else 0.0
    pairs = [
        (np.exp(step.log_weight[0]), right["pi"]),
        (step.mean[0] / scale, means),
        (np.exp(step.log_sigma[0]) / scale, sigmas),
        (step.rho[0], right["corr"]),
        (sigmoid(step.lift[0]), lift / (draw + lift)),
        (sigmoid(step.end[0]), ends),
    ]
    found = (float(np.abs(own - np.array(theirs)).max()) for own, theirs in pairs)
    return dict(zip(KINDS, found, strict=True))


def main() -> None:
    """Compare what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", type=Path, nargs="+", help="published decoders, *.gen.json")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--model", default="quickdraw345")
    parser.add_argument("--splits", nargs="+", default=("valid", "test"))
    parser.add_argument("--count", type=int, default=10, help="completions of each beginning")
    parser.add_argument("--node", type=Path, help="folder with node_modules/@magenta/sketch")
    options = parser.parse_args()
    if options.store is not None:
        compare(options)
    if options.node is not None:
        print(line(["decoder", "points", *KINDS]), line(["---"] * (2 + len(KINDS))), sep="\n")
        for path in options.weights:
            print(equality(path, options.node))


if __name__ == "__main__":
    main()
