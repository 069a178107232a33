"""Several processes that train together: what they tell each other, and what is said when one is lost."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch
from torch import Tensor, distributed

from sketchgen.errors import ProcessLostError


def world_size() -> int:
    """How many processes train together; torchrun says so in the environment."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Which of them this one is, from 0."""
    return int(os.environ.get("RANK", "0"))


def processes_here() -> int:
    """How many of them run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", str(world_size())))


def added_up(value: Tensor) -> Tensor:
    """The sum of every process's tensor; the tensor itself where there is one process."""
    if world_size() > 1:
        distributed.all_reduce(value)
    return value


def as_the_first_says(values: list[float], device: torch.device) -> list[float]:
    """The numbers that the first process passes, in all of them: clocks and signals differ between them."""
    if world_size() == 1:
        return values
    shared = torch.tensor(values, dtype=torch.float64).to(device)
    distributed.broadcast(shared, 0)
    return shared.tolist()


@contextlib.contextmanager
def telling_of_lost_ones() -> Iterator[None]:
    """Turn what a backend says when its peer is gone into a clear error.

    Raises:
        ProcessLostError: another process has ended while this one waited for it.
    """
    try:
        yield
    except RuntimeError as error:
        # gloo: "Connection closed by peer", "Connection reset by peer", "Broken pipe", or a timeout; NCCL
        # raises an error of its own, which is a RuntimeError, too.
        words = str(error)
        signs = ("onnection", "roken pipe", "imed out", "NCCL", "gloo")
        if world_size() == 1 or not any(sign in words for sign in signs):
            raise
        raise ProcessLostError(
            f"process {rank()} of {world_size()} stops, as another one has ended (its message says why); "
            "go on from the last saved state with --resume"
        ) from error
