"""Drawings in named pieces: a hand whose lines can be cut, so that what is missing is known, too."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from hand import Hand, Point

MISSED = 4.0
"""Units of the design by which a ring that is drawn in one go misses its beginning at most."""


class Piece(NamedTuple):
    """A stretch of a line that has a name, so that it can be left out."""

    name: str
    path: list[Point]


class Line(NamedTuple):
    """Pieces that are drawn without lifting the pen; a closed line ends where it begins."""

    pieces: list[Piece]
    closed: bool = False


Design = list[Line]


class Cut(NamedTuple):
    """A line after a part of it was taken out: what stays, and what is missing."""

    given: list[list[Point]]
    missing: list[list[Point]]


def pulled(path: Sequence[Point], start: Point | None, end: Point | None = None) -> list[Point]:
    """The path moved to begin at `start` and to finish at `end`; what lies between gives way evenly."""
    first = (0.0, 0.0) if start is None else (start[0] - path[0][0], start[1] - path[0][1])
    last = first if end is None else (end[0] - path[-1][0], end[1] - path[-1][1])
    shares = [k / max(1, len(path) - 1) for k in range(len(path))]
    return [
        (x + first[0] * (1 - s) + last[0] * s, y + first[1] * (1 - s) + last[1] * s)
        for (x, y), s in zip(path, shares, strict=True)
    ]


class Pencil(Hand):
    """The unsteady hand, drawing what it is told in the direction it is told."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self.aspect = self.between(0.92, 1.1)
        self.care = self.between(0.3, 1.0)

    def straight(self, *corners: Point) -> list[Point]:
        """Sides from corner to corner, a little bent."""
        path = [corners[0]]
        for (x0, y0), (x1, y1) in itertools.pairwise(corners):
            bow = self.random.gauss(0.0, 0.02)
            for share in (k / 8 for k in range(1, 9)):
                off = bow * math.sin(math.pi * share)
                path.append(
                    (x0 + (x1 - x0) * share - (y1 - y0) * off, y0 + (y1 - y0) * share + (x1 - x0) * off)
                )
        return path

    def to(self, name: str, *corners: Point) -> Piece:
        """Straight lines through the corners, each a little off."""
        return Piece(name, self.straight(*(self.near(corner, 0.8) for corner in corners)))

    def one(self, name: str, *corners: Point) -> Line:
        """A stroke of its own of straight lines."""
        return Line([self.to(name, *corners)])

    def curve(self, name: str, *points: Point) -> Piece:
        """A smooth line through the points (Catmull-Rom)."""
        hit = [self.near(point, 0.8) for point in points]
        ends = [hit[0], *hit, hit[-1]]
        path = [hit[0]]
        for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
            for t in (k / 8 for k in range(1, 9)):
                weights = (
                    -t / 2 + t * t - t**3 / 2,
                    1 - 2.5 * t * t + 1.5 * t**3,
                    t / 2 + 2 * t * t - 1.5 * t**3,
                    (t**3 - t * t) / 2,
                )
                around = (a, b, c, d)
                path.append(
                    (
                        sum(w * p[0] for w, p in zip(weights, around, strict=True)),
                        sum(w * p[1] for w, p in zip(weights, around, strict=True)),
                    )
                )
        return Piece(name, path)

    def sides(self, names: str, *corners: Point) -> Line:
        """A closed outline with straight sides, one named piece a side, parted by blanks in `names`."""
        hit = [self.near(corner) for corner in corners]
        pairs = zip(names.split(), itertools.pairwise([*hit, hit[0]]), strict=True)
        return Line([Piece(name, self.straight(*pair)) for name, pair in pairs], True)

    def round(
        self, x: float, y: float, rx: float, ry: float, start: float, *sweeps: tuple[str, float]
    ) -> Line:
        """Arcs one after the other from the angle `start`, in degrees, clockwise: (name, how far)."""
        total = sum(sweep for _, sweep in sweeps)
        begin = math.radians(start)
        path = self.arc(x, y, rx, ry, begin, begin + math.radians(total))
        pieces: list[Piece] = []
        done = 0.0
        for name, sweep in sweeps:
            low, high = (round(40 * at / total) for at in (done, done + sweep))
            pieces.append(Piece(name, path[low : high + 1]))
            done += sweep
        return Line(pieces, abs(total) >= 359)

    def ball(self, name: str, x: float, y: float, rx: float, ry: float | None = None) -> Line:
        """A ring in one piece."""
        start = -90 + self.random.gauss(0.0, 25.0)
        return self.round(x, y, rx, rx if ry is None else ry, start, (name, self.random.choice((-360, 360))))

    def bumps(self, feet: Sequence[Point], tops: Sequence[Point]) -> Line:
        """A closed outline of bulges, `bump0` and so on, from foot to foot over their tops."""
        pieces: list[Piece] = []
        for k, ((x0, y0), (x, y)) in enumerate(zip(feet, tops, strict=True)):
            x1, y1 = feet[(k + 1) % len(feet)]
            u, v = 0.75 * (x - (x0 + x1) / 2), 0.75 * (y - (y0 + y1) / 2)
            shoulders = ((x0 + u, y0 + v), (x, y), (x1 + u, y1 + v))
            pieces.append(self.curve(f"bump{k}", (x0, y0), *shoulders, (x1, y1)))
        return Line(pieces, True)

    def cut(self, line: Line, missing: frozenset[str]) -> Cut:
        """The line as the page shows it, parted into what is given and what is missing.

        What is taken out of a closed line is drawn last, so that what stays is one stroke.
        """
        pieces, gone = line.pieces, [piece.name in missing for piece in line.pieces]
        if line.closed and any(gone) and not all(gone):
            first = next(k for k in range(len(gone)) if gone[k - 1] and not gone[k])
            pieces, gone = pieces[first:] + pieces[:first], gone[first:] + gone[:first]
        path, marks = list(pieces[0].path), [0]
        for piece in pieces[1:]:
            marks.append(len(path) - 1)
            path += pulled(piece.path, path[-1])[1:]
        marks.append(len(path) - 1)
        shown: list[Point] = self.finished(path)
        if line.closed and math.dist(shown[0], shown[-1]) > (0 if any(gone) else MISSED * 5):
            shown[marks[-2] :] = pulled(shown[marks[-2] :], shown[marks[-2]], shown[0])
        result = Cut([], [])
        first = 0
        for k in range(1, len(gone) + 1):
            if k == len(gone) or gone[k] != gone[first]:
                part = shown[marks[first] : marks[k] + 1]
                (result.missing if gone[first] else result.given).append(part)
                first = k
        return result
