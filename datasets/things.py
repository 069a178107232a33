"""Designs of faces, animals and things for the unfinished drawings, in units of a page of 100 x 100."""

from __future__ import annotations

import math

from pencil import Design, Line, Pencil


def face(p: Pencil) -> Design:
    """Head, two round eyes, nose, mouth."""
    return [
        p.ball("head", 50, 50, 40, 47),
        p.ball("left eye", 34, 38, 6, 5),
        p.ball("right eye", 66, 38, 6, 5),
        p.one("nose", (50, 44), (45, 58), (52, 59)),
        Line([p.curve("mouth", (32, 71), (42, 79), (58, 79), (68, 71))]),
    ]


def smiley_face(p: Pencil) -> Design:
    """A ring, two dashes as eyes, a wide smile."""
    return [
        p.ball("head", 50, 50, 46),
        p.one("left eye", (35, 29), (35, 42)),
        p.one("right eye", (65, 29), (65, 42)),
        Line([p.curve("smile", (22, 58), (34, 76), (50, 81), (66, 76), (78, 58))]),
    ]


def cat(p: Pencil) -> Design:
    """A cat's head with everything on it."""
    whiskers = [
        p.one(f"{side} whiskers", (50 + way * 14, 66 + 4 * k), (50 + way * 49, 58 + 11 * k))
        for side, way in (("left", -1), ("right", 1))
        for k in range(3)
    ]
    return [
        p.ball("head", 50, 60, 38, 35),
        p.one("left ear", (15, 46), (16, 5), (40, 27)),
        p.one("right ear", (60, 27), (84, 5), (85, 46)),
        p.ball("left eye", 36, 52, 4.5),
        p.ball("right eye", 64, 52, 4.5),
        p.sides("nose nose nose", (45, 65), (55, 65), (50, 71)),
        Line([p.curve("mouth", (37, 77), (44, 81), (50, 71), (56, 81), (63, 77))]),
        *whiskers,
    ]


def rabbit(p: Pencil) -> Design:
    """A head with two long ears and a face."""
    return [
        p.ball("head", 50, 71, 27),
        Line([p.curve("left ear", (36, 48), (24, 22), (27, 3), (37, 4), (45, 24), (46, 44))]),
        Line([p.curve("right ear", (54, 44), (55, 24), (63, 4), (73, 3), (76, 22), (64, 48))]),
        p.ball("eyes", 40, 65, 3),
        p.ball("eyes", 60, 65, 3),
        p.sides("nose nose nose", (46, 74), (54, 74), (50, 79)),
        Line([p.curve("mouth", (40, 84), (46, 87), (50, 79), (54, 87), (60, 84))]),
    ]


def fish(p: Pencil) -> Design:
    """A body, a tail, an eye, a mouth, a fin."""
    body = p.round(42, 50, 39, 25, 22, ("lower", 158), ("upper", 158))
    tail = p.to("tail", (78, 41), (99, 26), (98, 74), (78, 59))
    return [
        Line([*body.pieces, tail], True),
        p.ball("eye", 20, 43, 3.5),
        Line([p.curve("mouth", (5, 58), (13, 60), (18, 57))]),
        Line([p.curve("fin", (42, 50), (58, 44), (60, 58), (43, 57))]),
    ]


def butterfly(p: Pencil) -> Design:
    """A long body, two wings a side, two feelers."""

    def wing(way: int) -> Line:
        side = "right" if way > 0 else "left"
        turns = [(3, 42), (22, 10), (44, 12), (45, 38), (24, 52), (40, 64), (38, 88), (20, 90), (3, 62)]
        return Line([p.curve(f"{side} wings", *((50 + way * x, y) for x, y in turns))])

    return [
        p.ball("body", 50, 52, 4, 26),
        wing(-1),
        wing(1),
        Line([p.curve("feelers", (48, 27), (44, 14), (36, 7))]),
        Line([p.curve("feelers", (52, 27), (56, 14), (64, 7))]),
    ]


def spider(p: Pencil) -> Design:
    """A body, a head, four legs a side, eyes."""
    legs = [
        p.one(
            f"{side} legs",
            (50 + way * 15, 48 + 7 * k),
            (50 + way * 33, 26 + 17 * k),
            (50 + way * 47, 44 + 18 * k),
        )
        for side, way in (("left", -1), ("right", 1))
        for k in range(4)
    ]
    return [p.ball("body", 50, 58, 17, 20), p.ball("head", 50, 30, 9), *legs]


def snowman(p: Pencil) -> Design:
    """Three balls, a face, buttons, arms."""
    return [
        p.ball("lower", 50, 77, 22),
        p.ball("middle", 50, 40, 16),
        p.ball("head", 50, 13, 12),
        p.one("eyes", (46, 9), (46, 12)),
        p.one("eyes", (54, 9), (54, 12)),
        p.one("face", (50, 13), (60, 16), (50, 17)),
        p.one("buttons", (50, 34), (50, 36)),
        p.one("buttons", (50, 43), (50, 45)),
        p.one("left arm", (34, 37), (11, 24)),
        p.one("right arm", (66, 37), (89, 24)),
    ]


def flower(p: Pencil) -> Design:
    """A centre, six petals, a stem, two leaves."""
    petals = []
    for k in range(6):
        way = 60 * k - 90
        c, s = math.cos(math.radians(way)), math.sin(math.radians(way))
        petals.append(p.round(50 + 17 * c, 30 + 17 * s, 10, 10, way - 130, (f"petal{k}", 260)))
    return [
        p.ball("centre", 50, 30, 8),
        *petals,
        Line([p.curve("stem", (50, 57), (51, 78), (50, 99))]),
        Line([p.curve("left leaf", (50, 86), (36, 72), (27, 74), (36, 86), (50, 88))]),
        Line([p.curve("right leaf", (50, 82), (64, 68), (73, 70), (64, 82), (50, 84))]),
    ]


def tree(p: Pencil) -> Design:
    """A bumpy crown and a trunk."""
    feet = [(42, 62), (20, 56), (14, 34), (32, 14), (60, 11), (82, 26), (84, 50), (58, 62)]
    tops = [(28, 68), (6, 46), (14, 16), (46, 1), (78, 8), (96, 40), (74, 66), (50, 67)]
    return [
        p.bumps(feet, tops),
        p.one("trunk", (42, 64), (41, 98)),
        p.one("trunk", (58, 64), (60, 98)),
    ]


def mushroom(p: Pencil) -> Design:
    """A cap and a stem."""
    cap = p.curve("cap", (5, 52), (14, 22), (50, 5), (86, 22), (95, 52))
    under = p.to("under", (95, 52), (5, 52))
    stem = p.curve("stem", (37, 53), (39, 76), (35, 94), (50, 97), (66, 94), (62, 76), (64, 53))
    return [Line([cap, under], True), Line([stem])]


def ice_cream(p: Pencil) -> Design:
    """A cone with its pattern and a scoop."""
    cone = [p.to("left", (24, 45), (50, 98)), p.to("right", (50, 98), (76, 45))]
    scoop = p.curve("scoop", (22, 44), (20, 18), (38, 3), (62, 3), (80, 18), (78, 44))
    return [
        Line(cone),
        p.one("rim", (22, 45), (78, 45)),
        Line([scoop]),
        p.one("pattern", (33, 46), (58, 80)),
        p.one("pattern", (66, 46), (41, 80)),
    ]


def umbrella(p: Pencil) -> Design:
    """A canopy with three bows below, a stick with a hook."""
    canopy = p.curve("canopy", (5, 46), (18, 18), (50, 6), (82, 18), (95, 46))
    bows = p.curve("bows", (95, 46), (80, 39), (65, 46), (50, 39), (35, 46), (20, 39), (5, 46))
    stick = p.curve("stick", (50, 42), (50, 66), (50, 86), (44, 95), (35, 94), (33, 85))
    return [Line([canopy, bows], True), Line([stick])]


def mug(p: Pencil) -> Design:
    """A body and a handle."""
    left, base = p.to("left", (10, 14), (13, 90)), p.to("base", (13, 90), (65, 90))
    right, rim = p.to("right", (65, 90), (68, 14)), p.to("rim", (68, 14), (10, 14))
    handle = p.curve("handle", (68, 30), (88, 28), (95, 48), (86, 68), (66, 66))
    return [Line([left, base, right, rim], True), Line([handle])]


def candle(p: Pencil) -> Design:
    """A column, a wick, a flame."""
    return [
        p.sides("top right base left", (35, 38), (65, 38), (65, 97), (35, 97)),
        p.one("wick", (50, 38), (50, 28)),
        Line([p.curve("flame", (50, 29), (40, 20), (50, 2), (60, 20), (50, 29))]),
    ]


def key(p: Pencil) -> Design:
    """A bow, a shaft, two teeth."""
    return [
        p.ball("bow", 21, 50, 19),
        p.ball("hole", 18, 50, 7),
        p.one("shaft", (40, 50), (97, 50)),
        p.one("teeth", (80, 50), (80, 66)),
        p.one("teeth", (93, 50), (93, 68)),
    ]


def balloon(p: Pencil) -> Design:
    """A hot air balloon: envelope, two ropes, a basket."""
    return [
        p.ball("envelope", 50, 33, 33),
        p.one("ropes", (33, 61), (41, 79)),
        p.one("ropes", (67, 61), (59, 79)),
        p.sides("basket basket basket basket", (40, 79), (60, 79), (58, 97), (42, 97)),
    ]


DESIGNS = {
    design.__name__: design
    for design in (
        *(face, smiley_face, cat, rabbit, fish, butterfly, spider, snowman, flower, tree, mushroom),
        *(ice_cream, umbrella, mug, candle, key, balloon),
    )
}
