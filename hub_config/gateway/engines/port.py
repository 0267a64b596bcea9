"""The port between what the gateway asks and the engine that holds a snapshot.

Every question is worked out in DuckDB, in the gateway's own locked memory: hardening, evidence, noise and the
ledger are written once and mean the same wherever the rows come from. What an engine elsewhere is asked for
is the part of a question that means the same on all engines, which is what makes a question small: columns,
rows of the grant, rows without those who objected, conditions, rows put together by patient. See `pushdown`.

How to add an engine. Write a class with the attributes and methods of `Warehouse`, in a file of its own
beside `postgresql`, and one of `Reading` for what a single question holds open:

1. `description` is what publishing wrote (`hub_config.warehouse.engines`): tables, their rows and types.
   Each question asks for it once, also where it needs no row that is not kept: find it out again each time,
   or from time to time (`looking`), since another copy may be put there.
2. `means` is a `pushdown.Meaning`: which operations mean on this engine what they mean in DuckDB. Begin with
   `pushdown.SAFE`; what is not in it is worked out in the gateway, so leaving out costs time, never truth.
3. `open()` gives a Reading: a connection of its own, ended by `close()`, stopped by `interrupt()` from
   another thread; what is stopped may end as if there were no more rows, which whoever reads looks for.
   `read(expression, tables)` compiles with Ibis's own compiler of the engine and gives record
   batches as they come. `tables` are small tables of the question (who objected, one's own log) that the
   expression names under the catalog `temp`: upload them, never write their values into SQL.
4. Raise Refusal only, with `from None`: an engine's own text may hold a value. A connection that is lost is
   WAREHOUSE_UNREACHABLE, and the next `open()` connects anew.
5. Name it in `opening.opener` and in `sections.WarehouseSettings.engine`; teach `warehouse publish` to load.
6. Run tests/conformance and tests/services/gateway/test_engines.py on it: both compare cell by cell with
   DuckDB. A difference is a strict xfail with its reason, or an operation to take out of `means`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Protocol

import ibis
import pyarrow as pa

from hub_config.warehouse.engines.description import Description

if TYPE_CHECKING:
    from hub_config.gateway.engine import Session
    from hub_config.gateway.engines.pushdown import Meaning

WAREHOUSE: Final = "warehouse"  # the catalog of stored tables; DuckDB derives it from warehouse.duckdb
TEMPORARY: Final = "temp"  # the catalog of what is on one session only


class Beneath(Protocol):
    """What a session stands on: the stored tables, and how they come to where questions are worked out."""

    def ask(self, session: Session, expression: ibis.Table) -> pa.Table:
        """The gateway's own question about stored tables, unprotected: nothing of it may leave as it is."""
        ...

    def bind(self, session: Session, name: str, key: Hashable, rows: Callable[[], ibis.Table]) -> None:
        """From now on `bound(name, …)` is `rows()`, a function of nothing but `key`."""
        ...

    def store(self, session: Session, name: str, table: pa.Table) -> None:
        """A small table of this session, for `temporary(name, …)`."""
        ...

    def staged(self, session: Session, expression: ibis.Table) -> ibis.Table:
        """The same rows, over what is on the session's own connection."""
        ...

    def turns(self, session: Session, expression: ibis.Table) -> tuple[ibis.Table, Iterator[None]]:
        """The same rows in parts: after each turn, those of another part are what the relation has."""
        ...

    def rows(self, session: Session, tables: Collection[str] | None = None) -> Mapping[str, int]:
        """How many rows the stored `tables` have, or all; those that are there."""
        ...

    def stored_type(self, session: Session, table: str, column: str) -> str | None:
        """DuckDB's name of the type of a stored column; None where there is none."""
        ...


class Reading(Protocol):
    """What one question holds open on an engine elsewhere."""

    def read(self, expression: ibis.Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]: ...

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


class Warehouse(Protocol):
    """One published snapshot on an engine elsewhere. Threads may open readings at once."""

    @property
    def description(self) -> Description: ...

    @property
    def means(self) -> Meaning: ...

    def open(self) -> Reading: ...

    def close(self) -> None: ...


def stored(name: str, columns: Mapping[str, str]) -> ibis.Table:
    """A table of the warehouse, by its physical columns and their types."""
    return ibis.table(dict(columns), name=name, catalog=WAREHOUSE, database="main")


def temporary(name: str, columns: Mapping[str, str]) -> ibis.Table:
    """A table or view of the session."""
    return ibis.table(dict(columns), name=name, catalog=TEMPORARY, database="main")
