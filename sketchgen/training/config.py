"""The validated configuration of a training run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sketchgen.data.splitting import Prefixes
from sketchgen.errors import SettingError

FRESH_RATE, TUNING_RATE = 1.5e-3, 5e-4
"""Highest learning rates of a network that begins from nothing, and of one that has learned before."""


def check_limits(settings: object, limits: Mapping[str, tuple[float, float]]) -> None:
    """Check that the settings named are None, or finite and from their least to their largest value.

    Raises:
        SettingError: one is not.
    """
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise SettingError(f"{name} must be from {low:g} to {high:g}, not {value}")


@dataclass(frozen=True)
class ModelSettings:
    """The network's shape; see `sketchgen.models.config.ModelConfig`."""

    cell: str = "lstm"
    layers: int = 2
    width: int = 512
    components: int = 20
    embedding: int = 128
    encoder_width: int = 192
    dropout: float = 0.1
    inputs: str = "full"
    pen: str = "component"
    turned: int = 0
    recall: int = 0
    pointers: int = 0
    borders: bool = False


@dataclass(frozen=True)
class PracticeSettings:
    """How a model practises; see `sketchgen.training.reinforce`.

    Attributes:
        beginnings: drawings that are begun, a step.
        ways: how often each is finished.
        best_of: of how many ways the best one counts.
        weight: of what is practised beside the drawings.
        judge: name or path of a recogniser that names the finished drawings; None for nobody. Take one that
            does not judge the model later.
        naming: what a nat of its certainty is worth beside a finished drawing's 1.
    """

    beginnings: int = 256
    ways: int = 16
    best_of: int = 1
    weight: float = 3.0
    judge: str | None = None
    naming: float = 0.2

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SettingError: a value outside its limits.
        """
        limits = {"beginnings": (2, 65536), "ways": (2, 256), "weight": (0.0, 100.0), "naming": (0.0, 100.0)}
        check_limits(self, limits)
        if not 1 <= self.best_of < self.ways:
            raise SettingError(
                f"best_of must be from 1 to {self.ways - 1}, one less than the ways, not {self.best_of}"
            )

    def named_only(self) -> dict[str, Any]:
        """As plain values, the judge by its name, without the folders on the way to it."""
        return asdict(self) | {"judge": None if self.judge is None else Path(self.judge).name}


@dataclass(frozen=True)
class Preset:
    """A recipe by name: a network's shape and how it is shown its drawings.

    Attributes:
        model, prefixes, learning_rate: see `TrainConfig`.
    """

    model: ModelSettings
    prefixes: Prefixes = field(default_factory=Prefixes)
    learning_rate: float | None = None

    def settings(self) -> dict[str, Any]:
        """As arguments of `TrainConfig`."""
        return dict(vars(self))


PRESETS = {
    "quickdraw345": Preset(
        ModelSettings(
            layers=2,
            width=512,
            components=24,
            encoder_width=128,
            inputs="bounded",
            turned=12,
            recall=128,
            pointers=64,
            borders=True,
        )
    ),
    "tiny": Preset(
        ModelSettings(
            cell="gated",
            layers=2,
            width=352,
            components=16,
            embedding=96,
            encoder_width=64,
            dropout=0.05,
            inputs="bounded",
            turned=8,
            pointers=32,
            borders=True,
        )
    ),
    # Ha and Eck 2017, decoder only: the given part is replayed, nothing but offsets and pens is read, one pen
    # for all components. Our category embedding, dequantisation and optimiser, so that it is a fair rival.
    "sketch-rnn": Preset(
        ModelSettings(layers=1, width=512, encoder_width=0, dropout=0.1, inputs="offsets", pen="shared"),
        Prefixes(
            nothing=1.0,
            first_stroke=0.0,
            stroke_end=0.0,
            anywhere=0.0,
            unknown=0.0,
            drop_category=0.0,
            held_back=0.0,
            opened=0.0,
        ),
        learning_rate=1e-3,
    ),
}
"""Recipes by name; the first is that of the bundled model."""


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        store: folder of the prepared store.
        out: folder of the run: `best/` and `last/` (checkpoints), `state.safetensors` (to resume), `log.csv`,
            `pictures/` (what it draws after each validation), `tensorboard/`.
        time_limit: seconds of training, over all resumed parts; None for no limit.
        steps: most steps; None for no limit. One of the two must be set.
        batch: drawings a step, of all processes together.
        learning_rate: peak; it rises over `warmup` steps and falls along a cosine to 2 % at the end. None for
            `FRESH_RATE`, or `TUNING_RATE` where the run starts from a checkpoint.
        warmup: steps.
        clip: largest norm of the gradient.
        average: decay of the moving average of the weights, which is what is validated and saved.
        validate_every: seconds between validations; None for four minutes, or a twelfth of `time_limit` where
            that is less, so that a short run keeps the best of several checkpoints, too.
        validate_drawings: most drawings of the validation split used for them.
        patience: validations in a row without a new best figure after which the run stops; None for no limit.
        save_every: seconds between saves of the state; what a kill costs at most.
        pictures: drawings that are finished, and drawn from nothing, after each validation; 0 for none.
        workers: processes that make batches ahead; None for none on a processor, where making them takes a
            hundredth of the time, and for most of its cores beside a GPU.
        seed: of everything random.
        bfloat16: compute in bfloat16 where that is safe; None where it is faster, too.
        threads: torch's threads; more than the free cores makes everything slower.
        device: "cpu", "cuda", or None for a GPU where there is one.
        weight_decay: of AdamW.
        teachers: names or paths of checkpoints of the same categories, of which each batch asks one; see
            `sketchgen.training.distillation`.
        teaching: the share of what a teacher would have drawn in what is learned; the rest is what was drawn.
        rehearsals: a folder of them, drawn by the checkpoint to start from, whose better ways it is to
            prefer; see `sketchgen.training.preference`.
        preference: weight of that beside the drawings.
        pairs: of ways, a step of each process.
        practice: how it practises beside; None for not at all.
        start: name or path of a checkpoint to start from, whose shape the network then has. It keeps its
            categories and learns those of the store besides.
        model: the network's shape, where it starts from nothing.
        prefixes: how drawings are cut.

    `PRESETS` has recipes of these three: `TrainConfig(store, out, ..., **PRESETS["sketch-rnn"].settings())`.
    """

    store: Path
    out: Path
    time_limit: float | None = None
    steps: int | None = None
    batch: int = 100
    learning_rate: float | None = None
    warmup: int = 100
    clip: float = 1.0
    average: float = 0.998
    validate_every: float | None = None
    validate_drawings: int = 1500
    patience: int | None = None
    save_every: float = 60.0
    pictures: int = 12
    workers: int | None = None
    seed: int = 0
    bfloat16: bool | None = None
    threads: int | None = None
    device: str | None = None
    weight_decay: float = 0.01
    teachers: tuple[str, ...] = ()
    teaching: float = 0.7
    rehearsals: Path | None = None
    preference: float = 1.0
    pairs: int = 48
    practice: PracticeSettings | None = None
    start: str | None = None
    model: ModelSettings = field(default_factory=ModelSettings)
    prefixes: Prefixes = field(default_factory=Prefixes)

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SettingError: a value outside its limits, or no end to the run.
        """
        if self.time_limit is None and self.steps is None:
            raise SettingError("a run needs an end: set --time-limit or --steps")
        limits: dict[str, tuple[float, float]] = {
            "time_limit": (1, 1e8),
            "steps": (1, 1e9),
            "batch": (1, 65536),
            "learning_rate": (1e-8, 1.0),
            "warmup": (0, 1e7),
            "clip": (1e-6, 1e6),
            "average": (0.0, 0.99999),
            "validate_every": (0, 1e7),
            "validate_drawings": (1, 1e9),
            "patience": (1, 1e6),
            "save_every": (0, 1e6),
            "pictures": (0, 100),
            "workers": (0, 256),
            "seed": (0, 2**31),
            "weight_decay": (0.0, 1.0),
            "teaching": (0.0, 1.0),
            "preference": (0.0, 100.0),
            "pairs": (1, 65536),
            "threads": (1, 1024),
        }
        check_limits(self, limits)
        if self.rehearsals is not None and self.start is None:
            raise SettingError("rehearsals teach a model what to prefer of its own; name it by --from")

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        folders = {"store": self.store, "out": self.out, "rehearsals": self.rehearsals}
        return asdict(self) | {name: None if path is None else str(path) for name, path in folders.items()}

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        fresh = FRESH_RATE if self.start is None else TUNING_RATE
        return fresh if self.learning_rate is None else self.learning_rate

    @property
    def validation_interval(self) -> float:
        """Seconds between validations."""
        if self.validate_every is not None:
            return self.validate_every
        return 240.0 if self.time_limit is None else min(240.0, self.time_limit / 12)

    def rate(self, step: int, progress: float) -> float:
        """Learning rate at a step, with `progress` (0 to 1) of the run behind it."""
        rise = min(1.0, (step + 1) / max(self.warmup, 1))
        fall = 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
        return self.peak * rise * fall
