"""The type checker that jaxtyping applies to the package while tests run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

_beartype = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""beartype as PEP 484 and pyright have it: an int is welcome where a float is expected."""


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that checks its arguments or its result.

    jaxtyping makes two of each function: the first, whose result may be anything, is called with the
    arguments, the second with the arguments again and with the result, which alone is checked then.
    """
    if (result := function.__annotations__.get("return", Any)) is not Any:
        function.__annotations__ = {"return": result}
    return _beartype(function)
