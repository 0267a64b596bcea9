"""What may be measured at the release point. A whitelist: counts, distinct patients, sums, means, spreads,
quantiles, and the share of rows for which a condition holds.

Each measure is made of parts, and each part comes with the condition under which a row contributes to it;
evidence is counted under that condition. What is summed or averaged is one catalogue numeric, or a
per-patient count or duration (`magnitudes`): `ifelse(target, inr * 10, 1)` would hide one person in a sum of
thousands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis.expr.operations as ops

from hub_config.gateway.rules.facts import Kind, Opaque, Relation, Traced
from hub_config.gateway.rules.level import is_patient
from hub_config.gateway.rules.magnitudes import Decomposed, Measured, counted, decomposed, ratio
from hub_config.gateway.rules.plan import MeasureKind
from p4dp_sdk.catalogue.model import Role
from p4dp_sdk.wire.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from hub_config.gateway.rules.frontier import Frontier

_COUNTS = (ops.CountStar, ops.Count, ops.CountDistinct)
_MAGNITUDES = (ops.Sum, ops.Mean, ops.Variance, ops.StandardDev, ops.Median, ops.Quantile)
_WHITELIST = frozenset({*_COUNTS, *_MAGNITUDES})


def measure(frontier: Frontier, reduction: Any, parent: Relation, old_parent: ops.Relation) -> Decomposed:
    """The parts of the reduction, or a Refusal by its name."""
    if type(reduction) not in _WHITELIST:  # exactly: Ibis's approximate count is a kind of count
        raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation=type(reduction).__name__)
    here = {old_parent: parent}
    where = frontier.trace(reduction.where, here) if getattr(reduction, "where", None) is not None else None
    chosen = where.node if where is not None else None
    if isinstance(reduction, ops.CountStar):
        _records_count_once(reduction, parent)
        return Decomposed.only(counted(chosen, where is not None))
    condition = _condition_of(reduction)
    value = frontier.trace(reduction.arg if condition is None else condition, here)
    match reduction:
        case ops.CountDistinct():
            return Decomposed.only(_patients(value, chosen, parent))
        case ops.Count():
            return Decomposed.only(_count(value, chosen, parent, reduction))
        case ops.Sum() if condition is not None:
            return Decomposed.only(_true_rows(value, chosen, parent, reduction))
        case ops.Mean() if condition is not None:
            return ratio(_shares(value, chosen, parent, reduction))
        case _:
            _records_count_once(reduction, parent)
            return decomposed(reduction, value, chosen)


def _count(value: Traced, where: ops.Value | None, parent: Relation, node: ops.Node) -> Measured:
    """Rows where the value is not NULL; that is a choice of the query's unless the column is the
    catalogue's own. An identifier never is NULL."""
    _records_count_once(node, parent)
    condition = where if is_patient(value.fact) else _both(ops.NotNull(value.node), where)
    plain = getattr(value.fact, "plain", False)
    present = value.node if plain and where is None and not isinstance(value.fact, Opaque) else None
    chosen = where is not None or not plain
    return counted(condition, chosen, present=present)


def _patients(value: Traced, where: ops.Value | None, parent: Relation) -> Measured:
    fact = value.fact
    if parent.kind is not Kind.PERSON or not (isinstance(fact, Opaque) and fact.role is Role.PATIENT):
        raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation="CountDistinct", why="of the patient only")
    condition = _both(ops.NotNull(value.node), where) if fact.nullable else where
    chosen = where is not None or fact.nullable
    return counted(condition, chosen, kind=MeasureKind.PATIENTS)


def _condition_of(reduction: Any) -> ops.Value | None:
    """The condition whose true rows a sum or mean counts: its argument, or what that made a whole number."""
    if not isinstance(reduction, ops.Sum | ops.Mean):
        return None
    value = reduction.arg
    if isinstance(value, ops.Cast | ops.TryCast) and value.to.is_integer():
        value = value.arg
    return value if value.dtype.is_boolean() else None


def _true_rows(value: Traced, where: ops.Value | None, parent: Relation, node: ops.Node) -> Measured:
    _records_count_once(node, parent)
    return counted(_both(value.node, where), True)


def _shares(
    value: Traced, where: ops.Value | None, parent: Relation, node: ops.Node
) -> tuple[Measured, Measured]:
    """Rows for which the condition holds, and rows for which it is known. Who is unknown was not chosen by
    the query."""
    known = counted(_both(ops.NotNull(value.node), where), where is not None)
    return _true_rows(value, where, parent, node), known


def _records_count_once(node: ops.Node, parent: Relation) -> None:
    if parent.duplicated:
        raise Refusal(
            ErrorCode.MEASURE_NOT_RELEASABLE,
            operation=type(node).__name__,
            why="one record stands in several rows",
        )


def _both(condition: ops.Value, where: ops.Value | None) -> ops.Value:
    return condition if where is None else ops.And(condition, where)
