"""Weekly rates by hand, and the epidemic threshold on the sentinel network's own weeks."""

from __future__ import annotations

import math
import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from p4dp_sdk.indicators.activity import incidence, per_observed
from p4dp_sdk.indicators.epidemic import Epidemic, baseline, epidemics, watch
from p4dp_sdk.indicators.errors import TooLittleShownError
from p4dp_sdk.indicators.indicator import Indicator
from p4dp_sdk.indicators.registry import measures
from tests.unit.indicators.clinical.little_world import ON, World, day

SENTINELLES = Path(__file__).parents[4] / "shared" / "data" / "sentinelles_ili_weekly_latin1.csv"
MONDAY = date(2022, 1, 3)
FLU = measures()["activite_grippe"]


def seen(world: World, number: int, on: str, *codes: str, coded_on: str | None = None) -> None:
    world.put("consultations", patient_no=1, consultation_id=number, date=day(on))
    for code in codes:
        world.put("diagnoses", patient_no=1, consultation_id=number, date=day(coded_on or on), cisp2=code)


def weekly(world: World) -> pd.DataFrame:
    with world.tables() as tables:
        asked = Indicator(FLU, tables, ON)
        return asked.measure(every="week", between=("2022-01-03", "2022-01-23")).frame


def test_cases_and_denominator_are_consultations_of_the_week() -> None:
    world = World()
    world.person("1980-01", seen=None)
    seen(world, 1, "2022-01-03", "R80")
    seen(world, 2, "2022-01-09", "R74")  # a Sunday: still the first week
    seen(world, 3, "2022-01-10", "R80", "R80")  # coded twice: one consultation
    seen(world, 4, "2022-01-10")
    seen(world, 5, "2022-01-02", "R80")  # before
    seen(world, 6, "2022-01-23", "R80")
    frame = weekly(world).set_index("week")
    assert frame["denominator"].tolist() == [2, 2, 1]
    assert frame["numerator"].tolist() == [1, 1, 1]
    assert frame["share"].tolist() == [50_000.0, 50_000.0, 100_000.0]


def test_a_week_without_consultations_has_no_rate() -> None:
    """A practice's silence is not health: no row, and no zero."""
    world = World()
    world.person("1980-01", seen=None)
    seen(world, 1, "2022-01-03")
    seen(world, 2, "2022-01-17", "R80")
    frame = weekly(world)
    assert [str(week)[:10] for week in frame["week"]] == ["2022-01-03", "2022-01-17"]
    assert frame["share"].tolist() == [0.0, 100_000.0]
    filled = pd.concat([frame, frame.assign(week=frame["week"] - timedelta(days=7 * 200))])
    with pytest.raises(TooLittleShownError):
        watch(filled, since=MONDAY)


def test_cases_per_patients_under_observation() -> None:
    weeks = [date(2021, 12, 27), date(2022, 1, 3), date(2022, 1, 17), date(2022, 2, 7), date(2022, 3, 7)]
    cases = pd.DataFrame({"week": weeks, "numerator": pd.array([5, 10, None, 10, 5], dtype="Int64")})
    patients = pd.array([1310, 1000, None], dtype="Int64")
    observed = pd.DataFrame({"at": ["2022-01-31", "2021-12-31", "2022-02-28"], "patients": patients})
    made = per_observed(cases, observed)
    assert made["denominator"].isna().tolist() == [True, False, False, True, True]
    assert made["denominator"].iloc[1] == pytest.approx(1000 + 310 * 3 / 31)
    assert made["share"].iloc[1] == pytest.approx(100_000 * 10 / 1030)
    assert made["share"].isna().tolist() == [True, False, True, True, True]


def test_a_rate_of_ones_own() -> None:
    shingles = incidence("zona", "zona", "shingles", ["S70"])
    assert "CISP-2 S70" in shingles.explanation_fr and shingles.per == 100_000


# -- the threshold


def weeks_from(start: date, number: int) -> list[date]:
    return [start + timedelta(days=7 * place) for place in range(number)]


def test_a_baseline_finds_the_waves_it_was_made_of() -> None:
    days = weeks_from(MONDAY, 300)
    years = np.array([(d - MONDAY).days / 365.25 for d in days])
    calm = 100 + 3 * years + 40 * np.cos(2 * np.pi * years) + 5 * np.sin(4 * np.pi * years)
    made = baseline(days, calm.tolist(), left_out=0.0)
    assert made.expected(days) == pytest.approx(calm)
    assert made.deviation == pytest.approx(0, abs=1e-8) and made.weeks == 300


def test_weeks_that_are_not_known_are_not_fitted() -> None:
    days = weeks_from(MONDAY, 300)
    values = [100.0 + 20 * math.sin(2 * math.pi * (d - MONDAY).days / 365.25) for d in days]
    holes = [math.nan if place % 7 == 3 else value for place, value in enumerate(values)]
    assert baseline(days, holes, left_out=0.0).expected(days) == pytest.approx(values)


def test_two_years_are_needed() -> None:
    with pytest.raises(TooLittleShownError):
        baseline(weeks_from(MONDAY, 103), [1.0] * 103)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 9, 9, 0], [(1, 2, 2)]),
        ([0, 9, 0, 9, 0], []),
        ([9, 9, 9], [(0, 2, 3)]),
        ([0, 9, math.nan, 9, 0], [(1, 3, 2)]),
        ([9, 5, 9, 9], [(2, 3, 2)]),  # at the threshold is not above it
        ([], []),
    ],
)
def test_an_epidemic_is_two_known_weeks_above(values: list[float], expected: list[tuple[int, ...]]) -> None:
    days = weeks_from(MONDAY, len(values))
    found = epidemics(days, values, [5.0] * len(values))
    assert found == [Epidemic(days[first], days[last], weeks) for first, last, weeks in expected]


@pytest.fixture(scope="module")
def sentinelles() -> pd.DataFrame:
    """Influenza-like illness per 100,000 people by week; 1989w19 stands as 0 without limits: not known."""
    if not SENTINELLES.exists():
        message = f"{SENTINELLES.name} is not in {SENTINELLES.parent}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    frame = pd.read_csv(SENTINELLES, encoding="latin1", comment="#").sort_values("week")
    monday = [date.fromisocalendar(week // 100, week % 100, 1) for week in frame["week"]]
    known = frame["inc100"].where(frame["inc100_low"].notna()).astype("Float64")
    return pd.DataFrame({"week": monday, "share": known.array})


def season(sentinelles: pd.DataFrame, year: int) -> list[Epidemic]:
    """The epidemics of the season that starts in `year`, by what was known before it."""
    since = date(year, 8, 1)
    seen_by_then = sentinelles[[week < date(year + 1, 8, 1) for week in sentinelles["week"]]]
    watched = watch(seen_by_then, since=since)
    now = watched[[week >= since for week in watched["week"]]]
    return epidemics(now["week"].tolist(), now["share"].tolist(), now["threshold"].tolist())


def test_the_season_of_2014_starts_when_it_did(sentinelles: pd.DataFrame) -> None:
    onset = season(sentinelles, 2014)[0].start
    assert abs(onset - date.fromisocalendar(2015, 3, 1)) <= timedelta(days=7)


def test_every_winter_epidemic_is_found_and_no_summer_one(sentinelles: pd.DataFrame) -> None:
    for year in range(1990, 2019):
        longest = max(season(sentinelles, year), key=lambda epidemic: epidemic.weeks)
        assert longest.weeks >= 5
        pandemic = year == 2009
        assert longest.start.month in ({8, 9} if pandemic else {10, 11, 12, 1, 2, 3}), year


def test_the_missing_week_of_1989_stays_missing(sentinelles: pd.DataFrame) -> None:
    missing = date.fromisocalendar(1989, 19, 1)
    watched = watch(sentinelles, since=date(1995, 8, 1)).set_index("week")
    assert math.isnan(watched.loc[missing, "share"]) and watched.loc[missing, "threshold"] > 0
    without = sentinelles[sentinelles["week"] != missing]
    again = watch(without, since=date(1995, 8, 1)).set_index("week")
    assert again["threshold"].tolist() == watched["threshold"].tolist()
