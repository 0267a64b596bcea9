"""The days an indicator looks at. Both ends are included; months go back to the same day of the month, or to
its last day where there is none (29 February)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from p4dp_sdk.indicators.errors import BadPeriodError

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Every(StrEnum):
    """The step of a series."""

    YEAR = "year"
    MONTH = "month"
    WEEK = "week"  # ISO weeks: they start on a Monday


@dataclass(frozen=True)
class Window:
    """From `start` to `end`, both included; no `start`: all that the record holds up to `end`.

    `end` is the reference date of whoever is counted as a patient: ages, the active list and every
    condition are as they were on that day.
    """

    start: date | None
    end: date

    def __post_init__(self) -> None:
        if self.start is not None and self.start > self.end:
            raise BadPeriodError(self.start, self.end)

    @classmethod
    def before(cls, on: date, months: int | None) -> Window:
        """The `months` up to and with `on`: 12 before 31 December 2022 start on 1 January 2022. `None`: all
        the record."""
        return cls(None if months is None else months_before(on, months) + timedelta(days=1), on)

    def holds(self, day: ir.DateColumn) -> ir.BooleanValue:
        """Whether `day` lies in the window; NULL, so false in a filter, where it is not known."""
        return day <= self.end if self.start is None else (day >= self.start) & (day <= self.end)


def months_before(on: date, months: int) -> date:
    """The same day `months` earlier, or the last of that month: 12 before 29 February 2024 is 28 February
    2023."""
    year, month = divmod(on.year * 12 + on.month - 1 - months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))


def years_until(on: date | str, years: int) -> tuple[date, date]:
    """The last `years` whole calendar years that have ended by `on`, for `between=`: five until 31 December
    2022 are those of 2018 to 2022; until 30 December 2022, of 2017 to 2021."""
    until = day(on)
    last = until.year if (until.month, until.day) == (12, 31) else until.year - 1
    if years < 1:
        raise BadPeriodError(until)
    return date(last - years + 1, 1, 1), date(last, 12, 31)


def day(value: date | str) -> date:
    """A date, also from "2022-12-31". Raises BadPeriodError for what is none."""
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadPeriodError(value) from None


def ends(between: Window, every: Every) -> tuple[date, ...]:
    """The last days of the years, months or weeks that end inside `between`."""
    first, last = between.start, between.end
    if first is None:
        raise BadPeriodError(last)
    found, current = [], _end_of(first, every)
    while current <= last:
        found.append(current)
        current = _end_of(current + timedelta(days=1), every)
    return tuple(found)


def _end_of(on: date, every: Every) -> date:
    """The last day of the period that holds `on`."""
    match every:
        case Every.YEAR:
            return date(on.year, 12, 31)
        case Every.MONTH:
            return date(on.year, on.month, monthrange(on.year, on.month)[1])
        case Every.WEEK:
            return on + timedelta(days=6 - on.weekday())
        case _:
            assert_never(every)
