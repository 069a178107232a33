"""The stroke model in numpy, a step at a time, to draw with.

`sketchgen.models.stroke_model` is the same network in torch. Drawing needs no gradients, and a step of a few
rows is too small for a framework to be of use: numpy loads in a tenth of the time and takes less of it a
step. The tests hold both forms equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.errors import SettingError
from sketchgen.models.checkpoint import Weights
from sketchgen.models.config import ModelConfig
from sketchgen.models.features import BORDER, LOG_DEVIATIONS, NO_LATENT, POINTER, parameter_count
from sketchgen.models.numpy_layers import (
    DRAW,
    END,
    Cache,
    LayerState,
    Linear,
    PenState,
    Rows,
    SelfAttention,
    Start,
    make_layer,
    one_thread,
    sigmoid,
)
from sketchgen.models.numpy_mixture import LIFT, StepDistribution


@dataclass(frozen=True)
class Prefix:
    """The given part as the network reads it, and the categories in which b drawings go on from it.

    Attributes:
        offset: px; the first is counted from the frame's centre.
        pen: after each point; DRAW at the last one where its stroke is to go on.
        category: index, or the config's `any_category`.
        known: whether the frame is that of the whole drawing (255 box), not the given part's own.
        going_on: which of the b drawings go on with the last stroke, whatever its pen; None for none.
        latent: the latent vectors; None for none.
        reading: what `Decoder.read` made of the part under these categories, maybe among others, if it has.
    """

    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    category: Int[np.ndarray, " b"]
    known: bool
    going_on: Bool[np.ndarray, " b"] | None = None
    latent: Float[np.ndarray, "b z"] | None = None
    reading: EncodedPrefix | None = None


@dataclass(frozen=True)
class Gaussian:
    """Normal distributions of the independent numbers of latent vectors."""

    mean: Float[np.ndarray, "b z"]
    deviation: Float[np.ndarray, "b z"]

    @classmethod
    def of(cls, values: Float[np.ndarray, "b y"]) -> Gaussian:
        """Return the distributions that a network's outputs describe: means, then logs of deviations."""
        mean, log_deviation = np.split(values, 2, -1)
        return cls(mean, np.exp(np.clip(log_deviation, *LOG_DEVIATIONS)))


@dataclass
class State:
    """What `Decoder.advance` goes on from, of b drawings; see `sketchgen.models.stroke_model.State`."""

    layers: list[LayerState]
    pen: PenState
    bias: Float[np.ndarray, "b e"]
    known: bool
    cache: Cache | None

    def take(self, rows: Rows) -> State:
        """Return copies of some rows, in that order."""
        layers = [tuple(part[rows] for part in layer) for layer in self.layers]
        cache = None if self.cache is None else self.cache.take(rows)
        return State(layers, self.pen.take(rows), self.bias[rows], self.known, cache)

    @staticmethod
    def join(states: Sequence[State]) -> State:
        """Return the rows of several states, all of known or all of unknown frames, one after the other."""
        if len({state.known for state in states}) > 1:
            raise ValueError("states of known and of unknown frames cannot be joined")
        layers = [
            tuple(np.concatenate(parts) for parts in zip(*layer, strict=True))
            for layer in zip(*(state.layers for state in states), strict=True)
        ]
        caches = [state.cache for state in states if state.cache is not None]
        return State(
            layers,
            PenState.join([state.pen for state in states]),
            np.concatenate([state.bias for state in states]),
            states[0].known,
            Cache.join(caches) if caches else None,
        )


@dataclass(frozen=True)
class EncodedPrefix:
    """A given part of n points as it was read under k categories, from which any number of drawings go on.

    Attributes:
        category: index of each, ascending.
        known: see `Prefix`.
        pens: before each point and after the last, (n + 1) k rows.
        features: what the network reads of them.
        before: states of the layers before the last point.
        after: states after it.
        cache: of all points.
    """

    category: Int[np.ndarray, " k"]
    known: bool
    pens: PenState
    features: Float[np.ndarray, "m k f"]
    before: list[LayerState]
    after: list[LayerState]
    cache: Cache | None


class _Encoder:
    """A recurrent layer forwards and one backwards; their last outputs are projected to a code."""

    def __init__(self, cell: str, weights: Weights, name: str) -> None:
        self._layers = [make_layer(cell, weights, f"{name}.{side}") for side in ("forwards", "backwards")]
        self._project = Linear.of(weights, f"{name}.project")

    def __call__(self, features: Float[np.ndarray, "n b f"], start: Start) -> Float[np.ndarray, "b e"]:
        """Return the codes of right-aligned sequences of n steps at most."""
        count, batch = features.shape[:2]
        index = np.arange(count)[::-1, None]
        backwards = features[(index + (0 if start is None else start)) % count, np.arange(batch)]
        pairs = zip(self._layers, (features, backwards), strict=True)
        return self._project(np.concatenate([layer.run(steps, start)[0][-1] for layer, steps in pairs], -1))


class _Latent:
    """Posterior and prior of the latent vector, and its way into the decoder."""

    def __init__(self, weights: Weights) -> None:
        self.posterior = _Encoder("lstm", weights, "latent.posterior")
        self._hidden = Linear.of(weights, "latent.hidden")
        self._prior = Linear.of(weights, "latent.prior")
        self.enter = Linear(weights["latent.enter.weight"])

    def prior(self, code: Float[np.ndarray, "b e"]) -> Gaussian:
        """Return the prior, given the sum of the category's embedding and the given part's code."""
        hidden = self._hidden(code)
        hidden *= sigmoid(hidden)
        return Gaussian.of(self._prior(hidden))


class Decoder:
    """Reads a given part, and goes on from it; cells that torch alone computes raise a SettingError.

    Attributes:
        candidates: rows of noise that a step of a drawing takes.
        config: of the network.
    """

    candidates = 1

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        self.config, self._weights = config, weights
        self._nothing = weights["encoder.nothing"]
        self._encoder = _Encoder(config.cell, weights, "encoder") if config.encoder_width else None
        self._latent = _Latent(weights) if config.latent else None
        self._read = Linear(weights["read.weight"])
        self._category = weights["category.weight"] + weights["read.bias"]
        self._layers = [make_layer(config.cell, weights, f"stack.layers.{n}") for n in range(config.layers)]
        self._attention = SelfAttention(weights) if config.self_attention else None
        # One product for all that reads the layers' outputs.
        names = ["head"] + ["border"] * config.box_components
        if config.pointers:
            names += ["pointer.shape", "pointer.query", "pointer.key"]
        self._out = Linear.of(weights, *names)
        self._scale = np.float32(config.pointers**-0.5) if config.pointers else None

    def weights(self) -> Weights:
        """Return the weights, as in its checkpoint."""
        return self._weights

    def prime(self, given: Prefix) -> tuple[StepDistribution, State]:
        """Return the distribution of the first step after the given part, and the state for `advance`."""
        going_on = np.zeros(len(given.category), bool) if given.going_on is None else given.going_on
        # Rows that differ neither in category nor in going on are read once.
        kinds, rows = np.unique(2 * given.category + going_on, return_inverse=True)
        reading = given.reading or self.read(given)
        of = np.searchsorted(reading.category, kinds // 2)
        state = self._behind(reading, of, len(given.pen), going_on=kinds % 2 == 1)
        if given.latent is None:
            step, state = self._next(state)
            return step.take(rows), state.take(rows)
        return self._next(self._hearing(state.take(rows), given.latent))

    def prime_all(self, given: Sequence[Prefix]) -> tuple[StepDistribution, State]:
        """Read several given parts at once, each for one drawing: a row for each.

        Equal to `prime` of each up to the last bits, and many times faster. All are of known frames, or none.
        """
        offset, pen, start = _right_aligned(given)
        category = np.concatenate([each.category for each in given])
        reading = self._read_all(offset, pen, category, given[0].known, start)
        state = self._behind(reading, slice(None), pen.shape[1], start)
        latents = [each.latent for each in given if each.latent is not None]
        return self._next(self._hearing(state, np.concatenate(latents)) if latents else state)

    def read(self, given: Prefix) -> EncodedPrefix:
        """Read a given part under its categories."""
        category = np.unique(given.category)
        shape = len(category), len(given.pen)
        pen, offset = np.broadcast_to(given.pen, shape), np.broadcast_to(given.offset, (*shape, 2))
        return self._read_all(offset, pen, category, given.known, None)

    def last_point(self, reading: EncodedPrefix, category: int) -> StepDistribution:
        """Return the distribution of the last point of a given part, under one of its categories."""
        row = np.searchsorted(reading.category, [category])
        return self._next(self._behind(reading, row, len(reading.features) - 2))[0]

    @one_thread
    def posterior(self, wholes: Sequence[Prefix]) -> Gaussian:
        """Return the posteriors of the latent vectors of b whole drawings, all of known frames or none.

        Raises:
            SettingError: the network has no latent vector.
        """
        offset, pen, start = _right_aligned(wholes)
        _, features = self._features(offset, pen, wholes[0].known)
        return Gaussian.of(self._with_latent().posterior(features[1:], start))

    @one_thread
    def prior(self, given: Prefix) -> Gaussian:
        """Return the prior of the latent vectors of the b drawings that go on from a given part, (b, z).

        Raises:
            SettingError: the network has no latent vector.
        """
        code = self._nothing
        if len(given.pen):
            _, features = self._features(given.offset[None], given.pen[None], given.known)
            code = self._code(features[1:], None)
        return self._with_latent().prior(self._weights["category.weight"][given.category] + code)

    def _features(
        self, offset: Float[np.ndarray, "b n 2"], pen: Int[np.ndarray, "b n"], known: bool
    ) -> tuple[PenState, Float[np.ndarray, "m b f"]]:
        """Return the pens, and what the network reads, before each of n steps and after the last."""
        batch, count = pen.shape
        pens = [PenState.begin(batch)]
        for step in range(count):
            pens.append(pens[-1].advanced(offset[:, step], pen[:, step]))
        joined = PenState.join(pens)
        features = joined.features(self.config.inputs, known, self.config.offset_scale)
        return joined, features.reshape(count + 1, batch, -1)

    def _with_latent(self) -> _Latent:
        if self._latent is None:
            raise SettingError(NO_LATENT)
        return self._latent

    def _hearing(self, state: State, latent: Float[np.ndarray, "b z"]) -> State:
        """Return a state that goes on with these latent vectors."""
        return replace(state, bias=state.bias + self._with_latent().enter(latent))

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: State
    ) -> tuple[StepDistribution, State]:
        """Take one step (px, pen); return the distribution of the step after it, and the new state.

        The old state must not be gone on from again: both share their cache.
        """
        pens = state.pen.advanced(offset, pen)
        return self._next(State(state.layers, pens, state.bias, state.known, state.cache))

    @one_thread
    def _read_all(
        self,
        offset: Float[np.ndarray, "b n 2"],
        pen: Int[np.ndarray, "b n"],
        category: Int[np.ndarray, " b"],
        known: bool,
        start: Start,
    ) -> EncodedPrefix:
        """Read right-aligned given parts of n points at most; padding has pen END."""
        batch, count = pen.shape
        pens, features = self._features(offset, pen, known)
        widths = self.config.self_attention, self.config.pointers
        cache = Cache.empty(batch, *widths, start) if any(widths) else None
        before = after = [layer.begin(batch) for layer in self._layers]
        if count:
            flat = np.ascontiguousarray(features[:-1]).reshape(count * batch, -1)
            bias = np.tile(self._category[category] + self._nothing, (count, 1))
            inputs = self._enter(flat, bias).reshape(count, batch, -1)
            points = pens.position.reshape(count + 1, batch, 2)[:-1].swapaxes(0, 1)
            before, after = self._replay(inputs, points, cache, start)
        return EncodedPrefix(category, known, pens, features, before, after, cache)

    @one_thread
    def _behind(
        self,
        reading: EncodedPrefix,
        rows: Rows,
        count: int,
        start: Start = None,
        going_on: Bool[np.ndarray, " b"] | None = None,
    ) -> State:
        """Return the state behind the first `count` points, all or all but the last, of some rows."""
        batch, at = len(reading.category), reading.features[1 : count + 1, rows]
        pens = reading.pens.take(slice(count * batch, (count + 1) * batch)).take(rows)
        if count and going_on is not None and going_on.any():
            pens = replace(pens, pen=np.where(going_on, DRAW, pens.pen))
            at[-1] = pens.features(self.config.inputs, reading.known, self.config.offset_scale)
        bias = self._category[reading.category[rows]] + (self._code(at, start) if count else self._nothing)
        whole = count == len(reading.features) - 1
        layers = [
            tuple(part[rows] for part in layer) for layer in (reading.after if whole else reading.before)
        ]
        cache = reading.cache and reading.cache.take(rows)
        if cache is not None:
            cache.count = count
        return State(layers, pens, bias, reading.known, cache)

    def _code(self, features: Float[np.ndarray, "n b f"], start: Start) -> np.ndarray:
        """Return the code of each given part, (b, e), or the one of nothing, (e,)."""
        if self._encoder is None:
            return self._nothing
        code = self._encoder(features, start)
        return code if start is None else np.where((start < len(features))[:, None], code, self._nothing)

    def _replay(
        self,
        inputs: Float[np.ndarray, "n b e"],
        points: Float[np.ndarray, "b n 2"],
        cache: Cache | None,
        start: Start,
    ) -> tuple[list[LayerState], list[LayerState]]:
        """Return the layers' states before the last of n steps and after it; the cache is filled."""
        states, outputs, count = [], [], len(inputs)
        if cache is not None:
            cache.reserve(count + 1)
            cache.arrays["point"][:, :count] = points
        for number, layer in enumerate(self._layers):
            inputs, *both = layer.run(inputs, start)
            states.append(both)
            outputs.append(inputs)
            if self._attention is not None and cache is not None and number == 0:
                inputs = inputs + self._attention.run(inputs, cache)
        if cache is not None:
            if self.config.pointers:
                joined = np.concatenate(outputs, -1).reshape(count * points.shape[0], -1)
                keys = self._out(joined)[:, -self.config.pointers :].reshape(count, points.shape[0], -1)
                cache.arrays["pointer"][:, :count] = keys.swapaxes(0, 1)
            cache.count = count
        before, after = zip(*states, strict=True)
        return list(before), list(after)

    def _enter(
        self, features: Float[np.ndarray, "b f"], bias: Float[np.ndarray, "b e"]
    ) -> Float[np.ndarray, "b e"]:
        """Return the inputs of the first layer."""
        entered = self._read(features)
        entered += bias
        entered *= sigmoid(entered)
        return entered

    @one_thread
    def _next(self, state: State) -> tuple[StepDistribution, State]:
        """Take the step to whose end the pens of `state` were moved."""
        config, pens, cache = self.config, state.pen, state.cache
        if cache is not None:
            cache.reserve(1)
            cache.arrays["point"][:, cache.count] = pens.position
        features = pens.features(config.inputs, state.known, config.offset_scale)
        hidden = self._enter(features, state.bias)
        layers, outputs = [], []
        for number, (layer, before) in enumerate(zip(self._layers, state.layers, strict=True)):
            hidden, after = layer.step(hidden, before)
            layers.append(after)
            outputs.append(hidden)
            if self._attention is not None and cache is not None and number == 0:
                hidden = hidden + self._attention.step(hidden, cache)
        joined = np.concatenate(outputs, -1) if len(outputs) > 1 else hidden
        step = self._distribution(self._out(joined), pens, state.known, cache)
        if cache is not None:
            cache.count += 1
        return step, State(layers, pens, state.bias, state.known, cache)

    def _distribution(
        self, out: Float[np.ndarray, "b o"], pens: PenState, known: bool, cache: Cache | None
    ) -> StepDistribution:
        """Return the distribution that the outputs describe; the points' newest key is put into the cache."""
        config = self.config
        head = parameter_count(config.components, config.pen)
        # A drawing ends only with the pen up.
        step = StepDistribution.from_parameters(
            out[:, :head],
            pens.pen == LIFT,
            config.offset_scale,
            pens.points,
            config.components,
            softmax=config.pen == "softmax",
        )
        if config.rotated:
            step = step.rotated(pens.direction, config.rotated)
        if config.box_components and known:
            border = out[:, head : head + BORDER]
            step = step.with_borders(border, pens.position, known, config.offset_scale)
        if cache is None or not config.pointers:
            return step
        width = config.pointers
        cache.arrays["pointer"][:, cache.count] = out[:, -width:]
        # Not the first column, where the pen is at the frame's centre and nothing is drawn.
        columns = slice(1, cache.count + 1)
        if not cache.count:
            return step
        query, shape = out[:, -2 * width : -width] * self._scale, out[:, -2 * width - POINTER : -2 * width]
        score = np.matmul(cache.arrays["pointer"][:, columns], query[:, :, None])[..., 0]
        score = score.astype(np.float64)
        if cache.start is not None:
            score[np.arange(1, cache.count + 1) <= cache.start[:, None]] = -np.inf
        target = cache.arrays["point"][:, columns] - pens.position[:, None]
        return step.with_pointers(shape, score, target)


def _right_aligned(
    given: Sequence[Prefix],
) -> tuple[Float[np.ndarray, "b n 2"], Int[np.ndarray, "b n"], Start]:
    """Return several given parts, each of one drawing, as one array; padding has pen END."""
    length = np.array([len(each.pen) for each in given])
    most = int(length.max())
    offset, pen = np.zeros((len(given), most, 2)), np.full((len(given), most), END)
    for row, each in enumerate(given):
        first = most - length[row]
        offset[row, first:], pen[row, first:] = each.offset, each.pen
        if each.going_on is not None and each.going_on[0] and length[row]:
            pen[row, -1] = DRAW
    return offset, pen, most - length if (length < most).any() else None
