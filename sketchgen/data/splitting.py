"""Every cut of a drawing into a given and a missing part.

A prefix ends anywhere, or where a stroke ends. But people draw in any order: cuts in the order of drawing
never show a car with its windows and without its body, or a square whose first side is missing. So strokes
are held out as well, and lines are opened.

The first half of the module cuts one sketch, the second half batches of padded training drawings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.sketch.sketch import Points, Sketch

MIN_POINTS = 3
"""Points of a drawing of which something can be given and something missing; two are given at least."""

MIN_LINE = 4
"""Points of a line of which a piece can be missing."""

PREFIX, HELD_OUT = 0.3, 0.4
"""Shares of `random_cut`: prefixes, and drawings with held-out strokes; in the others a line is opened."""

ONE_STROKE, STROKE_RUN = 0.35, 0.4
"""Of drawings with held-out strokes, shares of which it is one, and some drawn one after another."""

CLOSED_GAP = 24.0
"""Px of the 255 box within which the ends of a line meet, so that it can begin anywhere."""

RESTARTED, REVERSED, ONLY_PIECE = 0.7, 0.3, 0.7
"""Shares of opened lines: that begin at another point, of those that meet; that run in the other direction;
of which all else is given."""


@dataclass(frozen=True)
class CutSketch:
    """A drawing in two parts.

    Attributes:
        rest: the missing part; where the cut is within a stroke, it begins at the last given point.
        inside: whether the cut is within a stroke.
    """

    given: Sketch
    rest: Sketch
    inside: bool


def prefix_length(count: int, share: float) -> int:
    """Return how many of `count` points a share is: round(share * count), at least two, or 0 for none."""
    return 0 if share == 0 else max(2, round(share * count))


def cut_after(sketch: Sketch, count: int) -> CutSketch:
    """Cut a drawing after its first `count` points."""
    given: list[Points] = []
    rest: list[Points] = []
    inside, left = False, count
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
    return _parts(sketch, given, rest, inside=inside)


def hold_out(sketch: Sketch, missing: Bool[np.ndarray, " strokes"]) -> CutSketch:
    """Cut strokes out of a drawing; all others are given."""
    given = [stroke for stroke, out in zip(sketch.strokes, missing, strict=True) if not out]
    rest = [stroke for stroke, out in zip(sketch.strokes, missing, strict=True) if out]
    return _parts(sketch, given, rest, inside=False)


def _parts(sketch: Sketch, given: list[Points], rest: list[Points], *, inside: bool) -> CutSketch:
    one, two = (
        Sketch.from_strokes(part, page=sketch.page, category=sketch.category) for part in (given, rest)
    )
    return CutSketch(one, two, inside)


def random_cut(sketch: Sketch, random: np.random.Generator) -> CutSketch | None:
    """Cut a drawing as a person might have left it; None where that leaves less than a line on either side.

    All that is not given is missing, so that to stop early is never right.
    """
    kind = random.random()
    if kind < PREFIX:
        found = _random_prefix(sketch, random)
    elif kind < PREFIX + HELD_OUT and len(sketch.strokes) > 1:
        found = _random_hold_out(sketch, random)
    else:
        found = _random_opening(sketch, random)
    if found is None or min(found.given.point_count, found.rest.point_count) < 2:
        return None
    return found


def _random_prefix(sketch: Sketch, random: np.random.Generator) -> CutSketch | None:
    """Give the first strokes, or the first points."""
    ends = np.cumsum([len(stroke) for stroke in sketch.strokes])
    if len(ends) > 1 and random.random() < 0.6:
        return cut_after(sketch, int(ends[random.integers(1, len(ends)) - 1]))
    if ends[-1] < MIN_LINE:
        return None
    count = int(random.integers(2, ends[-1]))
    # A stroke of which one point is given would be a dot.
    return None if count - 1 in ends and count not in ends else cut_after(sketch, count)


def _random_hold_out(sketch: Sketch, random: np.random.Generator) -> CutSketch:
    """Hold out one stroke or several, drawn one after another, as parts mostly are, or not."""
    count, kind = len(sketch.strokes), random.random()
    if kind < ONE_STROKE + STROKE_RUN and count > 2:
        size = 1 if kind < ONE_STROKE else int(random.integers(2, count // 2 + 2))
        first = int(random.integers(count - size + 1))
        missing = (np.arange(count) >= first) & (np.arange(count) < first + size)
    else:
        missing = random.random(count) < random.uniform(0.2, 0.6)
    if missing.all() or not missing.any():
        missing = np.arange(count) == random.integers(count)
    return hold_out(sketch, missing)


def _random_opening(sketch: Sketch, random: np.random.Generator) -> CutSketch | None:
    """Leave out a piece of a line, of long lines more often: its end, its beginning, or its middle."""
    strokes = list(sketch.strokes)
    lines = [index for index, stroke in enumerate(strokes) if len(stroke) >= MIN_LINE]
    if not lines:
        return None
    # A pixel more, since all points of a line may be one.
    length = np.array([1.0 + np.hypot(*np.diff(strokes[index], axis=0).T).sum() for index in lines])
    chosen = int(random.choice(lines, p=length / length.sum()))
    # As it was drawn so far, or in a drawing that is whole but for that.
    later = strokes[chosen + 1 :]
    others, missing = (strokes[:chosen], later) if random.random() < 0.3 else (strokes[:chosen] + later, [])
    stroke = strokes[chosen][:: -1 if random.random() < REVERSED else 1]
    if random.random() < 0.6:
        count = int(random.integers(2, len(stroke)))
        given, piece = [stroke[:count]], stroke[count - 1 :]
    else:
        first = int(random.integers(1, len(stroke) - 2))
        last = int(random.integers(first + 1, len(stroke) - 1))
        given, piece = [stroke[last:], stroke[: first + 1]], stroke[first : last + 1]
    return _parts(sketch, [*others, *given], [piece, *missing], inside=True)


@dataclass(frozen=True)
class Prefixes:
    """How training drawings are cut and presented; shares of the drawings.

    Attributes:
        nothing, first_stroke, stroke_end, anywhere: kinds of cut; the rest are cut within the last tenth.
        unknown: share of the cut drawings shown in the given part's own frame.
        scale_jitter: deviation of the log of that frame's scale.
        drop_category: share shown without their category.
        warp: share of drawings slightly turned, sheared and stretched.
        held_back: share of which one stroke, or some, anywhere in the drawing, come last and all others are
            given: for a person who has drawn all but a part that others draw early.
        opened: share of which a piece of a line comes last, and all else is given: for lines that are to be
            closed, wherever they begin.
    """

    nothing: float = 0.25
    first_stroke: float = 0.15
    stroke_end: float = 0.25
    anywhere: float = 0.25
    unknown: float = 0.35
    scale_jitter: float = 0.25
    drop_category: float = 0.1
    warp: float = 0.5
    held_back: float = 0.25
    opened: float = 0.1


def cut_points(
    length: Int[np.ndarray, " b"],
    lift: Bool[np.ndarray, "b n"],
    prefixes: Prefixes,
    random: np.random.Generator,
) -> Int[np.ndarray, " b"]:
    """Return how many points of each padded drawing are given.

    Only cuts within the last tenth may give the whole drawing, and so ask for its end at once. A person who
    asks for a completion has not finished; and cuts at any stroke's end, the last one included, would show
    drawings of one stroke as finished more often than those of many, so that completions would end early.
    """
    batch, count = lift.shape
    kind = random.random(batch)
    edges = np.cumsum([prefixes.nothing, prefixes.first_stroke, prefixes.stroke_end, prefixes.anywhere])
    inside = 1 + np.floor(random.random(batch) * (length - 1)).astype(np.int64)
    ends = lift & (np.arange(count) < length[:, None] - 1)
    several = ends.any(1)
    first = np.where(several, ends.argmax(1) + 1, inside)
    # A random stroke end: the position of the largest of random numbers that stand at ends only.
    end = np.where(several, np.where(ends, random.random((batch, count)), 0.0).argmax(1) + 1, inside)
    back = np.floor(random.random(batch) * np.maximum(length * 0.1, 1)).astype(np.int64)
    near = np.maximum(1, length - back)
    cut = np.select([kind < edge for edge in edges], [np.zeros_like(length), first, end, inside], near)
    return np.minimum(cut, length)


def held_back(
    length: Int[np.ndarray, " b"], lift: Bool[np.ndarray, "b n"], share: float, random: np.random.Generator
) -> tuple[Int[np.ndarray, "b n"], Int[np.ndarray, " b"]]:
    """Move held-out strokes of a share of the drawings to the end; the others keep their order.

    In half of the drawings it is one stroke; in a quarter some that were drawn one after another, as whiskers
    and legs are; in the others each is with a probability of 0.3. Never none, never all, and not the last
    ones only, which any cut at a stroke's end holds out.

    Returns:
        The indices of the points in their new order, the padding last; and how many are given, -1 for a
        drawing that keeps its order.
    """
    batch, count = lift.shape
    index = np.arange(count)
    valid = index < length[:, None]
    stroke = np.cumsum(lift, 1) - lift
    strokes = lift.sum(1)
    here = index < strokes[:, None]
    chance = np.where(here, random.random((batch, count)), 2.0)
    kind, first = random.random((batch, 1)), chance.argmin(1)[:, None]
    size = np.where(kind < 0.5, 1, 2 + np.floor(random.random((batch, 1)) * (strokes[:, None] // 2)))
    apart, along = here & (chance < 0.3), here & (index >= first) & (index < first + size)
    held = np.where(kind < 0.75, along, apart | (index == first))
    # Held out are all strokes, or those from some on to the end: the order is the drawing's own.
    kept = (here & ~held).sum(1)
    own = held.argmax(1) >= kept
    chosen = (random.random(batch) < share) & (strokes > 1) & ~own
    late = np.take_along_axis(held, stroke.clip(max=count - 1), 1) & chosen[:, None] & valid
    order = np.argsort(np.where(valid, late, 2), axis=1, kind="stable")
    return order, np.where(chosen, (valid & ~late).sum(1), -1)


def opened(
    length: Int[np.ndarray, " b"],
    points: Float[np.ndarray, "b n 2"],
    lift: Bool[np.ndarray, "b n"],
    share: float,
    random: np.random.Generator,
) -> tuple[Int[np.ndarray, "b n"], Bool[np.ndarray, "b n"], Int[np.ndarray, " b"]]:
    """Move a piece of a line of a share of the drawings to the end; it may be any line, drawn from any end.

    Most lines whose ends meet begin at another of their points than they did; then the missing piece ends
    just there. In some drawings the strokes that were drawn after the line are missing, too. One without a
    line of `MIN_LINE` points, or with a `length` of 0, keeps its order.

    Returns:
        The indices of the points in their new order, the padding last; where strokes end then; and how many
        points are given, -1 for a drawing that keeps its order.
    """
    batch, count = lift.shape
    order, lift = np.tile(np.arange(count), (batch, 1)), lift.copy()
    given = np.full(batch, -1)
    for row in np.flatnonzero((random.random(batch) < share) & (length > 0)).tolist():
        strokes = np.split(np.arange(length[row]), np.flatnonzero(lift[row, : length[row]])[:-1] + 1)
        lines = [number for number, stroke in enumerate(strokes) if len(stroke) >= MIN_LINE]
        if not lines:
            continue
        # Long lines more often; a pixel more, since all points of a line may be one.
        extent = [1.0 + np.hypot(*np.diff(points[row, strokes[number]], axis=0).T).sum() for number in lines]
        at = int(np.cumsum(extent).searchsorted(random.random() * sum(extent)))
        chosen = lines[min(at, len(lines) - 1)]
        line = _redrawn(strokes[chosen], points[row], random)
        after = [] if random.random() < ONLY_PIECE else strokes[chosen + 1 :]
        before = strokes[:chosen] + ([] if after else strokes[chosen + 1 :])
        parts = [*before, line, *after]
        order[row, : length[row]] = np.concatenate(parts)
        lift[row, : length[row]] = False
        lift[row, np.cumsum([len(part) for part in parts]) - 1] = True
        given[row] = sum(map(len, before)) + int(random.integers(2, len(line)))
    return order, lift, given


def _redrawn(
    line: Int[np.ndarray, " n"], points: Float[np.ndarray, "m 2"], random: np.random.Generator
) -> Int[np.ndarray, " n"]:
    """Return the points of a line in another order of drawing it.

    Of a line whose ends meet, one end is left out and the point where it begins now is repeated.
    """
    if random.random() < REVERSED:
        line = line[::-1]
    ends, span = points[line[[0, -1]]], np.ptp(points[line], axis=0).max()
    meets = np.hypot(*(ends[1] - ends[0])) <= CLOSED_GAP and span > 2.0 * CLOSED_GAP
    if not meets or random.random() >= RESTARTED:
        return line
    first = int(random.integers(1, len(line) - 1))
    return np.concatenate([line[first:], line[1 : first + 1]])
