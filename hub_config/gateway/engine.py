"""DuckDB, locked down: a snapshot opened read-only for the questions (or an empty database, where the
snapshot is on an engine elsewhere), an empty one in memory for what follows release.

Both can touch no file, load no extension, change no setting and use bounded memory and threads. A
statement's own error never gets out of here: it carries values. It becomes a Refusal whose code says what
kind of thing went wrong.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import ibis
import pyarrow as pa

from hub_config.gateway.engines.fetching import Fetching
from hub_config.gateway.engines.in_place import InPlace
from hub_config.gateway.engines.kept_rows import KeptRows
from hub_config.gateway.engines.port import Beneath, Warehouse
from hub_config.gateway.idle import Ahead, Asked
from hub_config.gateway.kept import Kept
from hub_config.gateway.stopping import Stop
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_SCRATCH_MEMORY: Final = 512 * 1024**2
_KEPT_PART: Final = 4  # of the memory, for rows of questions that were answered: one in so many
_SORTING_PART: Final = 8  # of it, for putting rows in a project's order: one in so many a question
_SPARE: Final = 4  # empty databases that wait for a query
_BATCH_BYTES: Final = 1024**2
_MAX_BATCH_ROWS: Final = 65_536


@dataclass(frozen=True)
class EngineLimits:
    memory_bytes: int
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass(frozen=True)
class Session:
    """One query's own connection. Its temporary views, macros, variables and registered tables are seen by
    no other. `known` are facts of the snapshot that are found out once an engine: a snapshot never changes;
    `kept` is what else is made once; `noting` is held while what is known is put together from parts. `spare`
    are databases for what follows release. `beneath` is where the stored tables are: what of a question is
    about them is asked of it, and never of the connection.
    """

    connection: duckdb.DuckDBPyConnection
    stop: Stop
    aggregates: frozenset[str]
    known: dict[str, int] = field(default_factory=dict, repr=False)
    kept: Kept = field(default_factory=Kept, repr=False)
    spare: Spare | None = field(default=None, repr=False)
    noting: threading.Lock = field(default_factory=threading.Lock, repr=False)
    beneath: Beneath = field(default_factory=InPlace, repr=False)

    def ask(self, expression: ibis.Table) -> pa.Table:
        """The gateway's own question about stored tables."""
        return self.beneath.ask(self, expression)

    def bind(self, name: str, key: Hashable, rows: Callable[[], ibis.Table]) -> None:
        """Let `temporary(name, …)` be `rows()`, a function of nothing but `key`."""
        self.beneath.bind(self, name, key, rows)

    def store(self, name: str, table: pa.Table) -> None:
        """Let `temporary(name, …)` be this small table."""
        self.beneath.store(self, name, table)

    def staged(self, expression: ibis.Table) -> ibis.Table:
        """The same rows, over what is on this connection."""
        return self.beneath.staged(self, expression)

    def turns(self, expression: ibis.Table) -> tuple[ibis.Table, Iterator[None]]:
        """The same rows in parts, over what is on this connection: those of one part after each turn."""
        return self.beneath.turns(self, expression)

    def stored_rows(self, tables: Collection[str] | None = None) -> Mapping[str, int]:
        """How many rows the stored `tables` have (or all), those that are there."""
        return self.beneath.rows(self, tables)

    def stored_type(self, table: str, column: str) -> str | None:
        """DuckDB's name of the type of a stored column; None where there is none."""
        return self.beneath.stored_type(self, table, column)

    def run(self, sql: str, parameters: list[object] | None = None) -> None:
        with self.stop.guarding(self.connection), explained(self.stop):
            self.connection.execute(sql, parameters)

    def fetch(self, sql: str) -> pa.Table:
        with self.stop.guarding(self.connection), explained(self.stop), planned():
            return self.connection.execute(sql).to_arrow_table()

    def stream(self, sql: str, row_bytes: int) -> Iterator[pa.RecordBatch]:
        """The answer in batches of about 1 MiB, computed as they are taken."""
        rows = max(1, min(_MAX_BATCH_ROWS, _BATCH_BYTES // max(row_bytes, 1)))
        with self.stop.guarding(self.connection), explained(self.stop), planned():
            reader = self.connection.execute(sql).to_arrow_reader(rows)
        while (batch := self._next(reader)) is not None:
            yield batch

    def register(self, name: str, table: pa.Table) -> None:
        with explained(self.stop):
            self.connection.register(name, table)

    def _next(self, reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
        with self.stop.guarding(self.connection), explained(self.stop):
            try:
                return reader.read_next_batch()
            except StopIteration:
                return None


Work = Callable[[Session], None]
Opener = Callable[[int, Path], Warehouse]


class Engine:
    """One snapshot's DuckDB instance, shared by the queries on it: open on its file, or empty where the
    snapshot is in a `warehouse` elsewhere."""

    def __init__(self, database: Path, limits: EngineLimits, warehouse: Warehouse | None = None) -> None:
        self._warehouse = warehouse
        self._in_place = InPlace(limits.memory_bytes // _SORTING_PART)
        try:
            self._known: dict[str, int] = {}
            self._kept, self._spare, self._noting = Kept(), Spare(), threading.Lock()
            self._asked = Asked()
            self._ahead: Ahead | None = None
            self._connection = duckdb.connect(
                str(database) if warehouse is None else ":memory:",
                read_only=warehouse is None,
                config=_locked_config(limits),
            )
            self._aggregates = _aggregates(self._connection)
            _lock(self._connection)
            self._rows = KeptRows(self._connection, limits.memory_bytes // _KEPT_PART)
        except duckdb.Error:
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT) from None

    @contextmanager
    def session(self, stop: Stop) -> Iterator[Session]:
        with self._asked.question(), self._session(stop) as session:
            yield session

    def prepare(self, work: Work) -> None:
        """Have `work` done on a session of its own by a thread, while no question is asked."""
        self._ahead = Ahead(self._asked, lambda stop: self._work(work, stop))

    @property
    def kept_bytes(self) -> int:
        return self._rows.bytes

    def forget_rows(self) -> None:
        self._rows.forget()

    def leave(self) -> None:
        """Prepare no further, and keep nobody's rows."""
        self._rows.forget()
        if self._ahead is not None:
            self._ahead.leave()

    def close(self) -> None:
        if self._ahead is not None:
            self._ahead.end()
        self._rows.close()
        self._connection.close()
        self._spare.close()
        if self._warehouse is not None:
            self._warehouse.close()

    def _work(self, work: Work, stop: Stop) -> None:
        with self._session(stop) as session:
            work(session)

    @contextmanager
    def _session(self, stop: Stop) -> Iterator[Session]:
        cursor = self._connection.cursor()
        try:
            if self._warehouse is None:
                yield self._on(cursor, stop, self._in_place)
            else:
                with Fetching(self._warehouse, self._rows).on(cursor) as fetching:
                    yield self._on(cursor, stop, fetching)
        finally:
            cursor.close()

    def _on(self, cursor: duckdb.DuckDBPyConnection, stop: Stop, beneath: Beneath) -> Session:
        return Session(
            cursor, stop, self._aggregates, self._known, self._kept, self._spare, self._noting, beneath
        )


class Spare:
    """Empty databases in memory, opened already. Each is lent to one query at a time, which works on a cursor
    of its own: what it registers goes with that. One on which anything failed is not lent again."""

    def __init__(self, most: int = _SPARE) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._idle: list[duckdb.DuckDBPyConnection] = []

    @contextmanager
    def lent(self) -> Iterator[duckdb.DuckDBPyConnection]:
        database = self._taken() or _empty()
        try:
            cursor = database.cursor()
            try:
                yield cursor
            finally:
                cursor.close()
        except BaseException:
            database.close()
            raise
        self._back(database)

    def close(self) -> None:
        with self._lock:
            self._most = 0
            while self._idle:
                self._idle.pop().close()

    def _taken(self) -> duckdb.DuckDBPyConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _back(self, database: duckdb.DuckDBPyConnection) -> None:
        with self._lock:
            if len(self._idle) < self._most:
                self._idle.append(database)
                return
        database.close()


@contextmanager
def scratch(stop: Stop, aggregates: frozenset[str], spare: Spare | None = None) -> Iterator[Session]:
    """An empty database in memory, for one query: it holds protected tables only."""
    lender = spare or Spare(most=0)
    with lender.lent() as connection:
        yield Session(connection, stop, aggregates)


def _empty() -> duckdb.DuckDBPyConnection:
    limits = EngineLimits(memory_bytes=_SCRATCH_MEMORY, threads=1)
    connection = duckdb.connect(":memory:", config=_locked_config(limits))
    try:
        _lock(connection)
    except BaseException:
        connection.close()
        raise
    return connection


class Engines:
    """The open snapshots. A database that is replaced on disk, or that failed for good, is opened anew."""

    def __init__(
        self, limits: EngineLimits, prepare: Work | None = None, elsewhere: Opener | None = None
    ) -> None:
        """`prepare` is done on each snapshot that is opened, while no question is asked. `elsewhere` opens a
        snapshot by number and database file where it is not read from that file."""
        self._limits = limits
        self._elsewhere = elsewhere
        self._prepare = prepare
        self._lock = threading.Lock()
        self._open: dict[int, tuple[tuple[int, ...], Engine]] = {}

    def engine(self, number: int, database: Path) -> Engine:
        """The engine on snapshot `number`. Raises Refusal when its database can't be opened."""
        try:
            status = database.stat()
        except OSError:
            raise Refusal(ErrorCode.SNAPSHOT_MISSING, snapshot=number) from None
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        with self._lock:
            known = self._open.get(number)
            if known is None or known[0] != identity:
                if known is not None:
                    known[1].leave()
                self._open[number] = known = (identity, self._opened(number, database))
                if self._prepare is not None:
                    known[1].prepare(self._prepare)
            self._open[number] = self._open.pop(number)  # asked last
            self._make_room()
            return known[1]

    def _make_room(self) -> None:
        """Rows that are kept, of all snapshots together, take what those of one may: who was asked for
        longest ago forgets them first."""
        if self._elsewhere is None:
            return
        kept = {number: each.kept_bytes for number, (_, each) in self._open.items()}
        for number in list(kept)[:-1]:
            if sum(kept.values()) > self._limits.memory_bytes // _KEPT_PART:
                self._open[number][1].forget_rows()
                kept[number] = 0

    def _opened(self, number: int, database: Path) -> Engine:
        warehouse = None if self._elsewhere is None else self._elsewhere(number, database)
        return Engine(database, self._limits, warehouse)

    def discard(self, number: int) -> None:
        """Forget an engine that failed; queries still running on it keep their own connection to the end."""
        with self._lock:
            forgotten = self._open.pop(number, None)
        if forgotten is not None:
            forgotten[1].leave()

    def close(self) -> None:
        with self._lock:
            for _, engine in self._open.values():
                engine.close()
            self._open.clear()


@contextmanager
def planned() -> Iterator[None]:
    """What the engine refuses before it reads anything is the question's fault, not the engine's."""
    try:
        yield
    except (duckdb.BinderException, duckdb.ParserException):
        raise Refusal(ErrorCode.ILL_TYPED) from None


@contextmanager
def explained(stop: Stop) -> Iterator[None]:
    """Engine errors as refusals. The engine's text is dropped here: it may quote a value."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, RuntimeError) as error:
        stop.check()
        raise Refusal(_code(error)) from None


def _code(error: Exception) -> ErrorCode:
    match error:
        case duckdb.OutOfMemoryException():
            return ErrorCode.OUT_OF_MEMORY
        case duckdb.IOException() if "No space left" in str(error):
            return ErrorCode.DISK_FULL
        case duckdb.IOException() | duckdb.SerializationException() | duckdb.FatalException():
            return ErrorCode.SNAPSHOT_CORRUPT
        case pa.ArrowException() if "Out of Memory" in str(error):
            return ErrorCode.OUT_OF_MEMORY
        case _:
            return ErrorCode.ENGINE_FAILED


def _locked_config(limits: EngineLimits) -> Mapping[str, str]:
    return {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
        "memory_limit": f"{limits.memory_bytes}B",
        "threads": str(limits.threads),
        "temp_directory": "",  # nothing spills: a temporary file would hold patients' rows
        "max_temp_directory_size": "0B",
    }


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    """The last word on the configuration. A file has one instance in a process: where questions still run on
    an engine that was discarded it is theirs, and locked already."""
    if connection.execute("SELECT current_setting('lock_configuration')").fetchone() == (True,):
        return
    connection.execute("SET GLOBAL TimeZone = 'UTC'")  # of every cursor, too
    connection.execute("SET lock_configuration = true")


def _aggregates(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The names of the engine's aggregate functions, which hardening must know."""
    names = connection.execute(
        "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type = 'aggregate'"
    ).fetchall()
    return frozenset(str(name) for (name,) in names)
