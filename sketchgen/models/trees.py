"""Trees of arrays: rows of what a network remembers, put together and picked out.

A network's state is looked at as a tree (dataclasses, tuples, arrays with a row a drawing), so that nothing
here knows what a network remembers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Int

from sketchgen.models.numpy_mixture import PAD

Tree = TypeVar("Tree")


def stacked(parts: Sequence[Tree]) -> Tree:
    """Trees of arrays one after another: their arrays are joined along the first axis, which is the rows'.

    Arrays of a dataclass's field whose metadata has `PAD` may differ in their other axes; they are filled up
    at the end with that value. What is no array must be equal in all of them.

    Raises:
        ValueError: they differ where they must not.
    """
    return _joined(list(parts), None)


def _joined(parts: list[Any], pad: Any) -> Any:
    first = parts[0]
    if isinstance(first, np.ndarray) and first.ndim:
        return np.concatenate(_filled(parts, pad))
    if is_dataclass(first) and not isinstance(first, type):
        values = {
            item.name: _joined([getattr(part, item.name) for part in parts], item.metadata.get(PAD, pad))
            for item in fields(first)
        }
        return type(first)(**values)
    if isinstance(first, tuple | list):
        if any(len(part) != len(first) for part in parts):
            raise ValueError("states of different depths cannot be stacked")
        items = [_joined(list(column), pad) for column in zip(*parts, strict=True)]
        return type(first)(*items) if hasattr(first, "_fields") else type(first)(items)
    if any(part is not first and part != first for part in parts):
        raise ValueError(f"states differ in a value that is the same for all rows: {first!r}")
    return first


def _filled(parts: list[np.ndarray], pad: Any) -> list[np.ndarray]:
    """Arrays whose axes but the first are equal, filled up with `pad` if it is one."""
    if all(part.shape[1:] == parts[0].shape[1:] for part in parts):
        return parts
    if pad is None or any(part.ndim != parts[0].ndim for part in parts):
        shapes = sorted({part.shape[1:] for part in parts})
        raise ValueError(f"rows of shapes {shapes[0]} and {shapes[-1]} cannot be stacked without a pad")
    most = np.max([part.shape[1:] for part in parts], axis=0)
    widths = [[(0, 0), *((0, int(n)) for n in most - part.shape[1:])] for part in parts]
    return [np.pad(part, width, constant_values=pad) for part, width in zip(parts, widths, strict=True)]


def taken(tree: Tree, rows: Int[np.ndarray, " c"] | slice) -> Tree:
    """Some rows of a tree of arrays, in that order; by a slice they are views."""
    return _taken(tree, rows)


def _taken(tree: Any, rows: np.ndarray | slice) -> Any:
    if isinstance(tree, np.ndarray) and tree.ndim:
        return tree[rows]
    if is_dataclass(tree) and not isinstance(tree, type):
        return type(tree)(**{item.name: _taken(getattr(tree, item.name), rows) for item in fields(tree)})
    if isinstance(tree, tuple | list):
        items = [_taken(item, rows) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return tree


def placed(tree: Tree, rows: Int[np.ndarray, " c"], part: Tree) -> Tree:
    """A tree of arrays whose `rows` are those of `part`; lengths that differ are filled up as in `stacked`.

    Raises:
        ValueError: they differ where they must not.
    """
    count = _rows(tree)
    kept = np.arange(count)
    kept[rows] = count + np.arange(len(rows))
    return taken(stacked([tree, part]), kept)


def _rows(tree: Any) -> int:
    """Rows of the first array of a tree."""
    if isinstance(tree, np.ndarray) and tree.ndim:
        return len(tree)
    parts = [getattr(tree, item.name) for item in fields(tree)] if is_dataclass(tree) else tree
    for part in parts if isinstance(parts, tuple | list) else ():
        found = _rows(part)
        if found >= 0:
            return found
    return -1
