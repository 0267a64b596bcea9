"""DTP boosters: the published transitions, the old dashboard's traps, and the Ibis against the rules."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.indicators.clinical.dtp import VACCINATION_DTP
from p4dp_sdk.indicators.clinical.dtp_schedule import (
    BoosterStatus,
    booster_status,
    next_booster_age,
    next_fixed_age,
)
from tests.unit.indicators.clinical.little_world import ON, World

UP_TO_DATE, DUE, NOT_RECORDED = BoosterStatus.UP_TO_DATE, BoosterStatus.DUE, BoosterStatus.NOT_RECORDED
DTP, DTCP, TETANUS, INFANTS = "J07CA01", "J07CA02", "J07AM01", "J07CA09"


def status_in(world: World, who: int) -> BoosterStatus:
    flags = world.flags(VACCINATION_DTP)[who]
    (said,) = (name for name in ("up_to_date", "due", "missing") if flags[name])
    return BoosterStatus({"missing": "not_recorded"}.get(said, said))


# --- the rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "last", "status"),
    [
        (25, 20, UP_TO_DATE),  # 45 - 20 is 25: not more
        (25, 19, DUE),
        (30, 25, UP_TO_DATE),
        (44, 20, UP_TO_DATE),
        (44, 19, DUE),
        (45, 25, DUE),  # at 45 the next is 65
        (45, 40, UP_TO_DATE),  # 5 years before 45: stands for it
        (45, 39, DUE),
        (50, 45, UP_TO_DATE),
        (64, 40, UP_TO_DATE),
        (64, 39, DUE),
        (65, 59, DUE),
        (65, 60, UP_TO_DATE),
        (74, 60, UP_TO_DATE),  # 75 - 60 is 15: not more
        (74, 59, DUE),
        (75, 66, DUE),  # the published case
        (75, 70, UP_TO_DATE),
        (80, 69, DUE),
        (85, 75, DUE),
        (85, 80, UP_TO_DATE),
        (104, 90, UP_TO_DATE),
        (105, 95, DUE),
        (70, None, NOT_RECORDED),
    ],
)
def test_transitions(age: int, last: int | None, status: BoosterStatus) -> None:
    assert booster_status(12 * age, None if last is None else 12 * last) is status


@pytest.mark.parametrize(
    ("last", "following"),
    [
        (12, 25), (19, 25), (20, 45), (25, 45), (30, 45), (39, 45), (40, 65), (41, 65), (45, 65), (59, 65),
        (60, 75), (62, 75), (65, 75), (66, 75), (69, 75), (70, 85), (71, 85), (75, 85),
    ],
)  # fmt: skip
def test_the_booster_after_a_dose(last: int, following: int) -> None:
    """n, or n + 1 where n is 5 years away or less: after a catch-up dose too."""
    assert next_booster_age(12 * last) == following


def test_a_fixed_age_is_not_its_own_next() -> None:
    assert (next_fixed_age(12 * 45 - 1), next_fixed_age(12 * 45)) == (45, 65)


@given(age=st.integers(25 * 12, 114 * 12), back=st.integers(0, 80 * 12))
def test_both_wordings_of_the_calendar_agree(age: int, back: int) -> None:
    """Due by the interval to the next fixed age, or because the booster after the last dose has come."""
    last = age - back
    due = booster_status(age, last) is DUE
    assert due == (12 * next_booster_age(last) <= age)


# --- the Ibis -------------------------------------------------------------------------------------------


def _ages(who: tuple[int, int]) -> tuple[str, str]:
    """Month of birth of somebody of so many months on the reference date, and the month of a dose at so
    many."""
    age, last = who
    months = ON.year * 12 + ON.month - 1 - age
    dose = months + last
    return f"{months // 12}-{months % 12 + 1:02}", f"{dose // 12}-{dose % 12 + 1:02}"


PEOPLE = st.tuples(st.integers(25 * 12, 114 * 12), st.none() | st.integers(0, 90 * 12)).map(
    lambda who: (who[0], None if who[1] is None else max(0, who[0] - who[1]))
)


@settings(max_examples=12, deadline=None)
@given(people=st.lists(PEOPLE, min_size=1, max_size=25))
def test_the_question_says_what_the_rules_say(people: list[tuple[int, int | None]]) -> None:
    world = World()
    expected = {}
    for age, last in people:
        born, dose = _ages((age, last or 0))
        who = world.person(born)
        if last is not None:
            world.dose(who, DTP, f"{dose}-01")
        expected[who] = booster_status(age, last)
    flags = world.flags(VACCINATION_DTP)
    said = {
        who: UP_TO_DATE if f["up_to_date"] else DUE if f["due"] else NOT_RECORDED for who, f in flags.items()
    }
    assert said == expected
    assert all(f["recorded"] != f["missing"] for f in flags.values())


def test_every_month_around_every_fixed_age() -> None:
    """Each fixed age, a month before, at and after it, with doses around the 5 years before it."""
    cases = [
        (12 * fixed + now, 12 * (fixed - 5) + dose)
        for fixed in (25, 45, 65, 75, 85, 95, 105)
        for now in (-1, 0, 1)
        for dose in (-1, 0, 1)
        if 12 * fixed + now >= 300
    ]
    world = World()
    expected = {}
    for age, last in cases:
        born, dose = _ages((age, last))
        who = world.person(born)
        world.dose(who, DTCP, f"{dose}-28")
        expected[who] = booster_status(age, last) is UP_TO_DATE
    assert {who: flags["up_to_date"] for who, flags in world.flags(VACCINATION_DTP).items()} == expected


def test_a_dose_at_66_and_now_75() -> None:
    world = World()
    who = world.person("1947-12")
    world.dose(who, DTP, "2014-06-01")
    assert status_in(world, who) is DUE


@pytest.mark.parametrize(
    ("atc", "dq_code"),
    [(None, "empty_vaccination"), (None, "dose_note"), (TETANUS, "ok"), (INFANTS, "ok"), ("J07BN01", "ok")],
)
def test_what_is_no_dose(atc: str | None, dq_code: str) -> None:
    """Empty rows, notes ("3 covid et dtp à 25 ans (non"), tetanus alone, other vaccines."""
    world = World()
    who = world.person("1970-01")
    world.dose(who, atc, "2022-01-01", dq_code=dq_code)
    assert status_in(world, who) is NOT_RECORDED


def test_a_dose_to_come_is_none() -> None:
    world = World()
    who = world.person("1970-01")
    world.dose(who, DTP, "2023-01-01")
    assert status_in(world, who) is NOT_RECORDED


def test_any_dose_that_stands_counts() -> None:
    world = World()
    who = world.person("1970-01")
    for on in ("1980-01-01", "2016-01-01", "1995-01-01"):
        world.dose(who, DTP, on)
    assert status_in(world, who) is UP_TO_DATE


@pytest.mark.parametrize(
    ("born", "precision", "status"),
    [
        ("1970-07", "year", UP_TO_DATE),  # July 2010 is 40.0 years
        ("1970-08", "year", DUE),
        ("1970-01", "day", UP_TO_DATE),
        ("1970-02", "day", DUE),
    ],
)
def test_a_year_is_a_date_of_that_precision(born: str, precision: str, status: BoosterStatus) -> None:
    """01/01/2010: in the middle of 2010 if the year alone is known."""
    world = World()
    who = world.person(born)
    world.dose(who, DTP, "2010-01-01", precision, "year_precision" if precision == "year" else "ok")
    assert status_in(world, who) is status


def test_only_from_25_years() -> None:
    world = World()
    adult, _ = world.person("1997-12"), world.person("1998-01")
    assert set(world.flags(VACCINATION_DTP)) == {adult}


def test_29_february() -> None:
    world = World(on=date(2024, 2, 29))
    who = world.person("1959-02")
    world.dose(who, DTP, "2019-02-28")
    assert status_in(world, who) is UP_TO_DATE
