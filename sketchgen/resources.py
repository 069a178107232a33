"""Bundled files: sample drawings, categories, checkpoints, the page."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from sketchgen.errors import SketchgenError

FOLDERS = ("checkpoints", "datasets", "web")
"""Bundled folders: beside the package in a checkout, inside it in a wheel."""

_PACKAGE = Path(__file__).resolve().parent


class ResourceError(SketchgenError):
    """A bundled file is missing."""


def _roots() -> tuple[Path, ...]:
    """Return where bundled folders may be: the installed wheel first, then a checkout.

    The folder of the package counts as a checkout only if it has a pyproject.toml: for an installed package
    it is site-packages, where a folder `datasets` belongs to somebody else.
    """
    checkout = _PACKAGE.parent
    roots = [_PACKAGE / "_bundle"]
    if (checkout / "pyproject.toml").is_file():
        roots.append(checkout)
    return tuple(root for root in roots if root.is_dir())


def bundled(*parts: str) -> Path:
    """Return the path of a bundled file or folder, such as `bundled("datasets", "categories.txt")`.

    Args:
        parts: parts of the path below one of `FOLDERS`.

    Raises:
        ResourceError: this installation has no such file.
    """
    names = [name for part in parts for name in part.split("/")]
    shown = "/".join(names)
    if not names or names[0] not in FOLDERS or any(name in ("", ".", "..") or "\\" in name for name in names):
        raise ResourceError(f"{shown!r} is not a bundled file; the bundled folders are {', '.join(FOLDERS)}")
    for root in _roots():
        path = root.joinpath(*names)
        if path.exists():
            return path
    raise ResourceError(
        f"{shown} is missing from this installation; install sketchgen again, or use a full checkout"
    )


def bundled_checkpoints(kind: str = "sketchgen-checkpoint") -> list[str]:
    """Return the names of the bundled checkpoints of one kind, sorted.

    Args:
        kind: the format that their configuration names; by default that of stroke models.
    """
    names = set()
    for root in _roots():
        for path in root.glob("checkpoints/*/config.json"):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                if json.loads(path.read_text(encoding="utf-8")).get("format") == kind:
                    names.add(path.parent.name)
    return sorted(names)


def categories() -> list[str]:
    """Return the 345 category names of Quick, Draw!, in the order of `datasets/categories.txt`."""
    return bundled("datasets", "categories.txt").read_text(encoding="utf-8").splitlines()
