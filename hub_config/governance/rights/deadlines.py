"""When an answer is due. Pure.

GDPR art. 12(3): one month from receipt, and two further months where necessary, told with the reasons within
the first. Counted as Regulation (EEC, Euratom) 1182/71, art. 3, says, and the EDPB's guidelines 01/2022 on
the right of access (section 5.3): the period ends with the same date of the last month, or with its
last day where there is no such date; where that is a Saturday, a Sunday or a public holiday, with the next
working day.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

MONTHS: Final = 1
EXTENDED_MONTHS: Final = 3
SOON: Final = timedelta(days=7)


def due_on(received_on: date, *, extended: bool = False) -> date:
    """The last day to answer."""
    day = _months_later(received_on, EXTENDED_MONTHS if extended else MONTHS)
    while is_off(day):
        day += timedelta(days=1)
    return day


def _months_later(day: date, months: int) -> date:
    place = day.year * 12 + day.month - 1 + months
    year, month = place // 12, place % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def is_off(day: date) -> bool:
    """A Saturday, a Sunday, or a public holiday of metropolitan France (Code du travail, art. L3133-1)."""
    return day.weekday() >= 5 or day in set(_holidays(day.year))


def _holidays(year: int) -> Iterator[date]:
    for month, day in ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)):
        yield date(year, month, day)
    for after in (1, 39, 50):  # Easter Monday, Ascension, Whit Monday
        yield _easter(year) + timedelta(days=after)


def _easter(year: int) -> date:
    """The Gregorian computation of Easter Sunday (J. Meeus, Astronomical Algorithms, ch. 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), f = divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)
