"""Completions of real drawings of which a part is held out.

A model is shown the given part in one of two ways. `scale known`: in the frame of the whole drawing, the 255
box, as for the likelihood; a cut within a stroke leaves the pen down, and the model continues that stroke.
`scale unknown`: as a person's drawing, whose final size nobody knows. The given part is shown as
`Completer.complete` shows it, simplified and in a frame of its own, with the pen up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sketchgen.completion.completer import LIMIT, Completer
from sketchgen.completion.framing import rounded
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.rollout import Request, Sampled, draw_all
from sketchgen.data.splitting import CutSketch, cut_after, prefix_length
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.sketch.geometry import BOX, CENTRE, EPSILON
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch
from sketchgen.sketch.strokes import Pen, pens, split_strokes

Scale = Literal["scale known", "scale unknown"]
SCALES: tuple[Scale, ...] = ("scale known", "scale unknown")

PAGE = Box(0.0, 0.0, BOX, BOX)

Progress = Callable[[int], None]


@dataclass(frozen=True)
class HeldOut(CutSketch):
    """A drawing in the 255 box of which the rest is held out.

    Attributes:
        category: its index in the model's categories; `any_category` where the model does not know it.
    """

    category: int
    seed: int


def held_out(sketch: Sketch, share: float, category: int = 0, seed: int = 0) -> HeldOut:
    """Hold out all but a share of the points of a drawing in the 255 box; see `prefix_length`."""
    cut = cut_after(sketch.replaced(page=PAGE), prefix_length(sketch.point_count, share))
    return HeldOut(cut.given, cut.rest, cut.inside, category, seed)


@dataclass(frozen=True)
class Finished:
    """A completion of a drawing; where `going_on`, its first stroke continues the last given one."""

    completion: Completion
    going_on: bool

    @property
    def whole(self) -> Sketch:
        """The completed drawing; a continued stroke is one stroke."""
        return united(self.completion.given, self.completion.added, self.going_on)


def united(given: Sketch, added: Sketch, going_on: bool) -> Sketch:
    """Return two parts as one drawing; where `going_on`, the strokes at the seam are one."""
    strokes = list(given.strokes + added.strokes)
    if going_on and given.strokes and added.strokes:
        seam = len(given.strokes)
        strokes[seam - 1 : seam + 1] = [np.concatenate([strokes[seam - 1], strokes[seam][1:]])]
    return Sketch(tuple(strokes), given.page, given.category)


def drawing_seed(seed: int, key: int) -> int:
    """Return the seed of a drawing's completions under a seed for all; it depends on no other drawing."""
    return int(np.random.SeedSequence([seed, key]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def shown(cut: CutSketch, scale: Scale, index: int, epsilon: float = EPSILON) -> tuple[Prefix, float, Points]:
    """Return a given part of a category as the network reads it, and scale and origin of what is added."""
    category = np.array([index])
    empty = cut.given.is_empty
    origin = np.array([CENTRE, CENTRE]) if empty else cut.given.strokes[-1][-1]
    if scale == "scale known" or empty:
        offset = np.diff(cut.given.points - CENTRE, axis=0, prepend=0.0)
        pen = pens(cut.given)
        if cut.inside:
            pen[-1] = Pen.DRAW
        return Prefix(offset, pen, category, True), 1.0, origin
    partial = PartialSketch.of(cut.given, epsilon=epsilon)
    return partial.prefix(category, np.array([False])), partial.frame.scale, origin


def finish(
    model: Completer,
    items: Sequence[HeldOut],
    scale: Scale,
    temperature: float,
    count: int = 1,
    limit: int = LIMIT,
    progress: Progress | None = None,
) -> list[list[Finished]]:
    """Return `count` completions of each drawing.

    The i-th is that of `Completer.complete` under the drawing's seed.
    """
    read = [shown(item, scale, item.category, model.config.epsilon) for item in items]
    requests = [Request(row, item.seed, index) for row, item in enumerate(items) for index in range(count)]
    prefixes = [prefix for prefix, _, _ in read]
    found = draw_all(model.network(), prefixes, requests, temperature, limit, model.guidance, progress)
    result: list[list[Finished]] = [[] for _ in items]
    for request, added in zip(requests, found, strict=True):
        item, (_, size, origin) = items[request.given], read[request.given]
        going_on = scale == "scale known" and item.inside
        result[request.given].append(_placed(item.given, added, size, origin, going_on=going_on))
    return result


def _placed(given: Sketch, added: Sampled, scale: float, origin: Points, *, going_on: bool) -> Finished:
    """Return added steps as strokes on the drawing's page."""
    points = rounded(np.cumsum(added.offset, axis=0) * scale + origin, scale)
    strokes = split_strokes(points, added.pen == Pen.LIFT)
    if going_on and strokes:
        strokes[0] = np.concatenate([origin[None], strokes[0]])
    drawn = Sketch.from_strokes(strokes, page=given.page, category=given.category)
    return Finished(Completion(given, drawn, added.ended, added.log_prob), going_on)
