"""Makes an operation total: below the release frontier no row's values may raise an error on the engine.

An error's message carries values, and its mere existence carries a bit: `sqrt(ifelse(target, -1, 1))` would
tell whether the target is there. Casts give NULL instead, integers are kept within bounds that can't
overflow, roots and logarithms see only what they are defined on, text is compared with text. What can't be
made total is refused.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import pyarrow as pa
import pyarrow.compute

from hub_config.gateway.rules.facts import INTEGER_LIMIT, Span, Traced, labelled
from p4dp_sdk.wire.errors import ErrorCode, Refusal

WHOLE_LIMIT = 10**12  # a number within ±this, divided by at least 1/1000, is far from what an integer holds
MAX_YEARS = 200
INT64 = (-(2**63), 2**63 - 1)
_SPANS: Mapping[str, tuple[int, int]] = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32)},
    "int64": INT64,
    "uint64": (0, 2**64 - 1),
}
_PER_YEAR = {"Y": 1, "Q": 4, "M": 12, "W": 53, "D": 366}


def refuse_below(node: ops.Node, why: str) -> Refusal:
    """`node` is known, but not on rows that are about somebody, in this way."""
    return Refusal(ErrorCode.UNKNOWN_OPERATION, operation=type(node).__name__, why=why)


def span_of(dtype: dt.DataType) -> Span:
    """Bounds of an integer type; None for any other type."""
    return _SPANS.get(str(dtype).removeprefix("!"))


def family(dtype: dt.DataType) -> str:
    """Types that an engine compares without converting values."""
    for name in ("null", "boolean", "numeric", "string", "date", "interval"):
        if getattr(dtype, f"is_{name}")():
            return name
    return str(dtype)


def same_family(node: ops.Node, values: Sequence[Traced]) -> tuple[Traced, ...]:
    """`values`, dates written as text made dates. Refuses a mixture that an engine would convert, and so
    could fail on."""
    if any(value.node.dtype.is_date() for value in values):
        values = [_as_date(node, value) for value in values]
    families = {family(value.node.dtype) for value in values} - {"null"}
    if len(families) > 1:
        raise Refusal(ErrorCode.ILL_TYPED, operation=type(node).__name__)
    return tuple(values)


def _as_date(node: ops.Node, value: Traced) -> Traced:
    if not (isinstance(value.node, ops.Literal) and value.node.dtype.is_string()) or value.node.value is None:
        return value
    try:
        day = datetime.date.fromisoformat(value.node.value)
    except ValueError:
        raise Refusal(ErrorCode.ILL_TYPED, operation=type(node).__name__) from None
    return literal(ops.Literal(day, dt.date))


def literal(node: ops.Literal) -> Traced:
    value = node.value
    if node.dtype.is_decimal() or node.dtype.is_timestamp():
        raise refuse_below(node, f"a {family(node.dtype)} literal")
    if node.dtype.is_interval():
        _check_interval(node)
    span = (value, value) if node.dtype.is_integer() and value is not None else span_of(node.dtype)
    return Traced(node, labelled(node, (value,)), span)


def _check_interval(node: ops.Literal) -> None:
    per_year = _PER_YEAR.get(node.dtype.unit.value)
    if per_year is None or type(node.value) is not int or abs(node.value) > MAX_YEARS * per_year:
        raise refuse_below(node, f"intervals of whole days to years, up to {MAX_YEARS} years")


def is_literal(value: object) -> bool:
    return isinstance(value, Traced) and isinstance(value.node, ops.Literal)


def literal_of(node: ops.Node, value: object) -> Any:
    """The Python value of an argument that must be a literal of the query."""
    if not isinstance(value, Traced) or not isinstance(value.node, ops.Literal) or value.node.value is None:
        raise refuse_below(node, "an argument must be a literal")
    return value.node.value


def widened(value: Traced) -> ops.Value:
    """An integer as a 64-bit one, so that arithmetic on it can't overflow a smaller type."""
    return value.node if value.node.dtype.is_int64() else ops.Cast(value.node, dt.int64)


def bounded(node: ops.Node, low: int, high: int) -> Span:
    if low < -INTEGER_LIMIT or high > INTEGER_LIMIT:
        raise Refusal(ErrorCode.VALUE_RULE, why="overflow", operation=type(node).__name__)
    return (low, high)


def tame(value: Traced) -> ops.Value:
    """A number within ±10¹², so that it can be made an integer."""
    if value.node.dtype.is_boolean():
        return ops.Cast(value.node, dt.int64)
    if not value.node.dtype.is_integer():
        limits = (ops.Literal(-float(WHOLE_LIMIT), dt.float64), ops.Literal(float(WHOLE_LIMIT), dt.float64))
        return ops.Clip(value.node, *limits)
    low, high = value.span or INT64
    if low >= -WHOLE_LIMIT and high <= WHOLE_LIMIT:
        return widened(value)
    return ops.Clip(widened(value), ops.Literal(-WHOLE_LIMIT, dt.int64), ops.Literal(WHOLE_LIMIT, dt.int64))


def where_defined(value: Traced, comparison: type[ops.Value]) -> ops.Value:
    """`value` where it compares with zero as wanted, else NULL."""
    zero = ops.Literal(0.0, dt.float64)
    as_float = ops.Cast(value.node, dt.float64)
    return ops.IfElse(comparison(as_float, zero), as_float, ops.Literal(None, dt.float64))


def check_pattern(node: ops.Node, pattern: object) -> None:
    """Refuses a regular expression that RE2, which the engine uses too, would fail on when it meets a row."""
    try:
        pa.compute.match_substring_regex(pa.array(["x"]), pattern=str(pattern))
    except pa.ArrowInvalid:
        raise Refusal(ErrorCode.ILL_TYPED, operation=type(node).__name__) from None
