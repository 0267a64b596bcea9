"""Screening: the ages, intervals and exclusions of each programme, at their borders."""

from __future__ import annotations

import pytest

from p4dp_sdk.indicators.clinical.screening import DEPISTAGE_COL, DEPISTAGE_COLORECTAL, DEPISTAGE_SEIN
from p4dp_sdk.indicators.measure import Measure
from tests.unit.indicators.clinical.little_world import World, day

ALL = (DEPISTAGE_SEIN, DEPISTAGE_COLORECTAL, DEPISTAGE_COL)


@pytest.mark.parametrize(
    ("measure", "too_young", "youngest", "oldest", "too_old"),
    [
        (DEPISTAGE_SEIN, "1973-01", "1972-12", "1948-01", "1947-12"),
        (DEPISTAGE_COLORECTAL, "1973-01", "1972-12", "1948-01", "1947-12"),
        (DEPISTAGE_COL, "1998-01", "1997-12", "1957-01", "1956-12"),
    ],
    ids=lambda value: value.id if isinstance(value, Measure) else None,
)
def test_ages(measure: Measure, too_young: str, youngest: str, oldest: str, too_old: str) -> None:
    world = World()
    world.person(too_young)
    inside = {world.person(youngest), world.person(oldest)}
    world.person(too_old)
    assert set(world.flags(measure)) == inside


def test_men_have_colorectal_screening_only() -> None:
    for measure, counted in ((DEPISTAGE_SEIN, False), (DEPISTAGE_COLORECTAL, True), (DEPISTAGE_COL, False)):
        world = World()
        man = world.person("1962-01", "M")
        assert (man in world.flags(measure)) is counted


@pytest.mark.parametrize(
    ("measure", "cancer"),
    [(DEPISTAGE_SEIN, "X76"), (DEPISTAGE_COLORECTAL, "D75"), (DEPISTAGE_COL, "X75")],
    ids=lambda value: value.id if isinstance(value, Measure) else None,
)
def test_a_cancer_before_excludes(measure: Measure, cancer: str) -> None:
    """Diagnosed or recalled, dated or not; not one that comes later, nor another."""
    world = World()
    diagnosed, recalled, undated, later, other = (world.person("1962-01") for _ in range(5))
    world.diagnosis(diagnosed, cancer, "1995-01-01")
    world.past(recalled, cancer, "2005-01-01")
    world.past(undated, cancer, None)
    world.diagnosis(later, cancer, "2023-01-01")
    world.diagnosis(other, "Y77", "2010-01-01")
    assert set(world.flags(measure)) == {later, other}


def test_a_mother_s_breast_cancer_excludes_nobody() -> None:
    world = World()
    daughter = world.person("1962-01")
    world.past(daughter, "X76", "2010-01-01", kind="family")
    assert daughter in world.flags(DEPISTAGE_SEIN)


def test_breast_within_24_months() -> None:
    world = World()
    before, first, last, after, other = (world.person("1962-01") for _ in range(5))
    for who, done in (
        (before, "2020-12-31"),
        (first, "2021-01-01"),
        (last, "2022-12-31"),
        (after, "2023-01-01"),
    ):
        world.procedure(who, "X41", done)
    world.procedure(other, "X37", "2022-01-01")
    assert world.met(DEPISTAGE_SEIN, "trace") == {first, last}


def test_no_trace_is_not_filtered_out() -> None:
    """The old card's 100 %: who has none stays in the denominator."""
    world = World()
    done, none = world.person("1962-01"), world.person("1962-01")
    world.procedure(done, "X41", "2022-01-01")
    assert world.flags(DEPISTAGE_SEIN) == {done: {"trace": True}, none: {"trace": False}}


@pytest.mark.parametrize(
    ("days", "met"),
    [
        ({"fit": "2020-12-31"}, False),
        ({"fit": "2021-01-01"}, True),
        ({"D40": "2017-12-31"}, False),
        ({"D40": "2018-01-01"}, True),
        ({"D36": "2022-06-01"}, False),
        ({"fit": "2020-01-01", "D40": "2020-01-01"}, True),
        ({}, False),
    ],
)
def test_colorectal_intervals(days: dict[str, str], met: bool) -> None:
    world = World()
    who = world.person("1962-01")
    for code, on in days.items():
        if code == "fit":
            world.result(who, code, on, None, "not_numeric")  # "négatif" is a test that was done
        else:
            world.procedure(who, code, on)
    assert world.flags(DEPISTAGE_COLORECTAL)[who]["trace"] is met


def test_colorectal_exclusions() -> None:
    """Polyp, inflammatory bowel disease, colorectal cancer in the family; not a relative's polyp."""
    world = World()
    polyp, bowel, family, relative = (world.person("1962-01") for _ in range(4))
    world.diagnosis(polyp, "D78", "2015-01-01")
    world.past(bowel, "D94", "2015-01-01")
    world.past(family, "D75", None, kind="family")
    world.past(relative, "D78", "2015-01-01", kind="family")
    assert set(world.flags(DEPISTAGE_COLORECTAL)) == {relative}


YOUNG, OLDER = "1995-06", "1985-06"  # 27 and 37 years


@pytest.mark.parametrize(
    ("born", "cytologies", "met"),
    [
        (YOUNG, [], False),
        (YOUNG, ["2022-01-01"], True),  # a first one, not a year ago
        (YOUNG, ["2021-12-31"], False),  # the second is due
        (YOUNG, ["2019-12-01", "2020-12-01"], True),  # two a year apart, then three years
        (YOUNG, ["2019-12-02", "2020-12-01"], False),  # a day less than a year apart
        (YOUNG, ["2020-02-29", "2021-02-28"], True),  # 29 February: a year later is the 28th
        (YOUNG, ["2017-12-01", "2019-12-31"], False),  # more than three years ago
        (YOUNG, ["2018-12-01", "2020-01-01"], True),
        (YOUNG, ["2018-06-01", "2021-06-01", "2021-07-01"], True),  # the first and the last count
        (OLDER, ["2020-01-01"], True),  # after 30 a cytology of three years still counts
        (OLDER, ["2019-12-31"], False),
        (OLDER, ["2020-06-01"], True),
    ],
)
def test_cytologies(born: str, cytologies: list[str], met: bool) -> None:
    world = World()
    who = world.person(born)
    world.procedure(who, "X37", *cytologies)
    assert world.flags(DEPISTAGE_COL)[who]["trace"] is met


@pytest.mark.parametrize(
    ("born", "tested", "met"),
    [
        (OLDER, "2018-01-01", True),
        (OLDER, "2017-12-31", False),
        ("1992-12", "2022-06-01", True),  # 30 years this month
        ("1993-01", "2022-06-01", False),  # 29: HPV is not for her
    ],
)
def test_hpv(born: str, tested: str, met: bool) -> None:
    world = World()
    who = world.person(born)
    world.result(who, "hpv", tested, 0.0)
    assert world.flags(DEPISTAGE_COL)[who]["trace"] is met


def test_before_2020_a_cytology_for_all() -> None:
    world = World(on=day("2019-12-31"))
    young, older, by_hpv = (world.person(born) for born in ("1992-06", "1985-06", "1985-06"))
    for who in (young, older):
        world.procedure(who, "X37", "2017-01-01")
    world.result(by_hpv, "hpv", "2019-06-01", 0.0)
    assert world.met(DEPISTAGE_COL, "trace") == {young, older}


@pytest.mark.parametrize("measure", ALL, ids=lambda measure: measure.id)
def test_gaps_are_named(measure: Measure) -> None:
    """What no code tells is said, not guessed."""
    named = {
        "depistage_sein": "mastectomie",
        "depistage_colorectal": "à vérifier",
        "depistage_col": "hystérectomie",
    }
    assert named[measure.id] in measure.limits_fr.lower()
    assert "registre du programme" in measure.limits_fr
