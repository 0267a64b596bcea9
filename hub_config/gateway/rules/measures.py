"""What may be measured at the release point. A whitelist: counts, distinct patients, sums, means, spreads,
quantiles.

Each measure comes with the condition under which a row contributes to it; evidence is counted under that
condition. What is summed or averaged is one catalogue numeric, or a per-patient count or duration:
`ifelse(target, inr * 10, 1)` would hide one person in a sum of thousands. Until magnitudes are protected,
only counts are released.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from hub_config.gateway.rules.facts import Kind, Number, Opaque, Relation, Traced
from hub_config.gateway.rules.plan import MeasureKind
from p4dp_sdk.catalogue.model import Role
from p4dp_sdk.wire.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from hub_config.gateway.rules.frontier import Frontier

_COUNTS = (ops.CountStar, ops.Count, ops.CountDistinct)
_MAGNITUDES = (ops.Sum, ops.Mean, ops.Variance, ops.StandardDev, ops.Median, ops.Quantile)
_WHITELIST = frozenset({*_COUNTS, *_MAGNITUDES})


@dataclass(frozen=True)
class Measured:
    """One reduction on the engine: `condition` tells the rows that contribute, None is all of them;
    `conditional` whether the query chose them. `present` is the catalogue's column whose being filled chose
    them instead. `weight` is what each row adds, NULL where it does not contribute; None: every row adds 1.
    """

    node: ops.Value
    condition: ops.Value | None
    conditional: bool
    present: ops.Value | None = None
    kind: MeasureKind = MeasureKind.ROWS

    @property
    def weight(self) -> ops.Value | None:
        if self.condition is None:
            return None
        return ops.IfElse(self.condition, ops.Literal(1, dt.int8), ops.Literal(None, dt.int8))


def measure(frontier: Frontier, reduction: Any, parent: Relation, old_parent: ops.Relation) -> Measured:
    """The reduction, ready to run, or a Refusal by its name."""
    if type(reduction) not in _WHITELIST:  # exactly: Ibis's approximate count is a kind of count
        raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation=type(reduction).__name__)
    here = {old_parent: parent}
    where = frontier.trace(reduction.where, here) if getattr(reduction, "where", None) is not None else None
    chosen = where.node if where is not None else None
    match reduction:
        case ops.CountStar():
            _records_count_once(reduction, parent)
            return Measured(ops.CountStar(parent.node, where=chosen), chosen, where is not None)
        case ops.Count():
            return _count(frontier.trace(reduction.arg, here), chosen, parent, reduction)
        case ops.CountDistinct():
            return _patients(frontier.trace(reduction.arg, here), chosen, parent)
        case ops.Sum() if _condition_of(reduction.arg) is not None:
            return _true_rows(frontier.trace(_condition_of(reduction.arg), here), chosen, parent, reduction)
        case _:
            raise _not_yet(reduction, frontier.trace(reduction.arg, here))


def _count(value: Traced, where: ops.Value | None, parent: Relation, node: ops.Node) -> Measured:
    """Rows where the value is not NULL; that is a choice of the query's unless the column is the
    catalogue's own. An identifier never is NULL."""
    _records_count_once(node, parent)
    condition = _both(ops.NotNull(value.node), where)
    plain = getattr(value.fact, "plain", False)
    present = value.node if plain and where is None and not isinstance(value.fact, Opaque) else None
    return Measured(ops.Count(value.node, where=where), condition, where is not None or not plain, present)


def _patients(value: Traced, where: ops.Value | None, parent: Relation) -> Measured:
    fact = value.fact
    if parent.kind is not Kind.PERSON or not (isinstance(fact, Opaque) and fact.role is Role.PATIENT):
        raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation="CountDistinct", why="of the patient only")
    condition = _both(ops.NotNull(value.node), where) if fact.nullable else where
    chosen = where is not None or fact.nullable
    node = ops.CountDistinct(value.node, where=where)
    return Measured(node, condition, chosen, kind=MeasureKind.PATIENTS)


def _condition_of(value: ops.Value) -> ops.Value | None:
    """The condition whose true rows a sum counts: itself, or one cast to a whole number."""
    if isinstance(value, ops.Cast | ops.TryCast) and value.to.is_integer():
        value = value.arg
    return value if value.dtype.is_boolean() else None


def _true_rows(value: Traced, where: ops.Value | None, parent: Relation, node: ops.Node) -> Measured:
    _records_count_once(node, parent)
    return Measured(ops.Sum(value.node, where=where), _both(value.node, where), True)


def _records_count_once(node: ops.Node, parent: Relation) -> None:
    if parent.duplicated:
        raise Refusal(
            ErrorCode.MEASURE_NOT_RELEASABLE,
            operation=type(node).__name__,
            why="one record stands in several rows",
        )


def _not_yet(node: ops.Node, value: Traced) -> Refusal:
    """A magnitude that the value rule allows waits for its protection; any other is refused for good."""
    summed = isinstance(value.fact, Number) or value.node.dtype.is_boolean()
    if isinstance(value.fact, Opaque):
        return Refusal(ErrorCode.OPAQUE_IDENTIFIER, operation=type(node).__name__)
    code = ErrorCode.MEASURE_NOT_YET if summed else ErrorCode.VALUE_RULE
    return Refusal(code, operation=type(node).__name__)


def _both(condition: ops.Value, where: ops.Value | None) -> ops.Value:
    return condition if where is None else ops.And(condition, where)
