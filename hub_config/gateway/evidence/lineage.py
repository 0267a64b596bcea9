"""Where a column of a release comes from: the stored table and column that it is, as it is. And what the
engine knows of these."""

from __future__ import annotations

from typing import Final

import ibis.expr.operations as ops

from hub_config.gateway.engine import WAREHOUSE, Session

SAME_ROWS: Final = (ops.Project, ops.Filter, ops.Sort, ops.DropColumns)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def traced(value: ops.Node | None) -> ops.Node | None:
    """What a value is taken from as it is: a column of a table beneath, or what is computed first."""
    while isinstance(value, ops.Field) and not isinstance(value.rel, ops.UnboundTable | ops.DatabaseTable):
        value = column_of(value.rel, value.name)
    return value


def column_of(node: ops.Node, name: str) -> ops.Node | None:
    """What stands in a column of `node`, in terms of what is beneath."""
    if isinstance(node, ops.JoinReference | ops.Filter | ops.Sort | ops.DropColumns):
        return ops.Field(node.parent, name)
    if isinstance(node, ops.Project | ops.JoinChain):
        value: ops.Node | None = node.values.get(name)
        return value
    return None


def stored_type(session: Session, table: str, column: str) -> str | None:
    """The engine's name of the type of a column of the warehouse; None where there is none."""
    return session.kept.once(("type", table, column), lambda: _stored_type(session, table, column))


def _stored_type(session: Session, table: str, column: str) -> str | None:
    found = session.fetch(
        f"SELECT data_type AS t FROM duckdb_columns() WHERE database_name = {text(WAREHOUSE)}"  # noqa: S608
        f" AND table_name = {text(table)} AND column_name = {text(column)}"
    )
    return str(found.column("t")[0].as_py()) if found.num_rows else None
