"""IOTF cut-offs of the body mass index: overweight and obesity of children, by sex and month of age.

The International Obesity Task Force draws, for each sex, the centile curve that passes a BMI of 25
(overweight) or 30 (obesity) at 18 years (Cole TJ, Lobstein T. Extended international (IOTF) body mass index
cut-offs for thinness, overweight and obesity. Pediatr Obes 2012;7:284-94). `iotf_cutoffs.csv` holds those two
curves at each completed month from 2.00 to 18.00 years, to 4 decimals: worked out from the authors' LMS
parameters at half-years, linear in each between them (`cutoffs_from_lms`). The tests work them out anew.

Pure: reads package data only. A month or sex outside the table has no cut-off, and so no class.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

FIRST_MONTH = 24
LAST_MONTH = 216  # 18.00 years: adults from here on
OVERWEIGHT_AT_18 = 25.0
OBESITY_AT_18 = 30.0


class WeightStatus(StrEnum):
    """What a child's BMI says, thinness left with the normal."""

    NORMAL = "normal"
    OVERWEIGHT = "overweight"
    OBESE = "obese"


@dataclass(frozen=True)
class Lms:
    """Cole's parameters at one age: skewness, median and coefficient of variation."""

    skewness: float
    median: float
    variation: float


@dataclass(frozen=True)
class Cutoffs:
    """The least BMI (kg/m²) that is overweight, and the least that is obesity, in one month of age."""

    overweight: float
    obesity: float


def z_score(lms: Lms, bmi: float) -> float:
    """How many standard deviations a BMI lies from the median: ((BMI/M)^L - 1) / (L S). L is never 0 here."""
    return float((bmi / lms.median) ** lms.skewness - 1) / (lms.skewness * lms.variation)


def cutoff(at_age: Lms, at_18: Lms, bmi_at_18: float) -> float:
    """The BMI at an age that is on the same centile as `bmi_at_18` is at 18 years: M (1 + L S z)^(1/L)."""
    z = z_score(at_18, bmi_at_18)
    base = 1 + at_age.skewness * at_age.variation * z
    return float(at_age.median * base ** (1 / at_age.skewness))


def interpolated(by_month: Mapping[int, Lms], month: int) -> Lms:
    """The parameters at a month between two tabulated ones, linear in each of L, M and S."""
    if month in by_month:
        return by_month[month]
    before, after = max(m for m in by_month if m < month), min(m for m in by_month if m > month)
    share = (month - before) / (after - before)
    low, high = by_month[before], by_month[after]
    return Lms(
        skewness=_between(low.skewness, high.skewness, share),
        median=_between(low.median, high.median, share),
        variation=_between(low.variation, high.variation, share),
    )


def cutoffs_from_lms(by_month: Mapping[int, Lms], month: int) -> Cutoffs:
    """Both cut-offs of one sex at a month of age, from that sex's parameters."""
    at_age, at_18 = interpolated(by_month, month), by_month[LAST_MONTH]
    return Cutoffs(cutoff(at_age, at_18, OVERWEIGHT_AT_18), cutoff(at_age, at_18, OBESITY_AT_18))


@cache
def load_cutoffs() -> Mapping[tuple[str, int], Cutoffs]:
    """Every cut-off, by the catalogue's code of the sex ("M", "F") and completed months of age."""
    with (files(__package__) / "iotf_cutoffs.csv").open(encoding="utf-8") as file:
        rows = {
            (row["sex"], int(row["age_months"])): Cutoffs(float(row["overweight"]), float(row["obesity"]))
            for row in csv.DictReader(file)
        }
    return MappingProxyType(rows)


def weight_status(sex: str, age_months: int, bmi: float) -> WeightStatus | None:
    """The class of a child of 2.00 to 17.99 years; None at other ages and where the sex is unknown."""
    limits = load_cutoffs().get((sex, age_months))
    if limits is None or age_months >= LAST_MONTH:
        return None
    if bmi >= limits.obesity:
        return WeightStatus.OBESE
    return WeightStatus.OVERWEIGHT if bmi >= limits.overweight else WeightStatus.NORMAL


def _between(low: float, high: float, share: float) -> float:
    return low + share * (high - low)
