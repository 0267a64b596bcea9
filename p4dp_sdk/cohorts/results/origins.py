"""Where a column of a cohort comes from, read off the expression: its catalogue column, the labels it may
have, and whether it may be missing.

Reads, asks nothing. What can't be read is taken as unknown: a column may then be missing, and its labels must
be named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import ibis.expr.operations as ops
import ibis.expr.types as ir

_PICKS: Final = (
    ops.Alias, ops.ArgMin, ops.ArgMax, ops.First, ops.Last, ops.Min, ops.Max, ops.Arbitrary, ops.Cast,
)  # fmt: skip
_NEVER_NULL: Final = (
    ops.InSubquery, ops.ExistsSubquery, ops.IsNull, ops.NotNull, ops.CountStar, ops.CountDistinct, ops.Count,
)  # fmt: skip


def source(column: ir.Column) -> tuple[str, str] | None:
    """Table and column of the catalogue that `column` is, or picks a value of; None if it is computed."""
    node = _followed(column.op())
    return (node.rel.name, node.name) if isinstance(node, ops.Field) else None


def literals(column: ir.Column) -> tuple[str, ...] | None:
    """The labels of a column of cases, in the order written; None where another value may stand in it."""
    found: list[str] = []
    for outcome in _outcomes(_followed(column.op())):
        if not isinstance(outcome, ops.Literal):
            return None
        if outcome.value is not None:
            found.append(str(outcome.value))
    return tuple(dict.fromkeys(found))


def may_be_missing(column: ir.Column) -> bool:
    """False only where the expression shows that it never is: a membership, a count, cases with an else."""
    return _may_be_null(column.op())


def _may_be_null(node: Any) -> bool:
    match node:
        case ops.Literal():
            return node.value is None
        case _ if isinstance(node, _NEVER_NULL):
            return False
        case ops.Field():
            below = _below(node)
            return below is None or _outer(node) or _may_be_null(below)
        case ops.Alias() | ops.Not() | ops.Negate():
            return _may_be_null(node.arg)
        case ops.Coalesce():
            return all(_may_be_null(each) for each in node.arg)
        case ops.And() | ops.Or():
            return _may_be_null(node.left) or _may_be_null(node.right)
        case ops.SearchedCase() | ops.SimpleCase() | ops.IfElse():
            return any(_may_be_null(each) for each in _outcomes(node))
        case _:
            return True


def _outer(field: ops.Field) -> bool:
    """Whether `field` crosses a join that leaves rows without it."""
    chain = field.rel
    if not isinstance(chain, ops.JoinChain):
        return False
    value = chain.values[field.name]
    optional = {link.table for link in chain.rest if link.how not in ("inner", "semi", "anti")}
    return isinstance(value, ops.Field) and value.rel in optional


def _followed(node: Any) -> Any:
    """`node`, or what it is under other names, picked from a patient's own rows or carried through joins."""
    while True:
        if isinstance(node, _PICKS):
            node = node.arg
        elif isinstance(node, ops.WindowFunction):
            node = node.func
        elif isinstance(node, ops.Field) and (below := _below(node)) is not None:
            node = below
        else:
            return node


def _below(field: ops.Field) -> Any:
    """What `field` stands for in the relation it is taken from; None in a table of the warehouse."""
    relation = field.rel
    if isinstance(relation, ops.PhysicalTable):
        return None
    if isinstance(relation, ops.Reference):
        return ops.Field(relation.parent, field.name)
    return relation.values.get(field.name)


def _outcomes(node: Any) -> Iterator[Any]:
    """What a case may turn out as; another value is its own outcome."""
    match node:
        case ops.SearchedCase() | ops.SimpleCase():
            yield from _each((*node.results, node.default))
        case ops.IfElse():
            yield from _each((node.true_expr, node.false_null_expr))
        case ops.Coalesce():
            yield from _each(node.arg)
        case _:
            yield node


def _each(nodes: Iterable[Any]) -> Iterator[Any]:
    for node in nodes:
        yield from _outcomes(_followed(node))
