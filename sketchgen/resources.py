"""Finding the files that come with sketchgen: sample drawings, categories, checkpoints, browser canvas."""

from __future__ import annotations

import difflib
from pathlib import Path

from sketchgen.errors import CheckpointError, SketchgenError

FOLDERS = ("checkpoints", "datasets", "web")
"""The folders that are bundled; in a checkout they stand beside the package, in a wheel inside it."""

WEIGHTS = "model.safetensors"
"""The file that makes a folder under `checkpoints` a checkpoint of a model that draws."""

RECOGNISER_WEIGHTS = "recogniser.safetensors"
"""The file that makes it one of a recogniser."""

PICTURES_WEIGHTS = "pictures.safetensors"
"""The file that makes it one of a judge of pictures."""

CRITIC_WEIGHTS = "critic.safetensors"
"""The file that makes it one of a critic."""

_PACKAGE = Path(__file__).resolve().parent


class ResourceError(SketchgenError):
    """A file that should have come with sketchgen is not there."""


def _roots() -> tuple[Path, ...]:
    """Where bundled folders may stand: the installed wheel first, then a checkout (bare, sdist or editable).

    The second place counts only if it is a checkout: beside an installed package stands all of
    site-packages, where a folder `datasets` is somebody else's.
    """
    checkout = _PACKAGE.parent
    roots = [_PACKAGE / "_bundle"]
    if (checkout / "pyproject.toml").is_file():
        roots.append(checkout)
    return tuple(root for root in roots if root.is_dir())


def bundled(*parts: str) -> Path:
    """The path of a bundled file or folder, such as `bundled("datasets", "categories.txt")`.

    Args:
        parts: the path's parts, the first one of `FOLDERS`. They are names, not paths that climb out.

    Raises:
        ResourceError: it did not come with this installation.
    """
    names = [name for part in parts for name in part.split("/")]
    shown = "/".join(names)
    if not names or names[0] not in FOLDERS or any(name in ("", ".", "..") or "\\" in name for name in names):
        raise ResourceError(f"{shown!r} is no bundled file; the bundled folders are {', '.join(FOLDERS)}")
    for root in _roots():
        path = root.joinpath(*names)
        if path.exists():
            return path
    raise ResourceError(
        f"{shown} is missing from this installation; install sketchgen again, or use a full checkout"
    )


def bundled_checkpoints() -> list[str]:
    """The names of the bundled checkpoints of models that draw, sorted; empty if none came along."""
    return _holding(WEIGHTS)


def bundled_recognisers() -> list[str]:
    """The names of the bundled checkpoints of recognisers, sorted; empty if none came along."""
    return _holding(RECOGNISER_WEIGHTS)


def bundled_picture_judges() -> list[str]:
    """The names of the bundled checkpoints of judges of pictures, sorted; empty if none came along."""
    return _holding(PICTURES_WEIGHTS)


def bundled_critics() -> list[str]:
    """The names of the bundled checkpoints of critics, sorted; empty if none came along."""
    return _holding(CRITIC_WEIGHTS)


def _holding(weights: str) -> list[str]:
    """The names of the folders under `checkpoints` that hold a file of this name, sorted."""
    folders = [
        path for root in _roots() for path in (root / "checkpoints").glob("*/") if (path / weights).is_file()
    ]
    return sorted({path.name for path in folders})


def bundled_checkpoint(name: str) -> Path:
    """The folder of a bundled checkpoint.

    Raises:
        CheckpointError: there is none of that name; the message names those there are.
    """
    names = bundled_checkpoints()
    if name in names:
        return bundled("checkpoints", name)
    near = difflib.get_close_matches(name, names, n=1)
    known = ", ".join(names) if names else "none; give the path of a checkpoint folder"
    hint = f"did you mean {near[0]!r}?" if near else f"bundled are {known}"
    raise CheckpointError(f"no bundled checkpoint {name[:60]!r}; {hint}")


def categories() -> list[str]:
    """The 345 category names of Quick, Draw!, in the order of `datasets/categories.txt`."""
    return bundled("datasets", "categories.txt").read_text(encoding="utf-8").splitlines()
