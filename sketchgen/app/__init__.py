"""The drawing page: a Gradio app in which a model finishes what a person draws.

`build` makes the app, `launch` serves it. Only this package loads gradio.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketchgen.app.page import build
    from sketchgen.app.serve import launch

__all__ = ["build", "launch"]

_HOME = {"build": "sketchgen.app.page", "launch": "sketchgen.app.serve"}


def load_page() -> None:
    """Import gradio and the page without the stubs for editors that gradio writes of every component.

    At each import it parses its own sources for them, which is nearly half of the time that it takes, and it
    would write one beside our own components, into the installed package. It makes none of a component whose
    source file is not to be found.
    """
    whole = inspect.getfile

    def getfile(thing: Any) -> str:
        if type(thing).__name__ == "ComponentMeta":
            raise OSError("no stub is wanted")
        return whole(thing)

    inspect.getfile = getfile
    try:
        importlib.import_module("sketchgen.app.page")
    finally:
        inspect.getfile = whole


def __getattr__(name: str) -> Any:
    """Load gradio only when the page is asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    load_page()
    return getattr(importlib.import_module(_HOME[name]), name)
