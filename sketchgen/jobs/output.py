"""The outputs of a job: a folder with a file for each drawing, one file for all, or standard output."""

from __future__ import annotations

import contextlib
import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sketchgen.errors import OutputError, SettingError
from sketchgen.formats.registry import (
    check_options,
    contact_sheet,
    encode_many,
    format_of,
    is_binary,
    known_suffix,
    options_for,
    suffix_of,
)
from sketchgen.formats.render_options import RenderOptions
from sketchgen.jobs.append_file import AppendFile
from sketchgen.jobs.spec import Item, Job
from sketchgen.jobs.worker import Record, WorkerOptions, from_line
from sketchgen.sketch.files import (
    prepare_output_folder,
    put_in_place,
    reason,
    remove_unnamed,
    shown,
    write_atomic,
)

MANIFEST = "manifest.jsonl"
"""Name of the manifest in a folder."""

SHEET = "sheet.png"
"""Name of the contact sheet in a folder."""

MAX_SHEET_CELLS = 1000
"""Drawings on the contact sheet of a folder: the first ones."""

CELLS = ".sheet.part"
"""In a folder, the serialized first drawings until the contact sheet is made of them."""


class Output:
    """A destination of drawings, which come in the order of their numbers.

    Attributes:
        worker_options: what it needs from the workers.
        manifest: path of the manifest; None if there is none.
        file: name of the one file that holds all drawings; None if each has its own.
    """

    worker_options: WorkerOptions
    manifest: Path | None = None
    file: str | None = None

    def has(self, line: Mapping[str, Any]) -> bool:
        """Return whether the next drawing of an earlier run, described by its manifest line, still exists."""
        return False

    def start(self) -> None:
        """Open the output after the drawings that `has` found, and cut off the rest."""

    def write(self, record: Record) -> str:
        """Write a drawing and return the name of its file; nothing of it remains after an OutputError."""
        raise NotImplementedError

    def finish(self) -> list[Path]:
        """Write what is made of all drawings and return its paths."""
        return []

    def close(self, *, empty: bool) -> None:
        """Close open files; if nothing was drawn, remove what was created."""


def is_file(out: Path | None) -> bool:
    """Return whether an output is one file, by its suffix."""
    return out is not None and known_suffix(out) is not None


def render_options_for(out: Path | None, render_options: RenderOptions) -> RenderOptions:
    """Return the options with the format of an output file's suffix; see `is_file`."""
    return options_for(out, render_options) if out is not None and is_file(out) else render_options


def open_output(out: Path | None, job: Job, *, force: bool = False, resume: bool = False) -> Output:
    """Open the output of a job; everything that can be refused is refused before anything is drawn.

    It is a folder, a file (recognised by its suffix), or standard output for None or "-". The job has the
    options of `render_options_for`. Existing files are allowed by `force`, and in an earlier run to `resume`.

    Raises:
        OutputError: the folder or file exists and `force` is false, or cannot be written.
        SettingError: too many drawings for the format, or nothing to resume.
    """
    if out is None or str(out) == "-":
        check_options(job.render_options, job.total)
        if resume:
            raise SettingError("standard output cannot be resumed; name a folder or a file with -o")
        if is_binary(job.render_options) and sys.stdout.isatty():
            suffix = suffix_of(job.render_options)
            raise SettingError(
                f"a {suffix[1:].upper()} is no text for a terminal; "
                f"write it to a file with -o picture{suffix}"
            )
        return StandardOutput(job)
    if is_file(out):
        return _open_file(out, job, force=force, resume=resume)
    check_options(job.render_options, job.total, one_file=False)
    if resume and not (out / MANIFEST).is_file():
        raise SettingError(f"{out} holds no {MANIFEST}: there is nothing to be resumed; leave out --resume")
    new = not out.exists()
    folder = prepare_output_folder(out, force=force or resume)
    return Folder(folder, job, new=new, replace=force, resume=resume)


def _open_file(out: Path, job: Job, *, force: bool, resume: bool) -> Output:
    """Open a file that holds all drawings."""
    check_options(job.render_options, job.total)
    manifest, part = manifest_beside(out), part_of(out)
    if resume and job.total == 1:
        raise SettingError("one drawing in one file has nothing to be resumed; leave out --resume")
    if resume and not manifest.is_file():
        raise SettingError(f"{manifest} is not there: there is nothing to be resumed; leave out --resume")
    if not (resume or force):
        for path in (out, part, *([manifest] if job.total > 1 else [])):
            if path.exists():
                hint = "choose another name or pass --force" if path == out else "pass --resume or --force"
                raise OutputError(f"{path} exists; {hint}")
    return OneFile(out, job, replace=force, resume=resume)


class Folder(Output):
    """A folder with a file for each drawing, `manifest.jsonl` and a contact sheet of the first ones."""

    def __init__(self, path: Path, job: Job, *, new: bool, replace: bool, resume: bool) -> None:
        """Write into an existing folder, which is removed if it is `new` and nothing is drawn."""
        self.path, self._job, self.manifest = path, job, path / MANIFEST
        self._new, self._replace, self._resume = new, replace or resume, resume
        # The cells are removed when the sheet is finished.
        has_sheet = resume and (path / SHEET).exists() and not (path / CELLS).exists()
        self.worker_options = WorkerOptions(sheet_cells=0 if has_sheet else min(MAX_SHEET_CELLS, job.total))
        self._cells = AppendFile(path / CELLS)

    def has(self, line: Mapping[str, Any]) -> bool:
        """See `Output.has`."""
        if line["file"] is None:
            return True
        try:
            if (self.path / line["file"]).stat().st_size != line["bytes"]:
                return False
        except OSError:
            return False
        return line["number"] >= self.worker_options.sheet_cells or self._cells.keep_line()

    def start(self) -> None:
        """See `Output.start`."""
        if self._resume:
            remove_unnamed(self.path)
        self._cells.open()

    def write(self, record: Record) -> str:
        """See `Output.write`."""
        name = self._job.name(record.number) + suffix_of(self._job.render_options)
        if record.cell is not None:
            self._cells.add(record.cell)
        write_atomic(self.path / name, record.data or b"", force=self._replace, sync=False)
        return name

    def finish(self) -> list[Path]:
        """See `Output.finish`."""
        path = self.path / SHEET
        items = _items_in(self._cells.path)
        if items:
            sheet = contact_sheet(items, self._job.render_options, _columns(self._job, len(items)))
            write_atomic(path, sheet, force=self._replace)
        self._cells.remove()
        return [path] if items else []

    def close(self, *, empty: bool) -> None:
        """See `Output.close`."""
        self._cells.close()
        if empty:
            self._cells.remove()
            if self._new:
                with contextlib.suppress(OSError):
                    self.path.rmdir()  # The system refuses to remove a folder that is not empty.


class OneFile(Output):
    """One file with all drawings, `<name>.part` until it is complete, and `<name>.manifest.jsonl`.

    Formats of one line a drawing are written as the drawings come. The file of any other format, such as a
    sheet, is made at the end from the serialized drawings.
    """

    def __init__(self, path: Path, job: Job, *, replace: bool, resume: bool) -> None:
        self.path, self.file, self._job, self._replace = path, path.name, job, replace
        # A single drawing leaves nothing to resume.
        self.manifest = manifest_beside(path) if job.total > 1 else None
        self.worker_options = WorkerOptions(serialize=not format_of(job.render_options).lines)
        self._part = AppendFile(part_of(path))
        self._finished = resume and path.exists() and not self._part.path.exists()
        self._found = 0

    def has(self, line: Mapping[str, Any]) -> bool:
        """See `Output.has`."""
        found = self._finished or self._part.keep(line["bytes"])
        self._found += found
        return found

    def start(self) -> None:
        """See `Output.start`; OutputError if the file exists and is not complete after an earlier run."""
        done = self._found == self._job.total
        if self.path.exists() and not (self._replace or done):
            raise self._exists()
        self._replace = self._replace or done
        if not self._finished:
            self._part.open()

    def write(self, record: Record) -> str:
        """See `Output.write`."""
        self._part.add(record.data or b"")
        return self.path.name

    def finish(self) -> list[Path]:
        """See `Output.finish`."""
        if self._finished:
            return []
        try:
            if self.worker_options.serialize:
                data = _pages(_items_in(self._part.path), self._job) or [b""]
                paths = write_pages(self.path, data, force=self._replace)
            else:
                paths = [self.path]
                self._part.sync()
                put_in_place(self._part.path, self.path, self._replace)
        except FileExistsError as error:
            raise self._exists() from error
        except OSError as error:
            raise OutputError(f"{shown(self.path)} cannot be written: {reason(error)}") from error
        self._part.remove()
        return paths

    def close(self, *, empty: bool) -> None:
        """See `Output.close`."""
        self._part.close()
        if empty or self.manifest is None:
            self._part.remove()

    def _exists(self) -> OutputError:
        return OutputError(f"{shown(self.path)} exists; choose another name or pass --force")


class StandardOutput(Output):
    """Standard output: lines as the drawings come, any other format at the end. It has no manifest."""

    def __init__(self, job: Job) -> None:
        self.file, self._job, self._lines = "-", job, list[bytes]()
        self.worker_options = WorkerOptions(serialize=not format_of(job.render_options).lines)

    def write(self, record: Record) -> str:
        """See `Output.write`."""
        if self.worker_options.serialize:
            self._lines.append(record.data or b"")
        else:
            write_out(record.data or b"")
        return "-"

    def finish(self) -> list[Path]:
        """See `Output.finish`."""
        for page in _pages([from_line(line, "standard output") for line in self._lines], self._job):
            write_out(page)
        return []


def write_pages(path: Path, data: Sequence[bytes], *, force: bool) -> list[Path]:
    """Write the pages of a file, and return their paths; the second is named <name>-2, and so on."""
    paths = [path, *(path.with_stem(f"{path.stem}-{page}") for page in range(2, len(data) + 1))]
    for each, page in zip(paths, data, strict=True):
        write_atomic(each, page, force=force)
    return paths


def write_out(data: bytes) -> None:
    """Write bytes to standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def file_name(text: str) -> str:
    """Return a text as the start of a file name that every system accepts, at most 80 bytes."""
    name = re.sub(r"[^\w.-]+", "-", text).strip("-.")
    return name.encode()[:80].decode(errors="ignore") or "drawing"


def manifest_beside(path: Path) -> Path:
    """Return the path of the manifest of a single output file."""
    return path.with_name(f"{path.name}.{MANIFEST}")


def part_of(path: Path) -> Path:
    """Return the path of a single output file while it is incomplete."""
    return path.with_name(f"{path.name}.part")


def _columns(job: Job, cells: int) -> int:
    """Return the columns of a sheet: a row for each partial sketch if it fits, else a square."""
    several = job.given is not None and job.given > 1
    return job.count if several and job.count <= 12 else max(1, math.ceil(math.sqrt(cells)))


def _pages(items: list[Item], job: Job) -> list[bytes]:
    """Return the pages made of all drawings; none without drawings."""
    return encode_many(items, job.render_options, _columns(job, len(items))) if items else []


def _items_in(path: Path) -> list[Item]:
    """Return the drawings serialized on the lines of a file; none if it does not exist."""
    try:
        with open(path, "rb") as file:
            return [from_line(line, shown(path)) for line in file]
    except FileNotFoundError:
        return []
