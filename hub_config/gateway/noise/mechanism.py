"""The discrete Laplace mechanism, by OpenDP: the one place of the gateway where fresh randomness enters an
answer.

Whole numbers in, whole numbers out, exactly sampled: the geometric mechanism (Ghosh, Roughgarden &
Sundararajan 2009, "Universally utility-maximizing privacy mechanisms"), without the floating-point leak of
the continuous one (Mironov 2012, "On significance of the least significant bits for differential privacy").
OpenDP is loaded when first used: it takes seconds.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_SLACK: Final = 1 + 1e-9  # so that the library's own accounting, rounded up, stays within epsilon


class BudgetExceeded(RuntimeError):
    """The mechanism would spend more than it was given. It has drawn nothing."""


def drawn(totals: NDArray[np.int64], sensitivity: int, epsilon: float) -> NDArray[np.int64]:
    """`totals` with fresh noise, ε-differentially private where one patient changes them by at most
    `sensitivity` altogether."""
    mechanism = _laplace(scale_of(sensitivity, epsilon))
    if mechanism.map(sensitivity) > epsilon:
        raise BudgetExceeded
    return np.array(mechanism(totals.tolist()), dtype=np.int64)


def scale_of(sensitivity: int, epsilon: float) -> float:
    return sensitivity / epsilon * _SLACK


def deviation(sensitivity: int, epsilon: float) -> float:
    """Standard deviation of the noise: 2p/(1−p)² under the root, p = exp(−1/scale); about √2·scale."""
    p = math.exp(-1 / scale_of(sensitivity, epsilon))
    return math.sqrt(2 * p) / (1 - p)


@cache
def _library() -> Any:
    import opendp.prelude as dp

    dp.enable_features("contrib")
    return dp


def _laplace(scale: float) -> Any:
    dp = _library()
    numbers = dp.vector_domain(dp.atom_domain(T=dp.i64))
    return dp.m.make_laplace(numbers, dp.l1_distance(T=dp.i64), scale=scale)
