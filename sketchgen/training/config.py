"""Validated configurations of training runs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from sketchgen.data.splitting import Prefixes
from sketchgen.errors import SettingError
from sketchgen.limits import check_range
from sketchgen.models.config import ModelSettings

MAX_USUAL_RATE = 0.01
"""Learning rate above which AdamW hardly ever converges here."""

Limits = dict[str, tuple[float, float]]


def plain(value: Any) -> Any:
    """Return settings as plain values for a checkpoint, with files and folders by their last name only."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    # A checkpoint is passed on: it does not say where things stood on the machine that trained it.
    return Path(value).name if isinstance(value, str | Path) else value


MAY_DIFFER = frozenset(
    {"store", "out", "time_limit", "steps", "save_every", "workers", "threads", "device", "pictures", "jobs"}
)
"""Settings that a resumed run may have of its own without being another run."""


def differences(before: dict[str, Any], after: dict[str, Any], prefix: str = "") -> list[str]:
    """Return in words which of two summaries' settings differ, but for `MAY_DIFFER`."""
    found: list[str] = []
    for name in before.keys() & after.keys() if prefix else (before.keys() & after.keys()) - MAY_DIFFER:
        was, is_now = before[name], after[name]
        if isinstance(was, dict) and isinstance(is_now, dict):
            found += differences(was, is_now, f"{prefix}{name}.")
        elif was != is_now:
            found.append(f"{prefix}{name} is {is_now} (was {was})")
    return sorted(found)


@dataclass(frozen=True)
class RunConfig:
    """Settings that every training run has.

    Attributes:
        store: folder of the prepared store.
        out: folder of the run: `best/` and `last/` (checkpoints), `state.safetensors` (to resume), `log.csv`,
            `pictures/` (drawings after each validation), `tensorboard/`.
        time_limit: seconds of the whole run over all resumed parts, with start, validation and pictures, but
            without the drawing of candidates; None for no limit.
        steps: maximum number of steps; None for no limit. One of the two must be set.
        batch: drawings a step, over all processes.
        learning_rate: peak; it rises linearly over `warmup` steps, then falls along a cosine to
            `final_rate` of the peak. None for `fresh_rate`, or `tuning_rate` with `start`.
        warmup: steps.
        final_rate: learning rate at the end as a share of the peak.
        clip: maximum norm of the gradient.
        average: decay of the moving average of the weights, which is validated and saved.
        weight_decay: of AdamW.
        balance: 0 to show every drawing as often, 1 to show every category as often; between them a drawing
            is shown in proportion to its category's number of drawings to the power of -balance.
        validate_every: seconds between validations; None for four minutes, or a twelfth of `time_limit`
            where that is less, but at least eight times as long as one takes.
        validate_drawings: maximum number of drawings to validate on.
        patience: validations without improvement after which the run stops; None for no limit.
        save_every: seconds between saves of the state: the most that a kill can cost.
        workers: processes that make batches ahead; None for none on a processor, most cores beside a GPU.
        seed: of everything random.
        bfloat16: compute in bfloat16 where that is safe; None for wherever that is faster.
        threads: of torch; None for torch's own choice.
        device: "auto", "cpu", "cuda" or "mps"; None is "auto": a GPU where there is one.
        start: name or path of a checkpoint to start from; None for a new network.
    """

    fresh_rate: ClassVar[float] = 1.5e-3
    tuning_rate: ClassVar[float] = 5e-4
    limits: ClassVar[Limits] = {
        "time_limit": (1, 1e8),
        "steps": (1, 1e9),
        "batch": (1, 65536),
        "learning_rate": (1e-8, 1.0),
        "warmup": (0, 1e7),
        "final_rate": (0.0, 1.0),
        "clip": (1e-6, 1e6),
        "average": (0.0, 0.99999),
        "weight_decay": (0.0, 10.0),
        "balance": (0.0, 1.0),
        "validate_every": (0, 1e7),
        "validate_drawings": (1, 1e9),
        "patience": (1, 1e6),
        "save_every": (0, 1e6),
        "workers": (0, 256),
        "seed": (0, 2**31),
        "threads": (1, 1024),
    }
    """Smallest and largest value of each numeric setting."""

    store: Path
    out: Path
    time_limit: float | None = None
    steps: int | None = None
    batch: int = 100
    learning_rate: float | None = None
    warmup: int = 100
    final_rate: float = 0.02
    clip: float = 1.0
    average: float = 0.998
    weight_decay: float = 0.01
    balance: float = 0.0
    validate_every: float | None = None
    validate_drawings: int = 1500
    patience: int | None = None
    save_every: float = 60.0
    workers: int | None = None
    seed: int = 0
    bfloat16: bool | None = None
    threads: int | None = None
    device: str | None = None
    start: str | None = None

    def __post_init__(self) -> None:
        if self.time_limit is None and self.steps is None:
            raise SettingError("a run needs an end: set --time-limit or --steps")
        for name, (low, high) in self.limits.items():
            check_range(name, getattr(self, name), low, high)

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        default = self.fresh_rate if self.start is None else self.tuning_rate
        return default if self.learning_rate is None else self.learning_rate

    @property
    def notes(self) -> list[str]:
        """What to tell of the settings before a run."""
        if self.peak <= MAX_USUAL_RATE:
            return []
        return [
            f"learning rate {self.peak:g} is far above the usual {self.fresh_rate:g}: the loss may grow, "
            f"or stop being finite; {MAX_USUAL_RATE:g} is a high one"
        ]

    def validation_interval(self, one: float = 0.0) -> float:
        """Return the seconds between validations, of which one takes so many; see `validate_every`."""
        if self.validate_every is not None:
            return self.validate_every
        return max(240.0 if self.time_limit is None else min(240.0, self.time_limit / 12), 8 * one)

    def rate(self, step: int, progress: float) -> float:
        """Return the learning rate of a step, with `progress` (0 to 1) of the run behind it."""
        rise = min(1.0, (step + 1) / max(self.warmup, 1))
        cosine = 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
        return self.peak * rise * (self.final_rate + (1.0 - self.final_rate) * cosine)

    def summary(self) -> dict[str, Any]:
        """Return the settings as a checkpoint records them; see `plain`."""
        return plain(asdict(self))


@dataclass(frozen=True)
class BoundSettings:
    """Settings of the evidence lower bound; see `sketchgen.training.objectives.EvidenceBound`.

    Attributes:
        kl_weight: of the divergence, in the end.
        kl_steps: steps in which the weight, which begins at 0, comes nearer to that by a factor of e.
        free_nats: divergence of a drawing that costs nothing.
        unheard: share of the drawings that are learned without a latent vector.
        picture_weight: of the nats of the drawing's picture.
        category_weight: of the nats of the drawing's category, where it is told.
        picture_steps: steps in which picture and category alone are learned.
    """

    kl_weight: float = 0.1
    kl_steps: int = 1500
    free_nats: float = 15.0
    unheard: float = 0.1
    picture_weight: float = 0.5
    category_weight: float = 5.0
    picture_steps: int = 8000

    def __post_init__(self) -> None:
        check_range("kl_weight", self.kl_weight, 0, 100)
        check_range("kl_steps", self.kl_steps, 1, 1e9)
        check_range("free_nats", self.free_nats, 0, 10_000)
        check_range("unheard", self.unheard, 0, 1)
        check_range("picture_weight", self.picture_weight, 0, 100)
        check_range("category_weight", self.category_weight, 0, 100)
        check_range("picture_steps", self.picture_steps, 0, 1e9)


@dataclass(frozen=True)
class ReinforceConfig:
    """Settings of policy-gradient training; see `sketchgen.training.reinforce`.

    Attributes:
        sketches: partial sketches a step.
        rollouts: completions drawn of each.
        best_of: number of completions of which the best one counts.
        weight: of this objective beside the likelihood.
        classifier: name or path of a classifier that recognises the finished drawings; None for none. Take
            one that does not measure the model later.
        classifier_weight: reward for a nat of its log probability, beside 1 for a finished drawing.
    """

    sketches: int = 256
    rollouts: int = 16
    best_of: int = 1
    weight: float = 3.0
    classifier: str | None = None
    classifier_weight: float = 0.2

    def __post_init__(self) -> None:
        check_range("sketches", self.sketches, 2, 65536)
        check_range("rollouts", self.rollouts, 2, 256)
        check_range("best_of", self.best_of, 1, self.rollouts - 1)
        check_range("weight", self.weight, 0, 100)
        check_range("classifier_weight", self.classifier_weight, 0, 100)


@dataclass(frozen=True)
class TrainConfig(RunConfig):
    """Settings of a run that trains a stroke model, beside those of `RunConfig`.

    `sketchgen.training.presets.PRESETS` holds `model`, `prefixes`, `learning_rate` and `bound` by name:
    `TrainConfig(store, out, ..., **PRESETS["sketch-rnn"].settings())`.

    Attributes:
        pictures: drawings that are finished, and drawn from nothing, after each validation; 0 for none.
        model: the network's shape, for a run without `start`. With it, the network keeps its shape and its
            categories, and learns those of the store besides.
        prefixes: how drawings are cut.
        teachers: names or paths of checkpoints of the same categories to distil, in turn by step; see
            `sketchgen.training.objectives.Likelihood`.
        distillation: share of the teachers in the loss; the rest is the drawings'.
        candidates: folder of candidate completions, drawn by the checkpoint to start from, for preference
            training; see `sketchgen.training.preference`.
        preference_weight: of this objective beside the likelihood.
        preference_pairs: pairs a step of each process.
        reinforce: settings of policy-gradient training; None for none.
        bound: settings of the evidence lower bound, for a model with a latent vector.
    """

    limits: ClassVar[Limits] = RunConfig.limits | {
        "pictures": (0, 100),
        "distillation": (0.0, 1.0),
        "preference_weight": (0.0, 100.0),
        "preference_pairs": (1, 65536),
    }

    pictures: int = 12
    model: ModelSettings = field(default_factory=ModelSettings)
    prefixes: Prefixes = field(default_factory=Prefixes)
    teachers: tuple[str, ...] = ()
    distillation: float = 0.7
    candidates: Path | None = None
    preference_weight: float = 1.0
    preference_pairs: int = 48
    reinforce: ReinforceConfig | None = None
    bound: BoundSettings = field(default_factory=BoundSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.candidates is not None and self.start is None:
            raise SettingError("preferences are among a model's own candidates; name the model by --from")


@dataclass(frozen=True)
class Augment:
    """Random changes of a classifier's training drawings, as shares of the drawings.

    Attributes:
        cut: shown up to a random point only; half of the cuts are at the end of a stroke.
        warp: slightly turned, sheared and stretched.
        mirror: left and right exchanged.
        any_order: strokes in random order, each of them in the other direction with a probability of a half.
        drop_strokes: each stroke left out, with a probability from 0 to 0.5 that differs by drawing.
        drop_points: each point inside a stroke left out with a probability of 0.15.
        jitter: standard deviation of noise on each coordinate, px.
    """

    cut: float = 0.35
    warp: float = 0.8
    mirror: float = 0.2
    any_order: float = 0.3
    drop_strokes: float = 0.3
    drop_points: float = 0.3
    jitter: float = 1.0


LIGHT = Augment(cut=0.2, warp=0.3, mirror=0.1, any_order=0.1, drop_strokes=0.1, drop_points=0.1, jitter=0.5)
"""Few changes, for the last part of a training: nearer to the drawings that are recognised later."""

UNCHANGED = Augment(
    cut=0.0, warp=0.0, mirror=0.0, any_order=0.0, drop_strokes=0.0, drop_points=0.0, jitter=0.0
)

PICTURES = replace(UNCHANGED, warp=0.5, mirror=0.2)
"""For drawings that are read as pictures: nothing that only strokes show."""

LIGHT_PICTURES = replace(UNCHANGED, warp=0.3, mirror=0.1)
"""The same, for the last part of a training."""


@dataclass(frozen=True)
class EncoderTrainConfig(RunConfig):
    """Defaults of a run that trains a network over whole drawings: a classifier or a reward model."""

    fresh_rate: ClassVar[float] = 2e-3
    tuning_rate: ClassVar[float] = 2e-3

    batch: int = 128
    warmup: int = 300
    final_rate: float = 0.002
    average: float = 0.999
    weight_decay: float = 0.02
    save_every: float = 120.0


@dataclass(frozen=True)
class ClassifierSettings:
    """Shape of a classifier of strokes; see `sketchgen.models.config.ClassifierConfig`."""

    cell: str = "lstm"
    widths: tuple[int, ...] = (192, 256)
    one_way: bool = False


@dataclass(frozen=True)
class ClassifierTrainConfig(EncoderTrainConfig):
    """Settings of a run that trains a classifier, beside those of `RunConfig`.

    Attributes:
        model: the network's shape, without `pictures`; that of `start`, if there is one.
        pictures: train a classifier of pictures, not one of strokes.
        smoothing: share of each label that is spread over all categories.
        augment: how drawings are changed; None for `Augment()`, or `PICTURES` with `pictures`.
    """

    limits: ClassVar[Limits] = RunConfig.limits | {"smoothing": (0.0, 0.9)}

    validate_drawings: int = 4096
    model: ClassifierSettings = field(default_factory=ClassifierSettings)
    pictures: bool = False
    smoothing: float = 0.05
    augment: Augment | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pictures and self.model != ClassifierSettings():
            raise SettingError("pictures are read without cells; leave out --cell, --width and --one-way")


@dataclass(frozen=True)
class RewardTrainConfig(EncoderTrainConfig):
    """Settings of a run that trains a reward model, beside those of `RunConfig`; a batch is of sketches.

    Attributes:
        checkpoint: name or path of the stroke model whose completions are to be ranked; None for the default.
        sketches: partial sketches that it completes before the training.
        candidates_per_sketch: completions of each.
        candidates: folders of candidates that are drawn already, to train on these alone.
        classifier: name or path of the classifier whose weights are the first ones; None for the default.
        jobs: processes that draw candidates.
    """

    limits: ClassVar[Limits] = RunConfig.limits | {
        "sketches": (1, 10_000_000),
        "candidates_per_sketch": (1, 64),
        "jobs": (1, 1024),
    }

    validate_drawings: int = 1024
    checkpoint: str | None = None
    sketches: int = 32_768
    candidates_per_sketch: int = 8
    candidates: tuple[Path, ...] = ()
    classifier: str | None = None
    jobs: int = 1
