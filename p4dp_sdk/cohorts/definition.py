"""A cohort as data: what was written, in the order written, and nothing computed.

Frozen; knows neither a workspace nor an engine. `compile` makes one Ibis relation of it, `prose` a methods
section, `fingerprint` a hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.cohorts.events import Events
from p4dp_sdk.cohorts.windows import Reach, Span, Window

if TYPE_CHECKING:
    import ibis.expr.types as ir

Test = Callable[["ir.Table"], Any]  # a row of the cohort so far → a condition
DEATH = "death"
_A_YEAR: Final = 12  # months


class Occurrence(StrEnum):
    """Which of a patient's events give an index date."""

    FIRST = "first"  # the first one on record, whenever it was
    LAST = "last"
    ANY = "any"  # each day with one: several index dates a patient


class Summary(StrEnum):
    """What a variable says of the events in its window. A day counts once: its value is the mean of that
    day's values (for codes, the last in the order of the codes)."""

    FIRST = "first"
    LAST = "last"
    NEAREST = "nearest"  # to the index date; the earlier of two at one distance
    COUNT = "count"  # of days with an event
    ANY = "any"
    MEAN = "mean"
    SLOPE = "slope"  # least squares, per year of 365.25 days; two days at least
    STATUS = "status"  # a coded column at the last event


@dataclass(frozen=True)
class Index:
    which: Occurrence
    events: Events


@dataclass(frozen=True)
class EventCriterion:
    """Keeps (or drops) whoever has one of `events` in `window`."""

    name: str
    keeps: bool
    events: Events
    window: Window


@dataclass(frozen=True)
class RowCriterion:
    """Keeps (or drops) the rows for which `test` is true; unknown is not true."""

    name: str
    keeps: bool
    test: Test


Criterion = EventCriterion | RowCriterion


@dataclass(frozen=True)
class Variable:
    """`of`: the column summarised, or "date"."""

    name: str
    summary: Summary
    events: Events
    window: Window
    of: str | None = None


@dataclass(frozen=True)
class Outcome:
    """The first of `events` after the index date. What `competing` names prevents it from being seen."""

    name: str
    events: Events
    competing: Mapping[str, Events | str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Definition:
    name: str
    index: Index | None = None
    between: tuple[date, date] | None = None
    washout: Span | None = None
    follow_up: Reach | None = None
    criteria: tuple[Criterion, ...] = ()
    variables: tuple[Variable, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @property
    def looks_ahead(self) -> bool:
        """Whether who is chosen, or what is told of them, depends on what came after the index date."""
        windows = [c.window for c in self.criteria if isinstance(c, EventCriterion)]
        return any(window.looks_ahead for window in [*windows, *(v.window for v in self.variables)])

    def without_follow_up(self, days: int) -> Definition:
        """The same for whoever looks at the first `days` only: a follow-up that lasts longer says nothing of
        them. Its anniversary is no limit of days: a day more or less is nobody's exit."""
        planned = self.follow_up
        if not isinstance(planned, Span) or self.looks_ahead or planned.months < _A_YEAR:
            return self
        return replace(self, follow_up=None) if days <= planned.shortest_days + 1 else self

    @property
    def repeats(self) -> bool:
        return self.index is not None and self.index.which is Occurrence.ANY
