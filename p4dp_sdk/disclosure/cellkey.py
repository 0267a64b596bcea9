"""The cell-key method for counts: noise that sticks to a record set, drawn from a perturbation table. Pure.

The same people give the same noise however they are asked for, so that repeating a question, or wording it
otherwise, averages nothing out (Fraser & Wooton 2005, "A proposed method for confidentialising tabular output
to protect against differencing"; Thompson, Broadfoot & Elazar 2013, "Methodology for the automatic
confidentialisation of statistical outputs from remote servers at the ABS"; Meindl & Enderle 2019, "cellKey:
consistent perturbation of statistical tables"). The table holds the maximum-entropy noise among all that is
bounded, zero-mean and of the variance asked for (Giessing 2016, "Computational issues in the design of
transition probabilities and disclosure risk estimation for additive noise").

Guarantee: a value shown is within `bound` of the truth, right on average, and no proof of any one truth.
Cost: a standard deviation of √variance (2 patients, by default), whatever the size of the cell, and totals
that differ a little from the sum of their parts. Choose it to explore. It does not hold against somebody who
combines many different sets of people: the memory of answers is there for them.

Near the threshold. A value below the least true count shown would tell that it is noise, and by how much, so
a count i ≥ least has its noise in [least − i, bound]. There the table keeps the mean at zero, and gives up
variance where no single-peaked noise has as much. At i = least, zero-mean noise is no noise at all: that row
alone is biased instead, by a little under +1, and looks like the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from p4dp_sdk.disclosure.policy import BadPolicy, Policy

_STEPS: Final = 64  # of bisection: more than doubles can tell apart
_STEEPEST: Final = 60.0  # an exponent beyond which a probability is nothing


@dataclass(frozen=True)
class PTable:
    """Transition probabilities of the true counts `least`, `least + 1`, … to what is shown for them.

    Row k < bound is that of the count least + k; row `bound` that of all larger ones. Column j is the noise
    j − bound. Raises BadPolicy for a variance that single-peaked noise within the bound can't have.
    """

    least: int
    bound: int
    variance: float
    probabilities: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.least < 1 or self.bound < 1:
            raise BadPolicy("a perturbation table needs a threshold and a bound of at least 1")
        if not 0 < self.variance <= largest_variance(self.bound):
            raise BadPolicy(
                f"noise_variance can't exceed {largest_variance(self.bound):g} with noise_bound {self.bound}"
            )
        rows = _rows(self.bound, self.variance)
        object.__setattr__(self, "probabilities", rows)

    @classmethod
    def of(cls, policy: Policy) -> PTable:
        return cls(policy.min_patients, policy.noise_bound, policy.noise_variance)

    @property
    def noise(self) -> NDArray[np.int64]:
        """What the columns add."""
        return np.arange(-self.bound, self.bound + 1)

    def perturbed(self, counts: NDArray[Any], uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """What to show for true `counts`, each with a keyed uniform in [0, 1) of its record set.

        With the same uniform a larger count never shows less, so rows are never fewer than their patients.
        (Bounds over 7 with little variance: but for one draw in a hundred next to the threshold.)
        Raises ValueError below the threshold, where no value may be shown.
        """
        true = np.asarray(counts, dtype=np.int64)
        if true.size and (true.min() < self.least or not _are_uniforms(uniforms)):
            raise ValueError("perturbed: counts must reach the threshold, uniforms lie in [0, 1)")
        row = np.minimum(true - self.least, self.bound)
        column = np.searchsorted(self._steps, uniforms + row, side="right") - row * self.noise.size
        shown: NDArray[np.int64] = true + np.minimum(column, self.noise.size - 1) - self.bound
        return shown

    @cached_property
    def _steps(self) -> NDArray[np.float64]:
        """Cumulated probabilities, row k lifted by k: one sorted array to look all rows up in."""
        cumulated = np.cumsum(self.probabilities, axis=1)
        cumulated[:, -1] = 1.0
        steps: NDArray[np.float64] = (cumulated + np.arange(self.bound + 1)[:, None]).ravel()
        return steps


def largest_variance(bound: int) -> float:
    """Of single-peaked symmetric noise on −bound … bound: that of the uniform one."""
    return bound * (bound + 1) / 3


def _are_uniforms(uniforms: NDArray[np.float64]) -> bool:
    return bool(np.all((uniforms >= 0) & (uniforms < 1)))


# --- the rows ----------------------------------------------------------------------------------------------


@lru_cache
def _rows(bound: int, variance: float) -> NDArray[np.float64]:
    unbiased = [_unbiased(above, bound, variance) for above in range(1, bound + 1)]
    rows = np.stack([_first(unbiased[0]), *unbiased])
    rows.flags.writeable = False
    return rows


def _first(second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shows what the second row would, within the bound: never more than that, so that counts keep order."""
    row = np.concatenate([[0.0], second[:-1]])
    first: NDArray[np.float64] = row / row.sum()
    return first


def _unbiased(above: int, bound: int, variance: float) -> NDArray[np.float64]:
    """Probabilities of the noise −bound … bound for the count `above` over the least one."""
    row = np.zeros(2 * bound + 1)
    row[bound - above :] = _most_uncertain(np.arange(-above, bound + 1, dtype=np.float64), variance)
    return row


def _most_uncertain(support: NDArray[np.float64], variance: float) -> NDArray[np.float64]:
    """The zero-mean distribution of maximum entropy with this variance, or the largest variance that leaves
    it one peak.

    It is proportional to exp(a·v − c·v²) (Giessing 2016, § 3); one peak means c ≥ 0. Its variance falls as c
    grows, its mean rises with a: two bisections, one in the other.
    """
    flattest = _zero_mean(support, 0.0)
    if _variance(support, flattest) <= variance:
        return flattest
    low, high = 0.0, _STEEPEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        wide = _variance(support, _zero_mean(support, middle)) > variance
        low, high = (middle, high) if wide else (low, middle)
    return _zero_mean(support, high)


def _zero_mean(support: NDArray[np.float64], curvature: float) -> NDArray[np.float64]:
    low = -_STEEPEST - 2 * curvature * np.abs(support).max()
    high = -low
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if float(_shape(support, middle, curvature) @ support) < 0:
            low = middle
        else:
            high = middle
    return _shape(support, (low + high) / 2, curvature)


def _shape(support: NDArray[np.float64], tilt: float, curvature: float) -> NDArray[np.float64]:
    exponent = tilt * support - curvature * support**2
    weights = np.exp(exponent - exponent.max())
    shape: NDArray[np.float64] = weights / weights.sum()
    return shape


def _variance(support: NDArray[np.float64], row: NDArray[np.float64]) -> float:
    return float(row @ support**2 - (row @ support) ** 2)
