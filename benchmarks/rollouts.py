"""Time rollouts as policy-gradient training draws them: `python benchmarks/rollouts.py STORE [NAME|FOLDER]`.

64 partial sketches are completed 16 times each, at temperature 0.5; the second of two runs counts. A GPU
draws queued and in lockstep (captured as a CUDA graph). That must not change what is drawn: the mean
negative log density of a step, the share that ended and the number of added points are equal but for chance.
"""

from __future__ import annotations

import argparse
import time

import torch

from sketchgen.data.store import Store
from sketchgen.models.stroke_model import bfloat16_pays, load_network
from sketchgen.training.reinforce import (
    MAX_ADDED,
    MAX_GIVEN,
    ReinforceBatches,
    rollout_batch,
    rollout_log_prob,
    sample_last_pen,
)
from sketchgen.training.rollout import RolloutSampler

SKETCHES, ROLLOUTS = 64, 16


def main() -> None:
    """Print a line for queued drawing and, on a GPU, one for lockstep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", help="folder of a prepared store")
    parser.add_argument("model", nargs="?", help="name or folder; the bundled one without")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = load_network(options.model)[0].to(device).without_dropout()
    split = Store.open(options.store).split("train")
    sketches = ReinforceBatches(split, network.config.categories, SKETCHES, 0)[0].to(device)
    cut = sketches.cut.repeat_interleave(ROLLOUTS)
    temperature = torch.full_like(cut, 0.5, dtype=torch.float32)
    gpu = device.type == "cuda"
    print("| in lockstep | seconds | nats a step | ended | points added |\n|---|---|---|---|---|")
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16_pays(device)), torch.no_grad():
        steps = sample_last_pen(network, sketches, temperature, ROLLOUTS)
        for lockstep in (False, True) if gpu else (False,):
            sampler = RolloutSampler(network, len(cut), MAX_GIVEN, MAX_ADDED, lockstep=lockstep)
            sampler.draw(steps, cut, temperature)
            started = time.perf_counter()
            samples = sampler.draw(steps, cut, temperature)
            # Its length was asked for, so that a GPU has finished.
            seconds = time.perf_counter() - started
            batch = rollout_batch(steps, samples)
            nats = -rollout_log_prob(network, batch, temperature, torch.zeros_like(cut, dtype=torch.bool))
            mean, ended = nats.sum() / batch.scored.sum(), samples.ended.float().mean()
            added = (samples.length - cut).float().mean()
            row = f"{seconds:.2f} | {mean:.3f} | {ended:.1%} | {added:.1f}"
            print(f"| {'yes' if lockstep else 'no'} | {row} |", flush=True)


if __name__ == "__main__":
    main()
