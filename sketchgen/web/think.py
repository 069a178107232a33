"""What the network thinks while it draws: the distributions over the points of a suggestion, for the page."""

from __future__ import annotations

from typing import Any

import anyio
import numpy as np
from anyio.to_thread import run_sync
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sketchgen.completion.completer import Completer
from sketchgen.completion.guessing import AUTO
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.sampler import noise_rows, steps
from sketchgen.errors import SketchError, SketchgenError
from sketchgen.models.numpy_layers import sigmoid
from sketchgen.models.numpy_mixture import StepDistribution
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import to_steps
from sketchgen.web.drawing import posting
from sketchgen.web.request import checked_category, checked_sketch

PATH = "/sketchgen/think"

MAX_POINTS = 600
"""Most added points: half a second. A suggestion has 250, or as many as what it mirrors."""

MIN_WEIGHT = 2e-4
"""Weight below which a component is left out: at temperature 2 it has still less than a hundredth."""

MAX_COMPONENTS = 48
"""Most components that are told; there is one for each point that was drawn, too."""

COMPUTING = 1
"""Requests that compute at the same moment: a lesson must not slow down who draws."""


def thoughts(completer: Completer, sketch: Sketch, added: Sketch, category: str | None) -> dict[str, Any]:
    """Return the distribution over each point of added strokes, and over what would come after the last one.

    The network is led along the given points, as in training, at temperature 1 and without guidance.

    Args:
        completer: the model.
        sketch: the given sketch.
        added: what was added to it, on the same page. A first stroke that begins at the last given point
            continues its stroke.
        category: a name, "auto" for the likeliest one, or None.

    Returns:
        `category`, and for each of n + 1 `steps` the place of the pen `at` (x, y), the probability `end` that
        the drawing ends there, and `components` as (weight, x, y, variance in x, covariance, variance in y,
        probability that the pen is lifted there), heaviest first, in units of the page.

    Raises:
        SketchgenError: an unknown category.
    """
    if category == AUTO:
        category = next((guess.category for guess in completer.guess(sketch, 1)), None)
    partial = PartialSketch.of(sketch)
    strokes = [stroke - partial.origin for stroke in added.strokes]
    going_on = not sketch.is_empty and any(len(first) > 1 and not first[0].any() for first in strokes[:1])
    if going_on:
        strokes[0] = strokes[0][1:]
    offset, pen = to_steps(Sketch(tuple(strokes)), ends=False)
    forced = {0: (offset / partial.frame.scale, pen)}
    given = partial.prefix(np.array([completer.category_index(category)]), np.array([going_on]))
    found = steps(
        completer.decoder, given, noise_rows(0, 1), len(pen), 1.0, at_least_one=False, forced=forced
    )
    at = np.concatenate([np.zeros((1, 2)), *strokes])
    places = zip(at + partial.origin, found, strict=True)
    shown = [_step(place, step.distribution, partial.frame.scale) for place, step in places]
    return {"category": category, "steps": shown}


def _step(at: Points, step: StepDistribution, scale: float) -> dict[str, Any]:
    """Return a distribution over one step from a place on the page; `scale` is a px of the model there."""
    weight = np.exp(step.log_weight[0])
    kept = np.argsort(-weight, kind="stable")[:MAX_COMPONENTS]
    kept = kept[weight[kept] >= MIN_WEIGHT]
    mean = step.mean[0, kept] * scale + at
    sigma = np.exp(step.log_sigma[0, kept]) * scale
    covariance = step.rho[0, kept] * sigma.prod(1)
    lift = sigmoid(step.lift[0, kept])
    columns = weight[kept], *mean.T, sigma[:, 0] ** 2, covariance, sigma[:, 1] ** 2, lift
    components = [[float(f"{value:.5g}") for value in row] for row in np.stack(columns, 1).tolist()]
    return {"at": at.tolist(), "end": float(sigmoid(step.end)[0]), "components": components}


def _answer(completer: Completer, question: Any) -> dict[str, Any]:
    """Check a request and return its answer."""
    question = question if isinstance(question, dict) else {}
    sketch, added = checked_sketch(question.get("drawing")), checked_sketch(question.get("added"), "added")
    if added.point_count > MAX_POINTS:
        raise SketchError(f"added: {added.point_count} points; at most {MAX_POINTS} are thought over")
    return thoughts(completer, sketch, added, checked_category(completer, question.get("category")))


def think_route(completer: Completer) -> Route:
    """Return the route: JSON `{drawing, added, category}` to the answer of `thoughts`, or to `{error}`."""
    computing = anyio.CapacityLimiter(COMPUTING)

    async def think(_: HttpRequest, question: Any) -> Response:
        try:
            return JSONResponse(await run_sync(_answer, completer, question, limiter=computing))
        except SketchgenError as error:
            return JSONResponse({"error": str(error)})

    return posting(PATH, think)
