"""Recording and exposure by hand: they are never mixed, and what is not recorded is no "no"."""

from __future__ import annotations

import pytest

from p4dp_sdk.indicators.registry import measures
from tests.unit.indicators.clinical.little_world import World, day

RECORDING, TOBACCO = measures()["dependance_mention"], measures()["exposition_tabac"]
NOT_SAID = {"known": False, "current": False, "former": False, "unknown": True}


def smoker(world: World, *mentions: tuple[str | None, str | None], kind: str = "tobacco") -> int:
    who = world.person("1980-01")
    for on, status in mentions:
        world.put("history", patient_no=who, kind=kind, status=status, date=on and day(on))
    return who


@pytest.mark.parametrize("status", ["current", "former", "no", "unknown", None])
def test_any_mention_is_recording(status: str | None) -> None:
    world = World()
    who = smoker(world, ("2020-01-01", status))
    assert world.flags(RECORDING)[who] == {"tobacco": True, "alcohol": False, "drugs": False}


EXPOSURE = {
    "current": ([("2020-01-01", "current")], "current"),
    "former": ([("2020-01-01", "former")], "former"),
    "no": ([("2020-01-01", "no")], None),
    "stopped since": ([("2020-01-01", "current"), ("2021-01-01", "former")], "former"),
    "began again": ([("2020-01-01", "former"), ("2021-01-01", "current")], "current"),
    "a later no": ([("2020-01-01", "current"), ("2021-01-01", "no")], None),
    "an empty mention says nothing": ([("2020-01-01", "current"), ("2022-01-01", "unknown")], "current"),
    "on one day, current first": ([("2020-01-01", "former"), ("2020-01-01", "current")], "current"),
    "on one day, former before no": ([("2020-01-01", "no"), ("2020-01-01", "former")], "former"),
    "on the date itself": ([("2022-12-31", "current")], "current"),
    "on a leap day": ([("2020-02-29", "current")], "current"),
}


@pytest.mark.parametrize(("mentions", "use"), EXPOSURE.values(), ids=EXPOSURE)
def test_the_last_mention_that_says_something_counts(
    mentions: list[tuple[str, str]], use: str | None
) -> None:
    world = World()
    who = smoker(world, *mentions)
    expected = {"known": True, "current": use == "current", "former": use == "former", "unknown": False}
    assert world.flags(TOBACCO)[who] == expected


@pytest.mark.parametrize(
    "mentions",
    [
        [],
        [("2020-01-01", "unknown")],
        [("2020-01-01", None)],
        [(None, "current")],
        [("2023-01-01", "current")],
    ],
    ids=["nothing", "not stated", "no status", "no date", "after the date"],
)
def test_what_is_not_said_is_a_class(mentions: list[tuple[str | None, str | None]]) -> None:
    world = World()
    who = smoker(world, *mentions)
    assert world.flags(TOBACCO)[who] == NOT_SAID


def test_substances_are_told_apart() -> None:
    world = World()
    who = smoker(world, ("2020-01-01", "current"), kind="alcohol")
    assert world.flags(TOBACCO)[who] == NOT_SAID
    again = World()
    drinker = smoker(again, ("2020-01-01", "current"), kind="alcohol")
    assert again.flags(measures()["exposition_alcool"])[drinker]["current"]


def test_a_history_of_disease_is_no_mention() -> None:
    world = World()
    who = world.person("1980-01")
    world.put("history", patient_no=who, kind="medical", status="active", date=day("2020-01-01"), cisp2="P17")
    assert not any(world.flags(RECORDING)[who].values())
