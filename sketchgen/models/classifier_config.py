"""The validated shape of a recogniser, which its checkpoint carries and the network is built from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sketchgen.errors import SettingError
from sketchgen.models.config import check_dropout, check_whole_numbers

FEATURES = 13
"""Numbers a point is described by; see `sketchgen.models.classifier_features.features`."""

FIRST_SPAN, SECOND_SPAN = 5, 3
"""Neighbouring points that each of the two convolutions sees."""

MAX_POINTS = 400
"""Points that a recogniser reads at most; the longest drawings of Quick, Draw! have about 250."""

MAX_WIDTHS, MAX_WIDTH = 6, 2048
"""Layers, or stages, of a network that recognises or judges at most, and the units of one."""


@dataclass(frozen=True)
class RecogniserConfig:
    """Shape of a recogniser.

    Attributes:
        categories: the names that it tells apart.
        entry: channels of the convolutions.
        widths: units of each recurrent layer, each direction. All but the first read two steps of the layer
            below as one, so that each is half as long.
        heads: heads of the attention that pools the points.
        pooled: numbers a drawing is described by before the last layer.
        dropout: share of a recurrent layer's outputs dropped in training; the last layer's inputs, too.
    """

    categories: tuple[str, ...]
    entry: int = 128
    widths: tuple[int, ...] = (192, 256)
    heads: int = 4
    pooled: int = 256
    dropout: float = 0.3

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SettingError: a value outside its limits.
        """
        check_whole_numbers(self, {"entry": (8, 1024), "heads": (1, 64), "pooled": (8, 4096)})
        check_widths(self.widths, 8)
        if 2 * self.widths[-1] % self.heads:
            raise SettingError(
                f"heads must divide {2 * self.widths[-1]}, twice the last width, not be {self.heads}"
            )
        check_dropout(self.dropout)
        check_categories(self.categories)

    @property
    def features(self) -> int:
        """Numbers that a point is described by."""
        return FEATURES

    @property
    def inputs(self) -> tuple[int, ...]:
        """Numbers that a step of each recurrent layer reads."""
        return (self.entry, *(4 * width for width in self.widths[:-1]))

    def dense_sizes(self) -> dict[str, tuple[int, int]]:
        """Outputs and inputs of the layers that are none of the recurrent ones, by name."""
        both = 2 * self.widths[-1]
        return {
            "first": (self.entry, FIRST_SPAN * self.features),
            "second": (self.entry, SECOND_SPAN * self.entry),
            "attention": (self.heads, both),
            "pool": (self.pooled, 2 * both),
            "head": (len(self.categories), self.pooled),
        }

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The names and shapes of all weights, as a checkpoint holds them."""
        shapes: dict[str, tuple[int, ...]] = {}
        for name, (outputs, inputs) in self.dense_sizes().items():
            shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
        for index, (below, width) in enumerate(zip(self.inputs, self.widths, strict=True)):
            gates = 4 * width
            for way in ("forwards", "backwards"):
                name = f"{way}.{index}"
                shapes |= {f"{name}.weight_ih_l0": (gates, below), f"{name}.weight_hh_l0": (gates, width)}
                shapes |= {f"{name}.bias_ih_l0": (gates,), f"{name}.bias_hh_l0": (gates,)}
        return shapes

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return plain_values(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RecogniserConfig:
        """The configuration in a checkpoint's JSON.

        Raises:
            SettingError: an unknown or a missing name, or a value outside its limits.
        """
        return cls(**known_values(cls, values, ("widths",)))


def check_widths(widths: tuple[int, ...], least: int) -> None:
    """Refuse the widths of a network that has no layers, too many, or such as are too narrow or too wide.

    Args:
        widths: of each layer, or stage.
        least: the least that one may be.

    Raises:
        SettingError: they are outside their limits.
    """
    wide = all(isinstance(width, int) and least <= width <= MAX_WIDTH for width in widths)
    if not wide or not 1 <= len(widths) <= MAX_WIDTHS:
        wanted = f"1 to {MAX_WIDTHS} whole numbers from {least} to {MAX_WIDTH}"
        raise SettingError(f"widths must be {wanted}, not {widths!r}")


def check_categories(categories: tuple[str, ...]) -> None:
    """Refuse categories among which nothing can be told apart.

    Raises:
        SettingError: there are fewer than two, or one comes twice.
    """
    if len(categories) < 2 or len(set(categories)) != len(categories):
        raise SettingError("categories must be at least two names, each once")


def plain_values(config: Any) -> dict[str, Any]:
    """A configuration as plain values for JSON, which has lists and no tuples; see `known_values`."""
    values = {item.name: getattr(config, item.name) for item in fields(config)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def known_values(cls: type[Any], values: dict[str, Any], rows: tuple[str, ...]) -> dict[str, Any]:
    """The settings of a configuration `cls` in a checkpoint's JSON, with tuples where JSON has lists.

    Args:
        cls: the configuration's dataclass.
        values: as JSON has them.
        rows: names of the settings that are rows of numbers; the categories are one of names.

    Raises:
        SettingError: an unknown or a missing name, or a row that is none.
    """
    unknown = sorted(set(values) - {item.name for item in fields(cls)})
    if unknown:
        raise SettingError(f"unknown setting {unknown[0]!r}; is the checkpoint from a newer version?")
    names = values.get("categories")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SettingError("the recogniser's categories are missing")
    for name in rows:
        if not isinstance(values.get(name), list | tuple):
            raise SettingError(f"a setting of the recogniser is of the wrong type: {name}")
    return values | {name: tuple(values[name]) for name in ("categories", *rows)}
