"""Bundled files: sample drawings, categories, checkpoints, the page."""

from __future__ import annotations

import contextlib
import difflib
import functools
import json
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from sketchgen.errors import CategoryError, SketchgenError

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


def decoders() -> list[str]:
    """Return the names of the decoders that Google lists: of a category, or of several together."""
    return bundled("datasets", "decoders.txt").read_text(encoding="utf-8").splitlines()


@functools.cache
def names() -> dict[str, dict[str, list[str]]]:
    """Return the names of each category by language, the usual one first, and its emoji under "emoji".

    The languages are en, de, fr, es, it, pt, ja and zh; the first English name is the category's own.
    """
    return json.loads(bundled("datasets", "names.json").read_text(encoding="utf-8"))


def unknown_category(name: str, known: Iterable[str]) -> CategoryError:
    """Build the error for a category that is not in `known`, with what it is called there as the remedy."""
    there = sorted(known)
    near = list(dict.fromkeys(_called(name, there) or _nearest(name, there)))[:3]
    shown = name if len(name) <= 60 else name[:57] + "..."
    if near:
        hint = "did you mean " + " or ".join(map(repr, near)) + "?"
    else:
        hint = f"there are {len(there)}, from {there[0]!r} to {there[-1]!r}" if there else "none are known"
    return CategoryError(f"no category {shown!r}; {hint}")


def _called(name: str, known: list[str]) -> list[str]:
    """Return the categories that have this name in some language, an emoji included."""
    wanted = _folded(name)
    return [
        category
        for category in known
        if any(wanted == _folded(word) for words in names().get(category, {}).values() for word in words)
    ]


def _nearest(name: str, known: list[str]) -> Iterator[str]:
    """Yield the categories whose English names are nearest to this one, the nearest first."""
    words = {
        _folded(word): category for category in known for word in names().get(category, {}).get("en", ())
    }
    words |= {_folded(category): category for category in known}
    for word in difflib.get_close_matches(_folded(name), list(words), n=6, cutoff=0.65):
        yield words[word]


def _folded(name: str) -> str:
    """Return a name without case, accents, hyphens, spaces and emoji's variation selectors."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(
        letter for letter in apart if not unicodedata.combining(letter) and letter not in " -\ufe0f"
    )
