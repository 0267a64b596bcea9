"""Puts a project's tables on its session: each the granted columns and rows, and nothing else.

The filters of the grant (centres, dates) and every objection stand below all that a query can write. The
hidden columns `__patient` and `__physician` carry the dense numbers that the rules count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from hub_config.gateway import pseudonyms
from hub_config.gateway.authorise import visible_schema
from hub_config.gateway.engine import Session
from hub_config.gateway.engines.placing import IN_ORDER, IN_TURN, PLACE, PLACED, PLACES
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.objecting import Excluded, exclude, without_objectors
from hub_config.gateway.own.rows import gather_own, own_rows
from hub_config.gateway.pseudonyms import ProjectKey
from hub_config.gateway.rules.plan import PATIENT, PHYSICIAN, BoundTable
from hub_config.governance.facts import Grant, Objectors
from hub_config.governance.persons.facts import Link
from p4dp_sdk.catalogue.model import Catalogue, Column, Role, Table, Unit

_PATIENT_NO: Final = "patient_no"
_PHYSICIAN_NO: Final = "physician_no"
_ROWID: Final = "rowid"
_ROW: Final = "__row"
_SITE_LABELS: Final = {"centre": "label", "region": "region_label"}


@dataclass(frozen=True)
class Room:
    """What one query's connection is furnished with. `key` is given where identifiers are shown, as
    pseudonyms; `own` where the question is about somebody's own rows. `catalogue`: as far as the snapshot
    holds it.
    """

    catalogue: Catalogue
    grant: Grant
    objectors: Objectors
    key: ProjectKey | None
    own: Link | None = None


@ibis.udf.scalar.builtin(  # type: ignore[untyped-decorator]
    name=pseudonyms.FUNCTION, signature=((dt.string, dt.int64), dt.int64)
)
def _pseudonym(kind: str, number: int) -> int:
    """The engine's own function, installed on the connection."""
    raise NotImplementedError


@ibis.udf.scalar.builtin(  # type: ignore[untyped-decorator]
    name=pseudonyms.PLACE, signature=((dt.int64,), PLACES)
)
def _place(number: int) -> int:
    """Another one."""
    raise NotImplementedError


@ibis.udf.scalar.builtin(  # type: ignore[untyped-decorator]
    name=pseudonyms.ROW_PLACE, signature=((PLACES, dt.int64), PLACES)
)
def _row_place(place: int, row: int) -> int:
    """Another one."""
    raise NotImplementedError


@ibis.udf.scalar.builtin(  # type: ignore[untyped-decorator]
    name=pseudonyms.TURN, signature=((PLACES,), dt.boolean)
)
def _has_turn(place: int) -> bool:
    """Another one."""
    raise NotImplementedError


def furnish(session: Session, room: Room, tables: Iterable[Table]) -> Mapping[str, BoundTable]:
    """Bind the visible `tables` on this connection, objections and grant applied."""
    excluded = exclude(session, room.objectors, room.catalogue)
    if room.own is not None:
        gather_own(session, room.own)
    if room.key is not None:
        pseudonyms.install(session, room.key)
    return {table.name: _bind(session, room, table, excluded) for table in tables}


def site_codes(
    session: Session, catalogue: Catalogue, grant: Grant
) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Codes and labels of the site's own code systems (centres, regions), of the granted centres only."""
    return {
        system.name: _codes(session, catalogue.tables["centres"], system.name, grant)
        for system in catalogue.code_systems.values()
        if system.site
    }


# --- tables ------------------------------------------------------------------------------------------------


def _bind(session: Session, room: Room, table: Table, excluded: Excluded) -> BoundTable:
    """What it is kept by is all it is made of: names and the limits of the grant, no secret."""
    full = room.catalogue.tables[table.name]
    key = (table, full, _limits(room.grant), room.key is not None, excluded, room.own and room.own.standing)
    session.bind(table.name, key, lambda: _granted_rows(room, table, excluded))
    if room.key is not None and PATIENT in _hidden(full):
        session.bind(table.name + IN_ORDER, key, lambda: _granted_rows(room, table, excluded, _in_own_order))
        session.bind(table.name + PLACED, key, lambda: _placed_rows(room, table, excluded, _placed))
        session.bind(table.name + IN_TURN, key, lambda: _placed_rows(room, table, excluded, _in_turn))
    schema = {**dict(visible_schema(table).items()), **_hidden(table)}
    return BoundTable(table, temporary(table.name, schema))


def _granted_rows(
    room: Room,
    table: Table,
    excluded: Excluded,
    ordered: Callable[[ibis.Table], ibis.Table] = lambda rows: rows,
) -> ibis.Table:
    full = room.catalogue.tables[table.name]
    rows = ordered(_seen(_warehouse_table(full), room, full, excluded))
    return rows.select(**_columns(rows, room, table))


def _placed_rows(
    room: Room, table: Table, excluded: Excluded, placed: Callable[[ibis.Table], ibis.Table]
) -> ibis.Table:
    """The same, each with its place in the project's order, for who puts them in it."""
    full = room.catalogue.tables[table.name]
    rows = placed(_seen(_numbered(full), room, full, excluded))
    return rows.select(**_columns(rows, room, table), **{PLACE: rows[PLACE]})


def _seen(rows: ibis.Table, room: Room, full: Table, excluded: Excluded) -> ibis.Table:
    rows = _within_grant(rows, full, room.grant)
    if room.own is not None:
        rows = own_rows(rows, full, room.own.standing)
    return without_objectors(rows, full, excluded)


def _columns(rows: ibis.Table, room: Room, table: Table) -> Mapping[str, ibis.Value]:
    shown = {column.name: _shown(rows, column, room.key) for column in table.columns}
    numbers = {PATIENT: _PATIENT_NO, PHYSICIAN: _PHYSICIAN_NO}
    full = room.catalogue.tables[table.name]
    return shown | {name: rows[numbers[name]].cast(dtype) for name, dtype in _hidden(full).items()}


def in_own_order(shown: ibis.Table) -> ibis.Table:
    """`shown`, rows of patients, out of tables in the project's own order. What counts needs no order, and
    pays for none."""
    tables = shown.op().find(ops.UnboundTable)
    ordered = {t: temporary(t.name + IN_ORDER, t.schema).op() for t in tables if PATIENT in t.schema}
    return shown.op().replace(ordered).to_expr() if ordered else shown


def _in_own_order(rows: ibis.Table) -> ibis.Table:
    """Storage keeps patients in the order of their numbers: a row's place would name the same person in every
    project."""
    return rows.order_by(_place(rows[_PATIENT_NO].cast("int64")))


def _placed(rows: ibis.Table) -> ibis.Table:
    """With their places: by patient, then as they are stored."""
    place = _place(rows[_PATIENT_NO].cast("int64"))
    return rows.mutate(**{PLACE: _row_place(place, rows[_ROW])})


def _in_turn(rows: ibis.Table) -> ibis.Table:
    """The same, of the patients alone whose turn it is."""
    turns = temporary(pseudonyms.TURNS, {pseudonyms.WHOSE: "int64", pseudonyms.THEIRS: PLACES})
    theirs = turns.filter(_has_turn(turns[pseudonyms.THEIRS]))
    joined = rows.join(theirs, rows[_PATIENT_NO].cast("int64") == theirs[pseudonyms.WHOSE])
    return joined.mutate(**{PLACE: _row_place(joined[pseudonyms.THEIRS], joined[_ROW])})


def _within_grant(rows: ibis.Table, full: Table, grant: Grant) -> ibis.Table:
    if grant.centres is not None and full.has("centre_id"):
        rows = rows.filter(rows["centre_id"].isin(sorted(grant.centres)))
    if full.date is not None and grant.date_from is not None:
        rows = rows.filter(rows[full.date] >= grant.date_from)
    if full.date is not None and grant.date_to is not None:
        rows = rows.filter(rows[full.date] <= grant.date_to)
    return rows


def _limits(grant: Grant) -> tuple[frozenset[str] | None, date | None, date | None]:
    """All that `_within_grant` looks at."""
    return grant.centres, grant.date_from, grant.date_to


def _shown(rows: ibis.Table, column: Column, key: ProjectKey | None) -> ibis.Value:
    value = rows[column.stored_as].cast(column.dtype)
    match column.role:
        case Role.PATIENT | Role.EVENT if key is not None:
            return _pseudonym(column.name, value.cast("int64")).cast(column.dtype)
        case Role.PATIENT | Role.EVENT | Role.CODE | Role.DATE | Role.NUMERIC | Role.RAW:
            return value
        case Role.PHYSICIAN | Role.INTERN:
            return value


def _hidden(table: Table) -> Mapping[str, str]:
    match table.unit:
        case Unit.PERSON:
            return {PATIENT: "int64", PHYSICIAN: "int32"}
        case Unit.PHYSICIAN:
            return {PHYSICIAN: "int32"}
        case Unit.PUBLIC | Unit.ENCLAVE:
            return {}


def _warehouse_table(full: Table) -> ibis.Table:
    return stored(full.name, {column.stored_as: column.dtype for column in full.columns})


def _numbered(full: Table) -> ibis.Table:
    """With DuckDB's own number of each row, under another name: it has that by no `*`."""
    columns = {column.stored_as: column.dtype for column in full.columns}
    rows = stored(full.name, {**columns, _ROWID: "int64"})
    return rows.select(*columns, **{_ROW: rows[_ROWID]})


# --- site code systems -------------------------------------------------------------------------------------


def _codes(session: Session, centres: Table, system: str, grant: Grant) -> tuple[tuple[str, str], ...]:
    """Kept by the centres and dates of the grant."""
    return session.kept.once(
        ("site codes", system, centres, _limits(grant)),
        lambda: _codes_found(session, centres, system, grant),
    )


def _codes_found(session: Session, centres: Table, system: str, grant: Grant) -> tuple[tuple[str, str], ...]:
    column = next((column.name for column in centres.columns if column.codes == system), None)
    if column is None:
        return ()
    rows = _within_grant(_warehouse_table(centres), centres, grant)
    label = rows[_SITE_LABELS.get(system, column)]
    pairs = rows.select(code=rows[column], label=label).distinct().order_by("code")
    found = session.ask(pairs)
    return tuple(
        (row["code"], row["label"] or row["code"]) for row in found.to_pylist() if row["code"] is not None
    )
