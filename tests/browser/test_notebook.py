"""The pad in JupyterLab: strokes arrive in Python, alternatives come back, and what is kept arrives, too."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serving import Server

import sketchgen

CELLS = [
    "import sketchgen\n"
    "pad, other = sketchgen.Pad(model='tiny'), sketchgen.Pad(model='tiny', width=240)\n"
    "display(pad, other)",
    "print('drawn', len(pad.sketch.strokes), len(other.sketch.strokes), pad.sketch.times[0][-1] > 0)",
    "print('found', len(pad.finish(count=4, best_of=1)))",
    "other.sketch = pad.sketch\nprint('kept', len(pad.sketch.strokes) > 1)",
]

LEFT_OUT = (
    "apputils-extension:announcements",
    "debugger-extension",
    "extensionmanager-extension",
    "lsp-extension",
)
"""Parts of JupyterLab that ask other hosts, or take long to load."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Server]:
    """JupyterLab with one notebook, and without any setting of this machine's user."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{k}",
            "metadata": {},
            "source": cell,
            "outputs": [],
            "execution_count": None,
        }
        for k, cell in enumerate(CELLS)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    (tmp_path / "pad.ipynb").write_text(json.dumps(notebook))
    server = {
        "open_browser": False,
        "allow_root": True,
        "ip": "127.0.0.1",
        "port": 0,
        "root_dir": str(tmp_path),
    }
    server["jpserver_extensions"] = {"jupyter_lsp": False, "jupyter_server_terminals": False}
    config = tmp_path / "config"
    (config / "labconfig").mkdir(parents=True)
    settings = {"ServerApp": server, "IdentityProvider": {"token": ""}}
    (config / "jupyter_server_config.json").write_text(json.dumps(settings))
    disabled = {"disabledExtensions": {f"@jupyterlab/{name}": True for name in LEFT_OUT}}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(disabled))
    names = (
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
    )
    env = {name: str(tmp_path / "own") for name in (*names, "IPYTHONDIR")}
    env |= {"JUPYTER_CONFIG_DIR": str(config), "PYTHONPATH": str(Path(sketchgen.__file__).parents[1])}
    made = Server("-m", "jupyterlab", says="http://", env={**os.environ, **env})
    yield made
    made.stop()


class Notebook:
    """The notebook in a browser."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        page.set_default_timeout(60_000)
        # Whatever JupyterLab asks on a slow machine: a kernel to choose, a save that lags.
        page.add_locator_handler(
            page.locator("dialog.jp-Dialog"), lambda found: found.locator("button.jp-mod-accept").click()
        )
        page.goto(f"{url}/tree/pad.ipynb", wait_until="commit")
        self.cells = page.locator(".jp-Notebook .jp-CodeCell")
        self.pads = page.locator(".sg.ready")
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()

    def run(self, number: int) -> None:
        """Run a cell. JupyterLab lets it lie as long as it does not know its kernel, idle or not."""
        waiting = self.cells.nth(number).locator(".jp-InputPrompt", has_text="[ ]:")
        for _ in range(40):
            self.cells.nth(number).locator(".cm-content").click()
            self.page.keyboard.press("Shift+Enter")
            self.page.wait_for_timeout(250)
            if not waiting.count():
                return
        raise AssertionError(f"cell {number} does not run")

    def said(self, number: int) -> str:
        """What a cell prints."""
        self.run(number)
        output = self.cells.nth(number).locator(".jp-OutputArea-output")
        return output.inner_text().strip()

    def draw(self, *points: tuple[float, float]) -> None:
        """A stroke on the first pad, by mouse, in px of its paper."""
        paper = self.pads.first.locator("#sg-paper > canvas")
        paper.scroll_into_view_if_needed()
        box, mouse = paper.bounding_box(), self.page.mouse
        for k, (x, y) in enumerate(points):
            mouse.move(box["x"] + x, box["y"] + y, steps=3)
            if k == 0:
                mouse.down()
        mouse.up()


def test_a_drawing_is_finished_in_jupyterlab(lab: Server, browser: Any) -> None:
    book = Notebook(browser.new_page(viewport={"width": 1300, "height": 900}), lab.url)
    book.run(0)
    book.pads.nth(1).wait_for()
    book.draw((150, 120), (120, 50), (200, 100), (280, 50), (300, 130))
    assert book.said(1) == "drawn 1 0 True"
    assert book.said(2) == "found 4"
    thumbs = book.pads.first.locator(".thumb:not(.growing) .take")
    thumbs.nth(3).wait_for()
    thumbs.nth(1).click()
    assert book.said(3) == "kept True"
    strokes = book.pads.nth(1).locator("canvas[aria-label$=strokes]")
    strokes.wait_for()
    # The other pad has the same drawing, but no suggestions.
    assert book.pads.nth(1).locator(".thumb").count() == 0
    # JupyterLab would cut the cell, and the pads with it.
    book.pads.first.locator("#sg-paper > canvas").press("x")
    # A dark theme is known by its text.
    book.page.add_style_tag(content=".jp-OutputArea-output { color: #eee !important }")
    book.page.evaluate("document.body.dataset.theme = 'other'")
    book.page.locator(".gradio-container.dark").nth(1).wait_for()
    assert book.pads.count() == 2
    book.page.context.close()
