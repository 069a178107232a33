"""A completion without a model: the nearest training drawing of the category, its rest pasted on.

Training drawings of the category are cut after the same share of their points. Those whose beginnings look
the most alike as blurred bitmaps are short-listed, and ordered by the symmetric Chamfer distance of the
beginnings. The rest of the nearest one is moved so that it goes on from the last given point. Where the scale
is known, beginnings are compared as they stand in the 255 box and the rest keeps its size; where it is
unknown, each beginning is first aligned and scaled to the box, and the rest is scaled along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings
from sketchgen.evaluation.bitmaps import Lines, bitmaps
from sketchgen.evaluation.held_out import Finished, PartialSketch, Scale, begin, cut_at
from sketchgen.sketch.distance import chamfer, cloud
from sketchgen.sketch.geometry import box_frame, in_frame
from sketchgen.sketch.sketch import Completion, Sketch

CANDIDATES = 1000
"""Training drawings of a category that are looked at, those with the smallest hashes."""

SHORT = 10
"""Beginnings that are short-listed for the exact distance."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Retrieval:
    """Finishes beginnings by what stands in the training drawings.

    Attributes:
        training: the drawings that are searched.
    """

    training: Drawings
    _members: dict[str, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    def finish(
        self,
        beginnings: Sequence[PartialSketch],
        share: float,
        scale: Scale,
        count: int = 1,
        progress: Progress | None = None,
    ) -> list[list[Finished]]:
        """The `count` nearest for each beginning, the nearest first; none where there is no candidate.

        Args:
            beginnings: drawings cut after `share` of their points, with their categories' names.
            share: after which the training drawings are cut, too.
            scale: whether the size of the whole is known.
            count: completions of each.
            progress: called with 1 after each beginning.
        """
        found: list[list[Finished]] = [[] for _ in beginnings]
        names = [item.given.category or "" for item in beginnings]
        for name in sorted(set(names)):
            here = [index for index, other in enumerate(names) if other == name]
            candidates = self._candidates(name)
            for index, nearest in zip(
                here, self._short([beginnings[i] for i in here], candidates, share, scale, count), strict=True
            ):
                found[index] = self._ordered(beginnings[index], nearest, share, scale)[:count]
                if progress is not None:
                    progress(1)
        return found

    def _candidates(self, name: str) -> NDArray[np.int64]:
        """The indices of the training drawings of a category that are looked at."""
        if name not in self._members:
            known = self.training.categories
            index = known.index(name) if name in known else -1
            members = np.flatnonzero((self.training.category == index) & (self.training.lengths > 2))
            self._members[name] = members[:CANDIDATES]
        return self._members[name]

    def _short(
        self,
        beginnings: Sequence[PartialSketch],
        candidates: NDArray[np.int64],
        share: float,
        scale: Scale,
        count: int,
    ) -> list[NDArray[np.int64]]:
        """The candidates whose beginnings look the most alike, for each beginning."""
        if not len(candidates):
            return [candidates for _ in beginnings]
        drawings = self.training.take(candidates)
        shown = np.array([cut_at(int(length), share) for length in drawings.lengths], dtype=np.int64)
        theirs = Lines.of_drawings(drawings, shown)
        ours = Lines.of_sketches([item.given for item in beginnings])
        if scale == "scale unknown":
            theirs, ours = theirs.fitted(), ours.fitted()
        likeness = bitmaps(ours) @ bitmaps(theirs).T
        order = np.argsort(-likeness, axis=1, kind="stable")[:, : max(SHORT, count)]
        return [candidates[row] for row in order]

    def _ordered(
        self, beginning: PartialSketch, nearest: NDArray[np.int64], share: float, scale: Scale
    ) -> list[Finished]:
        """Completions by the short-listed drawings, in the order of the exact distance."""
        wanted = cloud(_seen(beginning.given, scale))
        found: list[tuple[float, int, Finished]] = []
        for index in nearest.tolist():
            other = begin(self.training.sketch(index), share, 0, 0)
            distance = chamfer(wanted, cloud(_seen(other.given, scale)))
            found.append((distance, index, _pasted(beginning, other, scale)))
        return [item for _, _, item in sorted(found, key=lambda entry: entry[:2])]


def _seen(given: Sketch, scale: Scale) -> Sketch:
    """A beginning as it is compared."""
    return given if scale == "scale known" else in_frame(given, box_frame(given))


def _pasted(beginning: PartialSketch, other: PartialSketch, scale: Scale) -> Finished:
    """The rest of another drawing, moved to the last given point."""
    given, size = beginning.given, 1.0
    if scale == "scale unknown":
        size = box_frame(given).scale / box_frame(other.given).scale
    here, there = given.strokes[-1][-1], other.given.strokes[-1][-1]
    strokes = [(stroke - there) * size + here for stroke in other.rest.strokes]
    added = Sketch.from_strokes(strokes, page=given.page, category=given.category)
    return Finished(Completion(given, added), other.inside)
