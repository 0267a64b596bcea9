"""A snapshot on an engine elsewhere: what a question needs of it is fetched into the gateway's own database
in memory, where the question is worked out as ever.

What is fetched is kept a while for the next question (`kept_rows`). Memory is bounded by the limit of the
database that all sessions share: beyond, a question is refused with OUT_OF_MEMORY, and nothing is kept. Rows
that are shown one by one (`turns`) stand there a few at a time, and are never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

import duckdb
import ibis
import ibis.expr.operations as ops
import pyarrow as pa

from hub_config.gateway.answer import conformed
from hub_config.gateway.engines.declaring import declared
from hub_config.gateway.engines.in_place import InPlace
from hub_config.gateway.engines.kept_rows import KeptRows, Wanted
from hub_config.gateway.engines.port import TEMPORARY, Reading, Warehouse
from hub_config.gateway.engines.pushdown import Fragment, Parted, parted
from hub_config.gateway.engines.storing import Lists, Stored, new_database
from hub_config.gateway.engines.turns import KEY, KEYED, Turns, in_turns
from hub_config.gateway.pseudonyms import PLACE_KEY
from hub_config.gateway.stopping import Stop
from hub_config.warehouse.engines.description import Description
from p4dp_sdk.wire.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from hub_config.gateway.engine import Session

_GIVEN: Final = "__given"
_AT_ONCE: Final = 32 * 1024**2  # bytes that are put into the database at a time
_AT_A_TIME: Final = 2  # questions whose rows may stand there uncompressed
_IN_A_TURN: Final = 4 * 1024**2  # bytes of rows that are shown one by one


@dataclass
class Fetching:
    """See `port.Beneath`. One a session, which closes it."""

    warehouse: Warehouse
    kept: KeptRows
    _bound: dict[str, ibis.Table] = field(default_factory=dict)
    _stored: dict[str, pa.Table] = field(default_factory=dict)
    _lent: list[Stored] = field(default_factory=list)
    _named_before: int = 0
    _reading: Reading | None = None
    _coming: Generator[None] | None = None

    def ask(self, session: Session, expression: ibis.Table) -> pa.Table:
        if self._named(expression) and not self.warehouse.means.uploads:
            return InPlace().ask(session, self.staged(session, expression))
        with closing(self._read(session, expression)) as batches:
            return pa.Table.from_batches(batches, schema=expression.schema().to_pyarrow())

    def bind(self, session: Session, name: str, key: Hashable, rows: Callable[[], ibis.Table]) -> None:
        self._bound[name] = session.kept.once(("rows", name, key), rows)

    def store(self, session: Session, name: str, table: pa.Table) -> None:
        self._stored[name] = table
        if not self.warehouse.means.uploads:
            InPlace().store(session, name, table)

    def staged(self, session: Session, expression: ibis.Table) -> ibis.Table:
        made = self._parted(expression)
        for fragment in made.fragments:
            self._have(session, fragment)
        return made.rest

    def turns(self, session: Session, expression: ibis.Table) -> tuple[ibis.Table, Iterator[None]]:
        """Where each row can be shown by itself they come as they are taken; else all are there at once."""
        made = self._parted(expression)
        turns = in_turns(made, self.warehouse.means)
        for fragment in made.fragments:
            if turns is None or fragment is not turns.fragment:
                self._have(session, fragment)
        if turns is None:
            return made.rest, iter((None,))
        self._coming = self._come(session, turns)
        return turns.rest, self._coming

    def rows(self, session: Session, tables: Collection[str] | None = None) -> Mapping[str, int]:
        known = self.description.tables
        return {name: known[name].rows for name in (known if tables is None else tables) if name in known}

    def stored_type(self, session: Session, table: str, column: str) -> str | None:
        stored = self.description.tables.get(table)
        return None if stored is None else stored.columns.get(column)

    @contextmanager
    def on(self, connection: duckdb.DuckDBPyConnection) -> Iterator[Fetching]:
        """For one session on `connection`. Then what was fetched is given back, and the engine's connection
        ended."""
        try:
            yield self
        except Refusal as refusal:
            if refusal.code is ErrorCode.OUT_OF_MEMORY:
                self.kept.forget()
            raise
        finally:
            with ExitStack() as ending:  # one that fails keeps no other from its end
                for stored in self._lent:
                    ending.callback(self.kept.back, stored)
                if self._reading is not None:
                    ending.callback(self._reading.close)
                if self._coming is not None:
                    ending.callback(self._coming.close)

    @cached_property
    def description(self) -> Description:
        """Of the copy, looked at once a question. Raises Refusal; then nothing that came of it is kept."""
        try:
            return self.warehouse.description
        except Refusal:
            self.kept.forget()
            raise

    def _parted(self, expression: ibis.Table) -> Parted:
        made = parted(expression, self._bound, self.warehouse.means, TEMPORARY, self._named_before)
        self._named_before += len(made.fragments)
        return made

    def _come(self, session: Session, turns: Turns) -> Generator[None]:
        """Some of the rows after the others, each time instead of those before."""
        if turns.placed:
            self.store(session, KEYED, session.fetch(PLACE_KEY).rename_columns(list(KEY)))
        made = f"CREATE OR REPLACE TEMP TABLE {turns.fragment.name} AS"
        with closing(self._read(session, turns.rows)) as batches:
            for part in _parts(batches, _IN_A_TURN):
                self._put(session, made, part.select(turns.fragment.rows.columns))
                yield

    def _have(self, session: Session, fragment: Fragment) -> None:
        """The rows of `fragment`, as a view of the session's own: those that are kept, or the engine's."""
        wanted = Wanted.of(fragment.of, fragment.rows.columns, self._named(fragment.rows))
        stored = self.kept.lent(wanted)
        if stored is None:
            stored = self._fetched(session, fragment)
            self.kept.keep(wanted, stored)
        self._lent.append(stored)
        _ = self.description  # of kept rows, too, the copy has to be there still
        session.run(f"CREATE TEMP VIEW {fragment.name} AS {stored.sql(fragment.rows.columns)}")

    def _fetched(self, session: Session, fragment: Fragment) -> Stored:
        """A new database with the rows of `fragment`. They are put there some at a time: what the database
        reads by itself it may let go of in a thread of its own, where Python must not be."""
        database = new_database()
        session.run(f"ATTACH ':memory:' AS {database} (COMPRESS)")
        try:
            return self._filled(session, database, fragment)
        except BaseException:
            session.connection.execute(f"DETACH DATABASE IF EXISTS {database}")
            raise

    def _filled(self, session: Session, database: str, fragment: Fragment) -> Stored:
        schema = fragment.rows.schema().to_pyarrow()
        loose = 0
        with closing(self._read(session, fragment.rows, listed=True)) as batches:
            first = next(batches, pa.RecordBatch.from_pylist([], schema))
            lists = Lists.of(first)
            stored = self._made(session, database, lists, first)
            for part in _parts(map(lists.numbered, chain((first,), batches)), _AT_ONCE):
                self._put(session, f"INSERT INTO {stored.rows}", part)
                loose += part.nbytes
                if self.kept.is_much(_AT_A_TIME * loose):
                    session.run(f"CHECKPOINT {database}")
                    loose = 0
        return stored

    def _made(self, session: Session, database: str, lists: Lists, first: pa.RecordBatch) -> Stored:
        """Without rows yet."""
        stored = Stored(database, frozenset(lists.texts))
        self._put(session, f"CREATE TABLE {stored.rows} AS", _table(lists.numbered(first.slice(0, 0))))
        for column, texts in lists.tables():
            self._put(session, f"CREATE TABLE {stored.list_of(column)} AS", texts)
        return stored

    def _put(self, session: Session, how: str, rows: pa.Table) -> None:
        session.register(_GIVEN, rows)
        try:
            session.run(f"{how} SELECT * FROM {_GIVEN}")  # noqa: S608
        finally:
            session.connection.unregister(_GIVEN)

    def _read(
        self, session: Session, expression: ibis.Table, *, listed: bool = False
    ) -> Generator[pa.RecordBatch]:
        """Batches of the types that the expression promises; where `listed`, texts may be dictionaries.
        Raises Refusal."""
        schema = expression.schema().to_pyarrow()
        session.stop.check()
        whole = declared(expression, lambda table: self.description.tables[table].columns)
        if self._reading is None:
            self._reading = self.warehouse.open()
        with session.stop.guarding(self._reading), _told(session.stop):
            for batch in self._reading.read(whole, self._named(expression)):
                session.stop.check()
                yield conformed(batch, _as_listed(schema, batch) if listed else schema)
            session.stop.check()

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


def _parts(batches: Iterable[pa.RecordBatch], least: int) -> Iterator[pa.Table]:
    """The same rows in parts of `least` bytes or more."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size >= least:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])


def _as_listed(schema: pa.Schema, batch: pa.RecordBatch) -> pa.Schema:
    """`schema` with the dictionaries of texts that `batch` has for texts."""
    for i, given in enumerate(batch.schema):
        is_list = pa.types.is_dictionary(given.type) and given.type.value_type == schema.field(i).type
        schema = schema.set(i, given) if is_list else schema
    return schema
