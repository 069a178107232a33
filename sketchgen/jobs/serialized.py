"""Drawings set aside until all are there: one exact JSON line each, and told apart."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from sketchgen.errors import FormatError, SketchError
from sketchgen.sketch.sketch import Box, Completion, Sketch

Item = Sketch | Completion


def to_kept(item: Item) -> bytes:
    """A drawing or a completion as one line; every float reads back as the same one."""
    if isinstance(item, Completion):
        value = {"given": _plain(item.given), "added": _plain(item.added)}
        value |= {"ended": item.ended, "log_likelihood": item.log_likelihood}
        return orjson.dumps(value) + b"\n"
    return orjson.dumps(_plain(item)) + b"\n"


def from_kept(line: bytes, name: str) -> Item:
    """What `to_kept` was given.

    Raises:
        FormatError: the line is something else; `name` is what the error calls the file.
    """
    try:
        value = orjson.loads(line)
        if "given" in value:
            given, added = _sketch(value["given"]), _sketch(value["added"])
            return Completion(given, added, bool(value["ended"]), float(value["log_likelihood"]))
        return _sketch(value)
    except (KeyError, TypeError, ValueError, SketchError) as error:
        raise FormatError(f"{name} is damaged; begin the job anew with --force") from error


def fingerprint(item: Item) -> str:
    """16 hexadecimal digits by which a drawing, its coordinates bit for bit, is known again."""
    sketch = item.added if isinstance(item, Completion) else item
    digest = hashlib.blake2b(digest_size=8)
    for stroke in sketch.strokes:
        digest.update(len(stroke).to_bytes(4, "little"))
        # Adding 0.0 makes -0.0 and 0.0, which are equal, the same.
        digest.update((stroke + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()


def _plain(sketch: Sketch) -> dict[str, Any]:
    """A drawing as JSON values."""
    page = None if sketch.page is None else list(sketch.page)
    return {
        "strokes": [stroke.tolist() for stroke in sketch.strokes],
        "page": page,
        "category": sketch.category,
    }


def _sketch(value: Any) -> Sketch:
    """The drawing in what `_plain` has made."""
    page = value["page"]
    return Sketch.from_strokes(
        value["strokes"], page=None if page is None else Box(*page), category=value["category"]
    )
