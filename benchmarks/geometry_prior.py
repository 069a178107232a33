"""Fit the weights of the geometry prior to the candidates of `sketchgen sample-candidates`.

For each measure of neatness: of the ways of a drawing, how often one that finishes it has more of it than one
that does not (half by chance). Then the weights with which most drawings are finished by the first way,
beside what else the chooser counts: those for which the expected share is largest where each way is taken by
odds of exp(worth), all folders counting the same, and a drawing once with its category told and once without.
At last, how many are finished by the first way with shares of these weights, and with those that are shipped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import sketchgen
from sketchgen.evaluation.finishing import VALUE_SPACING, measure
from sketchgen.evaluation.unfinished import Item
from sketchgen.ranking.consensus import consensus
from sketchgen.ranking.geometry_prior import WEIGHTS, measures
from sketchgen.ranking.ranker import CONSENSUS, Candidate, Ranker
from sketchgen.sketch.sketch import Completion, Sketch
from sketchgen.training.candidates import read_groups

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
COUNTED = 0.01
"""What the square of each weight costs, in shares of drawings, its measure's deviation being one third."""


@dataclass(frozen=True)
class Group:
    """The ways of a drawing: what they measure, which finish it, and what else is said of them."""

    measured: np.ndarray
    finished: np.ndarray
    told: np.ndarray
    untold: np.ndarray

    def worth(self, told: bool) -> np.ndarray:
        """What each counts without neatness."""
        return self.told if told else self.untold


def groups(folder: Path, most: int) -> list[Group]:
    """The drawings of a folder."""
    critic, recogniser = sketchgen.load_reward_model(), sketchgen.load_recogniser()
    found: list[Group] = []
    for row in read_groups(folder):
        if len(found) >= most:
            break
        category = row.category
        given, rest = (Sketch.from_strokes(strokes) for strokes in (row.given, row.rest))
        item = Item("", category, "part", given, rest)
        ways = [Completion(given, Sketch.from_strokes(way)) for way in row.candidates]
        if any(way.added.is_empty for way in ways):
            continue
        finished = np.array([float(measure(item, way, VALUE_SPACING).finished) for way in ways])
        agreed = CONSENSUS * consensus(ways)
        sure = Ranker(recogniser).scores([Candidate(way) for way in ways], category)
        told, untold = (critic.scores(ways, name) + agreed for name in (category, None))
        found.append(Group(measures(ways, [category] * len(ways)), finished, sure + told, untold))
    return found


def ordered(some: Sequence[Group], value: Callable[[Group], np.ndarray]) -> str:
    """How often what finishes a drawing has more of something than what does not, and the standard error."""
    shares = []
    for group in some:
        good, bad = value(group)[group.finished > 0], value(group)[group.finished == 0]
        if len(good) and len(bad):
            more, same = good[:, None] > bad, good[:, None] == bad
            shares.append(more.mean() + same.mean() / 2.0)
    return f"{np.mean(shares):.3f} ± {np.std(shares, ddof=1) / np.sqrt(len(shares)):.3f}"


def fitted(folders: Sequence[Sequence[Group]], steps: int = 400) -> np.ndarray:
    """The weights."""
    parts, deviation = [], np.concatenate([each.measured for some in folders for each in some]).std(0)
    for some in folders:
        use = [each for each in some if 0 < each.finished.sum() < len(each.finished)]
        measured = torch.tensor(np.stack([each.measured for each in use]) / deviation)
        finished = torch.tensor(np.stack([each.finished for each in use]))
        for told in (True, False):
            worth = torch.tensor(np.stack([each.worth(told) for each in use]))
            parts.append((measured, finished, worth, len(use) / len(some) / 2.0 / len(folders)))
    weights = torch.nn.Parameter(torch.zeros(len(deviation), dtype=torch.float64))
    optimiser = torch.optim.Adam([weights], lr=0.03)
    for _ in range(steps):
        loss = COUNTED * (weights**2).sum()
        for measured, finished, worth, share in parts:
            odds = torch.softmax(worth + measured @ (3.0 * weights), -1)
            loss = loss - share * (odds * finished).sum(-1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return 3.0 * weights.detach().numpy() / deviation


def first(some: Sequence[Group], weights: np.ndarray, told: bool) -> str:
    """How many drawings the first way finishes, in percent, and the standard error."""
    taken = [group.finished[(group.worth(told) + group.measured @ weights).argmax()] for group in some]
    return f"{100 * np.mean(taken):.1f} ± {100 * np.std(taken, ddof=1) / np.sqrt(len(taken)):.1f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("ways", nargs="+", type=Path, help="folders that `sketchgen sample-candidates` made")
    parser.add_argument("--most", type=int, default=2048, help="drawings of each")
    options = parser.parse_args()
    folders = [groups(folder, options.most) for folder in options.ways]
    names = " | ".join(
        f"{folder.name}, {len(some)}" for folder, some in zip(options.ways, folders, strict=True)
    )
    print(f"| | {names} |", "|---" * (len(folders) + 1) + "|", sep="\n")
    for column, name in enumerate(WEIGHTS):
        cells = (ordered(some, lambda group, column=column: group.measured[:, column]) for some in folders)
        print(f"| {name} | {' | '.join(cells)} |")
    weights = fitted(folders)
    print("fitted:", ", ".join(f"{name} {weight:.2f}" for name, weight in zip(WEIGHTS, weights, strict=True)))
    print(f"| finished by the first, %, told / not | {names} |", "|---" * (len(folders) + 1) + "|", sep="\n")
    tried = [(f"{share:g} of these", share * weights) for share in SHARES]
    for name, some_weights in [*tried, ("as shipped", np.array(list(WEIGHTS.values())))]:
        cells = (
            f"{first(some, some_weights, True)} / {first(some, some_weights, False)}" for some in folders
        )
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
