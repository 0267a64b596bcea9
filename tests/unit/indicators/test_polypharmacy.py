"""Polypharmacy by hand: what counts as one substance, and when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.indicators import polypharmacy
from p4dp_sdk.indicators.polypharmacy import COMBINATIONS, holders, numbers
from p4dp_sdk.indicators.registry import measures
from tests.unit.indicators.clinical.little_world import ON, World, day

CODES = sorted(code.code for code in load_catalogue().code_systems["atc"].codes)
PLAIN = [c for c in CODES if c not in COMBINATIONS and c not in {p for x in COMBINATIONS.values() for p in x}]
AT_ONCE, CUMULATED, CONTINUOUS = (
    measures()[f"polymedication_{name}"] for name in ("simultanee", "cumulee", "continue")
)


def prescribed(world: World, codes: list[str], on: str = "2022-12-31", days: int | None = 30) -> int:
    who = world.person("1950-01")
    for code in codes:
        world.put("prescriptions", patient_no=who, atc=code, date=day(on), duration_days=days)
    return who


def counted(codes: list[str | None]) -> float:
    world = World()
    who = world.person("1950-01")
    for code in codes:
        world.put("prescriptions", patient_no=who, atc=code, date=ON, duration_days=30)
    with world.tables() as tables:
        return float(numbers(tables.prescriptions).execute()["substances"].sum())


@pytest.mark.parametrize(
    ("codes", "substances"),
    [
        (["C08CA01"], 1),
        (["C08CA01", "C08CA01"], 1),
        (["C09BB04"], 2),  # perindopril and amlodipine
        (["C09BB04", "C08CA01"], 2),
        (["C09BB04", "C08CA01", "C09AA04"], 2),
        (["C09BB04", "A10BD07"], 4),
        (["A10BD07", "A10BA02", "A10BH01", "N02BE01"], 3),
        (["J01CR02"], 1),  # clavulanic acid is no substance of its own
        (["J01CR02", "J01CA04"], 1),
        (["G03AA07", "R03AK07"], 4),  # their parts are not in the catalogue alone
        ([None], 0),
        ([None, "N02BE01"], 1),
        (PLAIN[:7], 7),
    ],
)
def test_combinations_count_as_their_substances(codes: list[str | None], substances: int) -> None:
    assert counted(codes) == substances


def test_every_code_of_the_catalogue_at_once() -> None:
    parts = {part for code in CODES for part in COMBINATIONS.get(code, (code,))}
    assert counted(list(CODES)) == len(parts)


def test_all_combinations_of_the_catalogue_are_split() -> None:
    """A label with "et" names a combination; vaccines and enzyme inhibitors are one substance."""
    labels = {code.code: code.label_fr for code in load_catalogue().code_systems["atc"].codes}
    several = {code for code, label in labels.items() if " et " in label and not code.startswith("J07")}
    assert several - set(COMBINATIONS) == {"N04BA02"}


def test_holders_of_a_catalogue_without_the_parts() -> None:
    assert holders([]) == {
        "A10BH01": {"A10BD07"},
        "C08CA01": {"C09BB04"},
        "G03CA01": {"G03AA07"},
        "R03BA02": {"R03AK07"},
    }


@pytest.mark.parametrize(("number", "five", "ten"), [(4, False, False), (5, True, False), (10, True, True)])
def test_five_and_ten_are_inside(number: int, five: bool, ten: bool) -> None:
    world = World()
    who = prescribed(world, PLAIN[:number])
    assert world.flags(CUMULATED)[who] == {"five": five, "ten": ten}


@pytest.mark.parametrize(
    ("on", "days", "current"),
    [
        ("2022-12-31", 1, True),
        ("2022-12-31", 0, False),
        ("2022-12-31", None, False),
        ("2022-12-02", 30, True),  # its thirtieth day is the 31st
        ("2022-12-01", 30, False),
        ("2023-01-01", 30, False),
        ("2022-01-01", 365, True),
    ],
)
def test_a_prescription_lasts_from_its_day(on: str, days: int | None, current: bool) -> None:
    world = World()
    who = prescribed(world, PLAIN[:5], on, days)
    assert world.flags(AT_ONCE)[who]["five"] is current


@pytest.mark.parametrize(
    ("on", "inside"), [("2022-10-01", True), ("2022-09-30", False), ("2023-01-01", False)]
)
def test_three_months_cumulate(on: str, inside: bool) -> None:
    world = World()
    who = prescribed(world, PLAIN[:5], on)
    assert world.flags(CUMULATED)[who]["five"] is inside


REGULAR = {
    "three days": (["2022-01-01", "2022-06-01", "2022-12-31"], "standard", True),
    "two days": (["2022-01-01", "2022-06-01"], "standard", False),
    "two large packs": (["2022-01-01", "2022-06-01"], "large", True),
    "three on two days": (["2022-01-01", "2022-06-01", "2022-06-01"], "standard", False),
    "one before the year": (["2021-12-31", "2022-06-01", "2022-07-01"], "standard", False),
    "two large packs on one day": (["2022-06-01", "2022-06-01"], "large", False),
}


@pytest.mark.parametrize(("days", "pack", "regular"), REGULAR.values(), ids=REGULAR)
def test_continuous_is_three_days_or_two_large_packs(days: list[str], pack: str, regular: bool) -> None:
    world = World()
    who = world.person("1950-01")
    for code in PLAIN[:5]:
        world.drug(who, code, *days, pack=pack)
    assert world.flags(CONTINUOUS)[who]["five"] is regular


def test_one_large_pack_and_one_standard_are_not_continuous() -> None:
    world = World()
    who = world.person("1950-01")
    for code in PLAIN[:5]:
        world.drug(who, code, "2022-01-01", pack="large")
        world.drug(who, code, "2022-06-01")
    assert world.flags(CONTINUOUS)[who]["five"] is False


def test_only_the_active_list_is_counted() -> None:
    world = World()
    gone = world.person("1950-01", seen="2020-01-01")
    for code in PLAIN[:5]:
        world.put("prescriptions", patient_no=gone, atc=code, date=ON, duration_days=30)
    assert world.flags(CUMULATED) == {}


def test_a_leap_day_is_a_day_like_any_other() -> None:
    world = World(on=date(2024, 2, 29))
    who = world.person("1950-01", seen="2024-02-29")
    for code in PLAIN[:5]:
        start = date(2024, 2, 29) - timedelta(days=29)
        world.put("prescriptions", patient_no=who, atc=code, date=start, duration_days=30)
    assert world.flags(AT_ONCE)[who]["five"] is True


def test_prescriptions_are_said_to_be_no_deliveries() -> None:
    for measure in polypharmacy.MEASURES:
        assert "ne sont pas des délivrances" in measure.limits_fr
