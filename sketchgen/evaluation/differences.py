"""What `compare` found, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sketchgen.evaluation.report_sections import Grid, percent, with_error

Found = Mapping[str, Any]


def difference_grids(found: Found) -> Iterator[Grid]:
    """Tables of both models and of their differences, B - A: a row for each share given and depth."""
    a, b = str(found["a"]), str(found["b"])
    head = ("", a, b, "difference")
    title = f"{b} against {a}, {found['drawings']} drawings, split {found['split']}: nats per sketch"
    yield Grid(title, head, [_row(name, row, 2) for name, row in found["nats_per_sketch"].items()])
    rows = [_row(f"{_given(share)}, {name}", row, 4) for share, name, row in _by(found["nats"])]
    yield Grid("Nats per point", head, rows)
    if "recognition" not in found:
        return
    for scale, table in found["recognition"].items():
        warm = [f"{found['best_temperature'][key][scale]:g}" for key in "ab"]
        who = f"Named right by {found['judge']['name']}" if "judge" in found else "Named right"
        title = f"{who}, {scale}, {found['finished']} drawings, temperatures {' and '.join(warm)}"
        rows = [
            (
                f"{_given(share)}, {name}, {words}",
                *(percent(row[key][item]) for item in ("a", "b", "difference")),
            )
            for share, name, row in _by(table)
            for key, words in (("top1", "first name"), ("top5", "among first 5"))
        ]
        yield Grid(title, head, rows)
    rows = [
        _row(f"{_given(share)}, {name}, {words}", row[key], 2)
        for share, name, row in _by(found["ten_ways"])
        for key, words in (("best", "nearest of 10 to the truth"), ("apart", "apart from each other"))
    ]
    yield Grid("Ten ways to finish, px", head, rows)


def _by(table: Found) -> Iterator[tuple[str, str, Found]]:
    """Share given, depth, and what stands there."""
    for share, groups in table.items():
        for name, row in groups.items():
            yield share, name, row


def _row(name: str, row: Found, digits: int) -> tuple[str, ...]:
    return name, *(with_error(row[key], digits) for key in ("a", "b", "difference"))


def _given(share: str) -> str:
    return f"{float(share):.0%} given"
