"""The drawing page: a Gradio app in which a model completes what a person draws.

`build` makes the app, `launch` serves it. Only this package loads gradio.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketchgen.web.page import build
    from sketchgen.web.serve import launch

__all__ = ["build", "launch"]

_HOME = {"build": "sketchgen.web.page", "launch": "sketchgen.web.serve"}


def load_gradio() -> None:
    """Import gradio without the editor stubs that it writes of every component.

    It parses its own sources for them at each import, which takes nearly half of the time. It writes none of
    what has no source file.
    """
    whole = inspect.getfile

    def getfile(thing: Any) -> str:
        if type(thing).__name__ == "ComponentMeta" or getattr(thing, "__name__", "") == "BlocksEvents":
            raise OSError("no stub is wanted")
        return whole(thing)

    inspect.getfile = getfile
    try:
        importlib.import_module("gradio")
    finally:
        inspect.getfile = whole


def __getattr__(name: str) -> Any:
    """Load gradio only when the page is asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    load_gradio()
    return getattr(importlib.import_module(_HOME[name]), name)
