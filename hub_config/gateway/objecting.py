"""Leaves out of a table whoever objected: below all that a query can write, in every snapshot, whatever the
engine.

Who objected before the snapshot was made stands in it; who did since comes from governance. A physician goes
with their own patients, whom the snapshot's `patients` names. Who objected to the future keeps what is dated
up to that day: a date known to the month or the year counts as the last day it may mean, a row without a date
as later. What began before the day and was learnt after it (the end of a stay, a death) is as it was then; a
linkage is of the day it was made, and a practice's month of its last day; observation ends as
`warehouse.derived.until` says. Of whom nothing is dated up to the day, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import ibis
import pyarrow as pa

from hub_config.gateway.engine import Session
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.ports import Governance
from hub_config.governance.facts import Objectors
from hub_config.warehouse.derived.practices import NO_PHYSICIAN
from hub_config.warehouse.derived.until import KNOWN, LATEST, Stored, last_month_over, tabled
from hub_config.warehouse.manifest import Manifest
from hub_config.warehouse.purging import DATED_BY, MONTHLY, OBSERVED
from p4dp_sdk.catalogue.model import Catalogue, Table, Unit

_PATIENT: Final = "patient_no"
_PHYSICIAN: Final = "physician_no"
_WHOLE: Final[Mapping[str, str]] = {_PATIENT: "objecting_patients", _PHYSICIAN: "objecting_physicians"}
_UNTIL: Final[Mapping[str, str]] = {_PATIENT: "patients_until", _PHYSICIAN: "physicians_until"}
_PRECISION: Final = "date_precision"
_DAY, _MONTH, _UNKNOWN = "day", "month", "unknown"
_KNOWN: Final = (_DAY, _MONTH, "year")
_SINCE: Final = "patients_since"
_PERIODS: Final = "periods_until"
_PRACTICES: Final = "practices_until"
_PRACTICE: Final = "practice"
_EXPORTS: Final = "exports"
_PERIOD: Final = {"start_date": "date", "end_date": "date", "end_reason": "string"}
_EXPORTED: Final = {"exported_on": "date", "last_event": "date"}
_NONE: Final = pa.table({_PRACTICE: pa.array([], pa.int64())})  # of a table that an older snapshot lacks
_WHOSE, _LAST = "__whose", "__last"


@dataclass(frozen=True)
class Excluded:
    """Whether any patient, any physician objected, whether any did to the future only, and whether any of
    these was first seen since: nobody's rows are looked for among those of nobody."""

    patients: bool = False
    physicians: bool = False
    patients_until: bool = False
    physicians_until: bool = False
    patients_since: bool = False


def objectors_in(governance: Governance, manifest: Manifest) -> Objectors:
    """Who objected, of those a snapshot may hold: a patient's number and a GP's are each somebody's within
    one numbering, which differ where the GPs are invented."""
    found = governance.objectors(manifest.numbering)
    if manifest.physician_numbering == manifest.numbering:
        return found
    theirs = governance.objectors(manifest.physician_numbering)
    return replace(found, physicians=theirs.physicians, physicians_until=theirs.physicians_until)


def exclude(session: Session, objectors: Objectors, catalogue: Catalogue) -> Excluded:
    """Note on this session who objected, in this snapshot or since, in an order that no engine chooses.
    `catalogue`: as far as it is held."""
    physicians = _objected(session, _PHYSICIAN, objectors.physicians)
    patients = _objected(session, _PATIENT, objectors.patients)
    if len(physicians) > 0:
        session.store(_WHOLE[_PHYSICIAN], pa.table({_PHYSICIAN: physicians.sort()}))
        theirs = _patients_of(session, _WHOLE[_PHYSICIAN], {_PHYSICIAN: "int64"}).column(_PATIENT)
        patients = pa.chunked_array([*patients.chunks, *theirs.cast(pa.int64()).chunks], pa.int64())
    if len(patients) > 0:
        session.store(_WHOLE[_PATIENT], pa.table({_PATIENT: patients.sort()}))
    until = _exclude_later(session, objectors)
    excluded = Excluded(len(patients) > 0, len(physicians) > 0, bool(until), bool(objectors.physicians_until))
    if not until:
        return excluded
    return replace(excluded, patients_since=_exclude_since(session, objectors, until, excluded, catalogue))


def without_objectors(rows: ibis.Table, full: Table, excluded: Excluded) -> ibis.Table:
    """`rows` of the warehouse's table `full`, without what may not be seen."""
    if full.unit is Unit.PERSON and excluded.patients:
        rows = rows.anti_join(temporary(_WHOLE[_PATIENT], {_PATIENT: "int64"}), _PATIENT)
    if full.unit in (Unit.PERSON, Unit.PHYSICIAN) and excluded.physicians:
        rows = rows.anti_join(temporary(_WHOLE[_PHYSICIAN], {_PHYSICIAN: "int64"}), _PHYSICIAN)
    if full.unit is Unit.PERSON and excluded.patients_until:
        rows = _as_it_was(_without_later(rows, full, _PATIENT), full)
        if excluded.patients_since:
            rows = rows.anti_join(temporary(_SINCE, {_PATIENT: "int64"}), _PATIENT)
    if full.unit in (Unit.PERSON, Unit.PHYSICIAN) and excluded.physicians_until:
        rows = _without_later(rows, full, _PHYSICIAN)
    return rows


# --- objections to all -------------------------------------------------------------------------------------


def _objected(session: Session, column: str, since: frozenset[int]) -> pa.ChunkedArray:
    early = session.kept.once(("objected", column), lambda: _objected_early(session, column))
    return pa.chunked_array([*early.chunks, pa.array(sorted(since), pa.int64())], pa.int64())


def _objected_early(session: Session, column: str) -> pa.ChunkedArray:
    early = stored("objections", {column: "int64"})
    found = session.ask(early.filter(early[column].notnull()))
    return found.column(column).cast(pa.int64())


def _patients_of(session: Session, noted: str, columns: Mapping[str, str]) -> pa.Table:
    """The own patients of the physicians that are noted in this table of the session."""
    patients = stored("patients", {_PATIENT: "int64", _PHYSICIAN: "int64"})
    theirs = patients.semi_join(temporary(noted, columns), _PHYSICIAN)
    return session.ask(theirs.select(_PATIENT, _PHYSICIAN))


# --- objections to the future ------------------------------------------------------------------------------


def _exclude_later(session: Session, objectors: Objectors) -> Mapping[int, date]:
    """Note until when who objected to the future is seen; a physician's own patients until the same day."""
    physicians, patients = dict(objectors.physicians_until), dict(objectors.patients_until)
    if physicians:
        session.store(_UNTIL[_PHYSICIAN], _limits(_PHYSICIAN, physicians))
        found = _patients_of(session, _UNTIL[_PHYSICIAN], _columns(_PHYSICIAN))
        pairs = zip(found.column(_PATIENT).to_pylist(), found.column(_PHYSICIAN).to_pylist(), strict=True)
        for patient, physician in pairs:
            day = physicians[physician]
            patients[patient] = min(day, patients.get(patient, day))
    if patients:
        session.store(_UNTIL[_PATIENT], _limits(_PATIENT, patients))
    return patients


def _exclude_since(
    session: Session,
    objectors: Objectors,
    until: Mapping[int, date],
    excluded: Excluded,
    catalogue: Catalogue,
) -> bool:
    """Note what is known of their observation, and who was first seen since; whether there is anybody. Found
    out once of a snapshot, which never changes, and of the same objectors."""
    whose = (objectors.patients, objectors.physicians, *map(_items, (until, objectors.physicians_until)))
    periods = session.kept.once(
        ("periods until", whose), lambda: _known_periods(session, until, objectors, catalogue)
    )
    session.store(_PERIODS, periods)
    since = session.kept.once(
        ("seen since", whose), lambda: _seen_since(session, frozenset(until), periods, excluded, catalogue)
    )
    if since:
        session.store(_SINCE, pa.table({_PATIENT: pa.array(sorted(since), pa.int64())}))
    return bool(since)


def _items(until: Mapping[int, date]) -> frozenset[tuple[int, date]]:
    return frozenset(until.items())


def _known_periods(
    session: Session, until: Mapping[int, date], objectors: Objectors, catalogue: Catalogue
) -> pa.Table:
    if OBSERVED not in catalogue.tables:
        return tabled(Stored(_NONE, _NONE, _NONE), {}, {})
    observed = _of_practices(catalogue, OBSERVED, _PERIOD)
    theirs = session.ask(_of_those_until(observed).select(_PATIENT, _PRACTICE, *_PERIOD))
    session.store(_PRACTICES, pa.table({_PRACTICE: theirs.column(_PRACTICE).unique()}))
    same = temporary(_PRACTICES, {_PRACTICE: "int64"})
    ends = (
        observed.semi_join(same, _PRACTICE)
        .group_by(_PRACTICE, "end_date", "end_reason")
        .agg(n=ibis._.count())
    )
    made = _NONE
    if _EXPORTS in catalogue.tables:
        exports = _of_practices(catalogue, _EXPORTS, _EXPORTED).semi_join(same, _PRACTICE)
        made = session.ask(exports.select(_PRACTICE, *_EXPORTED))
    return tabled(Stored(theirs, session.ask(ends), made), until, objectors.physicians_until)


def _of_practices(catalogue: Catalogue, name: str, columns: Mapping[str, str]) -> ibis.Table:
    """With these columns, be it empty ones: an older snapshot may lack some."""
    rows = _whole(catalogue.tables[name])
    told = {column: _told(rows, column, dtype) for column, dtype in columns.items()}
    return rows.mutate(**told, **{_PRACTICE: rows[_PHYSICIAN].cast("int64").coalesce(NO_PHYSICIAN)})


def _told(rows: ibis.Table, column: str, dtype: str) -> ibis.Value:
    return rows[column] if column in rows.columns else ibis.null(dtype)


def _seen_since(
    session: Session, until: frozenset[int], periods: pa.Table, excluded: Excluded, catalogue: Catalogue
) -> frozenset[int]:
    """Of whom nothing is dated up to the day. The smallest tables tell it of nearly all."""
    known = zip(periods.column(_PATIENT).to_pylist(), periods.column("is_known").to_pylist(), strict=True)
    since = until - {patient for patient, is_known in known if is_known}
    sizes = session.stored_rows()
    dated = [each for each in catalogue.tables.values() if each.name in sizes and _tells_since(each)]
    for table in sorted(dated, key=lambda each: sizes[each.name]):
        if since:
            since -= _seen_until(session, table, excluded)
    return since


def _tells_since(table: Table) -> bool:
    return table.unit is Unit.PERSON and table.name != OBSERVED and _dated_by(table) is not None


def _seen_until(session: Session, table: Table, excluded: Excluded) -> frozenset[int]:
    """Who objected to the future and has rows of `table` that may be shown."""
    theirs = _of_those_until(without_objectors(_whole(table), table, excluded))
    found = session.ask(theirs.select(_PATIENT).distinct())
    return frozenset(found.column(_PATIENT).to_pylist())


def _of_those_until(rows: ibis.Table) -> ibis.Table:
    limits = temporary(_UNTIL[_PATIENT], _columns(_PATIENT))
    whose = limits.filter(limits["precision"] == _UNKNOWN).select(**{_WHOSE: limits[_PATIENT]})
    return rows.semi_join(whose, rows[_PATIENT].cast("int64") == whose[_WHOSE])


def _whole(table: Table) -> ibis.Table:
    return stored(table.name, {column.stored_as: column.dtype for column in table.columns})


def _columns(who: str) -> Mapping[str, str]:
    return {who: "int64", "precision": "string", "last": "date"}


def _limits(who: str, until: Mapping[int, date]) -> pa.Table:
    """The last date that is seen, by person and by what their dates are known to."""
    rows = [
        {who: number, "precision": precision, "last": last}
        for number, day in sorted(until.items())
        for precision, last in _last_dates(day)
    ]
    schema = pa.schema([(who, pa.int64()), ("precision", pa.string()), ("last", pa.date32())])
    return pa.Table.from_pylist(rows, schema)


def _last_dates(until: date) -> Iterator[tuple[str, date]]:
    """A month is over by `until` if the next day is in another."""
    after = until + timedelta(days=1)
    yield _DAY, until
    yield _MONTH, last_month_over(until)
    yield "year", after.replace(month=1, day=1) - timedelta(days=1)
    yield _UNKNOWN, date.min


def _dated_by(table: Table) -> str | None:
    return DATED_BY.get(table.name) or (table.column(table.date).stored_as if table.date else None)


def _without_later(rows: ibis.Table, full: Table, who: str) -> ibis.Table:
    dated = _dated_by(full)
    if dated is None or (full.name, who) == (OBSERVED, _PATIENT):
        return rows
    limits = temporary(_UNTIL[who], _columns(who))
    day = _told(rows, dated, "date").coalesce(LATEST)
    theirs = [rows[who].cast("int64") == limits[who], _precision(rows, full) == limits["precision"]]
    return rows.anti_join(limits, [*theirs, day > limits["last"]])


def _precision(rows: ibis.Table, full: Table) -> ibis.Value:
    """What a row's date is known to; what is not known to be known is not."""
    if _PRECISION not in rows.columns:
        return ibis.literal(_MONTH if full.name in MONTHLY else _DAY)
    said = rows[_PRECISION].coalesce(_DAY)
    return ibis.cases((said.isin(_KNOWN), said), else_=_UNKNOWN)


def _as_it_was(rows: ibis.Table, full: Table) -> ibis.Table:
    """What began up to the day, as it was known then."""
    match full.name:
        case "observation_periods":
            return _observed_until(rows)
        case "patients" | "snds_link":
            known = _with_last(rows, _MONTH)
            later = known["death_month"] > known[_LAST]
            changed = {"death_month": ibis.null("date"), "death_source": ibis.null("string")}
        case "snds_stays":
            known = _with_last(rows, _DAY)
            later = known["exit_date"].coalesce(LATEST) > known[_LAST]
            changed = {"exit_date": ibis.null("date"), "length_days": ibis.null("int32")}
        case _:
            return rows
    held = changed.keys() & set(rows.columns)
    as_it_was = {name: ibis.ifelse(later, changed[name], known[name]) for name in held}
    return known.mutate(**as_it_was).select(*rows.columns)


def _observed_until(rows: ibis.Table) -> ibis.Table:
    told = temporary(_PERIODS, KNOWN)
    told = told.rename({_WHOSE: _PATIENT, _LAST: "start_date"})
    same = [
        rows[_PATIENT].cast("int64") == told[_WHOSE],
        _told(rows, "start_date", "date").coalesce(LATEST) == told[_LAST],
        _told(rows, "end_date", "date").coalesce(LATEST) == told["was"],
    ]
    joined = rows.left_join(told, same)
    known = joined.filter(joined["is_known"].coalesce(True))
    ended = known["is_known"].notnull()
    changed = {"end_date": known["until"], "end_reason": known["why"]}
    as_it_was = {n: ibis.ifelse(ended, v, known[n]) for n, v in changed.items() if n in rows.columns}
    return known.mutate(**as_it_was).select(*rows.columns)


def _with_last(rows: ibis.Table, precision: str) -> ibis.Table:
    """`rows`, with the last date of whose they are, where there is one."""
    limits = temporary(_UNTIL[_PATIENT], _columns(_PATIENT))
    these = limits.filter(limits["precision"] == precision)
    last = these.select(**{_WHOSE: these[_PATIENT], _LAST: these["last"]})
    return rows.left_join(last, rows[_PATIENT].cast("int64") == last[_WHOSE])
