"""Comparisons that protected counts allow: chi-square of a Table 1 line, log-rank of grouped follow-up.

From a draft they are approximate: its counts are blurred, by about two patients each, and the p-value does
not know it. From a publication they are those of the counts. Where a count is withheld there is no test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from p4dp_sdk.cohorts.results.estimates import Step, steps
from p4dp_sdk.cohorts.results.follow_up import Followed
from p4dp_sdk.cohorts.results.questions import PATIENTS, missing_name
from p4dp_sdk.cohorts.results.variables import Kind, Variable
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    from p4dp_sdk.cohorts.results.asking import Number


@dataclass(frozen=True)
class Test:
    """A test's statistic, degrees of freedom and p-value; None where a number it takes is withheld. `exact`:
    its counts are those of a publication, not blurred."""

    statistic: float | None
    degrees: int
    p_value: float | None
    exact: bool

    __test__ = False  # no test of pytest's

    def __repr__(self) -> str:
        if self.p_value is None or self.statistic is None:
            return _("No test: a count that it takes is withheld.")
        text = _("χ² = {statistic}, {degrees} degrees of freedom, p {p_value}").format(
            statistic=f"{self.statistic:.2f}", degrees=self.degrees, p_value=_p(self.p_value)
        )
        return text if self.exact else text + " " + _("(draft: approximate, the counts are blurred)")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def chi_square(variable: Variable, groups: Sequence[Mapping[str, Number]], *, exact: bool) -> Test:
    """Pearson's test, without correction, of a yes/no or coded variable between groups: of those known."""
    counts = [_counts(variable, group) for group in groups]
    known = [[each for each in row if each is not None] for row in counts]
    degrees = max(0, len(groups) - 1) * max(0, (len(counts[0]) if counts else 1) - 1)
    if len(groups) < 2 or any(len(row) != len(full) for row, full in zip(known, counts, strict=True)):
        return Test(None, degrees, None, exact)
    present = [column for column in zip(*known, strict=True) if sum(column) > 0]
    if len(present) < 2 or any(sum(row) <= 0 for row in known):
        return Test(None, degrees, None, exact)
    from scipy.stats import chi2_contingency

    found = chi2_contingency(present, correction=False)
    return Test(float(found.statistic), int(found.dof), float(found.pvalue), exact)


def _counts(variable: Variable, group: Mapping[str, Number]) -> list[float | None]:
    if variable.levels:
        return [_value(group, level.name) for level in variable.levels]
    if variable.kind is not Kind.YES_NO:
        return [None]
    patients, yes = _value(group, PATIENTS), _value(group, variable.name)
    missing = _value(group, missing_name(variable)) if variable.may_miss else 0.0
    if patients is None or yes is None or missing is None:
        return [yes, None]
    return [yes, max(0.0, patients - missing - yes)]


def _value(group: Mapping[str, Number], measure: str) -> float | None:
    number = group.get(measure)
    return None if number is None else number.value


def log_rank(groups: Sequence[Followed], *, exact: bool, halved: bool = True) -> Test:
    """The log-rank test from counts by interval (Mantel, "Evaluation of survival data and two new rank order
    statistics", Cancer Chemother Rep 50 (1966) 163-170), over the time that every group's counts tell.
    Competing events censor. With intervals of a day and `halved` False it is the ordinary test."""
    told = [_between(group, _common(groups)) for group in groups]
    degrees = max(0, len(groups) - 1)
    rows = list(zip(*told, strict=True)) if told else []
    if degrees == 0 or not rows:
        return Test(None, degrees, None, exact)
    import numpy as np
    from scipy.stats import chi2

    excess, spread = np.zeros(len(groups)), np.zeros((len(groups), len(groups)))
    for row in rows:
        exposed = np.array([step.exposed(halved=halved) for step in row])
        events, whole = sum(step.events for step in row), float(exposed.sum())
        if whole <= 1 or events <= 0:
            continue
        share = exposed / whole
        excess += np.array([step.events for step in row]) - events * share
        factor = events * max(0.0, whole - events) / (whole - 1)
        spread += factor * (np.diag(share) - np.outer(share, share))
    part = spread[:-1, :-1]
    if np.linalg.matrix_rank(part) < degrees:
        return Test(None, degrees, None, exact)
    statistic = float(excess[:-1] @ np.linalg.solve(part, excess[:-1]))
    return Test(statistic, degrees, float(chi2.sf(statistic, degrees)), exact)


def _common(groups: Sequence[Followed]) -> list[int]:
    """The limits at which every group's counts are known."""
    known = [{0, *(step.end for step in steps(group))} if steps(group) else set() for group in groups]
    return sorted(set.intersection(*known)) if known else []


def _between(group: Followed, limits: Sequence[int]) -> list[Step]:
    """The steps of `group` from each of `limits` to the next."""
    kept = set(limits)

    def only(values: Sequence[float | None]) -> tuple[float | None, ...]:
        return tuple(value if at in kept else None for at, value in enumerate(values))

    return steps(replace(group, at_risk=only(group.at_risk), events=only(group.events)))
