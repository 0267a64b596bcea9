"""IOTF cut-offs: as published, and worked out again from the authors' parameters."""

import csv
import os
from pathlib import Path

import pytest

from p4dp_sdk.catalogue.reference.iotf import (
    FIRST_MONTH,
    LAST_MONTH,
    Cutoffs,
    Lms,
    WeightStatus,
    cutoffs_from_lms,
    interpolated,
    load_cutoffs,
    weight_status,
    z_score,
)

LMS = Path(__file__).parents[3].parent / "shared" / "data" / "growth_iotf.csv"
PUBLISHED_OVERWEIGHT = {
    (72, "M"): 17.52,
    (72, "F"): 17.33,
    (120, "M"): 19.80,
    (120, "F"): 19.78,
    (180, "M"): 23.28,
    (180, "F"): 23.89,
    (216, "M"): 25.00,
    (216, "F"): 25.00,
}


@pytest.fixture(scope="module")
def parameters() -> dict[str, dict[int, Lms]]:
    """The authors' half-yearly parameters, of the shared data set. Missing in CI is a failure."""
    if not LMS.exists():
        message = f"{LMS.name} is not in {LMS.parent}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    by_sex: dict[str, dict[int, Lms]] = {"M": {}, "F": {}}
    with LMS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            sex = {"1": "M", "2": "F"}[row["sex"]]
            lms = Lms(float(row["L.bmi"]), float(row["M.bmi"]), float(row["S.bmi"]))
            by_sex[sex][round(float(row["years"]) * 12)] = lms
    return by_sex


@pytest.mark.parametrize(("month", "sex"), PUBLISHED_OVERWEIGHT)
def test_published_numbers(month: int, sex: str) -> None:
    assert round(load_cutoffs()[sex, month].overweight, 2) == PUBLISHED_OVERWEIGHT[month, sex]


def test_table_is_what_the_parameters_give(parameters: dict[str, dict[int, Lms]]) -> None:
    worked_out = {
        (sex, month): cutoffs_from_lms(by_month, month)
        for sex, by_month in parameters.items()
        for month in range(FIRST_MONTH, LAST_MONTH + 1)
    }
    assert load_cutoffs() == {
        key: Cutoffs(round(cut.overweight, 4), round(cut.obesity, 4)) for key, cut in worked_out.items()
    }


def test_a_month_between_lies_between() -> None:
    rows = {24: Lms(-1.0, 16.0, 0.08), 30: Lms(-2.0, 19.0, 0.11)}
    between = interpolated(rows, 26)
    assert (between.skewness, between.median, between.variation) == pytest.approx((-4 / 3, 17.0, 0.09))


def test_the_median_has_no_deviation() -> None:
    assert z_score(Lms(-1.5, 19.138, 0.13), 19.138) == 0


def test_each_limit_belongs_to_the_heavier_class() -> None:
    limits = load_cutoffs()["F", 120]
    assert weight_status("F", 120, limits.overweight - 0.0001) is WeightStatus.NORMAL
    assert weight_status("F", 120, limits.overweight) is WeightStatus.OVERWEIGHT
    assert weight_status("F", 120, limits.obesity - 0.0001) is WeightStatus.OVERWEIGHT
    assert weight_status("F", 120, limits.obesity) is WeightStatus.OBESE


@pytest.mark.parametrize(("sex", "month"), [("M", 23), ("M", 216), ("U", 100), ("", 100)])
def test_outside_the_table_there_is_no_class(sex: str, month: int) -> None:
    assert weight_status(sex, month, 40.0) is None


def test_months_matter() -> None:
    """A BMI of 17.6 is overweight in a boy of 6 years and 0 months, and not half a year later."""
    assert weight_status("M", 72, 17.6) is WeightStatus.OVERWEIGHT
    assert weight_status("M", 79, 17.6) is WeightStatus.NORMAL
