"""The exact state of a run in one safetensors file, with JSON in its metadata: nothing in it can run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sketchgen.errors import CheckpointError, OutputError
from sketchgen.sketch.files import write_atomic

STATE = "state.safetensors"
"""The file in a run's folder from which the run is resumed."""

STATE_VERSION = 3

_TENSOR, _MAP, _TUPLE = "$tensor", "$map", "$tuple"
"""Keys of the JSON objects that stand for values that JSON does not have."""


def flatten(value: Any) -> tuple[Any, dict[str, Tensor]]:
    """Return a nested value as JSON, and the tensors that its `$tensor` objects name."""
    tensors: dict[str, Tensor] = {}

    def walk(item: Any, place: str) -> Any:
        if isinstance(item, Tensor):
            # A copy: safetensors refuses tensors that share their memory.
            tensors[place] = item.detach().cpu().contiguous().clone()
            return {_TENSOR: place}
        if isinstance(item, dict):
            simple = all(isinstance(key, str) and not key.startswith("$") for key in item)
            pairs = [(key, walk(part, f"{place}.{key}" if place else str(key))) for key, part in item.items()]
            return dict(pairs) if simple else {_MAP: [list(pair) for pair in pairs]}
        if isinstance(item, list | tuple):
            parts = [walk(part, f"{place}.{index}") for index, part in enumerate(item)]
            return parts if isinstance(item, list) else {_TUPLE: parts}
        if item is None or isinstance(item, bool | int | float | str):
            return item
        raise TypeError(f"{place} is of the kind {type(item).__name__}, which a state cannot hold")

    return walk(value, ""), tensors


def unflatten(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return the nested value that `flatten` was given."""
    if isinstance(value, list):
        return [unflatten(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        return tensors[value[_TENSOR]]
    if _TUPLE in value:
        return tuple(unflatten(part, tensors) for part in value[_TUPLE])
    if _MAP in value:
        return {key: unflatten(part, tensors) for key, part in value[_MAP]}
    return {key: unflatten(part, tensors) for key, part in value.items()}


def _sha256(structure: Any, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(structure).encode())
    for name in sorted(tensors):
        digest.update(f"\n{name}\n".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state; the one before stays until the new one is complete on the disk."""
    structure, tensors = flatten(state)
    about = json.dumps({"version": STATE_VERSION, "sha256": _sha256(structure, tensors), "state": structure})
    try:
        write_atomic(path, save(tensors, metadata={"sketchgen": about}), force=True)
    except OutputError as error:
        remedy = "free some space and go on with --resume"
        raise OutputError(f"the state of the run cannot be written, {remedy}: {error}") from error


def load_state(path: Path) -> dict[str, Any]:
    """Read a state, its tensors in main memory."""
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})["sketchgen"])
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        found = about["version"]
        # States from before there were checksums have none.
        if about.get("sha256", "") not in ("", _sha256(about["state"], tensors)):
            raise ValueError("it is damaged, its checksum is another one")
        state = unflatten(about["state"], tensors)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path} holds no state of a run to resume: {reason}") from error
    if found != STATE_VERSION:
        raise CheckpointError(f"{path} is of version {found}, this program resumes {STATE_VERSION}")
    return state
