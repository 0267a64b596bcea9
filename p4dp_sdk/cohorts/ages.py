"""Limits of age said in months: at least 40 completed years is at least 480 months from birth to index.

Both say the same of everybody, by months of birth: completed years take a choice and a subtraction to work
out, of which a publication counts each part; months are one difference of dates. So a criterion that only
compares the age with whole years is asked in months.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import ibis.expr.operations as ops

_YEAR: Final = 12
_COMPARED: Final[Mapping[type[ops.Node], Callable[[Any, int], Any]]] = {
    ops.GreaterEqual: lambda months, years: months >= _YEAR * years,
    ops.Greater: lambda months, years: months >= _YEAR * (years + 1),
    ops.Less: lambda months, years: months < _YEAR * years,
    ops.LessEqual: lambda months, years: months < _YEAR * (years + 1),
}


def only_compared(condition: Any, age: str) -> bool:
    """Whether `condition` uses the column `age` in nothing but comparisons with whole years."""
    fields = [field for field in condition.op().find(ops.Field) if field.name == age]
    left = condition.op().replace(dict(_said(condition, fields, _nothing)))
    return bool(fields) and not any(field in left.find(ops.Field) for field in fields)


def in_months(condition: Any, age: Any, months: Any) -> Any:
    """`condition` with the comparisons of `age` said of `months`."""
    said = dict(_said(condition, [age.op()], lambda how: how(months)))
    return condition.op().replace(said).to_expr() if said else condition


def implies_known(condition: Any, age: str) -> bool:
    """Whether whoever fulfils `condition` is of known age: it compares the age, and all of it must hold."""
    pending, found = [condition.op()], False
    while pending:
        node = pending.pop()
        if isinstance(node, ops.And):
            pending += [node.left, node.right]
        found = found or any(_how(node, [field]) for field in node.find(ops.Field) if field.name == age)
    return found


def _nothing(_how: Any) -> Any:
    import ibis

    return ibis.literal(True)


def _said(condition: Any, ages: list[Any], told: Callable[[Any], Any]) -> Iterator[tuple[ops.Node, ops.Node]]:
    for node in condition.op().find((*_COMPARED, ops.Between)):
        how = _how(node, ages)
        if how is not None:
            yield node, told(how).op()


def _how(node: Any, ages: list[Any]) -> Callable[[Any], Any] | None:
    match node:
        case ops.Between(arg, ops.Literal(int(low)), ops.Literal(int(high))) if arg in ages:
            return lambda months: months.between(_YEAR * low, _YEAR * high + _YEAR - 1)
        case _ if type(node) in _COMPARED and node.left in ages:
            right = node.right
            if isinstance(right, ops.Literal) and isinstance(right.value, int):
                compared, years = _COMPARED[type(node)], right.value
                return lambda months: compared(months, years)
    return None
