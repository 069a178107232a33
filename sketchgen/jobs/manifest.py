"""The manifest of a job: a header that says what was asked, then a line for each drawing, in their order."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from sketchgen import __version__
from sketchgen.errors import FormatError, SettingError
from sketchgen.jobs.growing_file import append, writing
from sketchgen.jobs.identity import critic_identity, recogniser_identity
from sketchgen.jobs.inputs import Source
from sketchgen.jobs.spec import Job
from sketchgen.jobs.worker import Made
from sketchgen.sketch.files import reason, shown, write_atomic

FORMAT = "sketchgen-manifest"
VERSION = 2

FLUSH_SECONDS = 5.0
"""Time after which the manifest is seen to the disk. A kill costs nothing, a power failure as much."""

MAX_LINE = 64 * 1024
"""Longest line of a drawing that is read, bytes; a header may be longer, for it names all categories."""

_MAX_HEADER = 16 * 2**20


def header_of(job: Job, weights: str, source: Source | None, file: str | None) -> dict[str, Any]:
    """What the first line says: everything that a drawing depends on, and nothing of who drew it.

    Args:
        job: the job.
        weights: the checkpoint's identity.
        source: the files that it completes.
        file: the name of the one file that holds all drawings; None where each has its own.
    """
    names = ("name", "drawings", "sha256")
    sources = [{name: getattr(file, name) for name in names} for file in source.files] if source else None
    told = asdict(job)
    sampling = told.pop("sampling")
    told.pop("given")
    return {
        "format": FORMAT,
        "version": VERSION,
        "program": __version__,
        "command": "generate" if source is None else "complete",
        "weights": weights,
        "recogniser": recogniser_identity() if job.recognised else None,
        **({"critic": critic_identity()} if job.judged else {}),
        "sampling": sampling,
        "sources": sources,
        "file": file,
        **told,
    }


def line_of(job: Job, made: Made, file: str | None) -> dict[str, Any]:
    """The line of a drawing; `file` is None if it was dropped."""
    category = job.categories[made.number // job.count if job.given is None else 0]
    line = {
        "number": made.number,
        "file": file,
        "category": category,
        "seed": job.seed,
        "index": made.index,
        "temperature": job.sampling.temperature,
        "log_likelihood": made.log_likelihood,
        "ended": made.ended,
        "points": made.points,
        "bytes": 0 if made.data is None or file is None else len(made.data),
        "hash": made.hash,
    }
    if job.recognised:
        line |= {"label": made.label, "probability": made.probability}
    if made.code is not None and made.dropped is None:
        line["signature"] = made.code.hex()
    if made.dropped is not None:
        line["dropped"] = made.dropped
    return line


@dataclass(frozen=True)
class Entry:
    """A line as it is read.

    Attributes:
        value: what it says.
        end: how many bytes of the file end with it.
    """

    value: dict[str, Any]
    end: int


def read_header(path: Path) -> Entry:
    """The first line of a manifest.

    Raises:
        FormatError: there is none, it is none, or it is of another version.
    """
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
    return Entry(value, len(line))


def read_entries(path: Path, first: int) -> Iterator[Entry]:
    """The lines behind the header, which ends after `first` bytes; a torn one at the end is left out.

    Raises:
        FormatError: the manifest cannot be read, or a line in its midst is damaged.
    """
    try:
        with open(path, "rb") as file:
            file.seek(first)
            end, number = first, 0
            while (line := file.readline(MAX_LINE)).endswith(b"\n"):
                value = _object(line)
                if value is None or value.get("number") != number:
                    raise FormatError(
                        f"{shown(path)}, line {number + 2} is damaged; draw the job anew with --force"
                    )
                end, number = end + len(line), number + 1
                yield Entry(value, end)
    except OSError as error:
        raise FormatError(f"{shown(path)} cannot be read: {reason(error)}") from error


def first_difference(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Refuse to go on with a job that asked for something else.

    Raises:
        SettingError: the settings differ; the first that does is named.
    """
    before, after = _flat(old), _flat(orjson.loads(orjson.dumps(new)))
    for key in [*after, *before]:
        if before.get(key) != after.get(key):
            was, is_now = (_short(part.get(key)) for part in (before, after))
            raise SettingError(
                f"{shown(path)} is of another job: {key} is {is_now} now and was {was}; "
                "give the same options, or begin anew with --force"
            )


class Manifest:
    """A manifest that grows, one line at a time; a kill leaves whole lines and at most one torn one."""

    def __init__(self, path: Path, size: int) -> None:
        """Go on with a manifest after its first `size` bytes; what stands behind them is cut off.

        Raises:
            OutputError: it cannot be written.
        """
        self.path, self._size, self._synced = path, size, time.monotonic()
        with writing(path):
            self._file = os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
            os.ftruncate(self._file, size)
            os.lseek(self._file, size, os.SEEK_SET)

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any], *, force: bool) -> Manifest:
        """Begin a manifest.

        Raises:
            OutputError: there is one and `force` is false, or it cannot be written.
        """
        data = orjson.dumps(header) + b"\n"
        write_atomic(path, data, force=force)
        return cls(path, len(data))

    def add(self, line: Mapping[str, Any]) -> None:
        """Add the line of a drawing.

        Raises:
            OutputError: it cannot be written; the manifest is as it was.
        """
        data = orjson.dumps(line) + b"\n"
        with writing(self.path):
            append(self._file, data, self._size)
            self._size += len(data)
            if time.monotonic() - self._synced >= FLUSH_SECONDS:
                os.fsync(self._file)
                self._synced = time.monotonic()

    def close(self, *, remove: bool = False) -> None:
        """See everything to the disk, or take the manifest of a job that came to nothing away again."""
        with contextlib.suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink()


def _object(line: bytes) -> dict[str, Any] | None:
    """The JSON object on a line, if there is one."""
    try:
        value = orjson.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _flat(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings as one level, with dots in their names."""
    found: dict[str, Any] = {}
    for key, part in value.items():
        if isinstance(part, Mapping):
            found |= _flat(part, f"{before}{key}.")
        else:
            found[before + key] = part
    return found


def _short(value: Any) -> str:
    """A setting in an error."""
    text = "not set" if value is None else orjson.dumps(value).decode()
    return text if len(text) <= 60 else text[:57] + "..."
