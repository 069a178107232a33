"""Memory that is freed and wanted again a moment later, as a training step does with hundreds of megabytes."""

from __future__ import annotations

import ctypes
import functools
import platform

_TRIM, _MMAP = -1, -3
"""`M_TRIM_THRESHOLD` and `M_MMAP_THRESHOLD` of glibc's malloc.h."""


@functools.cache
def keep_freed_memory() -> bool:
    """Have this process keep large blocks that it frees instead of giving them back to the system each time.

    glibc maps each block of over 32 MB anew and gives it back when it is freed; then each of its pages is
    cleared and entered again at its next use. Where that is slow, as in most virtual machines, it takes a
    third of a training step (`benchmarks/training.py --plain-memory` shows by how much). The price: memory
    stays at its height until the process ends.

    Returns:
        Whether it took effect: on Linux with glibc it does, elsewhere nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        change = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(change(_MMAP, 2**30)) and bool(change(_TRIM, 2**31 - 1))
