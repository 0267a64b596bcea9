"""A snapshot that a Spark cluster reads from its Parquet files, asked through Spark Connect.

Each question has a session of its own on the cluster: its views are seen by no other, and stopping it stops
its jobs only. Numbers of people travel as rows, never in SQL; no key ever leaves the gateway. Answers come as
Arrow batches, one at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, cast

import grpc  # type: ignore[import-untyped]
import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

from hub_config.gateway.engines.port import WAREHOUSE
from hub_config.gateway.engines.pushdown import SAFE, Meaning
from hub_config.warehouse.engines.description import Description
from hub_config.warehouse.engines.spark import SparkPlace, close, connected, read, require_manifest
from hub_config.warehouse.problems import WarehouseProblem
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_GRACE: Final = 5.0  # seconds that the cluster has to stop, before nobody listens to it any more
_STORED: Final = "stored_"  # tables of the question may be called like tables of the warehouse
_SETTINGS: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.variable.substitute": "false",  # or ${env:…} in a text is the driver's own secret
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
}
_CONDITIONS: Final = {
    "PATH_NOT_FOUND": ErrorCode.SNAPSHOT_MISSING,
    "FAILED_READ_FILE": ErrorCode.SNAPSHOT_CORRUPT,
    "OPERATION_CANCELED": ErrorCode.TIMED_OUT,
    "RETRIES_EXCEEDED": ErrorCode.WAREHOUSE_UNREACHABLE,
    "UNABLE_TO_ACQUIRE_MEMORY": ErrorCode.OUT_OF_MEMORY,
}


@dataclass(frozen=True)
class Spark:
    """See `port.Warehouse`. `wanted` is what the cluster has to have of snapshot `number`."""

    place: SparkPlace
    number: int
    wanted: Description
    means: Meaning = SAFE

    @cached_property
    def description(self) -> Description:
        """Raises Refusal: SNAPSHOT_MISSING where the cluster sees nothing, SNAPSHOT_CORRUPT where something
        else."""
        reading = self.open()
        try:
            with _refused():
                require_manifest(reading.session, self.place, self.number, self.wanted)
        except WarehouseProblem:
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT, snapshot=self.number) from None
        finally:
            reading.close()
        return self.wanted

    def open(self) -> SparkReading:
        session = connected(self.place)
        with _refused():
            for name, value in _SETTINGS.items():
                session.conf.set(name, value)
        return SparkReading(self, session)

    def close(self) -> None:
        """Nothing is held between questions."""


@dataclass(eq=False)
class SparkReading:
    """See `port.Reading`."""

    spark: Spark
    session: SparkSession = field(repr=False)
    _given: set[str] = field(default_factory=set)

    def read(self, expression: ibis.Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
        with _refused():
            for node in expression.op().find(ops.UnboundTable):
                self._give(node, tables)
            yield from self._batches(compiled(expression))

    def interrupt(self) -> None:
        """Returns at once: whoever stops a question does not wait for a cluster."""
        threading.Thread(target=self._interrupt, daemon=True).start()

    def close(self) -> None:
        close(self.session)

    def _interrupt(self) -> None:
        cut = threading.Timer(_GRACE, self.session.client.close)
        cut.daemon = True
        cut.start()
        with suppress(grpc.RpcError, PySparkException, ValueError):  # gone, or closed meanwhile
            self.session.interruptAll()

    def _give(self, node: ops.UnboundTable, tables: Mapping[str, pa.Table]) -> None:
        """Have the session know a table by the name that `compiled` calls it."""
        name = _called(node)
        if name in self._given:
            return
        if node.namespace.catalog == WAREHOUSE:
            stored = self.spark.wanted.tables[node.name]
            rows = read(self.session, self.spark.place, self.spark.number, node.name, stored)
        else:
            rows = self.session.createDataFrame(tables[node.name])
        rows.createOrReplaceTempView(name)
        self._given.add(name)

    def _batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        client, rows = self.session.client, cast(Any, self.session.sql(sql))
        for each in client.to_table_as_iterator(rows._plan.to_proto(client), {}):
            if isinstance(each, pa.Table):
                yield from each.to_batches()


def compiled(expression: ibis.Table) -> str:
    """As Spark's SQL: every table by the name that the session has it under."""
    tree = expression.op()
    named = {node: _renamed(node) for node in tree.find(ops.UnboundTable)}
    renamed = named[tree] if tree in named else tree.replace(named)
    return str(ibis.pyspark.compile(renamed.to_expr()))


def _renamed(node: ops.UnboundTable) -> ops.UnboundTable:
    renamed: ops.UnboundTable = ibis.table(node.schema, name=_called(node)).op()
    return renamed


def _called(node: ops.UnboundTable) -> str:
    return f"{_STORED}{node.name}" if node.namespace.catalog == WAREHOUSE else node.name


@contextmanager
def _refused() -> Iterator[None]:
    """The driver's errors as refusals. Their text is dropped here: it may quote a value or an address."""
    try:
        yield
    except (grpc.RpcError, PySparkException, pa.ArrowException, ValueError) as error:
        raise Refusal(_code(error)) from None


def _code(error: Exception) -> ErrorCode:
    if isinstance(error, pa.ArrowException):
        return ErrorCode.ENGINE_FAILED
    condition = error.getCondition() if isinstance(error, PySparkException) else None
    if condition is None:  # not Spark's own: of the connection, or of a task
        return ErrorCode.OUT_OF_MEMORY if "maxResultSize" in str(error) else ErrorCode.WAREHOUSE_UNREACHABLE
    return _CONDITIONS.get(condition.partition(".")[0], ErrorCode.ENGINE_FAILED)
