"""Splits an authorised query at its release frontier: what the engine runs, what is protected, what follows.

Aggregate projects get a ReleasePlan or a Refusal by name. Microdata projects and the synthetic sandbox get
their rows; the sandbox also learns what protection would have done, where the query could be released.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.rules.facts import Kind, Relation
from hub_config.gateway.rules.frontier import Frontier
from hub_config.gateway.rules.leaves import bound_table
from hub_config.gateway.rules.plan import AuthorisedQuery, Plan, PublicPlan, ReleasePlan, RowsPlan
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.catalogue.model import Unit
from p4dp_sdk.wire.errors import ErrorCode, Refusal


def split(query: AuthorisedQuery) -> Plan:
    """The plan of `query`. Raises Refusal, with the rule that it breaks."""
    _check_groups(query.expression.op())
    match query.access:
        case AccessLevel.AGGREGATE:
            return _protected(query)
        case AccessLevel.MICRODATA:
            return _open(query)
        case AccessLevel.SANDBOX:
            return _rehearsed(query)


def _check_groups(asked: ops.Node) -> None:
    """No quantile groups of none, which an engine fails on, be it above the frontier or on plain rows."""
    for node in asked.find(ops.NTile):
        if isinstance(node, ops.NTile) and isinstance(node.buckets, ops.Literal) and not node.buckets.value:
            raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation="NTile", why="1 group at least")


def _protected(query: AuthorisedQuery) -> PublicPlan | ReleasePlan:
    asked = query.expression.as_table().op()
    if isinstance(asked, ops.Limit) and Frontier(query).run(_unlimited(asked)).kind.protected:
        raise Refusal(ErrorCode.ROW_LEVEL, grant="microdata")
    frontier = Frontier(query)
    root = frontier.run(asked)
    if root.kind.protected:
        raise Refusal(ErrorCode.ROW_LEVEL, grant="microdata")
    answer = _as_typed(root, asked.schema)
    if root.kind is Kind.PUBLIC:
        return PublicPlan(answer)
    return ReleasePlan(answer, tuple(frontier.releases), tuple(frontier.publics))


def _unlimited(asked: ops.Limit) -> ops.Relation:
    """What is asked for, whatever the number of rows wanted of it: the head of a table of persons is rows."""
    return _unlimited(asked.parent) if isinstance(asked.parent, ops.Limit) else asked.parent


def _as_typed(root: Relation, schema: ibis.Schema) -> ibis.Table:
    """The answer with the columns and types that the query has, which rewriting may have widened."""
    if root.node.schema.names != schema.names:
        raise Refusal(ErrorCode.INTERNAL)
    if root.node.schema == schema:
        return root.node.to_expr().as_table()
    values = {}
    for name, dtype in schema.items():
        value = ops.Field(root.node, name)
        values[name] = value if value.dtype == dtype else ops.TryCast(value, dtype)
    return ops.Project(root.node, FrozenOrderedDict(values)).to_expr()


def _open(query: AuthorisedQuery) -> PublicPlan | RowsPlan:
    """The query as it is, on what the project was granted."""
    asked = query.expression.as_table().op()
    tables = [node for node in asked.find(ops.UnboundTable) if isinstance(node, ops.UnboundTable)]
    bound = {node: _visible(node, query) for node in tables}
    expression = asked.replace(bound).to_expr() if bound else asked.to_expr()
    about_nobody = all(query.tables[node.name].table.unit is Unit.PUBLIC for node in tables)
    return PublicPlan(expression) if about_nobody else RowsPlan(expression)


def _visible(node: ops.UnboundTable, query: AuthorisedQuery) -> Any:
    """The columns that the query knows; the hidden ones stay behind."""
    relation = bound_table(node, query).relation
    return relation.select(*node.schema.names).op()


def _rehearsed(query: AuthorisedQuery) -> PublicPlan | RowsPlan:
    plan = _open(query)
    if isinstance(plan, PublicPlan):
        return plan
    try:
        rehearsal = _protected(query)
    except Refusal:
        return plan
    return RowsPlan(plan.expression, rehearsal if isinstance(rehearsal, ReleasePlan) else None)
