"""Measuring a model: likelihood, and whether its drawings end by themselves."""

from sketchgen.evaluation.comparison import compare as compare
from sketchgen.evaluation.report import evaluate as evaluate
