"""The active list and ages: each boundary by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from p4dp_sdk.indicators.errors import BadPeriodError
from p4dp_sdk.indicators.people import active_list, age_classes, aged, observed, reached
from tests.unit.indicators.clinical.little_world import ON, World, day


def members(world: World, which: Any, **options: Any) -> set[int]:
    with world.tables() as tables:
        return {int(number) for number in which(tables, world.on, **options).patient_id.execute()}


@pytest.mark.parametrize(
    ("seen", "active"),
    [("2022-12-31", True), ("2021-01-01", True), ("2020-12-31", False), ("2023-01-01", False)],
)
def test_a_contact_counts_for_24_months(seen: str, active: bool) -> None:
    world = World()
    who = world.person("1970-01", seen=seen)
    assert members(world, active_list) == ({who} if active else set())


def test_who_was_never_seen_is_not_active_but_observed() -> None:
    world = World()
    who = world.person("1970-01", seen=None)
    assert members(world, observed) == {who}
    assert members(world_again(seen=None), active_list) == set()


def world_again(**person: Any) -> World:
    world = World()
    world.person("1970-01", **person)
    return world


@pytest.mark.parametrize(
    ("died", "alive"), [("2022-11", False), ("2022-12", False), ("2023-01", True), (None, True)]
)
def test_who_died_this_month_is_not_alive(died: str | None, alive: bool) -> None:
    """Only the month of death is known."""
    assert bool(members(world_again(died=died), active_list)) is alive


@pytest.mark.parametrize(
    ("start", "end", "current"),
    [
        ("2022-12-31", "2022-12-31", True),
        ("2020-01-01", "2022-12-30", False),
        ("2023-01-01", "2030-01-01", False),
    ],
)
def test_observation_holds_on_its_first_and_last_day(start: str, end: str, current: bool) -> None:
    world = world_again()
    world.connection.execute("UPDATE observation_periods SET start_date = ?, end_date = ?", [start, end])
    assert bool(members(world, active_list)) is current


def test_a_change_of_software_is_a_gap() -> None:
    world = World(on=date(2022, 6, 15))
    who = world.person("1970-01", seen="2022-03-01")
    world.connection.execute("UPDATE observation_periods SET end_date = DATE '2022-05-31'")
    world.put("observation_periods", patient_no=who, start_date=day("2022-07-01"), end_date=day("2030-01-01"))
    assert members(world, active_list) == set()


def test_the_variant_of_the_declared_gp() -> None:
    world = World()
    own, other, silent = (world.person("1970-01") for _ in range(3))
    world.connection.execute("UPDATE patients SET registration = 'other' WHERE patient_no = ?", [other])
    world.connection.execute("UPDATE patients SET registration = NULL WHERE patient_no = ?", [silent])
    assert members(world, active_list, own_gp=True) == {own}


@pytest.mark.parametrize(
    ("born", "on", "old_enough"),
    [
        ("1972-12", ON, True),
        ("1973-01", ON, False),
        ("1972-12", date(2022, 12, 1), True),  # the month of the birthday, from its first day
        ("1972-12", date(2022, 11, 30), False),
        ("1974-02", date(2024, 2, 29), True),
        ("1974-03", date(2024, 2, 29), False),
    ],
)
def test_an_age_is_reached_on_the_first_of_the_month(born: str, on: date, old_enough: bool) -> None:
    world = World(on=on)
    world.person(born)
    with world.tables() as tables:
        patients = tables.patients
        found = patients.select(
            least=reached(patients.birth_month, 50, on), only=aged(patients.birth_month, 50, 50, on)
        ).execute()
    assert found["least"].tolist() == found["only"].tolist() == [old_enough]


def test_ages_from_50_to_74_hold_both_ends() -> None:
    world = World()
    people = [world.person(born) for born in ("1972-12", "1973-01", "1948-01", "1947-12", "1960-06")]
    unknown = world.person(None)
    with world.tables() as tables:
        patients = tables.patients
        inside = patients.filter(aged(patients.birth_month, 50, 74, ON)).patient_id.execute()
    assert set(inside) == {people[0], people[2], people[4]} and unknown not in set(inside)


def test_age_classes_never_overlap_and_leave_no_hole() -> None:
    """Old dashboards had 0-15, 16-60 and 60 and over."""
    world = World()
    for born in ("2022-12", "2013-01", "2012-12", "1933-01", "1932-12", None):
        world.person(born)
    with world.tables() as tables:
        patients = tables.patients.order_by("patient_id")
        classes = patients.select(band=age_classes(patients.birth_month, ON)).execute()["band"].tolist()
        edges = patients.select(band=age_classes(patients.birth_month, ON, [10])).execute()["band"].tolist()
    assert classes == ["00-09", "00-09", "10-19", "80-89", "90+", "non renseigné"]
    assert edges == ["00-09", "00-09", "10+", "10+", "10+", "non renseigné"]


def test_the_day_may_be_written_as_text() -> None:
    world = World()
    who = world.person("1970-01", seen="2022-12-31")
    with world.tables() as tables:
        assert active_list(tables, ON.isoformat()).patient_id.execute().tolist() == [who]
        with pytest.raises(BadPeriodError):
            active_list(tables, "31/12/2022")
