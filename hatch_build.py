"""Build hook: puts the files of datasets/, checkpoints/ and web/ into the wheel, in `sketchgen/_bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("checkpoints", "datasets", "web")
SUFFIXES = frozenset(
    (
        *(".css", ".html", ".js", ".json", ".md", ".ndjson", ".png", ".safetensors", ".svg", ".ts"),
        *(".txt", ".webp"),
    )
)
NAMES = frozenset(("SHA256SUMS",))
"""What a wheel carries. Scripts stay in the source; a pickle, a log or a half-written file never gets in."""


class BundleHook(BuildHookInterface):
    """Force-includes single files, since a force-included folder would swallow git-ignored files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add every bundled file to `build_data`; an editable install reads the checkout instead."""
        if version == "editable":
            return
        root = Path(self.root)
        for folder in FOLDERS:
            for path in sorted((root / folder).rglob("*")):
                relative = path.relative_to(root)
                if self._is_bundled(path, relative):
                    build_data["force_include"][str(path)] = f"sketchgen/_bundle/{relative.as_posix()}"

    def _is_bundled(self, path: Path, relative: Path) -> bool:
        """Whether a file is of a known kind, not hidden, not a link, and not named by .gitignore."""
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or path.is_symlink() or not path.is_file():
            return False
        if path.suffix not in SUFFIXES and path.name not in NAMES:
            return False
        return not self.build_config.path_is_excluded(relative.as_posix())
