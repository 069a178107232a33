"""The unfinished drawings that come with sketchgen."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from sketchgen.errors import FormatError
from sketchgen.resources import bundled
from sketchgen.sketch.geometry import Frame, box_frame
from sketchgen.sketch.sketch import Sketch

T = TypeVar("T")

KINDS = ("close", "part", "repeat")
"""To close an open line, to add a part whose place is known, to add one more of several like parts."""


@dataclass(frozen=True)
class Item:
    """A drawing with a part left out.

    Attributes:
        kind: one of `KINDS`.
        given: the given strokes on their page, px of the page.
        missing: one way to draw the rest, on the same page. To close a line, both ends of each missing stroke
            lie on given strokes.
        later: strokes that the drawing is known to lack besides; they may be added, or not.
    """

    name: str
    category: str
    kind: str
    given: Sketch
    missing: Sketch
    later: Sketch = field(default=Sketch(()))

    @cached_property
    def whole(self) -> Sketch:
        """Given and missing strokes as one drawing."""
        return Sketch(self.given.strokes + self.missing.strokes, self.given.page, self.category)

    @cached_property
    def frame(self) -> Frame:
        """The frame that scales the whole drawing's longer side to 255 px, in which all figures are."""
        return box_frame(self.whole)


def unfinished(path: str | os.PathLike[str] | None = None) -> list[Item]:
    """Return the unfinished drawings that come with sketchgen, or those of another file of the same form."""
    return parsed_lines(path, ("unfinished", "drawings.ndjson"), _item, "unfinished drawing")


def parsed_lines(
    path: str | os.PathLike[str] | None,
    default: tuple[str, ...],
    parse: Callable[[dict[str, Any]], T],
    what: str,
) -> list[T]:
    """Return what the lines of a JSON-lines file say, or of the bundled dataset `default` without one."""
    source = Path(path) if path is not None else bundled("datasets", *default)
    try:
        lines = source.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise FormatError(f"{source} cannot be read: {error}") from error
    found: list[T] = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(parse(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{source.name}, line {number} is no {what}: {error}") from error
    return found


def _item(fields: dict[str, Any]) -> Item:
    kind, category = fields["kind"], fields["category"]
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; it must be one of {', '.join(KINDS)}")
    page = (0, 0, *fields["page"])
    given, missing, later = (
        Sketch.from_strokes([list(zip(x, y, strict=True)) for x, y in strokes], page=page, category=category)
        for strokes in (fields["given"], fields["missing"], fields.get("later", []))
    )
    if given.is_empty or missing.is_empty:
        raise ValueError("it needs strokes that are given and strokes that are missing")
    return Item(fields["name"], category, kind, given, missing, later)
