"""The unsteady hand that draws the sample: lines, rings and polygons as a person in a hurry makes them."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

PIXELS = 5.0
"""Canvas px for one unit of the designs; points are then whole px, as a mouse or a finger gives them."""

Point = tuple[float, float]
Part = list[list[Point]]
"""Strokes that belong together and are drawn one after the other."""


class Hand:
    """One person at one drawing: how unsteady, how hasty, and the random choices made on the way."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.wobble = self.between(0.2, 0.9)
        self.care = self.between(0.3, 1.6)
        self.slant = self.random.gauss(0.0, 0.06)
        self.tilt = self.random.gauss(0.0, 0.05)
        self.aspect = self.between(0.8, 1.25)

    def between(self, low: float, high: float) -> float:
        """A number from `low` to `high`, all equally likely."""
        return self.random.uniform(low, high)

    def chance(self, share: float) -> bool:
        """True in `share` of all cases."""
        return self.random.random() < share

    def near(self, point: Point, spread: float = 1.0) -> Point:
        """A point close to the one meant."""
        sigma = spread * self.care
        return point[0] + self.random.gauss(0.0, sigma), point[1] + self.random.gauss(0.0, sigma)

    def line(self, *corners: Point, bend: float = 0.03, spread: float = 1.0) -> list[Point]:
        """One stroke through the corners, each a little off, its sides slightly bent."""
        hit = [self.near(corner, spread) for corner in corners]
        path = [hit[0]]
        for (x0, y0), (x1, y1) in itertools.pairwise(hit):
            bow = self.random.gauss(0.0, bend)
            for share in (k / 8 for k in range(1, 9)):
                off = bow * math.sin(math.pi * share)
                path.append(
                    (x0 + (x1 - x0) * share - (y1 - y0) * off, y0 + (y1 - y0) * share + (x1 - x0) * off)
                )
        return self.direction(path)

    def direction(self, path: list[Point]) -> list[Point]:
        """The stroke as it is, or now and then drawn from its other end."""
        return path[::-1] if self.chance(0.25) else path

    def ring(self, x: float, y: float, rx: float, ry: float, start: float | None = None) -> list[Point]:
        """A closed curve: any start, either way round, not quite closed or a little too far."""
        begin = self.random.gauss(-1.6, 0.7) if start is None else start
        turn = 2 * math.pi * (1 + self.random.gauss(0.0, 0.03)) * self.random.choice((-1, -1, 1))
        return self.arc(x, y, rx, ry, begin, begin + turn)

    def arc(self, x: float, y: float, rx: float, ry: float, begin: float, end: float) -> list[Point]:
        """Part of an ellipse from angle `begin` to `end`, dented as by hand."""
        dents = [(k, self.between(0.0, 0.05 / k) * self.care, self.between(0.0, 6.3)) for k in (1, 2, 3)]
        drift = self.random.gauss(0.0, 0.03)
        path: list[Point] = []
        for share in (k / 40 for k in range(41)):
            angle = begin + (end - begin) * share
            size = 1 + drift * share + sum(depth * math.sin(k * angle + phase) for k, depth, phase in dents)
            path.append((x + rx * size * math.cos(angle), y + ry * size * math.sin(angle)))
        return path

    def polygon(self, *corners: Point, spread: float = 1.5) -> Part:
        """A closed outline: in one go from any corner, or in two strokes, or side by side."""
        count, first = len(corners), self.random.randrange(len(corners))
        way = self.random.choice((1, -1))
        turned = [corners[(first + way * k) % count] for k in range(count + 1)]
        style = self.random.random()
        if style < 0.65:
            return [self.line(*turned, spread=spread)]
        cuts = list(range(count + 1)) if style > 0.85 else [0, self.random.randrange(1, count), count]
        return [self.line(*turned[a : b + 1], spread=spread) for a, b in itertools.pairwise(cuts)]

    def dot(self, x: float, y: float) -> list[Point]:
        """An eye or a knob: a dab, a tick or a small ring."""
        if self.chance(0.4):
            return self.ring(x, y, self.between(1.5, 3), self.between(1.5, 3))
        return self.line((x, y), (x + self.between(-1, 1), y + self.between(1, 4)), spread=0.6)

    def order(self, parts: Sequence[Part]) -> list[list[Point]]:
        """All strokes: mostly part after part as designed, else another order."""
        kept = list(parts)
        if self.chance(0.3):
            self.random.shuffle(kept)
        return [stroke for part in kept for stroke in part]

    def finished(self, stroke: Sequence[Point]) -> list[Point]:
        """The stroke as the canvas saw it: slanted, unsteady, in whole px."""
        waves = [(self.between(0.03, 0.35), self.between(0, 6.3), self.between(0, 6.3)) for _ in range(3)]
        path: list[Point] = []
        travelled, before = 0.0, stroke[0]
        for x, y in stroke:
            travelled, before = travelled + math.dist(before, (x, y)), (x, y)
            shake = [
                sum(math.sin(rate * travelled + wave[axis]) for rate, *wave in waves) * self.wobble / 2
                for axis in (0, 1)
            ]
            u, v = (x - 50 + shake[0]) * self.aspect, y - 50 + shake[1]
            path.append(
                (round((u + self.slant * v) * PIXELS), round((v + self.tilt * u) * PIXELS)),
            )
        return path
