"""Sums, means, spreads and quantiles, as parts that are protected and what is made of them afterwards.

What is summed is one catalogue numeric, or a per-patient count, duration or summary of one: `Number` facts,
which no arithmetic, condition or literal survives. It is clipped to public bounds and counted from a public
centre c, so that a mean does not carry the blur of its count times its level:

    sum = Σ(x−c) + c·n      mean = c + Σ(x−c)/n      variance = (Σ(x−c)² − (Σ(x−c))²/n) / (n−1), 0 at least

with n the count of contributing rows. Missing values, NaN and infinities never contribute. There is one
centre a column: two would give two equations about one noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from hub_config.gateway.rules.facts import Number, Opaque, Traced
from hub_config.gateway.rules.plan import MeasureKind
from hub_config.gateway.rules.quantiles import step_of
from p4dp_sdk.wire.errors import ErrorCode, Refusal

SHARES: Final = frozenset(step / 20 for step in range(21))  # whose quantiles are told
_NOTHING = ops.Literal(None, dt.float64)


@dataclass(frozen=True)
class Measured:
    """One released column. `condition` tells the rows that contribute, None
    is all of them; `conditional` whether the query chose them. `present` is the catalogue's column whose
    being filled chose them instead. `weight`, `family`, `bounds`, `quantile` and `step` are those of
    `Measure`, the weight as a value."""

    condition: ops.Value | None
    conditional: bool
    present: ops.Value | None = None
    kind: MeasureKind = MeasureKind.ROWS
    weight: ops.Value | None = None
    family: str = "count"
    bounds: tuple[float, float] | None = None
    quantile: float | None = None
    step: float | None = None

    @property
    def dtype(self) -> dt.DataType:
        match self.kind:
            case MeasureKind.PATIENTS | MeasureKind.ROWS:
                return dt.int64
            case MeasureKind.SUM | MeasureKind.QUANTILE:
                return dt.float64
            case _:
                assert_never(self.kind)


@dataclass(frozen=True)
class Decomposed:
    """A reduction as its parts; `combine` makes it of their released columns, in that order."""

    parts: tuple[Measured, ...]
    combine: Callable[[Sequence[ops.Value]], ops.Value]

    @classmethod
    def only(cls, part: Measured) -> Decomposed:
        return cls((part,), itself)

    @property
    def is_itself(self) -> bool:
        return self.combine is itself


def itself(parts: Sequence[ops.Value]) -> ops.Value:
    """The combination of a measure that is its own part."""
    (part,) = parts
    return part


def counted(condition: ops.Value | None, conditional: bool, **known: Any) -> Measured:
    """A count: every row under `condition` adds 1."""
    one = None
    if condition is not None:
        one = ops.IfElse(condition, ops.Literal(1, dt.int8), ops.Literal(None, dt.int8))
    return Measured(condition, conditional, weight=one, **known)


def decomposed(reduction: Any, value: Traced, where: ops.Value | None) -> Decomposed:
    """The parts of a sum, mean, variance, standard deviation, median or quantile of `value`. Refuses a value
    that is no such number."""
    if isinstance(value.fact, Opaque):
        raise Refusal(ErrorCode.OPAQUE_IDENTIFIER, operation=type(reduction).__name__)
    if not isinstance(value.fact, Number):
        raise Refusal(ErrorCode.VALUE_RULE, operation=type(reduction).__name__)
    summand = _Summand(value, value.fact, where)
    match reduction:
        case ops.Sum():
            return _typed(_sum(summand), reduction.dtype)
        case ops.Mean():
            return _typed(_mean(summand), reduction.dtype)
        case ops.Variance() | ops.StandardDev():
            return _typed(_spread(summand, reduction), reduction.dtype)
        case ops.Median():
            return _typed(Decomposed.only(summand.quantile(0.5)), reduction.dtype)
        case ops.Quantile():
            return _typed(Decomposed.only(summand.quantile(_share(reduction))), reduction.dtype)
    raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation=type(reduction).__name__)


def ratio(counts: tuple[Measured, Measured]) -> Decomposed:
    """The share of rows for which a condition holds, of those where it is known."""
    return Decomposed(counts, lambda parts: ops.Divide(parts[0], _not_zero(parts[1])))


# -- what each row adds -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Summand:
    """One number a row, ready to be added up."""

    value: Traced
    fact: Number
    where: ops.Value | None

    @property
    def centre(self) -> float:
        return self.fact.centre

    @property
    def condition(self) -> ops.Value:
        node = self.value.node
        finite: list[ops.Value] = [ops.NotNull(node)]
        if node.dtype.is_floating():
            finite += [ops.Not(ops.IsNan(node)), ops.Not(ops.IsInf(node))]
        return _all([*finite, *([] if self.where is None else [self.where])])

    @property
    def _clipped(self) -> ops.Value:
        """Between the bounds; two comparisons cost an engine half of what its least and greatest do."""
        node = self.value.node
        value = node if node.dtype == dt.float64 else ops.Cast(node, dt.float64)
        low, high = map(_float, self.fact.bounds)
        return ops.SearchedCase((ops.Greater(value, high), ops.Less(value, low)), (high, low), value)

    def _part(self, family: str, weight: ops.Value, kind: MeasureKind, **known: Any) -> Measured:
        return Measured(
            ops.NotNull(weight),
            conditional=self.where is not None,
            kind=kind,
            weight=weight,
            family=f"{family}:{self.fact.lineage}",
            **known,
        )

    def _adding(self, value: ops.Value) -> ops.Value:
        """What each row adds; who has nothing does not stand behind a sum. (Who is at the centre does.)"""
        added = ops.IfElse(self.condition, value, _NOTHING)
        return added if self.centre else ops.NullIf(added, _float(0.0))

    @property
    def rows(self) -> Measured:
        """How many contribute. A missing value is no choice of the query's."""
        return counted(self.condition, self.where is not None)

    @property
    def deviations(self) -> Measured:
        """Σ(x−c)."""
        low, high = (bound - self.centre for bound in self.fact.bounds)
        bounds = (low, high) if self.fact.is_bounded else None
        return self._part("sum", self._adding(self._deviation), MeasureKind.SUM, bounds=bounds)

    @property
    def squares(self) -> Measured:
        """Σ(x−c)²."""
        most = max((bound - self.centre) ** 2 for bound in self.fact.bounds)
        bounds = (0.0, most) if self.fact.is_bounded else None
        square = ops.Multiply(self._deviation, self._deviation)
        return self._part("sumsq", self._adding(square), MeasureKind.SUM, bounds=bounds)

    @property
    def _deviation(self) -> ops.Value:
        return ops.Subtract(self._clipped, _float(self.centre)) if self.centre else self._clipped

    def quantile(self, share: float) -> Measured:
        low, high = self.fact.bounds
        value = ops.IfElse(self.condition, self._clipped, _NOTHING)
        part = self._part("quantile", value, MeasureKind.QUANTILE, bounds=(low, high))
        step = step_of(low, high, self.value.node.dtype.is_integer())
        return replace(part, family=f"{part.family}:{share:g}", quantile=share, step=step)


def _share(reduction: ops.Quantile) -> float:
    """One of a few shares. With all of them, the share at which a quantile jumps to the next class would be
    an exact count over the exact size of the group."""
    quantile = reduction.quantile
    value = quantile.value if isinstance(quantile, ops.Literal) else None
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation="Quantile", why="a quantile from 0 to 1")
    if value not in SHARES:
        raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation="Quantile", why="a share in steps of 0.05")
    return float(value)


# -- what is made of the parts ----------------------------------------------------------------------------


def _sum(summand: _Summand) -> Decomposed:
    if not summand.centre:
        return Decomposed.only(summand.deviations)
    centre = _float(summand.centre)
    return Decomposed(
        (summand.deviations, summand.rows),
        lambda parts: ops.Add(parts[0], ops.Multiply(centre, parts[1])),
    )


def _mean(summand: _Summand) -> Decomposed:
    centre = _float(summand.centre)
    return Decomposed(
        (summand.deviations, summand.rows),
        lambda parts: ops.Add(centre, ops.Divide(parts[0], _not_zero(parts[1]))),
    )


def _spread(summand: _Summand, reduction: ops.Variance | ops.StandardDev) -> Decomposed:
    """None where the noise of the parts is larger than what it blurs: "0" would be read as no spread."""
    freedom = 1 if reduction.how == "sample" else 0

    def combine(parts: Sequence[ops.Value]) -> ops.Value:
        squares, deviations, rows = parts
        rows = ops.Cast(rows, dt.float64)
        around = ops.Divide(ops.Multiply(deviations, deviations), _not_zero(rows))
        divisor = _not_zero(ops.Subtract(rows, _float(freedom)))
        variance = ops.Divide(ops.Subtract(squares, around), divisor)
        positive = ops.IfElse(ops.Less(variance, _float(0.0)), _float(0.0), variance)
        told = ops.NullIf(positive, _float(0.0))
        return ops.Sqrt(told) if isinstance(reduction, ops.StandardDev) else told

    return Decomposed((summand.squares, summand.deviations, summand.rows), combine)


def _typed(made: Decomposed, dtype: dt.DataType) -> Decomposed:
    """The combination of the type that the query gave its reduction."""
    if not dtype.is_integer():
        return made
    digits = ops.Literal(0, dt.int8)
    return replace(made, combine=lambda parts: ops.Cast(ops.Round(made.combine(parts), digits), dtype))


def _not_zero(count: ops.Value) -> ops.Value:
    return ops.NullIf(count, ops.Literal(0, count.dtype))


def _float(value: float) -> ops.Literal:
    return ops.Literal(float(value), dt.float64)


def _all(conditions: Sequence[ops.Value]) -> ops.Value:
    whole, *rest = conditions
    for condition in rest:
        whole = ops.And(whole, condition)
    return whole
