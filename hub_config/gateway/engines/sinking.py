"""The same rows, with conditions as near to the stored tables as they go. Pure.

Only conditions that the engine may work out are moved: they can't fail, so nothing depends on when they are
asked. They pass what renames and computes row by row, an order, and joins that keep a side's rows or drop
them whole; they pass nothing that looks at other rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.engines.meaning import Meaning, value_is_meant

_CHOOSING: Final = frozenset({"semi", "anti"})
_KEEPING: Final = _CHOOSING | {"left", "inner"}  # a row of the first table comes out as itself, or not at all
_LOOKS_AROUND: Final = (ops.WindowFunction, ops.Analytic, ops.Reduction, ops.Subquery, ops.Impure)
_SAME_AGAIN: Final = ops.ScalarUDF  # the pseudonyms: Ibis takes any function of an engine for impure


def sunk(tree: ops.Relation, means: Meaning) -> ops.Relation:
    sinking = _Sinking(means)

    def sink(node: ops.Node, kwargs: Mapping[str, Any] | None) -> ops.Node:
        new = node.__recreate__(kwargs) if kwargs else node
        match new:
            case ops.Filter():
                return sinking.filtered(new.parent, new.predicates)
            case ops.JoinChain():
                return sinking.computed_above(new)
            case _:
                return new

    whole: ops.Relation = tree.replace(sink)
    return whole


@dataclass(frozen=True)
class _Sinking:
    means: Meaning

    def filtered(self, parent: ops.Relation, predicates: Iterable[ops.Value]) -> ops.Relation:
        """`parent` with these conditions: those that may below it, the others above."""
        match parent:
            case ops.Filter() if not any(map(_looks_around, parent.predicates)):
                below = {p: _moved(p, parent, parent.parent) for p in predicates}
            case ops.Sort() if not any(map(_looks_around, parent.keys)):
                below = {p: _moved(p, parent, parent.parent) for p in predicates}
            case ops.Project() if not any(map(_looks_around, parent.values.values())):
                fields = {ops.Field(parent, name): value for name, value in parent.values.items()}
                below = {p: _with(p, fields) for p in predicates}
            case ops.JoinChain() if all(link.how in _KEEPING for link in parent.rest) and not any(
                map(_looks_around, parent.values.values())
            ):
                fields = {ops.Field(parent, name): value for name, value in parent.values.items()}
                below = {p: new for p in predicates if _is_of(new := _with(p, fields), parent.first)}
            case _:
                below = {}
        moving = {p: new for p, new in below.items() if value_is_meant(new, self.means)}
        if not moving:
            return _under(parent, predicates)
        beneath = self._below(parent, list(moving.values()))
        return _under(beneath, [_moved(p, parent, beneath) for p in predicates if p not in moving])

    def _below(self, node: ops.Relation, moving: list[ops.Value]) -> ops.Relation:
        """`node`, over what fulfils these conditions, in terms of what is below it."""
        match node:
            case ops.Filter():
                inner = self.filtered(node.parent, moving)
                return ops.Filter(inner, tuple(_moved(p, node.parent, inner) for p in node.predicates))
            case ops.Sort():
                inner = self.filtered(node.parent, moving)
                return ops.Sort(inner, tuple(_moved(key, node.parent, inner) for key in node.keys))
            case ops.Project():
                inner = self.filtered(node.parent, moving)
                values = {name: _moved(v, node.parent, inner) for name, v in node.values.items()}
                return ops.Project(inner, FrozenOrderedDict(values))
            case ops.JoinChain():
                return self._first_filtered(node, moving)
            case _:
                return _under(node, moving)

    def _first_filtered(self, node: ops.JoinChain, moving: list[ops.Value]) -> ops.JoinChain:
        before = node.first
        inner = self.filtered(before.parent, [_moved(p, before, before.parent) for p in moving])
        now = ops.JoinReference(inner, before.identifier)
        links = [
            ops.JoinLink(link.how, link.table, tuple(_moved(p, before, now) for p in link.predicates))
            for link in node.rest
        ]
        values = {name: _moved(value, before, now) for name, value in node.values.items()}
        return ops.JoinChain(now, tuple(links), FrozenOrderedDict(values))

    def computed_above(self, node: ops.JoinChain) -> ops.Relation:
        """Joins that only choose rows, and above them what is computed that the engine may not."""
        plain = all(value_is_meant(value, self.means) for value in node.values.values())
        if plain or any(link.how not in _CHOOSING for link in node.rest):
            return node
        fields = {name: ops.Field(node.first, name) for name in node.first.schema}
        chosen = ops.JoinChain(node.first, node.rest, FrozenOrderedDict(fields))
        above = {field: ops.Field(chosen, name) for name, field in fields.items()}
        values = {name: _with(value, above) for name, value in node.values.items()}
        return ops.Project(chosen, FrozenOrderedDict(values))


def _under(parent: ops.Relation, predicates: Iterable[ops.Value]) -> ops.Relation:
    asked = tuple(predicates)
    return ops.Filter(parent, asked) if asked else parent


def _looks_around(value: ops.Value) -> bool:
    """Whether it depends on other rows, or on chance: a condition may not pass it by."""
    found = value.find(_LOOKS_AROUND, filter=ops.Value)
    return any(not isinstance(node, _SAME_AGAIN) for node in found)


def _is_of(value: ops.Value, table: ops.Relation) -> bool:
    """Whether it is about columns of this table only."""
    return all(found.rel == table for found in value.find(ops.Field, filter=ops.Value))


def _moved(value: ops.Value, before: ops.Relation, now: ops.Relation) -> ops.Value:
    """`value`, of the columns of `now` instead of `before`, which has the same."""
    return _with(value, {ops.Field(before, name): ops.Field(now, name) for name in before.schema})


def _with(value: ops.Value, substitutes: Mapping[ops.Node, ops.Node]) -> ops.Value:
    if value in substitutes:
        return substitutes[value]
    replaced: ops.Value = value.replace(substitutes, filter=ops.Value)
    return replaced
