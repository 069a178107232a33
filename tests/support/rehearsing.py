"""Rehearsals in files of a few beginnings, whose ways are of a few points."""

from __future__ import annotations

import pytest

from sketchgen.training import candidate_files as rehearsed
from sketchgen.training import candidates as rehearsal


def small(patch: pytest.MonkeyPatch, chunk: int, limit: int = 20) -> None:
    """Draw `chunk` beginnings into a file, and `limit` points at most; forget what was loaded."""
    patch.setattr(rehearsal, "CHUNK", chunk)
    patch.setattr(rehearsed, "CHUNK", chunk)
    patch.setattr(rehearsal, "LIMIT", limit)
    rehearsal._sources.cache_clear()
