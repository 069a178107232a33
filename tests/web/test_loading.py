"""How the page is loaded: without the stubs that gradio writes for editors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COUNTING = """
import ast, inspect, sys
asked, whole, before = [], ast.get_source_segment, inspect.getfile
ast.get_source_segment = lambda *all, **more: asked.append(1) or whole(*all, **more)
"""


def told(code: str) -> list[str]:
    """What a Python of its own prints."""
    command = [sys.executable, "-c", COUNTING + code]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split()


def test_no_source_is_taken_apart_and_nothing_stays_changed() -> None:
    count, same, file, anew = told(
        "from sketchgen.web import launch\nimport gradio, importlib\n"
        "print(len(asked), inspect.getfile is before, inspect.getfile(gradio.HTML))\n"
        "importlib.reload(sys.modules['gradio.components.html'])\nprint(len(asked))"
    )
    assert (count, same) == ("0", "True")
    assert file.endswith("html.py")
    # That can fail: a component that is made without `load_gradio` is taken apart.
    assert int(anew) > 0
