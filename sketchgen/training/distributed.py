"""Several processes that train together, started by torchrun, which describes them in the environment."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch
from torch import Tensor, distributed, nn

from sketchgen.errors import ProcessLostError, SettingError


def world_size() -> int:
    """Return the number of processes that train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return the number of this process, from 0."""
    return int(os.environ.get("RANK", "0"))


def choose_device(name: str | None) -> torch.device:
    """Return the device of a name; "auto" and None are CUDA where there is a GPU, else the processor."""
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    kind = name or "auto"
    if kind == "auto":
        kind = "cuda" if found["cuda"] else "cpu"
    if kind not in found:
        raise SettingError(f"device must be auto, cpu, cuda or mps, not {kind!r}")
    if not found[kind]:
        raise SettingError(f"there is no device {kind} here, or torch is built without it; take auto or cpu")
    return (
        torch.device(kind, int(os.environ.get("LOCAL_RANK", "0"))) if kind == "cuda" else torch.device(kind)
    )


def batch_share(batch: int) -> int:
    """Return how many of a batch's drawings this process takes."""
    count = world_size()
    if batch < count:
        raise SettingError(f"batch is {batch}; for {count} processes it must be {count} or more")
    return len(range(rank(), batch, count))


@contextlib.contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Connect the processes while the block runs.

    Raises:
        ProcessLostError: another process has ended while this one waited for it.
    """
    if world_size() == 1:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        yield
    except RuntimeError as error:
        # gloo: "Connection closed by peer", "Connection reset by peer", "Broken pipe", or a timeout; NCCL
        # raises an error of its own, which is a RuntimeError, too.
        words = str(error)
        if not any(sign in words for sign in ("onnection", "roken pipe", "imed out", "NCCL", "gloo")):
            raise
        raise ProcessLostError(
            f"process {rank()} of {world_size()} stops, as another one has ended (its message says why); "
            "go on from the last saved state with --resume"
        ) from error
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def all_reduce(value: Tensor) -> Tensor:
    """Return the sum of every process's tensor; the tensor itself where there is one process."""
    if world_size() > 1:
        distributed.all_reduce(value)
    return value


def all_reduce_gradients(network: nn.Module) -> None:
    """Replace every gradient by its sum over the processes."""
    if world_size() == 1:
        return
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
    flat = all_reduce(torch.cat([gradient.flatten() for gradient in gradients]))
    parts = flat.split([weight.numel() for weight in weights])
    for weight, part in zip(weights, parts, strict=True):
        weight.grad = part.view_as(weight)


def broadcast(value: float, device: torch.device) -> float:
    """Return the first process's number in every process: clocks differ between them."""
    if world_size() == 1:
        return value
    shared = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.broadcast(shared, 0)
    return shared.item()


def sum_over_processes(values: list[float], device: torch.device) -> list[float]:
    """Return the sum of each number over the processes."""
    if world_size() == 1:
        return values
    return all_reduce(torch.tensor(values, dtype=torch.float64, device=device)).tolist()
