"""Average checkpoints weight by weight: `python benchmarks/averaged.py OUT RUN1/last RUN2/last ...`.

Of runs of which one went on from the other, or both from the same one: their mean is often better than each
(Wortsman et al. 2022, "Model soups", arXiv:2203.05482). The summary is that of the last one named.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sketchgen.errors import CheckpointError
from sketchgen.models.checkpoint import read_checkpoint, save_checkpoint
from sketchgen.models.numpy_stroke_model import Decoder


def average(out: Path, sources: list[str]) -> None:
    """Write the mean of the sources.

    Raises:
        CheckpointError: they are of different shapes or categories.
    """
    found = [read_checkpoint(source) for source in sources]
    for source, each in zip(sources, found, strict=True):
        if each.config != found[0].config:
            raise CheckpointError(f"{source} is of another shape or of other categories than {sources[0]}")
    names = found[0].weights
    weights = {name: np.mean([each.weights[name] for each in found], axis=0) for name in names}
    save_checkpoint(out, Decoder(found[0].config, weights), found[-1].summary)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("sources", nargs="+", help="names or folders of checkpoints")
    average(**vars(parser.parse_args()))
