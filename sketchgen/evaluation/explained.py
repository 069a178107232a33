"""What each figure of an evaluation means, for its readers; docs/evaluation.md says more."""

from __future__ import annotations

LIKELIHOOD = (
    "How surprising real drawings are to the model; lower is better. Offsets count in px of the 255 "
    "box, dequantised by uniform noise, pen and end included; sums are divided by the number of points "
    "that are scored. Where a part is given only the rest is scored. Errors are standard errors over "
    "drawings."
)

POSITION = (
    "The same nats by where in the drawing a point stands, and by what the step is: the first point of "
    "a stroke (a jump), the others, and the decision that the drawing is complete."
)

DEPTH = "Categories with 300 or more training drawings are called deep, the others rare."

ENDED = (
    "Share of drawings from nothing, of all categories in turn, that the model ends by itself under 200 "
    "points."
)

RECOGNITION = (
    "A judge names the finished drawing. The bare beginning is the floor, the whole real drawing the "
    "ceiling; the gain is (completion - beginning) / (real - beginning), and the last column completion "
    "/ real; both can be above 1, for models draw more typically than people. Scale known: the model is "
    "told how large the whole drawing is. Scale unknown: it sees the beginning as a person's, at a size "
    "of its own."
)

TEN_WAYS = (
    "Of ten completions of a beginning, how far the added part of the nearest one lies from the true "
    "rest (symmetric Chamfer distance in px), and how far the ten lie from each other on average. The "
    "first alone would reward scatter: a good model is near and has several ideas."
)

DISTANCES = (
    "How far finished drawings, as a set, lie from other real drawings in what the judge sees in them: "
    "KID (unbiased; 0 for the same distribution) and FID (which depends on the number of drawings). "
    "Real drawings against other real ones are the floor."
)

COPYING = (
    "Distance of drawings from nothing to the nearest training drawing, against the same of real "
    "drawings that were held out. A model that copied would be nearer than real ones are: far more than "
    "1 % of its drawings would lie below the held-out ones' 1 % quantile. A low temperature draws "
    "typical lines, which are near, too."
)

MAGENTA = (
    "The reconstruction loss of the Sketch-RNN paper, for readers who know it. It depends on the "
    "longest drawing and on the scale of the set and cannot be compared between sets."
)

CATEGORY = "Nats per point of whole drawings by category."

SHEET = "Beginnings (black, a quarter of the points) and what the model added (blue), six ways each."
