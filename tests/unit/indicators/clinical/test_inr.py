"""INR: which values count, the share of patients outside of the target, and the time in range."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.indicators.clinical.inr_measures import INR, INR_CIBLE_INCONNUE, INR_TTR
from p4dp_sdk.indicators.clinical.rosendaal import LONGEST_DAYS, time_in_range
from tests.unit.indicators.clinical.little_world import World, day

WARFARIN, RIVAROXABAN = "B01AA03", "B01AF01"
MONTHS = tuple(f"2022-{month:02}-01" for month in range(1, 13))


def on_warfarin(world: World, *days: str) -> int:
    """Treated since 2019, with a prescription each month of 2022."""
    who = world.person("1940-01")
    world.drug(who, WARFARIN, "2019-01-01", *(days or MONTHS))
    return who


def inrs(world: World, who: int, *values: float, first: str = "2022-02-10", every: int = 28) -> None:
    for place, value in enumerate(values):
        world.result(who, "inr", (day(first) + timedelta(days=every * place)).isoformat(), value)


@pytest.mark.parametrize(
    ("values", "outside"),
    [
        ((2.0, 2.5, 3.0), False),  # both limits are inside
        ((1.99, 2.5, 2.5), True),  # a third
        ((3.01, 2.5, 2.5, 2.5), False),  # a quarter
        ((3.5, 3.5, 3.5, 2, 2, 2, 2, 2, 2, 2), True),  # 3 of 10: 30 % is enough
        ((3.5, 3.5, 2, 2, 2, 2, 2, 2, 2, 2), False),
    ],
)
def test_share_of_patients(values: tuple[float, ...], outside: bool) -> None:
    world = World()
    who = on_warfarin(world)
    inrs(world, who, *values)
    assert world.flags(INR)[who] == {"followed": True, "outside": outside, "missing": False}


def test_three_values_are_needed() -> None:
    world = World()
    two, three = on_warfarin(world), on_warfarin(world)
    inrs(world, two, 1.0, 5.0)
    inrs(world, three, 2.5, 2.5, 2.5)
    assert world.met(INR, "followed") == {three}


@pytest.mark.parametrize(
    ("third", "dq_code", "counts"),
    [
        (None, "inr_out_of_range", False),  # 0.00 and 0.23, set aside
        (0.49, "ok", False),
        (0.5, "ok", True),
        (20.0, "ok", True),
        (20.1, "ok", False),
    ],
)
def test_valid_values(third: float | None, dq_code: str, counts: bool) -> None:
    world = World()
    who = on_warfarin(world)
    inrs(world, who, 2.5, 2.5)
    world.result(who, "inr", "2022-09-01", third, dq_code)
    assert world.flags(INR)[who]["followed"] is counts


def test_values_of_one_day_are_one() -> None:
    world = World()
    who = on_warfarin(world)
    inrs(world, who, 2.5, 2.5)
    world.result(who, "inr", "2022-02-10", 2.7)
    assert world.flags(INR)[who]["missing"]


def test_of_several_values_of_one_day_the_mean_counts() -> None:
    world = World()
    inside, outside = on_warfarin(world), on_warfarin(world)
    for who, second in ((inside, 3.3), (outside, 3.7)):
        inrs(world, who, 2.5, 2.5, 2.5)
        world.result(who, "inr", "2022-02-10", second)
    assert world.met(INR, "outside") == {outside}


def test_no_anticoagulant_no_inr() -> None:
    """INR of about 1.0 at 24 to 29 years; and a direct anticoagulant, which INR does not follow."""
    world = World()
    young, direct = world.person("1995-01"), world.person("1940-01")
    world.drug(direct, RIVAROXABAN, *MONTHS)
    for who in (young, direct):
        inrs(world, who, 1.0, 1.0, 1.0)
    assert world.flags(INR) == {}


@pytest.mark.parametrize(("since", "counts"), [(90, True), (91, False), (0, True), (-1, False)])
def test_prescribed_in_the_90_days_before(since: int, counts: bool) -> None:
    last = day("2022-12-01")
    prescribed = (last - timedelta(days=since)).isoformat()
    world = World()
    who = on_warfarin(world, "2022-01-01", prescribed)
    for on in ("2022-01-10", "2022-02-10", last.isoformat()):
        world.result(who, "inr", on, 2.5)
    assert world.flags(INR)[who]["followed"] is counts


@pytest.mark.parametrize(("weeks_8", "counts"), [(55, False), (56, True)])
def test_the_first_8_weeks_are_skipped(weeks_8: int, counts: bool) -> None:
    start = day("2022-03-01")
    world = World()
    who = world.person("1940-01")
    world.drug(who, WARFARIN, *MONTHS[2:])
    for days in (10, weeks_8, 80, 100):
        world.result(who, "inr", (start + timedelta(days=days)).isoformat(), 2.5)
    assert world.flags(INR)[who]["followed"] is counts


def test_both_ends_of_the_12_months() -> None:
    world = World()
    inside, before, after = (on_warfarin(world, "2021-11-01", *MONTHS) for _ in range(3))
    for who, first, last in (
        (inside, "2022-01-01", "2022-12-31"),
        (before, "2021-12-31", "2022-12-31"),
        (after, "2022-01-01", "2023-01-01"),
    ):
        for on in (first, "2022-06-10", last):
            world.result(who, "inr", on, 2.5)
    assert world.met(INR, "followed") == {inside}


def test_a_treatment_that_ended_a_year_ago_is_none() -> None:
    world = World()
    old, new = on_warfarin(world, "2021-12-31"), on_warfarin(world, "2022-01-01")
    assert set(world.flags(INR)) == {new} and old != new


def test_a_valve_disease_has_an_unknown_target() -> None:
    for measure, condition, expected in ((INR, "followed", {3}), (INR_CIBLE_INCONNUE, "unknown", {1, 2})):
        world = World()
        valve, recalled, plain = (on_warfarin(world) for _ in range(3))
        world.diagnosis(valve, "K83", "2020-01-01")
        world.past(recalled, "K83", None)
        for who in (valve, recalled, plain):
            inrs(world, who, 2.5, 2.5, 2.5)
        assert world.met(measure, condition) == expected


# --- time in range --------------------------------------------------------------------------------------


def by_hand(values: Sequence[tuple[date, float]], low: float = 2.0, high: float = 3.0) -> float | None:
    """Interval by interval, by cases: the reference, which shares nothing with the code."""
    inside = observed = 0.0
    for (first, start), (second, end) in pairwise(values):
        days = (second - first).days
        if days > 56:
            continue
        observed += days
        if start == end:
            inside += days if low <= start <= high else 0
            continue
        bottom, top = min(start, end), max(start, end)
        inside += days * max(0.0, min(top, high) - max(bottom, low)) / (top - bottom)
    return inside / observed if observed else None


def shares(values: dict[int, Sequence[tuple[date, float]]]) -> dict[int, float]:
    rows = [(who, on, value) for who, each in values.items() for on, value in each]
    frame = pd.DataFrame(rows, columns=["patient_id", "date", "value"])
    table = ibis.memtable(frame, schema={"patient_id": "int64", "date": "date", "value": "float64"})
    answer = time_in_range(table, 2, 3).execute()
    return dict(zip(answer.patient_id.astype(int), answer.share.astype(float), strict=True))


@pytest.mark.parametrize(
    ("steps", "share"),
    [
        ([(0, 2.0), (10, 3.0)], 1.0),
        ([(0, 2.0), (10, 2.0)], 1.0),  # flat, on the limit
        ([(0, 3.0), (10, 3.0)], 1.0),
        ([(0, 3.2), (10, 3.2)], 0.0),
        ([(0, 1.0), (10, 2.0)], 0.0),  # arrives on the last day only
        ([(0, 1.0), (10, 3.0)], 0.5),
        ([(0, 3.0), (10, 1.0)], 0.5),
        ([(0, 1.5), (28, 3.5)], 0.5),  # crosses both limits
        ([(0, 4.0), (10, 5.0)], 0.0),
        ([(0, 1.0), (10, 3.0), (30, 3.0)], 25 / 30),
        ([(0, 2.5), (56, 2.5)], 1.0),
        ([(0, 1.0), (28, 1.0), (85, 2.5), (113, 2.5)], 0.5),  # 57 days are not joined
    ],
)
def test_published_cases(steps: list[tuple[int, float]], share: float) -> None:
    days = [(date(2022, 1, 1) + timedelta(days=step), value) for step, value in steps]
    assert shares({1: days})[1] == pytest.approx(share)
    assert by_hand(days) == pytest.approx(share)


def test_values_too_far_apart_give_none() -> None:
    assert shares({1: [(date(2022, 1, 1), 2.5), (date(2022, 2, 27), 2.5)]}) == {}
    assert LONGEST_DAYS == 56


VISITS = st.lists(
    st.tuples(st.integers(1, 80), st.integers(5, 60).map(lambda tenths: tenths / 10)), min_size=1, max_size=8
)


@settings(max_examples=15, deadline=None)
@given(people=st.lists(VISITS, min_size=1, max_size=6))
def test_as_by_hand(people: list[list[tuple[int, float]]]) -> None:
    values = {}
    for who, visits in enumerate(people):
        on, each = date(2022, 1, 1), []
        for gap, value in visits:
            on += timedelta(days=gap)
            each.append((on, value))
        values[who] = each
    expected = {who: share for who, each in values.items() if (share := by_hand(each)) is not None}
    assert shares(values) == pytest.approx(expected)


def test_classes_of_time_in_range() -> None:
    """Three values 28 days apart: 2.5, then to 3.5 and back, and so on."""
    world = World()
    always, half, never, sparse = (on_warfarin(world) for _ in range(4))
    inrs(world, always, 2.5, 2.5, 2.5)
    inrs(world, half, 2.5, 3.5, 2.5)
    inrs(world, never, 4.0, 4.0, 4.0)
    inrs(world, sparse, 2.5, 2.5, 2.5, every=60)
    flags = world.flags(INR_TTR)
    names = ("under_50", "from_65", "from_70", "missing")
    assert {who: [name for name in names if said[name]] for who, said in flags.items()} == {
        always: ["from_65", "from_70"],
        half: [],
        never: ["under_50"],
        sparse: ["missing"],
    }
