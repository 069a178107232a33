"""The job that complete and generate run: from the options to the summary."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sketchgen import limits
from sketchgen.cli.appearance import render_options
from sketchgen.cli.command import emit, plural, say
from sketchgen.errors import OutputError, SettingError, SketchgenError

if TYPE_CHECKING:
    from sketchgen.jobs.executor import Executor
    from sketchgen.jobs.inputs import Source
    from sketchgen.jobs.run import Outcome, Run
    from sketchgen.jobs.spec import Job

FEW = 500
"""Drawings, candidates included, up to which another process costs more than it saves."""


def run_job(asked: SimpleNamespace, out: Path | None, source: Source | None, job: Job) -> None:
    """Draw everything that is asked for, and report the outcome; `out` is None for standard output."""
    from sketchgen.cli.progress import shown
    from sketchgen.jobs.output import is_file, open_output
    from sketchgen.jobs.run import Run
    from sketchgen.models.checkpoint import DEFAULT_CHECKPOINT, find_checkpoint

    weights, executor = find_checkpoint(asked.checkpoint).fingerprint(), _executor(asked, job)
    run = Run(job, source, open_output(out, job, force=asked.force, resume=asked.resume), weights)
    small = job.engine == "completer"
    if small and out is not None and not is_file(out):
        run.on_write = lambda name: emit(str(out / name))
    with contextlib.nullcontext() if small else shown() as show, _resumable(run):
        if show is not None:
            run.progress = functools.partial(show, "drawing")
        outcome = run.go(executor, resume=asked.resume, force=asked.force)
    for path in outcome.files + ([run.output.manifest] if run.output.manifest and not small else []):
        emit(str(path))
    say(f"{asked.checkpoint or DEFAULT_CHECKPOINT}: {_summary(job, outcome)}")


def job_of(
    asked: SimpleNamespace,
    out: Path | None,
    source: Source | None,
    categories: tuple[str | None, ...],
    names: tuple[str, ...],
    rank: Any,
    **sampling: Any,
) -> Job:
    """Return the job that is asked for: of these categories, with these stems of the output files."""
    from sketchgen.jobs.spec import Job, Sampling, engine_for

    if asked.guidance is not None:
        sampling["guidance"] = asked.guidance
    how = Sampling(asked.checkpoint, asked.temperature, **sampling)
    kept: dict[str, Any] = {
        name: getattr(asked, name) for name in ("count", "seed", "best_of", "label", "unique")
    }
    if source is not None:
        kept |= {"given": source.drawings, "files": tuple(file.drawings for file in source.files)}
    options = render_options(asked, out)
    job = Job(how, "batch", categories, names=names, rank=rank, render_options=options, **kept)
    if job.total * job.best_of > limits.MAX_DRAWINGS:
        of_each = f" x {job.best_of} candidates" if job.best_of > 1 else ""
        raise SettingError(
            f"{job.groups} x {job.count} drawings{of_each} are {job.total * job.best_of}; at most "
            f"{limits.MAX_DRAWINGS} are drawn at a time: lower --count, or split it by --seed"
        )
    return replace(job, engine=engine_for(job.total, job.best_of))


def _executor(asked: SimpleNamespace, job: Job) -> Executor:
    from sketchgen.jobs.executor import InProcess, Processes

    if job.engine == "completer":
        return InProcess()
    if asked.ray is not None:
        from sketchgen.jobs.ray_executor import Ray

        return Ray(asked.ray)
    from sketchgen.cli.progress import usable_cores

    few = job.total * job.best_of <= FEW
    return Processes(asked.jobs or (1 if few else usable_cores()))


@contextlib.contextmanager
def _resumable(run: Run) -> Iterator[None]:
    """Add to whatever ends a job how much of it is done, and how to go on."""

    def done() -> str:
        count = run.outcome.settled
        if run.output.manifest is None or not count:
            return ""
        return f"; {count} of {run.job.total} {'is' if count == 1 else 'are'} done, and --resume goes on"

    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"interrupted{done()}") from stop
    except OutputError as error:
        raise OutputError(f"{error}{done()}") from error
    except SketchgenError as error:
        raise type(error)(f"{error}{done()}") from error


def _summary(job: Job, outcome: Outcome) -> str:
    """Return what came of a job, in words."""
    words = [plural(outcome.written, "drawing" if job.given is None else "completion")]
    if job.given is not None:
        words.append(f"{outcome.ended} ended by {'itself' if outcome.ended == 1 else 'themselves'}")
    words += [f"{count} dropped as {why}" for why, count in outcome.dropped.items()]
    if outcome.resumed:
        words.append(f"{outcome.resumed} {'was' if outcome.resumed == 1 else 'were'} there from before")
    return ", ".join(words)
