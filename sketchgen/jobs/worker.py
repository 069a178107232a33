"""The work on one drawing: choose the best candidate, recognise it and encode it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from sketchgen.errors import FormatError, SketchError
from sketchgen.formats.registry import encode
from sketchgen.jobs.engine import DrawingResult, Engine
from sketchgen.jobs.near_duplicates import signature
from sketchgen.jobs.spec import DrawingRequest, Item, Job
from sketchgen.ranking.ranker import Candidate, Ranker, load_ranker
from sketchgen.sketch.sketch import Box, Completion, Layer, Sheet, Sketch

if TYPE_CHECKING:
    from sketchgen.models.recogniser import Recogniser


@dataclass(frozen=True)
class WorkerOptions:
    """What an output needs from the workers.

    Attributes:
        serialize: whether drawings are serialized by `to_line`, because one file is made of all at the end,
            instead of encoded one by one.
        sheet_cells: number of first drawings that are serialized besides, for a contact sheet.
    """

    serialize: bool = False
    sheet_cells: int = 0


@dataclass(frozen=True)
class Record:
    """A finished drawing.

    Attributes:
        number: position in the job, from 0.
        index: index of the chosen candidate's random numbers.
        category: under which it was drawn; None for none.
        log_likelihood, ended, points: see `DrawingResult`.
        hash: fingerprint of the coordinates.
        label, probability: the recogniser's likeliest category and its probability.
        dropped: why there is no file; None if there is one.
        signature: signature by which near-duplicates are found.
        data: content to write; None if the drawing is dropped.
        cell: the serialized drawing for a contact sheet.
    """

    number: int
    index: int
    category: str | None
    log_likelihood: float
    ended: bool
    points: int
    hash: str
    label: str | None = None
    probability: float | None = None
    dropped: str | None = None
    signature: bytes | None = None
    data: bytes | None = None
    cell: bytes | None = None


class Worker:
    """A maker of a job's drawings with one engine."""

    def __init__(self, job: Job, options: WorkerOptions, engine: Engine) -> None:
        self._job, self._options, self._engine = job, options, engine
        self._ranker: Ranker | None = load_ranker(job.rank) if job.best_of > 1 else None
        self._recogniser: Recogniser | None = None
        if job.uses_recogniser:
            from sketchgen.models.recogniser import default_recogniser

            self._recogniser = (self._ranker and self._ranker.recogniser) or default_recogniser()

    def make(self, drawings: Iterable[DrawingRequest]) -> Iterator[Record]:
        """Yield each drawing as soon as it is finished; they are read when the engine has room for one."""
        candidates: dict[int, list[DrawingResult]] = {}
        requests = (each for drawing in drawings for each in self._job.candidates(drawing))
        for result in self._engine.draw(requests):
            number = result.request.number // self._job.best_of
            found = candidates.setdefault(number, [])
            found.append(result)
            if len(found) == self._job.best_of:
                yield self._record(number, candidates.pop(number))

    def _record(self, number: int, results: list[DrawingResult]) -> Record:
        """Return the record of a drawing; it does not depend on other drawings."""
        results = sorted(results, key=lambda result: result.request.index)
        best = results[0]
        if self._ranker is not None:
            candidates = [Candidate(each.completion, each.symmetry, each.belief) for each in results]
            best = results[self._ranker.rank(candidates, best.request.category)[0]]
        item, serialize, whole = best.item, self._options.serialize, best.completion.whole
        label = probability = None
        if self._recogniser is not None and not whole.is_empty:
            guess = self._recogniser.recognise(whole, 1)[0]
            label, probability = guess.category, round(guess.probability, 6)
        line = to_line(item) if serialize or number < self._options.sheet_cells else b""
        return Record(
            number=number,
            index=best.request.index,
            category=best.completion.category,
            log_likelihood=best.completion.log_likelihood,
            ended=best.completion.ended,
            points=best.points,
            hash=fingerprint(item),
            label=label,
            probability=probability,
            signature=signature(item) if self._job.unique else None,
            data=line if serialize else encode(item, self._job.render_options),
            cell=None if serialize else line or None,
        )


def to_line(item: Item) -> bytes:
    """Serialize a sketch or a completion as a line of JSON from which every float is read back exactly."""
    if isinstance(item, Completion):
        value = {"given": _to_json(item.given), "added": _to_json(item.added)}
        value |= {"ended": item.ended, "log_likelihood": item.log_likelihood, "category": item.category}
        return orjson.dumps(value) + b"\n"
    return orjson.dumps(_to_json(item)) + b"\n"


def from_line(line: bytes, name: str) -> Item:
    """Return the sketch or completion that `to_line` serialized; a FormatError names the file."""
    try:
        value = orjson.loads(line)
        if "given" in value:
            given, added = _from_json(value["given"]), _from_json(value["added"])
            ended, log_likelihood = bool(value["ended"]), float(value["log_likelihood"])
            return Completion(given, added, ended, log_likelihood, value["category"])
        return _from_json(value)
    except (KeyError, TypeError, ValueError, SketchError) as error:
        raise FormatError(f"{name} is damaged; begin the job anew with --force") from error


def fingerprint(item: Item) -> str:
    """Return 16 hexadecimal digits that identify the exact coordinates of a drawing."""
    sketch = item.added if isinstance(item, Completion) else item
    digest = hashlib.blake2b(digest_size=8)
    for stroke in sketch.strokes:
        digest.update(len(stroke).to_bytes(4, "little"))
        # Adding 0.0 makes -0.0 and 0.0, which are equal, the same.
        digest.update((stroke + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()


def _to_json(sketch: Sketch) -> dict[str, Any]:
    return {
        "strokes": [stroke.tolist() for stroke in sketch.strokes],
        "page": None if sketch.page is None else list(sketch.page),
        "category": sketch.category,
        **({} if sketch.sheet is None else {"sheet": asdict(sketch.sheet)}),
    }


def _from_json(value: Any) -> Sketch:
    page = None if value["page"] is None else Box(*value["page"])
    sheet = None
    if "sheet" in value:
        size, layers, pen = (value["sheet"][key] for key in ("size", "layers", "pen"))
        layers = tuple(Layer(layer["name"], tuple(layer["colours"])) for layer in layers)
        sheet = Sheet(None if size is None else tuple(size), layers, pen)
    return Sketch.from_strokes(value["strokes"], page=page, category=value["category"], sheet=sheet)
