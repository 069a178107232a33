"""Making one drawing of a job again, alone: the manifest says all that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sketchgen.errors import CheckpointError, FormatError, SettingError, SketchgenError
from sketchgen.formats.render_options import RenderOptions
from sketchgen.jobs.assignment import Handout
from sketchgen.jobs.executor import InProcess, Pool
from sketchgen.jobs.identity import identity
from sketchgen.jobs.inputs import Source
from sketchgen.jobs.manifest import read_entries, read_header
from sketchgen.jobs.process_executor import Processes
from sketchgen.jobs.request import Sampling
from sketchgen.jobs.serialized import Item, from_kept
from sketchgen.jobs.spec import Job, Task
from sketchgen.jobs.worker import Place
from sketchgen.sketch.files import shown


@dataclass(frozen=True)
class Earlier:
    """A drawing of a manifest.

    Attributes:
        header: what the job asked for.
        line: what is said of the drawing.
    """

    header: Mapping[str, Any]
    line: Mapping[str, Any]

    @property
    def job(self) -> Job:
        """The job, as far as it says how a drawing is drawn and written.

        Raises:
            FormatError: the header does not say it.
        """
        told = self.header
        try:
            return Job(
                sampling=Sampling(**told["sampling"]),
                engine=told["engine"],
                categories=tuple(told["categories"]),
                count=told["count"],
                seed=told["seed"],
                names=tuple(told["names"]),
                given=None if told["sources"] is None else sum(each["drawings"] for each in told["sources"]),
                files=tuple(told["files"]),
                best_of=told["best_of"],
                look=RenderOptions(**told["look"]),
            )
        except (KeyError, TypeError) as error:
            raise FormatError(f"the manifest's header is damaged: {error}") from error


def find(manifest: Path, which: str) -> Earlier:
    """A drawing of a manifest by its number, or by the name of its file.

    Raises:
        FormatError: it is no manifest, or one of another version.
        SettingError: it has no such drawing.
    """
    header = read_header(manifest)
    last = -1
    for entry in read_entries(manifest, header.end):
        last = entry.value["number"]
        if which in (str(last), entry.value["file"]):
            return Earlier(header.value, entry.value)
    raise SettingError(f"{shown(manifest)} has no drawing {which[:80]!r}; its numbers are 0 to {last}")


def redraw(earlier: Earlier, source: Source | None, pool: Pool | None = None) -> Item:
    """Draw it again.

    Args:
        earlier: the drawing.
        source: where its beginning stands; None if it was drawn from nothing.
        pool: who draws; left out, one worker of the kind that drew it.

    Raises:
        CheckpointError: the model is another one.
        FormatError: the beginnings are others.
        SketchgenError: what was drawn is not what the manifest says.
    """
    job, line = earlier.job, earlier.line
    if identity(job.sampling.checkpoint) != earlier.header["weights"]:
        name = job.sampling.checkpoint or "the bundled checkpoint"
        raise CheckpointError(f"{name} is not the model that drew this; name that one with --checkpoint")
    for file, was in zip(source.files if source else (), earlier.header["sources"] or (), strict=True):
        if file.sha256 != was["sha256"]:
            raise FormatError(f"{file.name} is not what the drawing went on from: its content has changed")
    # As one of so many alternatives without candidates: how it is numbered does not change how it is drawn.
    alone = replace(job, count=job.count * job.best_of, best_of=1)
    group = line["number"] // job.count
    given = None if source is None else next(source.sketches(group))
    task = Task(group * alone.count + line["index"], line["index"], line["category"], given)
    pool = pool or (InProcess() if job.engine == "completer" else Processes(1))
    handout = Handout(iter([task]), task.number, task.number + 1, 1)
    for made in pool.run(alone, Place(whole=True), handout):
        if made.hash != line["hash"] or made.data is None:
            raise SketchgenError(
                f"drawing {line['number']} came out otherwise than before: "
                "another kind of processor, or another version of sketchgen or of its libraries, drew it"
            )
        return from_kept(made.data, "the drawing")
    raise SketchgenError(f"drawing {line['number']} was not drawn")
