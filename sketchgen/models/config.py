"""Configurations: the validated shape of each network, which its checkpoint carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

from sketchgen.errors import SettingError
from sketchgen.models.features import (
    BORDER,
    CELLS_ACROSS,
    GATES,
    INPUTS,
    PENS,
    POINTER,
    RECALL_HEADS,
    parameter_count,
)
from sketchgen.sketch.geometry import BOX, EPSILON

CELLS = tuple(GATES)
"""Names of the recurrent cells."""

MAX_LEVELS, MAX_WIDTH, MAX_BLOCKS = 6, 2048, 8
"""Most layers of a classifier (stages of a picture classifier), units of one, and residual blocks of one."""

POINT_FEATURES, REWARD_FEATURES = 13, 5
"""Features of a point that a classifier reads, see `sketchgen.models.numpy_classifier.point_features`, and
those that a reward model reads besides, see `sketchgen.models.reward_model.reward_features`."""

FIRST_SPAN, SECOND_SPAN = 5, 3
"""Windows of a classifier's convolutions over neighbouring points; in pixels, sides of a picture classifier's
first kernel and of all others."""

Shapes = dict[str, tuple[int, ...]]
"""Shapes of weights by name."""

PUBLISHED_EPSILON = EPSILON * BOX / 1000.0
"""Tolerance, px of the 255 box, of the published decoders: the same one in a box of 1,000."""

N = TypeVar("N", bound="NetworkConfig")


@dataclass(frozen=True)
class NetworkConfig:
    """What every configuration has.

    Attributes:
        categories: names of the categories, each once.
    """

    old_names: ClassVar[Mapping[str, str]] = {}
    """Settings whose names have changed, by the name that older checkpoints have."""

    min_categories: ClassVar[int] = 2

    categories: tuple[str, ...]

    def weight_shapes(self) -> Shapes:
        """Return the shapes of all weights by name, as a checkpoint holds them."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls: type[N], values: Mapping[str, Any]) -> N:
        """Return the configuration in a checkpoint's JSON.

        Raises:
            SettingError: a setting is unknown, missing, of the wrong type or outside its limits.
        """
        values = {cls.old_names.get(name, name): value for name, value in values.items()}
        unknown = sorted(set(values) - {item.name for item in fields(cls)})
        if unknown:
            raise SettingError(f"unknown setting {unknown[0]!r}; is the checkpoint from a newer version?")
        names = values.get("categories")
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise SettingError("the categories are missing")
        rows = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        try:
            return cls(**(values | rows))
        except TypeError as error:
            reason = str(error).splitlines()[0]
            raise SettingError(f"a setting has the wrong type: {reason}") from error

    def _check(self, limits: Mapping[str, tuple[int, int]], dropout: float) -> None:
        """Check the categories, whole numbers by name and the share of units dropped in training."""
        if len(self.categories) < self.min_categories or len(set(self.categories)) != len(self.categories):
            count = "one name" if self.min_categories == 1 else f"{self.min_categories} names"
            raise SettingError(f"categories must be at least {count}, each once")
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise SettingError(f"{name} must be a whole number from {low} to {high}, not {value!r}")
        if not 0.0 <= dropout < 1.0:
            raise SettingError(f"dropout must be at least 0 and under 1, not {dropout!r}")

    def _check_levels(self, name: str, low: int, high: int) -> None:
        """Check the whole numbers of the layers or stages."""
        values = getattr(self, name)
        valid = all(isinstance(value, int) and low <= value <= high for value in values)
        if not valid or not 1 <= len(values) <= MAX_LEVELS:
            wanted = f"1 to {MAX_LEVELS} whole numbers from {low} to {high}"
            raise SettingError(f"{name} must be {wanted}, not {values!r}")


@dataclass(frozen=True)
class ModelSettings:
    """Shape of a stroke model.

    Attributes:
        cell: one of `CELLS`, for the decoder and the encoder.
        layers: recurrent layers of the decoder.
        width: units of each decoder layer.
        components: components of the mixture over the offset.
        embedding: width of the decoder's input, the sum of features, category and encoding.
        encoder_width: units of the encoder in each direction; 0 for a decoder that replays the given part.
        dropout: share of a layer's outputs dropped in training.
        inputs: features of a step that the network reads, a key of `INPUTS`.
        pen: one of `PENS`.
        rotated: components, from the first on, that stand in the frame of the last offset: x along it, y to
            its right (y points down).
        self_attention: width of the second layer's attention to earlier steps; 0 for none.
        pointers: width of the keys of the pointers to earlier points; 0 for none.
        box_components: whether there are components at the sides of the box, which a whole drawing fills.
        latent: width of the latent vector; 0 for none.
        latent_encoder: units, in each direction, of the LSTM that reads whole drawings for it.
    """

    cell: str = "lstm"
    layers: int = 2
    width: int = 512
    components: int = 20
    embedding: int = 128
    encoder_width: int = 192
    dropout: float = 0.1
    inputs: str = "full"
    pen: str = "component"
    rotated: int = 0
    self_attention: int = 0
    pointers: int = 0
    box_components: bool = False
    latent: int = 0
    latent_encoder: int = 128


@dataclass(frozen=True)
class ModelConfig(ModelSettings, NetworkConfig):
    """Shape of a stroke model, its categories, and the units that it works in.

    Attributes:
        categories: names of the categories; index len(categories) stands for any.
        offset_scale: px of the 255 box in one unit of the network's offsets.
    """

    old_names: ClassVar[Mapping[str, str]] = {
        "turned": "rotated",
        "recall": "self_attention",
        "borders": "box_components",
    }
    min_categories: ClassVar[int] = 1

    offset_scale: float = 33.0

    def __post_init__(self) -> None:
        for name, known in (("cell", CELLS), ("inputs", tuple(INPUTS)), ("pen", PENS)):
            if getattr(self, name) not in known:
                raise SettingError(f"no {name} {getattr(self, name)!r}; there are {', '.join(known)}")
        limits = {
            "layers": (1, 8),
            "width": (8, 4096),
            "components": (1, 100),
            "embedding": (8, 1024),
            "encoder_width": (0, 2048),
            "rotated": (0, self.components),
            "self_attention": (0, 1024),
            "pointers": (0, 1024),
            "latent": (0, 1024),
            "latent_encoder": (8, 2048),
        }
        self._check(limits, self.dropout)
        if self.self_attention and (self.layers < 2 or self.self_attention % RECALL_HEADS):
            wanted = f"two layers and a multiple of {RECALL_HEADS}"
            raise SettingError(f"self_attention needs {wanted}, not {self.self_attention}")
        if not isinstance(self.box_components, bool):
            raise SettingError(f"box_components must be true or false, not {self.box_components!r}")
        if not 0.0 < self.offset_scale < 1e4:
            raise SettingError(f"offset_scale must be above 0 and under 10000 px, not {self.offset_scale!r}")

    @property
    def epsilon(self) -> float:
        """Tolerance, px, with which the drawings that it learned from were simplified."""
        return PUBLISHED_EPSILON if self.inputs == "moves" else EPSILON

    @property
    def any_category(self) -> int:
        """Index that stands for any category."""
        return len(self.categories)

    def weight_shapes(self) -> Shapes:
        """Return the shapes of all weights by name, as a checkpoint holds them."""
        read, joined = len(INPUTS[self.inputs]), self.width * self.layers
        shapes: Shapes = {
            "category.weight": (len(self.categories) + 1, self.embedding),
            "encoder.nothing": (self.embedding,),
        }
        linear = {
            "read": (self.embedding, read),
            "head": (parameter_count(self.components, self.pen), joined),
        }
        cells = []
        if self.encoder_width:
            linear["encoder.project"] = (self.embedding, 2 * self.encoder_width)
            cells += [(f"encoder.{way}", read, self.encoder_width) for way in ("forwards", "backwards")]
        if self.self_attention:
            for name in ("query", "key", "value"):
                linear[f"stack.recall.{name}"] = (self.self_attention, self.width)
            linear["stack.recall.out"] = (self.width, self.self_attention)
        if self.pointers:
            linear |= {f"pointer.{name}": (self.pointers, joined) for name in ("query", "key")}
            linear["pointer.shape"] = (POINTER, joined)
        if self.box_components:
            linear["border"] = (BORDER, joined)
        if self.latent:
            linear |= {
                "latent.posterior.project": (2 * self.latent, 2 * self.latent_encoder),
                "latent.hidden": (self.embedding, self.embedding),
                "latent.prior": (2 * self.latent, self.embedding),
                "latent.picture.0": (self.embedding, self.latent),
                "latent.picture.2": (CELLS_ACROSS**2, self.embedding),
            }
            shapes["latent.posterior.nothing"] = (2 * self.latent,)
            shapes["latent.enter.weight"] = (self.embedding, self.latent)
            for way in ("forwards", "backwards"):
                shapes |= _cell_shapes(f"latent.posterior.{way}", "lstm", read, self.latent_encoder)
        for index in range(self.layers):
            cells.append((f"stack.layers.{index}", self.width if index else self.embedding, self.width))
        shapes |= _linear_shapes(linear)
        for name, inputs, width in cells:
            shapes |= _cell_shapes(name, self.cell, inputs, width)
        return shapes


@dataclass(frozen=True)
class ClassifierConfig(NetworkConfig):
    """Shape of a classifier of strokes.

    Attributes:
        entry: channels of the convolutions.
        widths: units of each recurrent layer in each direction. All but the first read two steps of the layer
            below as one, so that each is half as long.
        heads: heads of the attention that pools the steps.
        pooled: width of the representation of a drawing before the last layer.
        dropout: share of a recurrent layer's outputs, and of the last layer's inputs, dropped in training.
        cell: one of `CELLS`.
        one_way: whether there are layers that read forwards only, and none that read backwards.
    """

    entry: int = 128
    widths: tuple[int, ...] = (192, 256)
    heads: int = 4
    pooled: int = 256
    dropout: float = 0.3
    cell: str = "lstm"
    one_way: bool = False

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise SettingError(f"no cell {self.cell!r}; there are {', '.join(CELLS)}")
        if not isinstance(self.one_way, bool):
            raise SettingError(f"one_way must be true or false, not {self.one_way!r}")
        self._check({"entry": (8, 1024), "heads": (1, 64), "pooled": (8, 4096)}, self.dropout)
        self._check_levels("widths", 8, MAX_WIDTH)
        if self.outputs % self.heads:
            wanted = f"divide {self.outputs}, the outputs of the last layer"
            raise SettingError(f"heads must {wanted}, not be {self.heads}")

    @property
    def features(self) -> int:
        """Number of features of a point."""
        return POINT_FEATURES

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the directions in which a drawing is read."""
        return ("forwards",) if self.one_way else ("forwards", "backwards")

    @property
    def inputs(self) -> tuple[int, ...]:
        """Width of a step that each recurrent layer reads."""
        return (self.entry, *(2 * len(self.directions) * width for width in self.widths[:-1]))

    @property
    def outputs(self) -> int:
        """Width of the last recurrent layer's outputs, of all directions together."""
        return len(self.directions) * self.widths[-1]

    def linear_shapes(self) -> dict[str, tuple[int, int]]:
        """Return outputs and inputs of each linear layer by name."""
        return {
            "first": (self.entry, FIRST_SPAN * self.features),
            "second": (self.entry, SECOND_SPAN * self.entry),
            "attention": (self.heads, self.outputs),
            "pool": (self.pooled, 2 * self.outputs),
            "head": (len(self.categories), self.pooled),
        }

    def weight_shapes(self) -> Shapes:
        """Return the shapes of all weights by name, as a checkpoint holds them."""
        shapes = _linear_shapes(self.linear_shapes())
        for index, (inputs, width) in enumerate(zip(self.inputs, self.widths, strict=True)):
            for direction in self.directions:
                shapes |= _cell_shapes(f"{direction}.{index}", self.cell, inputs, width)
        return shapes


@dataclass(frozen=True)
class RewardConfig(ClassifierConfig):
    """Shape of a reward model: a classifier's with more features, conditioned on a category, one output.

    See `ClassifierConfig` for the attributes; index len(categories) stands for any category.
    """

    @property
    def features(self) -> int:
        """Number of features of a point."""
        return POINT_FEATURES + REWARD_FEATURES

    def linear_shapes(self) -> dict[str, tuple[int, int]]:
        """Return outputs and inputs of each linear layer by name."""
        wide = self.pooled
        return super().linear_shapes() | {"told": (wide, 2 * wide), "wide": (wide, wide), "head": (1, wide)}

    def weight_shapes(self) -> Shapes:
        """Return the shapes of all weights by name, as a checkpoint holds them."""
        return super().weight_shapes() | {"category.weight": (len(self.categories) + 1, self.pooled)}


@dataclass(frozen=True)
class PictureConfig(NetworkConfig):
    """Shape of a classifier of pictures.

    Attributes:
        widths: channels of each stage. A stage begins with a convolution of stride 2; the mean of the last
            one's channels over the picture represents the drawing.
        blocks: residual blocks of two convolutions in each stage.
        dropout: share of the last layer's inputs dropped in training.
    """

    widths: tuple[int, ...] = (32, 64, 128, 192)
    blocks: tuple[int, ...] = (0, 1, 1, 0)
    dropout: float = 0.1

    def __post_init__(self) -> None:
        self._check({}, self.dropout)
        self._check_levels("widths", 4, MAX_WIDTH)
        self._check_levels("blocks", 0, MAX_BLOCKS)
        if len(self.blocks) != len(self.widths):
            raise SettingError(f"blocks must be as many as widths, not {self.blocks!r}")

    def weight_shapes(self) -> Shapes:
        """Return the shapes of all weights by name, as a checkpoint holds them."""
        shapes: Shapes = {}

        def convolution(name: str, inputs: int, width: int, span: int) -> None:
            shapes[f"{name}.conv.weight"] = (width, inputs, span, span)
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{name}.norm.{part}"] = (width,)

        below = (1, *self.widths[:-1])
        for stage, (inputs, width, blocks) in enumerate(zip(below, self.widths, self.blocks, strict=True)):
            convolution(f"halve.{stage}", inputs, width, SECOND_SPAN if stage else FIRST_SPAN)
            for block in range(blocks):
                for part in ("first", "second"):
                    convolution(f"blocks.{stage}.{block}.{part}", width, width, SECOND_SPAN)
        return shapes | _linear_shapes({"head": (len(self.categories), self.widths[-1])})


def _linear_shapes(layers: Mapping[str, tuple[int, int]]) -> Shapes:
    """Return the shapes of linear layers' weights, given outputs and inputs of each by name."""
    shapes: Shapes = {}
    for name, (outputs, inputs) in layers.items():
        shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
    return shapes


def _cell_shapes(name: str, cell: str, inputs: int, width: int) -> Shapes:
    """Return the shapes of a recurrent layer's weights."""
    gates = GATES[cell] * width
    if cell == "gated":
        parts: Shapes = {"look_back": (inputs,), "gates.weight": (gates, inputs), "gates.bias": (gates,)}
    else:
        parts = {"weight_ih_l0": (gates, inputs), "weight_hh_l0": (gates, width)}
        parts |= {"bias_ih_l0": (gates,), "bias_hh_l0": (gates,)}
    return {f"{name}.{part}": shape for part, shape in parts.items()}
