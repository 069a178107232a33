"""Model cards: the README of a checkpoint, made from its configuration and training summary."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sketchgen.models.config import ClassifierConfig, ModelConfig, NetworkConfig, PictureConfig, RewardConfig

_DATA = """If it was trained on Quick, Draw!: the drawings are from Google's Quick, Draw! data set
(https://github.com/googlecreativelab/quickdraw-dataset), CC BY 4.0."""

_CLASSIFIER_LIMITS = f"{_DATA} It assigns one of its\ncategories to any input.\n"

_LIMITS: dict[type[NetworkConfig], str] = {
    ModelConfig: f"""## Use and limits

It draws doodles in one colour, as people draw them with a mouse in a few seconds. It continues the given
strokes and does not correct them. Categories with few training drawings come out worse, or as something
similar. The size of the whole drawing is guessed from the given part. The model was trained on one kind of
drawing and continues anything else (handwriting, maps, tracings of photographs) as if it were a doodle.

## Training data and bias

{_DATA} They were made in a game against the
clock, by players who saw the name of the category in their own language. They show how things look to these
players, whose countries differ by category. The drawings were moderated one by one and may still be crude;
so may what a model draws.
""",
    ClassifierConfig: _CLASSIFIER_LIMITS,
    PictureConfig: _CLASSIFIER_LIMITS,
    RewardConfig: f"{_DATA}\n",
}


QUICKDRAW = "google/quickdraw"
"""Name of the Quick, Draw! data set on the Hugging Face hub."""

_USES: dict[type[NetworkConfig], str] = {
    ModelConfig: "model = sketchgen.load({0})\ncompletions = model.complete(sketch, count=4, best_of=8)",
    ClassifierConfig: "guesses = sketchgen.load_recogniser({0}).recognise(sketch)",
    PictureConfig: 'figures = sketchgen.evaluate(model, "store", judge={0})',
    RewardConfig: 'scores = sketchgen.load_reward_model({0}).scores(completions, "cat")',
}
"""How to use what the checkpoint of that name holds."""

_TASKS: dict[type[NetworkConfig], str] = {
    ModelConfig: "unconditional-image-generation",
    ClassifierConfig: "image-classification",
    PictureConfig: "image-classification",
}
"""The hub's name for what a network does; "other" for the rest."""

_FIGURES = {"nats per": "nll", "top-1 / top-5": "accuracy", "person's completion ranked first": "accuracy"}
"""How the figures of held-out drawings begin in a summary, and the kind of metric that each is."""


def model_card(name: str, config: NetworkConfig, summary: dict[str, Any]) -> str:
    """Return a model card in Markdown, with the metadata that the Hugging Face hub reads.

    Values of the summary that are no dictionaries become rows of a table.
    """
    # JSON is YAML, too.
    metadata = _metadata(name, config, summary).items()
    head = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in metadata)
    use = _USES[type(config)].format('"FOLDER or hf://user/name"')
    facts = "\n".join(f"| {key} | {value} |" for key, value in summary.items() if not isinstance(value, dict))
    return (
        f"---\n{head}---\n\n"
        f"# A sketchgen {name} with {len(config.categories)} categories\n\n"
        f"{_description(config)}\n\n```python\nimport sketchgen\n\n{use}\n```\n\n"
        f"| | |\n|---|---|\n{facts}\n\n{_LIMITS[type(config)]}"
    )


def _metadata(name: str, config: NetworkConfig, summary: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a card; what is empty is left out."""
    task, quickdraw = _TASKS.get(type(config), "other"), "Quick, Draw!" in str(summary.get("data", ""))
    cells = [config.cell] if isinstance(config, ModelConfig | ClassifierConfig) else []
    found = {
        "license": summary.get("license", "cc-by-4.0"),
        "library_name": "sketchgen",
        "pipeline_tag": task,
        "datasets": [QUICKDRAW] if quickdraw else [],
        "tags": ["sketch-rnn", "drawing", "sketch", name.replace(" ", "-"), *cells],
    }
    if metrics := list(_metrics(summary)):
        data = {"name": "Quick, Draw!, simplified", "type": QUICKDRAW}
        data = data if quickdraw else {"name": "the store that it was trained on", "type": "custom"}
        result = {"task": {"type": task}, "dataset": {**data, "split": "validation"}, "metrics": metrics}
        found["model-index"] = [{"name": f"sketchgen {name}", "results": [result]}]
    return {key: value for key, value in found.items() if value}


def _metrics(summary: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the figures of held-out drawings in a summary as metrics."""
    for key, value in summary.items():
        name = key.replace("_", " ")
        kind = next((kind for start, kind in _FIGURES.items() if name.startswith(start)), None)
        # Figures of training drawings are no measure.
        if kind is None or name.endswith(" train"):
            continue
        start, rest = ("top-1 / top-5", name[13:]) if name.startswith("top-1") else (name, "")
        for each, number in zip(start.split(" / "), re.findall(r"\d+(?:\.\d+)?", str(value)), strict=False):
            yield {"type": kind, "name": each + rest, "value": float(number)}


def _description(config: NetworkConfig) -> str:
    """Return a description of a network in one or two sentences."""
    match config:
        case ModelConfig():
            parts = [
                f"{config.cell}, {config.layers} x {config.width}, {config.components} components",
                f"{config.rotated} of which rotate with the line" if config.rotated else "",
                "one pen for all" if config.pen != "component" else "",
                "pointers to earlier points" if config.pointers else "",
                "attention to earlier steps" if config.self_attention else "",
            ]
            given = "conditioned on an encoding of" if config.encoder_width else "which replays"
            reads = " It reads offsets and pen states only." if config.inputs in ("offsets", "moves") else ""
            shape = ", ".join(filter(None, parts))
            return f"Recurrent mixture-density decoder ({shape}), {given} the given strokes.{reads}"
        case RewardConfig():
            return (
                "Scores completions of a drawing by how likely a person is to have continued it so, from "
                "given and added strokes together: a classifier's network, conditioned on the category, with "
                "one output. The best of several candidates is chosen by it."
            )
        case ClassifierConfig():
            return (
                "Classifies whole and partial drawings by their strokes: two convolutions over neighbouring "
                f"points, {'one-way' if config.one_way else 'bidirectional'} "
                f"{config.cell if config.cell == 'gated' else config.cell.upper()} layers "
                f"({_listed(config.widths)} units each way), pooling by attention and maximum."
            )
        case PictureConfig():
            return (
                "Classifies whole drawings by a grey picture of 64 x 64 px, without their strokes: "
                f"convolutions at {len(config.widths)} sizes ({_listed(config.widths)} channels; "
                f"{sum(config.blocks)} residual blocks) and the mean over the picture. It measures what "
                "stroke models draw (`sketchgen evaluate --classifier`)."
            )
    raise NotImplementedError(type(config).__name__)


def _listed(widths: tuple[int, ...]) -> str:
    return ", ".join(map(str, widths))
