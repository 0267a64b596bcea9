"""Unions and other set operations. Below the frontier there is only the union that keeps duplicates,
persons with persons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.rules import level
from hub_config.gateway.rules.facts import (
    MAX_COPIES,
    Anything,
    Closed,
    Column,
    Fact,
    Forbidden,
    Kind,
    Number,
    Opaque,
    Relation,
    labelled,
)
from hub_config.gateway.rules.plan import PATIENT, PHYSICIAN
from p4dp_sdk.wire.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from hub_config.gateway.rules.frontier import Frontier


def union(frontier: Frontier, node: ops.Union) -> Relation:
    left, right = frontier.relations[node.left], frontier.relations[node.right]
    if not (left.kind.protected or right.kind.protected):
        return _free(frontier, node, left, right)
    if Kind.RELEASED in (left.kind, right.kind):
        raise Refusal(ErrorCode.FLOWS_BACK, operation="Union")
    if node.distinct or left.kind is not Kind.PERSON or right.kind is not Kind.PERSON:
        raise Refusal(ErrorCode.SET_RULE, operation="Union")
    return _of_persons(node, left, right)


def other_set(frontier: Frontier, node: Any) -> Relation:
    left, right = frontier.relations[node.left], frontier.relations[node.right]
    if left.kind.protected or right.kind.protected:
        flows = Kind.RELEASED in (left.kind, right.kind)
        raise Refusal(ErrorCode.FLOWS_BACK if flows else ErrorCode.SET_RULE, operation=type(node).__name__)
    return _free(frontier, node, left, right)


def _free(frontier: Frontier, node: Any, left: Relation, right: Relation) -> Relation:
    kind = Kind.PUBLIC
    if Kind.RELEASED in (left.kind, right.kind):
        kind, left, right = Kind.RELEASED, frontier.above(left), frontier.above(right)
    sides = _aligned(node, left, right, {}, {})
    columns = {name: Column(Anything()) for name in node.schema.names}
    return Relation(type(node)(*sides, distinct=node.distinct), kind, columns, user=left.user or right.user)


def _of_persons(node: ops.Union, left: Relation, right: Relation) -> Relation:
    """Rows of both. A record counts once only if the sides are records of different tables."""
    growth = left.growth.beside(right.growth)
    if not growth.is_bounded:
        raise Refusal(ErrorCode.SET_RULE, operation="Union", why=f"up to {MAX_COPIES} tables of persons")
    names = _physician_names(max(len(left.physicians), len(right.physicians)))
    sides = _aligned(node, left, right, _hidden(left, names), _hidden(right, names))
    columns = {
        name: _common(name, node, left.columns[name], right.columns[name]) for name in node.schema.names
    }
    return Relation(
        node=ops.Union(*sides, distinct=False),
        kind=Kind.PERSON,
        columns=columns,
        physicians=names,
        duplicated=left.duplicated or right.duplicated or bool(left.records & right.records),
        records=left.records | right.records,
        growth=growth,
    )


def _physician_names(count: int) -> tuple[str, ...]:
    return tuple(PHYSICIAN if i == 0 else f"{PHYSICIAN}_{i}" for i in range(count))


def _hidden(relation: Relation, names: tuple[str, ...]) -> dict[str, ops.Value]:
    """The side's own physicians, its first one standing in where the other side has more."""
    own = [*relation.physicians, *[relation.physicians[0]] * len(names)][: len(names)]
    fields = {name: ops.Field(relation.node, source) for name, source in zip(names, own, strict=True)}
    return {PATIENT: ops.Field(relation.node, PATIENT), **fields}


def _aligned(
    node: Any,
    left: Relation,
    right: Relation,
    left_hidden: Mapping[str, ops.Value],
    right_hidden: Mapping[str, ops.Value],
) -> tuple[ops.Project, ops.Project]:
    """Both sides with the same columns in the same order and of the same types: engines pair them by
    position."""
    types = {name: node.schema[name] for name in node.schema.names}
    return _side(left, types, left_hidden), _side(right, types, right_hidden)


def _side(
    relation: Relation, types: Mapping[str, dt.DataType], hidden: Mapping[str, ops.Value]
) -> ops.Project:
    values = {name: _as(ops.Field(relation.node, name), dtype) for name, dtype in types.items()}
    wide = {name: ops.Cast(value, dt.int64) for name, value in hidden.items()}
    return ops.Project(relation.node, FrozenOrderedDict({**values, **wide}))


def _as(value: ops.Value, dtype: dt.DataType) -> ops.Value:
    return value if value.dtype == dtype else ops.TryCast(value, dtype)


def _common(name: str, node: ops.Union, left: Column, right: Column) -> Column:
    spans = [column.span for column in (left, right) if column.span is not None]
    span = (min(s[0] for s in spans), max(s[1] for s in spans)) if len(spans) == 2 else None
    fact = _common_fact((node, name), left.fact, right.fact)
    return Column(fact, span, level.is_patient(fact), left.recorded and right.recorded)


def _common_fact(base: tuple[ops.Union, str], left: Fact, right: Fact) -> Fact:
    match left, right:
        case (Forbidden(), _):
            return left
        case (_, Forbidden()):
            return right
        case (Opaque(), Opaque()) if left.role is right.role:
            return Opaque(left.role, left.nullable or right.nullable)
        case (Opaque(), _) | (_, Opaque()):
            raise Refusal(ErrorCode.OPAQUE_IDENTIFIER, operation="Union", column=base[1])
        case (Closed(), Closed()):
            merged = labelled(base, (*left.labels, *right.labels))
            return (
                Closed(base, merged.table, left.daily or right.daily)
                if isinstance(merged, Closed)
                else merged
            )
        case (Number(), Number()) if left.lineage == right.lineage and left.centre == right.centre:
            return replace(left, plain=False)
    return Anything()
