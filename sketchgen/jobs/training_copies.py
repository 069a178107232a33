"""Near-copies of training drawings: how far a drawing lies from the nearest one.

It is measured as `sketchgen.evaluation.retrieval` does, and one drawing at a time comes out as many do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from sketchgen.data.drawings import Drawings
from sketchgen.data.store import Store
from sketchgen.errors import SettingError
from sketchgen.evaluation.bitmaps import CHUNK, Lines, bitmaps
from sketchgen.evaluation.retrieval import COPY_SHORT_LIST, TAIL, nearest_drawings
from sketchgen.jobs.serialized import Item
from sketchgen.sketch.distance import chamfer, cloud
from sketchgen.sketch.geometry import box_frame, in_frame
from sketchgen.sketch.sketch import Completion

MAX_ORIGINALS = 500_000
"""Training drawings that are looked through at most: each drawing is compared with all of them."""

HELD_OUT = 300
"""Held-out drawings whose distances say how near real drawings lie to training drawings."""


@dataclass(frozen=True)
class Originals:
    """The training drawings of a store, ready to be searched.

    Attributes:
        drawings: the drawings.
        images: their blurred bitmaps as whole numbers to 255, 784 bytes each.
    """

    drawings: Drawings
    images: np.ndarray

    @classmethod
    def open(cls, store: str) -> Originals:
        """Read the training split of a store.

        Raises:
            FormatError: it is no store, or damaged.
            SettingError: it holds too many drawings, or none.
        """
        split = Store.open(Path(store)).split("train")
        if not 0 < len(split) <= MAX_ORIGINALS:
            raise SettingError(
                f"{store} holds {len(split)} training drawings; each drawing is compared with all, and "
                f"1 to {MAX_ORIGINALS} can be: prepare fewer by --max-per-category"
            )
        drawings = split.drawings()
        images = np.zeros((len(drawings), 28 * 28), dtype=np.uint8)
        for first in range(0, len(drawings), CHUNK):
            last = min(first + CHUNK, len(drawings))
            found = bitmaps(Lines.of_drawings(drawings.between(first, last)))
            images[first:last] = np.rint(found * 255.0)
        return cls(drawings, images)

    def distance(self, item: Item) -> float | None:
        """The distance of a drawing, a completion's whole, to the nearest training drawing, px.

        The 20 whose bitmaps are the most alike are compared by the symmetric Chamfer distance.
        """
        sketch = item.whole if isinstance(item, Completion) else item
        if sketch.is_empty:
            return None
        fitted = in_frame(sketch, box_frame(sketch))
        own = cloud(fitted)
        near = self._short(bitmaps(Lines.of_sketches([fitted]))[0])
        return min(chamfer(own, cloud(self.drawings.sketch(int(other)))) for other in near)

    def _short(self, image: Float[np.ndarray, " c"]) -> np.ndarray:
        """The indices of the training drawings whose bitmaps are the most alike."""
        likeness = np.empty(len(self.images), dtype=np.float32)
        for first in range(0, len(self.images), CHUNK):
            part = self.images[first : first + CHUNK].astype(np.float32)
            likeness[first : first + CHUNK] = part @ image
        most = min(COPY_SHORT_LIST, len(likeness))
        return np.argpartition(-likeness, most - 1)[:most]


def usual_distance(store: str) -> float:
    """The distance, px, below which one in a hundred of real drawings lies: its validation split's.

    Raises:
        FormatError: it is no store, or damaged.
        SettingError: it has no validation drawings, or too many training drawings.
    """
    opened = Store.open(Path(store))
    split, training = opened.split("valid"), opened.split("train")
    if not len(split) or not 0 < len(training) <= MAX_ORIGINALS:
        raise SettingError(
            f"{store} has {len(split)} validation and {len(training)} training drawings, of which 1 to "
            f"{MAX_ORIGINALS} are needed to say how near a copy is; name a distance with --copy-distance"
        )
    held_out = split.drawings(HELD_OUT)
    sketches = [held_out.sketch(index) for index in range(len(held_out))]
    distance, _ = nearest_drawings(sketches, training.drawings())
    return round(float(np.quantile(distance, TAIL)), 3)
