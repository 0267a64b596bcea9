"""Base tables of a query: the catalogue's roles become facts. Nothing but what the project was granted is
found here."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping

import ibis.expr.operations as ops

from hub_config.gateway.rules import level
from hub_config.gateway.rules.facts import (
    Anything,
    Closed,
    Column,
    Fact,
    Forbidden,
    Kind,
    Number,
    Opaque,
    Quantity,
    Relation,
    Span,
)
from hub_config.gateway.rules.plan import PATIENT, PHYSICIAN, AuthorisedQuery, BoundTable
from hub_config.gateway.rules.totals import span_of
from p4dp_sdk.catalogue import model
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_KINDS: Mapping[model.Unit, Kind] = {
    model.Unit.PERSON: Kind.PERSON,
    model.Unit.PHYSICIAN: Kind.PHYSICIAN,
    model.Unit.PUBLIC: Kind.PUBLIC,
}


def granted_table(node: ops.UnboundTable, query: AuthorisedQuery) -> Relation:
    """The relation on the engine that `node` names."""
    bound = bound_table(node, query)
    kind = _KINDS.get(bound.table.unit)
    if kind is None:
        raise Refusal(ErrorCode.UNKNOWN_TABLE, table=node.name)
    columns = {
        name: _column(_fact(bound, bound.table.column(name), query), span_of(dtype), bound.table.column(name))
        for name, dtype in node.schema.items()
    }
    return level.settled(
        Relation(
            node=bound.relation.op(),
            kind=kind,
            columns=columns,
            physicians=(PHYSICIAN,) if kind is Kind.PERSON else (),
            unique=_unique(bound),
            records=frozenset({node.name}),
        )
    )


def _column(fact: Fact, span: Span, column: model.Column) -> Column:
    return Column(fact, span, level.is_patient(fact), column.role is model.Role.DATE)


def bound_table(node: ops.UnboundTable, query: AuthorisedQuery) -> BoundTable:
    bound = query.tables.get(node.name)
    if bound is None:
        raise Refusal(ErrorCode.UNKNOWN_TABLE, table=node.name)
    granted = set(bound.relation.columns) - {PATIENT, PHYSICIAN}
    unknown = [name for name in node.schema if name not in granted or not bound.table.has(name)]
    if unknown:
        raise Refusal(ErrorCode.UNKNOWN_COLUMN, table=node.name, column=unknown[0])
    return bound


def _unique(bound: BoundTable) -> frozenset[frozenset[str]]:
    key = bound.table.key
    if key is None:
        return frozenset()
    is_patient = bound.table.has(key) and bound.table.column(key).role is model.Role.PATIENT
    return frozenset({frozenset({PATIENT if is_patient else key})})


def _fact(bound: BoundTable, column: model.Column, query: AuthorisedQuery) -> Fact:
    base = (bound.table.name, column.name)
    match column.role:
        case model.Role.PATIENT | model.Role.EVENT:
            return Opaque(column.role, plain=True)
        case model.Role.CODE:
            return _coded(base, query.domains.get(column.codes or ""), evident=column.evident)
        case model.Role.DATE:
            return _calendar(base, query) if column.name == bound.table.date else Anything(plain=True)
        case model.Role.NUMERIC:
            return _number(bound.table.name, column)
        case model.Role.RAW | model.Role.PHYSICIAN | model.Role.INTERN:
            return (
                Anything(plain=True)
                if bound.table.unit is model.Unit.PUBLIC
                else Forbidden(column.role, column.name)
            )


def _number(table: str, column: model.Column) -> Fact:
    """Only what has bounds may be summed: one value without them could outweigh everybody's."""
    if column.bounds is None or not all(map(math.isfinite, column.bounds)):
        return Anything(plain=True)
    lineage = f"{table}.{column.name}"
    return Number(Quantity.CATALOGUE, lineage, column.bounds, _centre(column, *column.bounds), plain=True)


def _centre(column: model.Column, low: float, high: float) -> float:
    """The middle of the bounds. Where a column holds several quantities (no unit of its own), most of them
    lie near its low end, and the middle would be far from all of them: as near to zero as the bounds allow.
    """
    if column.unit is None:
        return min(max(0.0, low), high)
    return float(math.floor((low + high) / 2)) if "int" in column.dtype else (low + high) / 2


def _coded(base: tuple[str, str], codes: tuple[str, ...] | None, *, evident: bool) -> Fact:
    if codes is None:
        return Anything(plain=True)
    return Closed(base, tuple((code, code) for code in (*codes, None)), plain=True, evident=evident)


def _calendar(base: tuple[str, str], query: AuthorisedQuery) -> Fact:
    """The days of the snapshot: known beforehand, whoever was seen on them."""
    first, last = (day.toordinal() for day in query.calendar)
    days = [datetime.date.fromordinal(ordinal) for ordinal in range(first, last + 1)]
    return Closed(base, tuple((day, day) for day in (*days, None)), daily=True, plain=True)


def user_table(node: ops.InMemoryTable) -> Relation:
    """A table the person brought: part of the query, so known beforehand. Its columns are functions of its
    row."""
    content = node.data.to_pyarrow(node.schema)
    values = {name: content.column(name).to_pylist() for name in node.schema.names}
    columns = {
        name: Column(Closed((node.name, "row"), tuple(enumerate(values[name]))), span_of(dtype))
        for name, dtype in node.schema.items()
    }
    unique = {frozenset({name}) for name, cells in values.items() if len(set(cells)) == len(cells)}
    return Relation(
        node, Kind.PUBLIC, columns, unique=frozenset(unique), records=frozenset({node.name}), user=True
    )
