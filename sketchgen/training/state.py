"""The exact state of a run on disk, in one file that holds tensors and JSON: nothing in it can run.

Lightning's own checkpoints are pickles. Here its state (nested dicts and lists of tensors and plain values)
is taken apart into a safetensors file, with the structure as JSON in its metadata, and put together again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lightning.fabric.plugins import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sketchgen.errors import CheckpointError, OutputError
from sketchgen.sketch.files import write_atomic

STATE_VERSION = 2

_TENSOR, _MAP, _TUPLE = "$tensor", "$map", "$tuple"
"""Keys of the objects that stand in the JSON for what JSON has not."""


def taken_apart(value: Any) -> tuple[Any, dict[str, Tensor]]:
    """A nested value as JSON and the tensors that its `$tensor` objects name.

    Raises:
        TypeError: something in it is neither a tensor nor a plain value.
    """
    tensors: dict[str, Tensor] = {}

    def walk(item: Any, place: str) -> Any:
        if isinstance(item, Tensor):
            # A copy: safetensors refuses tensors that share their memory.
            tensors[place] = item.detach().cpu().contiguous().clone()
            return {_TENSOR: place}
        if isinstance(item, dict):
            plain = all(isinstance(key, str) and not key.startswith("$") for key in item)
            pairs = [(key, walk(part, f"{place}.{key}" if place else str(key))) for key, part in item.items()]
            return dict(pairs) if plain else {_MAP: [list(pair) for pair in pairs]}
        if isinstance(item, list | tuple):
            parts = [walk(part, f"{place}.{index}") for index, part in enumerate(item)]
            return parts if isinstance(item, list) else {_TUPLE: parts}
        if item is None or isinstance(item, bool | int | float | str):
            return item
        raise TypeError(f"{place} is of the kind {type(item).__name__}, which a state cannot hold")

    return walk(value, ""), tensors


def put_together(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The nested value that `taken_apart` took apart.

    Raises:
        KeyError: a tensor is missing.
    """
    if isinstance(value, list):
        return [put_together(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        return tensors[value[_TENSOR]]
    if _TUPLE in value:
        return tuple(put_together(part, tensors) for part in value[_TUPLE])
    if _MAP in value:
        return {key: put_together(part, tensors) for key, part in value[_MAP]}
    return {key: put_together(part, tensors) for key, part in value.items()}


class StateFile(CheckpointIO):
    """How Lightning writes and reads a run's state: whole or not at all, and never as a pickle."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write the state; until it is on the disk whole, the one before it stands there.

        Raises:
            OutputError: it cannot be written.
        """
        structure, tensors = taken_apart(checkpoint)
        about = json.dumps({"version": STATE_VERSION, "state": structure})
        try:
            data = save(tensors, metadata={"sketchgen": about})
            write_atomic(path, data, force=True)
        except OutputError as error:
            remedy = "free some space and go on with --resume"
            raise OutputError(f"the state of the run cannot be written, {remedy}: {error}") from error

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: Any = None) -> Any:
        """The state in a file, its tensors in main memory.

        Raises:
            CheckpointError: there is none, it is damaged, or of another version.
        """
        try:
            with safe_open(path, framework="pt") as file:
                about = json.loads((file.metadata() or {})["sketchgen"])
                tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            found = about["version"]
            state = put_together(about["state"], tensors)
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(f"{path} holds no state of a run to resume: {reason}") from error
        if found != STATE_VERSION:
            raise CheckpointError(f"{path} is of version {found}, this program resumes {STATE_VERSION}")
        return state

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a state."""
        Path(path).unlink(missing_ok=True)
