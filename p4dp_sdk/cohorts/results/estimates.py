"""Survival and cumulative incidence from counts by interval of time. Pure: numbers in, numbers out.

- Life table (actuarial): Cutler & Ederer, "Maximum utilization of the life table method in analyzing
  survival", J Chronic Dis 8 (1958) 699-712: who leaves during an interval was at risk for half of it. With
  intervals of a day nobody is halved, which is the product-limit estimate of Kaplan & Meier (J Am Stat Assoc
  53 (1958) 457-481).
- Variance: Greenwood (1926). Interval: on the log(-log) scale, Kalbfleisch & Prentice, *The Statistical
  Analysis of Failure Time Data* (1980), §1.3.
- Competing risks: Aalen & Johansen, Scand J Stat 5 (1978) 141-150, from grouped counts; variance by the delta
  method, Marubini & Valsecchi, *Analysing Survival Data from Clinical Trials and Observational Studies*
  (1995), §10.3; interval on the log(-log) scale.

A withheld number is never guessed: intervals are put together up to the next limit at which every number is
known, and after the last such limit the estimate stops. Blurred counts that should only grow, or only shrink,
are first brought back to that by least squares (Barlow et al., *Statistical Inference under Order
Restrictions*, 1972) and rounded, which changes no exact count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from p4dp_sdk.cohorts.results.follow_up import Followed

Z: Final = 1.959963984540054  # the 97.5 % quantile of the normal distribution
Interval = tuple[float, float]
_ROUNDING: Final = 1e-12  # a probability so near to 0 or 1 is that
_FARTHEST: Final = 500.0  # e to this power is still a number


@dataclass(frozen=True)
class Step:
    """From one limit to the next at which all is known: `start` and `end` are places on the grid."""

    start: int
    end: int
    at_risk: float
    events: float
    competing: float
    withdrawn: float

    def exposed(self, *, halved: bool) -> float:
        return self.at_risk - self.withdrawn / 2 if halved else self.at_risk


@dataclass(frozen=True)
class Estimate:
    """At the end of a step: survival (free of any event) and cumulative incidence of the event, each with its
    95 % interval."""

    step: Step
    survival: float
    survival_within: Interval
    incidence: float
    incidence_within: Interval


def steps(group: Followed) -> list[Step]:
    """The intervals that can be told; none where the patients at the start are withheld."""
    known = [
        at
        for at, numbers in enumerate(zip(group.at_risk, group.events, group.competing, strict=True))
        if None not in numbers
    ]
    if not known or known[0] != 0:
        return []
    at_risk = _monotone([group.at_risk[at] for at in known], growing=False)
    events = _monotone([group.events[at] for at in known], growing=True)
    competing = _monotone([group.competing[at] for at in known], growing=True)
    return list(_differences(known, at_risk, events, competing))


def _differences(
    known: Sequence[int], at_risk: Sequence[float], events: Sequence[float], competing: Sequence[float]
) -> Iterator[Step]:
    for one, (start, end) in enumerate(pairwise(known)):
        two = one + 1
        came = min(events[two] - events[one], at_risk[one])
        other = min(competing[two] - competing[one], at_risk[one] - came)
        left = max(0.0, at_risk[one] - at_risk[two] - came - other)
        yield Step(start, end, at_risk[one], came, other, left)


def _monotone(values: Sequence[float | None], *, growing: bool) -> list[float]:
    """The nearest sequence that only grows (or shrinks), in whole patients."""
    from scipy.optimize import isotonic_regression

    numbers = [0.0 if value is None else float(value) for value in values]
    return [float(round(value)) for value in isotonic_regression(numbers, increasing=growing).x]


def estimates(found: Sequence[Step], *, halved: bool = True) -> list[Estimate]:
    """Survival and cumulative incidence after each step. `halved`: who leaves during an interval was at risk
    for half of it; False for intervals of a day (Kaplan-Meier)."""
    made: list[Estimate] = []
    survival, incidence, path = 1.0, 0.0, _Path()
    for step in found:
        exposed, ended = step.exposed(halved=halved), step.events + step.competing
        if exposed <= 0:
            break
        before = survival
        incidence += before * min(1.0, step.events / exposed)
        survival *= max(0.0, 1 - ended / exposed)
        path.add(exposed, step.events, ended, before, incidence)
        alive = _log_log(survival, path.greenwood * survival**2)
        came = _log_log(1 - incidence, path.variance(incidence))
        made.append(Estimate(step, survival, alive, incidence, _complement(came)))
    return made


class _Path:
    """The sums that both variances are made of, step by step. The delta method's three sums over the steps
    before t hold I(t) - I(t_j), so they are kept as polynomials of I(t)."""

    def __init__(self) -> None:
        self.greenwood = 0.0
        self._own = 0.0
        self._square, self._cross = [0.0, 0.0, 0.0], [0.0, 0.0]

    def add(self, exposed: float, events: float, ended: float, before: float, incidence: float) -> None:
        hazard = ended / (exposed * (exposed - ended)) if exposed > ended else math.inf
        self.greenwood += hazard
        weight = hazard if exposed > ended else 0.0  # nobody is left: I(t) no longer moves
        self._square = [sum_ + weight * incidence**power for power, sum_ in enumerate(self._square)]
        share = before * events / exposed**2
        self._cross = [sum_ + share * incidence**power for power, sum_ in enumerate(self._cross)]
        self._own += before**2 * events * max(0.0, exposed - events) / exposed**3

    def variance(self, incidence: float) -> float:
        """Of the cumulative incidence after the last step (Marubini & Valsecchi 1995, formula 10.12)."""
        ones, firsts, seconds = self._square
        squared = incidence**2 * ones - 2 * incidence * firsts + seconds
        return max(0.0, squared + self._own - 2 * (incidence * self._cross[0] - self._cross[1]))


def _log_log(share: float, variance: float) -> Interval:
    """The 95 % interval of a probability on the log(-log) scale; of 0 and 1, which have none, the point."""
    if not _ROUNDING < share < 1 - _ROUNDING or not math.isfinite(variance):
        return share, share
    reach = min(_FARTHEST, Z * math.sqrt(variance) / (share * abs(math.log(share))))
    return share ** math.exp(reach), share ** math.exp(-reach)


def _complement(within: Interval) -> Interval:
    return 1 - within[1], 1 - within[0]
