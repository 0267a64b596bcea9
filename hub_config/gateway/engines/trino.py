"""A snapshot published to Trino, read over its Python driver, which is installed apart (`pip install trino`).

Its SQL is Ibis's, compiled and parsed in the tests; no Trino was ever asked in them. Numbers of people travel
as bound parameters of VALUES, never in SQL text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from ibis.backends.sql.compilers import TrinoCompiler
from ibis.backends.sql.datatypes import TrinoType

from hub_config.gateway.engines.meaning import SAFE, Meaning
from hub_config.gateway.engines.port import WAREHOUSE
from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import Description
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_COUNT: Final = 'SELECT count(*) FROM "{}"'
_ROWS: Final = 16_384  # fetched at a time
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_CODES: Final = {
    "SCHEMA_NOT_FOUND": ErrorCode.SNAPSHOT_MISSING,
    "TABLE_NOT_FOUND": ErrorCode.SNAPSHOT_MISSING,
    "PERMISSION_DENIED": ErrorCode.SNAPSHOT_MISSING,
    "EXCEEDED_TIME_LIMIT": ErrorCode.TIMED_OUT,
    "USER_CANCELED": ErrorCode.TIMED_OUT,
    "QUERY_QUEUE_FULL": ErrorCode.BUSY,
    "EXCEEDED_GLOBAL_MEMORY_LIMIT": ErrorCode.OUT_OF_MEMORY,
    "EXCEEDED_LOCAL_MEMORY_LIMIT": ErrorCode.OUT_OF_MEMORY,
}


@dataclass(frozen=True)
class Trino:
    """See `port.Warehouse`. `wanted` is what the catalogue of `address` has to have as schema
    `snapshot_<number>`."""

    address: Address = field(repr=False)
    number: int
    wanted: Description
    means: Meaning = SAFE

    @cached_property
    def description(self) -> Description:
        """Raises Refusal: SNAPSHOT_CORRUPT where a table has other rows than the manifest says."""
        reading = self.open()
        try:
            found = reading.counts(self.wanted.tables)
        finally:
            reading.close()
        if found != {name: stored.rows for name, stored in self.wanted.tables.items()}:
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT, snapshot=self.number)
        return self.wanted

    def open(self) -> TrinoReading:
        with _refused():
            return TrinoReading(connect(self.address, self.number))

    def close(self) -> None:
        """Nothing is held between questions."""


@dataclass(eq=False)
class TrinoReading:
    """See `port.Reading`. `connection` is one of the driver's."""

    connection: Any = field(repr=False)
    _running: Any = field(default=None, repr=False)

    def read(self, expression: ibis.Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
        schema = expression.schema().to_pyarrow()
        with _refused():
            rows = self._execute(*compiled(expression, tables))
            while chunk := rows.fetchmany(_ROWS):
                columns = [pa.array(column) for column in zip(*chunk, strict=True)]
                yield pa.RecordBatch.from_arrays(
                    [array.cast(name.type) for array, name in zip(columns, schema, strict=True)],
                    names=schema.names,
                )

    def counts(self, tables: Iterable[str]) -> Mapping[str, int]:
        with _refused():
            return {name: self._execute(_COUNT.format(name), []).fetchone()[0] for name in tables}

    def interrupt(self) -> None:
        if self._running is not None:
            with suppress(Exception):  # nothing runs: nothing to stop
                self._running.cancel()

    def close(self) -> None:
        with suppress(Exception):  # a lost connection is closed already
            self.connection.close()

    def _execute(self, sql: str, parameters: Sequence[object]) -> Any:
        self._running = self.connection.cursor()
        self._running.execute(sql, list(parameters) or None)
        return self._running


def connect(address: Address, number: int) -> Any:
    """A connection of the driver, to the schema of snapshot `number`. Over a network it is encrypted."""
    try:
        import trino  # type: ignore[import-not-found]
    except ModuleNotFoundError:
        raise Refusal(ErrorCode.WAREHOUSE_UNREACHABLE) from None
    parts = urlsplit(address.url)
    far = parts.hostname not in _HERE
    login = trino.auth.BasicAuthentication(address.user, address.password) if address.password else None
    return trino.dbapi.connect(
        host=parts.hostname,
        port=parts.port or (8443 if far else 8080),
        http_scheme="https" if far else "http",
        user=address.user,
        auth=login,
        catalog=parts.path.strip("/"),
        schema=f"snapshot_{number}",
        timezone="UTC",
        source="p4dp",
    )


def compiled(expression: ibis.Table, tables: Mapping[str, pa.Table]) -> tuple[str, list[object]]:
    """As Trino's SQL, and what is bound in it: stored tables by their bare names, those of the question as
    VALUES of parameters."""
    tree = expression.op()
    named = {node: ibis.table(node.schema, name=node.name).op() for node in tree.find(ops.UnboundTable)}
    bare = named[tree] if tree in named else tree.replace(named)
    query = TrinoCompiler().to_sqlglot(bare.to_expr())
    sql = str(query.sql("trino"))
    brought = [node for node in named if node.namespace.catalog != WAREHOUSE]
    given = [_values(node.name, tables[node.name]) for node in brought]
    if not given:
        return sql, []
    head = ", ".join(text for text, _ in given)
    return f"WITH {head} SELECT * FROM ({sql})", [value for _, values in given for value in values]  # noqa: S608


def _values(name: str, table: pa.Table) -> tuple[str, list[object]]:
    """A common table expression; one without rows has one that is never true."""
    columns = ", ".join(f'"{column}"' for column in table.column_names)
    types = ibis.Schema.from_pyarrow(table.schema).values()
    row = "(" + ", ".join(f"CAST(? AS {TrinoType.to_string(dtype)})" for dtype in types) + ")"
    rows = table.to_pylist() or [dict.fromkeys(table.column_names)]
    where = "" if table.num_rows else " WHERE FALSE"
    values = ", ".join([row] * len(rows))
    text = f'"{name}" ({columns}) AS (SELECT * FROM (VALUES {values}){where})'  # noqa: S608
    return text, [each[column] for each in rows for column in table.column_names]


@contextmanager
def _refused() -> Iterator[None]:
    """The driver's errors as refusals. Their text is dropped here: it may quote a value or an address."""
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        name = getattr(error, "error_name", None)
        if name is None:
            raise Refusal(ErrorCode.WAREHOUSE_UNREACHABLE) from None
        raise Refusal(_CODES.get(name, ErrorCode.ENGINE_FAILED)) from None
