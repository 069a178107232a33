"""Checkpoints: a folder with safetensors weights, a configuration, a training summary and a model card.

`KINDS` lists what a checkpoint can hold. All kinds are read and written in the same way; the configuration
names the kind, so that none is taken for another. No pickle is ever loaded.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from sketchgen.errors import CheckpointError, OutputError, SettingError
from sketchgen.models.config import ClassifierConfig, ModelConfig, NetworkConfig, PictureConfig, RewardConfig
from sketchgen.models.hub import fetch, is_hub_name, publish
from sketchgen.models.model_card import model_card
from sketchgen.resources import ResourceError, bundled, bundled_checkpoints
from sketchgen.sketch.files import SUMS, check_replaceable, has_sum, read_object, whole_folder, write_sums

VERSION = 1
WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"

Weights = dict[str, NDArray[np.float32]]
"""Weights by name; see `NetworkConfig.weight_shapes`."""

C = TypeVar("C", bound=NetworkConfig)
C_co = TypeVar("C_co", bound=NetworkConfig, covariant=True)

_REMEDY = "get the checkpoint again"


@dataclass(frozen=True)
class Kind(Generic[C]):
    """A kind of checkpoint.

    Attributes:
        name: what messages call it.
        format: the format that its configuration names.
        default: bundled checkpoint that is loaded when none is named.
        usage: what to do with one that was passed where another kind is expected.
    """

    name: str
    format: str
    config: type[C]
    default: str
    usage: str


STROKE_MODEL = Kind(
    "stroke model", "sketchgen-checkpoint", ModelConfig, "quickdraw345", "load it with sketchgen.load"
)
CLASSIFIER = Kind(
    "classifier",
    "sketchgen-classifier",
    ClassifierConfig,
    "recogniser345",
    "load it with sketchgen.load_recogniser",
)
PICTURE_CLASSIFIER = Kind(
    "picture classifier",
    "sketchgen-picture-classifier",
    PictureConfig,
    "pictures345",
    "pass it to sketchgen evaluate by --classifier",
)
REWARD_MODEL = Kind(
    "reward model",
    "sketchgen-reward-model",
    RewardConfig,
    "reward345",
    "load it with sketchgen.load_reward_model",
)

KINDS: tuple[Kind[Any], ...] = (STROKE_MODEL, CLASSIFIER, PICTURE_CLASSIFIER, REWARD_MODEL)

DEFAULT_CHECKPOINT = STROKE_MODEL.default
"""Bundled stroke model that is loaded when none is named."""


@runtime_checkable
class Network(Protocol[C_co]):
    """A network that can be saved, in torch or in numpy."""

    @property
    def config(self) -> C_co:
        """The network's shape and categories."""
        ...

    def weights(self) -> Weights:
        """Return all weights, float32."""
        ...


@dataclass(frozen=True)
class Checkpoint(Generic[C]):
    """Content of a checkpoint.

    Attributes:
        name: name or path that it was asked for by.
        weights: float32, whatever they are stored as.
        summary: how the network was trained and what was measured, plain JSON values.
    """

    name: str
    config: C
    weights: Weights
    summary: dict[str, Any]


@dataclass(frozen=True)
class CheckpointFolder(Generic[C]):
    """Folder of a checkpoint whose weights are not read yet; see `find_checkpoint`.

    Attributes:
        about: content of the configuration file.
    """

    name: str
    path: Path
    kind: Kind[C]
    about: Mapping[str, Any]

    @property
    def config(self) -> C:
        """The network's shape and categories; CheckpointError if they are not valid."""
        values = self.about.get("model")
        if not isinstance(values, dict):
            raise CheckpointError(f"{self.path / CONFIG} describes no {self.kind.name}; {_REMEDY}")
        try:
            return self.kind.config.from_dict(values)
        except SettingError as error:
            raise CheckpointError(f"{self.path / CONFIG}: {error}") from error

    def fingerprint(self) -> str:
        """Return the SHA-256 of weights and configuration, hexadecimal."""
        digest = hashlib.sha256()
        for file in (self.path / WEIGHTS, self.path / CONFIG):
            try:
                data = file.read_bytes()
            except OSError as error:
                raise CheckpointError(f"{file} is damaged or missing; {_REMEDY}") from error
            digest.update(len(data).to_bytes(8, "little") + data)
        return digest.hexdigest()

    def read(self) -> Checkpoint[C]:
        """Read configuration, weights and summary; CheckpointError if they do not belong together."""
        config, file = self.config, self.path / WEIGHTS
        for each in (file, self.path / CONFIG):
            try:
                intact = has_sum(each)
            except OSError as error:
                raise CheckpointError(f"{each} is damaged or missing; {_REMEDY}") from error
            if not intact:
                raise CheckpointError(f"{each} is damaged: its checksum is not that in {SUMS}; {_REMEDY}")
        weights = _read_weights(file)
        if {name: value.shape for name, value in weights.items()} != config.weight_shapes():
            raise CheckpointError(f"{self.path}: weights and configuration do not belong together")
        summary = self.about.get("training")
        return Checkpoint(self.name, config, weights, summary if isinstance(summary, dict) else {})


@overload
def find_checkpoint(name_or_path: str | os.PathLike[str] | None = None) -> CheckpointFolder[ModelConfig]: ...
@overload
def find_checkpoint(name_or_path: str | os.PathLike[str] | None, kind: Kind[C]) -> CheckpointFolder[C]: ...
def find_checkpoint(
    name_or_path: str | os.PathLike[str] | None = None, kind: Kind[Any] = STROKE_MODEL
) -> CheckpointFolder[Any]:
    """Find a checkpoint: a folder, else a bundled name, or one on the hub such as hf://user/name.

    None is the default of the kind that it must be of.

    Raises:
        CheckpointError: there is none, or it is foreign, damaged, newer or of another kind.
    """
    name = kind.default if name_or_path is None else os.fspath(name_or_path)
    folder = _folder(name)
    if folder is None and is_hub_name(name):
        raise CheckpointError(f"{name[:200]} has no {CONFIG}; it is no checkpoint of sketchgen")
    if folder is None:
        names = ", ".join(bundled_checkpoints(kind.format)) or "none"
        where = f"neither a folder with {CONFIG} nor bundled ({names}), nor hf://user/name"
        raise CheckpointError(f"no {kind.name} {name[:200]!r}: {where}")
    try:
        about = read_object(folder / CONFIG)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG} cannot be read; {_REMEDY}") from error
    found = next((each for each in KINDS if about.get("format") == each.format), None)
    if found is None:
        raise CheckpointError(f"{name} is not a sketchgen checkpoint")
    if found is not kind:
        raise CheckpointError(f"{name} is a {found.name}, not a {kind.name}; {found.usage}")
    if about.get("version") != VERSION:
        version = str(about.get("version"))[:20]
        raise CheckpointError(f"{folder} is of version {version}, this program reads {VERSION}")
    return CheckpointFolder(name, folder, kind, about)


@overload
def read_checkpoint(name_or_path: str | os.PathLike[str] | None = None) -> Checkpoint[ModelConfig]: ...
@overload
def read_checkpoint(name_or_path: str | os.PathLike[str] | None, kind: Kind[C]) -> Checkpoint[C]: ...
def read_checkpoint(
    name_or_path: str | os.PathLike[str] | None = None, kind: Kind[Any] = STROKE_MODEL
) -> Checkpoint[Any]:
    """Find and read a checkpoint; see `find_checkpoint`."""
    return find_checkpoint(name_or_path, kind).read()


def is_picture_classifier(name_or_path: str | os.PathLike[str]) -> bool:
    """Return whether a folder, or else a bundled name, holds a picture classifier; False if unreadable."""
    try:
        find_checkpoint(name_or_path, PICTURE_CLASSIFIER)
    except CheckpointError:
        return False
    return True


def save_checkpoint(
    folder: Path,
    network: Network[NetworkConfig],
    summary: dict[str, Any],
    *,
    force: bool = False,
    half: bool = False,
) -> None:
    """Write a checkpoint of the kind that the network's configuration is of.

    The folder appears whole or not at all.

    Args:
        folder: where; its parent is made.
        network: the network.
        summary: how it was trained, plain JSON values.
        force: replace an existing checkpoint.
        half: store float16 weights (half the size; float32 again when loaded).

    Raises:
        OutputError: the folder exists and `force` is false, or it cannot be written.
    """
    folder, config = Path(folder), network.config
    check_replaceable(folder, CONFIG, "a checkpoint", force=force)
    kind = next(kind for kind in KINDS if kind.config is type(config))
    about = {"format": kind.format, "version": VERSION, "model": config.to_dict(), "training": summary}
    dtype = np.float16 if half else np.float32
    stored = {name: np.ascontiguousarray(value, dtype) for name, value in network.weights().items()}
    try:
        with whole_folder(folder) as work:
            # As bytes: safetensors' own writer makes the file unreadable for everybody but its owner.
            (work / WEIGHTS).write_bytes(save(stored, metadata={"format": kind.format}))
            text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
            (work / CONFIG).write_text(text, encoding="utf-8")
            write_sums(work)
            (work / CARD).write_text(model_card(kind.name, config, summary), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{folder} cannot be written: {reason}") from error


class Pretrained:
    """A model that was loaded, and can be saved and published: one of its attributes is a `Network`."""

    summary: dict[str, Any]

    def save_pretrained(
        self, folder: str | os.PathLike[str], *, half: bool = False, force: bool = False
    ) -> None:
        """Write the model's checkpoint, with its card, to a folder; see `save_checkpoint`."""
        network = next(value for value in vars(self).values() if isinstance(value, Network))
        save_checkpoint(Path(folder), network, self.summary, force=force, half=half)

    def push_to_hub(self, repository: str, *, half: bool = False, private: bool = False) -> str:
        """Publish the model's checkpoint, with its card, on the Hugging Face hub.

        Args:
            repository: user/name; it is made if there is none.
            half: store float16 weights.
            private: make a new repository private.

        Returns:
            The address of the commit.

        Raises:
            OutputError: the hub refuses it, or cannot be reached.
            MissingDependencyError: huggingface_hub is not installed.
        """
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work) / "checkpoint"
            self.save_pretrained(folder, half=half)
            return publish(folder, repository, private=private)


def with_categories(
    checkpoint: Checkpoint[ModelConfig], categories: Sequence[str]
) -> Checkpoint[ModelConfig]:
    """Return the checkpoint with further categories; new ones start from the embedding of "any"."""
    new = tuple(name for name in categories if name not in checkpoint.config.categories)
    rows = checkpoint.weights["category.weight"]
    grown = np.concatenate([rows[:-1], *[rows[-1:]] * (len(new) + 1)])
    config = replace(checkpoint.config, categories=checkpoint.config.categories + new)
    return replace(checkpoint, config=config, weights=checkpoint.weights | {"category.weight": grown})


def _folder(name: str) -> Path | None:
    """Return the folder of a path, of a bundled name or on the hub, if one with a configuration is there."""
    if is_hub_name(name):
        folder = fetch(name, (CONFIG, WEIGHTS, SUMS, CARD))
        return folder if (folder / CONFIG).is_file() else None
    for find in (Path, functools.partial(bundled, "checkpoints")):
        # No folder can have some names, and no file system takes others.
        with contextlib.suppress(OSError, ResourceError):
            if (find(name) / CONFIG).is_file():
                return find(name)
    return None


def _read_weights(file: Path) -> Weights:
    """Read weights, finite float16 or float32, as float32."""
    try:
        stored = load_file(file)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{file} is damaged or missing; {_REMEDY}") from error
    if not all(value.dtype in (np.float16, np.float32) for value in stored.values()):
        raise CheckpointError(f"{file} has weights that are neither float16 nor float32")
    weights = {name: value.astype(np.float32) for name, value in stored.items()}
    if not all(bool(np.isfinite(value).all()) for value in weights.values()):
        raise CheckpointError(f"{file} has weights that are not finite; {_REMEDY}")
    return weights
