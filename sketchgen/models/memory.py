"""Settings of glibc's allocator: training frees and allocates hundreds of megabytes in each step."""

from __future__ import annotations

import ctypes
import functools
import platform

_TRIM, _MMAP = -1, -3
"""`M_TRIM_THRESHOLD` and `M_MMAP_THRESHOLD` of glibc's malloc.h."""


@functools.cache
def keep_freed_memory() -> bool:
    """Make this process keep large freed blocks instead of returning them to the system.

    glibc maps each block of over 32 MB anew and unmaps it when it is freed, so that all of its pages fault at
    the next use. In most virtual machines that takes a third of a training step (measured by
    `benchmarks/training.py --plain-memory`). In return, memory stays at its peak until
    `give_back_freed_memory` is called.

    Returns:
        Whether it took effect; it does on Linux with glibc.
    """
    library = _glibc()
    if library is None:
        return False
    return bool(library.mallopt(_MMAP, 2**30)) and bool(library.mallopt(_TRIM, 2**31 - 1))


def give_back_freed_memory() -> bool:
    """Return free memory to the system, also from between blocks in use; this takes milliseconds.

    Blocks of varying sizes fragment the heap: without this, a process that keeps freed memory grows for long.

    Returns:
        Whether any memory was returned.
    """
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """Return the C library of this process if it is glibc."""
    if platform.libc_ver()[0] != "glibc":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
