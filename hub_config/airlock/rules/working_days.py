"""Working days in France, for reminders and ages: Monday to Friday, but for the public holidays. Pure.

The eleven days are those of article L. 3133-1 of the French labour code; the two more of Alsace-Moselle and
those of overseas are not counted.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Final

from dateutil.easter import easter  # type: ignore[import-untyped]

_FIXED: Final = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_AFTER_EASTER: Final = (1, 39, 50)  # Easter Monday, Ascension, Whit Monday: days after Easter Sunday


@cache
def holidays(year: int) -> frozenset[date]:
    """The public holidays of that year."""
    sunday: date = easter(year)
    moving = (sunday + timedelta(days=days) for days in _AFTER_EASTER)
    return frozenset((*(date(year, month, day) for month, day in _FIXED), *moving))


def is_working(day: date) -> bool:
    return day.weekday() < 5 and day not in holidays(day.year)


def working_days(since: date, until: date) -> int:
    """How many working days have ended since that day, which is not counted; `until` is. 0 backwards."""
    days = (since + timedelta(days=n) for n in range(1, (until - since).days + 1))
    return sum(is_working(day) for day in days)
