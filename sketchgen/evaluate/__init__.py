"""Measuring a model: likelihood, and whether its drawings end by themselves."""

from sketchgen.evaluate.report import evaluate as evaluate
