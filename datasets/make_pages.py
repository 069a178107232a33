"""Draws `pages/beginnings.ndjson`: what a person begins on the page, with a check of what must come.

    python datasets/make_pages.py [folder]

The table of designs, `pages/designs.txt`, explains itself. Every beginning has a random generator of its own,
seeded by its name. Same code, same bytes.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from hand import Point
from pencil import Pencil

from sketchgen.evaluation.pages_checks import Mark
from sketchgen.evaluation.pages_faults import floating
from sketchgen.sketch.geometry import resample
from sketchgen.sketch.sketch import Points

PAGES = ((800, 600), (800, 600), (800, 600), (600, 800), (1000, 700), (390, 560))
"""Width and height of the pages, px; the last is a telephone's."""

MIN_SAMPLES, MAX_SAMPLES = 30, 200
"""Points of a stroke."""

SMALL = 30.0
"""Largest size of a part through which no line should run, units."""

FOLDER = Path(__file__).parent / "pages"

Shape = tuple[str, tuple[float, ...]]
"""A stroke of a design: what it is, and its numbers."""


@dataclass
class Part:
    """A part of a design: its strokes, and the check where it is missing."""

    name: str
    kind: str
    options: dict[str, Any]
    shapes: list[Shape]


@dataclass
class Design:
    """What may be begun: parts; which of them are given, which must come, and whether one could guess it."""

    category: str
    label: str
    parts: list[Part] = field(default_factory=list)
    begun: list[tuple[str, str, bool]] = field(default_factory=list)


class Person(Pencil):
    """Draws smooth strokes of many points, as a mouse or a finger samples them."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self.care = self.between(0.3, 0.9)
        self.spacing = self.between(3.0, 7.0)
        self.grain = self.random.choice((1.0, 1.0, 0.5))

    def path(self, shape: Shape) -> list[Point]:
        """Return a stroke in units of the design: a little off, round things not quite closed."""
        kind, numbers = shape
        if kind in "OA":
            x, y, rx, ry, *angles = numbers
            begin, end = angles or (self.random.gauss(-90, 40), 0.0)
            if not angles:
                end = begin + (360 + self.between(-14, 16)) * self.random.choice((-1, -1, 1))
            return self.arc(x, y, rx, ry, math.radians(begin), math.radians(end))
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if kind == "D":
            (x, y) = points[0]
            return self.to("", (x, y - 1), (x + self.between(-1, 1), y + 1)).path
        if kind == "C":
            return self.curve("", *points).path
        first = self.random.randrange(len(points)) if kind in "PK" else 0
        points = points[first:] + points[:first] + ([points[first]] if kind in "PK" else [])
        return (self.curve if kind == "K" else self.to)("", *points).path

    def strokes(self, part: Part) -> list[tuple[Shape, list[Point]]]:
        """Return the strokes of a part with their shapes, some of them drawn from their other end."""
        paths = [(shape, self.path(shape)) for shape in part.shapes]
        return [(shape, path[::-1] if self.chance(0.2) else path) for shape, path in paths]

    def sampled(self, stroke: Points) -> Points:
        """Return a stroke in px of the page as a pointer gives it: unsteady, slow at both ends."""
        fine = resample(stroke, 0.5)
        total = 0.5 * len(fine)
        count = int(min(max(total / self.spacing, MIN_SAMPLES), MAX_SAMPLES))
        time = np.linspace(0.0, 1.0, count)
        at = time - self.between(0.2, 0.7) * np.sin(2 * math.pi * time) / (2 * math.pi)
        rows = np.linspace(0.0, 1.0, len(fine))
        points = np.column_stack([np.interp(at, rows, fine[:, axis]) for axis in (0, 1)])
        reach = min(4.0, 0.012 * total) * self.wobble
        for axis, _ in itertools.product((0, 1), range(2)):
            turns, phase = self.between(1.0, 4.0), self.between(0.0, 6.3)
            points[:, axis] += reach * np.sin(turns * math.pi * at + phase) / 2
        noise = np.array([[self.random.gauss(0.0, 0.25) for _ in (0, 1)] for _ in points])
        points = np.rint((points + noise) / self.grain) * self.grain
        return points[np.append(True, (np.diff(points, axis=0) != 0).any(axis=1))]

    def frame(self, bounds: Points) -> tuple[tuple[int, int], Points]:
        """Return a page, and the (2, 3) map to it from units of the design; all of `bounds` lies on it."""
        page = self.random.choice(PAGES)
        scale = self.between(0.35, 0.9) * min(page) / 100
        turn = math.radians(self.random.gauss(0.0, 2.5))
        wide = scale * self.between(0.88, 1.15) * self.random.choice((1, 1, -1))
        linear = np.array(
            [
                [wide * math.cos(turn), -scale * math.sin(turn)],
                [wide * math.sin(turn), scale * math.cos(turn)],
            ]
        )
        corners = np.array([[x, y] for x in bounds[:, 0] for y in bounds[:, 1]]) @ linear.T
        low, high = corners.min(axis=0), corners.max(axis=0)
        fit = min(1.0, *(0.94 * np.array(page) / (high - low)))
        low, high, linear = low * fit, high * fit, linear * fit
        room = np.array(page) - (high - low)
        corner = np.array([self.between(0.1 * side, 0.9 * side) for side in room]) - low
        return page, np.column_stack([linear, corner])


def read_designs(text: str) -> list[Design]:
    """Return the designs of the table."""
    designs: list[Design] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        words = line.strip()
        if not line.startswith(" "):
            designs.append(Design(words.split(" #")[0], words.replace("#", "")))
        elif words.startswith((">", "?>")):
            given, must = words.lstrip("?")[1:].split("->")
            designs[-1].begun.append((given.strip(), must.strip(), words.startswith(">")))
        else:
            designs[-1].parts.append(read_part(words))
    return designs


def read_part(words: str) -> Part:
    """Return the part of a line."""
    head, strokes = words.split(":", 1)
    name, _, check = head.partition(", ")
    kind, *rest = check.split() or [""]
    options: dict[str, Any] = {"line": [float(word) for word in rest if "=" not in word]}
    for key, value in (word.split("=") for word in rest if "=" in word):
        options[key] = [float(number) for number in value.split(",")]
    return Part(name, kind, options, [shape for stroke in strokes.split("/") for shape in shapes(stroke)])


def shapes(text: str) -> list[Shape]:
    """Return the strokes of a text such as `M *3 0 5 L 36 66 8 62`."""
    word, *rest = text.split()
    if word in tuple("OALPCKD"):
        numbers = tuple(map(float, rest))
        return [(word, numbers)]
    if word.startswith("M"):
        axis = float(word[2:] or 50)
        inner = shapes(" ".join(rest))
        return inner + [(kind, mirrored(kind, numbers, axis)) for kind, numbers in inner]
    count, one, two = int(word[1:]), float(rest[0]), float(rest[1])
    inner = shapes(" ".join(rest[2:]))
    if word.startswith("*"):
        return [
            (kind, moved(kind, numbers, k * one, k * two)) for k in range(count) for kind, numbers in inner
        ]
    turns = [2 * math.pi * k / count for k in range(count)]
    return [(kind, turned(numbers, one, two, turn)) for turn in turns for kind, numbers in inner]


def mirrored(kind: str, numbers: tuple[float, ...], axis: float) -> tuple[float, ...]:
    """Return a stroke's mirror image."""
    if kind in "OA":
        x, y, rx, ry, *angles = numbers
        return (2 * axis - x, y, rx, ry, *(180 - angle for angle in angles))
    return tuple(2 * axis - value if k % 2 == 0 else value for k, value in enumerate(numbers))


def moved(kind: str, numbers: tuple[float, ...], dx: float, dy: float) -> tuple[float, ...]:
    """Return a stroke moved."""
    if kind in "OA":
        return (numbers[0] + dx, numbers[1] + dy, *numbers[2:])
    return tuple(value + (dy if k % 2 else dx) for k, value in enumerate(numbers))


def turned(numbers: tuple[float, ...], x: float, y: float, turn: float) -> tuple[float, ...]:
    """Return a stroke of points turned about a point."""
    cos, sin = math.cos(turn), math.sin(turn)
    points = [(a - x, b - y) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
    return tuple(
        v for a, b in points for v in (round(x + a * cos - b * sin, 2), round(y + a * sin + b * cos, 2))
    )


class Exact(Pencil):
    """The hand that draws a design as it is meant, to measure it."""

    def near(self, point: Point, spread: float = 1.0) -> Point:
        """Return the point itself."""
        return point


def exact(part: Part) -> list[Points]:
    """Return the strokes of a part without a person's unsteadiness."""
    hand = Exact(part.name)
    result: list[Points] = []
    for kind, numbers in part.shapes:
        if kind in "OA":
            x, y, rx, ry, *angles = numbers
            begin, end = angles or (0.0, 360.0)
            angle = np.radians(np.linspace(begin, end, 41))
            result.append(np.column_stack([x + rx * np.cos(angle), y + ry * np.sin(angle)]))
            continue
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        points += points[:1] if kind in "PK" else []
        points += [(points[0][0], points[0][1] + 1)] if kind == "D" else []
        result.append(np.array(hand.curve("", *points).path if kind in "CK" else points))
    return result


def box(strokes: list[Points]) -> list[float]:
    """Return left, top, right and bottom of strokes."""
    points = np.concatenate(strokes)
    return [round(float(value), 1) for value in (*points.min(axis=0), *points.max(axis=0))]


def check(part: Part) -> dict[str, Any]:
    """Return the check of a part, with what its strokes tell."""
    strokes, options = exact(part), dict(part.options)
    line = options.pop("line")
    result: dict[str, Any] = {"part": part.name, "kind": part.kind}
    options.pop("loose", None)
    single = {key: value[0] if len(value) == 1 else value for key, value in options.items()}
    if part.kind in ("marks", "rings"):
        boxes = [box([stroke]) for stroke in strokes]
        result["at"] = [[round((a + c) / 2, 1), round((b + d) / 2, 1)] for a, b, c, d in boxes]
        result["size"] = round(max(max(c - a, d - b) for a, b, c, d in boxes), 1)
    elif part.kind == "span":
        result["box"] = box(strokes)
    elif part.kind == "join":
        result |= {"start": line[:2], "end": line[2:]}
    elif part.kind == "around":
        result["centre"] = line
    elif part.kind == "across":
        result |= {"start": line[:2], "end": line[2:]}
    else:
        raise ValueError(f"{part.name}: no check {part.kind!r}")
    return result | single


def chosen(names: str, parts: list[Part]) -> list[Part]:
    """Return the parts that a list of names stands for."""
    found: list[Part] = []
    for name in names.split(","):
        fitting = [part for part in parts if fnmatchcase(part.name, name.strip())]
        if not fitting:
            raise ValueError(f"no part is called {name!r}")
        found += [part for part in fitting if part not in found]
    return found


def required(must: str, missing: list[Part]) -> list[list[dict[str, Any]]]:
    """Return for each part that must come the checks of which one must pass."""
    result: list[list[dict[str, Any]]] = []
    for each in must.split(","):
        if "|" in each:
            result.append([check(part) for part in chosen(each.replace("|", ","), missing)])
        else:
            result += [[check(part)] for part in chosen(each, missing)]
    return result


def small(part: Part, shape: Shape, path: Points) -> bool:
    """Return whether no line should run through a stroke: a mark, or a closed part, not a wheel or centre."""
    closed = (
        shape[0] in "OPK" and Mark.of(path).size < SMALL and part.kind != "rings" and part.name != "centre"
    )
    return part.kind == "marks" or closed


def beginning(design: Design, given_names: str, must: str, guessable: bool) -> dict[str, Any]:
    """Return a beginning as the file holds it."""
    name = f"{design.label}: {given_names}"
    given = chosen(given_names, design.parts)
    missing = [part for part in design.parts if part not in given]
    person = Person(name)
    order = list(given)
    if person.chance(0.4):
        person.random.shuffle(order)
    drawn = [(part, shape, path) for part in order for shape, path in person.strokes(part)]
    whole = [stroke for part in design.parts for stroke in exact(part)]
    low, high = (np.array(box(whole)[k : k + 2]) for k in (0, 2))
    page, frame = person.frame(np.array([low, high]))
    strokes = [person.sampled(np.array(path) @ frame[:, :2].T + frame[:, 2]) for _, _, path in drawn]
    kept = [stroke for part in given for stroke in exact(part)]
    rest = [exact(part) for part in missing]
    loose = [box([stroke]) for part in rest for stroke in part if floating(kept + part, stroke, kept)]
    loose += [box(exact(part)) for part in missing if "loose" in part.options]
    ink = sum(float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for part in rest for stroke in part)
    return {
        "name": name,
        "category": design.category,
        "guessable": guessable,
        "page": page,
        "map": [[round(float(value), 4) for value in row] for row in frame],
        "given": [[whole_numbers(axis) for axis in stroke.T] for stroke in strokes],
        "parts": [part.name for part, _, _ in drawn],
        "small": [k for k, (part, shape, path) in enumerate(drawn) if small(part, shape, np.array(path))],
        "once": [check(part) for part in given if part.kind == "around"],
        "must": required(must, missing),
        "room": [box(kept), *(box(part) for part in rest)],
        "loose": loose,
        "missing": round(ink),
        "source": "sketchgen procedure",
    }


def whole_numbers(values: Points) -> list[float | int]:
    """Return numbers as JSON writes them shortest."""
    return [int(value) if float(value).is_integer() else float(value) for value in values]


def main(folder: Path) -> None:
    """Write `beginnings.ndjson` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    designs = read_designs((FOLDER / "designs.txt").read_text(encoding="utf-8"))
    lines = [beginning(design, *each) for design in designs for each in design.begun]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (folder / "beginnings.ndjson").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
