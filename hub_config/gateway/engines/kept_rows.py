"""Rows that came from an engine elsewhere, kept between questions so that the next one need not fetch them.

What is kept is told by `Wanted`: a part of a question as the engine was asked it, with the limits of its
grant and its conditions, and what stands in the session's own tables that it names (who objected, one's own
log). A snapshot never changes, and each has rows of its own. So what a question is answered never depends on
whether its rows were kept, and an objection counts at once: rows chosen without it are not the wanted ones
any more. Those chosen by other contents of such a table are forgotten; those of a time when there was none,
before anybody had objected, serve no question and go after a while.

Rows stand in the locked memory of the engine that works questions out, where those of a running question
stand, and no query can name them; compressed, if they are given back when room is short. They are forgotten
when nobody asked for them for a while, when all tables in memory take more than `most_bytes`, when memory
runs out, and with their snapshot.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import duckdb
import ibis.expr.operations as ops
import pyarrow as pa

from hub_config.gateway.engines.storing import Stored

SECONDS: Final = 600.0  # that rows are kept when nobody asks for them
_SOONEST: Final = 0.01  # of them, until what was lent is looked at again


@dataclass(frozen=True)
class Wanted:
    """Some columns of the rows of a relation. `chosen_by` are digests of the session's tables that it reads,
    by their names."""

    rows: ops.Relation
    columns: frozenset[str]
    chosen_by: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, rows: ops.Relation, columns: Iterable[str], tables: Mapping[str, pa.Table]) -> Wanted:
        chosen = sorted((name, _digest(table)) for name, table in tables.items())
        return cls(rows, frozenset(columns), tuple(chosen))

    def is_in(self, other: Wanted) -> bool:
        """Whether what `other` stands for holds all of this."""
        return self.chosen_by == other.chosen_by and self.columns <= other.columns and self.rows == other.rows

    def outdates(self, other: Wanted) -> bool:
        """Whether `other` was chosen by what a table of the session held once, and holds no more."""
        mine = dict(self.chosen_by)
        return any(mine.get(name, digest) != digest for name, digest in other.chosen_by)


@dataclass(eq=False)
class _Kept:
    wanted: Wanted
    stored: Stored
    asked: float
    readers: int = 1
    is_compressed: bool = False
    is_forgotten: bool = False


@dataclass(eq=False)
class KeptRows:
    """Each in a database of its own. Threads may ask at once; what is lent stays until all who have it gave
    it back."""

    connection: duckdb.DuckDBPyConnection
    most_bytes: int
    seconds: float = SECONDS
    clock: Callable[[], float] = time.monotonic
    _kept: list[_Kept] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _timer: threading.Timer | None = None

    def lent(self, wanted: Wanted) -> Stored | None:
        """What holds what is wanted, to be given `back`; None where nothing does."""
        with self._lock:
            self._forget([kept for kept in self._kept if wanted.outdates(kept.wanted)])
            stays = (kept for kept in self._kept if not kept.is_forgotten)
            found = next((kept for kept in stays if wanted.is_in(kept.wanted)), None)
            if found is None:
                return None
            found.readers += 1
            found.asked = self.clock()
            return found.stored

    def keep(self, wanted: Wanted, stored: Stored) -> None:
        """Take over what was just fetched, which its asker is lent."""
        with self._lock:
            self._kept.append(_Kept(wanted, stored, self.clock()))

    def back(self, stored: Stored) -> None:
        """Whoever was lent it needs it no more. Where room is short, rows are compressed that nobody has;
        for each that costs, once, as long as putting them there took."""
        with self._lock:
            kept = next((kept for kept in self._kept if kept.stored is stored), None)
            if kept is None:  # all was closed meanwhile
                return
            self._given_back(kept)
            loose = self._loosest()
        while loose is not None:
            self._run(f"CHECKPOINT {loose.stored.database}")
            with self._lock:
                self._given_back(loose)
                loose = self._loosest()
        with self._lock:
            self._forget_beyond()
            self._forget_later()

    def is_much(self, loose: int) -> bool:
        """Of bytes in memory: whether they are more than may stay as they came."""
        return loose > self.most_bytes

    def forget(self) -> None:
        """Everything; what is lent, once it is given back."""
        with self._lock:
            self._forget(list(self._kept))

    @property
    def bytes(self) -> int:
        """That tables in memory take, of running questions, too."""
        with suppress(duckdb.Error):  # closed
            return self._bytes()
        return 0

    def close(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._kept.clear()

    # --- giving back and forgetting: all of it is done with the lock held ----------------------------------

    def _loosest(self) -> _Kept | None:
        """Of those that nobody has and that are not compressed, where room is short: the one asked for
        longest ago, lent to whoever compresses it."""
        idle = [kept for kept in self._kept if not kept.readers and not kept.is_compressed]
        if not idle or not self.is_much(self._bytes()):
            return None
        found = min(idle, key=lambda kept: kept.asked)
        found.readers, found.is_compressed = 1, True
        return found

    def _given_back(self, kept: _Kept) -> None:
        kept.readers -= 1
        if kept.is_forgotten:
            self._forget([kept])

    def _forget(self, those: Iterable[_Kept]) -> None:
        for kept in those:
            kept.is_forgotten = True
            if not kept.readers:
                self._kept.remove(kept)
                self._run(f"DETACH DATABASE IF EXISTS {kept.stored.database}")

    def _forget_beyond(self) -> None:
        """Those asked for longest ago, as long as tables take too much."""
        idle = sorted((kept for kept in self._kept if not kept.readers), key=lambda kept: kept.asked)
        while idle and self._bytes() > self.most_bytes:
            self._forget([idle.pop(0)])

    def _forget_later(self) -> None:
        if self._kept and self._timer is None:
            first = min(kept.asked for kept in self._kept) + self.seconds - self.clock()
            self._timer = threading.Timer(max(first, self.seconds * _SOONEST), self._forget_old)
            self._timer.daemon = True
            self._timer.start()

    def _forget_old(self) -> None:
        with self._lock:
            self._timer = None
            oldest = self.clock() - self.seconds
            self._forget([kept for kept in self._kept if not kept.readers and kept.asked <= oldest])
            self._forget_later()

    # --- the database --------------------------------------------------------------------------------------

    def _bytes(self) -> int:
        found = self.connection.cursor().execute(
            "SELECT coalesce(sum(memory_usage_bytes), 0) FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'"
        )
        return int(found.fetchall()[0][0])

    def _run(self, sql: str) -> None:
        with suppress(duckdb.Error):  # on a connection that is closed nothing is left to forget
            self.connection.cursor().execute(sql)


def _digest(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    whole = table.combine_chunks()
    with pa.ipc.new_stream(sink, whole.schema) as stream:
        stream.write_table(whole)
    return hashlib.sha256(sink.getvalue()).digest()
