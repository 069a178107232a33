"""Time rollouts as policy-gradient training draws them: `python benchmarks/rollouts.py STORE [NAME|FOLDER]`.

64 beginnings are finished in 16 ways each, at temperature 0.5, twice, of which the second time counts; on a
GPU in turn and in lockstep, recorded, which must not change what is drawn: the mean log density of a step,
the share that ended and the points that were added are to be the same but for chance.
"""

from __future__ import annotations

import argparse
import time

import torch

from sketchgen.data.store import Store
from sketchgen.models.stroke_model import bfloat16_pays, load_network
from sketchgen.training.reinforce import LIMIT, told_apart, way_log_prob, ways_batch
from sketchgen.training.reinforce_batches import LONGEST, Practice
from sketchgen.training.rollout import Rollouts

BEGINNINGS, WAYS = 64, 16


def main() -> None:
    """Print a line for each way of drawing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", help="folder of a prepared store")
    parser.add_argument("model", nargs="?", help="name or folder; the bundled one without")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = load_network(options.model)[0].to(device).without_dropout()
    split = Store.open(options.store).split("train")
    openings = Practice(split, network.config.categories, BEGINNINGS, 0)[0].to(device)
    cut = openings.cut.repeat_interleave(WAYS)
    temperature = torch.full_like(cut, 0.5, dtype=torch.float32)
    gpu = device.type == "cuda"
    print("| in lockstep | seconds | nats a step | ended | points added |\n|---|---|---|---|---|")
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16_pays(device)), torch.no_grad():
        steps = told_apart(network, openings, temperature, WAYS)
        for lockstep in (False, True) if gpu else (False,):
            rolls = Rollouts(network, len(cut), LONGEST, LIMIT, lockstep=lockstep)
            rolls.draw(steps, cut, temperature)
            started = time.perf_counter()
            ways = rolls.draw(steps, cut, temperature)
            # Its length was asked for, so that a GPU has finished.
            passed = time.perf_counter() - started
            batch = ways_batch(steps, ways)
            nats = -way_log_prob(network, batch, temperature, torch.zeros_like(cut, dtype=torch.bool))
            figures = (nats.sum() / batch.scored.sum(), ways.ended.float().mean())
            added = (ways.length - cut).float().mean()
            told = f"{passed:.2f} | {figures[0]:.3f} | {figures[1]:.1%} | {added:.1f}"
            print(f"| {'yes' if lockstep else 'no'} | {told} |", flush=True)


if __name__ == "__main__":
    main()
