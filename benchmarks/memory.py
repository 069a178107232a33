"""How far back each kind of cell learns: `python benchmarks/memory.py [--store store/]`.

The copy task (Hochreiter and Schmidhuber 1997; as in Arjovsky et al. 2016, "Unitary evolution recurrent
neural networks"): three symbols of eight are shown, then nothing for a while, then they are to be said. Two
layers of each kind learn it, with the same steps, batches and learning rate; "rnn + attention" are tanh ones,
of which the second attends to all earlier steps. The gradient is the mean norm of d loss_T / d state_(T-k)
relative to that at k = 1, where the loss is that of the last symbol: what is left of it on the way back.

With a store, the same of trained stroke models, by `sketchgen.gradient_by_distance` over validation drawings
of more than 64 points; there the loss is that of each step.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

import sketchgen
from sketchgen.data.store import Store
from sketchgen.evaluation.activations import gradient_norms, recorded
from sketchgen.models.config import CELLS
from sketchgen.models.layers import Stack

SYMBOLS, SHOWN, BLANK, SAY = 8, 3, 8, 9
WIDTH, BATCH, RATE = 64, 32, 4e-3
KINDS = (*CELLS, "rnn + attention")
DISTANCES = (2, 4, 8, 16, 32)


class Copier(nn.Module):
    """Layers of one kind, and what is said at each step."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        cell, _, attention = kind.partition(" + ")
        self.stack = Stack(cell, SAY + 1, WIDTH, 2, 0.0, WIDTH if attention else 0)
        self.said = nn.Linear(2 * WIDTH, SYMBOLS)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits of the symbols at the last steps, (b, SHOWN, SYMBOLS)."""
        return self.said(self.stack(inputs)[:, -SHOWN:])


def batch(delay: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return inputs (b, t, SAY + 1) and the symbols (b, SHOWN)."""
    symbols = torch.randint(SYMBOLS, (BATCH, SHOWN), generator=random)
    rest = torch.tensor([BLANK] * delay + [SAY] * SHOWN).expand(BATCH, -1)
    return one_hot(torch.cat([symbols, rest], 1), SAY + 1).float(), symbols


def reach(network: Copier, delay: int) -> Tensor:
    """Return the mean norm of the gradient of the last symbol's loss, k = 1 on, relative to that at k = 1."""
    inputs, symbols = batch(delay, torch.Generator().manual_seed(1))
    with recorded(network.stack) as states:
        logits = network(inputs)
        norms = gradient_norms(cross_entropy(logits[:, -1], symbols[:, -1], reduction="none"), states)
    back = norms.mean(0).flip(0)[1:]
    return back / back[0]


def trained(kind: str, delay: int, steps: int) -> tuple[float, Tensor, Tensor]:
    """Return the share of symbols that are right after training, and the reach before and after."""
    torch.manual_seed(0)
    network, random = Copier(kind), torch.Generator().manual_seed(0)
    before = reach(network, delay)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    for _ in range(steps):
        inputs, symbols = batch(delay, random)
        loss = cross_entropy(network(inputs).flatten(0, 1), symbols.flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():
        inputs, symbols = batch(delay, torch.Generator().manual_seed(2))
        right = float((network(inputs).argmax(-1) == symbols).float().mean())
    return right, before, reach(network, delay)


def row(name: str, *cells: object) -> None:
    """Print a row of a table."""
    print("|", " | ".join(map(str, (name, *cells))), "|", flush=True)


def figures(found: Tensor) -> list[str]:
    """Return the figures at `DISTANCES`, as far as there are any."""
    return [f"{float(found[k - 1]):.1g}" if k <= len(found) else "" for k in DISTANCES]


def copy_task(delays: list[int], steps: int) -> None:
    """Print how much each kind has learned at each delay, and how far its gradient reaches at the longest."""
    row("kind", *(f"right, delay {delay}" for delay in delays), "", *(f"k = {k}" for k in DISTANCES))
    row("---", *["---"] * (len(delays) + 1 + len(DISTANCES)))
    for kind in KINDS:
        found = [trained(kind, delay, steps) for delay in delays]
        row(kind, *(f"{right:.0%}" for right, *_ in found), "untrained", *figures(found[-1][1]))
        row("", *[""] * len(delays), "trained", *figures(found[-1][2]))


def drawings(store: Path, names: list[str], count: int) -> None:
    """Print the same of trained stroke models over some validation drawings."""
    split = Store.open(store).split("valid").drawings(50 * count)
    long = (split.lengths > 2 * DISTANCES[-1]).nonzero()[0][:count]
    sketches = [split.sketch(int(index)) for index in long]
    row(f"model, {len(sketches)} drawings", *(f"k = {k}" for k in DISTANCES))
    row("---", *["---"] * len(DISTANCES))
    for name in names:
        model = sketchgen.load(name)
        total = torch.zeros(DISTANCES[-1])
        for sketch in sketches:
            norms = sketchgen.gradient_by_distance(model, sketch, sketch.category)[1:]
            back = norms[: len(total)] / norms[0]
            total[: len(back)] += back
        row(name, *figures(total / len(sketches)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--delays", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--steps", type=int, default=500, help="of training, 32 sequences each")
    parser.add_argument("--store", type=Path, help="a prepared store, for trained stroke models")
    parser.add_argument("--models", nargs="+", default=["sketch-rnn345", "tiny", "quickdraw345"])
    parser.add_argument("--drawings", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.store:
        drawings(asked.store, asked.models, asked.drawings)
    if asked.steps:
        copy_task(asked.delays, asked.steps)
