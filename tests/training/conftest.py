"""A store of the sample that the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest

from sketchgen.data.prepare import prepare
from sketchgen.training.config import TrainConfig
from tests.support.runs import small


@pytest.fixture(scope="session")
def store(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared store of the sample."""
    out = tmp_path_factory.mktemp("sample") / "store"
    prepare([sample_dir], out)
    return out


@pytest.fixture
def config(store: Path, tmp_path: Path) -> TrainConfig:
    """A small run on the sample."""
    return small(store, tmp_path / "run")
