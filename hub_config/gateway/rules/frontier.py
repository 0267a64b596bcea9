"""One bottom-up pass over a query's relations: rewritten for the engine below the release frontier, left as
said above it.

Hidden columns (`__patient`, `__physician`…) travel with every row about a person, through every operation;
the first aggregate that is not one row a patient becomes a release. Nothing flows from a release back to
persons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import ibis.expr.operations as ops
from ibis.common.annotations import ValidationError
from ibis.common.collections import FrozenOrderedDict
from ibis.common.exceptions import IbisError
from ibis.common.graph import Graph

from hub_config.gateway.rules import joins, leaves, release, rows, sets
from hub_config.gateway.rules.evaluation import Context, refuse_forbidden, trace
from hub_config.gateway.rules.facts import Anything, Closed, Column, Kind, Opaque, Relation, Traced, tagged
from hub_config.gateway.rules.finite import truth
from hub_config.gateway.rules.plan import AuthorisedQuery, PublicTable, Release
from hub_config.gateway.rules.values import BELOW
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_NO_MORE_ROWS = (ops.Project, ops.Filter, ops.Sort, ops.DropColumns)


@dataclass
class Frontier:
    """The state of one pass. Answers the questions of `evaluation.Subqueries` about what it has seen."""

    query: AuthorisedQuery
    relations: dict[ops.Relation, Relation] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    publics: list[PublicTable] = field(default_factory=list)

    def run(self, root: ops.Relation) -> Relation:
        """The rewritten root. Raises Refusal."""
        for node in Graph.from_bfs(root).toposort()[0]:
            if isinstance(node, ops.Relation):
                self.relations[node] = self._visit(node)
        return self.relations[root]

    def _visit(self, node: ops.Relation) -> Relation:
        visit = _VISITORS.get(type(node))
        if visit is None:
            raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation=type(node).__name__)
        try:
            return visit(self, node)
        except (IbisError, ValidationError):  # widened types can meet an operation that has no place for them
            raise Refusal(ErrorCode.ILL_TYPED, operation=type(node).__name__) from None

    # -- values -------------------------------------------------------------------------------------------

    def trace(self, value: ops.Value, relations: Mapping[ops.Relation, Relation]) -> Traced:
        """A value that is used, on the rows of `relations`; it may not reduce them."""
        traced = self.carry(value, relations)
        refuse_forbidden(traced)
        return traced

    def carry(self, value: ops.Value, relations: Mapping[ops.Relation, Relation]) -> Traced:
        """A value that becomes a column of the next relation; it may not reduce the rows of `relations`."""
        traced = self.trace_any(value, relations)
        if traced.reduces:
            raise Refusal(ErrorCode.WINDOW_RULE, operation=type(value).__name__)
        return traced

    def trace_any(self, value: ops.Value, relations: Mapping[ops.Relation, Relation]) -> Traced:
        above = any(relation.kind is Kind.RELEASED for relation in relations.values())
        return trace(value, Context(relations, self), None if above else BELOW)

    def isin(self, node: ops.InSubquery, needle: Traced, here: Context) -> Traced:
        """A semi-join in other words: persons by their own identifier, everything else by a coded column."""
        inner, kind = self.relations[node.rel], _kind_of(here)
        if inner.kind is Kind.RELEASED and kind is not Kind.RELEASED:
            raise Refusal(ErrorCode.FLOWS_BACK, operation="isin")
        if kind is Kind.RELEASED:
            return Traced(ops.InSubquery(self.above(inner).node, needle.node))
        if inner.kind.protected:
            return self._isin_persons(node, inner, needle, kind)
        return self._isin_public(node, inner, needle)

    def _isin_persons(self, node: ops.InSubquery, inner: Relation, needle: Traced, kind: Kind) -> Traced:
        (column,) = node.rel.schema.names
        fact = inner.columns[column].fact
        if not (
            isinstance(needle.fact, Opaque) and isinstance(fact, Opaque) and needle.fact.role is fact.role
        ):
            raise Refusal(ErrorCode.JOIN_RULE, why="isin another table of persons: on the patient only")
        if kind is not Kind.PERSON:
            raise Refusal(ErrorCode.JOIN_RULE, why="isin")
        return Traced(ops.InSubquery(_known(inner, column), needle.node), truth(node))

    def _isin_public(self, node: ops.InSubquery, inner: Relation, needle: Traced) -> Traced:
        coded = isinstance(needle.fact, Closed) and not needle.fact.daily
        if not coded:
            raise Refusal(
                ErrorCode.USER_TABLE_RULE if inner.user else ErrorCode.JOIN_RULE, why="coded column"
            )
        return Traced(ops.InSubquery(inner.node, needle.node), truth(node))

    def scalar(self, node: ops.ScalarSubquery, here: Context) -> Traced:
        """A value over all rows of another table: above the frontier only, and known to be one."""
        inner = self.relations[node.rel]
        if not _has_one_row(node.rel):
            raise Refusal(ErrorCode.ILL_TYPED, operation="scalar subquery")
        if _kind_of(here) is not Kind.RELEASED:
            raise Refusal(
                ErrorCode.FLOWS_BACK if inner.kind is Kind.RELEASED else ErrorCode.ROW_PICK,
                operation="scalar subquery",
            )
        return Traced(ops.ScalarSubquery(self.above(inner).node))

    # -- the frontier -------------------------------------------------------------------------------------

    def above(self, relation: Relation) -> Relation:
        """`relation` as met above the frontier: public data are materialised, persons may not be there."""
        if relation.kind is Kind.RELEASED:
            return relation
        if relation.kind.protected:
            raise Refusal(ErrorCode.FLOWS_BACK, operation="join")
        name = f"public_{len(self.publics)}"
        self.publics.append(PublicTable(name, relation.node.to_expr()))
        return released(ops.UnboundTable(name=name, schema=relation.node.schema))

    def add_release(self, build: Callable[[str], Release]) -> ops.UnboundTable:
        made = build(f"release_{len(self.releases)}")
        self.releases.append(made)
        if sum(release.cells for release in self.releases) > self.query.policy.max_cells:
            raise Refusal(ErrorCode.TOO_MANY_CELLS, limit=self.query.policy.max_cells)
        return ops.UnboundTable(name=made.name, schema=made.schema)


def _kind_of(here: Context) -> Kind:
    kinds = {relation.kind for relation in here.relations.values()}
    for kind in (Kind.RELEASED, Kind.PERSON, Kind.PHYSICIAN):
        if kind in kinds:
            return kind
    return Kind.PUBLIC


def _has_one_row(node: ops.Relation) -> bool:
    """At most one, whatever the data: the engine would fail on two, and say so by failing."""
    while isinstance(node, _NO_MORE_ROWS):
        node = node.parent
    match node:
        case ops.Aggregate():
            return not node.groups
        case ops.Limit():
            return isinstance(node.n, int) and node.n <= 1
        case _:
            return False


def _known(inner: Relation, column: str) -> ops.Relation:
    """The identifiers of `inner` that there are: one NULL among them, from a person whom an outer join found
    no partner for, would make "not in" unknown for everybody else."""
    only = ops.Project(inner.node, FrozenOrderedDict({column: ops.Field(inner.node, column)}))
    return ops.Filter(only, (ops.NotNull(ops.Field(only, column)),))


def released(node: ops.Relation) -> Relation:
    return Relation(node, Kind.RELEASED, {name: Column(Anything()) for name in node.schema.names})


# -- visitors ---------------------------------------------------------------------------------------------


def _granted_table(frontier: Frontier, node: ops.UnboundTable) -> Relation:
    return leaves.granted_table(node, frontier.query)


def _user_table(frontier: Frontier, node: ops.InMemoryTable) -> Relation:
    return leaves.user_table(node)


def _dummy(frontier: Frontier, node: ops.DummyTable) -> Relation:
    columns = {name: frontier.trace(value, {}) for name, value in node.values.items()}
    new = ops.DummyTable(FrozenOrderedDict({name: value.node for name, value in columns.items()}))
    return Relation(new, Kind.PUBLIC, {name: value.column for name, value in columns.items()}, user=True)


def _reference(frontier: Frontier, node: Any) -> Relation:
    """Another occurrence of the same rows: its variables are its own, whatever number the query gives it."""
    parent = frontier.relations[node.parent]
    new = type(node)(parent.node, identifier=node.identifier)
    return replace(parent.map_facts(lambda fact: tagged(fact, node)), node=new)


def _project(frontier: Frontier, node: ops.Project) -> Relation:
    parent = frontier.relations[node.parent]
    values = {name: frontier.carry(value, {node.parent: parent}) for name, value in node.values.items()}
    return rows.projected(parent, values)


def _drop_columns(frontier: Frontier, node: ops.DropColumns) -> Relation:
    parent = frontier.relations[node.parent]
    values = {name: rows.field_of(parent, name) for name in node.schema.names}
    return rows.projected(parent, values)


def _filter(frontier: Frontier, node: ops.Filter) -> Relation:
    parent = frontier.relations[node.parent]
    parts = rows.conjuncts(node.predicates) if parent.kind is not Kind.RELEASED else node.predicates
    return rows.filtered(parent, [frontier.trace(part, {node.parent: parent}) for part in parts])


def _drop_null(frontier: Frontier, node: ops.DropNull) -> Relation:
    subset = (
        node.subset
        if node.subset is not None
        else [ops.Field(node.parent, name) for name in node.parent.schema.names]
    )
    present = [ops.NotNull(value) for value in subset]
    if not present:
        return frontier.relations[node.parent]
    predicates = present if node.how == "any" else [rows.disjunction(present)]
    parent = frontier.relations[node.parent]
    return rows.filtered(parent, [frontier.trace(part, {node.parent: parent}) for part in predicates])


def _fill_null(frontier: Frontier, node: ops.FillNull) -> Relation:
    parent = frontier.relations[node.parent]
    if parent.kind is Kind.RELEASED:
        return released(ops.FillNull(parent.node, node.replacements))
    if not isinstance(node.replacements, Mapping):
        raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation="FillNull", why="name the columns to fill")
    values: dict[str, ops.Value] = {name: ops.Field(node.parent, name) for name in node.schema.names}
    for name, filling in node.replacements.items():
        if name not in values:
            raise Refusal(ErrorCode.UNKNOWN_COLUMN, column=name)
        values[name] = ops.Coalesce((values[name], filling))
    traced = {name: frontier.carry(value, {node.parent: parent}) for name, value in values.items()}
    return rows.projected(parent, traced)


def _sort(frontier: Frontier, node: ops.Sort) -> Relation:
    """Order means nothing to an aggregate; above the frontier, and for public data, it is kept."""
    parent = frontier.relations[node.parent]
    keys = (
        [frontier.trace_any(key, {node.parent: parent}) for key in node.keys]
        if not parent.kind.protected
        else []
    )
    if not keys:
        return parent
    return replace(parent, node=ops.Sort(parent.node, tuple(key.node for key in keys)))


def _limit(frontier: Frontier, node: ops.Limit) -> Relation:
    parent = frontier.relations[node.parent]
    whole_numbers = isinstance(node.n, int | None) and isinstance(node.offset, int)
    if parent.kind.protected or not whole_numbers:
        raise Refusal(ErrorCode.ROW_PICK, operation="Limit")
    return replace(parent, node=ops.Limit(parent.node, node.n, node.offset))


def _sample(frontier: Frontier, node: ops.Sample) -> Relation:
    raise Refusal(ErrorCode.ROW_PICK, operation="Sample")


def _distinct(frontier: Frontier, node: ops.Distinct) -> Relation:
    parent = frontier.relations[node.parent]
    if not parent.kind.protected:
        return replace(parent, node=ops.Distinct(parent.node), unique=frozenset())
    groups = {name: rows.field_of(parent, name) for name in node.schema.names}
    if not rows.is_per_patient(groups):
        raise Refusal(ErrorCode.SET_RULE, operation="Distinct")
    return rows.per_patient(parent, groups, {})


def _aggregate(frontier: Frontier, node: ops.Aggregate) -> Relation:
    parent = frontier.relations[node.parent]
    here = {node.parent: parent}
    groups = {name: frontier.trace(value, here) for name, value in node.groups.items()}
    if parent.kind.protected and not rows.is_per_patient(groups):
        return released(release.at_frontier(frontier, node, parent, groups))
    metrics = {name: frontier.trace_any(value, here) for name, value in node.metrics.items()}
    if parent.kind.protected:
        return rows.per_patient(parent, groups, metrics)
    return rows.aggregated(parent, groups, metrics)


_VISITORS: Mapping[type[ops.Relation], Callable[[Frontier, Any], Relation]] = {
    ops.UnboundTable: _granted_table,
    ops.InMemoryTable: _user_table,
    ops.DummyTable: _dummy,
    ops.JoinReference: _reference,
    ops.SelfReference: _reference,
    ops.Project: _project,
    ops.DropColumns: _drop_columns,
    ops.Filter: _filter,
    ops.DropNull: _drop_null,
    ops.FillNull: _fill_null,
    ops.Sort: _sort,
    ops.Limit: _limit,
    ops.Sample: _sample,
    ops.Distinct: _distinct,
    ops.Aggregate: _aggregate,
    ops.Union: lambda frontier, node: sets.union(frontier, node),
    ops.Intersection: lambda frontier, node: sets.other_set(frontier, node),
    ops.Difference: lambda frontier, node: sets.other_set(frontier, node),
    ops.JoinChain: lambda frontier, node: joins.join(frontier, node),
}
