"""The derived table `body_mass`: which measurements make a row, and its class at each boundary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any

import pytest

from hub_config.warehouse.snapshot import Building, Snapshot, check_snapshot
from p4dp_sdk.catalogue.reference.iotf import load_cutoffs

Build = Callable[..., Snapshot]
Rows = Callable[[Snapshot, str], list[tuple[Any, ...]]]
BORN = date(2004, 2, 1)
SEEN = date(2014, 2, 28)  # at 120 months
CUTS = load_cutoffs()


@dataclass(frozen=True)
class Measured:
    measure: str
    value: float | None
    unit: str = ""
    date: date = SEEN
    physician_no: int | None = 0
    dq_code: str | None = "ok"
    patient_no: int = 0
    centre_id: str = "C1"


def weight(value: float | None, **more: Any) -> Measured:
    return Measured("weight", value, **{"unit": "kg", **more})


def height(value: float | None, **more: Any) -> Measured:
    return Measured("height", value, **{"unit": "cm", **more})


def filled(*rows: Measured, sex: str | None = "F", born: date | None = BORN) -> Callable[[Building], None]:
    """One patient with these measurements."""

    def fill(building: Building) -> None:
        run = building.connection.execute
        run(
            "INSERT INTO patients BY NAME SELECT 0 AS patient_no, 0 AS physician_no, ? AS sex, "
            "CAST(? AS DATE) AS birth_month",
            [sex, born],
        )
        names = ("measure", "value", "unit", "date", "physician_no", "dq_code", "patient_no", "centre_id")
        for row in rows:
            columns = ", ".join(f"? AS {name}" for name in names)
            run(f"INSERT INTO biometrics BY NAME SELECT {columns}", list(astuple(row)))

    return fill


def test_weight_and_height_of_one_day_make_a_row(build: Build, rows: Rows) -> None:
    snapshot = build(filled(weight(32.0), height(140.0), Measured("bmi", 99.0, "kg/m2")))
    assert rows(snapshot, "SELECT * EXCLUDE weight_status FROM body_mass") == [
        (0, 0, "C1", SEEN, 32.0, 140.0, 16.326531, 120)
    ]
    assert snapshot.manifest.rows["body_mass"] == 1
    check_snapshot(snapshot)


@pytest.mark.parametrize(
    "others",
    [
        [height(140.0, date=date(2014, 2, 27))],
        [height(None)],
        [height(140.0, dq_code="copied_value")],
        [height(140.0, physician_no=1)],
        [height(1.4, unit="m")],
        [height(0.0)],
        [height(24.0)],
        [height(300.0)],
        [],
    ],
    ids=str,
)
def test_no_row_without_a_valid_partner(build: Build, rows: Rows, others: list[Measured]) -> None:
    """Of another day, set aside, doubted, of another GP, in another unit, or of no body."""
    assert rows(build(filled(weight(32.0), *others)), "FROM body_mass") == []


def test_what_the_quality_rule_put_right_counts(build: Build, rows: Rows) -> None:
    """51 kg and 1.55 "cm", published as a BMI of 212,278: once harmonised, 21.2 and not overweight."""
    harmonised = height(155.0, dq_code="height_in_metres")
    teenager = filled(weight(51.0), harmonised, born=date(2000, 1, 1))
    found = rows(build(teenager), "SELECT round(bmi, 1), age_months, weight_status FROM body_mass")
    assert found == [(21.2, 169, "normal")]


def test_of_several_on_a_day_the_median_counts(build: Build, rows: Rows) -> None:
    several = [weight(30.0), weight(90.0), weight(32.0), height(138.0), height(142.0)]
    assert rows(build(filled(*several)), "SELECT weight, height FROM body_mass") == [(32.0, 140.0)]


def test_a_missing_gp_stays_missing(build: Build, rows: Rows) -> None:
    snapshot = build(filled(weight(32.0, physician_no=None), height(140.0, physician_no=None)))
    assert rows(snapshot, "SELECT physician_no FROM body_mass") == [(None,)]


@pytest.mark.parametrize(
    ("seen", "months"),
    [
        (date(2006, 1, 31), 23),
        (date(2006, 2, 1), 24),
        (date(2008, 2, 29), 48),
        (date(2004, 2, 1), 0),
        (date(2004, 1, 31), None),
    ],
)
def test_ages_are_whole_months_of_the_calendar(
    build: Build, rows: Rows, seen: date, months: int | None
) -> None:
    snapshot = build(filled(weight(12.0, date=seen), height(85.0, date=seen)))
    assert rows(snapshot, "SELECT age_months FROM body_mass") == [(months,)]


def status_at(build: Build, rows: Rows, months: int, bmi: float, sex: str | None = "F") -> str | None:
    """The class of somebody one metre tall: the weight is the BMI."""
    seen = date(2004 + (months + 1) // 12, (months + 1) % 12 + 1, 28)
    given = filled(weight(bmi, date=seen), height(100.0, date=seen), sex=sex)
    ((age, status),) = rows(build(given), "SELECT age_months, weight_status FROM body_mass")
    assert age == months
    return None if status is None else str(status)


@pytest.mark.parametrize("sex", ["F", "M"])
@pytest.mark.parametrize("months", [24, 120, 215])
def test_children_are_classed_by_the_iotf(build: Build, rows: Rows, sex: str, months: int) -> None:
    cut = CUTS[(sex, months)]
    assert status_at(build, rows, months, cut.overweight - 0.0002, sex) == "normal"
    assert status_at(build, rows, months, cut.overweight, sex) == "overweight"
    assert status_at(build, rows, months, cut.obesity - 0.0002, sex) == "overweight"
    assert status_at(build, rows, months, cut.obesity, sex) == "obese"


@pytest.mark.parametrize(
    ("bmi", "status"),
    [(18.4999, "underweight"), (18.5, "normal"), (24.9999, "normal"), (25.0, "overweight"), (30.0, "obese")],
)
def test_adults_are_classed_by_the_who_whatever_their_sex(
    build: Build, rows: Rows, bmi: float, status: str
) -> None:
    assert status_at(build, rows, 216, bmi) == status
    assert status_at(build, rows, 216, bmi, sex=None) == status


def test_no_class_before_two_years_nor_of_unknown_age_or_sex(build: Build, rows: Rows) -> None:
    assert status_at(build, rows, 23, 30.0) is None
    assert status_at(build, rows, 120, 30.0, sex=None) is None
    unknown = build(filled(weight(32.0), height(140.0), born=None))
    assert rows(unknown, "SELECT age_months, weight_status FROM body_mass") == [(None, None)]


def test_nobody_measured_makes_an_empty_table(build: Build, rows: Rows) -> None:
    assert rows(build(), "FROM body_mass") == []
