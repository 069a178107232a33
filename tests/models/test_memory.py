"""What is freed stays at hand. Each in a process of its own: what malloc is told holds for all of one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sketchgen.models.memory import keep_freed_memory

if not keep_freed_memory():
    pytest.skip("only glibc can be told what to keep", allow_module_level=True)

PAGES = """
import resource, sys
import numpy as np
from sketchgen.models.memory import give_back_freed_memory, keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def use(megabytes):
    np.ones(megabytes << 20, dtype=np.uint8)

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20

if "keep" in sys.argv:
    keep_freed_memory()
use(64)
before = faults()
for _ in range(10):
    use(64)
print(faults() - before)
height = resident()
given = give_back_freed_memory()
print(height - resident(), given)
"""


def run(*arguments: str) -> tuple[int, int, bool]:
    """Page faults of ten uses of 64 MB; megabytes given back after them, and whether that is said."""
    command = [sys.executable, "-c", PAGES, *arguments]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(found[0]), int(found[1]), found[2] == "True"


def test_blocks_that_are_kept_are_not_entered_again_and_can_be_given_back():
    (plain, _, _), (kept, megabytes, said) = run(), run("keep")
    assert kept < plain / 10
    assert megabytes >= 60
    assert said
