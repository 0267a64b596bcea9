"""Random rounding of counts to a base, by key: unbiased, and the same for the same record set. Pure.

A count i = q·base + r is shown as (q + 1)·base with probability r/base, else as q·base (Fellegi & Phillips
1974, "Statistical confidentiality: some theory and applications to data dissemination"; Hundepool et al.,
Statistical Disclosure Control, Wiley 2012, § 5.4). The draw is the record set's keyed uniform. Conventional
rounding to the nearest multiple is refused: it has no noise to hide behind, so that the one patient who
tips 12 into 13 is seen in 10 turning 15.

The least value shown is the largest multiple up to the threshold: 10 for base 5 and threshold 11, which
stands for 11 to 14 and reads "about 10", never "10 patients". It travels as that number. Where the base is
above the threshold, the least value is the base itself, which counts below it are biased towards: zero
would say that nobody is there.

Guarantee: less than one base from the truth, right on average. Cost: a standard deviation of
√((base² − 1)/6), 2 for base 5, and steps that hide small changes. Choose it where people must see at once
that numbers are not exact, as in a printed draft.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def rounded(
    counts: NDArray[Any], uniforms: NDArray[np.float64], base: int | NDArray[np.int64], least: int
) -> NDArray[np.int64]:
    """What to show for true `counts`, all of them at the threshold `least` or above; `uniforms` in [0, 1).
    One `base` for all, or one each.

    With the same uniform a larger count never shows less. Raises ValueError below the threshold, where no
    value may be shown.
    """
    true = np.asarray(counts, dtype=np.int64)
    bases = np.broadcast_to(np.asarray(base, dtype=np.int64), true.shape)
    drawn = bool(np.all((uniforms >= 0) & (uniforms < 1)))
    if (bases < 2).any() or not drawn or (true.size and true.min() < least):
        raise ValueError("rounded: counts must reach the threshold, uniforms lie in [0, 1)")
    whole, rest = np.divmod(true, bases)
    up = uniforms * bases < rest
    shown: NDArray[np.int64] = np.maximum(bases * (whole + up), np.maximum(bases, least // bases * bases))
    return shown


def least_shown(base: int, least: int) -> int:
    """The least value that any count from `least` on is shown as."""
    return max(base, least // base * base)


def expected_error(base: int) -> float:
    """Standard deviation of the rounding error, over counts that are as likely to leave any rest."""
    return math.sqrt((base**2 - 1) / 6)
