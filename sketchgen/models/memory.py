"""Memory that is freed and wanted again a moment later: hundreds of megabytes in each step of training."""

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
    stays at its height until `give_back_freed_memory` is called.

    Returns:
        Whether it took effect: on Linux with glibc it does, elsewhere nothing is done.
    """
    library = _glibc()
    if library is None:
        return False
    return bool(library.mallopt(_MMAP, 2**30)) and bool(library.mallopt(_TRIM, 2**31 - 1))


def give_back_freed_memory() -> bool:
    """Give the system back what is free at the moment, also between blocks in use; a matter of milliseconds.

    Blocks of ever other sizes leave gaps, so that a process that keeps all it frees would grow for long.

    Returns:
        Whether there was anything to give back.
    """
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """The C library of this process, where it is glibc."""
    if platform.libc_ver()[0] != "glibc":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
