"""Opening the place that a job's drawings go to; what can be refused is refused before one is drawn."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from sketchgen.errors import OutputError, SettingError
from sketchgen.jobs.output import (
    MANIFEST,
    Folder,
    OneFile,
    Output,
    Target,
    manifest_beside,
    part_of,
)
from sketchgen.jobs.render_options import BINARY, BY_SUFFIX, Look
from sketchgen.jobs.spec import Job
from sketchgen.sketch.files import prepare_output_folder


def is_file(out: Path | None) -> bool:
    """Whether an output is one file, as its suffix tells."""
    return out is not None and out.suffix.lower() in BY_SUFFIX and not out.is_dir()


def look_for(out: Path | None, look: Look) -> Look:
    """The look with the form of the file that is named: its suffix goes before what was asked for."""
    if out is None or not is_file(out) or look.suffix == out.suffix.lower():
        return look
    if look.form == "poster" and out.suffix.lower() == ".png":
        return replace(look, form="poster-png")
    return replace(look, form=BY_SUFFIX[out.suffix.lower()])


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
        job.look.check(job.total, one_file=True)
        if resume:
            raise SettingError("standard output cannot be resumed; name a folder or a file with -o")
        if job.look.form in BINARY and sys.stdout.isatty():
            suffix = job.look.suffix
            kind = suffix[1:].upper()
            raise SettingError(
                f"a {kind} is no text for a terminal; write it to a file with -o picture{suffix}"
            )
        return Output(job)
    if is_file(out):
        return _open_file(out, job, force=force, resume=resume)
    job.look.check(job.total, one_file=False)
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
    job.look.check(job.total, one_file=True)
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
