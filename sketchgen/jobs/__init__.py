"""Many drawings at once: what is asked for, what draws it, and where it goes."""
