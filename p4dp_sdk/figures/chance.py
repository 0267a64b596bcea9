"""What chance allows a share to be: exact binomial limits (Spiegelhalter, Statistics in Medicine
2005;24:1185-1202, appendix A.1.1)."""

from __future__ import annotations


def limits(target: float, denominator: int, level: float) -> tuple[float, float]:
    """Exact binomial limits of a share around `target` in a group of this size, interpolated."""
    tail = (1 - level) / 2
    low, high = (_quantile(p, denominator, target) for p in (tail, 1 - tail))
    return max(0.0, low), min(1.0, high)


def _quantile(p: float, size: int, target: float) -> float:
    from scipy.stats import binom

    if target in (0.0, 1.0):
        return target
    least = int(binom.ppf(p, size, target))
    at, below = float(binom.cdf(least, size, target)), float(binom.cdf(least - 1, size, target))
    return (least - (at - p) / (at - below)) / size
