"""Where the drawings of a job go: a folder with a file each, one file for all, or standard output."""

from __future__ import annotations

import contextlib
import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from sketchgen.errors import OutputError
from sketchgen.formats.registry import contact_sheet, encode_many, format_of, suffix_of
from sketchgen.jobs.growing_file import Growing, items_on
from sketchgen.jobs.serialized import Item
from sketchgen.jobs.spec import Job
from sketchgen.jobs.worker import Made, Place
from sketchgen.sketch.files import put_in_place, reason, remove_unnamed, shown, write_atomic

MANIFEST = "manifest.jsonl"
"""Name of the manifest in a folder."""

SHEET = "sheet.png"
"""Name of the contact sheet in a folder."""

SHEET_CELLS = 1000
"""Drawings that a folder's sheet shows: the first ones."""

CELLS = ".sheet.part"
"""In a folder, the first drawings as they were drawn, until the sheet is made of them."""


@runtime_checkable
class Target(Protocol):
    """Where the drawings of a job go, in the order of their numbers.

    Attributes:
        wanted: what it wants of the workers.
        manifest: where the manifest stands; None where there is none.
        file: where there is one file for all drawings, its name.
    """

    wanted: Place
    manifest: Path | None

    @property
    def file(self) -> str | None:
        """The name of the one file that holds all drawings."""
        ...

    def there(self, line: Mapping[str, Any]) -> bool:
        """Whether the next drawing of an earlier run, by its line in the manifest, is there still."""
        ...

    def begin(self) -> None:
        """Begin behind the drawings that were found to be there; what stands behind them goes."""
        ...

    def put(self, made: Made) -> str:
        """Write a drawing, and return the name of its file.

        Raises:
            OutputError: it cannot be written; nothing of it stays.
        """
        ...

    def finish(self) -> list[Path]:
        """Make what is made of all drawings, and return the paths of it."""
        ...

    def close(self, *, empty: bool) -> None:
        """Let go of what is open; where nothing came of the job, leave nothing behind."""
        ...


def columns_of(job: Job, shown: int) -> int:
    """Cells in a row of a sheet: a row for each beginning where that fits, else about as wide as high."""
    several = job.given is not None and job.given > 1
    return job.count if several and job.count <= 12 else max(1, math.ceil(math.sqrt(shown)))


def file_name(text: str) -> str:
    """A text as the beginning of a file name that every system takes."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:80] or "drawing"


class Folder:
    """A folder with a file for each drawing, `manifest.jsonl`, and a sheet of the first ones."""

    file = None

    def __init__(self, path: Path, job: Job, *, new: bool, replace: bool, resume: bool) -> None:
        """Write into a folder that is there.

        Args:
            path: the folder.
            job: what is drawn.
            new: whether the folder was made for this job, so that it goes if nothing comes of it.
            replace: whether files that stand there may be replaced.
            resume: whether an earlier run is gone on with.
        """
        self.path, self._job = path, job
        self.manifest: Path | None = path / MANIFEST
        self._new, self._replace, self._resume = new, replace or resume, resume
        # Once the sheet is there, what it was made of is gone.
        sheeted = resume and (path / SHEET).exists() and not (path / CELLS).exists()
        self.wanted = Place(cells=0 if sheeted else min(SHEET_CELLS, job.total))
        self._cells = Growing(path / CELLS)

    def there(self, line: Mapping[str, Any]) -> bool:
        """See `Target.there`."""
        if line["file"] is None:
            return True
        try:
            if (self.path / line["file"]).stat().st_size != line["bytes"]:
                return False
        except OSError:
            return False
        return line["number"] >= self.wanted.cells or self._cells.keep_line()

    def begin(self) -> None:
        """See `Target.begin`."""
        if self._resume:
            remove_unnamed(self.path)
        self._cells.open()

    def put(self, made: Made) -> str:
        """See `Target.put`."""
        name = self._job.name(made.number) + suffix_of(self._job.look)
        if made.cell is not None:
            self._cells.add(made.cell)
        write_atomic(self.path / name, made.data or b"", force=self._replace, sync=False)
        return name

    def finish(self) -> list[Path]:
        """See `Target.finish`."""
        path = self.path / SHEET
        items = items_on(self._cells.path)
        if items:
            columns = columns_of(self._job, len(items))
            write_atomic(path, contact_sheet(items, self._job.look, columns), force=self._replace)
        self._cells.remove()
        return [path] if items else []

    def close(self, *, empty: bool) -> None:
        """See `Target.close`."""
        self._cells.close()
        if empty:
            self._cells.remove()
            if self._new:
                with contextlib.suppress(OSError):
                    self.path.rmdir()  # Refused by the system where something is in it.


class OneFile:
    """One file that holds all drawings: `<name>.part` until it is whole, and `<name>.manifest.jsonl`.

    Lines are written as they come. What must be made as a whole, such as a sheet, is made at the end of the
    drawings set aside in the meantime.
    """

    def __init__(self, path: Path, job: Job, *, replace: bool, resume: bool) -> None:
        """Write to `path`.

        Args:
            path: the file.
            job: what is drawn.
            replace: whether what stands there may be replaced.
            resume: whether an earlier run is gone on with.
        """
        self.path, self.file, self._job, self._replace = path, path.name, job, replace
        # One drawing in one file is done or not, and has nothing to be resumed.
        self.manifest: Path | None = manifest_beside(path) if job.total > 1 else None
        self.wanted = Place(whole=not format_of(job.look).lines)
        self._part = Growing(part_of(path))
        self._finished = resume and path.exists() and not self._part.path.exists()
        self._found = 0

    def there(self, line: Mapping[str, Any]) -> bool:
        """See `Target.there`."""
        found = self._finished or self._part.keep(line["bytes"])
        self._found += found
        return found

    def begin(self) -> None:
        """See `Target.begin`.

        Raises:
            OutputError: the file is there, and is not what an earlier run has finished.
        """
        done = self._found == self._job.total
        if self.path.exists() and not (self._replace or done):
            raise OutputError(f"{shown(self.path)} exists; choose another name or pass --force")
        self._replace = self._replace or done
        if not self._finished:
            self._part.open()

    def put(self, made: Made) -> str:
        """See `Target.put`."""
        self._part.add(made.data or b"")
        return self.path.name

    def finish(self) -> list[Path]:
        """See `Target.finish`."""
        if self._finished:
            return []
        try:
            if self.wanted.whole:
                paths = self._write_together(items_on(self._part.path))
            else:
                paths = [self.path]
                self._part.sync()
                put_in_place(self._part.path, self.path, self._replace)
        except FileExistsError as error:
            raise OutputError(f"{shown(self.path)} exists; choose another name or pass --force") from error
        except OSError as error:
            raise OutputError(f"{shown(self.path)} cannot be written: {reason(error)}") from error
        self._part.remove()
        return paths

    def _write_together(self, items: list[Item]) -> list[Path]:
        """Write what is made as a whole; of several pages the second is named <name>-2, and so on."""
        data = encode_many(items, self._job.look, columns_of(self._job, len(items))) if items else [b""]
        paths = [self.path]
        paths += [self.path.with_stem(f"{self.path.stem}-{page}") for page in range(2, len(data) + 1)]
        for path, page in zip(paths, data, strict=True):
            write_atomic(path, page, force=self._replace)
        return paths

    def close(self, *, empty: bool) -> None:
        """See `Target.close`."""
        self._part.close()
        if empty or self.manifest is None:
            self._part.remove()


class Output:
    """Standard output: lines as they come, anything else at the end. It has no manifest."""

    def __init__(self, job: Job) -> None:
        """Write what `job` draws."""
        self.manifest: Path | None = None
        self.file = "-"
        self._job, self._items = job, list[bytes]()
        self.wanted = Place(whole=not format_of(job.look).lines)

    def there(self, line: Mapping[str, Any]) -> bool:
        """Nothing is ever there."""
        return False

    def begin(self) -> None:
        """Nothing is to be done."""

    def put(self, made: Made) -> str:
        """See `Target.put`."""
        if self.wanted.whole:
            self._items.append(made.data or b"")
        else:
            self._write(made.data or b"")
        return "-"

    def finish(self) -> list[Path]:
        """See `Target.finish`."""
        from sketchgen.jobs.serialized import from_kept

        items = [from_kept(line, "standard output") for line in self._items]
        if items:
            for page in encode_many(items, self._job.look, columns_of(self._job, len(items))):
                self._write(page)
        return []

    def _write(self, data: bytes) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def close(self, *, empty: bool) -> None:
        """Nothing is to be done."""


def manifest_beside(path: Path) -> Path:
    """Where the manifest of a single output file stands."""
    return path.with_name(f"{path.name}.{MANIFEST}")


def part_of(path: Path) -> Path:
    """Where a single output file grows until it is whole."""
    return path.with_name(f"{path.name}.part")
