"""Read and write prepared stores: folders of Arrow files, several per split, listed in a `store.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sketchgen.data.drawings import Drawings
from sketchgen.data.selection import SPLITS
from sketchgen.data.shards import BLOCK, SHARD_BLOCKS, Shard, Split, SplitWriter, shard_name
from sketchgen.errors import FormatError
from sketchgen.sketch.files import SUMS, has_sum, read_object, whole_folder, write_sums

__all__ = ["BLOCK", "SPLITS", "STORE_VERSION", "Drawings", "Split", "Store", "StoreWriter", "new_store"]

STORE_VERSION = 2

MAX_SHARDS = 10_000
"""Maximum number of shards of a split, which hold 2.6 billion drawings."""


class StoreWriter:
    """Write the files of a store: drawings in the order of their keys, then the list of files."""

    def __init__(self, folder: Path, shard_blocks: int = SHARD_BLOCKS) -> None:
        self.folder = folder
        self.splits = {split: SplitWriter(folder, split, shard_blocks) for split in SPLITS}

    def add(self, split: str, drawings: Drawings) -> None:
        """Add drawings to a split."""
        self.splits[split].add(drawings)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Finish the shards, and write `store.json`: the summary, then the list of shards."""
        shards = {split: [asdict(shard) for shard in self.splits[split].close()] for split in SPLITS}
        content = {"version": STORE_VERSION, **summary, "block": BLOCK, "shards": shards}
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (self.folder / "store.json").write_text(text, encoding="utf-8")
        write_sums(self.folder)


@contextmanager
def new_store(out: Path, shard_blocks: int = SHARD_BLOCKS) -> Iterator[StoreWriter]:
    """Yield the writer of a store that replaces `out` when the block ends without an error."""
    with whole_folder(out) as work:
        writer = StoreWriter(work, shard_blocks)
        try:
            yield writer
        finally:
            for split in writer.splits.values():
                split.abandon()


@dataclass(frozen=True)
class Store:
    """A prepared store.

    Attributes:
        summary: the content of `store.json`: version, categories, statistics, what was dropped, shards.
    """

    path: Path
    summary: dict[str, Any]

    @classmethod
    def open(cls, path: Path | str) -> Store:
        """Open the store in folder `path`; only `store.json` is read.

        Raises:
            FormatError: it is no store, or one of another version, or its `store.json` is damaged.
        """
        path = Path(path)
        try:
            summary = read_object(path / "store.json")
        except (OSError, ValueError) as error:
            raise FormatError(f"{path} is not a prepared store; make one with `sketchgen prepare`") from error
        version = summary.get("version")
        if version != STORE_VERSION:
            raise FormatError(
                f"{path} is a store of version {str(version)[:20]}, this program reads {STORE_VERSION}; "
                "prepare the store again"
            )
        store = cls(path, summary)
        for split in SPLITS:
            store.split(split)
        if not has_sum(path / "store.json"):
            raise FormatError(
                f"{path / 'store.json'} is damaged: its checksum is not that in {SUMS}; "
                "prepare the store again"
            )
        return store

    @property
    def categories(self) -> list[str]:
        """Names of the categories, sorted; a drawing's category is an index into them."""
        return list(self.summary["categories"])

    def fingerprint(self) -> str:
        """Return the SHA-256 of `store.json`, hexadecimal: of the drawings' numbers, sizes and statistics."""
        return hashlib.sha256(json.dumps(self.summary, sort_keys=True).encode()).hexdigest()

    def split(self, name: str) -> Split:
        """Return a split; nothing of it is read yet."""
        if name not in SPLITS:
            raise FormatError(f"no split {name!r}; there are {', '.join(SPLITS)}")
        try:
            categories = tuple(self.summary["categories"])
            shards = tuple(Shard(**shard) for shard in self.summary["shards"][name])
        except (KeyError, TypeError):
            categories, shards = ("",), ()
        listed = all(
            shard.file == shard_name(name, number)
            and _is_count(shard.drawings)
            and _is_count(shard.bytes)
            # So that no memory is taken for drawings that are in no file.
            and shard.drawings <= SHARD_BLOCKS * BLOCK
            for number, shard in enumerate(shards)
        )
        named = all(isinstance(category, str) and category for category in categories)
        listed = listed and len(shards) <= MAX_SHARDS
        if not listed or not named or not _has_statistics(self.summary) or self.summary.get("block") != BLOCK:
            raise FormatError(f"{self.path / 'store.json'} is damaged; prepare the store again")
        return Split(name, categories, self.path, shards)


def _has_statistics(summary: dict[str, Any]) -> bool:
    """Return whether the statistics, where there are any, are numbers."""
    statistics, kept = summary.get("statistics", {}), summary.get("kept", {})
    counts = statistics.get("by_category", {}) if isinstance(statistics, dict) else None
    if not isinstance(counts, dict) or not isinstance(kept, dict):
        return False
    scale = statistics.get("offset_deviation", 0)
    return (
        type(scale) in (int, float)
        and 0 <= scale < 1e6
        and all(_is_count(value, 0) for value in (*counts.values(), *kept.values()))
    )


def _is_count(value: object, least: int = 1) -> bool:
    """Return whether a value is an integer of at least so much."""
    return type(value) is int and value >= least
