"""Which part of all that a value could be a condition lets through. Pure.

A condition on one column (a class of ages, a list of codes) is cut into *pieces* that nothing in it tells
apart: the constants that it names, what lies between them, everything else, and what is missing. Whether it
holds is worked out for one value of each piece. What asks about several columns, or in a way that is not
known here, has no pieces: it stands for itself.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ibis.expr.operations as ops

from hub_config.gateway.rules.earlier.canonical import Canonical, is_told_by_its_value, resolved, source_of

_COMPARED: Final[dict[type, Callable[[Any, Any], bool]]] = {
    ops.Less: lambda a, b: a < b,
    ops.LessEqual: lambda a, b: a <= b,
    ops.Greater: lambda a, b: a > b,
    ops.GreaterEqual: lambda a, b: a >= b,
}
_ORDERED: Final = (*_COMPARED, ops.Between)
_DECIDED: Final = (
    ops.Literal, ops.Equals, ops.NotEquals, *_ORDERED, ops.And, ops.Or, ops.Not, ops.IsNull, ops.NotNull,
    ops.InValues, ops.SearchedCase, ops.IfElse, ops.IsNan, ops.IsInf,
)  # fmt: skip


class Unclear(ValueError):
    """It can't be told what the value is."""


class _Other:
    """A value that no constant is."""


OTHER: Final = _Other()
_EXACT: Final = 2**53  # beyond it not every whole number is a float
Piece = tuple[str, Any]  # "is" a constant, "between" two (None: without end), "other", "missing"
Evaluated = Callable[[Any], Any]


@dataclass(frozen=True)
class Condition:
    """That `value` is one of `outcomes`."""

    value: ops.Value
    outcomes: frozenset[Hashable]


def variable_of(canonical: Canonical, value: ops.Value) -> ops.Value:
    """What `value` is a function of, if it is one thing; else `value`."""
    found = {canonical.value(each): each for each in _variables(value)}
    return next(iter(found.values())) if len(found) == 1 else resolved(value)


def pieces(canonical: Canonical, variable: ops.Value, conditions: Sequence[Condition]) -> list[Piece]:
    """The pieces of `variable` in which all `conditions` hold. Raises Unclear."""
    name = canonical.value(variable)
    functions = [_Function(canonical, name).of(each.value) for each in conditions]
    constants = {constant for each in conditions for constant in _constants(canonical, name, each)}
    ordered = any(_is_ordered(each.value) for each in conditions)
    tested = zip(conditions, functions, strict=True)
    wanted = [(each.outcomes, function) for each, function in tested]
    return [
        piece
        for piece, value in _tested(variable, constants, ordered)
        if all(function(value) in outcomes for outcomes, function in wanted)
    ]


def is_whole(variable: ops.Value) -> bool:
    """Whether nothing lies between a number and the next one: whole numbers and days."""
    return bool(variable.dtype.is_integer() or variable.dtype.is_date())


def is_finite(value: ops.Value) -> bool:
    """Whether it is a number of the warehouse, all of which are finite, or the mean or an end of some:
    nobody measured numbers whose sum is beyond 1e308."""
    value = resolved(value)
    match value:
        case ops.Field(rel=ops.JoinReference() as side, name=name):
            return is_finite(ops.Field(side.parent, name))
        case ops.Field(rel=ops.Aggregate() as made, name=name):
            return is_finite({**made.groups, **made.metrics}[name])
        case ops.Mean(arg=arg) | ops.Min(arg=arg) | ops.Max(arg=arg):
            return is_finite(arg)
    return source_of(value) is not None


def _tested(variable: ops.Value, constants: set[Any], ordered: bool) -> Iterator[tuple[Piece, Any]]:
    yield ("missing", None), None
    if variable.dtype.is_boolean():
        yield ("is", True), True
        yield ("is", False), False
        return
    if not ordered:
        yield from ((("is", each), each) for each in constants)
        yield ("other", tuple(constants)), OTHER
        return
    if not (variable.dtype.is_numeric() or variable.dtype.is_date()):
        raise Unclear
    known = sorted(each for each in constants if _is_point(each))
    if not known:
        raise Unclear
    yield from ((("is", each), each) for each in known)
    for low, high in zip([None, *known], [*known, None], strict=True):
        if (inner := _inside(low, high, is_whole(variable))) is not None:
            yield ("between", (low, high)), inner


def _is_point(constant: Any) -> bool:
    return isinstance(constant, int | float | datetime.date) and not isinstance(constant, bool)


def _inside(low: Any, high: Any, whole: bool) -> Any:
    """A value between the two; None where there is none."""
    if isinstance(low if low is not None else high, datetime.date):
        day = datetime.timedelta(days=1)
        inner = high - day if low is None else low + day
        return inner if high is None or inner < high else None
    if low is None or high is None:
        return high - 1 if low is None else low + 1
    if whole:
        inner = math.floor(low) + 1
        return inner if inner < high else None
    return (low + high) / 2


# --- what a value is ---------------------------------------------------------------------------------------


def _variables(value: ops.Value) -> Iterator[ops.Value]:
    value = resolved(value)
    if isinstance(value, ops.Cast | ops.TryCast) and _is_same(value):
        yield from _variables(value.arg)
    elif isinstance(value, _DECIDED):
        for child in _operands(value):
            yield from _variables(child)
    else:
        yield value


def _operands(value: ops.Value) -> Iterable[ops.Value]:
    for each in value.__args__:
        if isinstance(each, ops.Value):
            yield each
        elif isinstance(each, tuple):
            yield from (one for one in each if isinstance(one, ops.Value))


def _is_same(cast: Any) -> bool:
    """A cast that changes no value."""
    was, now = cast.arg.dtype, cast.to
    return bool(was.copy(nullable=True) == now.copy(nullable=True) or (was.is_integer() and now.is_float64()))


def _is_ordered(value: ops.Value) -> bool:
    value = resolved(value)
    return isinstance(value, _ORDERED) or (
        isinstance(value, (*_DECIDED, ops.Cast, ops.TryCast)) and any(map(_is_ordered, _operands(value)))
    )


def _constants(canonical: Canonical, name: str, condition: Condition) -> Iterator[Any]:
    """What the variable is compared with; where it is asked for as it is, what it is to be."""
    if canonical.value(condition.value) == name:
        yield from (each for each in condition.outcomes if each is not None)
    pending = [condition.value]
    while pending:
        value = resolved(pending.pop())
        if canonical.value(value) == name:
            continue
        if isinstance(value, ops.Literal) and value.value is not None:
            yield _constant(value)
        pending += _operands(value)


def _constant(literal: Any) -> Any:
    """Raises Unclear for one that an engine may not compare as Python does: rounded, endless, no number."""
    value = literal.value
    rounded = not is_told_by_its_value(literal.dtype)
    if rounded or (isinstance(value, int | float) and not abs(value) < _EXACT):
        raise Unclear
    return value


@dataclass(frozen=True)
class _Function:
    """Values as functions of the one variable called `name`. NULL is None, in three-valued logic."""

    canonical: Canonical
    name: str

    def of(self, value: ops.Value) -> Evaluated:
        value = resolved(value)
        if self.canonical.value(value) == self.name:
            return lambda x: x
        match value:
            case ops.Literal(value=constant):
                return lambda _: constant
            case ops.Cast(arg=arg) | ops.TryCast(arg=arg) if _is_same(value):
                return self.of(arg)
            case ops.And(left=left, right=right):
                return _all(self.of(left), self.of(right))
            case ops.Or(left=left, right=right):
                return _not(_all(_not(self.of(left)), _not(self.of(right))))
            case ops.Not(arg=arg):
                return _not(self.of(arg))
            case ops.IsNull(arg=arg):
                return _missing(self.of(arg))
            case ops.NotNull(arg=arg):
                return _not(_missing(self.of(arg)))
            case ops.IsNan(arg=arg) | ops.IsInf(arg=arg) if is_finite(arg):  # a quotient may not be
                return _never(self.of(arg))
        return self._compared(value)

    def _compared(self, value: ops.Value) -> Evaluated:
        match value:
            case ops.Equals(left=left, right=right):
                return _known(lambda a, b: bool(a == b), self.of(left), self.of(right))
            case ops.NotEquals(left=left, right=right):
                return _known(lambda a, b: bool(a != b), self.of(left), self.of(right))
            case ops.Less() | ops.LessEqual() | ops.Greater() | ops.GreaterEqual():
                return _known(_COMPARED[type(value)], self.of(value.left), self.of(value.right))
            case ops.Between(arg=arg, lower_bound=low, upper_bound=high):
                x, at_least, at_most = self.of(arg), _COMPARED[ops.GreaterEqual], _COMPARED[ops.LessEqual]
                return _all(_known(at_least, x, self.of(low)), _known(at_most, x, self.of(high)))
            case ops.InValues(value=arg, options=options) if options:
                return _one_of(self.of(arg), [self.of(each) for each in options])
            case ops.IfElse(bool_expr=test, true_expr=yes, false_null_expr=no):
                return _case([self.of(test)], [self.of(yes)], self.of(no))
            case ops.SearchedCase(cases=cases, results=results, default=default):
                return _case([self.of(c) for c in cases], [self.of(r) for r in results], self.of(default))
        raise Unclear


def _known(compare: Callable[..., bool], *operands: Evaluated) -> Evaluated:
    def evaluated(x: Any) -> bool | None:
        values = [operand(x) for operand in operands]
        try:
            return None if any(value is None for value in values) else compare(*values)
        except TypeError:
            raise Unclear from None

    return evaluated


def _all(one: Evaluated, other: Evaluated) -> Evaluated:
    def evaluated(x: Any) -> bool | None:
        both = (one(x), other(x))
        return False if False in both else None if None in both else True

    return evaluated


def _not(one: Evaluated) -> Evaluated:
    def evaluated(x: Any) -> bool | None:
        value = one(x)
        return None if value is None else not value

    return evaluated


def _missing(one: Evaluated) -> Evaluated:
    return lambda x: one(x) is None


def _never(one: Evaluated) -> Evaluated:
    return lambda x: None if one(x) is None else False


def _one_of(one: Evaluated, options: list[Evaluated]) -> Evaluated:
    def evaluated(x: Any) -> bool | None:
        value, known = one(x), [option(x) for option in options]
        if value is None:
            return None
        return True if value in known else None if None in known else False

    return evaluated


def _case(cases: list[Evaluated], results: list[Evaluated], default: Evaluated) -> Evaluated:
    def evaluated(x: Any) -> Any:
        for case, result in zip(cases, results, strict=True):
            if case(x) is True:
                return result(x)
        return default(x)

    return evaluated
