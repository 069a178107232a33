"""Drawings: strokes of points, their frames and distances, and atomic files."""
