"""Bounds are checked in one phrase."""

from __future__ import annotations

import pytest

from sketchgen.errors import SettingError
from sketchgen.limits import check_range


@pytest.mark.parametrize("value", [None, 1, 1.5, 2, 2.0])
def test_values_within_bounds_pass(value: float | None) -> None:
    check_range("size", value, 1, 2)


@pytest.mark.parametrize(
    ("value", "high", "unit", "words"),
    [
        (0, 2, "", "size is 0; it must be from 1 to 2"),
        (2.5, 2, "px", "size is 2.5 px; it must be from 1 to 2 px"),
        (float("nan"), 2, "", "size is nan; it must be from 1 to 2"),
        (float("nan"), None, "", "size is nan; it must be 1 or more"),
        (float("inf"), None, "", "size is inf; it must be 1 or more"),
        (10**400, 2, "", f"size is {10**400}; it must be from 1 to 2"),
        (0, None, "drawings", "size is 0 drawings; it must be 1 or more"),
    ],
)
def test_values_outside_are_refused(value: float, high: float | None, unit: str, words: str) -> None:
    with pytest.raises(SettingError) as refused:
        check_range("size", value, 1, high, unit)
    assert str(refused.value) == words
