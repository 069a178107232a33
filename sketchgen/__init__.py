"""sketchgen completes drawings: strokes go in, and strokes that continue them come back.

    import sketchgen

    model = sketchgen.load()
    sketch = sketchgen.read("half-a-cat.svg")
    for completion in model.complete(sketch, category="cat", count=9, temperature=0.4, best_of=8):
        completion.given, completion.added
    completion.whole.save("cat.svg")

`sketchgen.complete(sketch, ...)` and `sketchgen.generate("cat", ...)` do the same with the bundled model.
The names here are the public interface. Each is loaded when it is first used, so that `import sketchgen` is
quick and needs neither numpy nor torch.
"""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchgen.errors import SketchgenError, missing_dependency
from sketchgen.resources import ResourceError, bundled

if TYPE_CHECKING:
    from sketchgen.completion.completer import Completer, complete, generate, load
    from sketchgen.completion.latent import LatentSpace, combine, interpolate, load_latent, reconstruct, vary
    from sketchgen.evaluation.activations import activations, gradient_by_distance
    from sketchgen.evaluation.comparison import compare
    from sketchgen.evaluation.report import evaluate
    from sketchgen.formats.read_write import read, read_all
    from sketchgen.models.recogniser import Recogniser, load_recogniser, recognise
    from sketchgen.models.reward_model import RewardModel, load_reward_model
    from sketchgen.notebook import Pad
    from sketchgen.sketch.sketch import Completion, Sketch
    from sketchgen.training.config import TrainConfig
    from sketchgen.training.presets import PRESETS
    from sketchgen.training.trainer import fit

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "Completer",
    "Completion",
    "LatentSpace",
    "Pad",
    "Recogniser",
    "RewardModel",
    "Sketch",
    "SketchgenError",
    "TrainConfig",
    "__version__",
    "activations",
    "combine",
    "compare",
    "complete",
    "evaluate",
    "example",
    "examples",
    "fit",
    "generate",
    "gradient_by_distance",
    "interpolate",
    "load",
    "load_latent",
    "load_recogniser",
    "load_reward_model",
    "read",
    "read_all",
    "recognise",
    "reconstruct",
    "vary",
]

_HOMES = {
    name: f"sketchgen.{module}"
    for module, names in {
        "completion.completer": "Completer complete generate load",
        "completion.latent": "LatentSpace combine interpolate load_latent reconstruct vary",
        "evaluation.activations": "activations gradient_by_distance",
        "evaluation.comparison": "compare",
        "evaluation.report": "evaluate",
        "formats.read_write": "read read_all",
        "models.recogniser": "Recogniser load_recogniser recognise",
        "models.reward_model": "RewardModel load_reward_model",
        "notebook": "Pad",
        "sketch.sketch": "Completion Sketch",
        "training.config": "TrainConfig",
        "training.presets": "PRESETS",
        "training.trainer": "fit",
    }.items()
    for name in names.split()
}
"""Where the names stand that are loaded when they are first used."""

_PACKAGES = ("completion", "data", "evaluation", "formats", "jobs", "models", "ranking", "sketch", "training")
"""The packages that are loaded when they are first used: `sketchgen.training.Callback` needs no import."""


def examples() -> list[str]:
    """The names of the bundled beginnings of drawings, sorted."""
    return sorted(path.stem for path in bundled("datasets", "partial").glob("*.svg"))


def example(name: str) -> Path:
    """The SVG file of a bundled beginning of a drawing, such as "half-a-cat".

    Raises:
        ResourceError: there is none of that name; the message names those there are.
    """
    names = examples()
    if name in names:
        return bundled("datasets", "partial", f"{name}.svg")
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ResourceError(f"no example {name[:60]!r}; {hint}there are {', '.join(names)}")


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used.

    Raises:
        MissingDependencyError: it needs a package of an extra that is not installed.
    """
    if name not in _HOMES and name not in _PACKAGES:
        raise AttributeError(f"module 'sketchgen' has no attribute {name!r}")
    try:
        if name in _PACKAGES:
            return importlib.import_module(f"sketchgen.{name}")
        return getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        raise missing_dependency(error) or error from error


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted({*globals(), *__all__, *_PACKAGES})
