"""A snapshot published to Trino, read over its Python driver, which is installed apart (`pip install trino`).

Its SQL is Ibis's, compiled and parsed in the tests; no Trino was ever asked in them. Numbers of people never
travel there: what is bound, the driver writes into the statement, which the cluster's log keeps. So tables of
the session (who objected, one's own log) are not sent, and what names one is worked out in the gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from ibis.backends.sql.compilers import TrinoCompiler

from hub_config.gateway.engines.looking import Looked
from hub_config.gateway.engines.meaning import SAFE, Meaning
from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import Description
from hub_config.warehouse.engines.trino import connected, counted
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_MEANS: Final = replace(SAFE, places=False, uploads=False)  # its md5 is of bytes
_ROWS: Final = 16_384  # fetched at a time
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
    means: Meaning = _MEANS

    @property
    def description(self) -> Description:
        """Raises Refusal: SNAPSHOT_CORRUPT where a table has other rows than the manifest says."""
        return self.looked.found()

    @cached_property
    def looked(self) -> Looked:
        return Looked(self._look)

    def _look(self) -> Description:
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
            return TrinoReading(connected(self.address, self.number), self.looked)

    def close(self) -> None:
        """Nothing is held between questions."""


@dataclass(eq=False)
class TrinoReading:
    """See `port.Reading`. `connection` is one of the driver's."""

    connection: Any = field(repr=False)
    looked: Looked | None = None
    _running: Any = field(default=None, repr=False)

    def read(self, expression: ibis.Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
        """`tables` are none: nobody's number is sent."""
        schema = expression.schema().to_pyarrow()
        if tables:
            raise Refusal(ErrorCode.INTERNAL)
        with self.looked.doubting() if self.looked else nullcontext(), _refused():
            rows = self._execute(compiled(expression))
            while chunk := rows.fetchmany(_ROWS):
                columns = [pa.array(column) for column in zip(*chunk, strict=True)]
                yield pa.RecordBatch.from_arrays(
                    [array.cast(name.type) for array, name in zip(columns, schema, strict=True)],
                    names=schema.names,
                )

    def counts(self, tables: Iterable[str]) -> Mapping[str, int]:
        with _refused():
            return counted(self.connection, tables)

    def interrupt(self) -> None:
        if self._running is not None:
            with suppress(Exception):  # nothing runs: nothing to stop
                self._running.cancel()

    def close(self) -> None:
        with suppress(Exception):  # a lost connection is closed already
            self.connection.close()

    def _execute(self, sql: str) -> Any:
        self._running = self.connection.cursor()
        self._running.execute(sql)
        return self._running


def compiled(expression: ibis.Table) -> str:
    """As Trino's SQL: stored tables by their bare names."""
    tree = expression.op()
    named = {node: ibis.table(node.schema, name=node.name).op() for node in tree.find(ops.UnboundTable)}
    bare = named[tree] if tree in named else tree.replace(named)
    return str(TrinoCompiler().to_sqlglot(bare.to_expr()).sql("trino"))


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
