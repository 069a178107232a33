"""Times as people write them."""

from __future__ import annotations

import re

from sketchgen.errors import SettingError

MAX_HOURS = 24 * 30


def duration(text: str, name: str = "time_limit") -> float:
    """The seconds of a time such as "45s", "90m" or "1h30m"; `name` is what errors call it.

    Raises:
        SettingError: it is none, it is 0, or it is longer than `MAX_HOURS`.
    """
    name = name.replace("_", " ")
    number = r"(\d+(?:\.\d+)?)"
    match = re.fullmatch(rf"(?:{number}h)?(?:{number}m)?(?:{number}s)?", text.strip().lower())
    if match is None or not any(match.groups()):
        raise SettingError(f"{name} {text[:40]!r} is no time; write one as 45s, 90m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not 0 < total <= MAX_HOURS * 3600:
        raise SettingError(f"{name} {text[:40]!r} must be above 0 and at most {MAX_HOURS}h")
    return total
