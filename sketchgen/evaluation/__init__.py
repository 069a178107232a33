"""Measure models: likelihood, completions, and how often drawings are recognised."""
