"""Noise for sums, in units of the largest contribution of one patient. Pure.

A sum S is shown as S + z·m, with m no less than the largest contribution of one patient and z drawn by the
key of the record set: normal, zero-mean, with the standard deviation `scale`, cut off at three of these. With
`scale` = 2 whoever knows all others and looks once is right about the one who adds most six times in ten, as
with a count (Φ(1/2σ)). A density with a hole around zero (Evans, Zayatz & Slanta 1998, "Using noise for
disclosure limitation of establishment tabular data", J. Official Statistics 14) keeps everybody from the
exact sum, but is a ruler: where a sum can't be shown as what it is, that it is shown says that it is
another. Units of the largest value are those of the ABS's top contributors (Thompson, Broadfoot & Elazar
2013); they don't shrink in a dominated cell.

Cost: that error, which in a mean over n patients is about 1/n and so is unfelt in large cells. Means are
centred before they are summed, or the noise would grow with the level of the values.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FARTHEST: Final = 3.0  # |z|/scale is never more
_DENSITY: Final = math.exp(-(FARTHEST**2) / 2) / math.sqrt(2 * math.pi)
# standard deviation of the normal distribution that is cut off there
_SPREAD: Final = math.sqrt(1 - 2 * FARTHEST * _DENSITY / math.erf(FARTHEST / math.sqrt(2)))
_LEAST_DIGITS: Final = 2


def deviates(uniforms: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """z for keyed `uniforms` in [0, 1), by the inverse of the truncated normal distribution."""
    from scipy.special import ndtr, ndtri

    if not np.all((uniforms >= 0) & (uniforms < 1)):
        raise ValueError("deviates: uniforms must lie in [0, 1)")
    tail = ndtr(-FARTHEST)
    z = ndtri(tail + uniforms * (1 - 2 * tail)) / _SPREAD
    limited: NDArray[np.float64] = np.clip(z, -FARTHEST, FARTHEST) * scale
    return limited


def blurred(
    sums: NDArray[Any], largest: NDArray[np.float64], uniforms: NDArray[np.float64], scale: float
) -> NDArray[np.float64]:
    """`sums` with their noise; `largest` are at least the largest absolute contributions."""
    return np.asarray(sums, dtype=np.float64) + deviates(uniforms, scale) * largest


def presented(values: NDArray[np.float64], patients: NDArray[Any], *, whole: bool) -> NDArray[np.float64]:
    """`values` without digits that are noise: for 11 to 99 patients three of them, for 100 to 999 four, …

    The noise is at least about 1/n of a sum over n patients, so a digit more than n has is noise.
    `patients` are protected counts: a step of the exact one would show. `whole`: the sum of whole numbers.
    """
    digits = _LEAST_DIGITS + np.floor(np.log10(np.maximum(patients, 1)))
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log10(np.abs(values))) + 1 - digits
    exponent = np.where(np.isfinite(exponent), exponent, 0.0)
    return to_digit(values, np.maximum(exponent, 0.0) if whole else exponent)


def to_digit(values: NDArray[np.float64], exponent: NDArray[np.float64]) -> NDArray[np.float64]:
    """`values` to multiples of ten to the `exponent`."""
    unit = 10.0 ** np.abs(exponent)  # a whole number: dividing by it leaves no binary tail
    return np.where(exponent >= 0, np.round(values / unit) * unit, np.round(values * unit) / unit)
