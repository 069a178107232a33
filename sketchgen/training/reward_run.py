"""The training of a critic: the model rehearses, then a network learns to tell its ways from people's.

A run's folder holds `rehearsals/`, `state.safetensors`, from which it goes on exactly, and `last/`, the
checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, SettingError
from sketchgen.models.checkpoint import CLASSIFIER, DEFAULT_CHECKPOINT, read_checkpoint, save_checkpoint
from sketchgen.models.classifier import Classifier, RewardNetwork
from sketchgen.models.config import RewardConfig
from sketchgen.models.memory import keep_freed_memory
from sketchgen.models.reward_model import NumpyRewardNetwork
from sketchgen.training.candidate_files import Rehearsal, noted
from sketchgen.training.candidates import read_groups, rehearse
from sketchgen.training.classifier_module import RecogniserTraining, Teacher
from sketchgen.training.classifier_run import STATE, Report, run_folder, teach
from sketchgen.training.reward_batches import CriticLessons, Group

MEASURED, WAYS_MEASURED = 1024, 8
"""Beginnings of validation drawings by which a critic is measured, and the model's ways for each."""


@dataclass(frozen=True)
class Wanted:
    """What a critic is to learn from.

    Attributes:
        store: folder of the store.
        model: name or path of the checkpoint whose completions are to be chosen among; None for the default.
        beginnings, ways: see `Rehearsal`.
        recogniser: name or path of the one whose network it begins with; None for the bundled one.
        jobs: processes that draw.
        rehearsals: folders of such as have been drawn already, to learn from these alone.
    """

    store: Path
    model: str | None = None
    beginnings: int = 32_768
    ways: int = 8
    recogniser: str | None = None
    jobs: int = 1
    rehearsals: Sequence[Path] = ()

    def rehearsal(self, split: str, seed: int) -> Rehearsal:
        """What is drawn of a split."""
        if split == "train":
            return Rehearsal(str(self.store), split, self.model, self.beginnings, self.ways, seed)
        count = min(MEASURED, self.beginnings)
        return Rehearsal(str(self.store), split, self.model, count, WAYS_MEASURED, seed)


def fit_reward_model(
    wanted: Wanted,
    out: Path,
    training: RecogniserTraining,
    *,
    resume: bool = False,
    half: bool = True,
    report: Report | None = None,
) -> Path:
    """Have the model rehearse, train on that, measure on the validation split; the checkpoint's folder.

    SIGINT and SIGTERM end the training after the current step with everything saved; what was rehearsed by
    then is not drawn again.

    Args:
        wanted: what it learns from.
        out: folder of the run.
        training: how it is trained; a step is of `batch` beginnings.
        resume: go on with the run in `out`.
        half: store float16 weights in the checkpoint.
        report: called with a line now and then.

    Raises:
        CheckpointError: no model or recogniser there, one of other categories, or `resume` without a state.
        FormatError: no store, or it or what was rehearsed is damaged.
        OutputError: `out` holds a run and `resume` is false, or it cannot be written.
        SettingError: a number outside its limits, no drawings, or a loss that stays not finite.
    """
    keep_freed_memory()
    say = report or (lambda line: None)
    categories = tuple(Store.open(wanted.store).categories)
    teacher = _teacher(categories, training, wanted, resume=resume)
    run_folder(out, resume=resume)
    learned = _learned(wanted, out, training.seed, categories, say)
    valid = wanted.rehearsal("valid", training.seed)
    measured = _rehearsed(valid, wanted.jobs, out / "rehearsals" / "valid", categories, say)
    if resume and (out / STATE).exists():
        teacher.restore(out / STATE)
    lessons = CriticLessons(learned, len(categories), training.batch, training.seed)
    teach(teacher, lessons, out / STATE, say)
    model = wanted.model or DEFAULT_CHECKPOINT
    summary = {
        "steps": teacher.step,
        "beginnings seen": teacher.step * training.batch,
        "beginnings": len(learned),
        "training seconds": round(teacher.elapsed),
        **_measured(teacher, measured),
        "settings": training.told() | {"model": Path(model).name, "ways": wanted.ways},
    }
    save_checkpoint(out / "last", teacher.average, summary, force=True, half=half)
    return out / "last"


def _teacher(
    categories: tuple[str, ...], training: RecogniserTraining, wanted: Wanted, *, resume: bool
) -> Teacher:
    """A critic that begins with a recogniser's network, or with another critic."""
    begun = replace(training, start=None) if resume else training
    found = read_checkpoint(wanted.recogniser, CLASSIFIER)
    if found.config.categories != categories:
        count, own = len(found.config.categories), len(categories)
        remedy = "train one on this store by train-classifier, and name it by --classifier"
        raise CheckpointError(f"the recogniser knows {count} categories, not the store's {own}; {remedy}")
    shape = {name: getattr(found.config, name) for name in ("entry", "widths", "heads", "pooled", "dropout")}
    teacher = Teacher(RewardConfig(categories, **shape), begun)
    if begun.start is None:
        classifier = Classifier.from_weights(found.config, found.weights)
        for network in (teacher.network, teacher.average):
            assert isinstance(network, RewardNetwork)
            network.initialise_from(classifier)
    return teacher


def _learned(wanted: Wanted, out: Path, seed: int, categories: tuple[str, ...], say: Report) -> list[Group]:
    """The groups to learn from: those that were drawn before, or such as are drawn now."""
    if not wanted.rehearsals:
        rehearsal = wanted.rehearsal("train", seed)
        return _rehearsed(rehearsal, wanted.jobs, out / "rehearsals" / "train", categories, say)
    folders = [(folder, noted(folder)) for folder in wanted.rehearsals]
    found = [group for folder, told in folders for group in read_groups(folder, told, categories)]
    if not found:
        raise SettingError(f"{folders[0][0]} holds no drawings that were long enough; draw more of them")
    return found


def _rehearsed(
    rehearsal: Rehearsal, jobs: int, folder: Path, categories: tuple[str, ...], say: Report
) -> list[Group]:
    """The groups of a split, drawn where they are not there yet."""

    def progress(done: int, count: int) -> None:
        say(f"{rehearsal.split}: {done:,} of {count:,} beginnings drawn on")

    rehearse(rehearsal, folder, jobs, progress)
    found = read_groups(folder, rehearsal, categories)
    if not found:
        raise SettingError(f"{rehearsal.store} has no drawings to {rehearsal.split} that are long enough")
    return found


def _measured(teacher: Teacher, groups: list[Group]) -> dict[str, str]:
    """What the averaged network makes of ways to finish validation drawings, in words for a card.

    How often it holds the person's way for the best of all, and what of the model's ways the one is worth
    that it holds for the best of them, beside what they are worth in the mean, and the best.
    """
    network = teacher.average
    assert isinstance(network, RewardNetwork)
    assert isinstance(network.config, RewardConfig)
    reader = NumpyRewardNetwork(network.config, network.weights())
    first, ways, worths = 0, 0, np.zeros((len(groups), 3))
    for row, group in enumerate(groups):
        shown = [group.real, *group.others]
        scores = reader.scores(shown, np.full(len(shown), group.category))
        first += int(scores[0] > scores[1:].max())
        ways += len(shown)
        worths[row] = group.worths[int(scores[1:].argmax())], np.mean(group.worths), max(group.worths)
    share, chance = first / len(groups), len(groups) / ways
    told = f"{share:.1%} (by chance {chance:.1%}; {len(groups)} validation drawings)"
    chosen, mean, best = worths.mean(0)
    return {
        "a person's way before all of the model's": told,
        "worth of the way that it chooses": f"{chosen:.3f} (of any {mean:.3f}, of the best {best:.3f})",
    }
