"""The drawing page: a Gradio app in which a model finishes what a person draws.

`build` makes the app, `launch` serves it. Only this package loads gradio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketchgen.app.page import build
    from sketchgen.app.serve import launch

__all__ = ["build", "launch"]

_HOME = {"build": "sketchgen.app.page", "launch": "sketchgen.app.serve"}


def __getattr__(name: str) -> Any:
    """Load gradio only when the page is asked for."""
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
