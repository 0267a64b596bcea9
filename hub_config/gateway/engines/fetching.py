"""A snapshot on an engine elsewhere: what a question needs of it is fetched into the gateway's own database
in memory, where the question is worked out as ever.

What is fetched stands, compressed, in a database of the session's own, and is gone with it. Memory is bounded
by the limit of the database that all sessions share: beyond, a question is refused with OUT_OF_MEMORY.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Hashable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

import duckdb
import ibis
import ibis.expr.operations as ops
import pyarrow as pa

from hub_config.gateway.answer import conformed
from hub_config.gateway.engines.declaring import declared
from hub_config.gateway.engines.port import TEMPORARY, Reading, Warehouse
from hub_config.gateway.engines.pushdown import Fragment, parted
from hub_config.gateway.stopping import Stop
from p4dp_sdk.wire.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from hub_config.gateway.engine import Session

_NUMBERS: Final = count()


@dataclass
class Fetching:
    """See `port.Beneath`. One a session, which closes it."""

    warehouse: Warehouse
    _catalog: str = field(default_factory=lambda: f"session_{next(_NUMBERS)}")
    _bound: dict[str, ibis.Table] = field(default_factory=dict)
    _stored: dict[str, pa.Table] = field(default_factory=dict)
    _fetched: int = 0
    _reading: Reading | None = None

    def ask(self, session: Session, expression: ibis.Table) -> pa.Table:
        with closing(self._read(session, expression)) as batches:
            return pa.Table.from_batches(batches, schema=expression.schema().to_pyarrow())

    def bind(self, session: Session, name: str, key: Hashable, rows: Callable[[], ibis.Table]) -> None:
        self._bound[name] = session.kept.once(("rows", name, key), rows)

    def store(self, session: Session, name: str, table: pa.Table) -> None:
        self._stored[name] = table

    def staged(self, session: Session, expression: ibis.Table) -> ibis.Table:
        made = parted(expression, self._bound, self.warehouse.means, self._catalog, self._fetched)
        for fragment in made.fragments:
            self._fetch(session, fragment)
        return made.rest

    def rows(self, session: Session, tables: Collection[str] | None = None) -> Mapping[str, int]:
        known = self.warehouse.description.tables
        return {name: known[name].rows for name in (known if tables is None else tables) if name in known}

    def stored_type(self, session: Session, table: str, column: str) -> str | None:
        stored = self.warehouse.description.tables.get(table)
        return None if stored is None else stored.columns.get(column)

    @contextmanager
    def on(self, connection: duckdb.DuckDBPyConnection) -> Iterator[Fetching]:
        """For one session on `connection`. Then what was fetched is forgotten, and the engine's connection
        ended."""
        try:
            yield self
        finally:
            if self._fetched:
                connection.execute(f"DETACH DATABASE IF EXISTS {self._catalog}")
            if self._reading is not None:
                self._reading.close()

    def _fetch(self, session: Session, fragment: Fragment) -> None:
        """The rows of `fragment`, as a table of the session's own database."""
        if not self._fetched:
            session.run(f"ATTACH ':memory:' AS {self._catalog} (COMPRESS)")
        self._fetched += 1
        given, connection = f"{fragment.name}_given", session.connection
        with closing(_Arriving(self._read(session, fragment.rows))) as arriving:
            schema = fragment.rows.schema().to_pyarrow()
            session.register(given, pa.RecordBatchReader.from_batches(schema, arriving))
            try:
                session.run(f"CREATE TABLE {self._catalog}.main.{fragment.name} AS SELECT * FROM {given}")  # noqa: S608
            except Refusal:
                raise arriving.refusal or Refusal(ErrorCode.ENGINE_FAILED) from None
            finally:
                connection.unregister(given)

    def _read(self, session: Session, expression: ibis.Table) -> Generator[pa.RecordBatch]:
        """Batches of the types that the expression promises. Raises Refusal."""
        schema = expression.schema().to_pyarrow()
        session.stop.check()
        whole = declared(expression, lambda table: self.warehouse.description.tables[table].columns)
        if self._reading is None:
            self._reading = self.warehouse.open()
        with session.stop.guarding(self._reading), _told(session.stop):
            for batch in self._reading.read(whole, self._named(expression)):
                session.stop.check()
                yield conformed(batch, schema)

    def _named(self, expression: ibis.Table) -> Mapping[str, pa.Table]:
        named = [
            node for node in expression.op().find(ops.UnboundTable) if node.namespace.catalog == TEMPORARY
        ]
        return {node.name: self._stored[node.name] for node in named}


@contextmanager
def _told(stop: Stop) -> Iterator[None]:
    """What was stopped is told as that, whatever the engine made of it."""
    try:
        yield
    except Refusal:
        stop.check()
        raise


@dataclass
class _Arriving:
    """Batches on their way into the database, which hides why they ended: `refusal` says it."""

    batches: Generator[pa.RecordBatch]
    refusal: Refusal | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            return next(self.batches)
        except Refusal as refusal:
            self.refusal = refusal
            raise

    def close(self) -> None:
        self.batches.close()
