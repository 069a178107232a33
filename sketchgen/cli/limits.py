"""Limits of numbers that several subcommands take."""

from __future__ import annotations

from sketchgen.errors import SettingError

MAX_GUIDANCE = 10.0

MAX_CLOSING = 100.0

MAX_SEED = 2**63 - 1


def check_guidance(guidance: float | None) -> None:
    """Check a guidance, where one is given.

    Raises:
        SettingError: it is outside its limits.
    """
    if guidance is not None and not 0 <= guidance <= MAX_GUIDANCE:
        raise SettingError(f"guidance is {guidance:g}; it must be from 0 (none) to {MAX_GUIDANCE:g}")


def check_closing(closing: float | None) -> None:
    """Check a gap that is to be closed, where one is given.

    Raises:
        SettingError: it is outside its limits.
    """
    if closing is not None and not 0 <= closing <= MAX_CLOSING:
        raise SettingError(f"closing is {closing:g} px; it must be from 0 (none) to {MAX_CLOSING:g}")


def check_seed(seed: int | None) -> None:
    """Check a seed, where one is given.

    Raises:
        SettingError: it is outside its limits.
    """
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise SettingError(f"seed is {seed}; it must be from 0 to {MAX_SEED}")


def check_positive(name: str, value: int | None) -> None:
    """Check a count that has no upper limit here, where one is given.

    Raises:
        SettingError: it is under 1.
    """
    if value is not None and value < 1:
        raise SettingError(f"{name} is {value}; it must be 1 or more")
