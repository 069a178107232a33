"""Operations on the latent vector of a model that has one: drawings that are encoded, mixed and drawn again.

    import sketchgen

    space = sketchgen.load_latent()
    space.reconstruct(cat, count=3)
    space.interpolate(cat, "pig", steps=9)
    space.vary(cat, strength=0.5)
    space.combine([cat_head, pig], minus=[pig_head])

Ha and Eck 2017, "A neural representation of sketch drawings", section 4.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from sketchgen.completion.completer import Completer, load
from sketchgen.completion.framing import MAX_GIVEN, frame_of
from sketchgen.completion.guidance import Guided
from sketchgen.completion.sampler import Sampled, noise_rows, sample_steps
from sketchgen.errors import SettingError, SketchError
from sketchgen.limits import LATENT_STEPS, LIMIT, MAX_LATENT, check_number, check_sampling, check_whole
from sketchgen.models.features import NO_LATENT
from sketchgen.models.numpy_stroke_model import Gaussian, Prefix
from sketchgen.sketch.geometry import BOX, CENTRE, EPSILON, simplify, simplify_as_quickdraw
from sketchgen.sketch.sketch import Box, Points, Sketch, check_sketch
from sketchgen.sketch.strokes import Pen, split_strokes, to_steps

CHECKPOINT = "latent345"
"""The bundled model with a latent vector."""

TEMPERATURE = 0.2
"""Default temperature: the vector says what to draw, so that little is left to chance."""

SPREAD = 0.3
"""Share of the prior's deviation at which a vector is drawn that stands for a category. Nearer to the middle
drawings are more alike and better recognised: the truncation of Brock et al. 2019, "Large scale GAN training
for high fidelity natural image synthesis"."""

Vector = Float[np.ndarray, " z"]

Item = Sketch | str
"""What has a place in the latent space: a drawing, or the name of a category."""


@dataclass(frozen=True)
class Place:
    """Where a decoded drawing is laid.

    Attributes:
        box: its longer side is that of the drawing, and its centre the drawing's.
        page: of the drawing; None for none.
    """

    box: Box
    page: Box | None = None

    @classmethod
    def of(cls, sketch: Sketch) -> Place:
        """Return the place of a drawing; of one without extent, that of the drawings it may begin."""
        frame, dot = frame_of(sketch)
        if not dot and sketch.bounds is not None:
            return cls(sketch.bounds, sketch.page)
        side = BOX * frame.scale
        return cls(Box(frame.x - side / 2, frame.y - side / 2, side, side), sketch.page)

    def towards(self, other: Place, share: float) -> Place:
        """Return a place between two: 0 is this one, 1 the other."""

        def between(one: Box, two: Box) -> Box:
            return Box(*((1.0 - share) * a + share * b for a, b in zip(one, two, strict=True)))

        page = between(self.page, other.page) if self.page and other.page else self.page or other.page
        return Place(between(self.box, other.box), page)

    def lay(self, points: Points, pen: Int[np.ndarray, " n"], category: str | None) -> Sketch:
        """Return points in the model's px as a drawing in this place."""
        low, high = points.min(0), points.max(0)
        scale = self.box.longer / max(BOX, float((high - low).max()))
        placed = (points - (low + high) / 2) * scale + self.box.centre
        return Sketch.from_strokes(split_strokes(placed, pen == Pen.LIFT), page=self.page, category=category)


NOWHERE = Place(Box(0.0, 0.0, BOX, BOX))
"""The place of a drawing of a category that is mixed with no other one."""


@dataclass(frozen=True)
class LatentSpace:
    """A model with a latent vector; `sketchgen.load_latent` makes one.

    Drawings that are decoded have no category unless one is named: the vector holds what they show. Same
    seed, same drawings, and drawing i does not depend on how many there are.

    Attributes:
        model: the network, with its categories.
        guidance: how much more than the network by itself the drawings follow the vector; see
            `sketchgen.completion.guidance`.
        best_of: candidates for each drawing. The one is kept whose own posterior gives the wanted vector the
            highest density: encoded again, it is the nearest.
    """

    model: Completer
    guidance: float = 2.0
    best_of: int = 4

    def __post_init__(self) -> None:
        """Check that the network has a latent vector."""
        if not self.model.config.latent:
            raise SettingError(f"{self.model.name[:200]}: {NO_LATENT}")

    def encode(self, sketch: Sketch) -> Gaussian:
        """Return the posterior of the vector of a whole drawing, of any size, (1, z).

        Raises:
            SketchError: it is empty, or no `Sketch`.
        """
        check_sketch(sketch)
        if sketch.is_empty:
            raise SketchError("the drawing is empty; there must be a point to encode")
        whole, epsilon = simplify_as_quickdraw(sketch), EPSILON
        while whole.point_count > MAX_GIVEN and epsilon < BOX:
            epsilon *= 1.5
            whole = simplify(whole, epsilon=epsilon)
        steps = to_steps(Sketch(tuple(stroke - CENTRE for stroke in whole.strokes)), ends=False)
        return self.model.decoder.posterior([self._prefix(*steps)])

    def prior(self, category: str | None) -> Gaussian:
        """Return the prior of the vectors of drawings of a category, (1, z); None for any drawing."""
        return self.model.decoder.prior(self._nothing([category]))

    def vector(self, item: Item, seed: int = 0, index: int = 0) -> Vector:
        """Return the posterior mean of a drawing; or the vector `index` from the prior of a category."""
        if not isinstance(item, str):
            return self.encode(item).mean[0]
        return _drawn(self.prior(item), _normal(seed, index, self.model.config.latent))

    def reconstruct(
        self,
        sketch: Sketch,
        count: int = 1,
        temperature: float = TEMPERATURE,
        seed: int = 0,
        category: str | None = None,
    ) -> list[Sketch]:
        """Encode a drawing, and draw it from its vector in `count` ways, in its place.

        Args:
            sketch: the drawing, at least a point.
            count: number of drawings.
            temperature: 0 draws the likeliest line; see `Completer.complete`.
            seed: of the random numbers.
            category: what the network is told besides the vector; None for nothing.

        Raises:
            SketchError: the drawing is empty.
            CategoryError: an unknown category.
            SettingError: a setting outside its limits.
        """
        check_sampling(count, temperature, seed, LIMIT, self.best_of)
        vectors, place = self.encode(sketch).mean.repeat(count, 0), Place.of(sketch)
        return self._decode(vectors, [place] * count, [category] * count, temperature, seed)

    def interpolate(
        self,
        first: Item,
        last: Item,
        steps: int = LATENT_STEPS,
        temperature: float = TEMPERATURE,
        seed: int = 0,
        category: str | None = None,
    ) -> list[Sketch]:
        """Return drawings along the way from one to another, both ends included.

        The vectors lie on an arc (White 2016, "Sampling generative networks"; Shoemake 1985). The random
        numbers are the same for all, so that neighbours are alike.

        Args:
            first: a drawing, or a category, of which a vector is drawn by the seed.
            last: likewise.
            steps: number of drawings, at least 2.
            temperature: see `reconstruct`.
            seed: see `reconstruct`.
            category: see `reconstruct`. By default the network is told the categories that are named here,
                each up to the middle of the way.
        """
        check_whole("steps", steps, 2, MAX_LATENT)
        check_sampling(steps, temperature, seed, LIMIT, self.best_of)
        one, two = self.vector(first, seed), self.vector(last, seed, 1)
        shares = np.linspace(0.0, 1.0, steps)
        start, end = _places(first, last)
        places = [start.towards(end, share) for share in shares]
        told = [category or _name(first if share <= 0.5 else last) for share in shares]
        return self._decode(spherical(one, two, shares), places, told, temperature, seed, shared=True)

    def vary(
        self,
        sketch: Sketch,
        strength: float = 0.5,
        count: int = 9,
        temperature: float = TEMPERATURE,
        seed: int = 0,
        category: str | None = None,
    ) -> list[Sketch]:
        """Return variations of a drawing: from the same again (strength 0) to any of its kind (1).

        The vectors are steps of that size from the drawing's own which leave the prior, at `SPREAD` of its
        deviation, as it is: Neal 1999, "Regression and classification using Gaussian process priors",
        section 5.

        Args:
            sketch: the drawing.
            strength: from 0 to 1.
            count: number of drawings.
            temperature: see `reconstruct`.
            seed: see `reconstruct`.
            category: of which kind they are; by default the drawing's own, or the likeliest one.
        """
        check_sampling(count, temperature, seed, LIMIT, self.best_of)
        check_number("strength", strength, 0.0, 1.0)
        category = category or self._kind(sketch)
        mean, prior = self.encode(sketch).mean, self.prior(category)
        numbers = np.stack([_normal(seed, index, mean.shape[1]) for index in range(count)])
        kept = np.sqrt(1.0 - strength**2) * (mean - prior.mean)
        vectors = prior.mean + kept + strength * SPREAD * prior.deviation * numbers
        return self._decode(vectors, [Place.of(sketch)] * count, [category] * count, temperature, seed)

    def combine(
        self,
        plus: Sequence[Item],
        minus: Sequence[Item] = (),
        count: int = 1,
        temperature: float = TEMPERATURE,
        seed: int = 0,
        category: str | None = None,
    ) -> list[Sketch]:
        """Return drawings of a sum of vectors: a cat's head, plus a whole pig, minus a pig's head.

        Vectors are counted from the mean of all drawings. The drawings stand where the first of `plus` does.

        Args:
            plus: drawings or categories whose vectors are added, at least one.
            minus: those whose vectors are subtracted.
            count: number of drawings.
            temperature: see `reconstruct`.
            seed: see `reconstruct`.
            category: see `reconstruct`.
        """
        check_sampling(count, temperature, seed, LIMIT, self.best_of)
        if not plus or isinstance(plus, str) or isinstance(minus, str):
            raise SettingError("combine takes a list of drawings or categories to add, at least one")
        check_whole("number of drawings to combine", len(plus) + len(minus), 1, MAX_LATENT)
        mean = self.prior(None).mean[0]
        vector = mean + sum(self.vector(item, seed) - mean for item in plus)
        vector = vector - sum(self.vector(item, seed) - mean for item in minus)
        place = _places(plus[0], plus[0])[0]
        return self._decode(
            vector[None].repeat(count, 0), [place] * count, [category] * count, temperature, seed
        )

    def decode(
        self,
        vectors: Float[np.ndarray, "n z"],
        temperature: float = TEMPERATURE,
        seed: int = 0,
        category: str | None = None,
    ) -> list[Sketch]:
        """Return a drawing of each of some vectors, in the 255 box; all of the same random numbers.

        Raises:
            SettingError: the vectors are not of the network's width, or a setting is outside its limits.
        """
        values = np.asarray(vectors)
        wanted = self.model.config.latent
        if values.ndim != 2 or values.shape[1] != wanted or not np.isfinite(values).all():
            raise SettingError(f"vectors must be finite numbers of shape (n, {wanted}), not {values.shape}")
        check_whole("number of vectors", len(values), 1, MAX_LATENT)
        check_sampling(len(values), temperature, seed, LIMIT, self.best_of)
        places, told = [NOWHERE] * len(values), [category] * len(values)
        return self._decode(values, places, told, temperature, seed, shared=True)

    def _decode(
        self,
        vectors: Float[np.ndarray, "n z"],
        places: Sequence[Place],
        categories: Sequence[str | None],
        temperature: float,
        seed: int,
        *,
        shared: bool = False,
    ) -> list[Sketch]:
        """Return a drawing of each vector in its place; with `shared`, all of the same random numbers."""
        each = self.best_of
        rows = np.arange(len(vectors) * each)
        numbers = rows % each if shared else rows
        given = self._nothing([category for category in categories for _ in range(each)])
        given = replace(given, latent=vectors.repeat(each, 0).astype(np.float32))
        any_category = self.model.config.any_category
        decoder = self.model.decoder
        stepper = Guided(decoder, any_category, self.guidance) if self.guidance else decoder
        noise = noise_rows(seed, int(numbers[-1]) + 1, stepper.candidates)
        sampled = sample_steps(stepper, given, (row[numbers] for row in noise), LIMIT, temperature)
        best = self._nearest(sampled, vectors) if each > 1 else rows
        found = []
        for row, place, category in zip(best, places, categories, strict=True):
            length = sampled.length[row]
            points = sampled.offset[row, :length].cumsum(0) + CENTRE
            found.append(place.lay(points, sampled.pen[row, :length], category))
        return found

    def _nearest(self, sampled: Sampled, vectors: Float[np.ndarray, "n z"]) -> Int[np.ndarray, " n"]:
        """Return the candidate of each vector whose posterior gives it the highest density."""
        wholes = [
            self._prefix(offset[:length], pen[:length])
            for offset, pen, length in zip(sampled.offset, sampled.pen, sampled.length, strict=True)
        ]
        found = self.model.decoder.posterior(wholes)
        score = -0.5 * ((vectors.repeat(self.best_of, 0) - found.mean) / found.deviation) ** 2
        score = (score - np.log(found.deviation)).sum(1).reshape(len(vectors), -1)
        return score.argmax(1) + np.arange(0, len(wholes), self.best_of)

    def _kind(self, sketch: Sketch) -> str | None:
        """Return the category of a drawing, its own or the likeliest one."""
        if sketch.category is not None and sketch.category in self.model.categories:
            return sketch.category
        return next((guess.category for guess in self.model.guess(sketch, 1)), None)

    def _prefix(self, offset: Points, pen: Int[np.ndarray, " n"]) -> Prefix:
        return Prefix(offset, pen, np.array([self.model.config.any_category]), True)

    def _nothing(self, categories: Sequence[str | None]) -> Prefix:
        """Return the network's input for drawings from nothing."""
        known = {category: self.model.category_index(category) for category in set(categories)}
        index = np.array([known[category] for category in categories])
        return Prefix(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), index, True)


def spherical(one: Vector, two: Vector, shares: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n z"]:
    """Return vectors on the arc from one vector to another; on the line where they have no angle."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(two))
    angle = np.arccos(np.clip(float(one @ two) / max(lengths, 1e-12), -1.0, 1.0))
    straight = np.sin(angle) < 1e-6
    weights = [
        share if straight else np.sin(share * angle) / np.sin(angle) for share in (1.0 - shares, shares)
    ]
    return weights[0][:, None] * one + weights[1][:, None] * two


def _normal(seed: int, index: int, count: int) -> Float[np.ndarray, " n"]:
    """Return normal numbers of drawing `index` under `seed`, independent of the noise of its steps."""
    key = np.array([seed, index], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=2**129)).standard_normal(count)


def _drawn(of: Gaussian, numbers: Float[np.ndarray, " z"]) -> Vector:
    """Return the vector of a distribution, drawn nearer to its middle, that normal numbers stand for."""
    return (of.mean + SPREAD * of.deviation * numbers)[0]


def _name(item: Item) -> str | None:
    """Return the name of a category; None for a drawing."""
    return item if isinstance(item, str) else None


def _places(first: Item, last: Item) -> tuple[Place, Place]:
    """Return the places of two drawings; a category's is the other one's."""
    places = [None if isinstance(item, str) else Place.of(item) for item in (first, last)]
    known = next((place for place in places if place is not None), NOWHERE)
    return places[0] or known, places[1] or known


def load_latent(name_or_path: str | os.PathLike[str] | None = None) -> LatentSpace:
    """Load a model with a latent vector by its bundled name or folder; the bundled one without either.

    Raises:
        CheckpointError: there is none, or it is damaged.
        SettingError: it has no latent vector.
    """
    return LatentSpace(load(CHECKPOINT if name_or_path is None else name_or_path))


@functools.cache
def default_latent() -> LatentSpace:
    """Return the bundled model with a latent vector, which is loaded once."""
    return load_latent()


def latent_beside(model: Completer) -> LatentSpace | None:
    """Return what mixes drawings for those who draw with a model: itself, or the bundled one.

    None where it has no latent vector, and the bundled one lacks one of its categories.
    """
    space = LatentSpace(model) if model.config.latent else default_latent()
    return space if set(model.categories) <= set(space.model.categories) else None


def reconstruct(sketch: Sketch, count: int = 1, **settings: Any) -> list[Sketch]:
    """Draw a drawing from its latent vector with the bundled model; see `LatentSpace.reconstruct`."""
    return default_latent().reconstruct(sketch, count, **settings)


def interpolate(first: Item, last: Item, steps: int = LATENT_STEPS, **settings: Any) -> list[Sketch]:
    """Return drawings between two with the bundled model; see `LatentSpace.interpolate`."""
    return default_latent().interpolate(first, last, steps, **settings)


def vary(sketch: Sketch, strength: float = 0.5, count: int = 9, **settings: Any) -> list[Sketch]:
    """Return variations of a drawing with the bundled model; see `LatentSpace.vary`."""
    return default_latent().vary(sketch, strength, count, **settings)


def combine(plus: Sequence[Item], minus: Sequence[Item] = (), **settings: Any) -> list[Sketch]:
    """Return drawings of a sum of latent vectors with the bundled model; see `LatentSpace.combine`."""
    return default_latent().combine(plus, minus, **settings)
