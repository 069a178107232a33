"""Model cards: the README of a checkpoint, made from its configuration and training summary."""

from __future__ import annotations

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


def model_card(name: str, config: NetworkConfig, summary: dict[str, Any]) -> str:
    """Return a model card in Markdown.

    Args:
        name: what the network is, such as "classifier".
        config: its shape and categories.
        summary: how it was trained; values that are no dictionaries become rows of a table.
    """
    facts = "\n".join(f"| {key} | {value} |" for key, value in summary.items() if not isinstance(value, dict))
    return (
        f"---\nlicense: {summary.get('license', 'cc-by-4.0')}\nlibrary_name: sketchgen\n---\n\n"
        f"# A sketchgen {name} with {len(config.categories)} categories\n\n"
        f"{_description(config)}\n\n| | |\n|---|---|\n{facts}\n\n{_LIMITS[type(config)]}"
    )


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
                f"points, bidirectional LSTM layers ({_listed(config.widths)} units each way), pooling by "
                "attention and maximum."
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
