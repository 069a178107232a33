"""Bounds are checked in one phrase."""

from __future__ import annotations

import pytest

from sketchgen.errors import SettingError
from sketchgen.limits import check_range, check_whole


@pytest.mark.parametrize("value", [None, 1, 1.5, 2, 2.0])
def test_values_within_bounds_pass(value: float | None) -> None:
    check_range("size", value, 1, 2)


@pytest.mark.parametrize(
    ("value", "high", "unit", "words"),
    [
        (0, 2, "", "size must be a number from 1 to 2, not 0"),
        (2.5, 2, "px", "size must be a number from 1 to 2 px, not 2.5"),
        (float("nan"), 2, "", "size must be a number from 1 to 2, not nan"),
        (float("nan"), None, "", "size must be 1 or more, not nan"),
        (float("inf"), None, "", "size must be 1 or more, not inf"),
        (True, 2, "", "size must be a number from 1 to 2, not True"),
        ("1", 2, "", "size must be a number from 1 to 2, not '1'"),
        (10**400, 2, "", f"size must be a number from 1 to 2, not 1{'0' * 36}..."),
        (0, None, "drawings", "size must be 1 drawings or more, not 0"),
    ],
)
def test_values_outside_are_refused(value: float, high: float | None, unit: str, words: str) -> None:
    with pytest.raises(SettingError) as refused:
        check_range("size", value, 1, high, unit)
    assert str(refused.value) == words


@pytest.mark.parametrize("value", [None, True, 0, 3, 1.5, "1"])
def test_a_whole_number_is_refused_in_the_same_phrase(value: object) -> None:
    with pytest.raises(SettingError) as refused:
        check_whole("size", value, 1, 2)
    assert str(refused.value) == f"size must be a whole number from 1 to 2, not {value!r}"
    assert check_whole("size", 2, 1, 2) == 2
