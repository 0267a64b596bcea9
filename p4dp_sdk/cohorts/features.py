"""What is worked out for each index date from one kind of event: one left join and one aggregate over a
patient's own rows, whatever the number of columns asked of it.

Patients without such an event keep their row: counts are 0, the rest is NULL. Everything is within one
patient, so that the gateway leaves it free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, Final, assert_never

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from p4dp_sdk.cohorts.definition import Summary, Variable
from p4dp_sdk.cohorts.events import DATE, PATIENT, VALUE, Events, Source
from p4dp_sdk.cohorts.windows import Window

INDEX, EXIT = "index_date", "exit_date"
WEEK, WEEKDAY = "index_week", "index_weekday"  # together an index date, as codes that rows may be joined on
ENDS: Final = ("observed_to", "followed_to")  # the earliest is the exit
DAYS_A_YEAR: Final = 365.25
_EVENT_PATIENT, _EVENT_DATE, _INDEX_PATIENT = "event_patient", "event_date", "index_patient"


def keys(relation: ir.Table) -> list[str]:
    """What names a row: the patient, and the index date where a patient has several."""
    return [PATIENT, WEEK, WEEKDAY] if WEEK in relation.columns else [PATIENT]


def matched(left: ir.Table, right: ir.Table) -> list[ir.BooleanColumn]:
    """`right` beside the rows of `left` that it was made for (`keyed`)."""
    return [left[key] == right[f"{key}_of"] for key in keys(left)]


def keyed(relation: ir.Table, by: Sequence[str]) -> ir.Table:
    return relation.rename({f"{key}_of": key for key in by})


def met(anchor: ir.Table, daily: ir.Table) -> ir.Table:
    """Each index date of `anchor` with each day of the same patient; once without, if there is none."""
    events = daily.rename({_EVENT_PATIENT: PATIENT, _EVENT_DATE: DATE})
    return anchor.left_join(events, [anchor[PATIENT] == events[_EVENT_PATIENT]])


def beside(anchor: ir.Table, source: Source, window: Window) -> ir.Table:
    """The rows of a source's table that lie in the window of their patient's index date."""
    dates = anchor.rename({_INDEX_PATIENT: PATIENT})
    both = source.whole.inner_join(dates, [source.whole[PATIENT] == dates[_INDEX_PATIENT]])
    return both.filter(*window.holds(both[source.date], both[INDEX], _ends(both)))


def _ends(relation: ir.Table) -> list[ir.DateValue]:
    return [relation[name] for name in ENDS if name in relation.columns]


@dataclass(frozen=True)
class Kind:
    """Events, and the column of them that is summarised: what one join serves."""

    events: Events
    of: str | None

    def daily(self, codes: bool) -> ir.Table:
        """One row a patient and day: the day's mean; of codes, the last in their order."""
        rows = self.events.relation(self.of)
        if self.of is None:
            return rows.select(PATIENT, DATE).distinct()
        value = rows[VALUE].max() if codes else rows[VALUE].mean()
        return rows.group_by(PATIENT, DATE).agg(value=value)


def columns(anchor: ir.Table, kind: Kind, variables: Iterable[Variable]) -> ir.Table:
    """A row for each of `anchor`: its keys, and one column a variable."""
    daily = kind.daily(codes=_is_coded(kind))
    both = met(anchor, daily)
    asked = {variable.name: summary(both, variable) for variable in variables}
    return both.group_by(*keys(anchor)).agg(**asked)


def _is_coded(kind: Kind) -> bool:
    if kind.of is None:
        return False
    return not kind.events.sources[0].rows[kind.of].type().is_numeric()


def type_of(variable: Variable) -> dt.DataType:
    match variable.summary:
        case Summary.COUNT:
            return dt.int64
        case Summary.ANY:
            return dt.boolean
        case Summary.MEAN | Summary.SLOPE:
            return dt.float64
        case Summary.FIRST | Summary.LAST | Summary.NEAREST | Summary.STATUS:
            return _picked_type(variable)
        case _:
            assert_never(variable.summary)


def _picked_type(variable: Variable) -> dt.DataType:
    if variable.of in (None, DATE):
        return dt.date
    found = variable.events.sources[0].rows[variable.of].type()
    return dt.float64 if found.is_numeric() else found


def summary(both: ir.Table, variable: Variable) -> ir.Scalar:
    held = variable.window.holds(both[_EVENT_DATE], both[INDEX], _ends(both))
    known = [both[VALUE].notnull()] if VALUE in both.columns else []
    where = reduce(and_, [*held, *known])
    return _SUMMARIES[variable.summary](both, where)


def _first(both: ir.Table, where: Any) -> Any:
    if VALUE not in both.columns:
        return both[_EVENT_DATE].min(where=where)
    return both[VALUE].argmin(both[_EVENT_DATE], where=where)


def _last(both: ir.Table, where: Any) -> Any:
    if VALUE not in both.columns:
        return both[_EVENT_DATE].max(where=where)
    return both[VALUE].argmax(both[_EVENT_DATE], where=where)


def _nearest(both: ir.Table, where: Any) -> Any:
    """By distance in days; of two as far, the earlier."""
    days = both[_EVENT_DATE].delta(both[INDEX], unit="day")
    distance = days.abs() * 2 + ibis.ifelse(days > 0, 1, 0)
    return both[VALUE if VALUE in both.columns else _EVENT_DATE].argmin(distance, where=where)


def _count(both: ir.Table, where: Any) -> Any:
    return both[_EVENT_DATE].count(where=where)


def _any(both: ir.Table, where: Any) -> Any:
    return _count(both, where) > 0


def _mean(both: ir.Table, where: Any) -> Any:
    return both[VALUE].mean(where=where)


def _slope(both: ir.Table, where: Any) -> Any:
    """Least squares: Σ(x−x̄)(y−ȳ) / Σ(x−x̄)², x in days from the index date; NULL with fewer than two days."""
    x, y = both[_EVENT_DATE].delta(both[INDEX], unit="day").cast("float64"), both[VALUE].cast("float64")
    n = both[_EVENT_DATE].count(where=where)
    sx, sy = x.sum(where=where), y.sum(where=where)
    sxx, sxy = (x * x).sum(where=where), (x * y).sum(where=where)
    spread = n * sxx - sx * sx
    return (n * sxy - sx * sy) / spread.nullif(0) * DAYS_A_YEAR


_SUMMARIES: Mapping[Summary, Callable[[ir.Table, Any], Any]] = {
    Summary.FIRST: _first,
    Summary.LAST: _last,
    Summary.STATUS: _last,
    Summary.NEAREST: _nearest,
    Summary.COUNT: _count,
    Summary.ANY: _any,
    Summary.MEAN: _mean,
    Summary.SLOPE: _slope,
}
