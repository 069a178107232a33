"""The code of docs/python.md runs as it stands, and what it trains learns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from sketchgen.data.prepare import prepare

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
OF_THE_HUB = "hf://"


@pytest.fixture(scope="module")
def names(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All names after the page's code has run, in a folder with a prepared store."""
    folder, found = tmp_path_factory.mktemp("docs"), {"__name__": "__main__"}
    prepare([sample_dir], folder / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in BLOCKS:
            if OF_THE_HUB not in block:
                exec(compile(block, "docs/python.md", "exec"), found)
    return found


def test_the_loop_trains_within_thirty_lines(names: dict[str, Any]):
    (loop,) = (block for block in BLOCKS if "optimiser" in block)
    assert len([line for line in loop.splitlines() if line and "import" not in line]) <= 30
    losses = names["losses"]
    assert sum(losses[-10:]) < sum(losses[:10]) - 7.0
    assert len(names["drawn"]) == 2


def test_shapes_are_those_that_the_page_says(names: dict[str, Any]):
    expected, found, sketch = names["expected"], names["found"], names["found"].sketch
    k, count = expected.log_weight.shape[-1], sketch.point_count
    assert names["density"].shape == (1, 4, k)
    assert names["spread"].shape == (1, 4, k, 2, 2)
    assert found.hidden.shape == (count + 1, 2, 352)
    assert names["reach"].shape == (count + 1,)
    torch.testing.assert_close(names["density"], expected.component_log_density(names["likeliest"]))


def test_what_the_page_links_is_there():
    targets = [target for target in re.findall(r"\]\(([^)#]+)", TEXT) if "://" not in target]
    assert targets
    assert all((ROOT / "docs" / target).is_file() for target in targets)
