"""Labels of classes of numbers, read back: where a class starts."""

from __future__ import annotations

import math
import re
from typing import Any

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_START = re.compile(rf"(?P<below>< )?(?:≥ )?(?P<start>{_NUMBER})(?:$|\+$|-\d+$| – < )")


def starts_at(label: Any) -> float | None:
    """Where a class of `age_bands` or `value_bands` starts: minus infinity for "< 18.5", 40 for "40-64"; None
    for another label."""
    match = _START.match(label) if isinstance(label, str) else None
    if match is None:
        return None
    return -math.inf if match["below"] else float(match["start"])
