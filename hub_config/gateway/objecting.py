"""Leaves out of a table whoever objected: below all that a query can write, in every snapshot, whatever the
engine.

Who objected before the snapshot was made stands in it; who did since comes from governance. A physician goes
with their own patients, whom the snapshot's `patients` names. Who objected to the future keeps what is dated
up to that day: a date known to the month or the year counts as the last day it may mean, a row without a date
as later. What began before the day and was learnt after it (the end of a period or a stay, a death) is as it
was then; a linkage is of the day it was made, and a practice's month of its last day.
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
from hub_config.warehouse.manifest import Manifest
from hub_config.warehouse.purging import DATED_BY, MONTHLY
from p4dp_sdk.catalogue.model import Table, Unit

_PATIENT: Final = "patient_no"
_PHYSICIAN: Final = "physician_no"
_WHOLE: Final[Mapping[str, str]] = {_PATIENT: "objecting_patients", _PHYSICIAN: "objecting_physicians"}
_UNTIL: Final[Mapping[str, str]] = {_PATIENT: "patients_until", _PHYSICIAN: "physicians_until"}
_PRECISION: Final = "date_precision"
_DAY, _MONTH, _UNKNOWN = "day", "month", "unknown"
_KNOWN: Final = (_DAY, _MONTH, "year")
_LATEST: Final = date(9999, 12, 31)
_WHOSE, _LAST = "__whose", "__last"


@dataclass(frozen=True)
class Excluded:
    """Whether any patient, any physician objected, and whether any did to the future only: nobody's rows are
    looked for among those of nobody."""

    patients: bool = False
    physicians: bool = False
    patients_until: bool = False
    physicians_until: bool = False


def objectors_in(governance: Governance, manifest: Manifest) -> Objectors:
    """Who objected, of those a snapshot may hold: a patient's number and a GP's are each somebody's within
    one numbering, which differ where the GPs are invented."""
    found = governance.objectors(manifest.numbering)
    if manifest.physician_numbering == manifest.numbering:
        return found
    theirs = governance.objectors(manifest.physician_numbering)
    return replace(found, physicians=theirs.physicians, physicians_until=theirs.physicians_until)


def exclude(session: Session, objectors: Objectors) -> Excluded:
    """Note on this session who objected, in this snapshot or since."""
    physicians = _objected(session, _PHYSICIAN, objectors.physicians)
    patients = _objected(session, _PATIENT, objectors.patients)
    if len(physicians) > 0:
        session.store(_WHOLE[_PHYSICIAN], pa.table({_PHYSICIAN: physicians}))
        theirs = _patients_of(session, _WHOLE[_PHYSICIAN], {_PHYSICIAN: "int64"}).column(_PATIENT)
        patients = pa.chunked_array([*patients.chunks, *theirs.cast(pa.int64()).chunks], pa.int64())
    if len(patients) > 0:
        session.store(_WHOLE[_PATIENT], pa.table({_PATIENT: patients}))
    until = _exclude_later(session, objectors)
    return Excluded(len(patients) > 0, len(physicians) > 0, until[_PATIENT], until[_PHYSICIAN])


def without_objectors(rows: ibis.Table, full: Table, excluded: Excluded) -> ibis.Table:
    """`rows` of the warehouse's table `full`, without what may not be seen."""
    if full.unit is Unit.PERSON and excluded.patients:
        rows = rows.anti_join(temporary(_WHOLE[_PATIENT], {_PATIENT: "int64"}), _PATIENT)
    if full.unit in (Unit.PERSON, Unit.PHYSICIAN) and excluded.physicians:
        rows = rows.anti_join(temporary(_WHOLE[_PHYSICIAN], {_PHYSICIAN: "int64"}), _PHYSICIAN)
    if full.unit is Unit.PERSON and excluded.patients_until:
        rows = _as_it_was(_without_later(rows, full, _PATIENT), full)
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


def _exclude_later(session: Session, objectors: Objectors) -> Mapping[str, bool]:
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
    return {_PATIENT: bool(patients), _PHYSICIAN: bool(physicians)}


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
    yield _MONTH, after.replace(day=1) - timedelta(days=1)
    yield "year", after.replace(month=1, day=1) - timedelta(days=1)
    yield _UNKNOWN, date.min


def _without_later(rows: ibis.Table, full: Table, who: str) -> ibis.Table:
    dated = DATED_BY.get(full.name) or (full.column(full.date).stored_as if full.date else None)
    if dated is None:
        return rows
    limits = temporary(_UNTIL[who], _columns(who))
    day = rows[dated].coalesce(_LATEST)
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
            known = _with_last(rows, _DAY)
            later = known["end_date"].coalesce(_LATEST) > known[_LAST]
            changed = {"end_date": known[_LAST], "end_reason": ibis.literal("inactive")}
        case "patients" | "snds_link":
            known = _with_last(rows, _MONTH)
            later = known["death_month"] > known[_LAST]
            changed = {"death_month": ibis.null("date"), "death_source": ibis.null("string")}
        case "snds_stays":
            known = _with_last(rows, _DAY)
            later = known["exit_date"].coalesce(_LATEST) > known[_LAST]
            changed = {"exit_date": ibis.null("date"), "length_days": ibis.null("int32")}
        case _:
            return rows
    held = changed.keys() & set(rows.columns)
    as_it_was = {name: ibis.ifelse(later, changed[name], known[name]) for name in held}
    return known.mutate(**as_it_was).select(*rows.columns)


def _with_last(rows: ibis.Table, precision: str) -> ibis.Table:
    """`rows`, with the last date of whose they are, where there is one."""
    limits = temporary(_UNTIL[_PATIENT], _columns(_PATIENT))
    these = limits.filter(limits["precision"] == precision)
    last = these.select(**{_WHOSE: these[_PATIENT], _LAST: these["last"]})
    return rows.left_join(last, rows[_PATIENT].cast("int64") == last[_WHOSE])
