"""Incidence rates from a life table: events per 1,000 person-years.

Person-time is the area under the number at risk, by trapezoids between the limits of time that can be told:
whoever leaves during an interval counts for half of it, as in the life table. (A sum of each patient's own
days would need an end that is one recorded date; a cohort's end is the earliest of several.) The interval is
the exact one of a Poisson count, Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28
(1936) 437-442.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from p4dp_sdk.cohorts.results.estimates import steps
from p4dp_sdk.cohorts.results.follow_up import Followed, Grid

COLUMNS: Final = ("events", "person_years", "rate", "low", "high", "until")
_YEAR: Final = 365.25
_LEVEL: Final = 0.95


@dataclass(frozen=True)
class Rate:
    """`until`: the time, in the grid's unit, up to which events and person-years were counted."""

    events: float | None = None
    person_years: float | None = None
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    until: float | None = None

    @property
    def row(self) -> tuple[float | None, ...]:
        return self.events, self.person_years, self.rate, self.low, self.high, self.until


def of(group: Followed, grid: Grid, per: float) -> Rate:
    """The rate of one group; all unknown where its life table has no interval."""
    found = steps(group)
    if not found:
        return Rate()
    events = sum(step.events for step in found)
    days = sum(
        (grid.limits[step.end] - grid.limits[step.start])
        * (step.at_risk - (step.events + step.competing + step.withdrawn) / 2)
        for step in found
    )
    if days <= 0:
        return Rate(events)
    years = days / _YEAR
    low, high = poisson(events)
    until = grid.times[found[-1].end]
    return Rate(events, years, per * events / years, per * low / years, per * high / years, until)


def poisson(events: float) -> tuple[float, float]:
    """The exact 95 % interval of a number of events (Garwood 1936)."""
    from scipy.stats import chi2

    tail = (1 - _LEVEL) / 2
    low = float(chi2.ppf(tail, 2 * events)) / 2 if events > 0 else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * events + 2)) / 2
