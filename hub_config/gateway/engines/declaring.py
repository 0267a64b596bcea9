"""Stored tables by all of their columns. Ibis writes `SELECT *` where a question takes every column that it
knows of a table: it has to know all, or it would get, or tell apart by, columns that nobody asked for. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.engines.port import WAREHOUSE, stored

TYPES: Final[Mapping[str, str]] = {
    "TINYINT": "int8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "BOOLEAN": "boolean",
}


def declared(expression: ibis.Table, columns_of: Callable[[str], Mapping[str, str]]) -> ibis.Table:
    """The same, each stored table with all its columns; `columns_of` gives their DuckDB types by table."""
    tree = expression.op()
    found = [node for node in tree.find(ops.UnboundTable) if node.namespace.catalog == WAREHOUSE]
    whole = {node: _whole(node, columns_of(node.name)) for node in found}
    return (whole[tree] if tree in whole else tree.replace(whole)).to_expr()


def _whole(node: ops.UnboundTable, columns: Mapping[str, str]) -> ops.Relation:
    if set(columns) <= set(node.schema):
        return node
    table = stored(node.name, {name: TYPES.get(dtype, "string") for name, dtype in columns.items()}).op()
    values = {name: _as(ops.Field(table, name), dtype) for name, dtype in node.schema.items()}
    return ops.Project(table, FrozenOrderedDict(values))


def _as(value: ops.Value, dtype: dt.DataType) -> ops.Value:
    return value if value.dtype == dtype else ops.Cast(value, dtype)
