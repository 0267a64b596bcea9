"""Life tables, Kaplan-Meier and Aalen-Johansen against published examples and lifelines."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test, multivariate_logrank_test

from p4dp_sdk.cohorts.results import comparing, rates
from p4dp_sdk.cohorts.results.estimates import estimates, steps
from p4dp_sdk.cohorts.results.follow_up import Followed, Grid

# Remission of acute leukaemia under 6-mercaptopurine and placebo, weeks (Freireich 1963, Gehan 1965)
TREATED = [
    *((week, 1) for week in (6, 6, 6, 7, 10, 13, 16, 22, 23)),
    *((week, 0) for week in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)),
]
PLACEBO = [(t, 1) for t in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]

# Survival of 2,418 men with angina pectoris by year: deaths and withdrawals (Gehan 1969; Lee 1992, table 4.5)
ANGINA_DEATHS = [456, 226, 152, 171, 135, 125, 83, 74, 51, 42, 43, 34, 18, 9, 6]
ANGINA_LOST = [0, 39, 22, 23, 24, 107, 133, 102, 68, 64, 45, 53, 33, 27, 23]
ANGINA_SURVIVAL = [0.8114, 0.7170, 0.6524, 0.5786, 0.5193, 0.4611, 0.4172, 0.3712, 0.3342, 0.2987, 0.2557]


def by_day(
    times: Sequence[float], ended: Sequence[int], last: int | None = None, label: object = None
) -> Followed:
    """Ungrouped follow-up as counts at each day: 1 event, 2 competing event, 0 censored."""
    limits = np.arange((int(max(times)) if last is None else last) + 2)
    time, how = np.array(times), np.array(ended)

    def before(some: np.ndarray) -> np.ndarray:
        return np.searchsorted(np.sort(some), limits, side="left").astype(float)

    counts = len(time) - before(time), before(time[how == 1]), before(time[how == 2])
    return Followed(label, *(tuple(each.tolist()) for each in counts))


def test_kaplan_meier_of_the_leukaemia_trial_as_published() -> None:
    found = estimates(steps(by_day(*zip(*TREATED, strict=True))), halved=False)
    at = {each.step.end - 1: each for each in found}
    published = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {week: round(at[week].survival, 3) for week in published} == published
    low, high = at[6].survival_within
    assert (round(low, 3), round(high, 3)) == (0.620, 0.952)  # log(-log), as R and SAS give them


def test_log_rank_of_the_leukaemia_trial_as_published() -> None:
    groups = [by_day(*zip(*arm, strict=True), last=35) for arm in (TREATED, PLACEBO)]
    found = comparing.log_rank(groups, exact=True, halved=False)
    assert found.statistic == pytest.approx(16.79, abs=0.005) and found.degrees == 1


def test_life_table_of_angina_as_published() -> None:
    deaths, left = np.cumsum([0, *ANGINA_DEATHS]), np.cumsum([0, *ANGINA_LOST])
    group = Followed(
        None,
        tuple(float(2418 - d - w) for d, w in zip(deaths, left, strict=True)),
        tuple(map(float, deaths)),
        (0.0,) * len(deaths),
    )
    found = estimates(steps(group))
    assert [round(each.survival, 4) for each in found[: len(ANGINA_SURVIVAL)]] == ANGINA_SURVIVAL


def test_daily_intervals_are_kaplan_meier(rotterdam: pd.DataFrame) -> None:
    ended = (rotterdam.ended > 0).astype(int)
    found = estimates(steps(by_day(rotterdam.time, ended)), halved=False)
    fitter = KaplanMeierFitter().fit(rotterdam.time, ended)
    times = [each.step.end - 1 for each in found]
    assert [each.survival for each in found] == pytest.approx(fitter.predict(times).tolist(), abs=1e-12)
    within = fitter.confidence_interval_.reindex(times, method="ffill")
    assert [each.survival_within[0] for each in found] == pytest.approx(within.iloc[:, 0].tolist(), abs=1e-9)
    assert [each.survival_within[1] for each in found] == pytest.approx(within.iloc[:, 1].tolist(), abs=1e-9)


def test_daily_intervals_are_aalen_johansen(rotterdam: pd.DataFrame) -> None:
    """One event a day, so that lifelines has no ties to jitter."""
    few = rotterdam.drop_duplicates("time")
    found = estimates(steps(by_day(few.time, few.ended)), halved=False)
    fitter = AalenJohansenFitter(calculate_variance=True).fit(few.time, few.ended, event_of_interest=1)
    times = [each.step.end - 1 for each in found]
    theirs = fitter.cumulative_density_.iloc[:, 0].reindex(times, method="ffill")
    assert [each.incidence for each in found] == pytest.approx(theirs.tolist(), abs=1e-12)


def test_monthly_intervals_are_close_to_kaplan_meier(rotterdam: pd.DataFrame) -> None:
    ended, grid = (rotterdam.ended > 0).astype(int), Grid.over(10, "month")
    found = estimates(steps(_grouped(rotterdam.time, ended, grid)))
    fitter = KaplanMeierFitter().fit(rotterdam.time, ended)
    theirs = fitter.predict([grid.limits[each.step.end] - 1 for each in found])
    assert [each.survival for each in found] == pytest.approx(theirs.tolist(), abs=0.0005)


def test_log_rank_of_daily_intervals_is_the_ordinary_one(rotterdam: pd.DataFrame) -> None:
    last, ended = int(rotterdam.time.max()), rotterdam.ended > 0
    parts = [rotterdam[rotterdam.hormon == one] for one in (0, 1)]
    groups = [by_day(part.time, (part.ended > 0).astype(int), last) for part in parts]
    theirs = logrank_test(parts[0].time, parts[1].time, parts[0].ended > 0, parts[1].ended > 0)
    assert comparing.log_rank(groups, exact=True, halved=False).statistic == pytest.approx(
        theirs.test_statistic
    )
    three = [rotterdam[rotterdam["size"] == size] for size in sorted(rotterdam["size"].unique())]
    groups = [by_day(part.time, (part.ended > 0).astype(int), last) for part in three]
    found = comparing.log_rank(groups, exact=True, halved=False)
    theirs = multivariate_logrank_test(rotterdam.time, rotterdam["size"], ended)
    assert found.statistic == pytest.approx(theirs.test_statistic) and found.degrees == 2


def _grouped(times: pd.Series, ended: pd.Series, grid: Grid) -> Followed:
    return Followed(
        None,
        tuple(float((times >= limit).sum()) for limit in grid.limits),
        tuple(float(((times < limit) & (ended == 1)).sum()) for limit in grid.limits),
        (0.0,) * len(grid.limits),
    )


# -- laws ----------------------------------------------------------------------------------------------------

_COHORT = st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0, 1, 2])), min_size=1, max_size=60)


@given(_COHORT)
@settings(max_examples=50, deadline=None)
def test_survival_and_both_incidences_make_one(cohort: list[tuple[int, int]]) -> None:
    times, ended = zip(*cohort, strict=True)
    swapped = [{1: 2, 2: 1}.get(each, 0) for each in ended]
    for halved in (True, False):
        mine = estimates(steps(by_day(times, ended)), halved=halved)
        other = estimates(steps(by_day(times, swapped)), halved=halved)
        for one, two in zip(mine, other, strict=True):
            if halved is False:
                assert one.survival + one.incidence + two.incidence == pytest.approx(1)
            assert 0 <= one.survival_within[0] <= one.survival + 1e-12 <= one.survival_within[1] + 2e-12
            assert 0 <= one.incidence_within[0] <= one.incidence + 1e-12 <= one.incidence_within[1] + 2e-12


@given(_COHORT)
@settings(max_examples=50, deadline=None)
def test_without_competing_events_incidence_mirrors_survival(cohort: list[tuple[int, int]]) -> None:
    times, ended = zip(*[(time, min(how, 1)) for time, how in cohort], strict=True)
    for each in estimates(steps(by_day(times, ended)), halved=False):
        assert each.incidence == pytest.approx(1 - each.survival)
        assert each.incidence_within[0] == pytest.approx(1 - each.survival_within[1], abs=1e-6)


@given(_COHORT, st.sets(st.integers(1, 32)))
@settings(max_examples=50, deadline=None)
def test_withheld_limits_only_put_intervals_together(cohort: list[tuple[int, int]], hidden: set[int]) -> None:
    """Everybody is still counted, once, and the last limit that is known is where the estimate ends."""
    times, ended = zip(*cohort, strict=True)
    whole = by_day(times, ended)
    seen = Followed(None, whole.at_risk, _without(whole.events, hidden), whole.competing)
    known = [at for at, value in enumerate(seen.events) if value is not None]
    found = steps(seen)
    assert [step.end for step in found] == known[1:]
    assert sum(step.events for step in found) == whole.events[known[-1]]
    left = found[-1].at_risk - found[-1].events - found[-1].competing - found[-1].withdrawn if found else None
    assert left is None or left == whole.at_risk[known[-1]]


def _without(values: Sequence[float | None], hidden: set[int]) -> tuple[float | None, ...]:
    return tuple(None if at in hidden else value for at, value in enumerate(values))


def test_nothing_is_told_where_the_start_is_withheld() -> None:
    assert steps(Followed(None, (None, 90.0), (0.0, 20.0), (0.0, 0.0))) == []
    nothing = Followed(None, (None,) * 3, (0.0,) * 3, (0.0,) * 3)
    assert comparing.log_rank([by_day([1], [1]), nothing], exact=True).p_value is None


def test_blurred_counts_never_run_backwards() -> None:
    found = steps(Followed(None, (100.0, 92.0, 93.0), (0.0, 9.0, 8.0), (0.0, 0.0, 0.0)))
    assert all(step.events >= 0 and step.withdrawn >= 0 for step in found)
    assert sum(step.events for step in found) in (8.0, 9.0)


def test_everybody_dead_has_survival_zero_and_no_interval() -> None:
    (*_before, last) = estimates(steps(by_day([1, 2], [1, 1])), halved=False)
    assert last.survival == 0 and last.survival_within == (0, 0) and math.isclose(last.incidence, 1)


# -- rates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "low", "high"), [(0, 0, 3.689), (1, 0.025, 5.572), (10, 4.795, 18.390), (100, 81.364, 121.627)]
)
def test_exact_poisson_intervals_as_tabulated(events: int, low: float, high: float) -> None:
    assert rates.poisson(events) == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))


def test_rate_counts_half_an_interval_of_who_leaves_in_it() -> None:
    """100 people a year: 10 events and 10 withdrawals in the first, nobody in the second."""
    rate = rates.of(
        Followed(None, (100.0, 80.0, 80.0), (0.0, 10.0, 10.0), (0.0,) * 3), Grid.over(2, "year"), 1000
    )
    years = (90 * 365 + 80 * 365) / 365.25  # the limits are days 365 and 730
    assert rate.person_years == pytest.approx(years, rel=1e-3)
    assert rate.rate == pytest.approx(1000 * 10 / years, rel=1e-3) and rate.until == 2


def test_person_years_are_close_to_the_sum_of_days(rotterdam: pd.DataFrame) -> None:
    grid = Grid.over(10, "month")
    ended = (rotterdam.ended > 0).astype(int)
    rate = rates.of(_grouped(rotterdam.time, ended, grid), grid, 1000)
    days = rotterdam.time.clip(upper=grid.limits[-1]).sum()
    assert rate.person_years == pytest.approx(days / 365.25, rel=0.001)
