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
from sketchgen.sketch.geometry import BOX, CENTRE
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
        seed: seed of its completions.
    """

    category: int
    seed: int


def held_out(sketch: Sketch, share: float, category: int = 0, seed: int = 0) -> HeldOut:
    """Hold out all but a share of the points of a drawing in the 255 box; see `prefix_length`."""
    cut = cut_after(sketch.replaced(page=PAGE), prefix_length(sketch.point_count, share))
    return HeldOut(cut.given, cut.rest, cut.inside, category, seed)


@dataclass(frozen=True)
class Finished:
    """A completion of a held-out drawing.

    Attributes:
        completion: given and added part, px of the 255 box.
        going_on: whether the first added stroke continues the last given one.
    """

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


@dataclass(frozen=True)
class Primed:
    """Held-out drawings, ready to be completed.

    Attributes:
        items: the drawings.
        given: given part of each, as a network reads it.
        places: (scale, origin) of each: page = model px * scale + origin, from the last given point.
        going_on: whether each continues its last stroke.
    """

    items: Sequence[HeldOut]
    given: Sequence[Prefix]
    places: Sequence[tuple[float, Points]]
    going_on: Sequence[bool]


def prime(items: Sequence[HeldOut], scale: Scale) -> Primed:
    """Return held-out drawings, their given parts as a network reads them."""
    shown = [_shown(item, scale) for item in items]
    going_on = [scale == "scale known" and item.inside for item in items]
    places = [(size, origin) for _, size, origin in shown]
    return Primed(items, [given for given, _, _ in shown], places, going_on)


def drawing_seed(seed: int, key: int) -> int:
    """Return the seed of a drawing's completions under a seed for all; it depends on no other drawing."""
    return int(np.random.SeedSequence([seed, key]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _shown(item: HeldOut, scale: Scale) -> tuple[Prefix, float, Points]:
    """Return a given part as the network reads it, with the scale and the origin of what is added."""
    category = np.array([item.category])
    empty = item.given.is_empty
    origin = np.array([CENTRE, CENTRE]) if empty else item.given.strokes[-1][-1]
    if scale == "scale known" or empty:
        offset = np.diff(item.given.points - CENTRE, axis=0, prepend=0.0)
        pen = pens(item.given)
        if item.inside:
            pen[-1] = Pen.DRAW
        return Prefix(offset, pen, category, True), 1.0, origin
    shown = PartialSketch.of(item.given)
    return shown.prefix(category, np.array([False])), shown.frame.scale, origin


def finish(
    model: Completer,
    primed: Primed,
    temperature: float,
    count: int = 1,
    limit: int = LIMIT,
    progress: Progress | None = None,
) -> list[list[Finished]]:
    """Complete each drawing `count` times.

    Candidate i of a drawing is that of `Completer.complete` under the drawing's seed.
    """
    requests = [
        Request(given, item.seed, index) for given, item in enumerate(primed.items) for index in range(count)
    ]
    network, guidance = model.network(), model.guidance
    found = draw_all(network, primed.given, requests, temperature, limit, guidance, progress)
    placed = [_placed(primed, request.given, each) for request, each in zip(requests, found, strict=True)]
    return [placed[first : first + count] for first in range(0, len(placed), count)]


def _placed(primed: Primed, index: int, added: Sampled) -> Finished:
    """Return added steps as strokes on the drawing's page."""
    given, (scale, origin) = primed.items[index].given, primed.places[index]
    points = rounded(np.cumsum(added.offset, axis=0) * scale + origin, scale)
    strokes = split_strokes(points, added.pen == Pen.LIFT)
    going_on = primed.going_on[index]
    if going_on and strokes:
        strokes[0] = np.concatenate([origin[None], strokes[0]])
    drawn = Sketch.from_strokes(strokes, page=given.page, category=given.category)
    return Finished(Completion(given, drawn, added.ended, added.log_prob), going_on)
