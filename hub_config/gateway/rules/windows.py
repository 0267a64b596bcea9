"""What may be worked out over several rows of *one* patient: reductions, ranks, shifts.

Inside a per-patient aggregate or a window partitioned by the patient nothing flows from one person to
another, so most reductions are free there. Those that keep a catalogue value as it is keep its fact. At the
release point other rules hold (`measures`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import ibis.expr.operations as ops

from hub_config.gateway.rules import totals
from hub_config.gateway.rules.evaluation import Args, Context, Rule, no_identifiers, operands, rebuild
from hub_config.gateway.rules.facts import (
    COUNT,
    Anything,
    Fact,
    Kind,
    Number,
    Opaque,
    Span,
    Traced,
    rebased,
)
from hub_config.gateway.rules.finite import truth
from hub_config.gateway.rules.plan import PATIENT
from hub_config.gateway.rules.totals import literal_of, refuse_below
from p4dp_sdk.wire.errors import ErrorCode, Refusal

MANY_ROWS = 2**40  # more rows than a patient has
SUMMABLE = 2**31


def _reduced(node: ops.Value, args: Args, new: ops.Value, fact: Fact, span: Span = None) -> Traced:
    if any(arg.reduces for arg in operands(args)):
        raise Refusal(ErrorCode.WINDOW_RULE, operation=type(node).__name__)
    return Traced(new, fact, span, reduces=True)


def _count(node: Any, args: Args, here: Context) -> Traced:
    if isinstance(node, ops.CountStar) and args["arg"] is None:
        raise refuse_below(node, "of another relation")
    duplicated = len(here.relations) == 1 and here.only.duplicated
    fact = Anything() if duplicated else COUNT
    return _reduced(node, args, rebuild(node, args), fact, (0, MANY_ROWS))


def _sum(node: ops.Sum, args: Args, here: Context) -> Traced:
    value = args["arg"]
    if value.node.dtype.is_boolean():
        return _count(node, args, here)
    if value.node.dtype.is_decimal():
        raise refuse_below(node, "decimals: cast to float64")
    if not value.node.dtype.is_integer():
        return _reduced(node, args, rebuild(node, args), Anything())
    low, high = value.span or totals.INT64
    span = totals.bounded(node, low * SUMMABLE, high * SUMMABLE)
    return _reduced(node, args, rebuild(node, args), Anything(), span)


def _summary(node: Any, args: Args, here: Context) -> Traced:
    """Mean and quantiles stay what they summarise; what they see of it is bounded."""
    if hasattr(node, "quantile") and not 0 <= literal_of(node, args["quantile"]) <= 1:
        raise refuse_below(node, "a quantile from 0 to 1")
    fact = args["arg"].fact
    return _reduced(
        node,
        args,
        rebuild(node, args),
        replace(fact, plain=False) if isinstance(fact, Number) else Anything(),
    )


def _spread(node: Any, args: Args, here: Context) -> Traced:
    return _reduced(node, args, rebuild(node, args, arg=totals.tame(args["arg"])), Anything())


def _pick(node: Any, args: Args, here: Context) -> Traced:
    """One of the patient's own values."""
    return _reduced(
        node, args, rebuild(node, args), rebased(args["arg"].fact, node, (None,)), args["arg"].span
    )


def _truth(node: Any, args: Args, here: Context) -> Traced:
    return _reduced(node, args, rebuild(node, args), truth(node))


def _rank(node: Any, args: Args, here: Context) -> Traced:
    if isinstance(node, ops.NTile) and not 0 < literal_of(node, args["buckets"]) <= 1_000:
        raise refuse_below(node, "1 to 1000 groups")
    span = (0, MANY_ROWS) if node.dtype.is_integer() else None
    return _reduced(node, args, rebuild(node, args), Anything(), span)


def _shift(node: Any, args: Args, here: Context) -> Traced:
    if args["offset"] is not None and not 0 <= literal_of(node, args["offset"]) <= MANY_ROWS:
        raise refuse_below(node, "an offset of 0 or more")
    if args["default"] is not None:
        raise refuse_below(node, "no default value: use fill_null after it")
    return _pick(node, args, here)


def _boundary(node: ops.WindowBoundary, args: Args, here: Context) -> Traced:
    if not literal_of(node, args["value"]) >= 0:
        raise refuse_below(node, "a bound of 0 or more")
    return Traced(rebuild(node, args))


def _window(node: ops.WindowFunction, args: Args, here: Context) -> Traced:
    """Partitioned by the patient, named by the query and made certain by the hidden number."""
    if len(here.relations) != 1:
        raise Refusal(ErrorCode.WINDOW_RULE, operation="WindowFunction")
    parent, groups = here.only, args["group_by"]
    _check_range(node)
    if parent.kind.protected and not _by_patient(groups):
        raise Refusal(ErrorCode.WINDOW_RULE, operation=type(node.func).__name__)
    partition = [group.node for group in groups]
    if parent.kind is Kind.PERSON:
        partition.append(ops.Field(parent.node, PATIENT))
    func = args["func"]
    new = rebuild(node, args, group_by=tuple(partition))
    return Traced(new, rebased(func.fact, node, (None,)), func.span)


def _check_range(node: ops.WindowFunction) -> None:
    """A range bounded by a number would add it to every value, and overflow on some."""
    bounds = [bound.value for bound in (node.start, node.end) if bound is not None]
    if node.how == "range" and not all(bound.dtype.is_interval() for bound in bounds):
        raise refuse_below(node, "rows, or an interval of dates")


def _by_patient(groups: tuple[Traced, ...]) -> bool:
    return any(isinstance(group.fact, Opaque) and not group.fact.nullable for group in groups)


def _rules(names: str, rule: Rule, guarded: bool = True) -> dict[type[ops.Value], Rule]:
    return {getattr(ops, name): no_identifiers(rule) if guarded else rule for name in names.split()}


WINDOW_RULES: Mapping[type[ops.Value], Rule] = MappingProxyType(
    {
        **_rules("CountStar Count CountDistinct", _count, guarded=False),
        **_rules("Sum", _sum),
        **_rules("Mean Median Quantile", _summary),
        **_rules("StandardDev Variance", _spread),
        **_rules("Min Max First Last ArgMin ArgMax", _pick),
        **_rules("Any All", _truth),
        **_rules("RowNumber MinRank DenseRank PercentRank CumeDist NTile", _rank),
        **_rules("Lag Lead", _shift),
        **_rules("WindowBoundary", _boundary),
        **_rules("WindowFunction", _window, guarded=False),
    }
)
