"""Rows in the project's order, from the snapshot's own file, and more of them than memory holds. Pure.

What a question asks for is worked out first, each row with the place of its patient in the project's order,
and put in that order last: columns and rows that nobody asked for are never sorted. The places are a keyed
hash, so they part the patients into as many turns as are wanted, evenly and in order: the rows of each turn
sorted by themselves, one turn after the other, are all rows in order.

A question asked again has the same order. Rows of one patient are as they are stored; those that a join
makes of one row are told apart by what they say.

So it is where each row that is shown comes of one row of a table of patients, or of several that it sums up,
and where nothing in the question depends on an order that it does not name itself. All else is worked out
over tables that were put in order before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.engines.port import temporary

IN_ORDER: Final = "__in_order"  # of the name of a table that was put in order
PLACED: Final = "__placed"  # of one whose rows have their places
IN_TURN: Final = "__in_turn"  # of one that has those of the patients whose turn it is, alone
PLACE: Final = "__place"
PLACES: Final = dt.Decimal(38, 0)

_BESIDE: Final = frozenset({"inner", "left", "semi", "anti"})
_SEVERAL: Final = (ops.Aggregate, ops.Distinct)  # of which a row may be of several patients
_ALONE: Final = (ops.Project, ops.Filter, ops.JoinReference, ops.SelfReference, ops.DropColumns)
_LOOKING: Final = (ops.Field, ops.CountStar)  # at the relation that its reader reads
_UNORDERED: Final = (
    *_ALONE,
    *_SEVERAL,
    ops.JoinChain,
    ops.DropNull,
    ops.FillNull,
    ops.Union,
    ops.Intersection,
    ops.Difference,
    ops.UnboundTable,
    ops.InMemoryTable,
    ops.DummyTable,
)
_UNORDERED_REDUCTIONS: Final = (
    ops.CountStar,
    ops.Count,
    ops.CountDistinct,
    ops.CountDistinctStar,
    ops.Sum,
    ops.Mean,
    ops.Median,
    ops.Quantile,
    ops.StandardDev,
    ops.Variance,
    ops.Correlation,
    ops.Covariance,
    ops.Min,
    ops.Max,
    ops.Any,
    ops.All,
)


@dataclass(frozen=True)
class Placed:
    """`rows` in order; `unsorted` are the same, for counting.
    `in_turns` says whether those of a turn may come by themselves. `among` is a table that has no fewer rows,
    where one is known; `of` is the one whose rows they are."""

    rows: ibis.Table
    unsorted: ibis.Table
    in_turns: bool
    of: str
    among: str | None


def placed(shown: ibis.Table, read: str = PLACED) -> Placed | None:
    """`shown`, a question over tables `IN_ORDER`, as one over a table that is `read` with places, if it can
    be."""
    limit, sort, tree = _taken_off(shown.op())
    spine = list(_spine(tree))
    leaf = spine[-1]
    if not (_is_ordered(leaf) and _is_unordered(tree) and _is_read_once(tree, spine)):
        return None
    carried = _carried(tree, frozenset(spine), leaf, read).to_expr()
    keys = [] if sort is None else [_moved(key, sort.parent, carried.op()) for key in sort.keys]
    joined = any(isinstance(each, ops.JoinChain) for each in spine)
    ties = (PLACE, *tree.schema.names) if joined else (PLACE,)
    rows = _sorted(carried.op(), keys, ties).select(*tree.schema.names)
    if limit is not None:
        rows = rows.limit(limit.n, offset=limit.offset)
    alone = not any(isinstance(each, _SEVERAL) for each in spine)
    in_turns = alone and limit is None and sort is None
    return Placed(rows, carried, in_turns, _plain(leaf), None if joined else _plain(leaf))


def _taken_off(tree: ops.Relation) -> tuple[ops.Limit | None, ops.Sort | None, ops.Relation]:
    """What is asked for last, if it is: so many rows, in an order of the question's own."""
    limit = tree if isinstance(tree, ops.Limit) else None
    below = tree if limit is None else limit.parent
    sort = below if isinstance(below, ops.Sort) else None
    return limit, sort, below if sort is None else sort.parent


def _spine(relation: ops.Relation) -> Iterator[ops.Relation]:
    """From `relation` down to the table whose rows it shows or sums up."""
    yield relation
    match relation:
        case ops.Relation() if isinstance(relation, (*_ALONE, *_SEVERAL)):
            yield from _spine(relation.parent)
        case ops.JoinChain() if all(link.how in _BESIDE for link in relation.rest):
            yield from _spine(relation.first)
        case ops.DropNull(how="any"):
            yield from _spine(relation.parent)
        case ops.FillNull() if isinstance(relation.replacements, Mapping):
            yield from _spine(relation.parent)
        case _:
            return


def _is_ordered(leaf: ops.Relation) -> bool:
    return isinstance(leaf, ops.UnboundTable) and leaf.name.endswith(IN_ORDER)


def _is_unordered(tree: ops.Relation) -> bool:
    """Whether it means the same in whatever order tables are read. A column may not be called as a place."""
    return (
        all(isinstance(each, _UNORDERED) and PLACE not in each.schema for each in tree.find(ops.Relation))
        and all(isinstance(each, _UNORDERED_REDUCTIONS) for each in tree.find(ops.Reduction))
        and not tree.find((ops.WindowFunction, ops.Analytic))
    )


def _is_read_once(tree: ops.Relation, spine: list[ops.Relation]) -> bool:
    """A column and a number of rows are not told by another column."""
    readers = [set(node.__children__) for node in tree.find(ops.Node) if not isinstance(node, _LOOKING)]
    return all(sum(each in children for children in readers) == 1 for each in spine[1:])


def _carried(
    tree: ops.Relation, spine: frozenset[ops.Relation], leaf: ops.Relation, read: str
) -> ops.Relation:
    """`tree` with the places of its rows in a column of their own."""

    def carry(node: ops.Node, kwargs: Mapping[str, Any] | None) -> ops.Node:
        if node == leaf:
            return temporary(_plain(leaf) + read, {**dict(leaf.schema), PLACE: PLACES}).op()
        if isinstance(node, ops.UnboundTable) and node.name.endswith(IN_ORDER):
            return temporary(_plain(node), dict(node.schema)).op()
        new = node.__recreate__(kwargs) if kwargs else node
        return _with_place(new) if node in spine else new

    carried: ops.Relation = tree.replace(carry)
    return carried


def _plain(table: ops.UnboundTable) -> str:
    return str(table.name).removesuffix(IN_ORDER)


def _with_place(node: ops.Relation) -> ops.Relation:
    match node:
        case ops.Project():
            return node.copy(values=_and(node.values, ops.Field(node.parent, PLACE)))
        case ops.JoinChain():
            return node.copy(values=_and(node.values, ops.Field(node.first, PLACE)))
        case ops.Aggregate():
            return node.copy(metrics=_and(node.metrics, ops.Min(ops.Field(node.parent, PLACE))))
        case ops.Distinct():
            columns = {name: ops.Field(node.parent, name) for name in node.schema if name != PLACE}
            first = {PLACE: ops.Min(ops.Field(node.parent, PLACE))}
            return ops.Aggregate(node.parent, FrozenOrderedDict(columns), FrozenOrderedDict(first))
        case _:
            return node


def _and(values: Mapping[str, ops.Value], place: ops.Value) -> FrozenOrderedDict[str, ops.Value]:
    return FrozenOrderedDict({**values, PLACE: place})


def _moved(key: ops.SortKey, parent: ops.Relation, to: ops.Relation) -> ops.SortKey:
    """The same key, over another relation that has its columns."""
    moved: ops.SortKey = key.replace({parent: to})
    return moved


def _sorted(rows: ops.Relation, keys: Sequence[ops.SortKey], ties: Iterable[str]) -> ibis.Table:
    """By the question's keys, then by these columns: one may be a key, and `order_by` takes none twice."""
    last = (ops.SortKey(ops.Field(rows, name)) for name in ties)
    table: ibis.Table = ops.Sort(rows, (*keys, *last)).to_expr()
    return table
