"""Results as JSON, for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def as_json(value: object) -> str:
    """One JSON object on one line; what is not finite becomes null, for JSON has no word for it."""

    def plain(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {str(key): plain(part) for key, part in item.items()}
        if isinstance(item, list | tuple):
            return [plain(part) for part in item]
        if hasattr(item, "tolist"):
            return plain(item.tolist())
        return None if isinstance(item, float) and not math.isfinite(item) else item

    return json.dumps(plain(value), default=str, ensure_ascii=False)
