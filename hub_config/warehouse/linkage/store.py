"""What was linked of one population: its directory, its lock, its database. One process changes it at a time,
in one transaction; a new linkage replaces the old one."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from hub_config.warehouse.budget import LANDING
from hub_config.warehouse.landing.layout import create
from hub_config.warehouse.landing.store import Landing, attached, connected, landings
from hub_config.warehouse.purging import Objector, note_rewrite_due, purge_for_good, rewrite_if_due
from hub_config.warehouse.schema import PATIENT, clustering, duckdb_type, quoted
from hub_config.warehouse.snapshot import Building
from p4dp_sdk.catalogue.model import Catalogue, Table

DATABASE: Final = "linkage.duckdb"
OWNED: Final = ("physician_no", "centre_id")  # of the person, as the snapshot has them


@dataclass(frozen=True)
class Linkage:
    root: Path
    population: str

    @property
    def room(self) -> Landing:
        """Its place beside the landed sources, for the lock; it is none of them."""
        return Landing.of(self.root, f"{self.population}.snds")

    @property
    def database(self) -> Path:
        return self.room.directory / DATABASE

    @contextmanager
    def changing(self, what: str, catalogue: Catalogue) -> Iterator[duckdb.DuckDBPyConnection]:
        """Its tables, held alone; copied at the end, however it ends, without what was deleted from them or
        taken back. Raises Busy."""
        with self.room.held(what):
            try:
                with self.opened(catalogue) as connection:
                    note_rewrite_due(self.database)
                    yield connection
            finally:
                rewrite_if_due(self.database)

    @contextmanager
    def opened(self, catalogue: Catalogue) -> Iterator[duckdb.DuckDBPyConnection]:
        """Its tables. Under `room.held` only."""
        with closing(connected(self.database, self.room.directory / "tmp")) as connection:
            self.database.chmod(0o600)
            for table in linked_tables(catalogue):
                connection.execute(create(table.name, stored(table)))
            yield connection

    def persons(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Everybody landed of the population as the temporary table `patients`."""
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE patients "
            "(patient_no BIGINT, physician_no INTEGER, centre_id VARCHAR, birth_month DATE)"
        )
        for landing in landings(self.root):
            if landing.population == self.population:
                with landing.attached(connection, "landed"):
                    connection.execute(
                        "INSERT INTO patients SELECT patient_no, physician_no, centre_id, birth_month "
                        "FROM landed.patients WHERE patient_no NOT IN (SELECT patient_no FROM patients)"
                    )


def linked_tables(catalogue: Catalogue) -> Iterator[Table]:
    return (table for table in catalogue.tables.values() if table.snds)


def stored(table: Table) -> dict[str, str]:
    """The columns that a linkage brings, by physical name."""
    return {
        column.stored_as: duckdb_type(column) for column in table.columns if column.stored_as not in OWNED
    }


def leave_out_linked(linkage: Linkage, objectors: Collection[Objector], catalogue: Catalogue) -> None:
    """Delete what was linked of `objectors`; before the same is done to what was landed, which tells whose
    patients are whose."""
    if not objectors or not linkage.database.exists():
        return
    with linkage.room.held("objections"):
        with linkage.opened(catalogue) as connection:
            linkage.persons(connection)
            purge_for_good(connection, linkage.database, catalogue, objectors)
        rewrite_if_due(linkage.database)


def fingerprint(linkage: Linkage) -> str:
    """The same for the same linked rows, whatever their order; empty where nothing was ever linked. Raises
    Busy."""
    if not linkage.database.exists():
        return ""
    database = str(linkage.database)
    with (
        linkage.room.held("a snapshot"),
        closing(duckdb.connect(database, read_only=True, config=LANDING.config())) as connection,
    ):
        return _fingerprint(connection, "main", _tables(connection, Path(database).stem))


def _fingerprint(
    connection: duckdb.DuckDBPyConnection, schema: str, there: Mapping[str, Collection[str]]
) -> str:
    digest = hashlib.sha256()
    for table, columns in sorted(there.items()):
        listed = ", ".join(quoted(column) for column in sorted(columns))
        row = connection.execute(
            f"SELECT count(*), sum(CAST(hash({listed}) AS HUGEINT)) FROM {schema}.{quoted(table)}"  # noqa: S608
        ).fetchone()
        digest.update(repr((table, sorted(columns), row)).encode())
    return digest.hexdigest()


def fill_linked(building: Building, root: Path) -> str:
    """Put what was linked of the population into a snapshot that has its patients: under their GP and
    centre there. Gives its fingerprint."""
    linkage = Linkage(root, building.population)
    if not linkage.database.exists():
        return ""
    with linkage.room.held("a snapshot"), attached(building.connection, linkage.database, "linked"):
        there = _tables(building.connection, "linked")
        for table in linked_tables(building.catalogue):
            if table.name in there:
                _fill(building.connection, table, there[table.name])
        return _fingerprint(building.connection, "linked", there)


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, set[str]]:
    """An older linkage may lack what the catalogue has gained."""
    found = connection.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns() WHERE database_name = ? GROUP BY 1",
        [database],
    )
    return {name: set(columns) for name, columns in found.fetchall()}


def _fill(connection: duckdb.DuckDBPyConnection, table: Table, there: set[str]) -> None:
    columns = ", ".join(f"l.{quoted(name)}" for name in stored(table) if name in there)
    connection.execute(
        f"INSERT INTO {quoted(table.name)} BY NAME "  # noqa: S608
        f"SELECT p.physician_no, p.centre_id, {columns} FROM linked.{quoted(table.name)} l "
        f"JOIN patients p USING ({PATIENT}) ORDER BY {clustering(table)}"
    )
