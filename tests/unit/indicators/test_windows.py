"""Windows and their ends: months, 29 February, series; and what an intern mistypes."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.indicators.errors import BadPeriodError
from p4dp_sdk.indicators.window import Every, Window, day, ends, months_before

D = date


@pytest.mark.parametrize(
    ("on", "months", "first"),
    [
        (D(2022, 12, 31), 12, D(2022, 1, 1)),
        (D(2022, 12, 31), 24, D(2021, 1, 1)),
        (D(2024, 2, 29), 12, D(2023, 3, 1)),
        (D(2025, 2, 28), 12, D(2024, 2, 29)),
        (D(2022, 3, 31), 1, D(2022, 3, 1)),
        (D(2022, 1, 15), 1, D(2021, 12, 16)),
        (D(2022, 5, 31), 3, D(2022, 3, 1)),
    ],
)
def test_months_look_back_to_the_same_day(on: date, months: int, first: date) -> None:
    assert Window.before(on, months) == Window(first, on)


def test_the_whole_record_has_no_start() -> None:
    assert Window.before(D(2022, 12, 31), None) == Window(None, D(2022, 12, 31))


@settings(max_examples=100)
@given(st.dates(D(1990, 1, 1), D(2050, 12, 31)), st.integers(0, 120), st.integers(0, 120))
def test_more_months_look_further_back(on: date, months: int, more: int) -> None:
    near, far = months_before(on, months), months_before(on, months + more)
    assert far <= near <= on
    assert (near.year * 12 + near.month) + months == on.year * 12 + on.month


@pytest.mark.parametrize(
    ("every", "first", "last", "expected"),
    [
        (Every.YEAR, D(2019, 1, 1), D(2021, 12, 31), [D(2019, 12, 31), D(2020, 12, 31), D(2021, 12, 31)]),
        (Every.YEAR, D(2019, 1, 1), D(2021, 12, 30), [D(2019, 12, 31), D(2020, 12, 31)]),
        (Every.MONTH, D(2020, 1, 15), D(2020, 3, 31), [D(2020, 1, 31), D(2020, 2, 29), D(2020, 3, 31)]),
        (Every.WEEK, D(2020, 12, 28), D(2021, 1, 10), [D(2021, 1, 3), D(2021, 1, 10)]),
        (Every.MONTH, D(2020, 1, 1), D(2020, 1, 30), []),
    ],
)
def test_a_series_has_the_periods_that_end_inside(
    every: Every, first: date, last: date, expected: list[date]
) -> None:
    assert list(ends(Window(first, last), every)) == expected


def test_weeks_end_on_sundays_and_follow_each_other() -> None:
    found = ends(Window(D(2018, 1, 1), D(2022, 12, 31)), Every.WEEK)
    assert {each.weekday() for each in found} == {6}
    assert {b - a for a, b in pairwise(found)} == {timedelta(days=7)}


def test_a_reversed_window_is_refused() -> None:
    with pytest.raises(BadPeriodError) as refusal:
        Window(D(2022, 2, 1), D(2022, 1, 1))
    assert "2022-02-01" in str(refusal.value) and "between=" in str(refusal.value)


@pytest.mark.parametrize("wrong", ["2022-02-30", "31/12/2022", "", None, 2022])
def test_what_is_no_date_is_refused(wrong: object) -> None:
    with pytest.raises(BadPeriodError):
        day(wrong)  # type: ignore[arg-type]


def test_a_date_may_be_written_as_text() -> None:
    assert day("2022-12-31") == day(D(2022, 12, 31)) == D(2022, 12, 31)
