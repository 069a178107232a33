"""Choose the best of several candidate completions."""
