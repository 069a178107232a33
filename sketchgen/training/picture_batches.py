"""Whole drawings as pictures, as what names pictures learns from them: some bent, some mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sketchgen.data.drawings import Drawings
from sketchgen.models.picture_features import pictures
from sketchgen.sketch.geometry import CENTRE
from sketchgen.training.classifier_batches import Changes, bends

PICTURE_CHANGES = Changes(cut=0.0, warp=0.5, mirror=0.2, fewer_strokes=0.0, fewer_points=0.0, jitter=0.0)
"""What is changed of drawings that are shown as pictures: nothing that only strokes would tell of."""

CALM_PICTURES = Changes(cut=0.0, warp=0.3, mirror=0.1, fewer_strokes=0.0, fewer_points=0.0, jitter=0.0)
"""Less of the same, for the last part of a training."""


@dataclass(frozen=True)
class PictureLesson:
    """A batch of pictures.

    Attributes:
        pictures: 0 where there is no ink.
        category: index.
    """

    pictures: Float[np.ndarray, "b 64 64"]
    category: Int[np.ndarray, " b"]

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        """What the network is called with."""
        return (self.pictures,)

    @property
    def answer(self) -> Int[np.ndarray, " b"]:
        """What each drawing is of."""
        return self.category


@dataclass(frozen=True)
class Pictures:
    """How drawings are made into lessons for a network that sees pictures, of whole drawings only.

    Attributes:
        changes: how often drawings are bent and mirrored; nothing else of it is heeded.
    """

    changes: Changes

    def cuts(self, drawings: Drawings, random: np.random.Generator) -> Int[np.ndarray, " n"]:
        """One and the same for all drawings, so that no batch is of drawings of one length."""
        return np.ones(len(drawings), dtype=np.int64)

    def lesson(
        self, drawings: Drawings, cut: Int[np.ndarray, " b"], random: np.random.Generator
    ) -> PictureLesson:
        """Drawings as a batch of pictures."""
        bend = bends(len(drawings), random, self.changes)
        owner = np.repeat(np.arange(len(drawings)), drawings.lengths)
        points = drawings.points.astype(np.float64) - CENTRE
        bent = np.einsum("pi,pij->pj", points, bend[owner])
        return PictureLesson(pictures(bent, drawings.lift, drawings.start), drawings.category)
