"""What may select people in a publication table: a handful of descriptions, whoever they fit. Pure.

Published numbers are exact. A cell of "these twenty people whom I know, and my neighbour if ill" is twenty or
twenty-one, and nothing in the data tells that cell from an honest one. But whoever means n people who have
nothing else in common has to say n things, where a thesis says a handful. So what the definition says of
people is counted, over all that stands below the release: filters, joins, what is worked out for each
patient, conditions of measures, groups. The decision depends on the definition alone, never on data, and an
operation that is not on the list is refused. ADR 0015 says what is counted how, and what this does not
prevent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import ibis.expr.operations as ops
from ibis.common.graph import Graph

from hub_config.gateway.publication.descriptions import STEP, Condition, Switched, Values, merged
from hub_config.gateway.publication.lists import APART, NOTHING, Charge, Grades, Listed, joined
from hub_config.gateway.publication.sides import Sides
from hub_config.gateway.rules.evaluation import Context, traced_parts
from hub_config.gateway.rules.facts import Closed, Kind, Relation, Traced
from hub_config.gateway.rules.frontier import Frontier
from hub_config.gateway.rules.plan import PATIENT, AuthorisedQuery
from hub_config.gateway.rules.rows import conjuncts
from hub_config.gateway.rules.values import BELOW
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.wire.errors import ErrorCode, Refusal

FREE_CONDITIONS: Final = 20  # that must all hold, each on one code: they narrow, and name nobody apart

FREE_EXCLUSIONS: Final = 6  # of these, that leave people out: more can name whom they leave out, one by one

_PLAIN: Final = (ops.UnboundTable, ops.InMemoryTable, ops.JoinReference, ops.SelfReference, ops.DropColumns)


def check_selectors(query: AuthorisedQuery) -> None:
    """Raises Refusal (NOT_PUBLISHABLE) where the definition of `query` could name people one by one."""
    limit = query.policy.max_descriptions
    try:
        said = descriptions(query)
    except RecursionError:
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="too many steps") from None
    if said > limit:
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, said=said, limit=limit)


def descriptions(query: AuthorisedQuery) -> int:
    """How many descriptions the definition holds. Raises Refusal for an operation that is not on the list."""
    frontier = Frontier(replace(query, access=AccessLevel.AGGREGATE))
    frontier.run(query.expression.as_table().op())
    return _Definition(frontier).total()


@dataclass
class _Definition:
    """The side of the persons: everything below the aggregates at the release."""

    frontier: Frontier
    parts: dict[ops.Node, Traced] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.grades = Grades(
            {name: bound.table for name, bound in self.frontier.query.tables.items()}, self.parts
        )
        self.sides = Sides(self.grades)
        self.values = Values(self.grades, self.sides, self._is_brought)

    def total(self) -> int:
        below = self._below()
        for relation in below:
            self._trace_all(relation)
        self.sides.read(self._releases)
        return _sum(merged([self._of(relation) for relation in below]), self._grouped())

    @property
    def _releases(self) -> list[ops.Aggregate]:
        known = self.frontier.relations
        return [
            node
            for node, relation in known.items()
            if isinstance(node, ops.Aggregate)
            and relation.kind is Kind.RELEASED
            and known[node.parent].kind.protected
        ]

    def _below(self) -> list[ops.Relation]:
        """Every relation from which people come to be counted, from the tables upwards."""
        wanted: set[ops.Node] = set()
        for release in self._releases:
            wanted |= set(Graph.from_bfs(release).nodes())
        return [node for node in self.frontier.relations if node in wanted]

    # -- relations ------------------------------------------------------------------------------------------

    def _of(self, node: ops.Relation) -> Charge:
        if self._known(node).user:
            return self._brought(node)
        match node:
            case ops.Filter():
                return self._conditions(node)
            case ops.Project():
                return self._values(node.values.values(), self._within(node))
            case ops.Aggregate():
                return self._aggregate(node)
            case ops.JoinChain():
                return self._join(node)
            case ops.DropNull():
                return {Condition(node): 0, node: self._any_of(node)}
            case ops.FillNull():
                return {node: len(node.replacements) if isinstance(node.replacements, Mapping) else APART}
            case ops.Union():
                return {node: APART} if self._known(node).kind.protected else NOTHING
            case ops.Sort() | ops.Distinct():
                return NOTHING
            case _ if isinstance(node, _PLAIN):
                return NOTHING
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, operation=type(node).__name__)

    def _brought(self, node: ops.Relation) -> Charge:
        """A table of one's own says what is joined of it. Which rows these are must be known beforehand."""
        if isinstance(node, ops.Filter):
            within = self._within(node)
            conditions = list(conjuncts(node.predicates))
            self._trace(conditions, within)
            facts = [(condition, self.parts[condition].fact) for condition in conditions]
            if all(isinstance(fact, Closed) and fact.base != condition for condition, fact in facts):
                return NOTHING
        elif isinstance(node, (*_PLAIN, ops.Project)):
            return NOTHING
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="a table of your own is joined as it is")

    def _is_brought(self, node: ops.Relation) -> bool:
        return self._known(node).user

    def _known(self, node: ops.Relation) -> Relation:
        return self.frontier.relations[node]

    def _within(self, node: Any) -> dict[ops.Relation, Relation]:
        return {node.parent: self._known(node.parent)}

    def _aggregate(self, node: ops.Aggregate) -> Charge:
        within = self._within(node)
        keys = list(node.groups.values())
        return merged([self._values(keys, within), self._values(node.metrics.values(), within)])

    def _join(self, node: ops.JoinChain) -> Charge:
        tables = (node.first, *(link.table for link in node.rest))
        within = {table: self._known(table) for table in tables}
        charges = [self._values(node.values.values(), within)]
        for link in node.rest:
            matches = list(conjuncts(link.predicates))
            charges += [self._match(predicate, within) for predicate in matches]
            charges += [self._pairs(link, matches), self._left_out(node, link)]
        return merged(charges)

    def _match(self, predicate: ops.Value, within: Mapping[ops.Relation, Relation]) -> Charge:
        """Codes that a public table holds are a list; on persons, it is one more condition."""
        self._trace([predicate], within)
        match predicate:
            case ops.Equals(ops.Field() as left, ops.Field() as right):
                for ours, theirs in ((left, right), (right, left)):
                    if within[ours.rel].kind.protected and not within[theirs.rel].kind.protected:
                        return self._listed(ours, self.parts[theirs])
        return self.values.condition(predicate)

    def _pairs(self, link: ops.JoinLink, matches: list[ops.Value]) -> Charge:
        """Rows of a public table that are met by several codes at once: each is one more choice."""
        if self._known(link.table).kind.protected or len(matches) == 1:
            return NOTHING
        brought = [
            table for table in Graph.from_bfs(link.table).nodes() if isinstance(table, ops.InMemoryTable)
        ]
        if len(brought) != 1:
            raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="a public table is joined on one coded column")
        return {link.table: APART * len(brought[0].data.to_frame()) - 1}

    def _left_out(self, node: ops.JoinChain, link: ops.JoinLink) -> Charge:
        """A "not in" that is looked at from the other side, unless nobody counted is there."""
        if link.how != "anti":
            return NOTHING
        turned = node in self.sides.turned
        known = node in self.sides.held
        return {("turned", link): APART} if turned and not known else {Condition(link, not turned): 0}

    def _any_of(self, node: ops.DropNull) -> int:
        """Whoever has one of the columns: that many alternatives."""
        columns = node.subset if node.subset is not None else node.parent.schema.names
        return APART * (len(columns) - 1) if node.how == "all" else 0

    def _listed(self, ours: ops.Value, theirs: Traced) -> Charge:
        fact = self.parts[ours].fact
        if not isinstance(fact, Closed):
            raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="a public table is joined on one coded column")
        return self.values.noted(ours, joined(fact, self.grades.of(fact), self.grades, theirs.fact))

    # -- values ---------------------------------------------------------------------------------------------

    def _conditions(self, node: ops.Filter) -> Charge:
        found = list(conjuncts(node.predicates))
        self._trace(found, self._within(node))
        alone = any(columns <= {PATIENT} for columns in self._known(node).unique)

        def is_known(condition: ops.Value) -> bool:
            return node in self.sides.held and (alone or self.parts[condition].patient_level)

        return merged([*self.values.conditions(found, is_known), *self._subqueries(found)])

    def _values(self, values: Iterable[ops.Value], within: Mapping[ops.Relation, Relation]) -> Charge:
        found = list(values)
        self._trace(found, within)
        return merged([*map(self.values.of, found), *self._subqueries(found)])

    def _trace_all(self, node: Any) -> None:
        """Everything that a relation is made with."""
        match node:
            case ops.Filter():
                self._trace(conjuncts(node.predicates), self._within(node))
            case ops.Project():
                self._trace(node.values.values(), self._within(node))
            case ops.Aggregate():
                self._trace([*node.groups.values(), *node.metrics.values()], self._within(node))
            case ops.JoinChain():
                within = {table: self._known(table) for table in (node.first, *(x.table for x in node.rest))}
                matches = [part for link in node.rest for part in conjuncts(link.predicates)]
                self._trace([*node.values.values(), *matches], within)

    def _trace(self, values: Iterable[ops.Value], within: Mapping[ops.Relation, Relation]) -> None:
        for value in values:
            self.parts |= traced_parts(value, Context(within, self.frontier), BELOW)

    def _subqueries(self, values: Iterable[ops.Value]) -> Iterator[Charge]:
        """`isin` a column of a public table."""
        for value in values:
            for node in value.find(ops.InSubquery, filter=lambda n: isinstance(n, ops.Value)):
                inner = self._known(node.rel)
                if not inner.kind.protected:
                    (column,) = node.rel.schema.names
                    yield self._listed(node.needle, inner.columns[column].at(node.needle))

    def _grouped(self) -> Iterator[Listed]:
        """Lists of codes that only say which groups are shown. Where people's rows meet, or are worked out
        together, a list may choose people by how much of it they have."""
        if not self._rows_stay_apart:
            return
        keys = [self.parts[key].fact for release in self._releases for key in release.groups.values()]
        grouped = [fact for fact in keys if isinstance(fact, Closed) and _is_one_to_one(fact)]
        for listed, places in self.values.lists.items():
            own = [fact for fact in grouped if self.grades.column(fact) == listed.column is not None]
            values = [{value for value, label in fact.table if None not in (value, label)} for fact in own]
            if len(places) == 1 and any(map(listed.codes.issuperset, values)):
                yield listed

    @property
    def _rows_stay_apart(self) -> bool:
        """Whether each row is counted by itself: no relation comes in twice, none is of several rows."""
        below = self._below()
        people = [
            node
            for node in below
            if self._known(node).kind.protected and not isinstance(node, ops.UnboundTable)
        ]
        used = Counter(child for node in below for child in _relations_of(node))
        several = any(isinstance(node, (ops.Aggregate, ops.Distinct, ops.Set)) for node in people)
        windows = any(node.find(ops.WindowFunction) for node in below)
        return not several and not windows and all(used[node] <= 1 for node in people)


def _is_one_to_one(fact: Closed) -> bool:
    """Whether each group is one code."""
    labels = [label for _, label in fact.table if label is not None]
    return len(labels) == len(set(labels))


def _relations_of(node: ops.Node) -> set[ops.Node]:
    """The relations that `node` reads, each once."""
    found: set[ops.Node] = set()
    pending = list(node.__children__)
    while pending:
        child = pending.pop()
        if isinstance(child, ops.Relation):
            found.add(child)
        else:
            pending.extend(child.__children__)
    return found


def _sum(charges: Charge, groups: Iterable[Listed]) -> int:
    """All of them; of conditions, those that are too many. One step with switches is a step like others."""
    groups = set(groups)
    conditions = sum(isinstance(key, Condition) for key in charges)
    weights = [min(weight, 1) if key in groups else weight for key, weight in charges.items()]
    allowed = APART - STEP if any(isinstance(key, Switched) for key in charges) else 0
    left_out = sum(isinstance(key, Condition) and key.leaves_out for key in charges)
    too_many = max(0, conditions - FREE_CONDITIONS) + APART * max(0, left_out - FREE_EXCLUSIONS)
    return sum(weights) - allowed + too_many
