"""The validated configuration that a checkpoint carries and a network is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sketchgen.errors import SettingError
from sketchgen.models.features import BORDER, GATES, INPUTS, PENS, POINTER, RECALL_HEADS, parameter_count

CELLS = tuple(GATES)
"""Names of the recurrent cells."""


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a network and the units it works in.

    Attributes:
        categories: names that the model knows; index len(categories) stands for "any".
        cell: one of `CELLS`, for the decoder and the encoder.
        layers: recurrent layers of the decoder.
        width: units of each decoder layer.
        components: components of the mixture over the offset.
        embedding: width of the decoder's input, where features, category and code are added up.
        encoder_width: units of the encoder, each direction; 0 for none, then the given part is only replayed.
        dropout: share of a layer's outputs dropped in training.
        offset_scale: px of the 255 box that one unit of the network's offsets stands for.
        inputs: what of a step is read, a name in `INPUTS`.
        pen: one of `PENS`.
        recall: width of the attention of the second layer to all earlier steps; 0 for none.
        turned: how many of the components, the first ones, stand in the frame of the last offset: x the way
            that the pen came, y to its right (y points down), whatever way that was.
        pointers: width of the keys by which earlier points are pointed at; 0 for no pointers.
        borders: whether there are components at the sides of the box, which a whole drawing is known to fill.
    """

    categories: tuple[str, ...]
    cell: str = "lstm"
    layers: int = 2
    width: int = 512
    components: int = 20
    embedding: int = 128
    encoder_width: int = 192
    dropout: float = 0.1
    offset_scale: float = 33.0
    inputs: str = "full"
    pen: str = "component"
    turned: int = 0
    recall: int = 0
    pointers: int = 0
    borders: bool = False

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SettingError: a value outside its limits.
        """
        for name, known in (("cell", CELLS), ("inputs", tuple(INPUTS)), ("pen", PENS)):
            if getattr(self, name) not in known:
                raise SettingError(f"no {name} {getattr(self, name)!r}; there are {', '.join(known)}")
        limits = {
            "layers": (1, 8),
            "width": (8, 4096),
            "components": (1, 100),
            "embedding": (8, 1024),
            "encoder_width": (0, 2048),
            "turned": (0, self.components),
            "recall": (0, 1024),
            "pointers": (0, 1024),
        }
        check_whole_numbers(self, limits)
        if self.recall and (self.layers < 2 or self.recall % RECALL_HEADS):
            raise SettingError(f"recall needs two layers and a multiple of {RECALL_HEADS}, not {self.recall}")
        if not isinstance(self.borders, bool):
            raise SettingError(f"borders must be true or false, not {self.borders!r}")
        check_dropout(self.dropout)
        if not 0.0 < self.offset_scale < 1e4:
            raise SettingError(f"offset_scale must be above 0 and under 10000 px, not {self.offset_scale!r}")
        if not self.categories or len(set(self.categories)) != len(self.categories):
            raise SettingError("categories must be at least one name, each once")

    @property
    def any_category(self) -> int:
        """The index that stands for "any category"."""
        return len(self.categories)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The names and shapes of all weights, as a checkpoint holds them."""
        read, joined = len(INPUTS[self.inputs]), self.width * self.layers
        shapes: dict[str, tuple[int, ...]] = {
            "category.weight": (len(self.categories) + 1, self.embedding),
            "encoder.nothing": (self.embedding,),
        }
        linear = {
            "read": (read, self.embedding),
            "head": (joined, parameter_count(self.components, self.pen)),
        }
        cells = []
        if self.encoder_width:
            linear["encoder.project"] = (2 * self.encoder_width, self.embedding)
            cells += [(f"encoder.{way}", read, self.encoder_width) for way in ("forwards", "backwards")]
        if self.recall:
            linear |= {
                f"stack.recall.{name}": (self.width, self.recall) for name in ("query", "key", "value")
            }
            linear["stack.recall.out"] = (self.recall, self.width)
        if self.pointers:
            linear |= {f"pointer.{name}": (joined, self.pointers) for name in ("query", "key")}
            linear["pointer.shape"] = (joined, POINTER)
        if self.borders:
            linear["border"] = (joined, BORDER)
        for index in range(self.layers):
            below = self.width if index else self.embedding
            cells.append((f"stack.layers.{index}", below, self.width))
        for name, (inputs, outputs) in linear.items():
            shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
        for name, inputs, width in cells:
            shapes |= {f"{name}.{part}": shape for part, shape in self._cell_shapes(inputs, width).items()}
        return shapes

    def _cell_shapes(self, inputs: int, width: int) -> dict[str, tuple[int, ...]]:
        """The same of one recurrent layer."""
        gates = GATES[self.cell] * width
        if self.cell == "gated":
            return {"look_back": (inputs,), "gates.weight": (gates, inputs), "gates.bias": (gates,)}
        weights = {"weight_ih_l0": (gates, inputs), "weight_hh_l0": (gates, width)}
        return weights | {"bias_ih_l0": (gates,), "bias_hh_l0": (gates,)}

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self) | {"categories": list(self.categories)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """The configuration in a checkpoint's JSON.

        Raises:
            SettingError: an unknown or a missing name, or a value outside its limits.
        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            hint = "is the checkpoint from a newer version?"
            raise SettingError(f"unknown model setting {unknown[0]!r}; {hint}")
        if "categories" not in values or not all(isinstance(name, str) for name in values["categories"]):
            raise SettingError("the model's categories are missing")
        try:
            return cls(**{**values, "categories": tuple(values["categories"])})
        except TypeError as error:
            reason = str(error).splitlines()[0]
            raise SettingError(f"a model setting is of the wrong type: {reason}") from error


def check_whole_numbers(config: Any, limits: Mapping[str, tuple[int, int]]) -> None:
    """Refuse a configuration whose whole numbers are outside their limits, or are none.

    Args:
        config: the configuration.
        limits: by the name of the setting, the least and the most that it may be.

    Raises:
        SettingError: the first that is; the message names it and its limits.
    """
    for name, (low, high) in limits.items():
        value = getattr(config, name)
        if not isinstance(value, int) or not low <= value <= high:
            raise SettingError(f"{name} must be a whole number from {low} to {high}, not {value!r}")


def check_dropout(share: float) -> None:
    """Refuse a share to be dropped that would leave nothing to learn from.

    Raises:
        SettingError: it is under 0, or 1 or more.
    """
    if not 0.0 <= share < 1.0:
        raise SettingError(f"dropout must be at least 0 and under 1, not {share!r}")
