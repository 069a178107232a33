"""Checkpoints of judges of pictures, kept as recognisers are; see `models.classifier_checkpoint`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sketchgen.models.checkpoint import CONFIG, PICTURES_FORMAT, stands_in
from sketchgen.models.classifier_checkpoint import Kept, Kind, Recognising, read_kept, save_kept
from sketchgen.models.picture_config import PictureConfig
from sketchgen.models.picture_features import SIDE
from sketchgen.resources import PICTURES_WEIGHTS, bundled_picture_judges

PICTURES_VERSION = 1

DEFAULT_PICTURE_JUDGE = "pictures345"
"""The bundled judge of pictures."""


def _about(config: PictureConfig) -> str:
    """The first paragraphs of its card."""
    widths = ", ".join(map(str, config.widths))
    return (
        f"# A sketchgen judge of pictures, of {len(config.categories)} categories\n\n"
        f"Tells what a whole drawing is of from a grey picture of it, {SIDE} x {SIDE} px, without its "
        f"strokes: convolutions at {len(config.widths)} sizes ({widths} channels; {sum(config.blocks)} "
        "residual blocks), and the mean over the picture. It judges what models of strokes have drawn "
        "(`sketchgen evaluate --judge`). It draws nothing.\n\n"
    )


PICTURES = Kind(
    "judge of pictures",
    PICTURES_FORMAT,
    PICTURES_VERSION,
    PICTURES_WEIGHTS,
    "pictures",
    PictureConfig.from_dict,
    _about,
    DEFAULT_PICTURE_JUDGE,
    bundled_picture_judges,
)
"""Those of judges of pictures."""


def save_picture_judge(
    folder: Path,
    network: Recognising[PictureConfig],
    summary: dict[str, Any],
    *,
    force: bool = False,
    half: bool = False,
) -> None:
    """Write the checkpoint of a judge of pictures; see `save_kept`.

    Raises:
        OutputError: the folder exists and `force` is false, or it cannot be written.
    """
    save_kept(PICTURES, folder, network, summary, force=force, half=half)


def read_picture_judge(name_or_path: str | os.PathLike[str] | None = None) -> Kept[PictureConfig]:
    """Read the checkpoint of a judge of pictures; see `find_kept` for the name.

    Raises:
        CheckpointError: none there, one of another kind, a newer one, or damaged weights.
    """
    return read_kept(PICTURES, name_or_path)


def judges_pictures(name_or_path: str | os.PathLike[str]) -> bool:
    """Whether a folder, or else a bundled name, is that of a judge of pictures.

    False where there is none, or what is there cannot be read: who reads it as a recogniser says so.
    """
    path = Path(name_or_path)
    if not stands_in(path):
        return os.fspath(name_or_path) in bundled_picture_judges()
    try:
        about = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and about.get("format") == PICTURES_FORMAT
