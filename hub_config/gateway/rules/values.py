"""Which operations may be said about rows that are about somebody, and what is then known of their result.

`BELOW` is the whole list: an operation without a rule is refused. Every rule refuses identifiers unless it is
about them (`with_identifiers`), keeps the operation total (see `totals`) and gives a fact that holds for
every row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from hub_config.gateway.rules import totals
from hub_config.gateway.rules.evaluation import Args, Context, Rule, no_identifiers, operands, rebuild, result
from hub_config.gateway.rules.facts import (
    DURATION,
    Anything,
    Closed,
    Fact,
    Number,
    Opaque,
    Span,
    Traced,
    labelled,
)
from hub_config.gateway.rules.finite import outcomes, truth
from hub_config.gateway.rules.totals import literal_of, refuse_below, same_family, span_of
from hub_config.gateway.rules.windows import WINDOW_RULES
from p4dp_sdk.wire.errors import ErrorCode, Refusal

DELTA_UNITS = ("day", "week", "month", "quarter", "year")
DAYS = 4_000_000  # more days than a calendar of this world has
MAX_BUCKETS = 1_000
MAX_DIGITS = 12


def _plainly(node: Any, args: Args, here: Context) -> Traced:
    """An operation that is total as it is."""
    fallback = truth(node) if node.dtype.is_boolean() else None
    return result(node, args, rebuild(node, args), fallback)


def _literal(node: ops.Literal, args: Args, here: Context) -> Traced:
    return totals.literal(node)


def _alias(node: ops.Alias, args: Args, here: Context) -> Traced:
    return args["arg"]  # type: ignore[no-any-return]


def _sort_key(node: ops.SortKey, args: Args, here: Context) -> Traced:
    return Traced(rebuild(node, args), Anything(), None, args["arg"].reduces)


# -- comparisons and choices ------------------------------------------------------------------------------


def _comparison(node: Any, args: Args, here: Context) -> Traced:
    """Values of one family; two identifiers may be compared with each other, for equality only."""
    values = operands(args)
    if any(isinstance(value.fact, Opaque) for value in values):
        return _identity(node, args, values)
    return _typed(node, args, values, truth(node))


def _identity(node: ops.Value, args: Args, values: tuple[Traced, ...]) -> Traced:
    roles = {value.fact.role if isinstance(value.fact, Opaque) else None for value in values}
    if not isinstance(node, ops.Equals) or len(roles) != 1 or None in roles:
        raise Refusal(ErrorCode.OPAQUE_IDENTIFIER, operation=type(node).__name__)
    return Traced(rebuild(node, args), truth(node), None, any(value.reduces for value in values))


def _typed(node: Any, args: Args, values: tuple[Traced, ...], fallback: Fact) -> Traced:
    unified = iter(same_family(node, values))
    args = {
        name: tuple(next(unified) for _ in value)
        if isinstance(value, tuple)
        else (next(unified) if isinstance(value, Traced) else value)
        for name, value in args.items()
    }
    return result(node, args, rebuild(node, args), fallback)


def _is_null(node: Any, args: Args, here: Context) -> Traced:
    if isinstance(args["arg"].fact, Opaque):
        return Traced(rebuild(node, args), truth(node), None, args["arg"].reduces)
    return _plainly(node, args, here)


def _if_else(node: ops.IfElse, args: Args, here: Context) -> Traced:
    return _choice(node, args, ("true_expr", "false_null_expr"))


def _searched_case(node: ops.SearchedCase, args: Args, here: Context) -> Traced:
    return _choice(node, args, ("results", "default"))


def _simple_case(node: ops.SimpleCase, args: Args, here: Context) -> Traced:
    args = {**args, **_unified(node, args, ("base", "cases"))}
    return _choice(node, args, ("results", "default"))


def _same_kind(node: ops.Value, args: Args, here: Context) -> Traced:
    return _choice(node, args, ("arg",))


def _null_if(node: ops.NullIf, args: Args, here: Context) -> Traced:
    unified = same_family(node, (args["arg"], args["null_if_expr"]))
    args = {"arg": unified[0], "null_if_expr": unified[1]}
    extra = Traced(ops.Literal(None, dt.null), labelled(None, (None,)))
    return result(node, args, rebuild(node, args), outcomes(node, [args["arg"], extra]))


def _choice(node: ops.Value, args: Args, names: tuple[str, ...]) -> Traced:
    args = {**args, **_unified(node, args, names)}
    chosen: list[Traced] = []
    for name in names:
        chosen.extend(args[name] if isinstance(args[name], tuple) else (args[name],))
    return result(node, args, rebuild(node, args), outcomes(node, chosen), _hull(chosen))


def _unified(node: ops.Value, args: Args, names: tuple[str, ...]) -> dict[str, Any]:
    flat = iter(same_family(node, operands({name: args[name] for name in names})))
    return {
        name: tuple(next(flat) for _ in args[name]) if isinstance(args[name], tuple) else next(flat)
        for name in names
    }


def _hull(values: list[Traced]) -> Span:
    spans = [value.span for value in values if value.span is not None]
    return (min(span[0] for span in spans), max(span[1] for span in spans)) if spans else None


def _bucket(node: ops.Bucket, args: Args, here: Context) -> Traced:
    count = len(node.buckets) - 1 + node.include_under + node.include_over
    if count > MAX_BUCKETS:
        raise refuse_below(node, f"up to {MAX_BUCKETS} bins")
    return result(node, args, rebuild(node, args), labelled(node, (*range(count), None)))


# -- numbers ----------------------------------------------------------------------------------------------


def _arithmetic(node: Any, args: Args, here: Context) -> Traced:
    left, right = args["left"], args["right"]
    _no_decimals(node, (left, right))
    if not (left.node.dtype.is_integer() and right.node.dtype.is_integer()):
        return _plainly(node, args, here)
    span = totals.bounded(node, *_combined(node, left.span or totals.INT64, right.span or totals.INT64))
    new = type(node)(totals.widened(left), totals.widened(right))
    return result(node, args, new, span=span)


def _combined(node: ops.Value, left: Any, right: Any) -> tuple[int, int]:
    match node:
        case ops.Add():
            return left[0] + right[0], left[1] + right[1]
        case ops.Subtract():
            return left[0] - right[1], left[1] - right[0]
    products = [a * b for a in left for b in right]
    return min(products), max(products)


def _no_decimals(node: ops.Value, values: tuple[Traced, ...]) -> None:
    if any(value.node.dtype.is_decimal() for value in values):
        raise refuse_below(node, "decimals: cast to float64")


def _division(node: Any, args: Args, here: Context) -> Traced:
    _no_decimals(node, operands(args))
    as_floats = [ops.Cast(args[side].node, dt.float64) for side in ("left", "right")]
    return result(node, args, ops.Divide(*as_floats))


def _by_literal(node: Any, args: Args, here: Context) -> Traced:
    """Whole division and remainder: by a literal that is far enough from zero."""
    divisor = literal_of(node, args["right"])
    if isinstance(divisor, bool) or not isinstance(divisor, int | float) or not abs(divisor) >= 1e-3:
        raise refuse_below(node, "divide by a literal that is not about zero")
    largest = (
        int(totals.WHOLE_LIMIT / abs(divisor)) + 1
        if isinstance(node, ops.FloorDivide)
        else int(abs(divisor)) + 1
    )
    new = type(node)(totals.tame(args["left"]), args["right"].node)
    span = (-largest, largest) if node.dtype.is_integer() else None
    return result(node, args, new, span=span)


def _negation(node: Any, args: Args, here: Context) -> Traced:
    value = args["arg"]
    _no_decimals(node, (value,))
    if not value.node.dtype.is_integer():
        return _plainly(node, args, here)
    low, high = value.span or totals.INT64
    span = totals.bounded(node, min(-high, low), max(-low, high))
    return result(node, args, type(node)(totals.widened(value)), span=span)


def _to_integer(node: Any, args: Args, here: Context) -> Traced:
    _no_decimals(node, (args["arg"],))
    digits = {} if args.get("digits") is None else {"digits": args["digits"].node}
    if digits and abs(literal_of(node, args["digits"])) > MAX_DIGITS:
        raise refuse_below(node, f"up to {MAX_DIGITS} digits")
    new = type(node)(totals.tame(args["arg"]), **digits)
    limit = 10 * totals.WHOLE_LIMIT
    return result(node, args, new, span=(-limit, limit) if new.dtype.is_integer() else None)


def _root(node: Any, args: Args, here: Context) -> Traced:
    return result(node, args, type(node)(totals.where_defined(args["arg"], ops.GreaterEqual)))


def _logarithm(node: Any, args: Args, here: Context) -> Traced:
    value = totals.where_defined(args["arg"], ops.Greater)
    if not isinstance(node, ops.Log):
        return result(node, args, type(node)(value))
    base = literal_of(node, args["base"])
    if not base > 1:
        raise refuse_below(node, "a base above 1")
    return result(node, args, ops.Divide(ops.Ln(value), ops.Ln(ops.Literal(float(base), dt.float64))))


def _power(node: ops.Power, args: Args, here: Context) -> Traced:
    as_floats = [ops.Cast(args[side].node, dt.float64) for side in ("left", "right")]
    return result(node, args, ops.Power(*as_floats))


def _clip(node: ops.Clip, args: Args, here: Context) -> Traced:
    """Its bounds are literals, so that what is clipped can no longer be summed: the catalogue's bounds clip
    that."""
    for side in ("lower", "upper"):
        if args[side] is not None:
            literal_of(node, args[side])
    return Traced(rebuild(node, args), Anything(), args["arg"].span, args["arg"].reduces)


def _cast(node: Any, args: Args, here: Context) -> Traced:
    """Never fails: what can't be cast is NULL."""
    value, to = args["arg"], node.to
    if to.is_decimal() or to.is_timestamp() or to.is_interval() or value.node.dtype.is_interval():
        raise refuse_below(node, f"a cast to {totals.family(to)}")
    if to.copy(nullable=True) == value.node.dtype.copy(nullable=True):
        return value  # type: ignore[no-any-return]
    keeps_number = isinstance(value.fact, Number) and _keeps_values(value.node.dtype, to)
    fact = value.fact if keeps_number else _cast_labels(value, to) or Anything()
    fits = to.is_integer() and value.node.dtype.is_integer() and value.span
    return Traced(ops.TryCast(value.node, to), fact, value.span if fits else span_of(to), value.reduces)


def _keeps_values(source: dt.DataType, to: dt.DataType) -> bool:
    """Whether a number is the same after the cast. Rounding makes another number of it, about which one more
    noise could be drawn."""
    return bool(to.is_floating() or (source.is_integer() and to.is_integer()))


def _cast_labels(value: Traced, to: dt.DataType) -> Fact | None:
    """A condition made 0 or 1; other casts have no known labels."""
    fact = value.fact
    if not (isinstance(fact, Closed) and value.node.dtype.is_boolean() and to.is_integer()):
        return None
    return Closed(
        fact.base, tuple((base, None if label is None else int(bool(label))) for base, label in fact.table)
    )


# -- dates and text ---------------------------------------------------------------------------------------


def _extract(node: Any, args: Args, here: Context) -> Traced:
    return result(node, args, rebuild(node, args), span=(-10_000_000, 10_000_000))


def _shift_date(node: Any, args: Args, here: Context) -> Traced:
    literal_of(node, args["right"])
    return result(node, args, ops.Cast(rebuild(node, args), dt.date))


def _delta(node: ops.DateDelta, args: Args, here: Context) -> Traced:
    """A duration, which may be summed, if both dates are recorded ones and it is told in days: the same time
    in five units would be five draws of noise about it."""
    if literal_of(node, args["part"]) not in DELTA_UNITS:
        raise refuse_below(node, f"one of {', '.join(DELTA_UNITS)}")
    in_days = literal_of(node, args["part"]) == "day"
    fact = DURATION if in_days and args["left"].recorded and args["right"].recorded else Anything()
    return result(node, args, rebuild(node, args), fact, (-DAYS, DAYS))


def _strftime(node: ops.Strftime, args: Args, here: Context) -> Traced:
    if "%" in str(literal_of(node, args["format_str"])).replace("%Y", "").replace("%m", "").replace("%d", ""):
        raise refuse_below(node, "the directives %Y, %m and %d")
    return _plainly(node, args, here)


def _with_literals(*names: str) -> Rule:
    def rule(node: Any, args: Args, here: Context) -> Traced:
        for name in names:
            if args[name] is not None:
                _check_position(node, literal_of(node, args[name]))
        return _plainly(node, args, here)

    return rule


def _check_position(node: ops.Node, value: object) -> None:
    if isinstance(value, int) and not 0 <= value <= 1_000:
        raise refuse_below(node, "positions from 0 to 1000")


def _like(node: Any, args: Args, here: Context) -> Traced:
    if args["escape"] is not None or "\\" in str(literal_of(node, args["pattern"])):
        raise refuse_below(node, "patterns without an escape character")
    return _plainly(node, args, here)


def _regex(node: ops.RegexSearch, args: Args, here: Context) -> Traced:
    totals.check_pattern(node, literal_of(node, args["pattern"]))
    return _plainly(node, args, here)


def _rules(
    names: str, rule: Rule, guard: Callable[[Rule], Rule] = no_identifiers
) -> dict[type[ops.Value], Rule]:
    return {getattr(ops, name): guard(rule) for name in names.split()}


def with_identifiers(rule: Rule) -> Rule:
    return rule


_TOTAL = """
Not And Or Xor IsNan IsInf Sign Exp StringLength StringConcat StringContains StartsWith EndsWith Lowercase
Uppercase
Capitalize Strip LStrip RStrip
"""
BELOW: Mapping[type[ops.Value], Rule] = MappingProxyType(
    {
        **_rules("Literal", _literal),
        **_rules("Alias", _alias, with_identifiers),
        **_rules("SortKey", _sort_key),
        **_rules(_TOTAL, _plainly),
        **_rules("Equals", _comparison, with_identifiers),
        **_rules("NotEquals Greater GreaterEqual Less LessEqual Between InValues IdenticalTo", _comparison),
        **_rules("IsNull NotNull", _is_null, with_identifiers),
        **_rules("IfElse", _if_else),
        **_rules("SearchedCase", _searched_case),
        **_rules("SimpleCase", _simple_case),
        **_rules("Coalesce Greatest Least", _same_kind),
        **_rules("NullIf", _null_if),
        **_rules("Bucket", _bucket),
        **_rules("Add Subtract Multiply", _arithmetic),
        **_rules("Divide", _division),
        **_rules("FloorDivide Modulus", _by_literal),
        **_rules("Negate Abs", _negation),
        **_rules("Floor Ceil Round", _to_integer),
        **_rules("Sqrt", _root),
        **_rules("Ln Log Log2 Log10", _logarithm),
        **_rules("Power", _power),
        **_rules("Clip", _clip),
        **_rules("Cast TryCast", _cast),
        **_rules(
            "ExtractYear ExtractMonth ExtractDay ExtractQuarter ExtractWeekOfYear ExtractDayOfYear", _extract
        ),
        **_rules("ExtractIsoYear DayOfWeekIndex", _extract),
        **_rules("DateTruncate", _plainly),
        **_rules("DateAdd DateSub", _shift_date),
        **_rules("DateDelta", _delta),
        **_rules("Strftime", _strftime),
        **_rules("Substring", _with_literals("start", "length")),
        **_rules("StrRight", _with_literals("nchars")),
        **_rules("StringSQLLike StringSQLILike", _like),
        **_rules("RegexSearch", _regex),
        **WINDOW_RULES,
    }
)
