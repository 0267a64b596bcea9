"""Takes in a linkage: who is meant by each pseudonym is worked out here and nowhere else, and forgotten.

A pseudonym becomes a number by naming everybody landed as the project names them. All of it in one
transaction, or nothing: a kill leaves the earlier linkage as it was.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from hub_config.keys import write_private
from hub_config.project_keys import ProjectKey
from hub_config.warehouse.landing.store import LandingProblem
from hub_config.warehouse.linkage.files import FILES
from hub_config.warehouse.linkage.rates import Counted, as_rows, protected
from hub_config.warehouse.linkage.reading import NAMES, REJECTED, LinkedRows
from hub_config.warehouse.linkage.store import Linkage, linked_tables
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.purging import Objector, purge_objectors
from hub_config.warehouse.schema import literal, quoted
from p4dp_sdk.catalogue.model import Catalogue

REPORT: Final = "report.json"
LISTING: Final = "rejected.csv"
_MOST_UNKNOWN: Final = 0.2
_KIND: Final = "patient_id"


class LinkageRefused(WarehouseProblem):
    """The files are not a linkage of this project's persons; nothing was kept of them."""


@dataclass(frozen=True)
class Linked:
    """What a linkage brought: rows by table, lines set aside by rule, and the match rate."""

    rows: Mapping[str, int]
    rejected: Mapping[str, int]
    rates: tuple[Counted, ...]
    directory: Path


def link(
    directory: Path,
    linkage: Linkage,
    key: ProjectKey,
    catalogue: Catalogue,
    *,
    objectors: Collection[Objector] = (),
    last: date,
) -> Linked:
    """The files of `directory` as the population's linkage, which replaces an earlier one. Nothing is kept of
    `objectors`.

    Raises LinkageRefused when many pseudonyms are nobody's, SourceProblem for a file that can't be read,
    Busy, LandingProblem where nobody of the population is landed.
    """
    with linkage.changing("linking the SNDS", catalogue) as connection:
        linkage.persons(connection)
        _name_everybody(connection, linkage, key)
        connection.execute("BEGIN")
        try:
            _read(connection, directory, catalogue, last)
            purge_objectors(connection, catalogue, objectors)
            linked = _told(connection, linkage, catalogue)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")
    _write_report(linked)
    return linked


def _name_everybody(connection: duckdb.DuckDBPyConnection, linkage: Linkage, key: ProjectKey) -> None:
    """In memory: as the project calls each of the persons landed."""
    numbers = connection.execute("SELECT patient_no FROM patients").to_arrow_table().column(0)
    if not len(numbers):
        raise LandingProblem(
            f"Nobody of population {linkage.population} is landed: load their practices first."
        )
    names = pa.array([key.pseudonym(_KIND, number) for number in numbers.to_pylist()], pa.int64())
    connection.register("named", pa.table({"pseudonym": names, "patient_no": numbers}))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {NAMES} AS SELECT * FROM named")  # noqa: S608
    connection.unregister("named")


def _read(connection: duckdb.DuckDBPyConnection, directory: Path, catalogue: Catalogue, last: date) -> None:
    listed = '(file VARCHAR, line BIGINT, rule VARCHAR, "column" VARCHAR)'
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {REJECTED} {listed}")
    for table in linked_tables(catalogue):
        connection.execute(f"DELETE FROM {quoted(table.name)}")  # noqa: S608
    for given in FILES:
        count = LinkedRows(connection, directory, given, catalogue, last).read()
        if given.table == "snds_link":
            _require_mostly_known(connection, given.file.path, count)
            _keep_first(connection)
        else:
            _keep_linked(connection, given.table)


def _told(connection: duckdb.DuckDBPyConnection, linkage: Linkage, catalogue: Catalogue) -> Linked:
    names = [table.name for table in linked_tables(catalogue)]
    rows = {name: _one(connection, f"SELECT count(*) FROM {quoted(name)}") for name in names}  # noqa: S608
    rejected = connection.execute(f"SELECT rule, count(*) FROM {REJECTED} GROUP BY 1 ORDER BY 1").fetchall()  # noqa: S608
    listing = literal(str(linkage.room.directory / LISTING))
    connection.execute(f"COPY (SELECT * FROM {REJECTED} ORDER BY ALL) TO {listing} (FORMAT csv, HEADER)")  # noqa: S608
    return Linked(rows, dict(rejected), _rates(connection), linkage.room.directory)


def _require_mostly_known(connection: duckdb.DuckDBPyConnection, file: str, count: int) -> None:
    unknown = _one(
        connection,
        f"SELECT count(*) FROM {REJECTED} WHERE file = {literal(file)} "  # noqa: S608
        f"AND rule = {literal(Rule.UNKNOWN_PSEUDONYM)}",
    )
    if unknown > _MOST_UNKNOWN * count:
        raise LinkageRefused(
            f"{file}: {unknown:,} of {count:,} pseudonyms are of nobody here, so nothing was kept. Check "
            "--project: pseudonyms of another project, or of another enclave, name nobody."
        )


def _keep_first(connection: duckdb.DuckDBPyConnection) -> None:
    """One row a person."""
    connection.execute(
        "DELETE FROM snds_link WHERE rowid NOT IN (SELECT min(rowid) FROM snds_link GROUP BY patient_no)"
    )


def _keep_linked(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Whoever was not found has no rows."""
    connection.execute(
        f"DELETE FROM {quoted(table)} WHERE patient_no NOT IN "  # noqa: S608
        "(SELECT patient_no FROM snds_link WHERE status = 'linked')"
    )


def _rates(connection: duckdb.DuckDBPyConnection) -> tuple[Counted, ...]:
    sent = (
        "SELECT status = 'linked' AS found, coalesce(centre_id, '-') AS centre, "
        "coalesce(CAST(year(birth_month) // 10 * 10 AS VARCHAR), '-') AS born "
        "FROM snds_link JOIN patients USING (patient_no)"
    )
    counts = (
        f"SELECT '{dimension}', {group}, count(*) FILTER (found), count(*) FROM sent GROUP BY ALL"  # noqa: S608
        for dimension, group in (("all", "'all'"), ("centre", "centre"), ("born", "born"))
    )
    query = f"WITH sent AS ({sent}) {' UNION ALL '.join(counts)} ORDER BY 1, 2"
    return protected(connection.execute(query).fetchall())


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _write_report(linked: Linked) -> None:
    told = {"rows": linked.rows, "set_aside": linked.rejected, "match_rate": as_rows(linked.rates)}
    write_private(linked.directory / REPORT, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    (linked.directory / LISTING).chmod(0o600)
