"""The adult schedule of diphtheria–tetanus–polio boosters, as rules on ages: the reference of `dtp`.

Boosters at 25, 45 and 65 years, then every 10 years. With n the next fixed age after today: if n - last is
more than 25 years (15 where n is after 65), a booster is due now, and if n - last is 5 years or less, the
next is that of n + 1, after a catch-up dose too (Calendrier des vaccinations et recommandations vaccinales,
ministère chargé de la santé; the 15 years are to be checked against the year's edition). No grace period: due
from the month of the birthday.

Ages are completed months of the calendar, month of birth to month of the dose. Pure.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# Ages after 105 are not asked for: a formula of a publication table has its limits.
FIXED_AGES: Final = (25, 45, 65, 75, 85, 95, 105)
_LATER: Final = (115, 125)
FIRST_AGE: Final = FIXED_AGES[0]
SPARED_YEARS: Final = 5  # a dose this long before a fixed age stands for it
LONGEST_YEARS: Final = 25
LONGEST_YEARS_AFTER_65: Final = 15
GRACE_MONTHS: Final = 0
MID_YEAR_MONTHS: Final = 6  # a dose of which the year alone is known is taken for one of July


class BoosterStatus(StrEnum):
    """Where an adult stands."""

    UP_TO_DATE = "up_to_date"
    DUE = "due"
    NOT_RECORDED = "not_recorded"


def next_fixed_age(months: int) -> int:
    """The first fixed age (years) that is still to come at an age in months; at a fixed age, the one
    after."""
    return next(age for age in (*FIXED_AGES, *_LATER) if 12 * age > months)


def booster_status(age: int, last_dose: int | None) -> BoosterStatus:
    """The status of somebody of `age` months, from 25 years on, whose last dose was at `last_dose` months."""
    if last_dose is None:
        return BoosterStatus.NOT_RECORDED
    following = next_fixed_age(age)
    longest = LONGEST_YEARS if following <= 65 else LONGEST_YEARS_AFTER_65
    if 12 * following - last_dose > 12 * longest:
        return BoosterStatus.DUE
    return BoosterStatus.UP_TO_DATE


def next_booster_age(last_dose: int) -> int:
    """The fixed age (years) of the booster after a dose at `last_dose` months: n, or n + 1 if n is too
    near."""
    following = next_fixed_age(last_dose)
    if 12 * following - last_dose > 12 * SPARED_YEARS:
        return following
    return next_fixed_age(12 * following)
