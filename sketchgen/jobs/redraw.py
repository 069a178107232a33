"""Draw one drawing of an earlier job again, from its manifest alone."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from sketchgen.errors import CheckpointError, FormatError, SettingError, SketchgenError
from sketchgen.formats.render_options import RenderOptions
from sketchgen.jobs.executor import Executor, InProcess, Processes, TaskQueue
from sketchgen.jobs.inputs import Source
from sketchgen.jobs.manifest import read_header, read_lines
from sketchgen.jobs.spec import DrawingRequest, EngineName, Item, Job, Sampling
from sketchgen.jobs.worker import WorkerOptions, from_line
from sketchgen.limits import MAX_DRAWINGS, MAX_SEED, check_whole, shortened
from sketchgen.models.checkpoint import find_checkpoint
from sketchgen.sketch.files import shown


@dataclass(frozen=True)
class ManifestDrawing:
    """A drawing in a manifest."""

    header: Mapping[str, Any]
    line: Mapping[str, Any]

    @property
    def job(self) -> Job:
        """The job, as far as a single drawing depends on it."""
        header = self.header
        try:
            sources = header["sources"]
            job = Job(
                sampling=_typed(Sampling, header["sampling"]),
                engine=header["engine"],
                categories=tuple(header["categories"]),
                count=check_whole("count", header["count"], 1, MAX_DRAWINGS),
                seed=check_whole("seed", header["seed"], 0, MAX_SEED),
                names=tuple(header["names"]),
                given=None if sources is None else sum(each["drawings"] for each in sources),
                files=tuple(header["files"]),
                best_of=check_whole("best_of", header["best_of"], 1, MAX_DRAWINGS),
                render_options=_typed(RenderOptions, header["look"]),
            )
            texts = [header["weights"], *job.names, *(name for name in job.categories if name is not None)]
            texts += [each[name] for each in sources or () for name in ("name", "sha256")]
            wholes = [*job.files, 1 if job.given is None else job.given]
            lists = all(isinstance(header[name], list) for name in ("categories", "names", "files"))
            sound = lists and job.categories and job.engine in get_args(EngineName)
            sound = sound and all(isinstance(each, str) for each in texts)
            if not sound or not all(type(each) is int and each > 0 for each in wholes):
                raise TypeError("a value is of another kind")
        except (KeyError, TypeError, ValueError, SettingError) as error:
            reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise FormatError(f"the manifest's header is damaged: {reason[:200]}") from error
        return job


T = TypeVar("T", Sampling, RenderOptions)


def _typed(kind: type[T], values: Any) -> T:
    """Return a dataclass of values from JSON; TypeError if one is of another type than its field."""
    if not isinstance(values, dict):
        raise TypeError(f"{kind.__name__} is no object")
    types = get_type_hints(kind)
    for name, value in values.items():
        allowed = types.get(name, type(None))
        whole = type(value) is int and isinstance(1.0, allowed)
        if not (whole or isinstance(value, allowed)):
            raise TypeError(f"{name} is {shortened(value)}")
    return kind(**values)


def find_drawing(manifest: Path, which: str) -> ManifestDrawing:
    """Return the drawing of a manifest with a certain number or file name.

    Raises:
        FormatError: the file is no manifest, or one of another version.
        SettingError: there is no such drawing.
    """
    header, end = read_header(manifest)
    last = -1
    for line, _ in read_lines(manifest, end):
        last = line["number"]
        if which in (str(last), line["file"]):
            found = ManifestDrawing(header, line)
            if last >= found.job.total:
                raise FormatError(f"{shown(manifest)} is damaged: it has more drawings than its job")
            return found
    raise SettingError(f"{shown(manifest)} has no drawing {which[:80]!r}; its numbers are 0 to {last}")


def redraw(drawing: ManifestDrawing, source: Source | None, executor: Executor | None = None) -> Item:
    """Draw a drawing again, by default with one worker of the kind that made it; no `source` if from nothing.

    Raises:
        CheckpointError: the model is another one.
        FormatError: the partial sketches have changed.
        SketchgenError: the result is not the drawing of the manifest.
    """
    job, line = drawing.job, drawing.line
    if find_checkpoint(job.sampling.checkpoint).fingerprint() != drawing.header["weights"]:
        name = job.sampling.checkpoint or "the bundled checkpoint"
        raise CheckpointError(f"{name} is not the model that drew this; name that one with --checkpoint")
    for file, before in zip(source.files if source else (), drawing.header["sources"] or (), strict=True):
        if file.sha256 != before["sha256"]:
            raise FormatError(f"{file.name} is not what the drawing went on from: its content has changed")
    # The chosen candidate is drawn as one of count * best_of drawings: its seed and index are the same.
    alone = replace(job, count=job.count * job.best_of, best_of=1)
    group = line["number"] // job.count
    given = None if source is None else next(source.sketches(group))
    number = group * alone.count + line["index"]
    category = job.categories[group if given is None else 0]
    drawing_alone = DrawingRequest(number, category, job.seed, line["index"], given)
    executor = executor or (InProcess() if job.engine == "completer" else Processes(1))
    queue = TaskQueue(iter([drawing_alone]), number, number + 1, 1)
    with contextlib.closing(executor.run(alone, WorkerOptions(serialize=True), queue)) as records:
        record = next(records, None)
    if record is None or record.hash != line["hash"] or record.data is None:
        raise SketchgenError(
            f"drawing {line['number']} came out otherwise than before: "
            "another kind of processor, or another version of sketchgen or of its libraries, drew it"
        )
    return from_line(record.data, "the drawing")
