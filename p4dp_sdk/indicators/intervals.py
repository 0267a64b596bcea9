"""Confidence intervals of shares and rates.

Wilson's score interval (Wilson 1927, J Am Stat Assoc 22:209–212), which Newcombe (1998, Stat Med 17:857–872)
recommends: it stays inside 0–1 and holds at 0 % and 100 %. Computed from the numbers as they are shown: of a
draft, it does not hold the blur, which is said apart.
"""

from __future__ import annotations

import math
from typing import Final

Z95: Final = 1.959963984540054


def wilson(numerator: float, denominator: float, z: float = Z95) -> tuple[float, float]:
    """The 95 % interval of `numerator` of `denominator`; NaN of nobody. Raises ValueError if the numerator is
    no part of the denominator."""
    if denominator == 0:
        return math.nan, math.nan
    if not 0 <= numerator <= denominator:
        raise ValueError("a numerator lies between 0 and its denominator")
    share, square = numerator / denominator, z * z
    middle = share + square / (2 * denominator)
    half = z * math.sqrt(share * (1 - share) / denominator + square / (4 * denominator**2))
    scale = 1 + square / denominator
    low, high = (middle - half) / scale, (middle + half) / scale
    return (0.0 if numerator == 0 else low), (1.0 if numerator == denominator else high)
