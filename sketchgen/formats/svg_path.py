"""The `d` of SVG paths as polylines: read in linear time, as far as it is well-formed, like browsers do."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Int

from sketchgen.errors import SketchError
from sketchgen.sketch.sketch import MAX_POINTS, Points

Report = Callable[[str], None]
"""Called with what is wrong with an element."""

MAX_PIECES = 4096
"""Maximum number of straight pieces of a curve."""

ROUGHNESS = 1 / 500
"""Tolerance as a share of the extent of a curve, if there is no page."""

_SHORT = 10_000
"""Characters of numbers that may be split at once, to bound memory."""

NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NEXT = re.compile(rf"[\s,]*({NUMBER.pattern})")
_GAP = r"[\s,]*"
_ARC = re.compile(
    _GAP.join(f"({each})" for each in [NUMBER.pattern] * 3 + ["[01]"] * 2 + [NUMBER.pattern] * 2)
)
_COMMAND = re.compile("([MmLlHhVvCcSsQqTtAaZz])([^MmLlHhVvCcSsQqTtAaZz]*)")
_OTHER = re.compile(r"[^\s,]")
_SIZES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}

_Segment = tuple[float, ...]
"""x, y of each control point of a cubic Bézier curve but the first, or of the end of a line."""


def read_numbers(text: str, most: int) -> tuple[list[float], str]:
    """Return the numbers at the start of a text, each the nearest float64, and what stands behind them.

    Args:
        text: numbers separated by white space and commas.
        most: how many are read.
    """
    # The usual case, for which no pattern is needed; ASCII, as `float` takes digits of any script.
    if len(text) < _SHORT and text.isascii() and "_" not in text:
        spaced = text.replace(",", " ")
        if "e" not in spaced and "E" not in spaced:
            spaced = spaced.replace("-", " -")
        try:
            values = [float(each) for each in spaced.split()]
        except ValueError:
            pass
        else:
            if len(values) <= most and all(map(math.isfinite, values)):
                return values, ""
    values, at = [], 0
    while len(values) < most and (match := _NEXT.match(text, at)):
        if not math.isfinite(value := float(match[1])):
            break
        values.append(value)
        at = match.end()
    rest = _OTHER.search(text, at) if len(values) < most else None
    return values, text[rest.start() :] if rest else ""


def cost(text: str) -> int:
    """Return about how long it takes to read a path; 1 is 3 microseconds."""
    # An arc is several curves.
    return 2 * sum(map(text.count, "MmLlHhVvZzCcSsQqTt")) + 8 * sum(map(text.count, "Aa"))


def path_lines(text: str, tolerance: float | None, report: Report) -> list[Points]:
    """Return the subpaths of a path's `d`, each (n, 2); one without length is a point, a lone "M" nothing.

    A path is read up to its first error, which is reported.

    Args:
        text: the commands.
        tolerance: maximum distance of a flattened curve from the curve; None for a share of its extent.
        report: called with the error.

    Raises:
        SketchError: more than `MAX_POINTS` points.
    """
    parser = _PathParser()
    if (fault := parser.read(text)) is not None:
        report(f"the path {text[:40]!r} is drawn up to {fault[:20]!r}, which cannot be read; is it cut off?")
    return _flattened(parser.subpaths, tolerance)


class _PathParser:
    """Reads commands into subpaths, each its start and its segments."""

    def __init__(self) -> None:
        self.subpaths: list[list[_Segment]] = []
        self._open = False
        self._at = self._start = self._control = (0.0, 0.0)
        self._before = ""
        self._count = 0

    def read(self, text: str) -> str | None:
        """Read a path; return where it goes wrong, or None."""
        first = _COMMAND.search(text)
        head = text[: first.start()] if first else text
        if head.strip() or (first is not None and first[1] not in "Mm"):
            return head.strip() or text
        for match in _COMMAND.finditer(text):
            letter, arguments = match.groups()
            upper = letter.upper()
            size = _SIZES[upper]
            self._spend(1)
            if upper == "A":
                values, rest = _arc_values(arguments)
            else:
                values, rest = read_numbers(arguments, 6 * MAX_POINTS + 6)
            if not size:
                self._close()
            elif len(values) >= size:
                self._draw(upper, letter != upper, list(zip(*[iter(values)] * size, strict=False)))
            if rest or (size and (not values or len(values) % size)):
                return rest.strip() or letter + arguments
        return None

    def _draw(self, upper: str, relative: bool, rows: list[_Segment]) -> None:
        """Move, or draw a segment for each row of arguments."""
        if upper == "M":
            # Adding -0.0 changes nothing, not even the sign of a zero.
            x, y = self._at if relative else (-0.0, -0.0)
            self._at = self._start = (rows[0][0] + x, rows[0][1] + y)
            self._open, self._before = False, "M"
            # Further points of a move are lines.
            upper, rows = "L", rows[1:]
        if not rows:
            return
        self._spend(len(rows) - 1 if upper in "LHV" else len(rows))
        if upper == "L":
            self._add(list(_summed(rows, *self._at)) if relative else rows)
            self._before = upper
            return
        for row in rows:
            x, y = self._at if relative else (-0.0, -0.0)
            if upper == "H":
                self._add([(row[0] + x, self._at[1])])
            elif upper == "V":
                self._add([(self._at[0], row[0] + y)])
            elif upper == "A":
                self._arc(row, (row[5] + x, row[6] + y))
            elif upper == "C":
                self._control = (row[2] + x, row[3] + y)
                self._add([(row[0] + x, row[1] + y, *self._control, row[4] + x, row[5] + y)])
            else:
                self._curve(upper, [(row[at] + x, row[at + 1] + y) for at in range(0, len(row), 2)])
            self._before = upper

    def _curve(self, upper: str, points: list[tuple[float, float]]) -> None:
        """Draw a curve of degree 2, or a smooth one; S and T mirror the control point before."""
        (x, y), end = self._at, points[-1]
        if upper in "ST":
            smooth = self._before in ("CS" if upper == "S" else "QT")
            control = self._control if smooth else (x, y)
            points = [(2 * x - control[0], 2 * y - control[1]), *points]
        self._control = points[-2]
        if upper in "QT":
            (cx, cy), (ex, ey) = points[0], end
            points = [
                (x + 2 * (cx - x) / 3, y + 2 * (cy - y) / 3),
                (ex + 2 * (cx - ex) / 3, ey + 2 * (cy - ey) / 3),
            ]
        self._add([(*points[0], *points[1], *end)])

    def _arc(self, row: Sequence[float], end: tuple[float, float]) -> None:
        """Draw an elliptic arc as curves of at most 45 degrees: the centre as in SVG 2, appendix B.2.4."""
        rx, ry, angle, large, sweep = abs(row[0]), abs(row[1]), math.radians(row[2] % 360), row[3], row[4]
        (x0, y0), (x1, y1) = self._at, end
        if (x0, y0) == (x1, y1):
            return
        if rx < 1e-150 or ry < 1e-150 or max(rx, ry) > 1e150:
            self._add([end])
            return
        cos, sin = math.cos(angle), math.sin(angle)
        # The half chord in the frame of a unit circle.
        hx, hy = (x0 - x1) / 2, (y0 - y1) / 2
        ux, uy = (cos * hx + sin * hy) / rx, (cos * hy - sin * hx) / ry
        if (square := ux * ux + uy * uy) > 1:
            rx, ry = rx * math.sqrt(square), ry * math.sqrt(square)
            ux, uy, square = ux / math.sqrt(square), uy / math.sqrt(square), 1.0
        far = math.sqrt(max(0.0, 1 / square - 1)) if square > 0 else 0.0
        far = -far if bool(large) == bool(sweep) else far
        cx, cy = far * uy, -far * ux
        first = math.atan2(uy - cy, ux - cx)
        turn = (math.atan2(-uy - cy, -ux - cx) - first) % (2 * math.pi)
        turn = turn if sweep else turn - 2 * math.pi
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)

        def placed(px: float, py: float) -> tuple[float, float]:
            px, py = (px + cx) * rx, (py + cy) * ry
            return cos * px - sin * py + middle[0], sin * px + cos * py + middle[1]

        pieces = max(1, math.ceil(abs(turn) / (math.pi / 4) - 1e-9))
        reach = 4 / 3 * math.tan(turn / pieces / 4)
        for piece in range(pieces):
            a, b = first + turn * piece / pieces, first + turn * (piece + 1) / pieces
            one = placed(math.cos(a) - reach * math.sin(a), math.sin(a) + reach * math.cos(a))
            two = placed(math.cos(b) + reach * math.sin(b), math.sin(b) - reach * math.cos(b))
            last = end if piece == pieces - 1 else placed(math.cos(b), math.sin(b))
            self._add([(*one, *two, *last)])

    def _add(self, segments: list[_Segment]) -> None:
        """Add segments to the open subpath; after "z" a new one begins at the old start."""
        if not self._open:
            self.subpaths.append([self._at])
            self._open = True
        self.subpaths[-1] += segments
        x, y = segments[-1][-2:]
        self._at = x, y

    def _spend(self, count: int) -> None:
        """Count commands and segments."""
        self._count += count
        if self._count > 5 * MAX_POINTS // 4:
            raise SketchError(f"more than {MAX_POINTS} points in one path; simplify it or split it")

    def _close(self) -> None:
        """Close the subpath; a "z" after another changes nothing."""
        if (self._open and self._at != self._start) or (not self._open and self._before == "M"):
            self._add([self._start])
        self._at, self._open, self._before = self._start, False, "Z"


def _summed(rows: list[_Segment], x: float, y: float) -> Iterator[_Segment]:
    """Yield the ends of lines that begin at a place, each relative to the one before."""
    for dx, dy in rows:
        x, y = x + dx, y + dy
        yield x, y


def _arc_values(text: str) -> tuple[list[float], str]:
    """Return the arguments of arcs, whose flags need no space behind them, and what stands behind."""
    values: list[float] = []
    at = 0
    while start := _OTHER.search(text, at):
        match = _ARC.match(text, start.start())
        if match is None or not all(map(math.isfinite, found := [float(each) for each in match.groups()])):
            return values, text[start.start() :]
        values += found
        at = match.end()
        if len(values) > 7 * MAX_POINTS:
            break
    return values, ""


def _flattened(subpaths: Sequence[Sequence[_Segment]], tolerance: float | None) -> list[Points]:
    """Return subpaths as points; one without length is a single point."""
    if all(len(segment) == 2 for part in subpaths for segment in part):
        lines = [np.array(part) for part in subpaths]
    else:
        points, ends = _curves(subpaths, tolerance)
        lines, first = [], 0
        for part in subpaths:
            start, last = (ends[first - 1] if first else 0), ends[first + len(part) - 2]
            lines.append(np.concatenate([[part[0]], points[start:last]]))
            first += len(part) - 1
    return [
        line[:1] if part[1][-2:] == part[0] and (line == line[0]).all() else line
        for part, line in zip(subpaths, lines, strict=True)
    ]


def _curves(
    subpaths: Sequence[Sequence[_Segment]], tolerance: float | None
) -> tuple[Points, Int[np.ndarray, " segments"]]:
    """Return the points of all segments after their starts, and where those of each end.

    They stand at even steps of the parameter, their number by Wang's bound.
    """
    pairs = [pair for part in subpaths for pair in itertools.pairwise(part)]
    rows = [(*a[-2:], *b) if len(b) == 6 else (*a[-2:], *a[-2:], *b, *b) for a, b in pairs]
    controls = np.array(rows, dtype=np.float64).reshape(-1, 4, 2)
    curved = np.array([len(segment) == 6 for _, segment in pairs])
    with np.errstate(over="ignore", invalid="ignore"):
        bend = np.hypot(*np.moveaxis(np.diff(controls, n=2, axis=1), 2, 0)).max(axis=1)
        within = np.ptp(controls, axis=1).max(axis=1) * ROUGHNESS if tolerance is None else tolerance
        wanted = np.sqrt(6 / 8 * bend / np.maximum(within, 1e-300))
    wanted = np.where(curved & (bend > 0), np.nan_to_num(wanted, nan=1.0, posinf=MAX_PIECES), 1.0)
    counts = np.clip(np.ceil(wanted), 1, MAX_PIECES).astype(np.int64)
    ends = np.cumsum(counts)
    if ends[-1] > MAX_POINTS:
        raise SketchError(f"more than {MAX_POINTS} points in one path; simplify it or split it")
    which = np.repeat(np.arange(len(counts)), counts)
    t = ((np.arange(ends[-1]) - np.repeat(ends - counts, counts) + 1) / counts[which])[:, None, None]
    points = controls[which]
    while points.shape[1] > 1:
        # De Casteljau, all at once: (points, controls, 2) shrinks by one control a round.
        points = points[:, :-1] * (1 - t) + points[:, 1:] * t
    # The ends are exact.
    points[ends - 1, 0] = controls[:, 3]
    return points[:, 0], ends
