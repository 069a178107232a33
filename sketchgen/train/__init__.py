"""Training: the configuration, the loop, and its exact state on disk."""
