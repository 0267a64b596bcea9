"""A snapshot in the DuckDB file that the session's connection is open on: nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

import ibis
import pyarrow as pa
from ibis.backends.sql.compilers import DuckDBCompiler

from hub_config.gateway.answer import row_bytes
from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.engines.declaring import declared
from hub_config.gateway.engines.placing import IN_TURN, Placed, placed
from hub_config.gateway.engines.port import WAREHOUSE
from hub_config.gateway.pseudonyms import line_up, take_turn
from hub_config.gateway.rules.plan import PATIENT

if TYPE_CHECKING:
    from hub_config.gateway.engine import Session

_SORTED_BYTES: Final = 24  # that a row takes besides, while rows are put in order


@dataclass(frozen=True)
class InPlace:
    """See `port.Beneath`. `sorting_bytes` are for putting rows in order."""

    sorting_bytes: int = 256 * 1024**2

    def ask(self, session: Session, expression: ibis.Table) -> pa.Table:
        sql = session.kept.once(
            ("asked", expression.op()),
            lambda: _sql(declared(expression, lambda table: self._types(session, table))),
        )
        return session.fetch(sql)

    def bind(self, session: Session, name: str, key: Hashable, rows: Callable[[], ibis.Table]) -> None:
        """The statement holds names and the limits of a grant, no secret: it is kept by all it is made of."""
        sql = session.kept.once(("view", name, key), lambda: _sql(rows()))
        session.run(f'CREATE TEMP VIEW "{name}" AS {sql}')

    def store(self, session: Session, name: str, table: pa.Table) -> None:
        given = f"given_{name}"
        session.register(given, table)
        session.run(f"CREATE TEMP TABLE {name} AS SELECT * FROM {given}")  # noqa: S608

    def staged(self, session: Session, expression: ibis.Table) -> ibis.Table:
        return expression

    def turns(self, session: Session, expression: ibis.Table) -> tuple[ibis.Table, Iterator[None]]:
        """Rows in a project's order are put in it some at a time, for that needs memory."""
        made = placed(expression)
        if made is None:
            return expression, iter((None,))
        turns = self._turns(session, made)
        by_turn = placed(expression, IN_TURN) if turns > 1 else None
        if by_turn is None:
            return made.rows, iter((None,))
        line_up(session, made.of, PATIENT)
        return by_turn.rows, _taken(session, turns)

    def _turns(self, session: Session, made: Placed) -> int:
        """In how many the rows come, so that those of one take no more memory than they may."""
        if not made.in_turns:
            return 1
        size = row_bytes(made.unsorted.schema().to_pyarrow()) + _SORTED_BYTES
        return max(1, ceil(_many(session, made, self.sorting_bytes // size) * size / self.sorting_bytes))

    def rows(self, session: Session, tables: Collection[str] | None = None) -> Mapping[str, int]:
        found = session.fetch(
            "SELECT table_name AS t, max(estimated_size) AS n FROM duckdb_tables() GROUP BY 1"
        )
        known = dict(zip(found.column("t").to_pylist(), found.column("n").to_pylist(), strict=True))
        return known if tables is None else {name: known[name] for name in tables if name in known}

    def stored_type(self, session: Session, table: str, column: str) -> str | None:
        return self._types(session, table).get(column)

    def _types(self, session: Session, table: str) -> Mapping[str, str]:
        return session.kept.once(("types", table), lambda: _types(session, table))


def _many(session: Session, made: Placed, few: int) -> int:
    """How many rows there are; maybe more, where these are `few`."""
    known = None if made.among is None else session.stored_rows((made.among,)).get(made.among)
    return _counted(session, made.unsorted) if known is None or known > few else known


def _counted(session: Session, expression: ibis.Table) -> int:
    statement = compile_hardened(expression.count().name("rows").as_table(), session.aggregates)
    for name, table in statement.tables.items():
        session.register(name, table)
    return int(session.fetch(statement.sql)["rows"][0].as_py())


def _taken(session: Session, turns: int) -> Iterator[None]:
    for turn in range(turns):
        take_turn(session, turn, turns)
        yield


def _sql(expression: ibis.Table) -> str:
    return str(DuckDBCompiler().to_sqlglot(expression).sql("duckdb"))


def _types(session: Session, table: str) -> Mapping[str, str]:
    name = table.replace("'", "''")
    found = session.fetch(
        "SELECT column_name AS c, data_type AS t FROM duckdb_columns()"  # noqa: S608
        f" WHERE database_name = '{WAREHOUSE}' AND table_name = '{name}'"
    )
    return dict(zip(found.column("c").to_pylist(), found.column("t").to_pylist(), strict=True))
