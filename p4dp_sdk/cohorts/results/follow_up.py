"""Follow-up in protected counts: how many were still at risk at a limit of time, how many events came before.

Time runs in days from the index date; the limits are those of months of 30.4375 days (365.25 / 12), rounded.
What falls on a limit belongs to the interval that starts there. *Drafts* ask both numbers for every limit, of
everybody at once: such counts grow, so they pass the threshold long before the events of one month do.
*Publications* ask, by closed classes of time, how many left and for what: these add up, so the enclave can
prove them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from p4dp_sdk.classes import age_bands
from p4dp_sdk.cohorts.results.asking import Answer, Measures, Number
from p4dp_sdk.cohorts.results.errors import ResultError, unknown_column
from p4dp_sdk.cohorts.results.questions import PATIENTS
from p4dp_sdk.cohorts.results.variables import PATIENT
from p4dp_sdk.figures.labels import starts_at
from p4dp_sdk.wire.messages import N_

DAYS_A_MONTH: Final = 365.25 / 12
EVENT, COMPETING, CENSORED = "event", "competing", "censored"
INTERVAL: Final = "interval"
ENOUGH: Final = 15  # by a draft, which may be off by two or so: eleven at least
_MOST: Final = 120  # limits of one question


class Every(StrEnum):
    """How long an interval is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        return {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}[self]


@dataclass(frozen=True)
class Grid:
    """`limits` in days, from 0 on; `times` the same in months, or in years where the intervals are. `places`:
    which limits are looked at, where not all are."""

    every: Every
    intervals: int
    places: tuple[int, ...] = ()

    @property
    def _places(self) -> Sequence[int]:
        return self.places or range(self.intervals + 1)

    @property
    def limits(self) -> tuple[int, ...]:
        return tuple(round(self.every.months * DAYS_A_MONTH * at) for at in self._places)

    @property
    def times(self) -> tuple[float, ...]:
        unit = 1 if self.every is Every.YEAR else self.every.months
        return tuple(float(unit * at) for at in self._places)

    def only(self, places: Sequence[int]) -> Grid:
        return Grid(self.every, len(places) - 1, tuple(places))

    @classmethod
    def over(cls, years: float, every: Every | str) -> Grid:
        """`years` of follow-up in such intervals. Raises ResultError for none, or too many."""
        step = Every(every)
        intervals = round(12 * years / step.months)
        if not 1 <= intervals <= _MOST:
            raise ResultError(
                N_("A life table of {years} years by {every} can't be made."),
                N_("It would have {intervals} intervals; one has 1 to {most}."),
                N_("Choose longer intervals (every=“quarter”, every=“year”) or fewer years."),
                years=f"{years:g}",
                every=step.value,
                intervals=intervals,
                most=_MOST,
            )
        return cls(step, intervals)

    @classmethod
    def of(cls, *, years: float = 5, every: Every | str = Every.MONTH, **_others: Any) -> Grid:
        """That of the options of a life table."""
        return cls.over(years, every)


@dataclass(frozen=True)
class Followed:
    """One group, at each limit of a grid: patients still at risk, and events before it (None: withheld)."""

    label: Any
    at_risk: tuple[float | None, ...]
    events: tuple[float | None, ...]
    competing: tuple[float | None, ...]


@dataclass(frozen=True)
class Survival:
    """The columns that tell when and how each patient's follow-up ended."""

    relation: Any
    time: Any
    ended: Any

    @classmethod
    def of(cls, relation: ir.Table, outcome: str) -> Survival:
        """From `<outcome>_time` and `<outcome>_event`, as a cohort has them; else from `<outcome>_date`,
        `index_date` and `exit_date`. An event after the exit was not seen."""
        time, ended, date = f"{outcome}_time", f"{outcome}_event", f"{outcome}_date"
        if time in relation.columns and ended in relation.columns:
            return cls(relation, relation[time], relation[ended])
        for name in (date, "index_date", "exit_date"):
            if name not in relation.columns:
                raise unknown_column(name, relation.columns)
        seen = relation[date] <= relation.exit_date
        end = ibis.ifelse(seen, relation[date], relation.exit_date)
        return cls(
            relation,
            end.delta(relation.index_date, unit="day"),
            ibis.ifelse(seen, EVENT, CENSORED),
        )

    @property
    def competes(self) -> Any:
        return self.ended == COMPETING


# -- drafts -------------------------------------------------------------------------------------------------


def cumulative(survival: Survival, grid: Grid, *, competing: bool) -> Measures:
    """Every number of the curve, as counts of patients that grow or shrink with time. The largest of a kind
    come first: it is to them that others nearby are rounded."""
    n, time = survival.relation[PATIENT].nunique, survival.time
    made: dict[str, Any] = {PATIENTS: n()}
    made |= {_at_risk(limit): n(where=time >= limit) for limit in grid.limits[1:]}
    for limit in reversed(grid.limits[1:]):
        made[_ended(EVENT, limit)] = n(where=(survival.ended == EVENT) & (time < limit))
        if competing:
            made[_ended(COMPETING, limit)] = n(where=survival.competes & (time < limit))
    return Measures(survival.relation, made)


def followed(answer: Answer, grid: Grid, *, competing: bool) -> Followed:
    """What a draft says of one group. A number of events that was rounded to its neighbour's is not known:
    read as it stands, nothing would have happened between the two. (Of those at risk, a dozen are few.)"""
    later = grid.limits[1:]

    def grown(kind: str) -> tuple[float | None, ...]:
        numbers = [answer.of(_ended(kind, limit)) for limit in later]
        return (0.0, *reversed(_told_apart(list(reversed(numbers)))))

    at_risk = (answer.of(PATIENTS).value, *(answer.of(_at_risk(limit)).value for limit in later))
    nobody = (0.0,) * len(grid.limits)
    return Followed(answer.label, at_risk, grown(EVENT), grown(COMPETING) if competing else nobody)


def _told_apart(numbers: Sequence[Number]) -> list[float | None]:
    """The values, without those that are an earlier answer's and the same as the one before."""
    found: list[float | None] = []
    last: float | None = None
    for number in numbers:
        same = number.earlier and number.value is not None and number.value == last
        found.append(None if same else number.value)
        last = last if number.value is None else number.value
    return found


def _at_risk(limit: int) -> str:
    return f"patients {limit}"


def _ended(kind: str, limit: int) -> str:
    return f"{kind} {limit}"


# -- publications -------------------------------------------------------------------------------------------


def by_interval(survival: Survival, grid: Grid, *, competing: bool) -> Measures:
    """How many left in each interval, and for what; those who stay longer are the last class."""
    classes = age_bands(survival.time, grid.limits[1:])
    relation = survival.relation.mutate(**{INTERVAL: classes})
    n, ended = relation[PATIENT].nunique, survival.ended
    kinds = [EVENT, COMPETING] if competing else [EVENT]
    named = {kind: n(where=ended == kind) for kind in kinds}
    return Measures(relation, {PATIENTS: n(), **named})


@dataclass(frozen=True)
class Apart:
    """Who left a cohort, said twice so that each says little of people: `events` has the patients with the
    event and the `days` to it, `others` those without, the `days` until they left and whether they `died`.
    `everybody` are both."""

    everybody: Any
    events: Any
    others: Any

    def measures(self, grid: Grid, *, competing: bool) -> tuple[Measures, Measures, Measures]:
        """Sizes; events by interval; others by interval, and who of them died."""
        events, others = (_until(each, grid) for each in (self.events, self.others))
        n = others[PATIENT].nunique
        died = {COMPETING: n(where=others.died)} if competing else {}
        return (
            Measures(self.everybody, {PATIENTS: self.everybody[PATIENT].nunique()}),
            Measures(events, {EVENT: events[PATIENT].nunique()}),
            Measures(others, {PATIENTS: n(), **died}),
        )


def _until(relation: ir.Table, grid: Grid) -> ir.Table:
    """Who left before the last limit, by the interval."""
    classes = age_bands(relation.days, grid.limits[:-1])
    return relation.filter(relation.days < grid.limits[-1]).mutate(**{INTERVAL: classes})


def tellable(groups: Sequence[Followed], grid: Grid, *, competing: bool) -> Grid:
    """`grid` with intervals put together until, by these draft counts, each has enough events of each kind in
    each group to be shown."""
    last = grid.intervals
    found, places = [0], range(1, last + 1)
    for place in places:
        if all(_enough(group, found[-1], place, competing) for group in groups):
            found.append(place)
    return grid.only([*(found[:-1] if len(found) > 1 else found), last] if found[-1] != last else found)


def _enough(group: Followed, start: int, end: int, competing: bool) -> bool:
    counts = [group.events, group.competing] if competing else [group.events]
    pairs = [(each[start], each[end]) for each in counts]
    return all(low is not None and high is not None and high - low >= ENOUGH for low, high in pairs)


def together(
    events: Mapping[Any, Mapping[str, float | None]], others: Mapping[Any, Mapping[str, float | None]]
) -> dict[Any, dict[str, float | None]]:
    """Both tables of one group as one, by the label of the interval: PATIENTS are all who left."""
    found: dict[Any, dict[str, float | None]] = {}
    for label in [*events, *others]:
        came, left = events.get(label, {}).get(EVENT), others.get(label, {})
        without = left.get(PATIENTS)
        whole = None if came is None or without is None else came + without
        found[label] = {PATIENTS: whole, EVENT: came, COMPETING: left.get(COMPETING)}
    return found


def followed_by_interval(
    rows: Mapping[Any, Mapping[str, float | None]],
    whole: float | None,
    label: Any,
    grid: Grid,
    *,
    competing: bool,
) -> Followed:
    """What a publication says of one group: `rows` by the label of the interval, `whole` its patients."""
    starts = {starts_at(name): numbers for name, numbers in rows.items()}
    found = [starts.get(float(limit), {}) for limit in grid.limits]
    left = [numbers.get(PATIENTS) for numbers in found]
    if whole is None and None not in left:
        whole = sum(each for each in left if each is not None)

    def grown(kind: str) -> tuple[float | None, ...]:
        return _summed(0.0, [numbers.get(kind) for numbers in found[:-1]])

    at_risk = _summed(whole, [None if each is None else -each for each in left[:-1]])
    nobody = (0.0,) * len(grid.limits)
    return Followed(label, at_risk, grown(EVENT), grown(COMPETING) if competing else nobody)


def _summed(start: float | None, steps: Sequence[float | None]) -> tuple[float | None, ...]:
    """`start` and what it is after each step; unknown from the first step that is."""
    values = [start]
    for step in steps:
        before = values[-1]
        values.append(None if before is None or step is None else before + step)
    return tuple(values)
