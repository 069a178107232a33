"""The manifest of a job: a header with all settings, then a line for each drawing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from sketchgen import __version__
from sketchgen.completion.guessing import AUTO
from sketchgen.errors import FormatError, OutputError, SettingError
from sketchgen.jobs.append_file import AppendFile
from sketchgen.jobs.inputs import Source
from sketchgen.jobs.spec import Job
from sketchgen.jobs.worker import Record
from sketchgen.models.checkpoint import CLASSIFIER, REWARD_MODEL, find_checkpoint
from sketchgen.sketch.files import reason, shown, write_atomic

FORMAT = "sketchgen-manifest"
VERSION = 2

FLUSH_SECONDS = 5.0
"""Time between flushes to the disk: what a power failure may cost. A killed process loses nothing."""

MAX_LINE = 64 * 1024
"""Longest line of a drawing, bytes. A header may be longer, since it names all categories."""

_MAX_HEADER = 16 * 2**20


def header_of(job: Job, weights: str, source: Source | None, file: str | None) -> dict[str, Any]:
    """Return the header: everything that a drawing depends on, and nothing about the workers.

    `weights` is the fingerprint of the model, `file` the name of the one file of all drawings, if any.
    """
    names = ("name", "drawings", "sha256")
    sources = [{name: getattr(file, name) for name in names} for file in source.files] if source else None
    settings = asdict(job)
    sampling = settings.pop("sampling")
    settings.pop("given")
    # The key of version 2 of the format.
    settings["look"] = settings.pop("render_options")
    recognised = job.uses_recogniser or AUTO in job.categories
    header = {
        "format": FORMAT,
        "version": VERSION,
        "program": __version__,
        "command": "generate" if source is None else "complete",
        "weights": weights,
        "recogniser": find_checkpoint(None, CLASSIFIER).fingerprint() if recognised else None,
    }
    if job.rank == "reward" and job.best_of > 1:
        header["critic"] = find_checkpoint(None, REWARD_MODEL).fingerprint()
    return {**header, "sampling": sampling, "sources": sources, "file": file, **settings}


def line_of(job: Job, record: Record, file: str | None) -> dict[str, Any]:
    """Return the line of a drawing; `file` is None if it was dropped."""
    line = {
        "number": record.number,
        "file": file,
        "category": record.category,
        "seed": job.seed,
        "index": record.index,
        "temperature": job.sampling.temperature,
        "log_likelihood": record.log_likelihood,
        "ended": record.ended,
        "points": record.points,
        "bytes": 0 if record.data is None or file is None else len(record.data),
        "hash": record.hash,
    }
    if job.uses_recogniser:
        line |= {"label": record.label, "probability": record.probability}
    if record.signature is not None and record.dropped is None:
        line["signature"] = record.signature.hex()
    if record.dropped is not None:
        line["dropped"] = record.dropped
    return line


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """Return the header of a manifest and its size in bytes; FormatError if it is none of this version."""
    try:
        with open(path, "rb") as file:
            line = file.readline(_MAX_HEADER)
    except (OSError, ValueError) as error:
        raise FormatError(f"{shown(path)} cannot be read: {reason(error)}") from error
    value = _object(line)
    if value is None or value.get("format") != FORMAT or not line.endswith(b"\n"):
        raise FormatError(f"{shown(path)} is no manifest; name the manifest.jsonl of a job")
    if value.get("version") != VERSION:
        raise FormatError(
            f"{shown(path)} is a manifest of version {str(value.get('version'))[:20]}, "
            f"this program reads {VERSION}; draw the job anew"
        )
    return value, len(line)


def read_lines(path: Path, start: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the lines after the header of `start` bytes, each with the offset of its end.

    An incomplete last line is left out.
    """
    try:
        with open(path, "rb") as file:
            file.seek(start)
            end, number = start, 0
            while (line := file.readline(MAX_LINE)).endswith(b"\n"):
                value = _object(line)
                if value is None or value.get("number") != number or not _is_line(value):
                    raise FormatError(
                        f"{shown(path)}, line {number + 2} is damaged; draw the job anew with --force"
                    )
                end, number = end + len(line), number + 1
                yield value, end
    except OSError as error:
        raise FormatError(f"{shown(path)} cannot be read: {reason(error)}") from error


def check_same_job(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Check that a resumed job has the settings of the earlier run; a SettingError names one that differs."""
    before, after = _flat(old), _flat(orjson.loads(orjson.dumps(new)))
    for key in [*after, *before]:
        if before.get(key) != after.get(key):
            was, is_now = (_short(part.get(key)) for part in (before, after))
            raise SettingError(
                f"{shown(path)} is of another job: {key} is {is_now} now and was {was}; "
                "give the same options, or begin anew with --force"
            )


class Manifest(AppendFile):
    """A manifest that grows by one line at a time. A kill leaves at most one incomplete line."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(path, size)
        self._synced = time.monotonic()
        self.open()

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any], *, force: bool) -> Manifest:
        """Create a manifest; OutputError if it exists and `force` is false, or it cannot be written."""
        data = orjson.dumps(header) + b"\n"
        write_atomic(path, data, force=force)
        return cls(path, len(data))

    def add_line(self, line: Mapping[str, Any]) -> None:
        """Append the line of a drawing; see `add`."""
        self.add(orjson.dumps(line) + b"\n")
        if time.monotonic() - self._synced >= FLUSH_SECONDS:
            self.sync()
            self._synced = time.monotonic()

    def close(self) -> None:
        """Flush and close the manifest."""
        with contextlib.suppress(OutputError):
            self.sync()
        super().close()


def _object(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object on a line; None if there is none."""
    try:
        value = orjson.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


_LINE: dict[str, tuple[type, ...]] = {
    "number": (int,),
    "file": (str, type(None)),
    "index": (int,),
    "ended": (bool,),
    "bytes": (int,),
    "hash": (str, type(None)),
    "signature": (str, type(None)),
    "dropped": (str, type(None)),
}
"""Types of the values of a line that are read again."""


def _is_line(value: Mapping[str, Any]) -> bool:
    """Return whether a line holds what one of `line_of` does."""
    optional = ("signature", "dropped")
    for name, kinds in _LINE.items():
        if name not in value and name not in optional:
            return False
        part = value.get(name)
        if type(part) not in kinds or (type(part) is int and part < 0):
            return False
    # Files are in the manifest's folder.
    return value["file"] is None or Path(value["file"]).name == value["file"]


def _flat(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested settings as one level, with dots in their names."""
    found: dict[str, Any] = {}
    for key, part in value.items():
        if isinstance(part, Mapping):
            found |= _flat(part, f"{before}{key}.")
        else:
            found[before + key] = part
    return found


def _short(value: Any) -> str:
    """Return a setting as an error shows it."""
    text = "not set" if value is None else orjson.dumps(value).decode()
    return text if len(text) <= 60 else text[:57] + "..."
