"""Functions of closed values, worked out on their labels: what `cisp2[0]` or `date.year()` can be is known
beforehand.

Each function here computes what the engine computes, NULL included. An operation without one has no known
labels.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import ibis.expr.operations as ops

from hub_config.gateway.rules.facts import Anything, Closed, Fact, Traced

MAX_STEPS = 500_000  # what one operation may cost to work out; beyond it, its labels are not known beforehand

Compute = Callable[[Any, Sequence[Any]], Any]


def apply_finite(node: ops.Value, args: Sequence[Traced]) -> Fact | None:
    """The fact of `node`, if its arguments are literals and functions of one closed variable; else None."""
    compute = _FUNCTIONS.get(type(node))
    bases = {
        arg.fact.base
        for arg in args
        if isinstance(arg.fact, Closed) and not isinstance(arg.node, ops.Literal)
    }
    if compute is None or len(bases) != 1 or not all(isinstance(arg.fact, Closed) for arg in args):
        return None
    (base,) = bases
    try:
        table = _tabulate(node, compute, args, base)
    except (TypeError, ValueError, AttributeError, OverflowError):
        return None
    return Closed(base, table, daily=_is_daily(node, args))


def _tabulate(
    node: ops.Value, compute: Compute, args: Sequence[Traced], base: Hashable
) -> tuple[tuple[Hashable, Hashable], ...]:
    columns = [_column(arg, base) for arg in args]
    if sum(len(column) for column in columns) > MAX_STEPS:
        raise ValueError
    values: dict[Hashable, None] = {}
    for column in columns:
        if isinstance(column, dict):
            values.update(dict.fromkeys(column))
    rows = []
    for value in values:
        if all(not isinstance(column, dict) or value in column for column in columns):
            labels = [column[value] if isinstance(column, dict) else column[0] for column in columns]
            rows.append((value, compute(node, labels)))
    return tuple(rows)


def _column(arg: Traced, base: Hashable) -> dict[Hashable, Hashable] | tuple[Hashable]:
    fact = arg.fact
    if not isinstance(fact, Closed):
        raise TypeError
    return dict(fact.table) if fact.base == base else (fact.table[0][1],)


def _is_daily(node: ops.Value, args: Sequence[Traced]) -> bool:
    if isinstance(node, ops.Strftime):
        return isinstance(node.format_str, ops.Literal) and "%d" in node.format_str.value
    choices = ops.Coalesce | ops.NullIf | ops.IfElse | ops.SearchedCase | ops.SimpleCase
    return isinstance(node, choices) and any(isinstance(arg.fact, Closed) and arg.fact.daily for arg in args)


def outcomes(node: ops.Value, results: Sequence[Traced]) -> Fact:
    """A choice between closed values, made by any condition: its labels are theirs."""
    if not all(isinstance(result.fact, Closed) for result in results):
        return Anything()
    facts = [result.fact for result in results if isinstance(result.fact, Closed)]
    labels = tuple(dict.fromkeys(label for fact in facts for label in fact.labels))
    return Closed(node, tuple((label, label) for label in labels), daily=any(fact.daily for fact in facts))


def truth(node: ops.Value) -> Fact:
    """A condition of the query: true, false or unknown."""
    return Closed(node, ((True, True), (False, False), (None, None)))


def _strict(function: Callable[..., Any]) -> Compute:
    """NULL if any argument is."""
    return lambda node, labels: None if any(label is None for label in labels) else function(*labels)


def _and(node: Any, labels: Sequence[Any]) -> bool | None:
    if False in labels:
        return False
    return None if None in labels else True


def _or(node: Any, labels: Sequence[Any]) -> bool | None:
    if True in labels:
        return True
    return None if None in labels else False


def _in_values(node: Any, labels: Sequence[Any]) -> bool | None:
    value, *options = labels
    if value is None:
        return None
    if value in options:
        return True
    return None if None in options else False


def _if_else(node: Any, labels: Sequence[Any]) -> Any:
    condition, then, otherwise = labels
    return then if condition is True else otherwise


def _searched_case(node: ops.SearchedCase, labels: Sequence[Any]) -> Any:
    count = len(node.cases)
    cases, results, default = labels[:count], labels[count:-1], labels[-1]
    return next((result for case, result in zip(cases, results, strict=True) if case is True), default)


def _simple_case(node: ops.SimpleCase, labels: Sequence[Any]) -> Any:
    base, *rest = labels
    cases, results, default = rest[: len(node.cases)], rest[len(node.cases) : -1], rest[-1]
    found = (result for case, result in zip(cases, results, strict=True) if case is not None and case == base)
    return default if base is None else next(found, default)


def _substring(text: str, start: int, length: int | None = None) -> str:
    if start < 0:
        raise ValueError
    return text[start:] if length is None else text[start : start + length]


def _truncate(node: ops.DateTruncate, labels: Sequence[Any]) -> datetime.date | None:
    (day,) = labels
    if day is None:
        return None
    match node.unit.value:
        case "Y":
            return datetime.date(day.year, 1, 1)
        case "Q":
            return datetime.date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
        case "M":
            return datetime.date(day.year, day.month, 1)
        case "W":
            return datetime.date.fromordinal(day.toordinal() - day.weekday())
    raise ValueError


def _strftime(day: datetime.date, pattern: str) -> str:
    if not re.fullmatch(r"(%[Ymd]|[^%])*", pattern):
        raise ValueError
    return day.strftime(pattern)


def _ascii(change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        if not text.isascii():
            raise ValueError
        return change(text)

    return changed


_FUNCTIONS: Mapping[type[ops.Node], Compute] = {
    ops.Equals: _strict(lambda a, b: a == b),
    ops.NotEquals: _strict(lambda a, b: a != b),
    ops.Greater: _strict(lambda a, b: a > b),
    ops.GreaterEqual: _strict(lambda a, b: a >= b),
    ops.Less: _strict(lambda a, b: a < b),
    ops.LessEqual: _strict(lambda a, b: a <= b),
    ops.Between: _strict(lambda a, low, high: low <= a <= high),
    ops.InValues: _in_values,
    ops.IsNull: lambda node, labels: labels[0] is None,
    ops.NotNull: lambda node, labels: labels[0] is not None,
    ops.Not: _strict(lambda a: not a),
    ops.And: _and,
    ops.Or: _or,
    ops.Xor: _strict(lambda a, b: a != b),
    ops.IfElse: _if_else,
    ops.SearchedCase: _searched_case,
    ops.SimpleCase: _simple_case,
    ops.Coalesce: lambda node, labels: next((label for label in labels if label is not None), None),
    ops.NullIf: lambda node, labels: None if labels[0] is not None and labels[0] == labels[1] else labels[0],
    ops.Substring: _strict(_substring),
    ops.StrRight: _strict(lambda text, count: text[-count:] if count > 0 else ""),
    ops.StringLength: _strict(len),
    ops.StartsWith: _strict(lambda text, start: text.startswith(start)),
    ops.EndsWith: _strict(lambda text, end: text.endswith(end)),
    ops.StringContains: _strict(lambda text, part: part in text),
    ops.Lowercase: _strict(_ascii(str.lower)),
    ops.Uppercase: _strict(_ascii(str.upper)),
    ops.DateTruncate: _truncate,
    ops.ExtractYear: _strict(lambda day: day.year),
    ops.ExtractMonth: _strict(lambda day: day.month),
    ops.ExtractQuarter: _strict(lambda day: (day.month - 1) // 3 + 1),
    ops.ExtractDay: _strict(lambda day: day.day),
    ops.ExtractIsoYear: _strict(lambda day: day.isocalendar().year),
    ops.ExtractWeekOfYear: _strict(lambda day: day.isocalendar().week),
    ops.ExtractDayOfYear: _strict(lambda day: day.timetuple().tm_yday),
    ops.DayOfWeekIndex: _strict(lambda day: day.weekday()),
    ops.Strftime: _strict(_strftime),
}
