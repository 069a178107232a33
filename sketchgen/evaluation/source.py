"""The drawings that are measured on: a split of a prepared store, or ndjson that was never seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sketchgen.data.prepare import read_drawings
from sketchgen.data.store import Drawings, Store
from sketchgen.errors import FormatError


@dataclass(frozen=True)
class Source:
    """Drawings to measure on.

    Attributes:
        path: where they stand.
        split: what to call them: a store's split, or "all".
        drawings: in the 255 box.
    """

    path: Path
    split: str
    drawings: Drawings


def source_drawings(source: Path, split: str) -> tuple[Drawings, str]:
    """The drawings of a store's split, or all of an ndjson file or folder, and what to call them."""
    if (source / "store.json").is_file():
        return Store.open(source).split(split).drawings(), split
    return read_drawings(source)[0], "all"


def open_source(path: Path, split: str, limit: int | None) -> Source:
    """Read what is measured on: all drawings, or the `limit` ones with the smallest hashes.

    Raises:
        FormatError: no drawings.
    """
    drawings, called = source_drawings(path, split)
    if not len(drawings):
        raise FormatError(f"{path} has no drawing in its {called} split")
    if limit is not None and limit < len(drawings):
        drawings = drawings.take(np.sort(np.argsort(drawings.key, kind="stable")[:limit]))
    return Source(path, called, drawings)
