"""Designs of plain outlines and round things for the unfinished drawings, in units of a page of 100 x 100."""

from __future__ import annotations

import math

from pencil import Design, Line, Pencil


def regular(count: int, turn: float, radius: float = 46.0) -> list[tuple[float, float]]:
    """The corners of a regular polygon around (50, 50), the first one at the angle `turn`, in degrees."""
    angles = [math.radians(turn + 360 * k / count) for k in range(count)]
    return [(50 + radius * math.cos(a), 50 + radius * math.sin(a)) for a in angles]


def circle(p: Pencil) -> Design:
    """A ring in eight arcs, from the top clockwise."""
    return [p.round(50, 50, 45, 45, -90, *((f"arc{k}", 45) for k in range(8)))]


def square(p: Pencil) -> Design:
    """Four sides in one line."""
    return [p.sides("top right bottom left", (8, 8), (92, 8), (92, 92), (8, 92))]


def square_by_sides(p: Pencil) -> Design:
    """Four sides, each a stroke of its own."""
    a, b, c, d = (6, 10), (94, 8), (93, 92), (7, 91)
    return [
        p.one("left", a, d),
        p.one("bottom", d, c),
        p.one("right", c, b),
        p.one("top", b, a),
    ]


def triangle(p: Pencil) -> Design:
    """Three sides in one line, the right one in two halves."""
    return [p.sides("left base low high", (50, 8), (6, 90), (95, 90), (72, 49))]


def pentagram(p: Pencil) -> Design:
    """The star in one line."""
    tips = regular(5, -90, 48)
    order = [tips[k] for k in (3, 0, 2, 4, 1)]
    return [p.sides("up down across back home", *order)]


def star(p: Pencil) -> Design:
    """The outline of a star."""
    tips, notches = regular(5, -90, 48), regular(5, -54, 20)
    corners = [corner for pair in zip(tips, notches, strict=True) for corner in pair]
    return [p.sides("a b c d e f g h i j", *corners)]


def hexagon(p: Pencil) -> Design:
    """Six sides in one line."""
    return [p.sides("a b c d e f", *regular(6, -120))]


def octagon(p: Pencil) -> Design:
    """Eight sides in one line."""
    return [p.sides("a b c d e f g h", *regular(8, -112.5))]


def diamond(p: Pencil) -> Design:
    """A rhombus in one line."""
    return [p.sides("a b c d", (50, 4), (86, 50), (50, 96), (14, 50))]


def moon(p: Pencil) -> Design:
    """A crescent: the outer bow and the inner one."""
    outer = p.curve("outer", (60, 4), (28, 12), (10, 42), (18, 74), (44, 95), (74, 90))
    inner = p.curve("inner", (74, 90), (52, 76), (42, 52), (46, 26), (60, 4))
    return [Line([outer, inner], True)]


def cloud(p: Pencil) -> Design:
    """Seven bumps in one line."""
    feet = [(14, 68), (12, 44), (34, 28), (62, 26), (86, 40), (90, 66), (64, 76), (36, 77)]
    tops = [(0, 55), (16, 26), (48, 10), (80, 20), (100, 52), (80, 84), (50, 88), (22, 86)]
    return [p.bumps(feet, tops)]


def leaf(p: Pencil) -> Design:
    """Two bows from stalk to tip, and a rib."""
    left = p.curve("left", (50, 84), (24, 68), (18, 42), (50, 4))
    right = p.curve("right", (50, 4), (80, 38), (76, 66), (50, 84))
    return [Line([left, right], True), Line([p.curve("rib", (50, 99), (50, 60), (51, 24))])]


def lightning(p: Pencil) -> Design:
    """A bolt in one line."""
    corners = [(58, 3), (28, 52), (48, 52), (32, 97), (76, 40), (54, 40), (80, 3)]
    return [p.sides("a b c d e f g", *corners)]


def donut(p: Pencil) -> Design:
    """A ring in a ring."""
    return [p.ball("outside", 50, 50, 46), p.round(50, 50, 17, 17, -90, ("right", 180), ("left", 180))]


def wheel(p: Pencil) -> Design:
    """Tyre, hub, eight spokes."""
    spokes = []
    for k in range(8):
        c, s = math.cos(math.radians(45 * k - 90)), math.sin(math.radians(45 * k - 90))
        spokes.append(p.one(f"spoke{k}", (50 + 9 * c, 50 + 9 * s), (50 + 44 * c, 50 + 44 * s)))
    return [p.ball("tyre", 50, 50, 46), p.ball("hub", 50, 50, 8), *spokes]


def pizza(p: Pencil) -> Design:
    """A slice with its crust and three pieces of sausage."""
    slice_ = [p.to("left", (8, 18), (50, 97)), p.to("right", (50, 97), (93, 19))]
    crust = p.curve("crust", (93, 19), (50, 5), (8, 18))
    inner = Line([p.curve("edge", (14, 30), (50, 18), (86, 31))])
    tops = [p.ball(f"sausage{k}", x, y, 7) for k, (x, y) in enumerate(((38, 36), (60, 44), (48, 62)))]
    return [Line([*slice_, crust], True), inner, *tops]


def clock(p: Pencil) -> Design:
    """A dial, ticks and two hands."""
    ticks = []
    for k in range(12):
        c, s = math.cos(math.radians(30 * k - 90)), math.sin(math.radians(30 * k - 90))
        ticks.append(p.one(f"tick{k}", (50 + 37 * c, 50 + 37 * s), (50 + 44 * c, 50 + 44 * s)))
    hands = [p.one("long", (50, 50), (51, 20)), p.one("short", (50, 50), (70, 56))]
    return [p.ball("dial", 50, 50, 46), *ticks, *hands]


def sun(p: Pencil) -> Design:
    """A ring and ten rays."""
    rays = []
    for k in range(10):
        c, s = math.cos(math.radians(36 * k - 90)), math.sin(math.radians(36 * k - 90))
        rays.append(p.one(f"ray{k}", (50 + 27 * c, 50 + 27 * s), (50 + 47 * c, 50 + 47 * s)))
    return [p.ball("disc", 50, 50, 22), *rays]


def eye(p: Pencil) -> Design:
    """Two lids, iris and pupil."""
    upper = p.curve("upper", (3, 52), (28, 26), (52, 20), (76, 28), (97, 52))
    lower = p.curve("lower", (97, 52), (74, 73), (50, 79), (26, 73), (3, 52))
    return [Line([upper, lower], True), p.ball("iris", 50, 48, 19), p.ball("pupil", 50, 48, 8)]


def eyeglasses(p: Pencil) -> Design:
    """Two lenses, a bridge, two temples."""
    return [
        p.ball("left", 27, 52, 20, 17),
        p.ball("right", 74, 52, 20, 17),
        Line([p.curve("bridge", (46, 48), (50, 44), (55, 48))]),
        p.one("temples", (8, 47), (1, 36)),
        p.one("temples", (93, 47), (99, 36)),
    ]


def lollipop(p: Pencil) -> Design:
    """A ring, a spiral in it, a stick."""
    spiral = [
        (50 + r * math.cos(a), 29 + r * math.sin(a)) for r, a in ((1.4 * k, 0.75 * k) for k in range(15))
    ]
    return [
        p.ball("candy", 50, 29, 27),
        Line([p.curve("spiral", *spiral)]),
        p.one("stick", (50, 56), (51, 99)),
    ]


def apple(p: Pencil) -> Design:
    """Two halves, a stem and a leaf."""
    right = p.curve("right", (50, 26), (68, 18), (89, 30), (90, 58), (72, 92), (50, 90))
    left = p.curve("left", (50, 90), (28, 93), (10, 60), (12, 30), (32, 18), (50, 26))
    return [
        Line([right, left], True),
        Line([p.curve("stem", (50, 27), (51, 14), (58, 4))]),
        Line([p.curve("leaf", (53, 14), (66, 4), (80, 6), (68, 15), (53, 14))]),
    ]


DESIGNS = {
    design.__name__: design
    for design in (
        *(circle, square, square_by_sides, triangle, pentagram, star, hexagon, octagon, diamond, moon),
        *(cloud, leaf, lightning, donut, wheel, pizza, clock, sun, eye, eyeglasses, lollipop, apple),
    )
}
