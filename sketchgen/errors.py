"""The errors that a user of sketchgen may meet, each worded as one line: the value, the limit, the remedy."""

from __future__ import annotations


class SketchgenError(Exception):
    """Base of every error that sketchgen raises on purpose; `str(error)` is one line fit for a person.

    It does not derive from ValueError on purpose: command-line and web frameworks catch and reword those.
    """

    def __str__(self) -> str:
        """Return the message; what would break the line, or is in no encoding, is escaped."""
        return printable(super().__str__())


class SketchError(SketchgenError):
    """A drawing that cannot be used: not finite, too large, of the wrong shape."""


class FormatError(SketchgenError):
    """A file or a text that is not what it should be (SVG, ndjson, canvas JSON, a store)."""


class FormatWarning(FormatError, UserWarning):
    """A part of a file that cannot be read, and is left out.

    It is a warning; those who want to be strict let Python's `warnings` raise it, as the error that it is.
    """


class FormatNote(UserWarning):
    """A part of a file that is read in another way than it is drawn, on purpose."""


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


def printable(text: str) -> str:
    """Return a text with its control characters, line breaks and lone surrogates escaped."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text
    )


EXTRAS = {
    "gradio": "web",
    "torch": "train",
    "pyarrow": "train",
    "httpx": "train",
    "tensorboard": "train",
    "vpype": "plotter",
    "vpype_gcode": "plotter",
    "ray": "ray",
    "onnx": "onnx",
    "huggingface_hub": "hub",
    "anywidget": "notebook",
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
