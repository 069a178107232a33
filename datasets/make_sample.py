"""Draws the sample in `sample/`: simple things by a procedure with an unsteady hand, no person's drawings.

    python datasets/make_sample.py [folder]

Every drawing has a random generator of its own, seeded by category and number, so that a category or a
drawing added later leaves all others as they are. Same code, same bytes.

Coordinates of the designs are in units of a page of 100 x 100, y down.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hand import Hand, Part

from sketchgen.sketch.geometry import simplify_as_quickdraw
from sketchgen.sketch.sketch import Sketch

COUNT = 60
"""Drawings a category."""


def square(hand: Hand) -> list[Part]:
    """Four corners."""
    return [hand.polygon((8, 8), (92, 8), (92, 92), (8, 92), spread=2.5)]


def triangle(hand: Hand) -> list[Part]:
    """Three corners, the top anywhere over the base."""
    return [hand.polygon((hand.between(25, 75), hand.between(5, 25)), (95, 88), (5, 88), spread=2.5)]


def circle(hand: Hand) -> list[Part]:
    """One ring, now and then gone round twice."""
    ring = hand.ring(50, 50, 45, 45)
    return [[ring + hand.ring(50, 50, 44, 44, start=-1.6) if hand.chance(0.04) else ring]]


def star(hand: Hand) -> list[Part]:
    """Five points: the one-line pentagram or the outline."""
    inner = 48 if hand.chance(0.6) else hand.between(17, 24)
    tips = [
        (50 + 48 * math.sin(k * 2 * math.pi / 5), 50 - 48 * math.cos(k * 2 * math.pi / 5)) for k in range(5)
    ]
    if inner == 48:
        first, way = hand.random.choice((3, 3, 3, 0, 2)), hand.random.choice((2, 3))
        return [[hand.line(*(tips[(first + way * k) % 5] for k in range(6)), spread=2.2)]]
    notches = [
        (50 + inner * math.sin(a), 50 - inner * math.cos(a))
        for a in ((k + 0.5) * 2 * math.pi / 5 for k in range(5))
    ]
    return [hand.polygon(*(point for pair in zip(tips, notches, strict=True) for point in pair), spread=1.5)]


def zigzag(hand: Hand) -> list[Part]:
    """One line to and fro."""
    turns, height = hand.random.randrange(4, 12), hand.between(10, 38)
    corners = [
        (100 * k / turns, 50 + height * (-1) ** k * hand.between(0.75, 1.15)) for k in range(turns + 1)
    ]
    return [[hand.line(*corners, spread=1.2)]]


def house(hand: Hand) -> list[Part]:
    """Walls and a roof, mostly with a door, windows and a chimney."""
    eaves = hand.between(38, 52)
    side, over = hand.between(10, 20), hand.between(0, 8)
    parts = [
        hand.polygon((side, eaves), (100 - side, eaves), (100 - side, 97), (side, 97)),
        [hand.line((side - over, eaves), (hand.between(44, 56), 8), (100 - side + over, eaves))],
    ]
    if hand.chance(0.8):
        x = hand.between(35, 55)
        parts.append([hand.line((x, 97), (x, 97 - hand.between(22, 30)), (x + 15, 70), (x + 15, 97))])
        if hand.chance(0.4):
            parts[-1].append(hand.dot(x + 11, 84))
    for x in (side + 6, 82 - side):
        if hand.chance(0.45):
            parts.append(
                hand.polygon((x, eaves + 10), (x + 12, eaves + 10), (x + 12, eaves + 22), (x, eaves + 22))
            )
            if hand.chance(0.5):
                parts[-1] += [
                    hand.line((x + 6, eaves + 10), (x + 6, eaves + 22)),
                    hand.line((x, eaves + 16), (x + 12, eaves + 16)),
                ]
    if hand.chance(0.35):
        parts.append([hand.line((68, 26), (68, 8), (77, 8), (77, 34))])
    return parts


def ladder(hand: Hand) -> list[Part]:
    """Two rails and four to nine rungs."""
    half, rungs = hand.between(12, 20), hand.random.randrange(4, 10)
    top = half * hand.between(0.75, 1.0)
    rails = [hand.line((50 - top, 2), (50 - half, 98)), hand.line((50 + top, 2), (50 + half, 98))]
    heights = [8 + 84 * (k + 0.5) / rungs for k in range(rungs)]
    if hand.chance(0.3):
        heights.reverse()
    over = hand.between(-1, 3)
    return [rails, [hand.line((50 - half - over, y), (50 + half + over, y)) for y in heights]]


def fish(hand: Hand) -> list[Part]:
    """A body with a tail in one loop or two strokes, an eye, maybe a mouth, gills and a fin."""
    height = hand.between(18, 30)
    if hand.chance(0.5):
        loop = hand.arc(42, 50, 38, height, 0.35, 2 * math.pi - 0.35)
        parts: list[Part] = [
            [hand.direction([(98, 50 + height * 0.8), *loop, (98, 50 - height * 0.8)][::-1])]
        ]
        if hand.chance(0.7):
            parts[0].append(
                hand.line((97, 50 - height * 0.8), (hand.between(88, 97), 50), (97, 50 + height * 0.8))
            )
    else:
        tail = hand.line((78, 50), (99, 50 - height * 0.8), (99, 50 + height * 0.8), (79, 50))
        parts = [[hand.ring(42, 50, 38, height, start=hand.random.gauss(0.0, 0.3))], [tail]]
    parts.append([hand.dot(19, 50 - height * 0.25)])
    if hand.chance(0.4):
        parts.append([hand.arc(10, 52, 9, 6, 0.2, 1.6)])
    if hand.chance(0.35):
        parts.append([hand.arc(22, 50, 10, height * 0.7, -1.1, 1.1)])
    if hand.chance(0.3):
        parts.append([hand.line((38, 52 - height), (52, 38 - height), (58, 53 - height))])
    return (
        [[[(100 - x, y) for x, y in stroke] for stroke in part] for part in parts]
        if hand.chance(0.4)
        else parts
    )


def sun(hand: Hand) -> list[Part]:
    """A ring and six to fourteen rays, now and then a smile."""
    radius, rays = hand.between(17, 27), hand.random.randrange(6, 15)
    begin, gap = hand.between(-2.2, -1.0), hand.between(2, 7)
    strokes: Part = []
    for k in range(rays):
        angle = begin + 2 * math.pi * k / rays + hand.random.gauss(0.0, 0.06)
        c, s, end = math.cos(angle), math.sin(angle), hand.between(38, 50)
        near = radius + gap
        strokes.append(hand.line((50 + near * c, 50 + near * s), (50 + end * c, 50 + end * s), spread=0.8))
    parts = [[hand.ring(50, 50, radius, radius)], strokes]
    if hand.chance(0.15):
        parts.append([hand.dot(43, 45), hand.dot(57, 45), hand.arc(50, 51, 10, 8, 0.4, 2.7)])
    return parts


def flower(hand: Hand) -> list[Part]:
    """A centre, petals around it one by one or in one line, a stem, leaves."""
    petals, reach = hand.random.randrange(4, 8), hand.between(18, 24)
    x, y, begin = hand.between(45, 55), 32.0, hand.between(-2.0, -1.0)
    leaves: Part = []
    for k in range(petals):
        angle = begin + 2 * math.pi * k / petals
        width = reach * math.sin(math.pi / petals) * 1.05
        cx, cy = x + reach * 0.75 * math.cos(angle), y + reach * 0.75 * math.sin(angle)
        leaves.append(hand.arc(cx, cy, width, width, angle - 2.2, angle + 2.2))
    if hand.chance(0.5):
        leaves = [[point for petal in leaves for point in petal]]
    stem = [(x, y + reach + 5), (x + hand.between(-4, 4), 75), (x + hand.between(-6, 6), 99)]
    parts: list[Part] = [[hand.ring(x, y, reach * 0.42, reach * 0.42)], leaves, [hand.line(*stem)]]
    for way in (-1, 1):
        if hand.chance(0.5):
            parts.append(
                [
                    hand.line(
                        (x, 86), (x + way * 11, 73), (x + way * 20, 72), (x + way * 13, 82), (x, 87), bend=0.1
                    )
                ]
            )
    return parts


def snowman(hand: Hand) -> list[Part]:
    """Two or three balls, a face, and some of arms, buttons and hat."""
    sizes = [13, 17, 22] if hand.chance(0.6) else [16, 24]
    y, parts, centres = 100.0 - 2 * sum(sizes), [], []
    for size in sizes:
        parts.append([hand.ring(50 + hand.random.gauss(0, 1), y + size, size, size)])
        centres.append(y + size)
        y += 2 * size - hand.between(0, 2)
    head = centres[0]
    if hand.chance(0.5):
        parts.reverse()
    parts.append([hand.dot(45, head - 3), hand.dot(55, head - 3)])
    if hand.chance(0.6):
        parts.append([hand.line((50, head), (62, head + 2), (50, head + 3), spread=0.6)])
    if hand.chance(0.5):
        parts.append([hand.arc(50, head + 3, 6, 4, 0.3, 2.8)])
    if hand.chance(0.5):
        parts.append([hand.dot(50, centres[1] + k * 8 - 5) for k in range(2 + hand.chance(0.5))])
    if hand.chance(0.55):
        reach = sizes[1]
        for way in (-1, 1):
            parts.append(
                [hand.line((50 + way * reach, centres[1] - 2), (50 + way * (reach + 20), centres[1] - 14))]
            )
    if hand.chance(0.35):
        brim = head - sizes[0] + 1
        parts.append(
            [
                hand.line((34, brim), (66, brim)),
                hand.line((40, brim), (40, brim - 17), (60, brim - 17), (60, brim)),
            ]
        )
    return parts


def envelope(hand: Hand) -> list[Part]:
    """A rectangle and its flap, now and then the lower folds."""
    dip = hand.between(48, 62)
    parts = [hand.polygon((4, 20), (96, 20), (96, 82), (4, 82)), [hand.line((4, 20), (50, dip), (96, 20))]]
    if hand.chance(0.3):
        parts.append([hand.line((4, 82), (38, dip - 8)), hand.line((96, 82), (62, dip - 8))])
    return parts


def door(hand: Hand) -> list[Part]:
    """An upright rectangle with a knob, maybe a frame, panels."""
    parts = [hand.polygon((28, 3), (72, 3), (72, 97), (28, 97))]
    if hand.chance(0.35):
        parts.append([hand.line((20, 97), (20, -4), (80, -4), (80, 97))])
    side = hand.random.choice((35, 65))
    parts.append([hand.dot(side, hand.between(48, 56))])
    for top in (12, 58):
        if hand.chance(0.3):
            parts.append(hand.polygon((39, top), (61, top), (61, top + 28), (39, top + 28)))
    return parts


def smiley_face(hand: Hand) -> list[Part]:
    """A ring, two eyes, a smile."""
    eyes = [hand.dot(34, hand.between(32, 40)), hand.dot(66, hand.between(32, 40))]
    smile = hand.direction(
        hand.arc(50, hand.between(48, 55), hand.between(20, 30), hand.between(18, 28), 2.9, 0.25)
    )
    return [[hand.ring(50, 50, 46, 46)], eyes, [smile]]


def lollipop(hand: Hand) -> list[Part]:
    """A ring on a stick, often with a spiral."""
    size = hand.between(20, 28)
    parts: list[Part] = [[hand.ring(50, 30, size, size)]]
    low = 30 + size
    if hand.chance(0.5):
        parts.append([hand.line((50, low), (50, 99))])
    else:
        parts.append([hand.line((48, low), (48, 98), (53, 98), (53, low), spread=0.7)])
    if hand.chance(0.55):
        turns, way = hand.between(1.5, 2.5) * 2 * math.pi, hand.random.choice((-1, 1))
        spiral = [(k / 60, way * turns * k / 60) for k in range(61)]
        parts.append(
            [[(50 + size * 0.8 * r * math.cos(a), 30 + size * 0.8 * r * math.sin(a)) for r, a in spiral]]
        )
    return parts


def cat(hand: Hand) -> list[Part]:
    """A cat's face: head, ears, eyes, nose, whiskers, mostly a mouth."""
    wide = hand.between(34, 42)
    parts: list[Part] = [[hand.ring(50, 58, wide, 36)]]
    ears: Part = []
    for way in (-1, 1):
        tip = (50 + way * wide * 0.78, hand.between(4, 12))
        ears.append(hand.line((50 + way * wide * 0.85, 38), tip, (50 + way * wide * 0.3, 25)))
    parts += [ears, [hand.dot(38, 50), hand.dot(62, 50)]]
    parts.append([hand.line((46, 62), (54, 62), (50, 67), (46, 62), spread=0.6)])
    if hand.chance(0.7):
        parts.append([hand.arc(44, 67, 6, 6, 0.0, 2.4), hand.arc(56, 67, 6, 6, 3.14, 0.7)])
    rows = hand.random.randrange(2, 4)
    for way in (-1, 1):
        whiskers = [((50 + way * 14, 64 + 4 * k), (50 + way * (wide + 12), 58 + 8 * k)) for k in range(rows)]
        parts.append([hand.line(*ends) for ends in whiskers])
    return parts


DESIGNS: dict[str, Callable[[Hand], list[Part]]] = {
    "cat": cat,
    "circle": circle,
    "door": door,
    "envelope": envelope,
    "fish": fish,
    "flower": flower,
    "house": house,
    "ladder": ladder,
    "lollipop": lollipop,
    "smiley face": smiley_face,
    "snowman": snowman,
    "square": square,
    "star": star,
    "sun": sun,
    "triangle": triangle,
    "zigzag": zigzag,
}


def draw(category: str, number: int) -> Sketch:
    """Drawing `number` of a category, simplified as Quick, Draw! does it."""
    hand = Hand(f"{category}/{number}")
    strokes = hand.order(DESIGNS[category](hand))
    return simplify_as_quickdraw(
        Sketch.from_strokes([hand.finished(stroke) for stroke in strokes], category=category)
    )


def as_line(sketch: Sketch) -> str:
    """One line of ndjson, with the source told in every drawing."""
    drawing = [stroke.T.astype(np.int64).tolist() for stroke in sketch.strokes]
    fields = {
        "word": sketch.category,
        "recognized": True,
        "drawing": drawing,
        "source": "sketchgen procedure",
    }
    return json.dumps(fields, separators=(",", ":"))


def main(folder: Path) -> None:
    """Write `<category>.ndjson` for all categories into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for category in DESIGNS:
        lines = [as_line(draw(category, number)) for number in range(COUNT)]
        (folder / f"{category}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "sample")
