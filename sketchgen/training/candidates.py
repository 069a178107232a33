"""Rehearsals: how a model finishes what people began, beside how they did, to learn from.

They are drawn once, before the training, into files of `CHUNK` beginnings each; what an interrupted run has
left is not drawn again. A chunk depends on the store, the model, the settings and its number alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.completion.completer import LIMIT, Completer, load
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.rollout import Request, draw_all
from sketchgen.completion.sampler import prime_all
from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import random_cut
from sketchgen.data.store import Store
from sketchgen.errors import FormatError
from sketchgen.evaluation.finishing import completion_values
from sketchgen.models.reward_model import resimplified
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.training.candidate_files import (
    CHUNK,
    Rehearsal,
    chunk_path,
    flat,
    known_rows,
    note,
    strokes_of,
    write_rows,
)
from sketchgen.training.partial_sketches import closed
from sketchgen.training.reward_batches import Group

TEMPERATURES = (0.25, 0.5)
"""Those at which chunks are drawn, in turn: what people use."""

EVENLY = 0.25
"""Categories are taken by this power of their numbers of drawings: of rare ones drawings come repeatedly."""

Progress = Callable[[int, int], None]
"""Called with the beginnings that are drawn, and how many there are to be."""


def rehearse(rehearsal: Rehearsal, folder: Path, jobs: int, progress: Progress | None = None) -> None:
    """Draw what is not there yet, in so many processes.

    Raises:
        CheckpointError: no model there, or the folder holds other rehearsals.
        FormatError: no store there, or it has no drawings in that split.
        OutputError: a file cannot be written.
    """
    load(rehearsal.model)
    if not len(Store.open(rehearsal.store).split(rehearsal.split)):
        raise FormatError(f"{rehearsal.store} has no drawings to {rehearsal.split}; prepare more")
    note(folder, rehearsal)
    left = [number for number in range(rehearsal.chunks) if not chunk_path(folder, number).exists()]
    done = rehearsal.chunks - len(left)
    write = functools.partial(_write, rehearsal, folder)
    if jobs <= 1 or len(left) <= 1:
        drawn: Iterator[None] = map(write, left)
        _count(drawn, done, rehearsal, progress)
        return
    with ProcessPoolExecutor(min(jobs, len(left)), get_context("spawn")) as pool:
        try:
            _count(pool.map(write, left), done, rehearsal, progress)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _count(drawn: Iterator[None], done: int, rehearsal: Rehearsal, progress: Progress | None) -> None:
    for number, _ in enumerate(drawn, done + 1):
        if progress is not None:
            progress(min(number * CHUNK, rehearsal.beginnings), rehearsal.beginnings)


def _write(rehearsal: Rehearsal, folder: Path, number: int) -> None:
    write_rows(chunk_path(folder, number), drawn_chunk(rehearsal, number))


@functools.lru_cache(1)
def _sources(rehearsal: Rehearsal) -> tuple[Drawings, NDArray[np.int64], Completer]:
    """The drawings, which of them are begun, in their order, and the model: loaded once a process."""
    drawings = Store.open(rehearsal.store).split(rehearsal.split).drawings()
    return drawings, chosen(drawings, rehearsal.beginnings, rehearsal.seed), load(rehearsal.model)


def chosen(drawings: Drawings, count: int, seed: int) -> NDArray[np.int64]:
    """(count,) which drawings are begun: rare categories more often than by their numbers; see `EVENLY`.

    Where more of a category are wanted than there are, all of them come equally often, give or take one.
    """
    random = np.random.default_rng([seed, 3])
    sizes = np.bincount(drawings.category, minlength=len(drawings.categories))
    weights = np.where(sizes > 0, sizes.astype(np.float64) ** EVENLY, 0.0)
    wanted = np.diff(np.rint(count * np.cumsum(weights) / weights.sum()), prepend=0.0).astype(np.int64)
    found = [np.zeros(0, dtype=np.int64)]
    for category in np.flatnonzero(wanted):
        rows = random.permutation(np.flatnonzero(drawings.category == category))
        found.append(np.resize(rows, wanted[category]))
    return random.permutation(np.concatenate(found))


@dataclass(frozen=True)
class _Start:
    """A drawing that was begun, as the model goes on with it.

    Attributes:
        beginning: what is given.
        category: index of the model's.
        seed: of its ways.
    """

    beginning: PartialSketch
    category: int
    seed: int


def drawn_chunk(rehearsal: Rehearsal, number: int) -> list[dict[str, Any]]:
    """The rows of a chunk; drawings that are too short to be begun are left out."""
    drawings, order, model = _sources(rehearsal)
    random = np.random.default_rng([rehearsal.seed, 4, number])
    rows: list[dict[str, Any]] = []
    starts: list[_Start] = []
    for index in order[number * CHUNK : (number + 1) * CHUNK]:
        sketch = drawings.sketch(int(index))
        part = random_cut(sketch, random)
        beginning = PartialSketch.of(Sketch.from_strokes(part.given.strokes if part else []), model.closing)
        # Where nothing is given, or a dot, the page decides how it is read: there is nothing to go on from.
        if part is not None and not beginning.known:
            known = sketch.category if sketch.category in model.categories else None
            starts.append(_Start(beginning, model.category_index(known), int(random.integers(2**31))))
            rest = closed(list(part.rest.strokes), beginning, inside=part.inside)
            rows.append({"category": sketch.category, "given": flat(part.given.strokes), "rest": flat(rest)})
    if not rows:
        return rows
    drawn = _drawn(model, starts, rehearsal.ways, TEMPERATURES[number % len(TEMPERATURES)])
    for row, ways in zip(rows, drawn, strict=True):
        row["ways"] = [flat(way) for way in ways]
        row["worths"] = completion_values(strokes_of(row["given"]), strokes_of(row["rest"]), ways)
    return [row for row in rows if any(row["ways"])]


def _drawn(
    model: Completer, starts: Sequence[_Start], ways: int, temperature: float
) -> list[list[Sequence[Points]]]:
    """How the model goes on from each start: the strokes of each of so many ways."""
    going_on = _going_on(model, starts, ways, temperature)
    # Whether the last stroke goes on is all in which what is read for the ways of a start differs.
    kinds = [(row, on) for row, each in enumerate(going_on) for on in sorted(set(each.tolist()))]
    given = [
        starts[row].beginning.prefix(np.array([starts[row].category]), np.array([on])) for row, on in kinds
    ]
    place = {kind: number for number, kind in enumerate(kinds)}
    requests = [
        Request(place[row, on], starts[row].seed, number)
        for row, each in enumerate(going_on)
        for number, on in enumerate(each.tolist())
    ]
    added = iter(draw_all(model.network(), given, requests, temperature, LIMIT, model.guidance))
    return [
        [
            start.beginning.added(way.offset, way.pen, None, going_on=on).strokes
            for on, way in zip(each.tolist(), [next(added) for _ in each], strict=True)
        ]
        for start, each in zip(starts, going_on, strict=True)
    ]


def _going_on(
    model: Completer, starts: Sequence[_Start], ways: int, temperature: float
) -> list[NDArray[np.bool_]]:
    """Which ways go on with the last given stroke, of each start."""
    before, last = zip(*(start.beginning.before(start.category) for start in starts), strict=True)
    lifted = prime_all(model.decoder, before)[0].lift_probability(np.stack(last))
    return [
        np.random.default_rng([start.seed, 5]).random(ways) >= start.beginning.done_at(chance, temperature)
        for start, chance in zip(starts, lifted.tolist(), strict=True)
    ]


def read_groups(folder: Path, rehearsal: Rehearsal, categories: Sequence[str]) -> list[Group]:
    """What was drawn, as a critic of these categories learns from it.

    Raises:
        FormatError: a file is damaged or missing.
        SettingError: a category that is not among these.
    """
    return [_group(row, category) for category, row in known_rows(folder, rehearsal, categories)]


def _group(row: dict[str, Any], category: int) -> Group:
    given, rest = strokes_of(row["given"]), strokes_of(row["rest"])
    ways = [(strokes_of(way), worth) for way, worth in zip(row["ways"], row["worths"], strict=True) if way]
    others = [resimplified(given, way) for way, _ in ways]
    return Group(category, given, rest, resimplified(given, rest), others, [worth for _, worth in ways])
