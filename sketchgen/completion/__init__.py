"""Drawings from a model: the sampler, and the completer that people use."""
