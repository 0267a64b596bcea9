"""Numbers, days and moments in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from hub_config.web.wording import day, moment, number

NARROW = "\u202f"


@pytest.mark.parametrize(
    ("value", "french", "english"),
    [
        (0, "0", "0"),
        (11, "11", "11"),
        (1306535, f"1{NARROW}306{NARROW}535", "1,306,535"),
        (-1234.5, f"-1{NARROW}234,5", "-1,234.5"),
    ],
)
def test_numbers(value: float, french: str, english: str) -> None:
    assert (number(value, "fr"), number(value, "en")) == (french, english)


def test_days() -> None:
    assert day(date(2026, 2, 3), "fr") == "03/02/2026"
    assert day(date(2026, 2, 3), "en") == "3 Feb 2026"


def test_a_moment_is_told_in_paris_time_in_summer_and_in_winter() -> None:
    assert moment(datetime(2026, 7, 1, 22, 5, tzinfo=UTC), "fr") == f"02/07/2026 à 0{NARROW}h{NARROW}05"
    assert moment(datetime(2026, 1, 1, 22, 5, tzinfo=UTC), "en") == "1 Jan 2026, 23:05"
    assert day(datetime(2026, 7, 1, 22, 5, tzinfo=UTC), "fr") == "02/07/2026"


def test_a_moment_without_a_zone_is_utc() -> None:
    assert moment(datetime(2026, 1, 1, 9, 0), "en") == "1 Jan 2026, 10:00"
