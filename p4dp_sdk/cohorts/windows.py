"""Spans of time, and windows around the index date. Every window of a cohort is relative to the index.

Months and years are the calendar's: 12 months before 29 February 2020 is 28 February 2019 (the last day of
the month where the day does not exist, as DuckDB, PostgreSQL and Spark count). Bounds are inclusive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, assert_never

from p4dp_sdk.cohorts.errors import CohortError
from p4dp_sdk.wire.messages import N_

if TYPE_CHECKING:
    import ibis.expr.types as ir

MAX_MONTHS: Final = 1_200
MAX_DAYS: Final = 36_525


@dataclass(frozen=True)
class Span:
    """A length of time: whole months, or days. `months(12)` and `years(1)` are one."""

    months: int = 0
    days: int = 0

    @property
    def longest_days(self) -> int:
        """The most days that it can be."""
        return self.days + -(-self.months * 1461 // 48)

    @property
    def shortest_days(self) -> int:
        """The fewest days that whole years can be; for other spans, about that."""
        return self.days + self.months * 1461 // 48

    def after(self, day: ir.DateValue) -> ir.DateValue:
        return day + self._interval()

    def before(self, day: ir.DateValue) -> ir.DateValue:
        return day - self._interval()

    def _interval(self) -> Any:
        import ibis

        return ibis.interval(months=self.months) if self.months else ibis.interval(days=self.days)


class Ever(Enum):
    """No limit on one side: the whole record before the index, or the whole follow-up after it."""

    EVER = "ever"


EVER: Final = Ever.EVER
Reach = Span | Ever


def years(count: int) -> Span:
    """`count` calendar years. Raises CohortError unless it is a positive whole number."""
    return months(12 * count)


def months(count: int) -> Span:
    """`count` calendar months. Raises CohortError unless it is a positive whole number."""
    return Span(months=_whole(count, MAX_MONTHS))


def weeks(count: int) -> Span:
    """`count` times seven days. Raises CohortError unless it is a positive whole number."""
    return days(7 * count)


def days(count: int) -> Span:
    """`count` days. Raises CohortError unless it is a positive whole number."""
    return Span(days=_whole(count, MAX_DAYS))


def _whole(count: int, most: int) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= most:
        raise CohortError(
            N_("This length of time can't be used: {count}."),
            N_("A window is a whole number of days, weeks, months or years, from 1 up to a lifetime."),
            N_("For example: months(12), days(90)."),
            count=count,
        )
    return count


def reach(value: object, argument: str) -> Reach:
    """What a person gave as `before=` or `after=`: a span, or True for "as far as there is".

    Raises CohortError for anything else: a bare number has no unit.
    """
    match value:
        case Span() | Ever():
            return value
        case True:
            return EVER
        case _:
            raise CohortError(
                N_("The window “{argument}” is not understood."),
                N_("A bare number has no unit: 12 could be days or months."),
                N_("Write {argument}=months(12), {argument}=days(90), or {argument}=True for no limit."),
                argument=argument,
            )


@dataclass(frozen=True)
class Window:
    """From `before` the index to `after` it. Without `after` it ends at the index date (`with_index`: that
    day included); without `before` it starts on the day after it."""

    before: Reach | None = None
    after: Reach | None = None
    with_index: bool = True

    @property
    def looks_ahead(self) -> bool:
        return self.after is not None

    def holds(self, day: ir.DateValue, index: ir.DateValue, ends: Iterable[ir.DateValue]) -> list[Any]:
        """The conditions, all of which must hold. What comes after the exit, which is the first of `ends`,
        was not observed: it does not count."""
        after = [day <= end for end in ends] if self.looks_ahead else []
        return [*self._start(day, index), *self._end(day, index), *after]

    def _start(self, day: ir.DateValue, index: ir.DateValue) -> list[Any]:
        match self.before:
            case None:
                return [day > index]
            case Span() as span:
                return [day >= span.before(index)]
            case Ever():
                return []
            case _:
                assert_never(self.before)

    def _end(self, day: ir.DateValue, index: ir.DateValue) -> list[Any]:
        match self.after:
            case None:
                return [day <= index if self.with_index else day < index]
            case Span() as span:
                return [day <= span.after(index)]
            case Ever():
                return []
            case _:
                assert_never(self.after)


BEFORE_INDEX: Final = Window(before=EVER, with_index=False)
