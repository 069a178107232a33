"""Opening the place that a job's drawings go to; what can be refused is refused before one is drawn."""

from __future__ import annotations

import sys
from pathlib import Path

from sketchgen.errors import OutputError, SettingError
from sketchgen.formats.registry import check_options, is_binary, known_suffix, options_for, suffix_of
from sketchgen.formats.render_options import RenderOptions
from sketchgen.jobs.output import (
    MANIFEST,
    Folder,
    OneFile,
    Output,
    Target,
    manifest_beside,
    part_of,
)
from sketchgen.jobs.spec import Job
from sketchgen.sketch.files import prepare_output_folder


def is_file(out: Path | None) -> bool:
    """Return whether an output is one file, by its suffix.

    Raises:
        FormatError: the suffix is that of a format that cannot be written.
    """
    return out is not None and known_suffix(out) is not None


def look_for(out: Path | None, look: RenderOptions) -> RenderOptions:
    """Return the options with the format of the file that is named, if there is one.

    Raises:
        FormatError: the suffix is that of a format that cannot be written.
    """
    return options_for(out, look) if out is not None and is_file(out) else look


def open_target(out: Path | None, job: Job, *, force: bool = False, resume: bool = False) -> Target:
    """Open the place that a job's drawings go to.

    Args:
        out: a folder, a file (told by its suffix), or None or "-" for standard output.
        job: what is drawn, in the look of `look_for`.
        force: allow a folder that is not empty, and files that exist.
        resume: go on with an earlier run.

    Raises:
        OutputError: the folder or file is there and `force` is false, or cannot be written.
        SettingError: more drawings than the form holds, or nothing that could be resumed.
    """
    if out is None or str(out) == "-":
        check_options(job.look, job.total)
        if resume:
            raise SettingError("standard output cannot be resumed; name a folder or a file with -o")
        if is_binary(job.look) and sys.stdout.isatty():
            suffix = suffix_of(job.look)
            kind = suffix[1:].upper()
            raise SettingError(
                f"a {kind} is no text for a terminal; write it to a file with -o picture{suffix}"
            )
        return Output(job)
    if is_file(out):
        return _open_file(out, job, force=force, resume=resume)
    check_options(job.look, job.total, one_file=False)
    if resume:
        if not (out / MANIFEST).is_file():
            raise SettingError(
                f"{out} holds no {MANIFEST}: there is nothing to be resumed; leave out --resume"
            )
        return Folder(prepare_output_folder(out, force=True), job, new=False, replace=force, resume=True)
    new = not out.exists()
    folder = prepare_output_folder(out, force=force)
    return Folder(folder, job, new=new, replace=force, resume=False)


def _open_file(out: Path, job: Job, *, force: bool, resume: bool) -> Target:
    """Open a file that holds all drawings."""
    check_options(job.look, job.total)
    if resume and job.total == 1:
        raise SettingError("one drawing in one file has nothing to be resumed; leave out --resume")
    if resume and not manifest_beside(out).is_file():
        raise SettingError(
            f"{manifest_beside(out)} is not there: there is nothing to be resumed; leave out --resume"
        )
    if not (resume or force):
        for path in (out, part_of(out), *([manifest_beside(out)] if job.total > 1 else [])):
            if path.exists():
                hint = "choose another name or pass --force" if path == out else "pass --resume or --force"
                raise OutputError(f"{path} exists; {hint}")
    return OneFile(out, job, replace=force, resume=resume)
