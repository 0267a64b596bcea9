"""Of which conditions a definition shows more than those who meet them. Pure.

To fail one of ten conditions is to meet one of ten others (De Morgan). So what "and" says depends on the side
from which it is looked at: people who meet ten conditions are few and have all in common; those who fail one
are ten kinds of people. *Turned* is what is looked at from the other side as well: below a "not", in the
query of a "not in" or on the right of a left join, as a key or a number, counted for each patient. There an
alternative hides in each condition that is not *plain*: that something is there, is this code, lies within
limits. The failing of a plain condition leaves people out, and names nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import ibis.expr.operations as ops

from hub_config.gateway.publication.lists import Grade, Grades
from hub_config.gateway.rules.evaluation import value_children
from hub_config.gateway.rules.facts import Closed
from hub_config.gateway.rules.rows import conjuncts

BOUNDS: Final = (ops.Greater, ops.GreaterEqual, ops.Less, ops.LessEqual)
COUNTS: Final = (ops.Count, ops.CountStar, ops.CountDistinct)
_WITHIN: Final = (*BOUNDS, ops.Equals, ops.IdenticalTo, ops.Between, ops.InValues)
_SWITCHES: Final = (ops.IfElse, ops.SearchedCase, ops.SimpleCase, ops.Coalesce, ops.NullIf, *COUNTS)
_CHOSEN: Final = (*_SWITCHES, ops.Greatest, ops.Least)
_KEPT: Final = frozenset({"inner", "semi"})  # joins: who is left has a row on either side


@dataclass
class Sides:
    """`turned`: conditions, and relations of which who has no row is seen as well. `held`: relations in which
    everybody who is counted has a row: what they fail there, nobody fails."""

    grades: Grades
    turned: set[ops.Node] = field(default_factory=set)
    held: set[ops.Node] = field(default_factory=set)
    _met: set[tuple[ops.Node, bool]] = field(default_factory=set)

    def read(self, releases: Iterable[ops.Aggregate]) -> None:
        for release in releases:
            self._hold(release.parent)
            self._relation(release.parent, False)
            for key in release.groups.values():
                self._value(key, True)
            for metric in release.metrics.values():
                for measure in metric.find(ops.Reduction):
                    self._measure(measure)

    # -- what is turned -------------------------------------------------------------------------------------

    def _measure(self, node: ops.Value) -> None:
        where = getattr(node, "where", None)
        for child in value_children(node):
            for part in conjuncts([child]) if child is where else [child]:
                self._value(part, child is not where)

    def _hold(self, node: ops.Relation) -> None:
        self.held.add(node)
        match node:
            case ops.JoinChain():
                for table in (node.first, *(link.table for link in node.rest if link.how in _KEPT)):
                    self._hold(table)
            case ops.Filter():
                self._hold(node.parent)
                for condition in conjuncts(node.predicates):
                    if isinstance(condition, ops.InSubquery):
                        self._hold(condition.rel)
            case _ if isinstance(getattr(node, "parent", None), ops.Relation):
                self._hold(node.parent)

    def _relation(self, node: ops.Relation, turned: bool) -> None:
        if not self._is_new(node, turned):
            return
        match node:
            case ops.Filter():
                self._relation(node.parent, turned)
                for condition in conjuncts(node.predicates):
                    self._value(condition, turned)
            case ops.Aggregate():
                self._relation(node.parent, turned or bool(node.metrics))
            case ops.JoinChain():
                self._relation(node.first, turned)
                for link in node.rest:
                    self._relation(link.table, turned or link.how not in _KEPT)
                    for condition in conjuncts(link.predicates):
                        self._value(condition, turned or link.how not in _KEPT)
            case ops.Set():
                self._relation(node.left, turned)
                self._relation(node.right, turned)
            case _ if isinstance(getattr(node, "parent", None), ops.Relation):
                self._relation(node.parent, turned)

    def _value(self, node: ops.Value, turned: bool) -> None:
        if not self._is_new(node, turned):
            return
        match node:
            case ops.Field():
                for source in sources(node):
                    self._value(source, turned)
            case ops.InSubquery():
                self._relation(node.rel, turned)
            case ops.And() | ops.Or() | ops.Alias() | ops.Any():
                for child in value_children(node):
                    self._value(child, turned)
            case _:
                for child in value_children(node):
                    self._value(child, True)

    def _is_new(self, node: ops.Node, turned: bool) -> bool:
        known = (node, turned) in self._met
        self._met.add((node, turned))
        if turned:
            self.turned.add(node)
        return not known

    # -- what is plain --------------------------------------------------------------------------------------

    def hides_alternatives(self, node: ops.Value) -> bool:
        """Whether, once turned, it is one more alternative beside others."""
        return node in self.turned and not isinstance(node, ops.And) and not self._is_plain(node)

    def leaves_out(self, node: ops.Value) -> bool:
        """Whether a condition leaves people out who have something in common."""
        return node not in self.turned and not isinstance(node, ops.Or) and not self._is_plain(node)

    def _is_plain(self, node: ops.Value) -> bool:
        if self._is_coded(node):
            return True
        match node:
            case ops.Field():
                return not isinstance(node.rel, ops.Set) and all(map(self._is_plain, sources(node)))
            case ops.And() | ops.Alias():
                return all(map(self._is_plain, value_children(node)))
            case ops.Any():
                return self._is_plain(node.arg)
            case ops.InSubquery():
                return True
            case ops.NotNull():
                return self._is_measured(node.arg)
            case ops.Greater() | ops.GreaterEqual() if _is_count(node.left):
                return is_constant(node.right)
            case ops.Not(compared) if isinstance(compared, BOUNDS):
                return all(map(self._is_measured, value_children(compared)))
            case _ if isinstance(node, _WITHIN):
                return all(map(self._is_measured, value_children(node)))
        return False

    def _is_measured(self, node: ops.Value) -> bool:
        """A value of the patient's own, and there only if it was recorded."""
        if is_constant(node) or self._is_coded(node):
            return not node.dtype.is_boolean()
        if node.dtype.is_boolean() or isinstance(node, _CHOSEN):
            return False
        if isinstance(node, ops.Field):
            return not _is_filled(node) and all(map(self._is_measured, sources(node)))
        where = getattr(node, "where", None)
        return all(self._is_measured(child) for child in value_children(node) if child is not where)

    def is_switch(self, node: ops.Value) -> bool:
        """Whether the number tells that a condition holds: a sum of two tells that one of them does."""
        if is_constant(node) or self.is_listed(node):
            return False
        if node.dtype.is_boolean() or isinstance(node, _SWITCHES):
            return True
        if isinstance(node, ops.Field):
            return _is_filled(node) or any(map(self.is_switch, sources(node)))
        if isinstance(node, ops.Reduction) and getattr(node, "where", None) is not None:
            return True
        return any(map(self.is_switch, value_children(node)))

    def is_listed(self, node: ops.Value) -> bool:
        """Whether it tells one code, or that the patient has some code: several of these are one list. NULL
        where there was nothing to look at, which no sum passes over."""
        match node:
            case _ if self._is_coded(node, silent=True):
                return True
            case ops.Any():
                return node.where is None and self._is_coded(node.arg)
            case ops.Field():
                below = sources(node)
                return not _is_filled(node) and bool(below) and all(map(self.is_listed, below))
            case ops.Alias() | ops.Cast():
                return self.is_listed(node.arg)
        return False

    def _is_coded(self, node: ops.Value, *, silent: bool = False) -> bool:
        """A function of one column that the catalogue codes: counted as the list that it is. Not where it is
        true of those who have nothing there; `silent`: nor false."""
        traced = self.grades.parts.get(node)
        fact = traced.fact if traced is not None else None
        if not isinstance(fact, Closed) or self.grades.of(fact) not in (Grade.CODES, Grade.DAYS):
            return False
        picked = self.grades.column(fact) is None
        absent = [
            label for value, label in fact.table if isinstance(value, Enum) or (picked and value is None)
        ]
        return all(label is None or (label is False and not silent) for label in absent)


def _is_count(node: ops.Value) -> bool:
    """How many there are, nobody being none."""
    match node:
        case ops.Field():
            return not _is_filled(node) and all(map(_is_count, sources(node))) and bool(sources(node))
        case ops.Coalesce((first, ops.Literal(0))):
            return _is_count(first)
        case ops.Alias():
            return _is_count(node.arg)
        case ops.Add():
            return _is_count(node.left) and _is_count(node.right)
        case ops.Multiply(times, ops.Literal(int(weight))):
            return weight >= 0 and _is_count(times)
    return isinstance(node, COUNTS)


def _is_filled(node: ops.Field) -> bool:
    match node.rel:
        case ops.FillNull():
            replacements = node.rel.replacements
            return not isinstance(replacements, Mapping) or node.name in replacements
    return False


def is_constant(node: ops.Value) -> bool:
    """Whether it is the question's own, whoever the row is about."""
    return not node.find((ops.Field, ops.Reduction, ops.Analytic))


def sources(field: ops.Field) -> tuple[ops.Value, ...]:
    """What a column was one relation below; nothing where it is a table's own."""
    match field.rel:
        case ops.Project() | ops.JoinChain():
            return (field.rel.values[field.name],)
        case ops.Aggregate():
            return ({**field.rel.groups, **field.rel.metrics}[field.name],)
        case ops.Set():
            return (ops.Field(field.rel.left, field.name), ops.Field(field.rel.right, field.name))
        case ops.UnboundTable() | ops.InMemoryTable() | ops.DummyTable():
            return ()
    return (ops.Field(field.rel.parent, field.name),)
