"""A snapshot on an engine elsewhere: what a question needs of it is fetched into the gateway's own database
in memory, where the question is worked out as ever.

What is fetched stands, compressed, in a database of the session's own, and is gone with it. Memory is bounded
by the limit of the database that all sessions share: beyond, a question is refused with OUT_OF_MEMORY.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping
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
from p4dp_sdk.wire.errors import Refusal

if TYPE_CHECKING:
    from hub_config.gateway.engine import Session

_NUMBERS: Final = count()
_GIVEN: Final = "__given"
_AT_ONCE: Final = 32 * 1024**2  # bytes that are put into the database at a time
_COMPRESSED_FROM: Final = 256 * 1024**2  # bytes in it that are not compressed yet


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
        """The rows of `fragment`, as a table of the session's own database. They are put there some at a
        time: what the database reads by itself it may let go of in a thread of its own, where Python must not
        be."""
        if not self._fetched:
            session.run(f"ATTACH ':memory:' AS {self._catalog} (COMPRESS)")
        self._fetched += 1
        name, schema = f"{self._catalog}.main.{fragment.name}", fragment.rows.schema().to_pyarrow()
        self._put(session, f"CREATE TABLE {name} AS", schema.empty_table())
        loose = 0
        with closing(self._read(session, fragment.rows)) as batches:
            for part in _parts(batches):
                self._put(session, f"INSERT INTO {name}", part)
                loose += part.nbytes
                if loose >= _COMPRESSED_FROM:
                    session.run(f"CHECKPOINT {self._catalog}")
                    loose = 0

    def _put(self, session: Session, how: str, rows: pa.Table) -> None:
        session.register(_GIVEN, rows)
        try:
            session.run(f"{how} SELECT * FROM {_GIVEN}")  # noqa: S608
        finally:
            session.connection.unregister(_GIVEN)

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


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in larger parts."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size >= _AT_ONCE:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)
