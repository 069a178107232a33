"""The completer: a model that completes sketches, and chooses among its own candidates."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from sketchgen.completion.guessing import AUTO, Guesses, is_auto
from sketchgen.completion.guidance import Guided
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.run import NextPoints, Run
from sketchgen.completion.sampler import (
    Sampled,
    Stepper,
    first_numbers,
    log_likelihood,
    noise_rows,
    sample_steps,
    steps,
)
from sketchgen.completion.symmetry import Mirrored, placed
from sketchgen.errors import SettingError, SketchError
from sketchgen.limits import (
    CLOSING,
    GUIDANCE,
    LIMIT,
    MAX_CLOSING,
    MAX_GUIDANCE,
    check_number,
    check_sampling,
    shortened,
)
from sketchgen.models.checkpoint import Pretrained, read_checkpoint
from sketchgen.models.config import ModelConfig
from sketchgen.models.numpy_stroke_model import Decoder
from sketchgen.models.recogniser import Guess, default_recogniser
from sketchgen.ranking.flaws import share_at_edge
from sketchgen.ranking.ranker import Candidate, Ranker, load_ranker
from sketchgen.resources import unknown_category
from sketchgen.sketch.geometry import CENTRE, simplify_as_quickdraw
from sketchgen.sketch.sketch import Box, Completion, Sketch, check_sketch
from sketchgen.sketch.strokes import to_steps

if TYPE_CHECKING:
    from sketchgen.models.stroke_model import StrokeModel

NO_CATEGORY = ("none", "any")
"""Names that stand for no category, as None does."""

ENOUGH = 0.875
"""Share of the candidates for a sketch that are drawn to their end. The others would be the longest: they
take a fifth of the time, and are no better (docs/experiments.md)."""

MAX_CUT_OFF = 0.5
"""Share of the candidates that may be cut off at the edge of the page before further ones are drawn."""


@dataclass(frozen=True)
class Completer(Pretrained):
    """A model that completes sketches; `sketchgen.load` makes one.

    Attributes:
        decoder: the network.
        name: the checkpoint's name or path.
        summary: how it was trained.
        guidance: how much completions are drawn towards the category rather than towards drawings at large,
            from 0 (as the network draws) on; see `sketchgen.completion.guidance`.
        closing: the largest gap that added lines are moved to close, px of the model's frame; 0 for none. See
            `sketchgen.completion.gap_closing`.
        ranker: chooses among candidates; None for the bundled one, which is loaded when it is first needed.
    """

    decoder: Decoder
    name: str
    summary: dict[str, Any]
    guidance: float = 0.0
    closing: float = 0.0
    ranker: Ranker | None = None

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
        """The network, under guidance if there is any."""
        if not self.guidance:
            return self.decoder
        return Guided(self.decoder, self.config.any_category, self.guidance)

    @property
    def guidable(self) -> bool:
        """Whether the network was also trained without the category, so that it can be guided."""
        return _dropped_categories(self.summary)

    def network(self) -> StrokeModel:
        """Return the network as a `torch.nn.Module` in evaluation mode, with weights of its own.

        Its `forward` maps whole drawings to the distributions of all their steps; see
        `sketchgen.models.stroke_model`. Needs torch.
        """
        from sketchgen.models.stroke_model import StrokeModel

        return StrokeModel.from_weights(self.config, self.decoder.weights())

    def guided(self, guidance: float) -> Completer:
        """Return the same model with another guidance.

        Raises:
            SettingError: it is outside its limits, or the model cannot be guided.
        """
        guidance = check_number("guidance", guidance, 0.0, MAX_GUIDANCE)
        if guidance and not self.guidable:
            why = "it was always told the category in training; use guidance 0"
            raise SettingError(f"{self.name} cannot be guided: {why}")
        return replace(self, guidance=guidance)

    def closing_within(self, closing: float) -> Completer:
        """Return the same model that closes gaps up to `closing` px.

        Raises:
            SettingError: it is outside its limits.
        """
        return replace(self, closing=check_number("closing", closing, 0.0, MAX_CLOSING))

    def category_index(self, category: str | None) -> int:
        """Return the index of a category, ignoring case; None and "none" stand for any.

        Raises:
            SettingError: it is not a name.
            CategoryError: the model does not know it; the message has the nearest names.
        """
        if category is None:
            return self.config.any_category
        if not isinstance(category, str):
            raise SettingError(f"category must be one name or None, not {shortened(category)}")
        name = category.strip().lower()
        if name in NO_CATEGORY:
            return self.config.any_category
        lower = {known.lower(): index for index, known in enumerate(self.categories)}
        if name not in lower:
            raise unknown_category(category, self.categories)
        return lower[name]

    def guess(self, sketch: Sketch, top: int = 5) -> list[Guess]:
        """Return what a sketch may become, the likeliest category first; nothing for an empty one.

        The probabilities are the recogniser's, calibrated, over the categories that it and the model know.
        """
        check_sketch(sketch)
        guesses = self.guesses(sketch)
        return guesses.top(top) if guesses else []

    def guesses(self, sketch: Sketch) -> Guesses | None:
        """Return what a sketch may become; None where the recogniser knows no category of the model."""
        recogniser = (self.ranker and self.ranker.recogniser) or default_recogniser()
        return Guesses.of(recogniser, self.categories, sketch)

    def complete(
        self,
        sketch: Sketch,
        category: str | None = AUTO,
        count: int = 9,
        temperature: float = 0.5,
        seed: int = 0,
        *,
        best_of: int = 1,
        limit: int = LIMIT,
        continue_stroke: bool | None = None,
    ) -> list[Completion]:
        """Complete a sketch in `count` alternative ways.

        With `best_of` 1, alternative i depends on the sketch, the settings, the seed and i alone: asking for
        more alternatives does not change the first ones.

        With a larger `best_of`, `count` x `best_of` candidates are drawn, among them mirror images of given
        strokes where the sketch is nearly symmetric, until seven in eight have ended. Of these a diverse set
        of `count` is chosen, best first; see `sketchgen.ranking`. Where nothing is given and the category is
        None or unknown to the recogniser there is nothing to choose by, and `best_of` changes nothing.

        Args:
            sketch: the given strokes, at any size; none, a dot, or any number.
            category: what the drawing is to show. "auto" guesses it from the given strokes: candidates are
                drawn under the likeliest categories in proportion to their probabilities, and under one at
                random from nothing; `Completion.category` tells which. None draws under no category.
            count: number of alternatives.
            temperature: from 0 (the likeliest line) to 2; 1 samples the model as it was trained.
            seed: of the random numbers.
            best_of: candidates drawn for each alternative.
            limit: most points that are added.
            continue_stroke: whether the last given stroke is continued. By default each alternative decides
                by the probability that the stroke is unfinished. The first added stroke then starts at the
                last given point.

        Returns:
            The completions, on the sketch's page, in its coordinates.

        Raises:
            SketchError: `sketch` is not a `Sketch`.
            CategoryError: an unknown category.
            SettingError: a setting of the wrong type, or outside its limits.
        """
        run = self._run(sketch, category, count, temperature, seed, limit, continue_stroke, best_of)
        candidates = self._finish(run, count)
        return [candidates[row].completion for row in self._choose(run, candidates, count)]

    def stream(
        self,
        sketch: Sketch,
        category: str | None = AUTO,
        count: int = 9,
        temperature: float = 0.5,
        seed: int = 0,
        *,
        best_of: int = 1,
        limit: int = LIMIT,
        continue_stroke: bool | None = None,
    ) -> Iterator[NextPoints]:
        """Return an iterator over the next points of `complete`, as soon as they are drawn.

        The last item holds the completions. With `best_of`, the first candidate of each `best_of` is streamed
        until all are drawn, and the chosen ones come with the last item.

        Nothing is computed ahead of the iteration. Arguments and errors are those of `complete`; errors are
        raised by the call itself.
        """
        run = self._run(sketch, category, count, temperature, seed, limit, continue_stroke, best_of)
        return self._stream(run, count)

    def candidates(
        self,
        sketch: Sketch,
        category: str | None,
        count: int,
        temperature: float,
        seed: int,
        *,
        limit: int = LIMIT,
        symmetry: bool = True,
    ) -> list[Candidate]:
        """Return `count` candidates for `complete` to choose from, in the order of their random numbers.

        With `symmetry`, mirror images take the places of some of them, every fourth one at most. The other
        arguments and the errors are those of `complete`.
        """
        return self._run(sketch, category, count, temperature, seed, limit, None, symmetry=symmetry).finish()

    def generate(
        self,
        category: str | None = AUTO,
        count: int = 9,
        temperature: float = 0.5,
        seed: int = 0,
        *,
        best_of: int = 1,
        limit: int = LIMIT,
        page: Box | None = None,
    ) -> list[Sketch]:
        """Draw from nothing; see `complete` for the arguments.

        Without a page the drawings stand in the model's 255 box, give or take what lies beyond it.
        """
        found = self.complete(
            Sketch(page=page), category, count, temperature, seed, best_of=best_of, limit=limit
        )
        return [each.added for each in found]

    def log_likelihood(self, sketch: Sketch, category: str | None = None) -> float:
        """Return the log-likelihood of a whole drawing, nats.

        It is the log density of the offsets (px of the 255 box, the first one from its centre) and the log
        probability of the pen after each point and of the end, summed over the drawing, at temperature 1 and
        without guidance. The drawing is first simplified as Quick, Draw! does it, to whole px. The density is
        taken at these coordinates, without the uniform noise by which `sketchgen evaluate` dequantises them.

        Args:
            sketch: at least one point.
            category: what it shows; None leaves it open.

        Raises:
            SketchError: `sketch` is empty, or not a `Sketch`.
            CategoryError: an unknown category.
        """
        check_sketch(sketch)
        index = self.category_index(category)
        if sketch.is_empty:
            raise SketchError("the drawing is empty; a likelihood needs a point")
        whole = simplify_as_quickdraw(sketch)
        forced = {0: to_steps(Sketch(tuple(stroke - CENTRE for stroke in whole.strokes)))}
        given = PartialSketch.of(Sketch()).prefix(np.array([index]), np.array([False]))
        noise, limit = noise_rows(0, 1), whole.point_count
        found = steps(self.decoder, given, noise, limit, 1.0, at_least_one=False, forced=forced)
        return float(np.sum([log_likelihood(step)[0] for step in found]))

    def sample_many(
        self, categories: Sequence[int], temperature: float, seed: int, limit: int = 200
    ) -> Sampled:
        """Return the steps of drawings from nothing, one for each category index, for evaluation."""
        nobody = np.zeros(len(categories), dtype=bool)
        given = PartialSketch.of(Sketch()).prefix(np.asarray(categories, dtype=np.int64), nobody)
        guided = set(categories) != {self.config.any_category}
        stepper = self.stepper if guided else self.decoder
        noise = noise_rows(seed, len(categories), stepper.candidates)
        return sample_steps(stepper, given, noise, limit, temperature)

    @property
    def _ranker(self) -> Ranker:
        return self.ranker or load_ranker()

    def _choose(self, run: Run, candidates: Sequence[Candidate], count: int) -> list[int]:
        """Return the rows of the candidates that are taken."""
        if len(candidates) == count:
            return list(range(count))
        return self._ranker.select(candidates, run.categories[0], count)

    def _finish(self, run: Run, count: int) -> list[Candidate]:
        """Return the candidates of a run, and further ones where the page's edge cuts off most of them."""
        found = run.finish()
        if len(found) > count:
            cut_off = share_at_edge([each.completion for each in found]) > 0.0
            if cut_off.mean() > MAX_CUT_OFF:
                found += [each for other in run.others() for each in other.finish()]
        return found

    def _stream(self, run: Run, count: int) -> Iterator[NextPoints]:
        """Stream the first candidate of each group, then choose."""
        total = len(run.going_on)
        shown, guesses = np.arange(0, total, total // count), tuple(run.guesses.top(5) if run.guesses else ())
        streamed: list[list[list[float]]] = [[] for _ in range(count)]
        for points, pen, drawn in run.points(shown):
            yield NextPoints(points, pen, drawn, guesses=guesses)
            for place in np.flatnonzero(drawn):
                streamed[place].append(points[place].tolist())
        candidates = self._finish(run, count)
        completions = [candidates[row].completion for row in self._choose(run, candidates, count)]
        # Of what was streamed, a stroke may be left out as redrawn, or be made like a given one.
        final = [each.added.points.tolist() for each in completions]
        replaced = tuple(place for place in range(count) if final[place] != streamed[place])
        yield NextPoints.last(completions, replaced, guesses)

    def _run(
        self,
        sketch: Sketch,
        category: str | None,
        count: int,
        temperature: float,
        seed: int,
        limit: int,
        continue_stroke: bool | None,
        best_of: int = 1,
        symmetry: bool = False,
    ) -> Run:
        """Check the arguments, and prepare to draw candidates."""
        check_sampling(count, temperature, seed, limit, best_of)
        check_sketch(sketch)
        auto = is_auto(category)
        guesses = self.guesses(sketch) if auto else None
        name = None if auto else (*self.categories, None)[self.category_index(category)]
        # Where something is given there is no need to load the ranker before the first point.
        if best_of > 1 and (guesses or not sketch.is_empty or self._ranker.can_rank(sketch, name)):
            count, symmetry = count * best_of, True
        enough = math.ceil(ENOUGH * count) if symmetry and best_of > 1 and not sketch.is_empty else None
        partial = PartialSketch.of(sketch, self.closing, self.config.epsilon)
        images = placed(partial.mirrored, count) if symmetry and not continue_stroke else {}
        names = list(islice(guesses.categories(seed), count)) if guesses else [name] * count
        # What is only mirrored is the same under any category.
        alone = {row for row, image in images.items() if not image.goes_on}
        names = [names[0] if row in alone else each for row, each in enumerate(names)]
        settings = guesses, temperature, seed, limit, continue_stroke

        def others() -> Iterator[Run]:
            """Show the given part in frames of whole drawings that stay on the page, half as often in all."""
            frames = partial.on_page_frames()
            for other in frames:
                yield self._sample(other, names[: -(-count // (2 * len(frames)))], {}, *settings)

        return replace(self._sample(partial, names, images, *settings), others=others, enough=enough)

    def _sample(
        self,
        partial: PartialSketch,
        names: list[str | None],
        images: Mapping[int, Mirrored],
        guesses: Guesses | None,
        temperature: float,
        seed: int,
        limit: int,
        continue_stroke: bool | None,
    ) -> Run:
        """Prepare to draw a candidate of a partial sketch under each of some categories."""
        index = {name: self.category_index(name) for name in set(names)}
        count, rows = len(names), np.array([index[name] for name in names])
        # Read once, under all categories that are asked for and, to guide, under none.
        reading = partial.read(self.decoder, np.append(rows, self.config.any_category))
        if continue_stroke is not None:
            going_on = np.full(count, continue_stroke and len(partial.pen) > 0)
        else:
            numbers = np.full(count, 0.5) if temperature == 0 else first_numbers(seed, count)
            # By the first, likeliest category for all, which is nearly what each would have.
            going_on = numbers >= partial.done(self.decoder, int(rows[0]), temperature, reading)
        going_on[list(images)] = False
        # No category cannot be guided towards.
        stepper = self.decoder if (rows == self.config.any_category).all() else self.stepper
        forced = {row: image.steps for row, image in images.items()}
        given = partial.prefix(rows, going_on, reading)
        noise = noise_rows(seed, count, stepper.candidates)
        sampled = steps(stepper, given, noise, limit, temperature, forced=forced, edges=partial.edges)
        return Run(partial, names, going_on, images, sampled, guesses)


def load(name_or_path: str | os.PathLike[str] | None = None) -> Completer:
    """Load a model by its folder, its bundled name or its name on the hub (hf://user/name); or the default.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    checkpoint = read_checkpoint(name_or_path)
    guidance = GUIDANCE if _dropped_categories(checkpoint.summary) else 0.0
    decoder = Decoder(checkpoint.config, checkpoint.weights)
    return Completer(decoder, checkpoint.name, checkpoint.summary, guidance, CLOSING)


@functools.cache
def default_model() -> Completer:
    """Return the bundled default model, which is loaded once."""
    return load()


def complete(
    sketch: Sketch, category: str | None = AUTO, count: int = 9, **settings: Any
) -> list[Completion]:
    """Complete a sketch with the bundled default model; see `Completer.complete` for the arguments."""
    return default_model().complete(sketch, category, count, **settings)


def generate(category: str | None = AUTO, count: int = 9, **settings: Any) -> list[Sketch]:
    """Draw from nothing with the bundled default model; see `Completer.generate` for the arguments."""
    return default_model().generate(category, count, **settings)


def _dropped_categories(summary: Mapping[str, Any]) -> bool:
    """Return whether a model was trained on some drawings without their category, by its summary."""
    try:
        return summary["settings"]["prefixes"]["drop_category"] > 0
    except (KeyError, TypeError):
        return False
