"""Model cards: the README of a checkpoint, made from its configuration and training summary."""

from __future__ import annotations

from functools import singledispatch
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
        "---\nlicense: cc-by-4.0\nlibrary_name: sketchgen\n---\n\n"
        f"# A sketchgen {name} with {len(config.categories)} categories\n\n"
        f"{describe(config)}\n\n| | |\n|---|---|\n{facts}\n\n{_LIMITS[type(config)]}"
    )


@singledispatch
def describe(config: NetworkConfig) -> str:
    """Return a description of a network in one or two sentences."""
    raise NotImplementedError(type(config).__name__)


@describe.register
def _(config: ModelConfig) -> str:
    parts = [f"{config.components} components"]
    if config.rotated:
        parts.append(f"{config.rotated} of which rotate with the line")
    if config.pen == "shared":
        parts.append("one pen for all")
    if config.pointers:
        parts.append("pointers to earlier points")
    if config.self_attention:
        parts.append("attention to earlier steps")
    given = "conditioned on an encoding of the given strokes"
    if not config.encoder_width:
        given = "which replays the given strokes"
    reads = " It reads offsets and pen states only." if config.inputs == "offsets" else ""
    shape = f"{config.cell}, {config.layers} x {config.width}, {', '.join(parts)}"
    return f"Recurrent mixture-density decoder ({shape}), {given}.{reads}"


@describe.register
def _(config: ClassifierConfig) -> str:
    widths = ", ".join(map(str, config.widths))
    return (
        "Classifies whole and partial drawings by their strokes: two convolutions over neighbouring points, "
        f"bidirectional LSTM layers ({widths} units each way), pooling by attention and maximum."
    )


@describe.register
def _(config: PictureConfig) -> str:
    widths = ", ".join(map(str, config.widths))
    return (
        "Classifies whole drawings by a grey picture of 64 x 64 px, without their strokes: convolutions at "
        f"{len(config.widths)} sizes ({widths} channels; {sum(config.blocks)} residual blocks) and the mean "
        "over the picture. It measures what stroke models draw (`sketchgen evaluate --classifier`)."
    )


@describe.register
def _(config: RewardConfig) -> str:
    return (
        "Scores completions of a drawing by how likely a person is to have continued it so, from given and "
        "added strokes together: a classifier's network, conditioned on the category, with one output. The "
        "best of several candidates is chosen by it."
    )
