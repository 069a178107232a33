"""The errors that a user of sketchgen may meet, each worded as one line: the value, the limit, the remedy."""

from __future__ import annotations


class SketchgenError(Exception):
    """Base of every error that sketchgen raises on purpose; `str(error)` is one line fit for a person.

    It does not derive from ValueError on purpose: command-line and web frameworks catch and reword those.
    """


class SketchError(SketchgenError):
    """A drawing that cannot be used: not finite, too large, of the wrong shape."""


class FormatError(SketchgenError):
    """A file or a text that is not what it should be (SVG, ndjson, canvas JSON, a store)."""


class CategoryError(SketchgenError):
    """A category that the model or the store does not know."""


class CheckpointError(SketchgenError):
    """A checkpoint that is missing, damaged, or of another make."""


class OutputError(SketchgenError):
    """A place that cannot be written: it exists, it is not writable, or the disk is full."""


class DownloadError(SketchgenError):
    """A file that could not be fetched: it is not there, it is not what was asked for, or nobody answers."""


class SettingError(SketchgenError):
    """A setting outside its limits."""


class ProcessLostError(SketchgenError):
    """Another of several processes that work together has ended."""


class MissingDependencyError(SketchgenError, ImportError):
    """A package that an optional part of sketchgen needs is not installed."""


EXTRAS = {
    "gradio": "web",
    "torch": "train",
    "pyarrow": "train",
    "httpx": "train",
    "tensorboard": "train",
    "vpype": "plotter",
    "vpype_gcode": "plotter",
    "ray": "ray",
}
"""The extra that installs each optional package, by the package's import name."""


def missing_dependency(error: ModuleNotFoundError) -> MissingDependencyError | None:
    """Return the error to show for a failed import of an optional package; None for any other module."""
    package = (error.name or "").split(".")[0]
    if package not in EXTRAS:
        return None
    return MissingDependencyError(
        f"this needs {package}, which is not installed; run pip install 'sketchgen[{EXTRAS[package]}]'"
    )
