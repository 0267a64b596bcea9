"""Leaves who objected out of a snapshot that is being made, or out of what was landed: no row of theirs goes
in, and none is left in the file's free blocks.

Whoever calls hands the objectors in, by the numbers of this numbering; nothing here knows where they are on
record. A physician goes with their own patients, as the gateway hides them. Who objects to the future keeps
what is dated up to that day: of a date known to the month or the year, the last day it may mean counts, and a
row without a date can't be shown to be earlier. What began before the day and was learnt after it (the end of
a stay, a death) is as it was then; a linkage is of the day it was made; and observation ends as
`derived.until` says. Of a snapshot's objectors nothing is left but the number in `objections`.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.budget import FREEZING
from hub_config.warehouse.derived.practices import NO_PHYSICIAN
from hub_config.warehouse.derived.until import Stored, tabled
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.schema import PATIENT, literal, quoted
from p4dp_sdk.catalogue.model import Catalogue, Table

_PHYSICIAN: Final = "physician_no"
_OBJECTIONS: Final = "objections"
DATED_BY: Final[Mapping[str, str]] = {"exports": "exported_on", "snds_link": "linked_on"}
"""Tables of which a day is known, though the catalogue dates no event there."""
MONTHLY: Final = frozenset({"practice_months"})
"""Tables whose rows are each of a whole month."""
_NEVER: Final = "DATE '9999-12-31'"
_GIVEN: Final = pa.schema([(PATIENT, pa.int64()), (_PHYSICIAN, pa.int64()), ("until", pa.date32())])
# Who goes, and who stays up to which day. Patients of an objecting physician are found in `patients`.
_NOTED: Final = (
    """CREATE OR REPLACE TEMP TABLE gone_physicians AS
        SELECT physician_no FROM given_objectors WHERE physician_no IS NOT NULL AND until IS NULL""",
    """CREATE OR REPLACE TEMP TABLE gone_patients AS
        SELECT patient_no FROM given_objectors WHERE patient_no IS NOT NULL AND until IS NULL
        UNION SELECT patient_no FROM patients SEMI JOIN gone_physicians USING (physician_no)""",
    """CREATE OR REPLACE TEMP TABLE until_physicians AS
        SELECT physician_no, min(until) AS until FROM given_objectors
        WHERE physician_no IS NOT NULL AND until IS NOT NULL GROUP BY ALL""",
    """CREATE OR REPLACE TEMP TABLE until_patients AS
        SELECT patient_no, min(until) AS until FROM (
            SELECT patient_no, until FROM given_objectors WHERE patient_no IS NOT NULL AND until IS NOT NULL
            UNION ALL SELECT patient_no, until FROM patients JOIN until_physicians USING (physician_no)
        ) GROUP BY ALL""",
)
OBSERVED: Final = "observation_periods"
"""The table whose rows are known by the practice's days, not by their own."""
_PRACTICE: Final = f"coalesce(physician_no, {NO_PHYSICIAN}) AS practice"
_OBSERVED: Final = f"""SELECT patient_no, {_PRACTICE}, start_date, end_date, end_reason
    FROM {OBSERVED} SEMI JOIN until_patients USING (patient_no)"""  # noqa: S608
_ENDS: Final = f"""SELECT {_PRACTICE}, end_date, end_reason, count(*) AS n FROM {OBSERVED}
    WHERE practice IN (SELECT practice FROM ({_OBSERVED})) GROUP BY ALL"""  # noqa: S608
_EXPORTS: Final = f"""SELECT {_PRACTICE}, exported_on, last_event FROM exports
    WHERE practice IN (SELECT practice FROM ({_OBSERVED}))"""  # noqa: S608
_NO_EXPORTS: Final = (
    f"SELECT {NO_PHYSICIAN} AS practice, {_NEVER} AS exported_on, {_NEVER} AS last_event LIMIT 0"
)
_ENDED: Final = (
    f"""DELETE FROM {OBSERVED} AS r USING known_periods AS k
        WHERE r.patient_no = k.patient_no AND coalesce(r.start_date, {_NEVER}) = k.start_date
            AND coalesce(r.end_date, {_NEVER}) = k.was AND NOT k.is_known""",  # noqa: S608
    f"""UPDATE {OBSERVED} AS r SET end_date = k.until, end_reason = k.why FROM known_periods AS k
        WHERE r.patient_no = k.patient_no AND r.start_date = k.start_date
            AND coalesce(r.end_date, {_NEVER}) = k.was AND k.is_known
            AND (r.end_date, r.end_reason) IS DISTINCT FROM (k.until, k.why)""",  # noqa: S608
)
_SHORTENED: Final = {
    "patients": """UPDATE patients AS r SET death_month = NULL, death_source = NULL
        FROM until_patients AS u
        WHERE r.patient_no = u.patient_no AND last_day(r.death_month) > u.until""",
    "snds_link": """UPDATE snds_link AS r SET death_month = NULL, death_source = NULL
        FROM until_patients AS u
        WHERE r.patient_no = u.patient_no AND last_day(r.death_month) > u.until""",
    "snds_stays": """UPDATE snds_stays AS r SET exit_date = NULL, length_days = NULL
        FROM until_patients AS u
        WHERE r.patient_no = u.patient_no AND (r.exit_date IS NULL OR r.exit_date > u.until)
            AND (r.exit_date IS NOT NULL OR r.length_days IS NOT NULL)""",
}
"""What begins up to the day and was learnt after it: the end of a stay, and a death."""


@dataclass(frozen=True)
class Objector:
    """A patient or physician, by dense number. `until`: the day of an objection to the future only; None: of
    all."""

    kind: Kind
    number: int = field(repr=False)
    until: date | None = None


def purge_objectors(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, objectors: Collection[Objector]
) -> Mapping[str, int]:
    """Delete what may not be kept from every table of this database that names a patient or a physician; the
    rows that went, or changed, by table. May be called again: then it finds nothing."""
    if not objectors:
        return {}
    tables = dict(_tables(connection))
    _note(connection, objectors, tables.keys())
    gone = {name: _delete(connection, name, columns, catalogue) for name, columns in tables.items()}
    if OBSERVED in tables:
        gone[OBSERVED] += sum(_changed(connection, statement) for statement in _ENDED)
    for name in tables.keys() & _SHORTENED:
        gone[name] += _changed(connection, _SHORTENED[name])
    for name, deleted in _delete_who_came_later(connection, tables, catalogue):
        gone[name] += deleted
    return {name: rows for name, rows in gone.items() if rows}


def keep_numbers(connection: duckdb.DuckDBPyConnection, objectors: Iterable[Objector]) -> None:
    """Have the snapshot's own `objections` name those of whom it holds nothing: wherever it is taken, nobody
    adds them unseen."""
    whole = [each for each in objectors if each.until is None]
    if not whole:
        return
    for column, kind in ((PATIENT, Kind.PATIENT), (_PHYSICIAN, Kind.PHYSICIAN)):
        numbers = pa.table({"n": pa.array(sorted(o.number for o in whole if o.kind is kind), pa.int64())})
        connection.register("objectors_kept", numbers)
        connection.execute(
            f"INSERT INTO {_OBJECTIONS} ({column})"  # noqa: S608
            f" SELECT n FROM objectors_kept WHERE n NOT IN"
            f" (SELECT {column} FROM {_OBJECTIONS} WHERE {column} IS NOT NULL)"
        )
        connection.unregister("objectors_kept")


def purge_for_good(
    connection: duckdb.DuckDBPyConnection,
    database: Path,
    catalogue: Catalogue,
    objectors: Collection[Objector],
) -> None:
    """Purge `database`, open as `connection`, in one transaction. Once it is closed it is due to be copied:
    noted before anything is deleted for good, so that a kill in between is made up for."""
    connection.execute("BEGIN")
    if purge_objectors(connection, catalogue, objectors):
        note_rewrite_due(database)
    connection.execute("COMMIT")
    connection.execute("CHECKPOINT")


def note_rewrite_due(database: Path) -> None:
    """Before anything that may not stay in its free blocks is deleted."""
    _due(database).touch(mode=0o600)


def rewrite_if_due(database: Path) -> None:
    """Copy a closed database that was purged, by this process or by one that was killed. Under the lock that
    it was purged under: what is written meanwhile would be lost."""
    due = _due(database)
    if due.exists():
        rewrite(database)
        due.unlink()


def _due(database: Path) -> Path:
    return database.with_name(f"{database.name}.rewrite-due")


def rewrite(database: Path) -> None:
    """Copy a closed database without what was deleted from it: DuckDB leaves old blocks as they were."""
    fresh, spill = (database.with_name(f"{database.name}.{end}") for end in ("fresh", "spill"))
    fresh.unlink(missing_ok=True)  # of a copy that was killed
    with duckdb.connect(":memory:", config=FREEZING.config(spill)) as connection:
        connection.execute(f"ATTACH {literal(str(database))} AS old (READ_ONLY)")
        connection.execute(f"ATTACH {literal(str(fresh))} AS fresh")
        connection.execute("COPY FROM DATABASE old TO fresh")
    shutil.rmtree(spill, ignore_errors=True)
    fresh.chmod(database.stat().st_mode)
    fresh.replace(database)


# --- who ---------------------------------------------------------------------------------------------------


def _note(
    connection: duckdb.DuckDBPyConnection, objectors: Collection[Objector], tables: Collection[str]
) -> None:
    rows = [
        {
            PATIENT: each.number if each.kind is Kind.PATIENT else None,
            _PHYSICIAN: each.number if each.kind is Kind.PHYSICIAN else None,
            "until": each.until,
        }
        for each in objectors
    ]
    connection.register("given_objectors", pa.Table.from_pylist(rows, _GIVEN))
    for statement in _NOTED:
        connection.execute(statement)
    connection.unregister("given_objectors")
    if OBSERVED in tables:
        _note_observation(connection, "exports" in tables)


def _note_observation(connection: duckdb.DuckDBPyConnection, exported: bool) -> None:
    """Which periods are known, and until when: told by the practices' rows before any goes."""
    queries = (_OBSERVED, _ENDS, _EXPORTS if exported else _NO_EXPORTS)
    stored = Stored(*(connection.execute(query).to_arrow_table() for query in queries))
    patients, physicians = (
        dict(connection.execute(f"SELECT * FROM until_{who}").fetchall())  # noqa: S608
        for who in ("patients", "physicians")
    )
    connection.register("known_given", tabled(stored, patients, physicians))
    connection.execute("CREATE OR REPLACE TEMP TABLE known_periods AS SELECT * FROM known_given")
    connection.unregister("known_given")


# --- what --------------------------------------------------------------------------------------------------


def _tables(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, frozenset[str]]]:
    """Every table that names a patient or a physician, whoever made it, with its columns. The patients come
    last: others are told by them whose they are."""
    found = connection.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns()"
        " WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal"
        " GROUP BY table_name ORDER BY table_name = 'patients', table_name"
    ).fetchall()
    for name, columns in found:
        if name != _OBJECTIONS and {PATIENT, _PHYSICIAN} & set(columns):
            yield name, frozenset(columns)


def _delete(
    connection: duckdb.DuckDBPyConnection, name: str, columns: frozenset[str], catalogue: Catalogue
) -> int:
    last = _last_day(name, columns, catalogue.tables.get(name))
    deleted = 0
    for column, who in ((PATIENT, "patients"), (_PHYSICIAN, "physicians")):
        if column not in columns:
            continue
        theirs = f"{column} IN (SELECT {column} FROM gone_{who})"  # noqa: S608
        deleted += _changed(connection, f"DELETE FROM {quoted(name)} WHERE {theirs}")  # noqa: S608
        if last is not None and (name, column) != (OBSERVED, PATIENT):
            deleted += _changed(
                connection,
                f"DELETE FROM {quoted(name)} AS r USING until_{who} AS u"  # noqa: S608
                f" WHERE r.{column} = u.{column} AND {last} > u.until",
            )
    return deleted


def _last_day(name: str, columns: frozenset[str], table: Table | None) -> str | None:
    """The last day a row may be of; None where the table's rows are of no day."""
    day = DATED_BY.get(name) or (table.column(table.date).stored_as if table and table.date else None)
    if day is None or day not in columns:
        return None
    if name in MONTHLY:
        return f"coalesce(last_day({day}), {_NEVER})"
    if "date_precision" not in columns:
        return f"coalesce({day}, {_NEVER})"
    return (
        f"coalesce(CASE date_precision WHEN 'month' THEN last_day({day})"
        f" WHEN 'year' THEN make_date(year({day}), 12, 31)"
        f" WHEN 'unknown' THEN {_NEVER} ELSE {day} END, {_NEVER})"
    )


def _delete_who_came_later(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, frozenset[str]], catalogue: Catalogue
) -> Iterator[tuple[str, int]]:
    """Of whom nothing is dated up to the day, nothing was there before: all else of theirs goes too."""
    theirs = {name: columns for name, columns in tables.items() if PATIENT in columns}
    dated = [name for name, columns in theirs.items() if _last_day(name, columns, catalogue.tables.get(name))]
    connection.execute("CREATE OR REPLACE TEMP TABLE later_patients AS SELECT patient_no FROM until_patients")
    for name in dated:
        connection.execute(
            f"DELETE FROM later_patients WHERE patient_no IN (SELECT patient_no FROM {quoted(name)})"  # noqa: S608
        )
    for name in theirs.keys() - set(dated):
        yield (
            name,
            _changed(
                connection,
                f"DELETE FROM {quoted(name)} WHERE {PATIENT} IN (SELECT {PATIENT} FROM later_patients)",  # noqa: S608
            ),
        )


def _changed(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0
