"""Working days between two dates, as the airlock counts them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from dateutil.easter import easter
from hypothesis import given
from hypothesis import strategies as st

from hub_config.airlock.rules.working_days import holidays, is_working, working_days


class TestWorkingDays:
    """Counted by hand on a calendar."""

    def test_the_eleven_holidays(self) -> None:
        assert sorted(holidays(2026)) == [
            date(2026, 1, 1),
            date(2026, 4, 6),
            date(2026, 5, 1),
            date(2026, 5, 8),
            date(2026, 5, 14),
            date(2026, 5, 25),
            date(2026, 7, 14),
            date(2026, 8, 15),
            date(2026, 11, 1),
            date(2026, 11, 11),
            date(2026, 12, 25),
        ]
        assert date(2008, 5, 1) in holidays(2008)  # Ascension and labour day on one: ten days
        assert len(holidays(2008)) == 10

    def test_easter_is_a_sunday(self) -> None:
        assert all(easter(year).weekday() == 6 for year in range(2020, 2060))

    @pytest.mark.parametrize(
        ("since", "until", "expected"),
        [
            ("2026-06-01", "2026-06-08", 5),  # Monday to Monday
            ("2026-06-05", "2026-06-08", 1),  # Friday to Monday
            ("2026-06-06", "2026-06-07", 0),
            ("2026-05-04", "2026-05-11", 4),  # 8 May
            ("2026-05-11", "2026-05-18", 4),  # Ascension
            ("2026-12-24", "2027-01-04", 5),  # Christmas, New Year
            ("2026-06-08", "2026-06-01", 0),
            ("2026-06-08", "2026-06-08", 0),
        ],
    )
    def test_counting(self, since: str, until: str, expected: int) -> None:
        assert working_days(date.fromisoformat(since), date.fromisoformat(until)) == expected

    @given(st.dates(date(2000, 1, 1), date(2099, 1, 1)), st.integers(0, 60), st.integers(0, 60))
    def test_days_add_up(self, since: date, one: int, more: int) -> None:
        middle, end = since + timedelta(days=one), since + timedelta(days=one + more)
        assert working_days(since, end) == working_days(since, middle) + working_days(middle, end)
        assert working_days(since, since + timedelta(days=1)) == is_working(since + timedelta(days=1))
