"""A snapshot that a Spark cluster reads from its Parquet files, asked through Spark Connect.

Each question has a session for itself on the cluster: its views are seen by no other, and stopping it stops
its jobs only. A session whose question ended well is taken by the next, without views: in a new one executors
would compile all code anew. Numbers of people travel as rows, never in SQL; no key that names anybody leaves
the gateway. Answers come as Arrow batches, one at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, cast

import grpc  # type: ignore[import-untyped]
import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql.connect.session import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from hub_config.gateway.engines.looking import FirstSeen, Looked
from hub_config.gateway.engines.packing import Packing, quoted
from hub_config.gateway.engines.port import WAREHOUSE
from hub_config.gateway.engines.pushdown import SAFE, Meaning
from hub_config.gateway.engines.texts import MOST, Texts, origin
from hub_config.gateway.kept import Kept
from hub_config.warehouse.engines.description import Description
from hub_config.warehouse.engines.spark import (
    SparkPlace,
    close,
    connected,
    cut,
    read,
    require_files,
    require_manifest,
)
from hub_config.warehouse.problems import WarehouseProblem
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_GRACE: Final = 5.0  # seconds that the cluster has to stop, before nobody listens to it any more
_IDLE: Final = 60.0  # seconds that a session waits for the next question
_MOST_IDLE: Final = 4
_STORED: Final = "stored_"  # tables of the question may be called like tables of the warehouse
_SETTINGS: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.variable.substitute": "false",  # or ${env:…} in a text is the driver's own secret
    "spark.sql.execution.arrow.maxRecordsPerBatch": "262144",
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
    """See `port.Warehouse`. `wanted` is what the cluster has to have of snapshot `number`, in files as they
    were `seen` first."""

    place: SparkPlace
    number: int
    wanted: Description
    seen: FirstSeen = field(default_factory=FirstSeen, repr=False)
    means: Meaning = SAFE
    texts: Kept = field(default_factory=Kept, repr=False)
    idle: Idle = field(default_factory=lambda: Idle(), repr=False)

    @property
    def description(self) -> Description:
        """Raises Refusal: SNAPSHOT_MISSING where the cluster sees nothing, SNAPSHOT_CORRUPT where something
        else."""
        return self.looked.found()

    @cached_property
    def looked(self) -> Looked:
        return Looked(self._look)

    def _look(self) -> Description:
        reading = self.open()
        try:
            with _refused():
                require_manifest(reading.session, self.place, self.number, self.wanted)
                times = require_files(reading.session, self.place, self.number, self.wanted)
        except WarehouseProblem:
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT, snapshot=self.number) from None
        finally:
            reading.close()
        if not self.seen.are_unchanged(self.number, times):
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT, snapshot=self.number)
        return self.wanted

    def open(self) -> SparkReading:
        session = self.idle.taken()
        if session is None:
            session = connected(self.place)
            with _refused():
                for name, value in _SETTINGS.items():
                    session.conf.set(name, value)
        return SparkReading(self, session)

    def close(self) -> None:
        self.idle.close()


@dataclass(eq=False)
class Idle:
    """Sessions that wait for the next question, a short while. Threads may ask at once."""

    seconds: float = _IDLE
    clock: Callable[[], float] = time.monotonic
    _waiting: list[tuple[float, SparkSession]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def taken(self) -> SparkSession | None:
        """One that the cluster still knows; None where there is none."""
        with self._lock:
            since, session = self._waiting.pop() if self._waiting else (0.0, None)
        if session is None or (self.clock() - since < self.seconds and _is_known(session)):
            return session
        close(session)
        return self.taken()

    def give(self, session: SparkSession) -> None:
        with self._lock:
            is_wanted = len(self._waiting) < _MOST_IDLE
            if is_wanted:
                self._waiting.append((self.clock(), session))
        if not is_wanted:
            close(session)

    def close(self) -> None:
        with self._lock:
            waiting = [session for _, session in self._waiting]
            self._waiting.clear()
        for session in waiting:
            close(session)


@dataclass(eq=False)
class SparkReading:
    """See `port.Reading`."""

    spark: Spark
    session: SparkSession = field(repr=False)
    _given: set[str] = field(default_factory=set)
    _reads: int = 0  # that have not ended well
    _is_sound: bool = True  # nobody stopped it
    _is_closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, expression: ibis.Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
        self._reads += 1
        with self.spark.looked.doubting(), _refused():
            for node in expression.op().find(ops.UnboundTable):
                self._give(node, tables)
            sql, packing = compiled(expression), self._packing(expression)
            yield from self._batches(sql) if packing is None else self._unpacked(sql, packing)
        self._reads -= 1

    def interrupt(self) -> None:
        """Returns at once: whoever stops a question waits for no cluster. After `close` the session may
        be another's: nothing is stopped."""
        with self._lock:
            if self._is_closed:
                return
            self._is_sound = False
        threading.Thread(target=self._interrupt, daemon=True).start()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
        if self._is_sound and not self._reads and _is_emptied(self.session, self._given):
            self.spark.idle.give(self.session)
        else:
            close(self.session)

    def _interrupt(self) -> None:
        late = threading.Timer(_GRACE, cut, [self.session])
        late.daemon = True
        late.start()
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
            rows = self._sent(tables[node.name])
        rows.createOrReplaceTempView(name)
        self._given.add(name)

    def _sent(self, table: pa.Table) -> DataFrame:
        """Spark takes the types of a table without rows from nowhere else than a schema of its own."""
        if table.num_rows:
            return self.session.createDataFrame(table)
        return self.session.createDataFrame(table, from_arrow_schema(table.schema))

    def _packing(self, expression: ibis.Table) -> Packing | None:
        """None where rows come in an order, or few, or would not come sooner."""
        tree = expression.op()
        if not isinstance(tree, ops.Project | ops.Filter) or any(tree.find(ops.Sort)):
            return None
        origins = {name: origin(tree, name) for name, dtype in tree.schema.items() if dtype.is_string()}
        lists = {name: self._texts(*where) for name, where in origins.items() if where is not None}
        return Packing.of(tree.schema, {name: texts for name, texts in lists.items() if texts is not None})

    def _texts(self, table: str, column: str) -> Texts | None:
        """All that stand in a stored column, asked for once a snapshot; None where they are many."""
        return self.spark.texts.once((table, column), lambda: self._asked_texts(f"{_STORED}{table}", column))

    def _asked_texts(self, table: str, column: str) -> Texts | None:
        name = quoted(column)
        found = f"SELECT DISTINCT {name} AS t FROM {quoted(table)} WHERE {name} IS NOT NULL LIMIT {MOST + 1}"  # noqa: S608
        schema = pa.schema({"t": pa.string(), "h": pa.int64()})
        batches = self._batches(f"SELECT t, XXHASH64(t) AS h FROM ({found})")  # noqa: S608
        rows = pa.Table.from_batches((batch.cast(schema) for batch in batches), schema)
        return Texts.of(rows["t"].combine_chunks(), rows["h"].to_numpy())

    def _unpacked(self, sql: str, packing: Packing) -> Iterator[pa.RecordBatch]:
        left = 0
        for batch in self._batches(packing.packed(sql)):
            rows = packing.unpacked(batch)
            left += batch.num_rows - rows.num_rows
            yield rows
        if left:
            yield from map(packing.listed, self._batches(packing.left(sql)))

    def _batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        client, rows = self.session.client, cast(Any, self.session.sql(sql))
        for each in client.to_table_as_iterator(rows._plan.to_proto(client), {}):
            if isinstance(each, pa.Table):
                yield from each.to_batches()


def _is_known(session: SparkSession) -> bool:
    """Whether the cluster knows it still, with its settings."""
    with suppress(grpc.RpcError, PySparkException, ValueError):
        name, value = next(reversed(_SETTINGS.items()))
        return bool(session.conf.get(name) == value)
    return False


def _is_emptied(session: SparkSession, names: Iterable[str]) -> bool:
    """Nothing that a question had is seen by the next."""
    with suppress(grpc.RpcError, PySparkException, ValueError):
        return all(session.catalog.dropTempView(name) for name in names)
    return False


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
