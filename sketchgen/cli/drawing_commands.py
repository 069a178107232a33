"""What the subcommands that draw do; see `sketchgen.cli.commands`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchgen import example
from sketchgen.cli.drawing_options import Complete, Drawing, Generate, Redraw
from sketchgen.cli.limits import check_closing, check_guidance, check_seed
from sketchgen.cli.looks import look_of
from sketchgen.errors import OutputError, SettingError

if TYPE_CHECKING:
    from sketchgen.jobs.executor import Pool
    from sketchgen.jobs.inputs import Source
    from sketchgen.jobs.run import Outcome, Run
    from sketchgen.jobs.spec import Job, Rank

MAX_TEMPERATURE = 2.0
MAX_CANDIDATES = 1000
MAX_JOBS = 256

FEW = 500
"""Drawings, candidates included, up to which another process costs more than it saves."""

EXAMPLE = "example:"
"""What begins a name that stands for a bundled file."""


def complete(options: Complete) -> None:
    """Finish the drawings of a file, each in several ways.

    Raises:
        SketchgenError: a setting, a drawing or a place that cannot be used.
    """
    _check(options)
    source = _begun(options.file, options)
    from sketchgen.jobs.identity import chosen_categories, known_categories
    from sketchgen.jobs.output import file_name

    known = known_categories(options.checkpoint)
    names = chosen_categories(options.category, known)
    if len(names) != 1:
        raise SettingError(f"{len(names)} categories for what is to be finished; name one, or leave it out")
    stem = "drawing" if options.file == "-" else file_name(Path(source.path or "").stem)
    _run(options, _job(options, names, (stem,), source.drawings), source, "completion")


def generate(options: Generate) -> None:
    """Draw from nothing.

    Raises:
        SketchgenError: a setting or a place that cannot be used.
    """
    _check(options)
    from sketchgen.jobs.identity import chosen_categories, known_categories
    from sketchgen.jobs.output import file_name

    categories = chosen_categories(options.category, known_categories(options.checkpoint))
    names = tuple(file_name(name or "drawing") for name in categories)
    if len(set(names)) < len(names):
        names = tuple(f"{name}-{number}" for number, name in enumerate(names, 1))
    _run(options, _job(options, categories, names, None), None, "drawing")


def redraw(options: Redraw) -> None:
    """Draw one drawing of an earlier job again.

    Raises:
        SketchgenError: it is no manifest, or the model or the source is another one.
    """
    from sketchgen.formats.registry import encode
    from sketchgen.formats.render_options import RenderOptions
    from sketchgen.jobs import redraw as again
    from sketchgen.jobs.opening import is_file, look_for
    from sketchgen.sketch.files import check_target, write_atomic

    earlier = again.find(options.manifest, options.number)
    look = earlier.job.look if options.format is None else RenderOptions(options.format)
    out = None if options.out is None or str(options.out) == "-" else options.out
    if out is not None and not is_file(out):
        raise SettingError(f"{out} is no file name for a drawing; name one such as one.svg")
    if out is not None:
        check_target(out, options.force)
    if options.checkpoint is not None:
        sampling = {**earlier.header["sampling"], "checkpoint": options.checkpoint}
        earlier = replace(earlier, header={**earlier.header, "sampling": sampling})
    data = encode(again.redraw(earlier, _earlier_source(earlier, options.source)), look_for(out, look))
    if out is not None:
        write_atomic(out, data, force=options.force)
        sys.stdout.write(f"{out}\n")
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _earlier_source(earlier: Any, name: str | None) -> Source | None:
    """What a drawing of a manifest went on from."""
    from sketchgen.jobs.inputs import open_source

    told = earlier.header["source"]
    if told is None:
        return None
    name = str(name or told["name"])
    if name == "-":
        raise SettingError(
            "the drawing went on from standard input; name the same content with --source FILE"
        )
    return open_source(name, _path_of(name), told["drawings"], "as before")


def _job(options: Drawing, categories: tuple[Any, ...], names: tuple[str, ...], given: int | None) -> Job:
    """What the options ask for."""
    from sketchgen.jobs.request import Sampling
    from sketchgen.jobs.spec import MOST, Job, engine_for

    told: dict[str, Any] = {"guidance": options.guidance}
    told["closing"] = options.closing if isinstance(options, Complete) else None
    settings: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    rank = _rank(options.rank, categories, given)
    if isinstance(options, Complete):
        settings["mirrored"] = options.mirror and rank == "reward" and options.best_of > 1
    sampling = Sampling(options.checkpoint, options.temperature, **settings)
    job = Job(
        sampling=sampling,
        engine="batch",
        categories=categories,
        count=options.count,
        seed=options.seed,
        names=names,
        given=given,
        best_of=options.best_of,
        rank=rank,
        label=options.label,
        unique=options.unique,
        look=look_of(options, options.out),
    )
    if job.total * job.best_of > MOST:
        of_each = f" x {job.best_of} candidates" if job.best_of > 1 else ""
        raise SettingError(
            f"{job.groups} x {job.count} drawings{of_each} are {job.total * job.best_of}; "
            f"at most {MOST} are made in a job: lower --count or split it by --seed"
        )
    return replace(job, engine=engine_for(job.total, job.best_of))


def _rank(wanted: Rank | None, categories: tuple[Any, ...], given: int | None) -> Rank:
    """By what the best of several candidates is told.

    Raises:
        SettingError: by the critic, where nothing was given.
    """
    if wanted == "reward" and given is None:
        remedy = "take --rank recogniser or likelihood"
        raise SettingError(f"--rank reward is for what goes on with a drawing; from nothing, {remedy}")
    if wanted is not None or given is not None:
        return wanted or "reward"
    from sketchgen.resources import categories as known

    return "recogniser" if set(categories) <= set(known()) else "likelihood"


def _run(options: Drawing, job: Job, source: Source | None, noun: str) -> None:
    """Draw it all, and say what came of it."""
    from sketchgen.jobs.identity import identity
    from sketchgen.jobs.opening import open_target
    from sketchgen.jobs.run import Run
    from sketchgen.models.checkpoint import DEFAULT_CHECKPOINT

    weights = identity(options.checkpoint)
    job = _avoiding(options, job)
    pool = _pool(options, job)
    run = Run(job, source, open_target(options.out, job, force=options.force, resume=options.resume), weights)
    small = job.engine == "completer"
    if small and options.out is not None:
        run.written = lambda name: _print_path(options.out, name)
    with _shown(run, small), _resumable(run):
        outcome = run.go(pool, resume=options.resume, force=options.force)
    _print_end(run, outcome, small)
    _say(f"{options.checkpoint or DEFAULT_CHECKPOINT}: {_words(job, outcome, noun)}")


def _avoiding(options: Drawing, job: Job) -> Job:
    """The job with what it must not copy."""
    if options.avoid_training is None:
        return job
    from sketchgen.jobs.spec import Avoid
    from sketchgen.jobs.training_copies import usual_distance

    store = str(options.avoid_training)
    far = options.copy_distance
    return replace(job, avoid=Avoid(store, usual_distance(store) if far is None else far))


def _pool(options: Drawing, job: Job) -> Pool:
    """Who draws."""
    from sketchgen.jobs.executor import InProcess

    if job.engine == "completer":
        return InProcess()
    if options.ray is not None:
        from sketchgen.jobs.ray_executor import Ray

        return Ray(options.ray)
    from sketchgen.cli.progress import usable_cores
    from sketchgen.jobs.process_executor import Processes

    few = job.total * job.best_of <= FEW
    return Processes(options.jobs or (1 if few else usable_cores()))


@contextlib.contextmanager
def _shown(run: Run, small: bool) -> Iterator[None]:
    """Show how far a large job has come."""
    if small:
        yield
        return
    from sketchgen.cli.progress import shown_rate

    with shown_rate("drawing") as progress:
        run.progress = progress
        yield


@contextlib.contextmanager
def _resumable(run: Run) -> Iterator[None]:
    """Say with whatever ends a job how much of it is done, and how to go on."""
    from sketchgen.errors import SketchgenError

    def done() -> str:
        if run.target.manifest is None or not run.outcome.settled:
            return ""
        return f"; {run.outcome.settled} of {run.job.total} are done, and --resume goes on"

    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"interrupted{done()}") from stop
    except OutputError as error:
        raise OutputError(f"{error}{done()}") from error
    except SketchgenError as error:
        raise type(error)(f"{error}{done()}") from error


def _print_path(out: Path | None, name: str) -> None:
    """Print the path of a drawing in a folder."""
    if out is not None and not _is_one(out):
        sys.stdout.write(f"{out / name}\n")


def _is_one(out: Path) -> bool:
    """Whether all drawings go to one place."""
    from sketchgen.jobs.opening import is_file

    return str(out) == "-" or is_file(out)


def _print_end(run: Run, outcome: Outcome, small: bool) -> None:
    """Print the paths of what was made of all drawings; of a large job that of the manifest, too."""
    paths = list(outcome.files)
    if not small and run.target.manifest is not None:
        paths.append(run.target.manifest)
    sys.stdout.write("".join(f"{path}\n" for path in paths))


def _words(job: Job, outcome: Outcome, noun: str) -> str:
    """What came of a job."""
    words = [f"{outcome.kept} {noun}" + ("" if outcome.kept == 1 else "s")]
    if job.given is not None:
        words.append(f"{outcome.ended} ended by themselves")
    words += [f"{count} dropped as {why}" for why, count in outcome.dropped.items()]
    if outcome.resumed:
        words.append(f"{outcome.resumed} were there from before")
    return ", ".join(words)


def _begun(name: str, options: Complete) -> Source:
    """What is gone on from.

    Raises:
        SettingError: more drawings than can be completed so many times each.
    """
    from sketchgen.jobs.inputs import open_source
    from sketchgen.jobs.spec import MOST

    most = MOST // (options.count * options.best_of)
    words = (
        f"{options.count * options.best_of} completions; "
        f"at most {MOST} are made in a job: lower --count or split the file"
    )
    return open_source(name, _path_of(name), most, words)


def _path_of(name: str) -> Path | None:
    """The file that a source names; None for standard input."""
    if name == "-":
        return None
    return example(name.removeprefix(EXAMPLE)) if name.startswith(EXAMPLE) else Path(name)


def _check(options: Drawing) -> None:
    """Check the numbers that both of the subcommands that draw take."""
    from sketchgen.jobs.spec import MOST

    limits = [("count", options.count, MOST), ("best_of", options.best_of, MAX_CANDIDATES)]
    limits += [("jobs", options.jobs, MAX_JOBS)]
    for name, value, most in limits:
        if value is not None and not 1 <= value <= most:
            raise SettingError(f"{name.replace('_', '-')} is {value}; it must be from 1 to {most}")
    if not 0 <= options.temperature <= MAX_TEMPERATURE:
        raise SettingError(
            f"temperature is {options.temperature:g}; "
            f"it must be from 0 (careful) to {MAX_TEMPERATURE:g} (wild)"
        )
    check_guidance(options.guidance)
    if isinstance(options, Complete):
        check_closing(options.closing)
    check_seed(options.seed)
    if options.resume and options.force:
        raise SettingError("--resume keeps what is there, and --force replaces it; leave out one of them")
    if options.copy_distance is not None and not 0 < options.copy_distance < 255:
        raise SettingError(f"copy-distance is {options.copy_distance:g} px; it must be above 0 and under 255")
    if options.copy_distance is not None and options.avoid_training is None:
        raise SettingError("--copy-distance says how near a copy is; name the store with --avoid-training")


def _say(text: str) -> None:
    """Talk, to standard error."""
    sys.stderr.write(text + "\n")
