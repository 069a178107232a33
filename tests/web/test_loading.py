"""How the page is loaded: with one thread for numpy, and without the stubs that gradio writes for editors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sketchgen.limits import THREAD_VARIABLES

COUNTING = """
import ast, inspect
asked, whole, before = [], ast.get_source_segment, inspect.getfile
ast.get_source_segment = lambda *all, **more: asked.append(1) or whole(*all, **more)
"""


def told(code: str, **environment: str) -> list[str]:
    """What a Python of its own prints, without this one's number of threads."""
    command = [sys.executable, "-c", COUNTING + code]
    before = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    env = {**before, **environment, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split()


def test_no_source_is_taken_apart_and_nothing_stays_changed() -> None:
    count, same, file = told(
        "from sketchgen.web import launch\nimport gradio\n"
        "print(len(asked), inspect.getfile is before, inspect.getfile(gradio.HTML))"
    )
    assert (count, same) == ("0", "True")
    assert file.endswith("html.py")
    # That can fail.
    assert int(told("import gradio\nprint(len(asked))")[0]) > 10


@pytest.mark.parametrize(("environment", "threads"), [({}, "1"), ({"OMP_NUM_THREADS": "3"}, "3")])
def test_a_computing_request_has_one_thread_unless_somebody_wants_more(
    environment: dict[str, str], threads: str
) -> None:
    code = (
        "import os, sys, sketchgen.web as web\nweb.load_gradio = lambda: print('numpy' in sys.modules)\n"
        "web._HOME = {'launch': 'types'}\ngetattr(web, 'launch', 0)\nprint(os.environ['OMP_NUM_THREADS'])"
    )
    assert told(code, **environment) == ["False", threads]
