"""Which model draws: its categories and the hash by which it is known again, without loading it."""

from __future__ import annotations

from collections.abc import Sequence

from sketchgen.completion.completer import ANY
from sketchgen.errors import unknown_category
from sketchgen.models.checkpoint import CLASSIFIER, REWARD_MODEL, find_checkpoint

ALL = "all"
"""The name that stands for every category that the model knows."""


def known_categories(checkpoint: str | None) -> tuple[str, ...]:
    """The categories of a checkpoint, from its configuration alone.

    Raises:
        CheckpointError: none there, or damaged.
    """
    return find_checkpoint(checkpoint).config.categories


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
    """Return the SHA-256 of a checkpoint's weights and configuration, hexadecimal.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    return find_checkpoint(checkpoint).fingerprint()


def recogniser_identity() -> str:
    """Return the same of the bundled recogniser."""
    return find_checkpoint(None, CLASSIFIER).fingerprint()


def critic_identity() -> str:
    """Return the same of the bundled reward model."""
    return find_checkpoint(None, REWARD_MODEL).fingerprint()
