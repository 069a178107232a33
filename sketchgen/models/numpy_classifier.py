"""The classifier of strokes in numpy, and the features of points that it reads.

`sketchgen.models.classifier` is the same network in torch; tests hold both equal. numpy loads in a tenth of
torch's time, which is most of what recognising one drawing takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.checkpoint import Weights
from sketchgen.models.config import FIRST_SPAN, POINT_FEATURES, SECOND_SPAN, ClassifierConfig
from sketchgen.models.features import NEAR, POSITION_SCALE
from sketchgen.models.numpy_layers import lstm_step, lstm_weights, make_layer, one_thread
from sketchgen.models.numpy_mixture import log_softmax
from sketchgen.sketch.geometry import BOX, EPSILON, box_frame, in_frame, rdp_all, simplify_as_quickdraw
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen, pens

BATCH = 256
"""Drawings in a batch."""

OFFSET_SCALE = 32.0
"""Offsets are divided by this many px, about their standard deviation in the 255 box."""

MAX_POINTS = 400
"""Most points that are read; the longest drawings of Quick, Draw! have about 250."""

GRID = 64.0
"""Coordinates are first rounded to 1/64 px, so that rounding errors of a page's scale do not matter."""

MAX_EPSILON = 16.0
"""Tolerance in px up to which a drawing with too many points is simplified; then it is cut off."""

PointSequence = tuple[Float[np.ndarray, "_ 2"], Bool[np.ndarray, " _"]]
"""(n, 2) points of a drawing, px, and (n,) at which of them a stroke ends; n is 1 or more."""

Steps = Float[np.ndarray, "n b f"]


def point_sequence(sketch: Sketch) -> PointSequence:
    """Return the simplified points of a drawing in its own box, px, and at which of them a stroke ends.

    Raises:
        SketchError: resampling would take more than `geometry.MAX_RESAMPLED` points.
    """
    placed = in_frame(sketch, box_frame(sketch))
    strokes = [np.rint(stroke * GRID) / GRID for stroke in placed.strokes]
    thin = simplify_as_quickdraw(Sketch.from_strokes(strokes))
    epsilon = EPSILON
    while thin.point_count > MAX_POINTS and epsilon < MAX_EPSILON:
        epsilon *= 1.5
        # Farthest from a line are corners: there is no need to look at points between them.
        thin = Sketch(tuple(rdp_all(thin.strokes, epsilon)))
    return thin.points[:MAX_POINTS], (pens(thin) == Pen.LIFT)[:MAX_POINTS]


def padded(
    drawings: Sequence[PointSequence],
) -> tuple[Float[np.ndarray, "b n 2"], Bool[np.ndarray, "b n"], Int[np.ndarray, " b"]]:
    """Return the padded points of drawings, where their strokes end, and their numbers of points."""
    length = np.array([len(points) for points, _ in drawings], dtype=np.int64)
    places = np.zeros((len(drawings), int(length.max()), 2))
    lift = np.zeros(places.shape[:2], dtype=bool)
    for row, (points, ends) in enumerate(drawings):
        places[row, : len(points)], lift[row, : len(ends)] = points, ends
    return places, lift, length


def in_own_box(
    points: Float[np.ndarray, "b n 2"], valid: Bool[np.ndarray, "b n"]
) -> Float[np.ndarray, "b n 2"]:
    """Return points in each drawing's own box: the centre at the origin, the longer side 255 px.

    A drawing without extent, a dot, is only moved.
    """
    low = np.where(valid[..., None], points, np.inf).min(1)
    high = np.where(valid[..., None], points, -np.inf).max(1)
    side = (high - low).max(1)
    scale = np.where(side > 0.0, BOX / np.where(side > 0.0, side, 1.0), 1.0)
    return (points - ((low + high) / 2)[:, None]) * scale[:, None, None]


def point_features(
    points: Float[np.ndarray, "b n 2"], lift: Bool[np.ndarray, "b n"], length: Int[np.ndarray, " b"]
) -> Float[np.ndarray, "b n 13"]:
    """Return the features of the points of padded drawings, float32; 0 in the padding.

    They are the offset from the previous point, the position, the vector from the start of the stroke and a
    kernel of its length, whether the pen was down and whether it is lifted next, log length and direction of
    the offset, and the number of earlier strokes. Partial drawings are placed in their own box, too: the size
    of the whole is not known.

    Args:
        points: px, in any frame.
        lift: true at the last point of each stroke.
        length: points of each drawing, 1 or more.
    """
    index = np.arange(points.shape[1])
    valid = index < length[:, None]
    placed = in_own_box(points, valid)
    offset = np.diff(placed, axis=1, prepend=placed[:, :1])
    begins = np.ones(lift.shape, dtype=bool)
    begins[:, 1:] = lift[:, :-1]
    first = np.maximum.accumulate(np.where(begins, index, 0), axis=1)
    from_start = placed - np.take_along_axis(placed, first[..., None], 1)
    distance = np.hypot(offset[..., 0], offset[..., 1])
    found = np.zeros((*lift.shape, POINT_FEATURES), dtype=np.float32)
    found[..., 0:2] = offset / OFFSET_SCALE
    found[..., 2:4] = placed / POSITION_SCALE
    found[..., 4:6] = from_start / POSITION_SCALE
    found[..., 6] = np.exp(-(from_start**2).sum(-1) / NEAR)
    found[..., 7] = ~begins
    found[..., 8] = lift
    found[..., 9] = np.log1p(distance) / 4.0
    found[..., 10:12] = offset / np.maximum(distance, 1e-9)[..., None]
    found[..., 12] = np.tanh((begins.cumsum(1) - 1) / 8.0)
    return found * valid[..., None]


class NumpyEncoder:
    """Stroke encoder shared by the classifier and the reward model.

    Cells that torch alone computes raise a SettingError.
    """

    def __init__(self, config: ClassifierConfig, weights: Weights) -> None:
        self.config = config
        self._weights = weights
        kind = _Lstms if config.cell == "lstm" else _Layers
        self._layers = [kind(config, weights, index) for index in range(len(config.widths))]

    def weights(self) -> Weights:
        """Return all weights, float32."""
        return self._weights

    def _batches(self, lengths: Sequence[int]) -> Iterator[Int[np.ndarray, " b"]]:
        """Yield the rows of each batch; drawings of similar length share one."""
        order = np.argsort(lengths, kind="stable")
        for first in range(0, len(order), BATCH):
            yield order[first : first + BATCH]

    def encode(
        self, steps: Float[np.ndarray, "b n f"], length: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, "b d"]:
        """Return the representation of drawings that the last layer reads.

        Args:
            steps: features of the points, 0 in the padding.
            length: points of each drawing, 1 or more.
        """
        order = np.argsort(-length, kind="stable")
        length = length[order]
        hidden = np.ascontiguousarray(steps[order].transpose(1, 0, 2))
        hidden = np.maximum(self._linear("first", _windows(hidden, FIRST_SPAN)), 0.0) * _mask(hidden, length)
        hidden = np.maximum(self._linear("second", _windows(hidden, SECOND_SPAN)), 0.0)
        for index, layer in enumerate(self._layers):
            if index:
                hidden, length = _pairs(hidden), (length + 1) // 2
            hidden = layer(hidden, length)
        found = np.maximum(self._linear("pool", self._pool(hidden, _mask(hidden, length))), 0.0)
        return found[np.argsort(order)]

    def _linear(self, name: str, values: Float[np.ndarray, "*b i"]) -> Float[np.ndarray, "*b o"]:
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _pool(self, hidden: Steps, valid: Bool[np.ndarray, "n b 1"]) -> Float[np.ndarray, "b p"]:
        """Pool over the steps: the mean by attention, each head over its own channels, and the maximum."""
        score = np.where(valid, self._linear("attention", hidden), -np.inf)
        share = np.exp(score - score.max(0))
        share /= share.sum(0)
        count, batch, _ = hidden.shape
        parts = hidden.reshape(count, batch, self.config.heads, -1)
        mean = np.einsum("nbhw,nbh->bhw", parts, share).reshape(batch, -1)
        maximum = np.where(valid, hidden, np.float32(-np.inf)).max(0)
        return np.concatenate([mean, maximum], -1)


class _Layers:
    """Recurrent layers side by side, one a direction; the second reads each drawing from its end."""

    def __init__(self, config: ClassifierConfig, weights: Weights, index: int) -> None:
        self._layers = [make_layer(config.cell, weights, f"{way}.{index}") for way in config.directions]

    def __call__(
        self, steps: Float[np.ndarray, "n b _"], length: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, "n b _"]:
        """Return the outputs of all, 0 in the padding."""
        forwards, *backwards = self._layers
        found = [forwards.run(steps)[0]]
        found += [_reversed(layer.run(_reversed(steps, length))[0], length) for layer in backwards]
        return np.concatenate(found, -1) * _mask(steps, length)


class _Lstms:
    """The same of LSTMs, in one pass over the steps that leaves out the padding."""

    def __init__(self, config: ClassifierConfig, weights: Weights, index: int) -> None:
        each = [lstm_weights(weights, f"{way}.{index}") for way in config.directions]
        inputs, recurrent, bias = (np.stack(parts) for parts in zip(*each, strict=True))
        self._inputs, self._recurrent = (
            np.ascontiguousarray(part.swapaxes(1, 2)) for part in (inputs, recurrent)
        )
        self._bias = bias[:, None]

    def __call__(
        self, steps: Float[np.ndarray, "n b _"], length: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, "n b _"]:
        """Return the outputs of all, 0 in the padding; the longest drawings come first."""
        count, batch, _ = steps.shape
        ways, width = self._recurrent.shape[:2]
        read = np.stack([steps, _reversed(steps, length)][:ways]).reshape(ways, count * batch, -1)
        projected = read @ self._inputs
        projected += self._bias
        projected = projected.reshape(ways, count, batch, -1)
        found = np.zeros((ways, count, batch, width), np.float32)
        hidden, cell = np.zeros((2, ways, batch, width), np.float32)
        # How many drawings go on so far.
        for step, rows in enumerate((np.arange(count)[:, None] < length).sum(1)):
            gates = hidden[:, :rows] @ self._recurrent
            gates += projected[:, step, :rows]
            hidden, cell = lstm_step(gates, cell[:, :rows])
            found[:, step, :rows] = hidden
        forwards, *backwards = found
        return np.concatenate([forwards, *(_reversed(each, length) for each in backwards)], -1)


class NumpyClassifier(NumpyEncoder):
    """Classifier of strokes in numpy."""

    @one_thread
    def classify(
        self, sketches: Sequence[Sketch]
    ) -> tuple[Float[np.ndarray, "n c"], Float[np.ndarray, "n d"]]:
        """Return log probabilities, nats, float64, and representations, float32, of n drawings."""
        drawings = [point_sequence(sketch) for sketch in sketches]
        log_prob = np.zeros((len(drawings), len(self.config.categories)))
        encoded = np.zeros((len(drawings), self.config.pooled), dtype=np.float32)
        for rows in self._batches([len(points) for points, _ in drawings]):
            points, lift, length = padded([drawings[row] for row in rows])
            encoded[rows] = self.encode(point_features(points, lift, length), length)
            log_prob[rows] = log_softmax(self._linear("head", encoded[rows]).astype(np.float64))
        return log_prob, encoded


def _windows(values: Steps, span: int) -> Float[np.ndarray, "n b g"]:
    """Return each step beside its neighbours, `span` in all; 0 beyond the ends."""
    count, side = len(values), span // 2
    wide = np.pad(values, ((side, side), (0, 0), (0, 0)))
    return np.concatenate([wide[shift : shift + count] for shift in range(span)], -1)


def _pairs(values: Steps) -> Float[np.ndarray, "m b g"]:
    """Return steps 0 and 1 side by side, then 2 and 3, and so on; 0 beside a last one that is alone."""
    even = np.pad(values, ((0, len(values) % 2), (0, 0), (0, 0)))
    return np.concatenate([even[0::2], even[1::2]], -1)


def _reversed(values: Steps, length: Int[np.ndarray, " b"]) -> Steps:
    """Return each drawing's steps in reverse order; its padding stays in place."""
    index = np.arange(len(values))[:, None]
    back = length - 1 - index
    return np.take_along_axis(values, np.where(back >= 0, back, index)[..., None], 0)


def _mask(values: Steps, length: Int[np.ndarray, " b"]) -> Bool[np.ndarray, "n b 1"]:
    """Return which steps are not padding."""
    return (np.arange(len(values))[:, None] < length)[..., None]
