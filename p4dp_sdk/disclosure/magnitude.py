"""Noise for sums: at least half of the largest contribution, up or down, and never next to nothing. Pure.

A sum S is shown as S + z·m, with m no less than the largest contribution of one patient and z drawn by the
key of the record set. z is zero-mean, has the standard deviation `scale`, and |z| lies between 0.5 and 1.85
times `scale`: its density is two triangles that face away from zero. A bell around zero would show nearly
the exact sum one time in ten, and who knows all other contributions would then have the last one; with a
hole in the middle nobody comes closer to it than by half of the largest. The idea is that of Evans,
Zayatz & Slanta 1998 ("Using noise for disclosure limitation of establishment tabular data", J. Official
Statistics 14): multiply each value by 1 ± at least 10 %; and of the ABS's top contributors (Thompson,
Broadfoot & Elazar 2013), whose noise is in units of the largest values and so doesn't shrink in a dominated
cell. Giessing 2012 ("Flexible rounding based on consistent post-tabular stochastic noise") discusses both.

Guarantee: an error of at least half, and at most 1.85 times `scale`, of the largest contribution. Cost: that
error, which in a mean over n patients is about 1/n and so is unfelt in large cells. Means are centred before
they are summed, or the noise would grow with the level of the values.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NEAREST: Final = 0.5  # |z|/scale is never less …
FARTHEST: Final = math.sqrt(5.5) - 0.5  # … nor more: solves a² + 2aw/3 + w²/6 = 1 for a = 0.5, b = a + w
_LEAST_DIGITS: Final = 2


def deviates(uniforms: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """z for keyed `uniforms` in [0, 1): the lower half of the unit gives the sign −, the upper +."""
    if not np.all((uniforms >= 0) & (uniforms < 1)):
        raise ValueError("deviates: uniforms must lie in [0, 1)")
    positive = uniforms >= 0.5
    rest = np.where(positive, 2 * uniforms - 1, 2 * uniforms)
    size = NEAREST + (FARTHEST - NEAREST) * (1 - np.sqrt(1 - rest))
    z: NDArray[np.float64] = np.where(positive, size, -size) * scale
    return z


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
