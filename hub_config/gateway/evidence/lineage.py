"""Where a column of a release comes from: the stored table and column that it is, as it is. Pure."""

from __future__ import annotations

from typing import Final

import ibis.expr.operations as ops

SAME_ROWS: Final = (ops.Project, ops.Filter, ops.Sort, ops.DropColumns)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


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
