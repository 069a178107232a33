"""The completer: a model and all it takes to finish people's drawings with it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.completion.gap_closing import CLOSING, MAX_CLOSING, Closings
from sketchgen.completion.guidance import GUIDANCE, MAX_GUIDANCE, Guided
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.sampler import (
    Forced,
    Sampled,
    Step,
    Stepper,
    first_numbers,
    noise_rows,
    sample_steps,
    steps,
)
from sketchgen.completion.symmetry import Mirrored, placed
from sketchgen.errors import SettingError, unknown_category
from sketchgen.models.checkpoint import read_checkpoint
from sketchgen.models.config import ModelConfig
from sketchgen.models.numpy_stroke_model import Decoder, Prefix
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch
from sketchgen.sketch.strokes import Pen

LIMIT = 250
"""Most points that are added to a drawing, unless asked for otherwise."""

MAX_ALTERNATIVES = 10_000
MAX_TEMPERATURE = 2.0
ANY = "any"
"""The name that stands for no particular category, as None does."""


@dataclass(frozen=True)
class Growth:
    """One more point of each of several completions, as they grow.

    Attributes:
        points: (count, 2) on the page.
        pen: (count,) after the point.
        drawn: (count,) which completions got a point; the others' rows have no meaning.
        ended: (count,) which completions the model has ended, now or before.
        symmetry: (count,) of each, see `Completion`; the same all along.
    """

    points: Points
    pen: NDArray[np.int64]
    drawn: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    symmetry: NDArray[np.float64]


@dataclass(frozen=True)
class Completer:
    """Finishes drawings; make one with `sketchgen.load`.

    Attributes:
        decoder: the network.
        name: the checkpoint's name or path.
        summary: how it was trained.
        guidance: how much a drawing is to belong to its category rather than to drawings at large, from 0 (as
            the network draws) on; see `sketchgen.completion.guidance`. Only networks that have learned to
            draw
            without being told the category can be guided.
        closing: the largest gap that added lines are moved to close where something was given, px of the
            network's frame; 0 leaves lines as they were drawn. See `sketchgen.completion.gap_closing`.
        mirrored: whether every fourth of the alternatives is what the given drawing lacks to be symmetric, in
            up to three ways, where it is nearly so: for who chooses among them. See
            `sketchgen.completion.symmetry`.
    """

    decoder: Decoder
    name: str
    summary: dict[str, Any]
    guidance: float = 0.0
    closing: float = 0.0
    mirrored: bool = False

    @property
    def config(self) -> ModelConfig:
        """The network's shape and categories."""
        return self.decoder.config

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that the model knows."""
        return self.config.categories

    @property
    def stepper(self) -> Stepper:
        """What draws: the network, under guidance where there is any."""
        if not self.guidance:
            return self.decoder
        return Guided(self.decoder, self.config.any_category, self.guidance)

    @property
    def guidable(self) -> bool:
        """Whether the network has learned to draw without being told the category."""
        return _dropped_categories(self.summary)

    def guided(self, guidance: float) -> Completer:
        """The same with another guidance.

        Raises:
            SettingError: it is outside its limits, or the model has learned nothing that could be guided by.
        """
        if not (math.isfinite(guidance) and 0.0 <= guidance <= MAX_GUIDANCE):
            raise SettingError(f"guidance must be from 0 to {MAX_GUIDANCE:g}, not {guidance}")
        if guidance and not self.guidable:
            why = "it was always told the category while it learned; use guidance 0"
            raise SettingError(f"{self.name} cannot be guided: {why}")
        return replace(self, guidance=guidance)

    def closing_within(self, closing: float) -> Completer:
        """The same that closes other gaps.

        Raises:
            SettingError: it is outside its limits.
        """
        if not (math.isfinite(closing) and 0.0 <= closing <= MAX_CLOSING):
            raise SettingError(f"closing must be from 0 to {MAX_CLOSING:g} px, not {closing}")
        return replace(self, closing=closing)

    def mirroring(self, mirrored: bool = True) -> Completer:
        """The same with some of the alternatives given strokes in a mirror, to be chosen from, or not."""
        return replace(self, mirrored=mirrored)

    def category_index(self, category: str | None) -> int:
        """The index of a category, whatever its case; None and "any" stand for any.

        Raises:
            CategoryError: the model does not know it; the nearest names are in the message.
        """
        if category is None or category.strip().lower() == ANY:
            return self.config.any_category
        lower = {name.lower(): index for index, name in enumerate(self.categories)}
        found = lower.get(category.strip().lower())
        if found is None:
            raise unknown_category(category, self.categories)
        return found

    def complete(
        self,
        sketch: Sketch,
        category: str | None = None,
        count: int = 9,
        temperature: float = 0.5,
        seed: int = 0,
        *,
        limit: int = LIMIT,
        continue_stroke: bool | None = None,
    ) -> list[Completion]:
        """Finish a drawing in several ways.

        Alternative i depends on the drawing, the settings, the seed and i alone: asking for more of them
        does not change the first ones. They stand on the sketch's page, in its coordinates.

        Args:
            sketch: what is given; empty, a dot, or any number of strokes at any size.
            category: what it is to become; None leaves it to the model.
            count: number of alternatives.
            temperature: 0 (the likeliest line) to 2 (wild); 1 is the model as it was trained.
            seed: of the random numbers.
            limit: most points that are added.
            continue_stroke: go on with the last given stroke, or don't. Left out, each alternative judges by
                the strokes: an arc that has only begun is gone on with by most of them. An added stroke that
                goes on begins at the last given point.

        Raises:
            CategoryError: an unknown category.
            SettingError: a setting outside its limits.
        """
        index = self.category_index(category)
        check_sampling(count, temperature, seed, limit)
        begun = PartialSketch.of(sketch, self.closing)
        ways = self._mirrored(begun, count, continue_stroke)
        going_on = self._going_on(begun, index, count, temperature, seed, continue_stroke)
        going_on[list(ways)] = False
        drawing = self._drawing(begun, index, seed, going_on)
        sampled = sample_steps(*drawing, limit, temperature, forced=_forced(ways))
        label = self.label(index, sketch)
        completions = []
        for row, length in enumerate(sampled.length):
            steps_of = sampled.offset[row, :length], sampled.pen[row, :length]
            added = begun.added(*steps_of, label, going_on=bool(going_on[row]))
            ended, log_prob = bool(sampled.ended[row]), float(sampled.log_prob[row])
            symmetry = ways[row].symmetry if row in ways else 0.0
            completions.append(Completion(sketch, added, ended, log_prob, symmetry))
        return completions

    def stream(
        self,
        sketch: Sketch,
        category: str | None = None,
        count: int = 9,
        temperature: float = 0.5,
        seed: int = 0,
        *,
        limit: int = LIMIT,
        continue_stroke: bool | None = None,
    ) -> Iterator[Growth]:
        """The points of `complete`, all alternatives' next one at a time, as soon as they are drawn.

        Alternatives that go on with the last given stroke get its last point first.

        Nothing is computed ahead: who stops asking stops the model. Arguments and errors are those of
        `complete`; the errors come from the call itself, not from the first point.
        """
        index = self.category_index(category)
        check_sampling(count, temperature, seed, limit)
        begun = PartialSketch.of(sketch, self.closing)
        ways = self._mirrored(begun, count, continue_stroke)
        going_on = self._going_on(begun, index, count, temperature, seed, continue_stroke)
        going_on[list(ways)] = False
        drawing = self._drawing(begun, index, seed, going_on)
        found = steps(*drawing, limit, temperature, forced=_forced(ways))
        return _grown(found, begun, going_on, ways)

    def generate(
        self,
        category: str | None = None,
        count: int = 9,
        temperature: float = 0.5,
        seed: int = 0,
        *,
        limit: int = LIMIT,
        page: Box | None = None,
    ) -> list[Sketch]:
        """Draw from nothing; see `complete` for the arguments.

        Without a page the drawings stand in the model's 255 box, give or take what it draws beyond it.
        """
        blank = Sketch(page=page)
        return [item.added for item in self.complete(blank, category, count, temperature, seed, limit=limit)]

    def sample_many(
        self, categories: Sequence[int], temperature: float, seed: int, limit: int = 200
    ) -> Sampled:
        """Steps of drawings from nothing, one for each category index, for evaluation."""
        nobody = np.zeros(len(categories), dtype=bool)
        given = PartialSketch.of(Sketch()).given(np.asarray(categories, dtype=np.int64), nobody)
        guided = set(categories) != {self.config.any_category}
        stepper = self.stepper if guided else self.decoder
        noise = noise_rows(seed, len(categories), stepper.candidates)
        return sample_steps(stepper, given, noise, limit, temperature)

    def label(self, index: int, sketch: Sketch) -> str | None:
        """The name of a category by its index; where it is any, what the given drawing is said to be."""
        return self.categories[index] if index < len(self.categories) else sketch.category

    def _mirrored(
        self, begun: PartialSketch, count: int, continue_stroke: bool | None
    ) -> dict[int, Mirrored]:
        """Which alternatives are given strokes in a mirror: none where the last stroke is to go on."""
        return placed(begun.mirrored, count) if self.mirrored and not continue_stroke else {}

    def _going_on(
        self,
        begun: PartialSketch,
        category: int,
        count: int,
        temperature: float,
        seed: int,
        wanted: bool | None,
    ) -> NDArray[np.bool_]:
        """(count,) which alternatives go on with the last given stroke."""
        if wanted is not None:
            return np.full(count, wanted and len(begun.shown.pen) > 0)
        numbers = np.full(count, 0.5) if temperature == 0 else first_numbers(seed, count)
        return numbers >= begun.done(self.decoder, category, temperature)

    def _drawing(
        self, begun: PartialSketch, category: int, seed: int, going_on: NDArray[np.bool_]
    ) -> tuple[Stepper, Prefix, Iterator[NDArray[np.float64]]]:
        """What draws, what it goes on from, and the noise by which it does."""
        count = len(going_on)
        # Where the category is any, there is nothing to be guided by.
        stepper = self.decoder if category == self.config.any_category else self.stepper
        return (
            stepper,
            begun.given(np.full(count, category), going_on),
            noise_rows(seed, count, stepper.candidates),
        )


def _forced(ways: Mapping[int, Mirrored]) -> Forced:
    return {row: way.steps for row, way in ways.items()}


def _grown(
    found: Iterator[Step], begun: PartialSketch, going_on: NDArray[np.bool_], ways: Mapping[int, Mirrored]
) -> Iterator[Growth]:
    """Steps of the model as points on the page, behind the last given one where its stroke goes on."""
    at, count, closing = np.zeros((1, 2)), len(going_on), Closings(begun.closer, going_on)
    symmetry = np.zeros(count)
    symmetry[list(ways)] = [way.symmetry for way in ways.values()]
    if going_on.any():
        drawing, none = np.full(count, int(Pen.DRAW)), np.zeros(count, dtype=bool)
        yield Growth(np.tile(begun.origin, (count, 1)), drawing, going_on, none, symmetry)
    for step in found:
        at = at + step.offset
        points = begun.on_page(closing.next(at, step.pen))
        yield Growth(points, step.pen, step.drawn, step.ended, symmetry)


def check_sampling(count: int, temperature: float, seed: int, limit: int) -> None:
    """Check the settings of a request.

    Raises:
        SettingError: one is outside its limits.
    """
    if not 1 <= count <= MAX_ALTERNATIVES:
        raise SettingError(f"count must be from 1 to {MAX_ALTERNATIVES}, not {count}")
    if not (math.isfinite(temperature) and 0.0 <= temperature <= MAX_TEMPERATURE):
        raise SettingError(f"temperature must be from 0 to {MAX_TEMPERATURE:g}, not {temperature}")
    if not 0 <= seed < 2**63:
        raise SettingError(f"seed must be 0 or more and under 2**63, not {seed}")
    if not 1 <= limit <= 10_000:
        raise SettingError(f"limit must be from 1 to 10000 points, not {limit}")


def load(name_or_path: str | os.PathLike[str] | None = None) -> Completer:
    """Load a model by its bundled name or by the path of its folder; the bundled default without either.

    Raises:
        CheckpointError: none there, or damaged.
    """
    checkpoint = read_checkpoint(name_or_path)
    guidance = GUIDANCE if _dropped_categories(checkpoint.summary) else 0.0
    decoder = Decoder(checkpoint.config, checkpoint.weights)
    return Completer(decoder, checkpoint.name, checkpoint.summary, guidance, CLOSING)


def _dropped_categories(summary: Mapping[str, Any]) -> bool:
    """Whether a model saw drawings without their category as it learned, by its training summary."""
    try:
        return summary["settings"]["prefixes"]["drop_category"] > 0
    except (KeyError, TypeError):
        return False
