"""Designs of what people build, drive and sit on for the unfinished drawings, on a page of 100 x 100."""

from __future__ import annotations

import math

from pencil import Design, Line, Pencil


def house(p: Pencil) -> Design:
    """Walls, a roof, a door, two windows."""
    return [
        p.sides("ceiling right ground left", (14, 44), (86, 44), (86, 97), (14, 97)),
        Line([p.to("left roof", (13, 44), (50, 6)), p.to("right roof", (50, 6), (87, 44))]),
        p.one("door", (42, 97), (42, 70), (58, 70), (58, 97)),
        p.sides(" ".join(["left_window"] * 4), (22, 56), (35, 56), (35, 69), (22, 69)),
        p.sides(" ".join(["right_window"] * 4), (66, 56), (79, 56), (79, 69), (66, 69)),
    ]


def door(p: Pencil) -> Design:
    """A frame, two panels, a knob."""
    return [
        p.sides("top right bottom left", (26, 2), (74, 2), (74, 98), (26, 98)),
        p.sides("panel panel panel panel", (37, 12), (63, 12), (63, 42), (37, 42)),
        p.ball("knob", 66, 54, 3.5),
    ]


def envelope(p: Pencil) -> Design:
    """A rectangle and its flap in two slopes."""
    return [
        p.sides("top right bottom left", (4, 20), (96, 20), (96, 82), (4, 82)),
        Line([p.to("down", (4, 20), (50, 55)), p.to("up", (50, 55), (96, 20))]),
    ]


def book(p: Pencil) -> Design:
    """An open book: two pages, the fold, lines of text."""
    pages = [
        p.curve("left top", (50, 24), (36, 15), (20, 14), (4, 19)),
        p.to("left side", (4, 19), (4, 79)),
        p.curve("left bottom", (4, 79), (20, 74), (36, 75), (50, 84)),
        p.curve("right bottom", (50, 84), (64, 75), (80, 74), (96, 79)),
        p.to("right side", (96, 79), (96, 19)),
        p.curve("right top", (96, 19), (80, 14), (64, 15), (50, 24)),
    ]
    text = [
        p.one(f"{side} text", (x, 32 + 12 * k), (x + 28, 32 + 12 * k))
        for side, x in (("left", 12), ("right", 60))
        for k in range(3)
    ]
    return [Line(pages, True), p.one("fold", (50, 24), (50, 84)), *text]


def table(p: Pencil) -> Design:
    """A top seen from the side and four legs."""
    return [
        p.sides("a b c d", (16, 26), (84, 26), (98, 46), (2, 46)),
        p.one("left leg", (6, 46), (6, 92)),
        p.one("right leg", (94, 46), (94, 92)),
        p.one("back legs", (26, 46), (26, 76)),
        p.one("back legs", (74, 46), (74, 76)),
    ]


def chair(p: Pencil) -> Design:
    """A back, a seat, legs."""
    return [
        p.one("back", (26, 54), (26, 3), (31, 3), (31, 54)),
        p.sides("seat seat seat seat", (26, 52), (76, 52), (76, 60), (26, 60)),
        p.one("left leg", (29, 60), (27, 98)),
        p.one("right leg", (73, 60), (75, 98)),
    ]


def ladder(p: Pencil) -> Design:
    """Two rails and seven rungs."""
    rungs = [p.one(f"rung{k}", (33, 10 + 13.3 * k), (67, 10 + 13.3 * k)) for k in range(7)]
    return [p.one("left rail", (34, 2), (32, 98)), p.one("right rail", (66, 2), (68, 98)), *rungs]


def fence(p: Pencil) -> Design:
    """Six pickets with tips, and two rails behind."""
    pickets = [
        p.sides(" ".join([f"picket{k}"] * 5), (x, 86), (x, 26), (x + 5, 16), (x + 10, 26), (x + 10, 86))
        for k, x in ((k, 2 + 17.2 * k) for k in range(6))
    ]
    rails = [p.one(f"rail{k}", (12 + 17.2 * k, y), (19 + 17.2 * k, y)) for k in range(5) for y in (40, 66)]
    return [*pickets, *rails]


def car(p: Pencil) -> Design:
    """A body in one line, two wheels, two windows."""
    body = [
        p.curve("hood", (2, 64), (4, 50), (22, 45)),
        p.to("roof", (22, 45), (34, 27), (64, 27), (78, 45)),
        p.curve("boot", (78, 45), (96, 49), (98, 64)),
        p.to("floor", (98, 64), (2, 64)),
    ]
    return [
        Line(body, True),
        p.ball("left wheel", 25, 66, 10.5),
        p.ball("right wheel", 75, 66, 10.5),
        p.sides("windows windows windows windows", (29, 44), (37, 31), (48, 31), (48, 44)),
        p.sides("windows windows windows windows", (52, 44), (52, 31), (62, 31), (71, 44)),
    ]


def bus(p: Pencil) -> Design:
    """A long box, four windows, two wheels."""
    windows = [
        p.sides(" ".join([f"window{k}"] * 4), (x, 32), (x + 15, 32), (x + 15, 46), (x, 46))
        for k, x in ((k, 9 + 21 * k) for k in range(4))
    ]
    return [
        p.sides("top right floor left", (2, 24), (98, 24), (98, 68), (2, 68)),
        *windows,
        p.ball("left wheel", 24, 69, 9),
        p.ball("right wheel", 76, 69, 9),
    ]


def bicycle(p: Pencil) -> Design:
    """Two wheels, a frame, a handlebar, a saddle."""
    return [
        p.ball("left wheel", 21, 68, 19),
        p.ball("right wheel", 79, 68, 19),
        p.one("frame", (21, 68), (38, 40), (70, 40), (48, 68), (21, 68)),
        p.one("seat tube", (48, 68), (36, 34)),
        p.one("saddle", (30, 34), (42, 34)),
        p.one("fork", (79, 68), (68, 28)),
        p.one("handlebar", (68, 28), (58, 24)),
    ]


def sailboat(p: Pencil) -> Design:
    """A hull, a mast, two sails."""
    deck = p.to("deck", (4, 70), (96, 70))
    hull = [
        p.to("stern", (96, 70), (80, 94)),
        p.to("keel", (80, 94), (20, 94)),
        p.to("bow", (20, 94), (4, 70)),
    ]
    return [
        Line([deck, *hull], True),
        p.one("mast", (48, 70), (48, 4)),
        p.one("right sail", (50, 6), (86, 62), (50, 62)),
        p.one("left sail", (46, 14), (18, 62), (46, 62)),
    ]


def airplane(p: Pencil) -> Design:
    """Seen from above: fuselage, two wings, two tail fins."""
    return [
        p.ball("fuselage", 50, 50, 47, 8),
        p.one("upper wing", (58, 42), (40, 5), (30, 5), (38, 42)),
        p.one("lower wing", (38, 58), (30, 95), (40, 95), (58, 58)),
        p.one("upper fin", (16, 44), (6, 28), (1, 28), (5, 46)),
        p.one("lower fin", (5, 54), (1, 72), (6, 72), (16, 56)),
    ]


def dumbbell(p: Pencil) -> Design:
    """A bar and a weight at each end."""
    return [
        p.sides(" ".join(["left"] * 4), (6, 26), (22, 26), (22, 74), (6, 74)),
        p.one("bar", (22, 46), (78, 46)),
        p.one("bar", (22, 54), (78, 54)),
        p.sides(" ".join(["right"] * 4), (78, 26), (94, 26), (94, 74), (78, 74)),
    ]


def bowtie(p: Pencil) -> Design:
    """A knot and two bows."""
    return [
        p.sides("knot knot knot knot", (43, 41), (57, 41), (57, 59), (43, 59)),
        p.one("left", (43, 43), (5, 22), (5, 78), (43, 57)),
        p.one("right", (57, 43), (95, 22), (95, 78), (57, 57)),
    ]


def traffic_light(p: Pencil) -> Design:
    """A box, three lamps."""
    lamps = [p.ball(f"lamp{k}", 50, 18 + 32 * k, 12) for k in range(3)]
    return [p.sides("a b c d", (30, 1), (70, 1), (70, 99), (30, 99)), *lamps]


def stairs(p: Pencil) -> Design:
    """Five steps in one line, the wall and the floor."""
    steps = []
    for k in range(5):
        x, y = 4 + 18 * k, 94 - 17 * k
        steps.append(p.to(f"step{k}", (x, y), (x, y - 17), (x + 18, y - 17)))
    rest = [p.to("wall", (94, 9), (94, 94)), p.to("floor", (94, 94), (4, 94))]
    return [Line([*steps, *rest], True)]


def windmill(p: Pencil) -> Design:
    """A tower and four sails around its hub."""
    sails = []
    for k in range(4):
        c, s = math.cos(math.radians(90 * k - 45)), math.sin(math.radians(90 * k - 45))
        corners = ((4, 0), (38, 0), (38, 10), (4, 4))
        turned = [(50 + c * u - s * v, 36 + s * u + c * v) for u, v in corners]
        sails.append(p.one(f"sail{k}", *turned))
    return [p.one("tower", (43, 44), (32, 98), (68, 98), (57, 44)), p.ball("hub", 50, 36, 4), *sails]


DESIGNS = {
    design.__name__: design
    for design in (
        *(house, door, envelope, book, table, chair, ladder, fence, car, bus, bicycle, sailboat),
        *(airplane, dumbbell, bowtie, traffic_light, stairs, windmill),
    )
}
