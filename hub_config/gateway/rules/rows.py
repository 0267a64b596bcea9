"""Row-wise relations and per-patient aggregates: what becomes of hidden columns, facts and unique keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.rules import level
from hub_config.gateway.rules.facts import (
    Anything,
    Closed,
    Column,
    Fact,
    Growth,
    Kind,
    Opaque,
    Relation,
    Traced,
)
from hub_config.gateway.rules.plan import PATIENT, PHYSICIAN
from p4dp_sdk.catalogue.model import Role
from p4dp_sdk.wire.errors import ErrorCode, Refusal

AGGREGATED = "an aggregate"  # what the rows of a per-patient aggregate are records of


def hidden_names(relation: Relation) -> tuple[str, ...]:
    match relation.kind:
        case Kind.PERSON:
            return (PATIENT, *relation.physicians)
        case Kind.PHYSICIAN:
            return (PHYSICIAN,)
        case _:
            return ()


def field_of(relation: Relation, name: str) -> Traced:
    column = relation.columns[name]
    return column.at(ops.Field(relation.node, name))


def with_hidden(relation: Relation, values: Mapping[str, ops.Value]) -> FrozenOrderedDict[str, ops.Value]:
    hidden = {name: ops.Field(relation.node, name) for name in hidden_names(relation)}
    return FrozenOrderedDict({**values, **hidden})


def projected(parent: Relation, values: Mapping[str, Traced]) -> Relation:
    node = ops.Project(parent.node, with_hidden(parent, {name: value.node for name, value in values.items()}))
    columns = {name: value.column for name, value in values.items()}
    return replace(parent, node=node, columns=columns, unique=_renamed(parent, values))


def _renamed(parent: Relation, values: Mapping[str, Traced]) -> frozenset[frozenset[str]]:
    names = {PATIENT: PATIENT}
    for name, value in values.items():
        if isinstance(value.node, ops.Field) and value.node.rel == parent.node:
            names[value.node.name] = name
    return frozenset(frozenset(names[part] for part in key) for key in parent.unique if key <= names.keys())


def conjuncts(predicates: Iterable[ops.Value]) -> Iterator[ops.Value]:
    """The conditions that must all hold."""
    pending = list(reversed(list(predicates)))
    while pending:
        predicate = pending.pop()
        if isinstance(predicate, ops.And):
            pending.extend((predicate.right, predicate.left))
        else:
            yield predicate


def disjunction(predicates: list[ops.Value]) -> ops.Value:
    whole, *rest = predicates
    for predicate in rest:
        whole = ops.Or(whole, predicate)
    return whole


def filtered(parent: Relation, predicates: list[Traced]) -> Relation:
    """The rows that hold; a condition on a closed variable leaves it fewer labels."""
    node = ops.Filter(parent.node, tuple(predicate.node for predicate in predicates))
    relation = replace(parent, node=node)
    for predicate in predicates:
        relation = relation.map_facts(_narrowing(predicate.fact))
    return relation


def _narrowing(condition: Fact) -> Callable[[Fact], Fact]:
    if not isinstance(condition, Closed):
        return lambda fact: fact
    allowed = frozenset(value for value, label in condition.table if label is True)
    base = condition.base
    return lambda fact: (
        fact.restricted_to(allowed) if isinstance(fact, Closed) and fact.base == base else fact
    )


def is_per_patient(groups: Mapping[str, Traced]) -> bool:
    """Whether every group is within one patient. Refuses identifiers that an outer join may have emptied."""
    opaque = [value.fact for value in groups.values() if isinstance(value.fact, Opaque)]
    if any(fact.nullable for fact in opaque):
        raise Refusal(ErrorCode.KEY_RULE, why="an identifier of the optional side of a join")
    return bool(opaque)


def per_patient(parent: Relation, groups: Mapping[str, Traced], metrics: Mapping[str, Traced]) -> Relation:
    """Still about persons: the hidden patient is one of the groups, whatever the query says."""
    if parent.kind is not Kind.PERSON:
        raise Refusal(ErrorCode.KEY_RULE, why="no patient here")
    by = {name: value.node for name, value in groups.items()}
    by[PATIENT] = ops.Field(parent.node, PATIENT)
    measured = {name: value.node for name, value in metrics.items()}
    measured |= {name: ops.Min(ops.Field(parent.node, name)) for name in parent.physicians}
    made = Relation(
        node=ops.Aggregate(parent.node, FrozenOrderedDict(by), FrozenOrderedDict(measured)),
        kind=Kind.PERSON,
        columns={name: value.column for name, value in {**groups, **metrics}.items()},
        physicians=parent.physicians,
        unique=_keys_of_groups(groups),
        records=frozenset({AGGREGATED}),
        growth=Growth() if _keys_of_groups(groups) == {frozenset({PATIENT})} else parent.growth,
    )
    return level.settled(made)


def _keys_of_groups(groups: Mapping[str, Traced]) -> frozenset[frozenset[str]]:
    roles = {name: value.fact.role for name, value in groups.items() if isinstance(value.fact, Opaque)}
    others = frozenset(name for name in groups if roles.get(name) is not Role.PATIENT)
    by_event = {others} if Role.EVENT in roles.values() else set()
    return frozenset({others | {PATIENT}, *by_event})


def aggregated(parent: Relation, groups: Mapping[str, Traced], metrics: Mapping[str, Traced]) -> Relation:
    """An aggregate of public data, or of released tables."""
    node = ops.Aggregate(
        parent.node,
        FrozenOrderedDict({name: value.node for name, value in groups.items()}),
        FrozenOrderedDict({name: value.node for name, value in metrics.items()}),
    )
    columns = {name: value.column for name, value in groups.items()}
    columns |= {name: Column(Anything(), value.span) for name, value in metrics.items()}
    return replace(parent, node=node, columns=columns, unique=frozenset({frozenset(groups)}))
