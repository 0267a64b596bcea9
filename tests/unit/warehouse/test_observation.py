"""Observation periods as a snapshot keeps them: bounded by the month of death and by the data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from hub_config.warehouse.snapshot import Building, Snapshot

Build = Callable[..., Snapshot]
Rows = Callable[[Snapshot, str], list[tuple[Any, ...]]]


def kept(build: Build, rows: Rows, *, death: str | None, start: str, end: str, reason: str) -> Any:
    """What becomes of one period, in a snapshot whose data end on 2020-01-01."""

    def fill(building: Building) -> None:
        run = building.connection.execute
        run(
            "INSERT INTO patients BY NAME SELECT 0 AS patient_no, 0 AS physician_no, "
            "CAST(? AS DATE) AS death_month",
            [death],
        )
        run(
            "INSERT INTO observation_periods BY NAME SELECT 0 AS patient_no, 0 AS physician_no, "
            "CAST(? AS DATE) AS start_date, CAST(? AS DATE) AS end_date, ? AS end_reason",
            [start, end, reason],
        )

    found = rows(build(fill), "SELECT end_date, end_reason FROM observation_periods")
    return found[0] if found else None


@pytest.mark.parametrize(
    ("death", "end", "reason", "expected"),
    [
        (None, "2018-05-10", "inactive", ("2018-05-10", "inactive")),
        ("2018-05-01", "2018-05-10", "inactive", ("2018-05-10", "death")),  # closed in the month: believed
        ("2018-05-01", "2018-05-01", "inactive", ("2018-05-01", "death")),
        ("2018-02-01", "2019-06-30", "last_export", ("2018-02-28", "death")),  # it was not closed
        ("2018-05-01", "2018-04-30", "inactive", ("2018-04-30", "inactive")),  # death was not observed
        (None, "2020-01-01", "withdrawal", ("2020-01-01", "withdrawal")),
        (None, "2020-06-30", "inactive", ("2020-01-01", "last_export")),  # the data end before
        ("2020-01-01", "2020-06-30", "inactive", ("2020-01-01", "death")),
        ("2020-02-01", "2020-06-30", "inactive", ("2020-01-01", "last_export")),
    ],
)
def test_a_period_ends_with_life_and_with_the_data(
    build: Build, rows: Rows, death: str | None, end: str, reason: str, expected: tuple[str, str]
) -> None:
    found = kept(build, rows, death=death, start="2015-01-01", end=end, reason=reason)
    assert found == (date.fromisoformat(expected[0]), expected[1])


@pytest.mark.parametrize(
    ("start", "stays"), [("2018-05-31", True), ("2018-06-01", False), ("2020-02-01", False)]
)
def test_what_starts_after_either_is_no_observation(
    build: Build, rows: Rows, start: str, stays: bool
) -> None:
    found = kept(build, rows, death="2018-05-01", start=start, end="2021-01-01", reason="inactive")
    assert (found == (date(2018, 5, 31), "death")) if stays else found is None
