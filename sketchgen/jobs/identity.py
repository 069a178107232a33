"""Which model draws: its categories and the hash by which it is known again, without loading it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sketchgen.completion.completer import ANY
from sketchgen.errors import CheckpointError, unknown_category
from sketchgen.models.checkpoint import (
    CHECKPOINT_FORMAT,
    CHECKPOINT_VERSION,
    CONFIG,
    WEIGHTS,
    find_checkpoint,
    read_about,
)
from sketchgen.resources import CRITIC_WEIGHTS, RECOGNISER_WEIGHTS, bundled

ALL = "all"
"""The name that stands for every category that the model knows."""


def known_categories(checkpoint: str | None) -> tuple[str, ...]:
    """The categories of a checkpoint, from its configuration alone.

    Raises:
        CheckpointError: none there, or damaged.
    """
    folder = find_checkpoint(checkpoint)
    try:
        names = read_about(folder, CHECKPOINT_FORMAT, CHECKPOINT_VERSION)["model"]["categories"]
        return tuple(str(name) for name in names)
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / CONFIG} describes no model; get the checkpoint again") from error


def chosen_categories(text: str | None, known: Sequence[str]) -> tuple[str | None, ...]:
    """The categories that a list with commas names, each once, as the model writes them.

    Args:
        text: such as "cat,dog"; "all" for every one, "any" or None for none in particular. A category whose
            own name has commas is taken before the list is cut.
        known: the model's categories.

    Raises:
        CategoryError: one is unknown; the nearest names are in the message.
    """
    lower = {name.lower(): name for name in known}
    if text is None:
        return (None,)
    if text.strip().lower() == ALL:
        return tuple(known)
    whole = lower.get(text.strip().lower())
    if whole is not None:
        return (whole,)
    found: list[str | None] = []
    for part in text.split(","):
        name = part.strip().lower()
        if name != ANY and name not in lower:
            raise unknown_category(part.strip(), known)
        found.append(None if name == ANY else lower[name])
    return tuple(dict.fromkeys(found))


def identity(checkpoint: str | None) -> str:
    """The SHA-256 of a checkpoint's weights and configuration, hexadecimal: it draws as it, or it is not it.

    Raises:
        CheckpointError: none there.
    """
    return hash_of_files(find_checkpoint(checkpoint), WEIGHTS, CONFIG)


def recogniser_identity() -> str:
    """The same of the bundled recogniser.

    Raises:
        SketchgenError: it did not come along.
    """
    from sketchgen.models.classifier_checkpoint import DEFAULT_RECOGNISER

    return hash_of_files(bundled("checkpoints", DEFAULT_RECOGNISER), RECOGNISER_WEIGHTS, CONFIG)


def critic_identity() -> str:
    """The same of the bundled critic.

    Raises:
        SketchgenError: it did not come along.
    """
    from sketchgen.models.reward_checkpoint import DEFAULT_CRITIC

    return hash_of_files(bundled("checkpoints", DEFAULT_CRITIC), CRITIC_WEIGHTS, CONFIG)


def hash_of_files(folder: Path, *names: str) -> str:
    """The SHA-256 of several files of a checkpoint, one after the other.

    Raises:
        CheckpointError: one cannot be read.
    """
    digest = hashlib.sha256()
    for name in names:
        try:
            data = (folder / name).read_bytes()
        except OSError as error:
            raise CheckpointError(
                f"{folder / name} is damaged or missing; get the checkpoint again"
            ) from error
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()
