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


def chosen_categories(names: Sequence[str], known: Sequence[str]) -> tuple[str | None, ...]:
    """Return the categories of these names, each once, as the model spells them.

    Args:
        names: such as "cat"; "all" for every one, "any" for none in particular, which is also what no name
            stands for.
        known: the model's categories.

    Raises:
        CategoryError: one is unknown; the nearest names are in the message.
    """
    lower = {name.lower(): name for name in known}
    found: list[str | None] = [] if names else [None]
    for name in (name.strip() for name in names):
        if name.lower() == ALL:
            found += known
        elif name.lower() == ANY:
            found.append(None)
        elif name.lower() in lower:
            found.append(lower[name.lower()])
        else:
            raise unknown_category(name, known)
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
