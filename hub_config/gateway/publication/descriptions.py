"""How many descriptions of people a value of a query holds. Pure; a closed list of operations.

What the catalogue codes costs by its list (`lists`). Elsewhere each literal that people's own numbers or
dates are compared with is one cut through them; alternatives that have nothing to do with each other, points
and further periods weigh three. A formula of k constants, t steps and a bounded degree can't shatter more
people than grow with k and t (Goldberg & Jerrum, Machine Learning 18 (1995) 131-148): so steps count, what
folds a number many times over is bounded, and what unpacks a set of people from the digits of one literal
(remainders, rounding, single characters) is not on the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from hub_config.gateway.publication.lists import (
    APART,
    BOUND,
    NOTHING,
    Charge,
    Grade,
    Grades,
    Listed,
    chosen,
    consecutive,
    told_apart,
    weighed,
)
from hub_config.gateway.publication.sides import BOUNDS, Sides, is_constant, sources
from hub_config.gateway.rules.evaluation import value_children
from hub_config.gateway.rules.facts import Closed, Fact, Opaque, Traced
from hub_config.gateway.rules.rows import conjuncts
from p4dp_sdk.wire.errors import ErrorCode, Refusal

MAX_FOLDS: Final = 6  # how often a formula may come back to the same value
STEP: Final = 1

_POINTS: Final = (ops.Equals, ops.NotEquals, ops.IdenticalTo)
_ARITHMETIC: Final = (ops.Add, ops.Subtract, ops.Multiply, ops.Divide, ops.Power)
_SHIFTS: Final = (ops.DateAdd, ops.DateSub)
_STEPS: Final = (ops.Exp, ops.Ln, ops.Log, ops.Log2, ops.Log10, ops.Sqrt, ops.Abs, ops.Sign, ops.Clip)
_FOLDS: Final = (ops.Abs, ops.Variance, ops.StandardDev)
_CHOICES: Final = (ops.IfElse, ops.SearchedCase, ops.SimpleCase)
_ALTERNATIVES: Final = (ops.Coalesce, ops.Greatest, ops.Least)
_CONNECTIVES: Final[Mapping[type[ops.Node], int]] = MappingProxyType(
    {ops.Or: APART, ops.Xor: APART, ops.And: STEP}
)
_REDUCTIONS: Final = (
    ops.CountStar, ops.Count, ops.CountDistinct, ops.Sum, ops.Mean, ops.Median, ops.Quantile, ops.Min,
    ops.Max, ops.First, ops.Last, ops.ArgMin, ops.ArgMax, ops.Any, ops.All, ops.Variance, ops.StandardDev,
)  # fmt: skip
_FREE: Final = (
    ops.Field, ops.Literal, ops.Alias, ops.SortKey, ops.Not, ops.Negate, ops.IsNull, ops.NotNull, ops.IsNan,
    ops.IsInf, ops.ExtractYear, ops.ExtractIsoYear, ops.ExtractQuarter, ops.ExtractMonth,
    ops.ExtractWeekOfYear, ops.DayOfWeekIndex, ops.DateTruncate, ops.DateDelta, ops.Bucket,
    ops.InSubquery, ops.WindowFunction, ops.WindowBoundary, ops.RowNumber, ops.MinRank, ops.DenseRank,
    ops.Lag, ops.Lead,
)  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """The key of a charge: a condition that costs nothing by itself, as long as they are not many.
    `leaves_out`: people are left out by it, who are seen where the others are all."""

    node: ops.Node
    leaves_out: bool = False


@dataclass(frozen=True)
class Switched:
    """The key of a charge: a step with numbers that tell whether a condition holds. One such step, a share
    of two sums, is a step like others; ten people take nine."""

    node: ops.Node


@dataclass
class Values:
    """Counts the values of one query, each once, on the facts that the split found of them (`parts`)."""

    grades: Grades
    sides: Sides
    is_brought: Callable[[ops.Relation], bool]
    lists: dict[Listed, set[ops.Node]] = field(default_factory=dict)  # where each list stands
    _charges: dict[ops.Node, Charge] = field(default_factory=dict)
    _folds: dict[ops.Node, int] = field(default_factory=dict)

    @property
    def parts(self) -> Mapping[ops.Node, Traced]:
        return self.grades.parts

    def condition(self, node: ops.Value) -> Charge:
        """What a condition says that must hold. Raises Refusal."""
        return merged([self.of(node), {Condition(node, self.sides.leaves_out(node)): 0}])

    def conditions(
        self, nodes: Iterable[ops.Value], known: Callable[[ops.Value], bool] | None = None
    ) -> Iterable[Charge]:
        """What conditions say that must all hold; `known` tells those that everybody counted meets anyway."""
        for node in nodes:
            yield self.condition(node)
            if self.sides.hides_alternatives(node) and not (known and known(node)):
                yield {("turned", node): APART}

    def of(self, node: ops.Value) -> Charge:
        """What `node` and all that it is worked out from say. Raises Refusal."""
        if node not in self._charges:
            self._charges[node] = self._least(node)
        return self._charges[node]

    def _least(self, node: ops.Value) -> Charge:
        """By its list of labels or by how it is written, whichever says less: both name the same people."""
        if isinstance(node, ops.Field):
            return self._column(node)
        listed = self._by_labels(node)
        if listed is None:
            return self._written(node)
        try:
            written = self._written(node)
        except Refusal:
            return listed
        return min(listed, written, key=lambda charge: sum(charge.values()))

    def _column(self, node: ops.Field) -> Charge:
        """Counted where it is made; what a table of one's own says of codes is a list."""
        if not self._from_brought(node):
            return NOTHING
        listed = self._by_labels(node)
        if listed is None and not node.dtype.is_string():
            raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="a table of your own is joined as it is")
        return listed or NOTHING

    def _from_brought(self, node: ops.Field) -> bool:
        while True:
            if self.is_brought(node.rel):
                return True
            below = sources(node)
            if isinstance(node.rel, ops.Set) or not below or not isinstance(below[0], ops.Field):
                return False
            node = below[0]

    # -- by labels ------------------------------------------------------------------------------------------

    def _by_labels(self, node: ops.Value) -> Charge | None:
        fact = self._fact(node)
        if not isinstance(fact, Closed) or isinstance(node, ops.Literal) or fact.base == node:
            return None
        grade = self.grades.of(fact)
        if node.dtype.is_boolean():
            own = self.noted(node, chosen(fact, grade, self.grades, lambda label: label is True))
        else:
            own = told_apart(fact, grade, self.grades)
        made = fact.base if isinstance(fact.base, ops.Value) and fact.base in self.parts else None
        return own if made is None else merged([own, self.of(made)])

    def noted(self, node: ops.Node, charge: Charge) -> Charge:
        """`charge`, with the place where its list stands."""
        for key in charge:
            if isinstance(key, Listed):
                self.lists.setdefault(key, set()).add(node)
        return charge

    def _fact(self, node: ops.Node) -> Fact | None:
        traced = self.parts.get(node)
        return traced.fact if traced is not None else None

    # -- as it is written -----------------------------------------------------------------------------------

    def _written(self, node: ops.Value) -> Charge:
        if self._folded(node) > MAX_FOLDS:
            raise Refusal(
                ErrorCode.NOT_PUBLISHABLE, why="a formula that comes back to the same value too often"
            )
        if is_banding(node):
            return self.of(node.cases[0].left)
        return merged([self._own(node), self._computed(node), *self._below(node)])

    def _computed(self, node: ops.Value) -> Charge:
        """Where labels become numbers to compute with, each counts: what they were can no longer be seen."""
        compared = (*BOUNDS, *_POINTS, ops.Between, ops.InValues, ops.Not, *_CONNECTIVES)
        if type(node) in compared or (isinstance(self._fact(node), Closed) and not node.dtype.is_boolean()):
            return NOTHING
        children = [child for child in value_children(node) if not child.dtype.is_boolean()]
        return {("computed", node): sum(map(self._weighed, children))}

    def _below(self, node: ops.Value) -> Iterable[Charge]:
        """What the arguments say; the conditions of a `where=` all hold."""
        where = getattr(node, "where", None) if type(node) in _REDUCTIONS else None
        yield from (self.of(child) for child in value_children(node) if child is not where)
        if where is not None:
            yield from self.conditions(conjuncts([where]))

    def _own(self, node: ops.Value) -> Charge:
        match node:
            case ops.Between():
                return self._cuts(node, node.arg, (node.lower_bound, node.upper_bound))
            case ops.InValues():
                return self._points(node, node.value, node.options)
            case _ if type(node) in BOUNDS:
                return self._compared(node, self._cuts)
            case _ if type(node) in _POINTS:
                return self._compared(node, self._points)
            case ops.And() if any(map(self.sides.hides_alternatives, (node.left, node.right))):
                return {node: APART}
            case _ if type(node) in _CONNECTIVES:
                return {node: _CONNECTIVES[type(node)]}
            case _ if type(node) in _CHOICES:
                return self._choice(node)
            case _ if type(node) in _ALTERNATIVES:
                others = [arg for arg in node.arg if not is_constant(arg)]
                return {node: APART * (len(others) - 1) + STEP * (len(node.arg) - len(others))}
            case _ if self._adds_switches(node):
                return {Switched(node): APART * (len(list(value_children(node))) - 1)}
            case _ if type(node) in (*_ARITHMETIC, *_SHIFTS, *_STEPS):
                return {node: STEP}
            case ops.NullIf():
                return {node: APART}
            case _ if type(node) in _REDUCTIONS:
                return NOTHING
            case ops.Cast() | ops.TryCast():
                return self._cast(node)
            case ops.Strftime() if "%d" not in _text(node.format_str):
                return NOTHING
            case _ if type(node) in _FREE:
                return NOTHING
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, operation=type(node).__name__)

    def _adds_switches(self, node: ops.Value) -> bool:
        """Whether numbers are put together of which one at least tells that a condition holds."""
        parts = [x for x in value_children(node) if not is_constant(x) and not self.sides.is_listed(x)]
        together = type(node) in (*_ARITHMETIC, *_SHIFTS, ops.DateDelta, ops.Clip)
        return together and len(parts) > 1 and any(map(self.sides.is_switch, parts))

    def _compared(self, node: Any, charge: Callable[..., Charge]) -> Charge:
        left, right = node.left, node.right
        if is_constant(left):
            left, right = right, left
        return charge(node, left, (right,))

    def _cuts(self, node: ops.Value, arg: ops.Value, limits: Iterable[ops.Value]) -> Charge:
        return merged(self._limit(node, arg, limit, BOUND) for limit in limits)

    def _points(self, node: ops.Value, arg: ops.Value, options: Iterable[ops.Value]) -> Charge:
        """Each run of values is cut out at both ends, and each further one lies apart."""
        options = tuple(options)
        if isinstance(self._fact(arg), Opaque):
            return {Condition(node): 0}
        if not all(is_constant(option) for option in options):
            return merged(self._limit(node, arg, option, APART) for option in options)
        found = {option.value for option in options if isinstance(option, ops.Literal)}
        runs = consecutive(found) if all(isinstance(o, ops.Literal) for o in options) else len(options)
        return {("points", frozenset(options)): APART * runs - BOUND}

    def _limit(self, node: ops.Value, arg: ops.Value, limit: ops.Value, weight: int) -> Charge:
        if is_constant(limit):
            return {("cut", limit): weight}
        tables = sum(map(self._weighed, (arg, limit)))
        own = APART if arg.dtype.is_boolean() or all(map(self.sides.is_switch, (arg, limit))) else BOUND
        return {(node, limit): weight * (1 + tables) if tables else own}

    def _weighed(self, node: ops.Value) -> int:
        fact = self._fact(node)
        if not isinstance(fact, Closed) or is_constant(node):
            return 0
        return weighed(fact, self.grades.of(fact))

    def _is_table(self, node: ops.Value) -> bool:
        """Whether its numbers stand in the question, one for each code or class."""
        fact = self._fact(node)
        return isinstance(fact, Closed) and self.grades.of(fact) is not Grade.DAYS

    def _choice(self, node: Any) -> Charge:
        if isinstance(node, ops.IfElse):
            outcomes, branches = (node.true_expr, node.false_null_expr), 1
        else:
            outcomes, branches = (*node.results, node.default), len(node.cases)
        made = sum(not is_constant(outcome) for outcome in outcomes)
        points = len(node.cases) * APART if isinstance(node, ops.SimpleCase) else 0
        return {node: APART * (branches - 1 + made) + points}

    def _cast(self, node: Any) -> Charge:
        """Only what neither rounds a number nor makes text of it."""
        source, to = node.arg.dtype, node.to
        if is_constant(node) or _kind(source) == _kind(to) or (source.is_boolean() and to.is_numeric()):
            return NOTHING
        if source.is_integer() and to.is_floating():
            return NOTHING
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, operation=type(node).__name__)

    # -- folds ----------------------------------------------------------------------------------------------

    def _folded(self, node: ops.Value) -> int:
        """How often the value may come back: the degree, for a polynomial."""
        if node not in self._folds:
            self._folds[node] = self._folds_of(node)
        return self._folds[node]

    def _folds_of(self, node: ops.Value) -> int:
        if is_constant(node) or not (node.dtype.is_numeric() or node.dtype.is_temporal()):
            return 0 if is_constant(node) else 1
        if self._is_table(node) and self.grades.of(self.parts[node].fact) is Grade.CODES:  # type: ignore[arg-type]
            return 0
        if isinstance(node, ops.Field):
            return max((self._folded(source) for source in sources(node)), default=1)
        below = [self._folded(child) for child in value_children(node)]
        match node:
            case ops.Power(_, ops.Literal(value)) if isinstance(value, int | float):
                return below[0] * max(1, -int(-abs(value) // 1))
            case ops.Multiply() | ops.Divide() | ops.Greatest() | ops.Least() | ops.IfElse():
                return max(1, sum(below))
            case ops.SearchedCase() | ops.SimpleCase():
                return max(1, sum(below))
            case _ if isinstance(node, _FOLDS):
                return 2 * max(below, default=1)
        return max(below, default=1)


def is_banding(node: ops.Value) -> bool:
    """Classes of one value by cuts in their order, each with a label of its own."""
    if not isinstance(node, ops.SearchedCase):
        return False
    labels = [outcome.value for outcome in (*node.results, node.default) if isinstance(outcome, ops.Literal)]
    if len(labels) != len(node.results) + 1 or len(set(labels)) < len(labels):
        return False
    cases = node.cases[:-1] if isinstance(node.cases[-1], ops.NotNull) else node.cases
    cuts = [(type(case), case.left, case.right) for case in cases if isinstance(case, BOUNDS)]
    if len(cuts) < len(cases) or len({(kind, value) for kind, value, _ in cuts}) != 1:
        return False
    ends = [end.value for _, _, end in cuts if isinstance(end, ops.Literal) and end.value is not None]
    rising = cuts[0][0] in (ops.Less, ops.LessEqual)
    return len(ends) == len(cuts) and ends == sorted(set(ends), reverse=not rising)


def merged(charges: Iterable[Charge]) -> Charge:
    """All that was said, once each."""
    found: dict[Any, int] = {}
    for charge in charges:
        for key, weight in charge.items():
            found[key] = max(found.get(key, 0), weight)
    return found


def _kind(dtype: dt.DataType) -> str:
    for kind in ("boolean", "integer", "floating", "string", "date"):
        if getattr(dtype, f"is_{kind}")():
            return kind
    return str(dtype.name)


def _text(node: ops.Value) -> str:
    written = node.value if isinstance(node, ops.Literal) else None
    return written if isinstance(written, str) else "%d"
