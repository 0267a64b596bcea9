"""Closes the engine's error oracles: a value that can't be computed is NULL, and never an error.

An error is a bit: "1/0 only for this patient" answers a question about one person. So every computation on
rows is wrapped in DuckDB's TRY, every cast is a TRY_CAST, texts have a longest length, sums and spreads
can't overflow. TRY takes neither aggregates, windows nor subqueries; `lift` first makes these columns of
their own, `harden` then wraps the SQL. Both keep the meaning of every query that computes without an
error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.common.collections import FrozenOrderedDict

LONGEST_TEXT: Final = 4_096
_HUGE: Final = 1e100  # squares of what lies below stay finite

_NO_TRY = (
    ops.Reduction,
    ops.WindowFunction,
    ops.Analytic,
    ops.InSubquery,
    ops.ExistsSubquery,
    ops.ScalarSubquery,
)
_NEVER_TRIED = (ops.And, ops.Or, ops.Not, ops.Comparison, ops.IsNull, ops.NotNull, ops.Alias)
_SPREADS = (ops.Variance, ops.StandardDev, ops.Covariance, ops.Correlation, ops.Kurtosis)

_ARITHMETIC = (sge.Add, sge.Sub, sge.Mul, sge.Div, sge.IntDiv, sge.Mod, sge.Pow, sge.Neg, sge.DPipe)
_MATCHING = (sge.RegexpLike, sge.RegexpFullMatch, sge.Like, sge.ILike, sge.SimilarTo)
_HARMLESS = (
    sge.Connector,
    sge.Case,
    sge.If,
    sge.Coalesce,
    sge.Try,
    sge.TryCast,
    sge.Extract,
    sge.DateFromParts,
    sge.Rand,  # the gateway's own: no query has a word for it
)
_WITHOUT_TRY = (sge.AggFunc, sge.Window, sge.Query, sge.Subquery, sge.Exists, sge.Unnest, sge.Star)
_GROWING = (sge.Replace, sge.DPipe, sge.Concat, sge.Pad, sge.Repeat)


# --- the expression ----------------------------------------------------------------------------------------


def lift(relation: ops.Relation) -> ops.Relation:
    """The same relation, in which no computation contains an aggregate, window or subquery: each is a
    column first.
    """
    lifted: ops.Relation = relation.replace(_lift_node)
    return lifted


def _lift_node(node: ops.Node, kwargs: Mapping[str, Any] | None) -> ops.Node:
    new = node.__recreate__(kwargs) if kwargs else node
    match new:
        case ops.Sum() | ops.Mean():
            return _bounded_sum(new)
        case ops.Reduction() if isinstance(new, _SPREADS):
            return _bounded_spread(new)
        case ops.Xor():  # DuckDB has no such operator
            return ops.NotEquals(new.left, new.right)
        case ops.Project():
            return _lift_project(new)
        case ops.Filter():
            return _lift_filter(new)
        case ops.Aggregate():
            return _lift_aggregate(new)
        case _:
            return new


def _bounded_sum(node: ops.Sum | ops.Mean) -> ops.Node:
    """Sums of 64-bit integers fit 128 bits whatever the rows; sums of anything wider are made of floats."""
    dtype = node.arg.dtype
    if dtype.is_floating() or dtype.is_boolean():
        return node
    to = dt.int64 if isinstance(node, ops.Sum) and dtype.is_integer() else dt.float64
    return node.copy(arg=ops.TryCast(node.arg, to))


def _bounded_spread(node: ops.Reduction) -> ops.Node:
    names = [name for name in ("arg", "left", "right") if name in node.__argnames__]
    return node.copy(**{name: _moderate(getattr(node, name)) for name in names})


def _moderate(value: ops.Value) -> ops.Value:
    """`value` as a float, NULL where its square would not be finite."""
    number = ops.TryCast(value, dt.float64)
    return ops.IfElse(ops.LessEqual(ops.Abs(number), ops.Literal(_HUGE, dt.float64)), number, None)


def _lift_project(node: ops.Project) -> ops.Relation:
    parent, values = _materialise(node.parent, node.values.values())
    if parent is node.parent:
        return node
    return ops.Project(parent, FrozenOrderedDict(zip(node.values, values, strict=True)))


def _lift_filter(node: ops.Filter) -> ops.Relation:
    parent, predicates = _materialise(node.parent, node.predicates)
    if parent is node.parent:
        return node
    return _columns(ops.Filter(parent, tuple(predicates)), node.parent.schema)


def _lift_aggregate(node: ops.Aggregate) -> ops.Relation:
    """Bare reductions in the aggregate, what is computed from them in a projection above it."""
    metrics = {name: _fitting(value) for name, value in node.metrics.items()}
    computed = {name: value for name, value in metrics.items() if not isinstance(value, ops.Reduction)}
    inner = dict.fromkeys(
        reduction for value in computed.values() for reduction in value.find(ops.Reduction, filter=ops.Value)
    )
    if not inner:
        return node
    names = {reduction: f"__reduced_{i}" for i, reduction in enumerate(inner)}
    plain = {name: value for name, value in metrics.items() if name not in computed}
    bare = ops.Aggregate(
        node.parent, node.groups, FrozenOrderedDict({**plain, **{n: r for r, n in names.items()}})
    )
    substitutes = {reduction: ops.Field(bare, name) for reduction, name in names.items()}
    columns = {
        name: computed[name].replace(substitutes, filter=ops.Value)
        if name in computed
        else ops.Field(bare, name)
        for name in node.schema
    }
    return ops.Project(bare, FrozenOrderedDict(columns))


def _fitting(metric: ops.Value) -> ops.Value:
    """A sum of whole numbers, which the engine makes with 128 bits, in the 64 the query was promised."""
    is_whole = isinstance(metric, ops.Sum) and metric.dtype.is_integer()
    return ops.TryCast(metric, metric.dtype) if is_whole else metric


def _materialise(parent: ops.Relation, values: Iterable[ops.Value]) -> tuple[ops.Relation, list[ops.Value]]:
    """`values` over a parent in which each window or subquery inside a computation is a column."""
    values = list(values)
    inner = dict.fromkeys(found for value in values for found in _inner(value))
    if not inner:
        return parent, values
    names = {value: f"__before_{i}" for i, value in enumerate(inner)}
    fields = {name: ops.Field(parent, name) for name in parent.schema}
    wider = ops.Project(parent, FrozenOrderedDict({**fields, **{n: v for v, n in names.items()}}))
    substitutes: dict[ops.Node, ops.Node] = {field: ops.Field(wider, name) for name, field in fields.items()}
    substitutes |= {value: ops.Field(wider, name) for value, name in names.items()}
    return wider, [_substituted(value, substitutes) for value in values]


def _substituted(value: ops.Value, substitutes: Mapping[ops.Node, ops.Node]) -> ops.Value:
    replaced: ops.Value = value.replace(substitutes, filter=ops.Value)
    return replaced


def _inner(value: ops.Value) -> list[ops.Value]:
    """The outermost windows and subqueries that stand inside a computation of `value`."""
    if isinstance(value, _NO_TRY):
        return []
    deeper = _inner if isinstance(value, _NEVER_TRIED) else _outermost
    return [found for child in _operands(value) for found in deeper(child)]


def _outermost(value: ops.Value) -> list[ops.Value]:
    if isinstance(value, _NO_TRY):
        return [value]
    return [found for child in _operands(value) for found in _outermost(child)]


def _operands(value: ops.Value) -> list[ops.Value]:
    return [child for child in value.__children__ if isinstance(child, ops.Value)]


def _columns(parent: ops.Relation, names: Iterable[str]) -> ops.Relation:
    return ops.Project(parent, FrozenOrderedDict({name: ops.Field(parent, name) for name in names}))


# --- the SQL -----------------------------------------------------------------------------------------------


def harden(query: sge.Query, aggregates: frozenset[str]) -> sge.Query:
    """`query` with every computation wrapped. `aggregates` names the engine's aggregate functions."""
    tree = _walkable(query.copy())
    for conversion in reversed(list(tree.find_all(sge.Cast))):
        _try(conversion)
    for text in reversed(list(tree.find_all(*_GROWING))):  # inner ones first
        _shorten(text)
    unwrappable = _unwrappable(tree, aggregates)
    return cast(sge.Query, tree.transform(lambda node: _wrapped(node, unwrappable), copy=False))


def _walkable(tree: sge.Query) -> sge.Query:
    """Ibis keeps some arguments in tuples, which sqlglot doesn't walk: nothing may hide in them."""
    waiting: list[sge.Expr] = [tree]
    while waiting:
        node = waiting.pop()
        for name, value in list(node.args.items()):
            if isinstance(value, tuple):
                node.set(name, list(value))
            items = value if isinstance(value, tuple | list) else [value]
            waiting.extend(item for item in items if isinstance(item, sge.Expr))
    return tree


def _try(conversion: sge.Cast) -> None:
    if not isinstance(conversion, sge.TryCast):
        conversion.replace(sge.TryCast(this=conversion.this.copy(), to=conversion.to.copy()))


def _shorten(node: sge.Expression) -> None:
    """Bound a text that grows: its length would be an oracle through memory and time."""
    for argument in ("expression", "times") if isinstance(node, sge.Pad | sge.Repeat) else ():
        if isinstance(length := node.args.get(argument), sge.Expression):
            node.set(argument, sge.Anonymous(this="LEAST", expressions=[length.copy(), _longest()]))
    node.replace(sge.Left(this=node.copy(), expression=_longest()))


def _longest() -> sge.Expression:
    return sge.Literal.number(LONGEST_TEXT)


def _unwrappable(tree: sge.Expr, aggregates: frozenset[str]) -> set[int]:
    """Every node that contains an aggregate, a window or a subquery."""
    found: set[int] = set()
    for node in tree.walk():
        if _is_without_try(node, aggregates):
            ancestor: sge.Expr | None = node
            while ancestor is not None and id(ancestor) not in found:
                found.add(id(ancestor))
                ancestor = ancestor.parent
    return found | {id(_function(window)) for window in tree.find_all(sge.Window)}


def _function(window: sge.Window) -> sge.Expression:
    """The function that a window is about: not a value of its own."""
    function: sge.Expression = window.this
    while isinstance(function, sge.IgnoreNulls | sge.RespectNulls | sge.Filter):
        function = function.this
    return function


def _is_without_try(node: sge.Expr, aggregates: frozenset[str]) -> bool:
    if isinstance(node, _WITHOUT_TRY):
        return True
    return isinstance(node, sge.Anonymous) and node.name.lower() in aggregates


def _wrapped(node: sge.Expression, unwrappable: set[int]) -> sge.Expression:
    if id(node) in unwrappable or not _can_fail(node):
        return node
    return sge.Try(this=node)


def _can_fail(node: sge.Expression) -> bool:
    if isinstance(node, _HARMLESS):
        return False
    return isinstance(node, (*_ARITHMETIC, *_MATCHING, sge.Func))
