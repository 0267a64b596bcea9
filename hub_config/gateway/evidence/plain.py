"""Rows without the limits and conditions that no value of the snapshot meets.

A value is clipped to the catalogue's bounds and asked whether it is a number at all, row by row; on a hundred
million rows that costs more than adding it up. Where the stored column holds finite numbers within the bounds
only, a fact found out once a snapshot, the same values come without. What a row adds does not change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import ibis
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.engine import Session
from hub_config.gateway.engines.port import stored
from hub_config.gateway.evidence.lineage import traced

_NUMBERS: Final = {
    "DOUBLE": "float64",
    "FLOAT": "float32",
    "TINYINT": "int8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
}
_MODERATE: Final = 10**15  # no number of this size overflows when another is taken from it
_Limits = tuple[int, int]


def plainly(session: Session, rows: ibis.Table) -> ibis.Table:
    """The same rows, with values of the last projection written as plainly as the stored columns allow."""
    root = rows.op()
    if not isinstance(root, ops.Project):
        return rows

    def plainer(node: ops.Node, kwargs: Mapping[str, Any] | None) -> ops.Node:
        return _plainer(session, node.__recreate__(kwargs) if kwargs else node)

    values = {name: value.replace(plainer, filter=ops.Value) for name, value in root.values.items()}
    return ops.Project(root.parent, FrozenOrderedDict(values)).to_expr()


def filled(session: Session, value: ops.Node | None) -> ops.Node | None:
    """The stored column that decides whether a value is NULL: it is where the column is, and nowhere else.
    None where there is more to it."""
    while isinstance(value, ops.Subtract) and _number(value.right) is not None:
        value = value.left
    if isinstance(value, ops.IfElse) and _is_null(value.false_null_expr) and _number(value.true_expr):
        asked = value.bool_expr
        return asked.arg if isinstance(asked, ops.NotNull) and _limits(session, asked.arg) else None
    limits = _limits(session, value)
    if value is None or limits is None or max(map(abs, limits)) > _MODERATE:
        return None
    return value.arg if isinstance(value, ops.Cast) else value


def _plainer(session: Session, node: ops.Node) -> ops.Node:
    match node:
        case ops.SearchedCase() if (value := node.default) is not None and _is_clipped(session, node):
            return value
        case ops.IfElse() if _is_null(node.false_null_expr):
            return _without_idle_conditions(session, node)
        case ops.NullIf() if _is_never(session, node.arg, node.null_if_expr):
            return node.arg
        case _:
            return node


def _is_clipped(session: Session, node: ops.SearchedCase) -> bool:
    """Whether it clips a value that lies within its bounds as it is stored."""
    limits, results = _limits(session, node.default), tuple(_number(result) for result in node.results)
    high, low = results if len(results) == 2 else (None, None)
    if limits is None or high is None or low is None or not low <= limits[0] <= limits[1] <= high:
        return False
    value, (upper, lower) = node.default, node.results
    return bool(tuple(node.cases) == (ops.Greater(value, upper), ops.Less(value, lower)))


def _without_idle_conditions(session: Session, node: ops.IfElse) -> ops.Node:
    """Of a stored column that holds numbers only, being filled is all there is to ask; and what is computed
    from it alone is NULL by itself where it is not."""
    asked = tuple(_conjuncts(node.bool_expr))
    filled = [one.arg for one in asked if isinstance(one, ops.NotNull)]
    finite = [value for value in filled if _limits(session, value) is not None]
    left = [one for one in asked if not (_asks_for_a_number(one) and one.arg.arg in finite)]
    if len(left) == 1 and isinstance(left[0], ops.NotNull) and _is_strict(node.true_expr, left[0].arg):
        return node.true_expr
    if len(left) == len(asked):
        return node
    condition, *others = left
    for other in others:
        condition = ops.And(condition, other)
    return node.copy(bool_expr=condition)


def _conjuncts(node: ops.Node) -> Iterator[ops.Node]:
    if isinstance(node, ops.And):
        yield from _conjuncts(node.left)
        yield from _conjuncts(node.right)
    else:
        yield node


def _asks_for_a_number(node: ops.Node) -> bool:
    return isinstance(node, ops.Not) and isinstance(node.arg, ops.IsNan | ops.IsInf)


def _is_strict(node: ops.Node, value: ops.Node) -> bool:
    """Whether it is NULL wherever `value` is."""
    match node:
        case ops.Cast():
            return _is_strict(node.arg, value)
        case ops.NullIf():
            return _is_strict(node.arg, value)
        case ops.Subtract() | ops.Multiply():
            return _is_strict(node.left, value)
        case _:
            return bool(node == value)


def _is_never(session: Session, value: ops.Node, number: ops.Node) -> bool:
    limits, never = _limits(session, value), _number(number)
    return limits is not None and never is not None and not limits[0] <= never <= limits[1]


def _is_null(node: ops.Node) -> bool:
    return isinstance(node, ops.Literal) and node.value is None


def _number(node: ops.Node) -> float | None:
    value = node.value if isinstance(node, ops.Literal) else None
    return float(value) if isinstance(value, int | float) else None


# --- facts -------------------------------------------------------------------------------------------------


def _limits(session: Session, value: ops.Node | None) -> _Limits | None:
    """Whole numbers between which a value lies wherever it is not NULL; None where it is no stored column,
    or one that holds what is not finite."""
    column = traced(value.arg if isinstance(value, ops.Cast) and value.to.is_floating() else value)
    if not isinstance(column, ops.Field):
        return None
    return limits_stored(session, column.rel.name, column.name)


def limits_stored(session: Session, table: str, column: str) -> _Limits | None:
    """The same of a column of the warehouse by its name."""
    fact = f"limits of {table}.{column}"
    if fact not in session.known:
        _find_out(session, fact, table, column)
    if not session.known[fact]:
        return None
    return session.known[f"{fact}, low"], session.known[f"{fact}, high"]


def _find_out(session: Session, fact: str, table: str, column: str) -> None:
    stored_as = session.stored_type(table, column)
    if stored_as not in _NUMBERS:
        session.known[fact] = 0
        return
    value = stored(table, {column: _NUMBERS[stored_as]})[column].cast("float64")
    endless = (value.isnan() | value.isinf()).any(where=value.notnull())  # elsewhere NULL may be a number
    found = session.ask(value.as_table().agg(low=value.min(), high=value.max(), endless=endless))
    low, high, is_endless = (each[0].as_py() for each in found.columns)
    if is_endless is False:
        session.known.update({f"{fact}, low": math.floor(low), f"{fact}, high": math.ceil(high)})
    session.known[fact] = int(is_endless is False)
