"""Overweight, 6 to 15 years: the old dashboard's rows, each boundary of age and window, and what is
missing."""

from __future__ import annotations

import pytest

from p4dp_sdk.catalogue.reference.iotf import load_cutoffs
from p4dp_sdk.indicators.clinical.overweight import SURPOIDS
from p4dp_sdk.indicators.window import Window
from tests.unit.indicators.clinical.little_world import World, day

NORMAL = {"measured": True, "overweight": False, "obese": False, "missing": False}
OVERWEIGHT = NORMAL | {"overweight": True}
OBESE = OVERWEIGHT | {"obese": True}
MISSING = {"measured": False, "overweight": False, "obese": False, "missing": True}


def a_girl(world: World, born: str = "2010-01") -> int:
    return world.person(born, "F")


def test_51_kg_and_1_55_is_not_overweight() -> None:
    """Read as 155 cm by the quality layer; the software had made a BMI of 212,278.88 of it."""
    world = World()
    who = world.person("2008-06", "F")
    world.measured(who, "2022-06-01", 51.0, 155.0)
    world.put("biometrics", patient_no=who, date=day("2022-06-01"), measure="bmi", value=None)
    assert world.flags(SURPOIDS)[who] == NORMAL


def test_64_9_kg_and_1435_is_overweight() -> None:
    """Read as 143.5 cm: a BMI of 31.5, shown as 0.32 and not overweight before."""
    world = World()
    who = world.person("2008-06", "M")
    world.measured(who, "2022-06-01", 64.9, 143.5)
    assert world.flags(SURPOIDS)[who] == OBESE


@pytest.mark.parametrize(("weight", "height"), [(None, 117.0), (20.0, None)])
def test_a_measurement_that_was_set_aside_is_missing(weight: float | None, height: float | None) -> None:
    """3.58 kg at 6 years, or a height beyond 4 standard deviations."""
    world = World()
    who = world.person("2016-06")
    world.measured(who, "2022-09-01", weight, height)
    assert world.flags(SURPOIDS)[who] == MISSING


def test_a_birth_weight_does_not_hide_the_last_valid_measurement() -> None:
    world = World()
    who = world.person("2015-06")
    world.measured(who, "2022-03-01", 28.5, 125.0)
    world.measured(who, "2022-09-01", None, 127.0)
    assert world.flags(SURPOIDS)[who] == OVERWEIGHT


def test_weight_and_height_of_two_days_are_no_pair() -> None:
    world = World()
    who = a_girl(world)
    world.measured(who, "2022-03-01", 60.0, None)
    world.measured(who, "2022-03-02", None, 150.0)
    assert world.flags(SURPOIDS)[who] == MISSING


def test_the_last_measurement_counts() -> None:
    world = World()
    who = a_girl(world)
    world.measured(who, "2022-09-01", 40.0, 150.0)
    world.measured(who, "2022-03-01", 70.0, 150.0)
    assert world.flags(SURPOIDS)[who] == NORMAL


def test_of_two_gps_on_one_day_the_higher_bmi_counts() -> None:
    world = World()
    who = a_girl(world)
    world.measured(who, "2022-09-01", 70.0, 150.0)
    for name, unit, value in (("weight", "kg", 40.0), ("height", "cm", 150.0)):
        row = {"patient_no": who, "date": day("2022-09-01"), "measure": name, "unit": unit, "value": value}
        world.put("biometrics", physician_no=2, **row)
    assert world.flags(SURPOIDS)[who] == OBESE


@pytest.mark.parametrize(
    ("measured", "says"),
    [
        ("2020-12-31", MISSING),  # the day before the 24 months
        ("2021-01-01", OVERWEIGHT),
        ("2022-12-31", OVERWEIGHT),
        ("2023-01-01", MISSING),  # after the date
    ],
)
def test_both_ends_of_the_window(measured: str, says: dict[str, bool]) -> None:
    world = World()
    who = a_girl(world)
    world.measured(
        who, measured, 55.0, 150.0
    )  # 24.4: overweight at 10, 11 and 12, below the cut-off of obesity
    assert world.flags(SURPOIDS)[who] == says


def test_ages_of_who_is_counted() -> None:
    """6.00 to 15.99 years on the date, by month of birth."""
    world = World()
    born = ["2017-01", "2016-12", "2007-01", "2006-12"]
    people = dict(zip(born, [world.person(month) for month in born], strict=True))
    world.person(None)
    assert set(world.flags(SURPOIDS)) == {people["2016-12"], people["2007-01"]}


def test_a_measurement_before_6_years_is_none() -> None:
    world = World()
    before, on = world.person("2016-07"), world.person("2016-07")
    world.measured(before, "2022-06-30", 30.0, 115.0)
    world.measured(on, "2022-07-01", 30.0, 115.0)
    flags = world.flags(SURPOIDS)
    assert flags[before] == MISSING and flags[on] == OBESE


@pytest.mark.parametrize(("month", "overweight"), [("2016-01", True), ("2015-06", False)])
def test_months_of_age_matter(month: str, overweight: bool) -> None:
    """A boy of 6 years with a BMI of 17.6: overweight at 6.00, not at 6.58."""
    world = World()
    who = world.person(month, "M")
    world.measured(who, "2022-01-15", 17.6, 100.0)
    assert world.flags(SURPOIDS)[who]["overweight"] is overweight


def test_a_bmi_on_the_cut_off_is_overweight() -> None:
    limit = load_cutoffs()["M", 144].overweight
    world = World()
    on, below = world.person("2010-06", "M"), world.person("2010-06", "M")
    world.measured(on, "2022-06-01", limit, 100.0)
    world.measured(below, "2022-06-01", limit - 0.001, 100.0)
    assert world.met(SURPOIDS, "overweight") == {on}


def test_who_has_no_sex_is_not_classed() -> None:
    world = World()
    who = world.person("2010-06", None)
    world.measured(who, "2022-06-01", 60.0, 150.0)
    assert world.flags(SURPOIDS)[who] == MISSING


def test_only_the_active_list_is_counted() -> None:
    world = World()
    for seen, died in (("2020-12-31", None), (None, None), ("", "2022-11")):
        world.person("2010-06", seen=seen, died=died)
    active = world.person("2010-06", seen="2021-01-01")
    assert set(world.flags(SURPOIDS)) == {active}


def test_a_window_of_ones_own() -> None:
    world = World()
    who = a_girl(world)
    world.measured(who, "2021-12-31", 55.0, 150.0)
    year = Window(day("2022-01-01"), day("2022-12-31"))
    assert world.flags(SURPOIDS, year)[who] == MISSING


def test_29_february() -> None:
    """Two years before the last day of February of a leap year."""
    world = World(on=day("2024-02-29"))
    who = a_girl(world)
    world.measured(who, "2022-03-01", 55.0, 150.0)
    early = a_girl(world)
    world.measured(early, "2022-02-28", 55.0, 150.0)
    assert world.met(SURPOIDS, "measured") == {who}
