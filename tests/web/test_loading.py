"""How the page is loaded: without the stubs that gradio writes for editors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def told(code: str) -> list[str]:
    """What a Python of its own prints."""
    script = "import ast, inspect\nasked = []\nwhole = ast.get_source_segment\n" + code
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.split()


COUNTING = "ast.get_source_segment = lambda *all, **more: asked.append(1) or whole(*all, **more)\n"


def test_no_source_is_taken_apart_and_nothing_stays_changed() -> None:
    code = COUNTING + (
        "before = inspect.getfile\nfrom sketchgen.web import launch\n"
        "import gradio\nprint(len(asked), inspect.getfile is before, inspect.getfile(gradio.HTML))"
    )
    count, same, file = told(code)
    assert (count, same) == ("0", "True")
    assert file.endswith("html.py")


def test_that_can_fail() -> None:
    (count,) = told(COUNTING + "import gradio\nprint(len(asked))")
    assert int(count) > 10
