"""Publishing a snapshot to PostgreSQL: its Parquet files, table by table, into the schema `snapshot_<n>`.

All of it is one transaction: a schema is there whole, or not at all, whatever stops the load; nobody reads
one that is being loaded. Publishing again what is published changes nothing. The gateway's role may read what
is published and make temporary tables, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import PUBLISHED, Description, Stored, describe
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.schema import PATIENT, literal, quoted
from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.catalogue.model import Catalogue, Role, Table

Report = Callable[..., None]

PARTITIONED_FROM: Final = 5_000_000  # rows, of a dated table
_LOCK: Final = 0x70346470  # "p4dp": one publication of a number at a time
_BATCH: Final = 131_072
_MANY_CODES: Final = 50  # codes of a system; a column of fewer is not worth an index
_YEARS: Final = range(1900, 2101)
_TYPES: Final = {
    "TINYINT": "SMALLINT",
    "SMALLINT": "SMALLINT",
    "INTEGER": "INTEGER",
    "BIGINT": "BIGINT",
    "DOUBLE": "DOUBLE PRECISION",
    "VARCHAR": 'TEXT COLLATE "C"',  # compared byte by byte, as DuckDB does
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",
    "BOOLEAN": "BOOLEAN",
}


class Outcome(StrEnum):
    PUBLISHED = "published"
    ALREADY = "already"


@dataclass(frozen=True)
class Place:
    """The server as its publisher sees it, and the role that the gateway reads as."""

    address: Address
    reader: str
    partitioned_from: int = PARTITIONED_FROM


def schema_of(number: int) -> str:
    return f"snapshot_{number}"


def publish(
    snapshot: Snapshot, catalogue: Catalogue, place: Place, report: Report = lambda *_: None
) -> Outcome:
    """Copy `snapshot`. Raises WarehouseProblem: then nothing has changed on the server."""
    wanted = describe(snapshot, catalogue)
    with _transaction(place.address) as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK}, {snapshot.number})")
        found = _found(cursor, snapshot.number)
        if found == wanted:
            return Outcome.ALREADY
        if found is not None or _is_there(cursor, snapshot.number):
            raise WarehouseProblem(
                f"The server has another {schema_of(snapshot.number)}. Look whose it is; if nobody's, remove "
                f"it with `p4dp-enclave warehouse unpublish {snapshot.number}` and publish again."
            )
        _load(cursor, snapshot, catalogue, wanted, place, report)
    return Outcome.PUBLISHED


def unpublish(number: int, address: Address) -> None:
    """Remove what is published of snapshot `number`; nothing, where nothing is."""
    with _transaction(address) as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK}, {number})")
        cursor.execute(f"DROP SCHEMA IF EXISTS {schema_of(number)} CASCADE")


# --- loading -----------------------------------------------------------------------------------------------


def _load(
    cursor: Any, snapshot: Snapshot, catalogue: Catalogue, wanted: Description, place: Place, report: Report
) -> None:
    schema = schema_of(snapshot.number)
    cursor.execute(f"CREATE SCHEMA {schema}")
    for done, (name, stored) in enumerate(wanted.tables.items()):
        report(name, done / len(wanted.tables))
        table, file = catalogue.tables[name], snapshot.directory / "tables" / f"{name}.parquet"
        for statement in _create(schema, table, stored, file, place.partitioned_from):
            cursor.execute(statement)
        _copy(cursor, schema, name, stored, file)
        _require(cursor, schema, name, stored.rows)
        for statement in _finish(schema, table, stored, catalogue):
            cursor.execute(statement)
    cursor.execute(f"CREATE TABLE {schema}.{PUBLISHED} (description TEXT NOT NULL)")
    cursor.execute(f"INSERT INTO {schema}.{PUBLISHED} VALUES ($1)", (wanted.to_json(),))  # noqa: S608
    cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {quoted(place.reader)}")
    cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {quoted(place.reader)}")


def _create(schema: str, table: Table, stored: Stored, file: Path, partitioned_from: int) -> Iterator[str]:
    """The table; a large dated one in a part for each year, and one for what has none of these years."""
    columns = ", ".join(f"{quoted(name)} {_TYPES[dtype]}" for name, dtype in stored.columns.items())
    name = f"{schema}.{quoted(table.name)}"
    date = table.column(table.date).stored_as if table.date else None
    if date is None or date not in stored.columns or stored.rows < partitioned_from:
        yield f"CREATE TABLE {name} ({columns})"
        return
    yield f"CREATE TABLE {name} ({columns}) PARTITION BY RANGE ({quoted(date)})"
    for year in _years(file, date):
        part = f"{schema}.{quoted(f'{table.name}_{year}')}"
        bounds = f"FROM ('{year}-01-01') TO ('{year + 1}-01-01')"
        yield f"CREATE TABLE {part} PARTITION OF {name} FOR VALUES {bounds}"
    yield f"CREATE TABLE {schema}.{quoted(f'{table.name}_other')} PARTITION OF {name} DEFAULT"


def _years(file: Path, date: str) -> list[int]:
    with closing(duckdb.connect()) as connection:
        found = connection.execute(
            f"SELECT DISTINCT year({quoted(date)}) FROM read_parquet({literal(str(file))})"  # noqa: S608
        ).fetchall()
    return sorted(year for (year,) in found if year in _YEARS)


def _copy(cursor: Any, schema: str, name: str, stored: Stored, file: Path) -> None:
    """By COPY, a batch at a time."""
    columns = list(stored.columns)
    with pq.ParquetFile(file) as parquet:
        arrow = pa.schema([parquet.schema_arrow.field(column) for column in columns])
        batches = parquet.iter_batches(_BATCH, columns=columns)
        reader = pa.RecordBatchReader.from_batches(arrow, (batch.select(columns) for batch in batches))
        cursor.adbc_ingest(name, reader, mode="append", db_schema_name=schema)


def _require(cursor: Any, schema: str, name: str, rows: int) -> None:
    cursor.execute(f"SELECT count(*) FROM {schema}.{quoted(name)}")  # noqa: S608
    (found,) = cursor.fetchone()
    if found != rows:
        raise WarehouseProblem(
            f"Table {name} has {found:,} rows on the server, {rows:,} by the manifest: nothing was "
            "published. Run `p4dp-enclave warehouse check` on the snapshot."
        )


def _finish(schema: str, table: Table, stored: Stored, catalogue: Catalogue) -> Iterator[str]:
    """What makes choosing fast: an index by patient, and by each column of many codes."""
    name = f"{schema}.{quoted(table.name)}"
    for column in table.columns:
        system = catalogue.code_systems.get(column.codes or "")
        many = column.role is Role.CODE and system is not None and len(system.codes) > _MANY_CODES
        if column.stored_as in stored.columns and (column.stored_as == PATIENT or many):
            yield f"CREATE INDEX ON {name} ({quoted(column.stored_as)})"
    yield f"ANALYZE {name}"


# --- the server --------------------------------------------------------------------------------------------


def read_description(cursor: Any, number: int) -> Description:
    """What is published under `number`. Raises ValueError where it does not describe itself, and the
    driver's error where there is nothing."""
    cursor.execute(f"SELECT description FROM {schema_of(number)}.{PUBLISHED}")  # noqa: S608
    row = cursor.fetchone()
    return Description.from_json(row[0] if row else "")


def _is_there(cursor: Any, number: int) -> bool:
    cursor.execute(f"SELECT to_regnamespace('{schema_of(number)}') IS NOT NULL")
    return bool(cursor.fetchone()[0])


def _found(cursor: Any, number: int) -> Description | None:
    cursor.execute(f"SELECT to_regclass('{schema_of(number)}.{PUBLISHED}') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return None
    try:
        return read_description(cursor, number)
    except ValueError:
        return None


@contextmanager
def _transaction(address: Address) -> Iterator[Any]:
    """All or nothing. The server's own words stay here: they may quote a row."""
    import adbc_driver_postgresql.dbapi as postgresql  # type: ignore[import-untyped]

    try:
        with postgresql.connect(address.uri({"synchronous_commit": "on"})) as connection:
            with connection.cursor() as cursor:
                yield cursor
            connection.commit()
    except postgresql.Error as error:
        state = getattr(error, "sqlstate", None)
        raise WarehouseProblem(_why(state)) from None


def _why(state: str | None) -> str:
    match state:
        case None:
            return (
                "The PostgreSQL server can't be reached, refuses the publisher's role or password, or the "
                "connection was lost: nothing was published. Check `warehouse.address`, that the server "
                "runs, that the role of `warehouse.publisher` exists there, and its password "
                "(docs/how-to/engines)."
            )
        case "42501":
            return (
                "The publisher's role may not do that: it needs CREATE on the database (docs/how-to/engines)."
            )
        case "53100":
            return "The server's disk is full: nothing was published. Free some space there and retry."
        case "42704":
            return "The server has no role named as `warehouse.user`: make it first (docs/how-to/engines)."
        case _:
            return f"The server refused (SQLSTATE {state}): nothing was published. Its own log says more."
