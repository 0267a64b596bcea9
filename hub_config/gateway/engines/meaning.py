"""What means the same on an engine elsewhere as in DuckDB, and so may be worked out there. Pure.

Only what can't fail is ever sent: comparisons of like with like, whole numbers widened, classes, counts, the
rows that another table chooses. All else (division, casts of text, patterns, windows, the tables people
bring, pseudonyms, which need a key) is worked out in the gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from hub_config.gateway.engines.port import TEMPORARY, WAREHOUSE

_FAMILIES: Final = (
    dt.DataType.is_integer,
    dt.DataType.is_string,
    dt.DataType.is_date,
    dt.DataType.is_timestamp,
    dt.DataType.is_boolean,
    dt.DataType.is_floating,
)
_COMPARISONS: Final = (
    ops.Equals,
    ops.NotEquals,
    ops.Less,
    ops.LessEqual,
    ops.Greater,
    ops.GreaterEqual,
)
_EXACT: Final = 2**53  # whole numbers below are floats, exactly


@dataclass(frozen=True)
class Meaning:
    """The operations that mean on an engine what they mean in DuckDB, for every value that a warehouse can
    hold. `joins` are the kinds of joins that only choose rows of the left side; `small` those that may be
    made with a table of the session, besides; `places` says that `md5` of a text is one, in hexadecimal: an
    order needs not be DuckDB's; `uploads` that tables of the session reach it as rows and never as SQL: else
    what names one is worked out here."""

    relations: frozenset[type[ops.Node]]
    values: frozenset[type[ops.Node]]
    joins: frozenset[str] = frozenset({"semi", "anti"})
    small: frozenset[str] = frozenset({"inner", "left"})
    places: bool = True
    uploads: bool = True


SAFE: Final = Meaning(
    relations=frozenset({ops.UnboundTable, ops.Project, ops.Filter, ops.JoinChain, ops.Aggregate}),
    values=frozenset(
        {
            ops.Field, ops.Literal, *_COMPARISONS, ops.Between, ops.InValues, ops.IsNull, ops.NotNull,
            ops.And, ops.Or, ops.Not, ops.Cast, ops.Coalesce, ops.IfElse, ops.SearchedCase,
            ops.CountStar, ops.Count, ops.Min, ops.Max,
        }
    ),
)  # fmt: skip


@dataclass
class Judge:
    """Says of relations whether the engine may work out all of them."""

    means: Meaning
    _known: dict[ops.Relation, bool] = field(default_factory=dict)

    def is_meant(self, node: ops.Relation) -> bool:
        if node not in self._known:
            self._known[node] = type(node) in self.means.relations and self._judged(node)
        return self._known[node]

    def _judged(self, node: ops.Relation) -> bool:
        match node:
            case ops.UnboundTable():
                where = node.namespace.catalog
                return where == WAREHOUSE or (where == TEMPORARY and self.means.uploads)
            case ops.Project():
                return self.is_meant(node.parent) and self._all(node.values.values())
            case ops.Filter():
                return self.is_meant(node.parent) and self._all(node.predicates)
            case ops.JoinChain():
                return self._is_choice(node)
            case ops.Aggregate():
                return self.is_meant(node.parent) and self._is_counted(node)
            case _:
                return False

    def _is_choice(self, node: ops.JoinChain) -> bool:
        """Whether its joins choose rows of the first table, or put beside them what is small."""
        predicates = [predicate for link in node.rest for predicate in link.predicates]
        return (
            all(self._is_joined(link) for link in node.rest)
            and self._all((*predicates, *node.values.values()))
            and all(self.is_meant(side.parent) for side in (node.first, *(link.table for link in node.rest)))
        )

    def _is_joined(self, link: ops.JoinLink) -> bool:
        """By columns that are equal, whatever else is asked: nothing is compared with everything."""
        tables = link.table.parent.find(ops.UnboundTable)
        is_small = all(table.namespace.catalog == TEMPORARY for table in tables)
        how = self.means.joins | (self.means.small if is_small else frozenset())
        return link.how in how and any(isinstance(predicate, ops.Equals) for predicate in link.predicates)

    def _is_counted(self, node: ops.Aggregate) -> bool:
        """Whether it reduces, by columns, to what no order, rounding or overflow can change."""
        groups = node.groups.values()
        by_columns = (
            bool(groups) and all(isinstance(group, ops.Field) for group in groups) and self._all(groups)
        )
        return by_columns and all(self._is_a_count(metric) for metric in node.metrics.values())

    def _is_a_count(self, metric: ops.Value) -> bool:
        if type(metric) not in self.means.values or not isinstance(metric, ops.Reduction):
            return False
        where = metric.where
        if where is not None and not value_is_meant(where, self.means):
            return False
        if isinstance(metric, ops.CountStar):
            return True
        argument = metric.arg
        if not isinstance(argument, ops.Field) or not value_is_meant(argument, self.means):
            return False
        return isinstance(metric, ops.Count) or argument.dtype.is_integer() or argument.dtype.is_date()

    def _all(self, values: Iterable[ops.Value]) -> bool:
        return all(value_is_meant(value, self.means) for value in values)


def value_is_meant(value: ops.Value, means: Meaning) -> bool:
    """Whether it can be worked out row by row, without failing, to the same value."""
    if type(value) not in means.values or isinstance(value, ops.Reduction):
        return False
    operands = list(_operands(value))
    match value:
        case ops.Field():
            return _family(value.dtype) is not None
        case ops.Literal():
            return _is_plain(value)
        case ops.Cast() if not _widens(value.arg.dtype, value.to):
            return False
        case ops.Coalesce() | ops.Between() | ops.InValues() if not _alike(operands):
            return False
        case ops.IfElse() if not _alike((value.true_expr, value.false_null_expr)):
            return False
        case ops.SearchedCase() if not _alike((*value.results, value.default)):
            return False
        case _ if isinstance(value, _COMPARISONS) and not _alike(operands):
            return False
        case _:
            return all(value_is_meant(operand, means) for operand in operands)


def _operands(node: ops.Node) -> Iterable[ops.Value]:
    """The values that `node` is made of, in tuples, too."""
    for argument in node.args:
        for each in argument if isinstance(argument, tuple) else (argument,):
            if isinstance(each, ops.Value):
                yield each


def _family(dtype: dt.DataType) -> Callable[[dt.DataType], bool] | None:
    return next((family for family in _FAMILIES if family(dtype)), None)


def _alike(values: Iterable[ops.Value]) -> bool:
    """Of one kind, so that no engine converts one to compare it. A small whole number that was written is as
    good as a float."""
    families = {_family(value.dtype) for value in values if not _is_small(value)}
    if len(families) != 1 or None in families:
        return len(families) == 0
    return families <= {dt.DataType.is_floating, dt.DataType.is_integer} or not any(map(_is_small, values))


def _is_small(value: ops.Value) -> bool:
    return isinstance(value, ops.Literal) and value.dtype.is_integer() and abs(value.value or 0) < _EXACT


def _is_plain(literal: ops.Literal) -> bool:
    value, dtype = literal.value, literal.dtype
    if value is None:
        return _family(dtype) is not None
    if dtype.is_string():
        # No engine takes a zero or half a character; and one puts its own settings in the place of ${…}.
        return bool(value.isprintable()) and "${" not in value
    if dtype.is_floating():
        return bool(abs(value) < float("inf"))
    return bool(dtype.is_integer() or dtype.is_date() or dtype.is_boolean())


def _widens(given: dt.DataType, to: dt.DataType) -> bool:
    """Whether the cast changes no value."""
    if given.is_integer() and to.is_integer():
        return bool(given.is_signed_integer() and to.is_signed_integer() and to.nbytes >= given.nbytes)
    return bool(given.copy(nullable=True) == to.copy(nullable=True))
