"""The training of a recogniser or a judge of pictures, from the store to the checkpoint: batches, loop, end.

A run's folder holds `state.safetensors`, from which it goes on exactly, and `last/`, the checkpoint.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.order import Order, Window
from sketchgen.data.store import Drawings, Split, Store
from sketchgen.errors import OutputError, SettingError
from sketchgen.evaluation.recognition import DEEP, Accuracy, accuracy
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.models.config import ClassifierConfig, PictureConfig
from sketchgen.models.memory import keep_freed_memory
from sketchgen.sketch.files import recover_folder
from sketchgen.training.classifier_module import RecogniserTraining, Teacher
from sketchgen.training.tasks import Batch, Matter, naming_of

STATE = "state.safetensors"
"""The file in a run's folder from which it is resumed."""

Report = Callable[[str], None]
"""Called with a line on how the training stands."""


B = TypeVar("B", bound=Batch)


class Lessons(Generic[B]):
    """Batches by their number, 0, 1, ... without end; number i is the same whenever it is asked for.

    How many points of a drawing are shown is drawn before the batches are put together, so that beginnings
    stand with drawings of about their length. Numbers are quick to get in rising order.
    """

    def __init__(self, split: Split, order: Order, matter: Matter[B]) -> None:
        """Batches of `split` in an `order`, as `matter` makes them."""
        self.split, self.order, self.matter = split, order, matter
        self._windows: Iterator[Window] = order.windows()
        self._window = next(self._windows)
        self._drawings: Drawings | None = None
        self._cuts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._plan: list[NDArray[np.int64]] = []

    def __getitem__(self, number: int) -> B:
        """Batch `number`.

        Raises:
            FormatError: the store is damaged, or gone.
        """
        if number < self._window.first:
            self._windows, self._drawings = self.order.windows(), None
            self._window = next(self._windows)
        while number >= self._window.first + self._window.batches:
            self._window, self._drawings = next(self._windows), None
        if self._drawings is None:
            self._drawings = self.split.read(self._window.blocks)
            key = [self.order.seed, 2, self._window.epoch, self._window.number]
            self._cuts = self.matter.cuts(self._drawings, np.random.default_rng(key))
            self._plan = self.order.plan(self._window, self._cuts)
        rows = self._plan[number - self._window.first]
        random = np.random.default_rng([self.order.seed, 1, number])
        return self.matter.lesson(self._drawings.take(rows), self._cuts[rows], random)


@runtime_checkable
class ByNumber(Protocol):
    """Batches by their number, as `Lessons` are."""

    def __getitem__(self, number: int) -> Batch:
        """Batch `number`, the same whenever it is asked for."""
        ...


@contextmanager
def _stop_on_signals() -> Iterator[Callable[[], bool]]:
    """What tells whether SIGINT or SIGTERM has come; until the block ends they do nothing else."""
    told: list[int] = []
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, lambda number, _: told.append(number))
    try:
        yield lambda: bool(told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def teach(teacher: Teacher, lessons: ByNumber, state: Path, report: Report, *, every: int = 100) -> None:
    """Train until the end, or until a signal, and save the state now and then; `report` hears of the loss.

    Raises:
        FormatError: the store is damaged, or gone.
        OutputError: the state cannot be written.
        SettingError: a loss that stays not finite.
    """
    saved, heard = time.monotonic(), []
    with _stop_on_signals() as stopped:
        while teacher.progress < 1.0 and not stopped():
            began = time.monotonic()
            heard.append(teacher.learn(lessons[teacher.step]))
            teacher.elapsed += time.monotonic() - began
            if teacher.step % every == 0:
                loss, right = np.mean(heard, axis=0)
                done = f"step {teacher.step}, {teacher.elapsed:.0f} s"
                report(f"{done}: loss {loss:.3f} nats, {right:.1%} right while learning")
                heard = []
            if time.monotonic() - saved > teacher.training.save_every:
                teacher.save(state)
                saved = time.monotonic()
    teacher.save(state)


def measured(teacher: Teacher, drawings: Drawings, training: Mapping[str, int]) -> dict[str, str]:
    """How often the averaged network is right, in words for a model card.

    Args:
        teacher: whose network.
        drawings: on which it is measured.
        training: number of training drawings of each category, by name.
    """
    naming = naming_of(teacher.config)
    namer = naming.namer(teacher.config, teacher.average.weights())
    figures = {"validation drawings": str(len(drawings))}
    for fraction in naming.fractions:
        found = accuracy(namer, drawings, fraction)
        shown = "whole drawings" if fraction == 1.0 else f"first {fraction:.0%} of the points"
        figures[f"top-1 / top-5, {shown}"] = _shares(found)
        deep = found.of_deep(training)
        if fraction == 1.0 and deep.any() and not deep.all():
            figures[f"of these with {DEEP} training drawings of the category or more"] = _shares(found, deep)
            figures[f"of these with fewer than {DEEP}"] = _shares(found, ~deep)
    return figures


def _shares(found: Accuracy, chosen: NDArray[np.bool_] | None = None) -> str:
    """The shares that are right at once, and among the first five."""
    return f"{found.top(1, chosen):.1%} / {found.top(5, chosen):.1%}"


def _counts(split: Split) -> dict[str, int]:
    """Number of drawings of each category, by name."""
    counts = np.zeros(len(split.categories), dtype=np.int64)
    for block in range(len(split.block_sizes)):
        counts += np.bincount(split.read([block]).category, minlength=len(counts))
    return dict(zip(split.categories, counts.tolist(), strict=True))


def fit_recogniser(
    store: Path,
    out: Path,
    training: RecogniserTraining,
    *,
    pictures: bool = False,
    resume: bool = False,
    half: bool = True,
    report: Report | None = None,
) -> Path:
    """Train on a store, measure on the validation split, and return the folder of the checkpoint.

    SIGINT and SIGTERM end the training after the current step with everything saved.

    Args:
        store: folder of the prepared store.
        out: folder of the run.
        training: how it is trained.
        pictures: a judge of pictures, and no recogniser.
        resume: go on with the run in `out`.
        half: store float16 weights in the checkpoint.
        report: called with a line now and then.

    Raises:
        CheckpointError: `resume` without a state to resume, or one of another network.
        FormatError: no store, or it is damaged or gone.
        OutputError: `out` holds a run and `resume` is false, or it cannot be written.
        SettingError: no training drawings, fewer than two categories, or a loss that stays not finite.
    """
    keep_freed_memory()
    report = report or (lambda line: None)
    opened = Store.open(store)
    split = opened.split("train")
    if not len(split):
        raise SettingError(f"{store} has no training drawings; prepare more than a handful")
    # What a run was started from need not be there any more when it is resumed.
    begun = replace(training, start=None) if resume else training
    shape = PictureConfig if pictures else ClassifierConfig
    teacher = Teacher(shape(tuple(opened.categories)), begun)
    run_folder(out, resume=resume)
    if resume:
        teacher.restore(out / STATE)
    order = Order(split.block_sizes, training.batch, training.seed)
    matter = naming_of(teacher.config).matter(training.changes)
    teach(teacher, Lessons(split, order, matter), out / STATE, report)
    valid = opened.split("valid")
    figures = measured(teacher, (valid if len(valid) else split).drawings(), _counts(split))
    summary = {
        "steps": teacher.step,
        "drawings seen": teacher.step * training.batch,
        "epochs": round(teacher.step * training.batch / len(split), 2),
        "training seconds": round(teacher.elapsed),
        "training drawings": len(split),
        **figures,
        "settings": training.told(),
    }
    save_checkpoint(out / "last", teacher.average, summary, force=True, half=half)
    return out / "last"


def run_folder(out: Path, *, resume: bool) -> None:
    """Have the run's folder ready.

    Raises:
        OutputError: it holds a run and `resume` is false, or it cannot be made.
    """
    if not resume and (out / STATE).exists():
        raise OutputError(f"{out} holds a run; go on with it by --resume, or choose another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        recover_folder(out / "last")
    except OSError as error:
        raise OutputError(f"{out} cannot be made: {error.strerror}") from error
