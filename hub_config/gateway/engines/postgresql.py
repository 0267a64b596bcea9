"""A snapshot published to PostgreSQL, read over ADBC (`COPY … TO STDOUT` in binary).

Each question has a connection of its own, opened when it first reads and ended with it: closed, it rolls
back and takes its temporary tables along. Numbers of people travel as rows of temporary tables, never in SQL.
What the server holds is looked at by each question, in its own transaction: until that ends, the lock on what
was looked at keeps anybody from putting another copy there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import adbc_driver_postgresql.dbapi as postgresql  # type: ignore[import-untyped]
import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from adbc_driver_postgresql import StatementOptions
from ibis.backends.sql.compilers import PostgresCompiler

from hub_config.gateway.engines.port import WAREHOUSE
from hub_config.gateway.engines.pushdown import SAFE, Meaning
from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import Description
from hub_config.warehouse.engines.postgresql import read_description, schema_of
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_BATCH_BYTES: Final = 4 * 1024**2
_CODES: Final = {
    "57014": ErrorCode.TIMED_OUT,
    "53200": ErrorCode.OUT_OF_MEMORY,
    "53100": ErrorCode.DISK_FULL,
    "53300": ErrorCode.BUSY,
    "3F000": ErrorCode.SNAPSHOT_MISSING,
    "42P01": ErrorCode.SNAPSHOT_MISSING,
    "42501": ErrorCode.SNAPSHOT_MISSING,
    "XX001": ErrorCode.SNAPSHOT_CORRUPT,
    "XX002": ErrorCode.SNAPSHOT_CORRUPT,
}
_LOST: Final = ("08", "57P", "28")  # classes of SQLSTATE: connection, shutdown, login


@dataclass(frozen=True)
class Postgresql:
    """See `port.Warehouse`. `seconds` is the longest that one statement may run, whoever waits for it;
    `manifest` the hash of the manifest that what is published must be of."""

    address: Address = field(repr=False)
    number: int
    manifest: str
    seconds: float
    means: Meaning = SAFE

    @property
    def description(self) -> Description:
        """Raises Refusal: SNAPSHOT_MISSING where nothing is published, SNAPSHOT_CORRUPT where something else
        is."""
        with closing(self._connected()) as reading:
            return self._looked_at(reading)

    def open(self) -> PostgresqlReading:
        """Raises Refusal as `description` does."""
        reading = self._connected()
        try:
            self._looked_at(reading)
        except BaseException:
            reading.close()
            raise
        return reading

    def _looked_at(self, reading: PostgresqlReading) -> Description:
        with _refused(), reading.connection.cursor() as cursor:
            found = _described(cursor, self.number)
        if found.manifest != self.manifest:
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT, snapshot=self.number)
        return found

    def _connected(self) -> PostgresqlReading:
        settings = {
            "statement_timeout": f"{round(self.seconds * 1000)}",
            "idle_in_transaction_session_timeout": f"{round(self.seconds * 1000)}",
            "client_connection_check_interval": "5000",
            "jit": "off",
        }
        with _refused():
            return PostgresqlReading(postgresql.connect(self.address.uri(settings)), schema_of(self.number))

    def close(self) -> None:
        """Nothing is held between questions."""


@dataclass(eq=False)
class PostgresqlReading:
    """See `port.Reading`."""

    connection: Any = field(repr=False)
    schema: str
    _given: set[str] = field(default_factory=set)

    def read(self, expression: ibis.Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
        sql = compiled(expression, self.schema)
        with _refused(), self.connection.cursor() as cursor:
            for name in tables.keys() - self._given:
                cursor.adbc_ingest(name, tables[name], mode="create", temporary=True)
                self._given.add(name)
            cursor.adbc_statement.set_options(
                **{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(_BATCH_BYTES)}
            )
            cursor.execute(sql)
            yield from cursor.fetch_record_batch()

    def interrupt(self) -> None:
        with suppress(postgresql.Error):  # nothing runs: nothing to stop
            self.connection.adbc_cancel()

    def close(self) -> None:
        with suppress(postgresql.Error):  # a lost connection is closed already
            self.connection.close()


def compiled(expression: ibis.Table, schema: str) -> str:
    """As PostgreSQL's SQL: stored tables in their schema, those of the question by their bare names."""
    tree = expression.op()
    named = {node: _placed(node, schema) for node in tree.find(ops.UnboundTable)}
    placed = named[tree] if tree in named else tree.replace(named)
    return str(PostgresCompiler().to_sqlglot(placed.to_expr()).sql("postgres"))


def _placed(node: ops.UnboundTable, schema: str) -> ops.UnboundTable:
    database = schema if node.namespace.catalog == WAREHOUSE else "pg_temp"
    placed: ops.UnboundTable = ibis.table(node.schema, name=node.name, database=database).op()
    return placed


def _described(cursor: Any, number: int) -> Description:
    try:
        return read_description(cursor, number)
    except ValueError:
        raise Refusal(ErrorCode.SNAPSHOT_CORRUPT, snapshot=number) from None


@contextmanager
def _refused() -> Iterator[None]:
    """The driver's errors as refusals. Their text is dropped here: it may quote a value or an address."""
    try:
        yield
    except (postgresql.Error, pa.ArrowException) as error:
        raise Refusal(_code(getattr(error, "sqlstate", None))) from None


def _code(state: str | None) -> ErrorCode:
    if state is None or state.startswith(_LOST):
        return ErrorCode.WAREHOUSE_UNREACHABLE
    return _CODES.get(state, ErrorCode.ENGINE_FAILED)
