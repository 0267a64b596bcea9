"""A snapshot in the DuckDB file that the session's connection is open on: nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa
from ibis.backends.sql.compilers import DuckDBCompiler

from hub_config.gateway.engines.declaring import declared
from hub_config.gateway.engines.port import WAREHOUSE

if TYPE_CHECKING:
    from hub_config.gateway.engine import Session


class InPlace:
    """See `port.Beneath`."""

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


def _sql(expression: ibis.Table) -> str:
    return str(DuckDBCompiler().to_sqlglot(expression).sql("duckdb"))


def _types(session: Session, table: str) -> Mapping[str, str]:
    name = table.replace("'", "''")
    found = session.fetch(
        "SELECT column_name AS c, data_type AS t FROM duckdb_columns()"  # noqa: S608
        f" WHERE database_name = '{WAREHOUSE}' AND table_name = '{name}'"
    )
    return dict(zip(found.column("c").to_pylist(), found.column("t").to_pylist(), strict=True))
