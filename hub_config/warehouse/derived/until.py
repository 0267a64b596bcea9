"""Which observation of a person is known where they, or their GP, objected to the future. Pure.

An end on the day of the objection would tell whoever holds rows who objected, and when. So an end is one that
others have, too:

- A patient objected: the period ends as if they had not been heard of since. What ends it for everybody in
  the practice (its last export, a change of software, a silence) is the practice's own, and stays; an end
  that only this person has, and that came after the day (their last visit, their death), gives way to the
  practice's next. So somebody who objected looks like somebody who did not come back.
- A GP objected: the practice ends with the last day that its last export up to the day reached.
- Where no practice's end is known, with the last month that was over by the day.

A period that begins after the day is known where the practice was only interrupted. A death is known once its
month is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final

import pyarrow as pa

INTERRUPTED: Final = frozenset({"software_gap", "silence"})
LAST_EXPORT: Final = "last_export"
OF_PRACTICES: Final = frozenset({LAST_EXPORT, "withdrawal", *INTERRUPTED})
"""Why a practice's observation ends; a person's for other reasons."""
_DEATH: Final = "death"
_SHARED_BY: Final = 2  # periods of a practice at least, and by one in _SHARE
_SHARE: Final = 10
KNOWN: Final[Mapping[str, str]] = {
    "patient_no": "int64",
    "start_date": "date",
    "was": "date",
    "is_known": "boolean",
    "until": "date",
    "why": "string",
}
"""The columns of `tabled`. `was` is the end that is stored, `LATEST` where none is."""
LATEST: Final = date(9999, 12, 31)
_SCHEMA: Final = pa.schema(
    [
        ("patient_no", pa.int64()),
        ("start_date", pa.date32()),
        ("was", pa.date32()),
        ("is_known", pa.bool_()),
        ("until", pa.date32()),
        ("why", pa.string()),
    ]
)


@dataclass(frozen=True)
class Stored:
    """What a snapshot holds: the `periods` (patient_no, practice, start_date, end_date, end_reason) of who
    objected to the future; how often every end occurs in their practices, `ends` (practice, end_date,
    end_reason, n); and what those `exports` (practice, exported_on, last_event)."""

    periods: pa.Table
    ends: pa.Table
    exports: pa.Table


def tabled(stored: Stored, patients: Mapping[int, date], physicians: Mapping[int, date]) -> pa.Table:
    """What is known of every period in `stored`, with the columns of `KNOWN`, each once."""
    observed = [
        Observed(
            row["patient_no"], row["practice"], Period(row["start_date"], row["end_date"], row["end_reason"])
        )
        for row in stored.periods.to_pylist()
    ]
    rows: dict[tuple[int, date, date], dict[str, object]] = {}
    for (patient, period), known in known_until(observed, patients, _practices(stored, physicians)).items():
        start, was = period.start or LATEST, period.end or LATEST
        now = known or Period(None, None, None)
        held = (patient, start, was, known is not None, now.end, now.reason)
        rows.setdefault((patient, start, was), dict(zip(_SCHEMA.names, held, strict=True)))
    return pa.Table.from_pylist(list(rows.values()), _SCHEMA)


def _practices(stored: Stored, physicians: Mapping[int, date]) -> dict[int, Practice]:
    ends, exports = _by_practice(stored.ends), _by_practice(stored.exports)
    return {
        number: Practice(
            _shared(ends.get(number, [])),
            tuple(
                Export(row["exported_on"], min(row["last_event"], row["exported_on"]))
                for row in exports.get(number, [])
                if row["exported_on"] and row["last_event"]
            ),
            physicians.get(number),
        )
        for number in set(stored.periods.column("practice").to_pylist())
    }


def _by_practice(table: pa.Table) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["practice"], []).append(row)
    return found


def _shared(ends: Sequence[Mapping[str, Any]]) -> frozenset[End]:
    """Those that are the practice's: not chance, and not of some."""
    every = sum(row["n"] for row in ends)
    return frozenset(
        End(row["end_date"], row["end_reason"])
        for row in ends
        if row["end_date"] and row["end_reason"] in OF_PRACTICES
        if row["n"] >= _SHARED_BY and row["n"] * _SHARE >= every
    )


# --- the rule ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    start: date | None
    end: date | None
    reason: str | None


@dataclass(frozen=True)
class End:
    """Of a practice."""

    day: date
    reason: str


@dataclass(frozen=True)
class Export:
    """The day it was made, and the last that it has anything of."""

    made: date
    reached: date


@dataclass(frozen=True)
class Practice:
    """`ends` are those that many of its patients share; `until` is the day of its GP's own objection to the
    future."""

    ends: frozenset[End] = frozenset()
    exports: tuple[Export, ...] = ()
    until: date | None = None


_UNHEARD_OF: Final = Practice()


@dataclass(frozen=True)
class Observed:
    """A period that is stored, of whom, in which practice."""

    patient: int = field(repr=False)
    practice: int = field(repr=False)
    period: Period


def known_until(
    observed: Iterable[Observed], until: Mapping[int, date], practices: Mapping[int, Practice]
) -> dict[tuple[int, Period], Period | None]:
    """What is known of each period of the persons of `until`, by person and period: None where nothing is."""
    known: dict[tuple[int, Period], Period | None] = {}
    theirs: dict[int, list[Observed]] = {}
    for each in observed:
        theirs.setdefault(each.patient, []).append(each)
    for patient, periods in theirs.items():
        ordered = sorted(periods, key=lambda each: each.period.start or date.max)
        found = _of_person(ordered, until[patient], practices)
        known |= {(patient, each.period): now for each, now in zip(ordered, found, strict=True)}
    return known


def last_month_over(day: date) -> date:
    """The last day of the last month that was over by the end of `day`."""
    return (day + timedelta(days=1)).replace(day=1) - timedelta(days=1)


def _of_person(
    ordered: Sequence[Observed], day: date, practices: Mapping[int, Practice]
) -> list[Period | None]:
    found: list[Period | None] = []
    before: Period | None = None
    for each in ordered:
        practice = practices.get(each.practice, _UNHEARD_OF)
        before = _as_of_practice(_as_of_patient(each.period, before, day, practice), practice)
        found.append(before)
    return found


def _as_of_patient(period: Period, before: Period | None, day: date, practice: Practice) -> Period | None:
    if period.start is None or (period.start > day and not _is_resumed(period.start, before)):
        return None
    if not _is_later(period, day) or _is_shared(period, practice):
        return period
    following = sorted(
        (end for end in practice.ends if end.day >= max(day, period.end or day)), key=lambda end: end.day
    )
    if not following:
        return _ended(period, last_month_over(day))
    return replace(period, end=following[0].day, reason=following[0].reason)


def _as_of_practice(period: Period | None, practice: Practice) -> Period | None:
    if period is None or practice.until is None:
        return period
    reached = [export.reached for export in practice.exports if export.made <= practice.until]
    last = max(reached, default=last_month_over(practice.until))
    is_over = period.end is not None and period.end <= last and not _is_later(period, practice.until)
    return period if is_over else _ended(period, last)


def _is_resumed(start: date, before: Period | None) -> bool:
    """Whether it was the practice that had been away."""
    return (
        before is not None and before.reason in INTERRUPTED and before.end is not None and start > before.end
    )


def _is_later(period: Period, day: date) -> bool:
    """Whether its end was learnt after `day`."""
    if period.end is None or period.end > day:
        return True
    return period.reason == _DEATH and period.end > last_month_over(day)


def _is_shared(period: Period, practice: Practice) -> bool:
    return any((end.day, end.reason) == (period.end, period.reason) for end in practice.ends)


def _ended(period: Period, last: date) -> Period | None:
    return (
        None if period.start is None or period.start > last else replace(period, end=last, reason=LAST_EXPORT)
    )
