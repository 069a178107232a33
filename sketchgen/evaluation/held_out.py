"""Real drawings cut into a given part and the true rest, and the given part finished by a model.

Two ways to show a beginning. `scale known`: the frame is that of the whole drawing, the 255 box, as for the
likelihood; a cut inside a stroke leaves the pen down, and the model goes on with that stroke. `scale
unknown`: as a person's drawing, whose final size nobody knows; the given part is shown as
`Completer.complete` shows it, simplified and in a frame of its own, and the pen is up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sketchgen.completion import partial_sketch as completion
from sketchgen.completion.completer import LIMIT, Completer
from sketchgen.completion.framing import rounded
from sketchgen.completion.rollout import Request, Sampled, draw_all
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.sketch.geometry import BOX, CENTRE
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch
from sketchgen.sketch.strokes import Pen, pens, split_strokes

Scale = Literal["scale known", "scale unknown"]
SCALES: tuple[Scale, ...] = ("scale known", "scale unknown")

MIN_POINTS = 3
"""Points of a drawing below which nothing is left to be added; two of them are given at least."""

PAGE = Box(0.0, 0.0, BOX, BOX)

Progress = Callable[[int], None]


def cut_at(count: int, share: float) -> int:
    """How many of a drawing's points are given: round(share * count), two at least; 0 for a share of 0."""
    return 0 if share == 0 else max(2, round(share * count))


@dataclass(frozen=True)
class PartialSketch:
    """A drawing that was begun.

    Attributes:
        given: its first points, px of the 255 box.
        rest: the others; where the cut is inside a stroke, its rest begins at the last given point.
        inside: whether the cut is inside a stroke.
        category: what it shows, an index of the model; its `any_category` for what the model does not know.
        seed: of its completions.
    """

    given: Sketch
    rest: Sketch
    inside: bool
    category: int
    seed: int


def begin(sketch: Sketch, share: float, category: int, seed: int) -> PartialSketch:
    """Cut a drawing in the 255 box after its first points; see `cut_at`."""
    left = cut_at(sketch.point_count, share)
    given: list[Points] = []
    rest: list[Points] = []
    inside = False
    for stroke in sketch.strokes:
        if left <= 0:
            rest.append(stroke)
        elif len(stroke) <= left:
            given.append(stroke)
        else:
            inside = True
            given.append(stroke[:left])
            rest.append(stroke[left - 1 :])
        left -= len(stroke)
    first, second = (Sketch.from_strokes(part, page=PAGE, category=sketch.category) for part in (given, rest))
    return PartialSketch(first, second, inside, category, seed)


@dataclass(frozen=True)
class Finished:
    """A completion and what it goes on with.

    Attributes:
        completion: given and added, px of the 255 box.
        going_on: whether the first added stroke goes on with the last given one.
    """

    completion: Completion
    going_on: bool

    @property
    def whole(self) -> Sketch:
        """The finished drawing, a stroke that was gone on with being one."""
        return united(self.completion.given, self.completion.added, self.going_on)


def united(given: Sketch, added: Sketch, going_on: bool) -> Sketch:
    """Two parts as one drawing; where `going_on`, the last stroke of the first and the first one are one."""
    strokes = list(given.strokes + added.strokes)
    if going_on and given.strokes and added.strokes:
        seam = len(given.strokes)
        strokes[seam - 1 : seam + 1] = [np.concatenate([strokes[seam - 1], strokes[seam][1:]])]
    return Sketch(tuple(strokes), given.page, given.category)


@dataclass(frozen=True)
class Ready:
    """Partial sketches as a model reads them.

    Attributes:
        beginnings: the partial sketches.
        given: what is read of each.
        spots: (scale, origin) of each: page = model px * scale + origin, counted from the last given point.
        going_on: whether each goes on with its last stroke.
    """

    beginnings: Sequence[PartialSketch]
    given: Sequence[Prefix]
    spots: Sequence[tuple[float, Points]]
    going_on: Sequence[bool]


def read_beginnings(beginnings: Sequence[PartialSketch], scale: Scale) -> Ready:
    """Return partial sketches as a model reads them at a scale."""
    shown = [_shown(item, scale) for item in beginnings]
    going_on = [scale == "scale known" and item.inside for item in beginnings]
    return Ready(
        beginnings, [each for each, _, _ in shown], [(size, origin) for _, size, origin in shown], going_on
    )


def drawing_seed(seed: int, key: int) -> int:
    """Return the seed of a drawing's completions under a seed for all; it depends on no other drawing."""
    return int(np.random.SeedSequence([seed, key]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _shown(item: PartialSketch, scale: Scale) -> tuple[Prefix, float, Points]:
    """A beginning as the network reads it, with the scale and the origin of what is added."""
    category = np.array([item.category])
    empty = item.given.is_empty
    origin = np.array([CENTRE, CENTRE]) if empty else item.given.strokes[-1][-1]
    if scale == "scale known" or empty:
        offset = np.diff(item.given.points - CENTRE, axis=0, prepend=0.0)
        pen = pens(item.given)
        if item.inside:
            pen[-1] = Pen.DRAW
        return Prefix(offset, pen, category, True), 1.0, origin
    shown = completion.PartialSketch.of(item.given)
    return shown.prefix(category, np.array([False])), shown.frame.scale, origin


def finish(
    model: Completer,
    ready: Ready,
    temperature: float,
    count: int = 1,
    limit: int = LIMIT,
    progress: Progress | None = None,
) -> list[list[Finished]]:
    """Return `count` completions of each partial sketch.

    The i-th is that of `Completer.complete` under the partial sketch's seed.
    """
    requests = [
        Request(given, item.seed, index)
        for given, item in enumerate(ready.beginnings)
        for index in range(count)
    ]
    found = draw_all(model.network(), ready.given, requests, temperature, limit, model.guidance, progress)
    placed = [_placed(ready, request.given, each) for request, each in zip(requests, found, strict=True)]
    return [placed[first : first + count] for first in range(0, len(placed), count)]


def _placed(ready: Ready, index: int, added: Sampled) -> Finished:
    """Added steps as strokes on the drawing's page."""
    given, (scale, origin) = ready.beginnings[index].given, ready.spots[index]
    points = rounded(np.cumsum(added.offset, axis=0) * scale + origin, scale)
    strokes = split_strokes(points, added.pen == Pen.LIFT)
    going_on = ready.going_on[index]
    if going_on and strokes:
        strokes[0] = np.concatenate([origin[None], strokes[0]])
    drawn = Sketch.from_strokes(strokes, page=given.page, category=given.category)
    return Finished(Completion(given, drawn, added.ended, added.log_prob), going_on)
