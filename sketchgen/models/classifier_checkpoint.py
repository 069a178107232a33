"""Checkpoints of recognisers: a folder with weights, the configuration, how it was trained, and a card.

They are told from those of models that draw by the name of the weights and by what the configuration says,
so that neither is ever taken for the other. Judges of pictures are kept by the same code, as another `Kind`;
see `sketchgen.models.picture_checkpoint`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from sketchgen.errors import CheckpointError, SettingError
from sketchgen.models.checkpoint import (
    CONFIG,
    RECOGNISER_FORMAT,
    Weights,
    card_of,
    name_of,
    read_about,
    read_trained,
    refuse_others,
    stands_in,
    write_folder,
)
from sketchgen.models.classifier_config import RecogniserConfig
from sketchgen.resources import RECOGNISER_WEIGHTS, bundled, bundled_recognisers

RECOGNISER_VERSION = 1

DEFAULT_RECOGNISER = "recogniser345"
"""The bundled recogniser that is loaded when none is named."""


@runtime_checkable
class Shape(Protocol):
    """What a configuration says of itself."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The names that are told apart."""
        ...

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The names and shapes of all weights."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        ...


S = TypeVar("S", bound=Shape)
S_co = TypeVar("S_co", bound=Shape, covariant=True)


@runtime_checkable
class Recognising(Protocol[S_co]):
    """What can be saved: the network as it learns, or as it reads."""

    @property
    def config(self) -> S_co:
        """The network's shape and categories."""
        ...

    def weights(self) -> Weights:
        """All weights, float32."""
        ...


@dataclass(frozen=True)
class Kept(Generic[S]):
    """What a checkpoint holds.

    Attributes:
        config: the network's shape and categories.
        weights: float32, whatever they are stored as.
        summary: how it was trained and what was measured, plain JSON values.
    """

    config: S
    weights: Weights
    summary: dict[str, Any]


RecogniserCheckpoint = Kept[RecogniserConfig]


@dataclass(frozen=True)
class Kind(Generic[S]):
    """A kind of checkpoint.

    Attributes:
        what: its name in messages.
        format, version: what its configuration says.
        weights: the name of its file of weights.
        key: under which the network's shape stands in the configuration.
        parse: makes that shape of JSON's values.
        about: the first paragraphs of the model card.
        default: the bundled one that is meant where none is named.
        bundled: the names of those that came along.
    """

    what: str
    format: str
    version: int
    weights: str
    key: str
    parse: Callable[[dict[str, Any]], S]
    about: Callable[[S], str]
    default: str
    bundled: Callable[[], list[str]]


def _about(config: RecogniserConfig) -> str:
    """The first paragraphs of a recogniser's card."""
    widths = ", ".join(map(str, config.widths))
    return (
        f"# A sketchgen recogniser of {len(config.categories)} categories\n\n"
        "Tells what a drawing is of, whole or begun, from its strokes: two convolutions over neighbouring "
        f"points, LSTM layers in both directions ({widths} units each way), pooled by attention and maximum. "
        "It draws nothing.\n\n"
    )


RECOGNISER = Kind(
    "recogniser",
    RECOGNISER_FORMAT,
    RECOGNISER_VERSION,
    RECOGNISER_WEIGHTS,
    "recogniser",
    RecogniserConfig.from_dict,
    _about,
    DEFAULT_RECOGNISER,
    bundled_recognisers,
)
"""Those of recognisers."""


_LIMITS = (
    "If it was trained on Quick, Draw!: the drawings are from Google's Quick, Draw! data set "
    "(https://github.com/googlecreativelab/quickdraw-dataset), CC BY 4.0. It knows the categories that "
    "it was taught and nothing else: whatever it is shown, it names one of them.\n"
)


def card(kind: Kind[S], config: S, summary: dict[str, Any]) -> str:
    """A model card in Markdown from what the checkpoint itself says."""
    return card_of(kind.about(config), summary, _LIMITS)


def save_kept(
    kind: Kind[S],
    folder: Path,
    network: Recognising[S],
    summary: dict[str, Any],
    *,
    force: bool = False,
    half: bool = False,
) -> None:
    """Write a checkpoint of a kind; the folder is either whole or not there.

    Args:
        kind: whose.
        folder: where; its parent is made.
        network: what is saved.
        summary: how it was trained, plain JSON values.
        force: replace what stands there.
        half: store float16 weights (half the size; they are float32 again when loaded).

    Raises:
        OutputError: the folder exists and `force` is false, or it cannot be written.
    """
    about = {"format": kind.format, "version": kind.version}
    about |= {kind.key: network.config.to_dict(), "training": summary}
    text = card(kind, network.config, summary)
    write_folder(folder, about, text, kind.weights, network.weights(), force=force, half=half)


def find_kept(kind: Kind[S], name_or_path: str | os.PathLike[str] | None) -> Path:
    """The folder of a checkpoint: a path where one stands, else a bundled name; None is the kind's default.

    Raises:
        CheckpointError: there is none, or the name is that of a bundled one of another kind.
    """
    wanted = name_of(name_or_path, kind.default)
    path = Path(wanted)
    if stands_in(path):
        return path
    if wanted in kind.bundled():
        return bundled("checkpoints", wanted)
    refuse_others(wanted, kind.format)
    names = ", ".join(kind.bundled()) or "none"
    found = f"no {kind.what} {wanted[:200]!r}: neither a folder with {CONFIG} nor bundled ({names})"
    raise CheckpointError(found)


def read_kept(kind: Kind[S], name_or_path: str | os.PathLike[str] | None) -> Kept[S]:
    """Read a checkpoint of a kind; see `find_kept` for the name.

    Raises:
        CheckpointError: none there, one of another kind, a newer one, or damaged weights.
    """
    folder = find_kept(kind, name_or_path)
    about = read_about(folder, kind.format, kind.version)
    try:
        config = kind.parse(about[kind.key])
    except SettingError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{folder / CONFIG} describes no {kind.what}; get it again") from error
    return Kept(config, *read_trained(folder / kind.weights, config.weight_shapes(), about))


def save_recogniser(
    folder: Path,
    network: Recognising[RecogniserConfig],
    summary: dict[str, Any],
    *,
    force: bool = False,
    half: bool = False,
) -> None:
    """Write a recogniser's checkpoint; see `save_kept`.

    Raises:
        OutputError: the folder exists and `force` is false, or it cannot be written.
    """
    save_kept(RECOGNISER, folder, network, summary, force=force, half=half)


def read_recogniser(name_or_path: str | os.PathLike[str] | None = None) -> RecogniserCheckpoint:
    """Read a recogniser's checkpoint; see `find_kept` for the name.

    Raises:
        CheckpointError: none there, one of another kind, a newer one, or damaged weights.
    """
    return read_kept(RECOGNISER, name_or_path)
