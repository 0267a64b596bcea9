"""Diabetes: who has it, by code or treatment, and each examination at the border of its interval."""

from __future__ import annotations

import pytest

from p4dp_sdk.indicators.clinical.diabetes_measures import (
    DIABETE,
    DIABETE_EQUILIBRE,
    DIABETE_HBA1C,
    DIABETE_OEIL,
    DIABETE_OEIL_24,
    DIABETE_REIN,
)
from tests.unit.indicators.clinical.little_world import World

METFORMIN, GLARGINE, LIRAGLUTIDE, DAPAGLIFLOZIN = "A10BA02", "A10AE04", "A10BJ02", "A10BK01"
THREE = ("2022-02-01", "2022-06-01", "2022-10-01")


def a_diabetic(world: World) -> int:
    who = world.person("1960-01")
    world.diagnosis(who, "T90", "2015-01-01")
    return who


def test_by_code() -> None:
    world = World()
    people = [world.person("1960-01") for _ in range(7)]
    t90, t89, recalled, undated, family, later, bleeding = people
    world.diagnosis(t90, "T90", "2022-12-31")
    world.diagnosis(t89, "T89", "1999-01-01")
    world.past(recalled, "T90", "2010-01-01")
    world.past(undated, "T90", None)
    world.past(family, "T90", "2010-01-01", kind="family")
    world.diagnosis(later, "T90", "2023-01-01")
    world.diagnosis(bleeding, "A10", "2022-01-01")  # CISP-2, where A10 is bleeding
    assert world.met(DIABETE, "diabetic") == {t90, t89, recalled, undated}


@pytest.mark.parametrize(
    ("drugs", "met"),
    [
        ([(METFORMIN, THREE, "standard")], True),
        ([(METFORMIN, THREE[:2], "standard")], False),
        ([(METFORMIN, THREE[:2], "large")], True),
        ([(METFORMIN, THREE[:1], "large")], False),
        ([(METFORMIN, ("2022-02-01",) * 3, "standard")], False),  # three rows of one date
        ([(METFORMIN, ("2021-12-31", *THREE[1:]), "standard")], False),  # one is a day too old
        ([(METFORMIN, ("2022-01-01", *THREE[1:]), "standard")], True),
        ([(LIRAGLUTIDE, THREE, "standard")], False),
        ([(DAPAGLIFLOZIN, THREE, "standard")], False),
        ([(LIRAGLUTIDE, THREE, "standard"), (DAPAGLIFLOZIN, THREE, "large")], False),
        ([(LIRAGLUTIDE, THREE[:2], "standard"), (METFORMIN, THREE[2:], "standard")], True),
        ([(GLARGINE, THREE, "standard")], True),
    ],
)
def test_by_treatment(drugs: list[tuple[str, tuple[str, ...], str]], met: bool) -> None:
    world = World()
    who = world.person("1960-01")
    for atc, days, pack in drugs:
        world.drug(who, atc, *days, pack=pack)
    assert world.flags(DIABETE)[who]["diabetic"] is met


def test_gestational_diabetes_is_none() -> None:
    """Nor its insulin; but whoever has type 2 afterwards has diabetes."""
    world = World()
    coded, treated, type_2, recalled = (world.person("1990-01") for _ in range(4))
    for who in (coded, treated, type_2):
        world.diagnosis(who, "W85", "2021-01-01")
    world.past(recalled, "W85", "2021-01-01", kind="gynaecological")
    for who in (treated, type_2, recalled):
        world.drug(who, GLARGINE, *THREE)
    world.diagnosis(type_2, "T90", "2022-01-01")
    assert world.met(DIABETE, "diabetic") == {type_2}


@pytest.mark.parametrize(
    ("results", "met"),
    [
        ([("2022-01-01", 7.0), ("2022-12-31", 7.0)], True),
        ([("2021-12-31", 7.0), ("2022-12-31", 7.0)], False),
        ([("2022-06-01", 7.0), ("2022-06-01", 7.1)], False),  # one sample, sent twice
        ([("2022-03-01", 7.0), ("2022-06-01", None)], False),  # not a number
    ],
)
def test_hba1c_twice(results: list[tuple[str, float | None]], met: bool) -> None:
    world = World()
    who = a_diabetic(world)
    for on, value in results:
        world.result(who, "hba1c", on, value)
    assert world.flags(DIABETE_HBA1C)[who]["twice"] is met


def test_control_is_that_of_the_last_value() -> None:
    world = World()
    better, worse, limit, same_day, none = (a_diabetic(world) for _ in range(5))
    for who, first, last in ((better, 9.0, 6.5), (worse, 6.5, 9.0), (limit, 9.0, 7.0)):
        world.result(who, "hba1c", "2022-03-01", first)
        world.result(who, "hba1c", "2022-09-01", last)
    world.result(same_day, "hba1c", "2022-09-01", 8.0)
    world.result(same_day, "hba1c", "2022-09-01", 6.0)
    world.result(none, "hba1c", "2021-09-01", 6.0)
    flags = world.flags(DIABETE_EQUILIBRE)
    assert {who for who, said in flags.items() if said["controlled"]} == {better, limit}
    assert {who for who, said in flags.items() if said["missing"]} == {none}


@pytest.mark.parametrize(
    ("exam", "insulin", "hba1c", "met"),
    [
        ("2021-01-01", None, None, True),
        ("2020-12-31", None, None, False),
        ("2021-12-31", "2022-06-01", None, False),  # yearly on insulin
        ("2022-01-01", "2022-06-01", None, True),
        ("2021-12-31", "2021-12-31", None, True),  # insulin of the year before
        ("2021-12-31", None, 7.0, True),
        ("2021-12-31", None, 7.1, False),  # yearly when uncontrolled
        ("2022-01-01", None, 7.1, True),
    ],
)
def test_eye(exam: str, insulin: str | None, hba1c: float | None, met: bool) -> None:
    world = World()
    who = a_diabetic(world)
    world.procedure(who, "F67", exam)
    if insulin:
        world.drug(who, GLARGINE, insulin)
    if hba1c:
        world.result(who, "hba1c", "2022-06-01", hba1c)
    assert world.flags(DIABETE_OEIL)[who]["eye"] is met


def test_eye_in_24_months_whatever_the_treatment() -> None:
    world = World()
    insulin, late, other = (a_diabetic(world) for _ in range(3))
    world.procedure(insulin, "F41", "2021-01-01")
    world.drug(insulin, GLARGINE, "2022-06-01")
    world.procedure(late, "F67", "2020-12-31")
    world.procedure(other, "F50", "2022-06-01")
    assert world.met(DIABETE_OEIL_24, "eye") == {insulin}


def test_kidney_needs_both() -> None:
    world = World()
    both, creatinine, albuminuria, old = (a_diabetic(world) for _ in range(4))
    for who, analyte, on in (
        (both, "creatinine", "2022-01-01"),
        (both, "uacr", "2022-12-31"),
        (creatinine, "creatinine", "2022-06-01"),
        (albuminuria, "uacr", "2022-06-01"),
        (old, "creatinine", "2022-06-01"),
        (old, "uacr", "2021-12-31"),
    ):
        world.result(who, analyte, on, 10.0)
    assert world.met(DIABETE_REIN, "kidney") == {both}


def test_follow_up_is_that_of_the_active_list() -> None:
    world = World()
    gone = world.person("1960-01", seen="2020-12-31")
    world.diagnosis(gone, "T90", "2015-01-01")
    assert world.flags(DIABETE_HBA1C) == {}
