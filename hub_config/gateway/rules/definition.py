"""What was asked, as SQL that a person can read: for the audit log and for whoever receives the answer."""

from __future__ import annotations

import ibis
import ibis.expr.operations as ops

from p4dp_sdk.wire.errors import ErrorCode, Refusal


def definition(expression: ibis.Expr) -> str:
    """`expression` over the visible tables' names; a user's own table is named, never quoted."""
    root = expression.as_table().op()
    named = {
        node: ops.UnboundTable(name=node.name, schema=node.schema)
        for node in root.find(ops.InMemoryTable)
        if isinstance(node, ops.InMemoryTable)
    }
    try:
        return str(ibis.to_sql(root.replace(named).to_expr(), dialect="duckdb"))
    except Exception:  # Ibis raises many things for what this engine has no SQL for
        raise Refusal(ErrorCode.ILL_TYPED, operation="SQL") from None
