"""Walks the value trees of one relation, bottom up, without recursion: each value rewritten and its fact
inferred.

Two ways: `below` the release frontier an operation is allowed only if it has a rule; `above` it everything
the wire can say is allowed, since nothing but protected tables is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict
from ibis.common.graph import Node

from hub_config.gateway.rules import level
from hub_config.gateway.rules.facts import Anything, Fact, Forbidden, Opaque, Relation, Span, Traced
from hub_config.gateway.rules.finite import apply_finite
from hub_config.gateway.rules.totals import span_of
from p4dp_sdk.catalogue.model import Role
from p4dp_sdk.wire.errors import ErrorCode, Refusal

Args = Mapping[str, Any]

# operations that give one of their argument's values, as it is
_PICKED: Mapping[type[ops.Value], str] = {
    **dict.fromkeys((ops.Alias, ops.Min, ops.Max, ops.First, ops.Last, ops.ArgMin, ops.ArgMax), "arg"),
    **dict.fromkeys((ops.Lag, ops.Lead), "arg"),
    ops.WindowFunction: "func",
}


class Subqueries(Protocol):
    """Relations a value refers to, other than the one it stands in."""

    def isin(self, node: ops.InSubquery, needle: Traced, here: Context) -> Traced: ...

    def scalar(self, node: ops.ScalarSubquery, here: Context) -> Traced: ...


@dataclass(frozen=True)
class Context:
    """Where a value stands: `relations` maps what its fields may name to what they have become."""

    relations: Mapping[ops.Relation, Relation]
    subqueries: Subqueries

    @property
    def only(self) -> Relation:
        (relation,) = self.relations.values()
        return relation


Rule = Callable[[Any, Args, Context], Traced]


def trace(value: ops.Value, here: Context, rules: Mapping[type[ops.Value], Rule] | None) -> Traced:
    """`value` rewritten. With `rules`, below the frontier; without, above it."""
    return traced_parts(value, here, rules)[value]


def traced_parts(
    value: ops.Value, here: Context, rules: Mapping[type[ops.Value], Rule] | None
) -> Mapping[Node, Traced]:
    """`value` and all that it is worked out from, each rewritten."""
    known: dict[Node, Traced] = {}
    for node in _post_order(value):
        args = {
            name: _argument(argument, known, here)
            for name, argument in zip(node.__argnames__, node.__args__, strict=True)
        }
        made = _apply(node, args, here, rules)
        known[node] = made if isinstance(node, ops.Field) else _known(made, node, args)
    return known


def _apply(
    node: ops.Value, args: Args, here: Context, rules: Mapping[type[ops.Value], Rule] | None
) -> Traced:
    if isinstance(node, ops.Field):
        return _field(node, here)
    refuse_forbidden(*operands(args))
    if isinstance(node, ops.InSubquery):
        return here.subqueries.isin(node, args["needle"], here)
    if isinstance(node, ops.ScalarSubquery):
        return here.subqueries.scalar(node, here)
    if rules is None:
        return Traced(rebuild(node, args))
    rule = rules.get(type(node))
    if rule is None:
        raise Refusal(
            ErrorCode.UNKNOWN_OPERATION, operation=type(node).__name__, why="not on rows about somebody"
        )
    return rule(node, args, here)


def _known(made: Traced, node: ops.Value, args: Args) -> Traced:
    """What holds of every operation: of the patient if all it is computed from is; recorded if it picks."""
    picked = args.get(_PICKED.get(type(node), ""))
    return replace(
        made,
        patient_level=level.of_value(node, operands(args)),
        recorded=isinstance(picked, Traced) and picked.recorded,
    )


def _field(node: ops.Field, here: Context) -> Traced:
    relation = here.relations.get(node.rel)
    if relation is None:
        raise Refusal(ErrorCode.UNKNOWN_OPERATION, operation="Field", why="of another relation")
    column = relation.columns[node.name]
    return column.at(ops.Field(relation.node, node.name))


def refuse_forbidden(*values: Traced) -> None:
    """Refuses the use of a column that may only be carried along."""
    for value in values:
        match value.fact:
            case Forbidden(role=Role.PHYSICIAN | Role.INTERN, column=column):
                raise Refusal(ErrorCode.OPAQUE_IDENTIFIER, column=column)
            case Forbidden(column=column):
                raise Refusal(ErrorCode.GRANT_MISSING, column=column, grant="microdata")


def _post_order(root: ops.Value) -> Iterator[ops.Value]:
    seen: set[Node] = set()
    stack: list[tuple[ops.Value, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in value_children(node) if child not in seen)


def value_children(node: ops.Value) -> Iterable[ops.Value]:
    return (
        (child for child in node.__children__ if isinstance(child, ops.Value))
        if not isinstance(node, ops.Field)
        else ()
    )


def _argument(argument: Any, known: Mapping[Node, Traced], here: Context) -> Any:
    if isinstance(argument, ops.Relation):
        return here.relations.get(argument)
    if isinstance(argument, Node):
        return known[argument]
    if isinstance(argument, tuple):
        return tuple(_argument(item, known, here) for item in argument)
    if isinstance(argument, FrozenOrderedDict):
        return {key: _argument(item, known, here) for key, item in argument.items()}
    return argument


def rebuild(node: ops.Value, args: Args, **changes: Any) -> Any:
    """The operation `node` on rewritten arguments."""
    return type(node)(**{name: plain(value) for name, value in {**args, **changes}.items()})


def plain(value: Any) -> Any:
    match value:
        case Traced() | Relation():
            return value.node
        case tuple():
            return tuple(plain(item) for item in value)
    return value


def operands(args: Args) -> tuple[Traced, ...]:
    """Every traced argument, those in tuples included."""
    found: list[Traced] = []
    for value in args.values():
        found.extend(
            item for item in (value if isinstance(value, tuple) else (value,)) if isinstance(item, Traced)
        )
    return tuple(found)


def no_identifiers(rule: Rule) -> Rule:
    """`rule`, refusing patient and event identifiers among its arguments."""

    def guarded(node: Any, args: Args, here: Context) -> Traced:
        if any(isinstance(arg.fact, Opaque) for arg in operands(args)):
            raise Refusal(ErrorCode.OPAQUE_IDENTIFIER, operation=type(node).__name__)
        return rule(node, args, here)

    return guarded


def result(
    node: ops.Value, args: Args, new: ops.Value, fallback: Fact | None = None, span: Span = None
) -> Traced:
    """`new` stands for `node`; its fact is worked out on labels where it can be."""
    traced = operands(args)
    fact = apply_finite(node, traced) or fallback or Anything()
    if span is None:
        span = span_of(new.dtype)
    return Traced(new, fact, span, any(arg.reduces for arg in traced))
