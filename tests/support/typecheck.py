"""The type checker that jaxtyping applies to the package while tests run."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

_beartype = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""beartype as PEP 484 and pyright have it: an int is welcome where a float is expected."""


MAX_CHECKS = 64
"""Calls of a function that are checked in one test; later ones, mostly of a loop, cost a third of it."""

_enough: list[Callable[..., Any]] = []
"""Functions that are checked no more in this test."""

_counts: dict[Callable[..., Any], int] = {}
"""Checked calls in this test."""


def begin_test() -> None:
    """Check every function anew."""
    for function in _enough:
        vars(function).pop("__no_type_check__", None)
    _enough.clear()
    _counts.clear()


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that checks its arguments or its result.

    jaxtyping makes two of each function: the first, whose result may be anything, is called with the
    arguments, the second with the arguments again and with the result, which alone is checked then.
    """
    if (result := function.__annotations__.get("return", Any)) is not Any:
        function.__annotations__ = {"return": result}
        return _beartype(function)
    checked = _beartype(function)

    @functools.wraps(checked)
    def counted(*args: Any, **kwargs: Any) -> Any:
        _counts[checked] = count = _counts.get(checked, 0) + 1
        if count == MAX_CHECKS:
            whole: Any = sys._getframe(1).f_locals.get("fn")
            if callable(whole):
                # jaxtyping, which calls this, looks for the mark before it looks at the arguments.
                vars(whole)["__no_type_check__"] = True
                _enough.append(whole)
        return checked(*args, **kwargs)

    return counted
