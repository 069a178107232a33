"""Constants that both forms of the network share, the one in torch and the one in numpy."""

from __future__ import annotations

FEATURES = 18
"""Numbers a step is described by; see `sketchgen.models.layers.PenState.features`."""

INPUTS = {
    "offsets": (0, 1, 7, 8, 9),
    "moves": (0, 1, 7, 8, 9),
    "full": tuple(range(11)),
    "directed": tuple(range(14)),
    "bounded": tuple(range(FEATURES)),
}
"""Which of the features a network reads: offset and pen, as Sketch-RNN; the same, but nothing of the first
point, where the published decoders begin; all but direction and room; all but the room that is left on each
side of what is drawn; all."""

PENS = ("component", "shared", "softmax")
"""Whether each component has its own odds of lifting the pen, or all share one. With "softmax" outputs are
read as those of the published Sketch-RNN decoders: drawing, lifting and ending are one choice of three,
correlations are not scaled, only clipped, and deviations may be below `SIGMA_FLOOR`."""

POSITION_SCALE = 64.0
"""Positions are divided by this many px before the network sees them."""

LENGTH_SCALE = 4.0
"""The log of 1 + the square of the last offset's length is divided by this."""

NEAR = 200.0
"""The feature for the distance to the stroke's start falls to 1/e at the root of this, px squared."""

PER_COMPONENT = 7
"""Parameters of a component: weight, two means, two log deviations, correlation, lift."""

POINTER = 4
"""Parameters of all pointers of a step: weight, log deviations in x and y, lift."""

BORDERS = ((0, -1), (0, 1), (1, -1), (1, 1))
"""The sides of the box that a whole drawing fills: the axis that each is across, and on which end of it."""

BORDER = 4 * len(BORDERS) + 1
"""Parameters of the components at them: weight, mean and log deviation along the side, and lift of each; and
the log deviation across, px, of all."""

NO_LATENT = "the model has no latent vector; take latent345, or train one by --latent"

CELLS_ACROSS = 16
"""Cells of a picture in each direction, of which a latent vector tells whether there is ink."""

LOG_DEVIATIONS = -6.0, 3.0
"""Limits of the log of a latent number's deviation."""

RECALL_HEADS = 4
"""Heads of the attention to earlier steps."""

SIGMA_FLOOR, SIGMA_CEILING = 0.2, 2000.0
"""Limits of a deviation in px of the 255 box. Dequantised data has a deviation of 0.29 px at least."""

SOFTMAX_FLOOR = 1e-4
"""Smallest deviation in px with the pen "softmax": only so that it is not 0."""

VARIANCE_FLOOR = 1e-3
"""Smallest variance along the page's axes of a rotated component, px squared."""

IMPOSSIBLE = -1e9
"""Log weight of a component that is never taken; not -inf, whose differences are not finite."""

MEAN_LIMIT = 4000.0
"""Largest mean, px: far beyond any drawing, to keep squares finite."""

RHO_LIMIT = 0.995
"""Largest absolute correlation: tanh alone reaches 1 in float32, where the density is infinite."""

PARAMETER_LIMIT = 1e4
"""Largest absolute output of the network; beyond it nothing changes any more."""

USUAL_POINTS, HURRY = 80, 1 / 16
"""Points that 95 of 100 drawings do not exceed, and by how much the logits of lifting and ending grow with
each point beyond them, at temperature 0; see `StepDistribution.length_penalty`."""

BEYOND = 0.5
"""Nats by which a component is less likely for each px that it leads beyond the page's edge; see
`StepDistribution.within`."""

GATES = {"lstm": 4, "gru": 3, "rnn": 1, "gated": 3}
"""Gates of each recurrent cell; `rnn` is the plain tanh network, `gated` a recurrence without a product of
its state: see `sketchgen.models.layers.Gated`."""

LONGEST_MEMORY = 64
"""At each step the slowest units of a new gated layer replace one part in so many; the fastest, a half."""


def parameter_count(components: int, pen: str = "component") -> int:
    """Width of the output: `PER_COMPONENT` a component, or one less and a lift for all; and the end."""
    each = PER_COMPONENT * components
    return (each if pen == "component" else each - components + 1) + 1
