"""An Ibis expression as hardened DuckDB SQL.

Tables that the query brings travel as data, never inside SQL: they are registered under names of the
gateway's own, so that none can stand for a table of the warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.common.exceptions as exc
import ibis.expr.operations as ops
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.sql.compilers import DuckDBCompiler

from hub_config.gateway.harden import harden, lift
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_USER_TABLE: Final = "user_table_"


@dataclass(frozen=True)
class Statement:
    """What the engine runs: SQL, the user's tables it reads, and the schema of its answer."""

    sql: str
    tables: Mapping[str, pa.Table]
    schema: pa.Schema


def compile_hardened(expression: ibis.Expr, aggregates: frozenset[str]) -> Statement:
    """The statement of `expression`, whose computations yield NULL where they can't be done. Raises
    Refusal.
    """
    relation, tables = _take_out_tables(expression.as_table().op())
    query = _compile(lift(relation).to_expr())
    return Statement(_render(harden(query, aggregates)), tables, expression.as_table().schema().to_pyarrow())


def _take_out_tables(relation: ops.Relation) -> tuple[ops.Relation, Mapping[str, pa.Table]]:
    brought = dict.fromkeys(relation.find(ops.InMemoryTable))
    tables = {f"{_USER_TABLE}{i}": table.data.to_pyarrow(table.schema) for i, table in enumerate(brought)}
    stand_ins = {
        table: ops.UnboundTable(name=name, schema=table.schema)
        for table, name in zip(brought, tables, strict=True)
    }
    return relation.replace(stand_ins) if stand_ins else relation, tables


def _compile(expression: ibis.Table) -> sge.Query:
    try:
        query: sge.Query = DuckDBCompiler().to_sqlglot(expression)
    except (exc.OperationNotDefinedError, exc.UnsupportedOperationError, exc.UnsupportedBackendType):
        raise Refusal(ErrorCode.UNKNOWN_OPERATION) from None
    except exc.IbisError:
        raise Refusal(ErrorCode.ILL_TYPED) from None
    return query


def _render(query: sge.Query) -> str:
    return query.sql("duckdb")
