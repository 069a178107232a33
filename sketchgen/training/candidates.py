"""Candidates: several completions by a model of what people have started, each with a value.

Preference training and reward models learn from them. They are drawn once, into files of `CHUNK` partial
sketches each; what an interrupted run has left is not drawn again. A file depends on the store, the model,
the settings and its number alone.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sketchgen.completion.completer import LIMIT, Completer, load
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.rollout import Request as RolloutRequest
from sketchgen.completion.rollout import draw_all
from sketchgen.completion.sampler import prime_all
from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import random_cut
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, FormatError, SettingError
from sketchgen.evaluation.finishing import completion_values
from sketchgen.limits import MAX_DRAWINGS, check_range
from sketchgen.sketch.files import read_object, write_atomic
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen, split_strokes

CHUNK = 512
"""Partial sketches in a file."""

TEMPERATURES = (0.25, 0.5)
"""Those at which files are drawn, in turn: what people use."""

BALANCE = 0.25
"""Categories are taken by this power of their numbers of drawings: drawings of rare ones come repeatedly."""

_SPEC = "candidates.json"
_STROKES = pa.list_(pa.list_(pa.float32()))
_SCHEMA = pa.schema(
    [
        ("category", pa.string()),
        ("given", _STROKES),
        ("rest", _STROKES),
        ("candidates", pa.list_(_STROKES)),
        ("values", pa.list_(pa.float32())),
    ]
)
"""A row a partial sketch. A stroke is x, y, x, y, ... in px of the drawing's 255 box."""

Strokes = list[Points]

Progress = Callable[[int, int], None]
"""Called with the number of partial sketches that are completed, and the number of all."""


@dataclass(frozen=True)
class CandidateSpec:
    """What is drawn into a folder: `candidates` completions of each of `sketches` partial sketches."""

    store: str
    split: str
    checkpoint: str | None
    sketches: int
    candidates: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("sketches", self.sketches, 1, MAX_DRAWINGS)
        check_range("candidates", self.candidates, 1, 64)
        check_range("seed", self.seed, 0, 2**31)

    def paths(self, folder: Path) -> list[Path]:
        """Return the files of a folder."""
        return [folder / f"candidates-{number:05d}.arrow" for number in range(-(-self.sketches // CHUNK))]


@dataclass(frozen=True)
class CandidateGroup:
    """A partial sketch and several completions of it, px of the drawing's 255 box.

    Attributes:
        given, rest: its strokes, and how the person went on.
        candidates: strokes that the model added, each time; none where it ended at once.
        values: of each candidate; see `sketchgen.evaluation.finishing.completion_values`.
    """

    category: str
    given: Strokes
    rest: Strokes
    candidates: list[Strokes]
    values: list[float]


def write_spec(folder: Path, spec: CandidateSpec) -> None:
    """Note what is drawn into a folder."""
    file, wanted = folder / _SPEC, asdict(spec)
    folder.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        write_atomic(file, json.dumps(wanted).encode())
        return
    found = _load_json(file)
    wrong = [name for name in wanted if found.get(name) != wanted[name]]
    if wrong:
        raise CheckpointError(f"{folder} was drawn with another {wrong[0]}; choose another folder")


def read_spec(folder: Path) -> CandidateSpec:
    """Read what stands in a folder."""
    try:
        spec = CandidateSpec(**_load_json(folder / _SPEC))
    except (TypeError, SettingError) as error:
        remedy = "draw some by sketchgen sample-candidates STORE -o FOLDER"
        raise FormatError(f"{folder} holds no candidates; {remedy}") from error
    files = spec.paths(folder)
    drawn = sum(path.exists() for path in files)
    if drawn < len(files):
        remedy = "repeat the command that draws them, which goes on where it stopped"
        raise FormatError(f"{folder} has {drawn} of {len(files)} files of candidates; {remedy}")
    return spec


def _load_json(file: Path) -> dict[str, Any]:
    """Return the object in a file; an empty one where there is none."""
    try:
        return read_object(file)
    except (OSError, ValueError):
        return {}


def write_groups(path: Path, groups: Sequence[CandidateGroup]) -> None:
    """Write a file of candidates."""
    rows = [
        {
            "category": group.category,
            "given": _flat(group.given),
            "rest": _flat(group.rest),
            "candidates": [_flat(each) for each in group.candidates],
            "values": group.values,
        }
        for group in groups
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, _SCHEMA) as writer:
        writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))
    write_atomic(path, sink.getvalue().to_pybytes(), force=True)


def read_groups(folder: Path, spec: CandidateSpec | None = None) -> Iterator[CandidateGroup]:
    """Read the candidates of a folder: those of a `spec`, or all that it holds."""
    for path in (spec or read_spec(folder)).paths(folder):
        try:
            with pa.memory_map(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
            rows = table.select(_SCHEMA.names).cast(_SCHEMA).to_pylist()
        except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
            raise FormatError(f"{path} is damaged or missing; delete it and resume") from error
        for row in rows:
            several = [_strokes(each) for each in row["candidates"]]
            given, rest = _strokes(row["given"]), _strokes(row["rest"])
            yield CandidateGroup(row["category"], given, rest, several, row["values"])


def category_index(folder: Path, group: CandidateGroup, categories: Sequence[str]) -> int:
    """Return the index of a group's category."""
    if group.category not in categories:
        raise SettingError(f"{folder} holds {group.category!r}, which the network does not know")
    return categories.index(group.category)


def _flat(strokes: Sequence[Points]) -> list[list[float]]:
    return [stroke.ravel().tolist() for stroke in strokes]


def _strokes(rows: Sequence[Sequence[float]]) -> Strokes:
    return [np.array(stroke).reshape(-1, 2) for stroke in rows]


def draw_candidates(spec: CandidateSpec, folder: Path, jobs: int, progress: Progress | None = None) -> None:
    """Draw the candidates that are not in a folder yet, by so many processes."""
    load(spec.checkpoint)
    if not len(Store.open(spec.store).split(spec.split)):
        raise FormatError(f"{spec.store} has no drawings in its {spec.split} split; prepare more")
    write_spec(folder, spec)
    files = spec.paths(folder)
    left = [number for number, path in enumerate(files) if not path.exists()]
    write = functools.partial(_write_chunk, spec, folder)
    pool = None
    if jobs > 1 and len(left) > 1:
        pool = ProcessPoolExecutor(min(jobs, len(left)), get_context("spawn"))
    try:
        written = map(write, left) if pool is None else pool.map(write, left)
        for number, _ in enumerate(written, len(files) - len(left) + 1):
            if progress is not None:
                progress(min(number * CHUNK, spec.sketches), spec.sketches)
    finally:
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)


def _write_chunk(spec: CandidateSpec, folder: Path, number: int) -> None:
    write_groups(spec.paths(folder)[number], draw_chunk(spec, number))


@functools.lru_cache(1)
def _sources(spec: CandidateSpec) -> tuple[Drawings, NDArray[np.int64], Completer]:
    """Return the drawings, which of them are completed, in order, and the model: loaded once a process."""
    drawings = Store.open(spec.store).split(spec.split).drawings()
    return drawings, choose_drawings(drawings, spec.sketches, spec.seed), load(spec.checkpoint)


def choose_drawings(drawings: Drawings, count: int, seed: int) -> NDArray[np.int64]:
    """Return indices of `count` drawings, with rare categories more often than in the store; see `BALANCE`.

    Where more of a category are wanted than there are, all of them come equally often, give or take one.
    """
    random = np.random.default_rng([seed, 3])
    sizes = np.bincount(drawings.category, minlength=len(drawings.categories))
    weights = np.where(sizes > 0, sizes.astype(np.float64) ** BALANCE, 0.0)
    wanted = np.diff(np.rint(count * np.cumsum(weights) / weights.sum()), prepend=0.0).astype(np.int64)
    found = [np.zeros(0, dtype=np.int64)]
    for category in np.flatnonzero(wanted):
        rows = random.permutation(np.flatnonzero(drawings.category == category))
        found.append(np.resize(rows, wanted[category]))
    return random.permutation(np.concatenate(found))


class _Request(NamedTuple):
    """A partial sketch to be completed, its category's index, and the seed of its candidates."""

    partial: PartialSketch
    category: int
    seed: int


def draw_chunk(spec: CandidateSpec, number: int) -> list[CandidateGroup]:
    """Draw the groups of file `number`; drawings that are too short to be cut are left out."""
    drawings, order, model = _sources(spec)
    random = np.random.default_rng([spec.seed, 4, number])
    people: list[tuple[str, Strokes, Strokes]] = []
    requests: list[_Request] = []
    for index in order[number * CHUNK : (number + 1) * CHUNK]:
        sketch = drawings.sketch(int(index))
        part = random_cut(sketch, random)
        partial = PartialSketch.of(part.given if part else Sketch.from_strokes([]), model.closing)
        # Where nothing is given, or a dot, the page decides how it is read: there is nothing to go on from.
        if part is not None and not partial.known:
            known = sketch.category if sketch.category in model.categories else None
            requests.append(_Request(partial, model.category_index(known), int(random.integers(2**31))))
            rest = close_gaps(list(part.rest.strokes), partial, inside=part.inside)
            people.append((sketch.category or "", list(part.given.strokes), rest))
    if not people:
        return []
    drawn = _complete(model, requests, spec.candidates, TEMPERATURES[number % len(TEMPERATURES)])
    return [
        CandidateGroup(*person, candidates, completion_values(*person[1:], candidates))
        for person, candidates in zip(people, drawn, strict=True)
        if any(candidates)
    ]


def close_gaps(rest: Strokes, partial: PartialSketch, *, inside: bool) -> Strokes:
    """Return a person's strokes with gaps closed as a model's are, so that gaps do not tell them apart.

    Without a closer they stay as they are; `inside` tells whether the first continues the last given stroke.
    """
    if partial.closer is None:
        return rest
    points, pen = framed(partial, rest, continues=inside)
    closed = partial.closer.closed(points, pen, going_on=inside)
    strokes = split_strokes(partial.on_page(closed), pen == Pen.LIFT)
    return [np.concatenate([partial.origin[None], strokes[0]]), *strokes[1:]] if inside else strokes


def framed(
    partial: PartialSketch, strokes: Sequence[Points], *, continues: bool
) -> tuple[Points, NDArray[np.int64]]:
    """Return strokes on the page as points and pens, px of the network's frame from the last given one.

    Where the first stroke `continues` the last given one, its first point is that one's last.
    """
    parts = [strokes[0][1:], *strokes[1:]] if continues else list(strokes)
    points = (np.concatenate(parts) - partial.origin) / partial.frame.scale
    pen = np.full(len(points), int(Pen.DRAW))
    pen[np.cumsum([len(part) for part in parts]) - 1] = int(Pen.LIFT)
    return points, pen


def _complete(
    model: Completer, requests: Sequence[_Request], count: int, temperature: float
) -> list[list[Strokes]]:
    """Return `count` completions of each request: the strokes that the model adds."""
    continued = _continued(model, requests, count, temperature)
    # Whether the last stroke goes on is all in which what is read for the candidates of a request differs.
    kinds: dict[tuple[int, bool], int] = {}
    several = [
        RolloutRequest(kinds.setdefault((row, on), len(kinds)), requests[row].seed, number)
        for row, each in enumerate(continued)
        for number, on in enumerate(each.tolist())
    ]
    given = [
        requests[row].partial.prefix(np.array([requests[row].category]), np.array([on])) for row, on in kinds
    ]
    drawn = iter(draw_all(model.network(), given, several, temperature, LIMIT, model.guidance))
    return [
        [
            list(request.partial.added(steps.offset, steps.pen, None, going_on=on).strokes)
            for on, steps in zip(each.tolist(), drawn, strict=False)
        ]
        for request, each in zip(requests, continued, strict=True)
    ]


def _continued(
    model: Completer, requests: Sequence[_Request], count: int, temperature: float
) -> list[NDArray[np.bool_]]:
    """Return which candidates of each request go on with the last given stroke."""
    before, last = zip(*(request.partial.before(request.category) for request in requests), strict=True)
    lifted = prime_all(model.decoder, before)[0].lift_probability(np.stack(last))
    return [
        np.random.default_rng([request.seed, 5]).random(count) >= request.partial.done_at(chance, temperature)
        for request, chance in zip(requests, lifted.tolist(), strict=True)
    ]
