"""Drawings at rest: Quick, Draw! files, the prepared store, and batches of it."""
