"""What a load judged good becomes landed: all of it in one transaction, or nothing.

A record with a key replaces the one landed under it, where it says something else, be it another person;
which of two statements counts was decided before (`loader.succession`, `loader.claims`). A row without key
that equals one landed from another file is not added again: of the equal rows of one file as many stay as the
file with most of them had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from hub_config.warehouse.budget import LANDING
from hub_config.warehouse.landing.layout import (
    CONTESTED,
    JOURNAL,
    PASSED_OVER,
    fact_columns,
    fact_tables,
    landed_tables,
    names,
)
from hub_config.warehouse.landing.memory import give_back
from hub_config.warehouse.landing.store import attached
from hub_config.warehouse.schema import PATIENT, literal, quoted
from p4dp_sdk.catalogue.model import Catalogue, Table

# Staged rows that are compared with the landed ones at once: what DuckDB joins of them must fit in a budget.
AT_ONCE: Final = 10_000_000
_SAID_BY_PATIENTS: Final = (
    "physician_no",
    "centre_id",
    "sex",
    "birth_month",
    "age",
    "age_on",
    "death_month",
    "death_source",
)


@dataclass(frozen=True)
class Entry:
    """What the journal says of a load. `files` are rows of the journal's table without their load; `rejected`
    are found in the stage, by the index of a file in `files`."""

    load: int
    at: str
    mapping: str
    codes: str
    population: str
    public: bool
    invented: bool
    reference_date: date
    dates: tuple[date, date]
    afresh: bool
    restated: bool
    death_source: str | None
    centres: tuple[tuple[str, str, str], ...]
    differ: tuple[tuple[str, str, str, str], ...]
    files: tuple[tuple[str, str, str, int, int, int, bool, datetime | None], ...]


@dataclass(frozen=True)
class Change:
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0  # of records that two persons claim
    moved: int = 0  # to another person, by a newer export
    older: int = 0  # than what is landed: passed over

    @property
    def any(self) -> bool:
        return bool(self.added or self.updated or self.removed or self.moved)


def apply(
    connection: duckdb.DuckDBPyConnection, stage: Path, catalogue: Catalogue, source: str, entry: Entry
) -> Mapping[str, Change]:
    """The changes by table. `connection` is that of the landing, `stage` the load's own database."""
    with attached(connection, stage, "stage"):
        give_back(connection, LANDING)  # what reading left
        connection.execute("BEGIN")
        try:
            changes = _Application(connection, catalogue, source, entry).run()
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")
    return changes


@dataclass(frozen=True)
class _Application:
    connection: duckdb.DuckDBPyConnection
    catalogue: Catalogue
    source: str
    entry: Entry

    def run(self) -> Mapping[str, Change]:
        if self.entry.afresh:
            self._forget()
        changes = {"patients": self._patients()}
        staged = self._staged()
        for table in fact_tables(self.catalogue):
            if table.name in staged:
                changes[table.name] = self._facts(table)
                give_back(self.connection, LANDING)
        self._people()
        self._exports([table for table in fact_tables(self.catalogue) if table.name in staged])
        self._journal(changes)
        return changes

    def _staged(self) -> set[str]:
        query = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'stage'"
        return {row[0] for row in self._execute(query).fetchall()}

    def _forget(self) -> None:
        for table in (
            *landed_tables(self.catalogue),
            "rejected",
            "exports",
            "physicians",
            "centres",
            "differ",
            CONTESTED,
        ):
            self._execute(f"DELETE FROM {quoted(table)}")  # noqa: S608
        self._execute("UPDATE files SET read = false")

    def _patients(self) -> Change:
        """A death that is known stays known: later exports may no longer say it."""
        differs = " OR ".join(f"i.{name} IS DISTINCT FROM l.{name}" for name in _SAID_BY_PATIENTS)
        self._make(
            "incoming_patients",
            "SELECT i.*, l.first_load, l.patient_no IS NULL AS new, "  # noqa: S608
            f"l.patient_no IS NOT NULL AND ({differs}) AS changed "
            f"FROM ({self._said_of_patients()}) i LEFT JOIN patients l USING (patient_no)",
        )
        change = self._counted(
            "SELECT count(*) FILTER (new), count(*) FILTER (changed), count(*) FILTER (NOT new AND NOT "
            "changed) "
            "FROM incoming_patients"
        )
        self._execute(
            "DELETE FROM patients WHERE patient_no IN (SELECT patient_no FROM incoming_patients WHERE "
            "changed)"
        )
        columns = ", ".join(("patient_no", *_SAID_BY_PATIENTS))
        self._execute(
            f"INSERT INTO patients BY NAME SELECT {columns}, 'ok' AS dq_code, "  # noqa: S608
            f"coalesce(first_load, {self.entry.load}) AS first_load, {self.entry.load} AS last_load "
            "FROM incoming_patients WHERE new OR changed"
        )
        return change

    def _said_of_patients(self) -> str:
        """Persons of the load, their dates to the month; and those landed before whose death it brings."""
        month = "CAST(date_trunc('month', {}) AS DATE)"
        death = month.format("e.death")
        on = f"DATE {literal(self.entry.reference_date.isoformat())}"
        source = literal(self.entry.death_source) if self.entry.death_source else "NULL"
        before = ", ".join(f"l.{name}" for name in _SAID_BY_PATIENTS if not name.startswith("death"))
        return (
            f"SELECT p.patient_no, p.physician_no, p.centre_id, p.sex, {month.format('p.birth')} AS "  # noqa: S608
            f"birth_month, "
            f"p.age, {on} AS age_on, coalesce({death}, l.death_month) AS death_month, "
            f"coalesce(l.death_source, CASE WHEN {death} IS NOT NULL THEN {source} END) AS death_source "
            "FROM stage.persons p JOIN stage.everybody e USING (patient_no) "
            "LEFT JOIN patients l ON l.patient_no = p.patient_no "
            f"UNION ALL SELECT l.patient_no, {before}, {death}, coalesce(l.death_source, {source}) FROM "
            f"patients l "
            "JOIN stage.everybody e ON e.patient_no = l.patient_no "
            f"WHERE {death} IS DISTINCT FROM l.death_month "
            "AND l.patient_no NOT IN (SELECT patient_no FROM stage.persons)"
        )

    def _facts(self, table: Table) -> Change:
        removed, older = self._contested(table), self._older(table)
        (rows,) = self._row(f"SELECT count(*) FROM stage.{quoted(table.name)}")  # noqa: S608
        parts = rows // AT_ONCE + 1
        changes = [self._part(table, part, parts) for part in range(parts)]
        return Change(
            added=sum(each.added for each in changes),
            updated=sum(each.updated for each in changes),
            unchanged=sum(each.unchanged for each in changes),
            removed=removed,
            moved=sum(each.moved for each in changes),
            older=older,
        )

    def _part(self, table: Table, part: int, parts: int) -> Change:
        """The staged rows of some keys: each key is in one part, with all that is said under it."""
        name, columns = quoted(table.name), names(fact_columns(table))
        staged = f"stage.{name}"
        if parts > 1:
            staged = f"(SELECT * FROM {staged} WHERE record_key % {parts} = {part})"  # noqa: S608
        self._incoming(staged)
        self._make(
            "same",
            "SELECT i.record_key, l.content_key = i.content_key AS equal, l.first_load, "  # noqa: S608
            f"l.{PATIENT} <> i.{PATIENT} AS moved "
            f"FROM incoming i JOIN {name} l USING (record_key)",
        )
        change = self._counted(
            "SELECT (SELECT count(*) FROM incoming) - count(*), "
            "count(*) FILTER (NOT equal AND NOT moved), count(*) FILTER (equal), 0, count(*) FILTER (moved) "
            "FROM same"
        )
        self._execute(
            f"DELETE FROM {name} WHERE record_key IN (SELECT record_key FROM same WHERE NOT equal)"  # noqa: S608
        )
        self._execute(
            f"INSERT INTO {name} BY NAME SELECT {columns}, "  # noqa: S608
            f"coalesce(same.first_load, {self.entry.load}) AS first_load, {self.entry.load} AS last_load "
            "FROM incoming LEFT JOIN same USING (record_key) WHERE same.equal IS NOT true"
        )
        return change

    def _older(self, table: Table) -> int:
        """How many rows were passed over."""
        of_table = f'FROM stage.{PASSED_OVER} WHERE "table" = {literal(table.name)}'
        (rows,) = self._row(f"SELECT coalesce(sum(rows), 0) {of_table}")
        return int(rows)

    def _contested(self, table: Table) -> int:
        """The landed rows of records that two persons claim now go, and the records are remembered."""
        theirs = f'FROM stage.{CONTESTED} WHERE "table" = {literal(table.name)}'
        gone = self._execute(
            f"DELETE FROM {quoted(table.name)} WHERE record_key IN (SELECT record_key {theirs})"  # noqa: S608
        ).fetchone()
        self._execute(f"INSERT INTO {CONTESTED} SELECT * {theirs} EXCEPT SELECT * FROM {CONTESTED}")  # noqa: S608
        return int(gone[0]) if gone else 0

    def _incoming(self, staged: str) -> None:
        """The staged rows under keys that no two of them share. Only the rows that share one are sorted."""
        self._make("shared", f"SELECT record_key FROM {staged} GROUP BY record_key HAVING count(*) > 1")  # noqa: S608
        place = "row_number() OVER (PARTITION BY record_key, file ORDER BY ordinal)"
        nth = f"CASE WHEN keyed THEN 1 ELSE {place} END"
        numbered = f"SELECT *, {nth} AS nth FROM {staged} SEMI JOIN shared USING (record_key)"  # noqa: S608
        key = "CASE WHEN nth > 1 THEN md5_number(concat(record_key, '#', nth)) ELSE record_key END"
        self._make(
            "renamed",
            f"SELECT * EXCLUDE (nth) REPLACE ({key} AS record_key) FROM ({numbered}) "  # noqa: S608
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY file DESC) = 1",
        )
        self._execute(
            f"CREATE OR REPLACE TEMP VIEW incoming AS SELECT * FROM {staged} ANTI JOIN shared USING "  # noqa: S608
            f"(record_key) "
            "UNION ALL BY NAME SELECT * FROM renamed"
        )

    def _people(self) -> None:
        """Centres as the mapping has them now; of a GP without patients the last centre stays."""
        for centre in self.entry.centres:
            self._execute("DELETE FROM centres WHERE centre_id = ?", [centre[0]])
            self._execute("INSERT INTO centres VALUES (?, ?, ?)", list(centre))
        self._execute(
            "DELETE FROM physicians WHERE physician_no IN (SELECT physician_no FROM stage.practices)"
        )
        self._execute("INSERT INTO physicians SELECT physician_no, centre_id FROM stage.practices")

    def _exports(self, tables: list[Table]) -> None:
        """What each practice exported in this load, for the time it is under observation; nothing where the
        source doesn't say when it was exported."""
        dated = [(quoted(table.name), table.column(table.date).stored_as) for table in tables if table.date]
        every = " UNION ALL ".join(
            f"SELECT physician_no, centre_id, {quoted(on)} AS day FROM stage.{name}"  # noqa: S608
            for name, on in dated
        )
        if not every:
            return
        self._execute(
            f"INSERT INTO exports BY NAME SELECT {self.entry.load} AS load, {literal(self.source)} AS "  # noqa: S608
            f"source, "
            "p.physician_no, p.centre_id, x.exported_on, x.software, p.first_event, p.last_event, "
            "p.rows FROM "
            "(SELECT physician_no, mode(centre_id) AS centre_id, min(day) AS first_event, "
            f"max(day) AS last_event, count(*) AS rows FROM ({every}) "
            "WHERE physician_no IS NOT NULL GROUP BY physician_no) p "
            "JOIN stage.exports_read x ON coalesce(x.physician_no, p.physician_no) = p.physician_no"
        )

    def _journal(self, changes: Mapping[str, Change]) -> None:
        entry = self.entry
        changed = entry.afresh or entry.restated or any(each.any for each in changes.values())
        told = (
            entry.load,
            entry.at,
            entry.mapping,
            entry.codes,
            entry.population,
            entry.public,
            entry.invented,
        )
        self._append("loads", [(*told, entry.reference_date, *entry.dates, changed)])
        self._append("files", [(entry.load, *file) for file in entry.files])
        self._append(
            "changes",
            [
                (
                    entry.load,
                    table,
                    *(each.added, each.updated, each.unchanged, each.removed, each.moved, each.older),
                )
                for table, each in changes.items()
            ],
        )
        for pair in entry.differ:
            self._execute("INSERT INTO differ SELECT ?, ?, ?, ? EXCEPT SELECT * FROM differ", list(pair))
        self._rejected()

    def _rejected(self) -> None:
        """Of the files that were read; what an earlier reading of the same bytes said is replaced."""
        for index, (file, _, sha256, *_, read, _) in enumerate(self.entry.files):
            if read:
                self._execute("DELETE FROM rejected WHERE sha256 = ? AND file = ?", [sha256, file])
                self._execute(
                    "INSERT INTO rejected BY NAME "
                    'SELECT DISTINCT ? AS sha256, ? AS file, line, record, rule, "column" '
                    "FROM stage.rejected WHERE file = ?",
                    [sha256, file, index],
                )

    def _append(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            marks = ", ".join("?" for _ in JOURNAL[table])
            self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608

    def _counted(self, query: str) -> Change:
        return Change(*self._row(query))

    def _row(self, query: str) -> tuple[Any, ...]:
        return self._execute(query).fetchone() or ()

    def _make(self, name: str, query: str) -> None:
        self._execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

    def _execute(self, query: str, values: list[Any] | None = None) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(query, values) if values else self.connection.execute(query)
