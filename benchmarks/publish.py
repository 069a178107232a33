"""Make a checkpoint to ship: `python benchmarks/publish.py RUN/best STORE checkpoints/NAME [HOW [DATA]]`.

HOW is what the model card says of the command and the machine that it was trained with, DATA of the drawings.

The weights are stored as float16; the figures that the model card states are measured on those, on the whole
validation split, and written beside it as evaluation.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sketchgen.completion.completer import load
from sketchgen.evaluation.report import ended_shares, evaluate
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.sketch.files import write_atomic

DATA = "Quick, Draw! by Google (CC BY 4.0), simplified drawings, 345 categories"


def publish(source: str, store: str, target: str, how: str, data: str) -> None:
    """Convert, measure, and write the checkpoint with its figures."""
    trained = load(source)
    model, summary = trained.decoder, trained.summary
    folder = Path(target)
    save_checkpoint(folder, model, summary, force=True, half=True)
    result = evaluate(folder, store, split="valid", protocol="likelihood")
    result["ended"] = ended_shares(load(folder), 1024, 0, lambda *_: None)
    for key in ("nats_per_point_valid", "validation_drawings"):
        summary.pop(key, None)
    if how:
        summary["trained by"] = how
    summary |= {
        "data": data,
        "validation drawings": result["drawings"],
        "nats per point, validation": f"{result['nats_per_point']:.3f} ± {result['nats_per_point_se']:.3f}",
        "nats per sketch, validation": f"{result['nats_per_sketch']:.1f}",
    }
    for share, figures in result["suffix"].items():
        summary[f"nats per point of the rest, {share} given"] = f"{figures['nats_per_point']:.3f}"
    for temperature, figures in result["ended"].items():
        summary[f"drawings that end by themselves, temperature {temperature}"] = f"{figures['share']:.1%}"
    save_checkpoint(folder, model, summary, force=True, half=True)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    write_atomic(folder / "evaluation.json", text.encode(), force=True)
    print(json.dumps({key: value for key, value in result.items() if key != "by_category"}, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for name in ("source", "store", "target"):
        parser.add_argument(name)
    parser.add_argument("how", nargs="?", default="")
    parser.add_argument("data", nargs="?", default=DATA)
    publish(**vars(parser.parse_args()))
