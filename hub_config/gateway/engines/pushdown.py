"""Which part of a question an engine elsewhere works out, and what is left for the gateway. Pure.

`parted` first lets conditions sink towards the stored tables, then takes out the largest parts of the tree
that mean the same on the engine (`Meaning`): each becomes a fragment, narrowed to the columns that what is
left reads. Only what can't fail is ever sent: comparisons, whole-number widening, counts. All else (division,
casts of text, patterns, windows, the tables people bring, pseudonyms, which need a key) is worked out here,
hardened as ever. So a question means the same on every engine by construction; engines differ in speed only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.engines.port import TEMPORARY, WAREHOUSE

T = TypeVar("T")

FETCHED: Final = "__fetched_"
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
_SETTING_APART: Final = frozenset({"semi", "anti"})


@dataclass(frozen=True)
class Meaning:
    """The operations that mean on an engine what they mean in DuckDB, for every value that a warehouse can
    hold. `joins` are the kinds of joins that only choose rows of the left side."""

    relations: frozenset[type[ops.Node]]
    values: frozenset[type[ops.Node]]
    joins: frozenset[str] = _SETTING_APART


SAFE: Final = Meaning(
    relations=frozenset({ops.UnboundTable, ops.Project, ops.Filter, ops.JoinChain, ops.Aggregate}),
    values=frozenset(
        {
            ops.Field, ops.Literal, *_COMPARISONS, ops.Between, ops.InValues, ops.IsNull, ops.NotNull,
            ops.And, ops.Or, ops.Not, ops.Cast, ops.CountStar, ops.Count, ops.Min, ops.Max,
        }
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Fragment:
    """What is fetched, under which name, and by how many parts of what is left it is read."""

    name: str
    rows: ibis.Table
    readers: int


@dataclass(frozen=True)
class Parted:
    rest: ibis.Table
    fragments: tuple[Fragment, ...]


def parted(
    expression: ibis.Table, bound: Mapping[str, ibis.Table], means: Meaning, catalog: str, first: int = 0
) -> Parted:
    """`expression` with its `bound` tables written out, in two. Fetched rows are named in `catalog`, numbered
    from `first`."""
    tree = _sunk(_written_out(expression.as_table().op(), bound), means)
    asked = _Asked.of(tree, means)
    fragments, local = [], {}
    for number, (relation, columns) in enumerate(asked.parts.items(), start=first):
        narrow = _narrowed(relation, columns)
        name = f"{FETCHED}{number}"
        fragments.append(Fragment(name, narrow.to_expr(), asked.readers.get(relation, 1)))
        local[relation] = ibis.table(narrow.schema, name=name, catalog=catalog, database="main").op()
    return Parted(_rebuilt(tree, local, asked.needed).to_expr(), tuple(fragments))


def _written_out(tree: ops.Relation, bound: Mapping[str, ibis.Table]) -> ops.Relation:
    named = {node: bound[node.name].op() for node in tree.find(ops.UnboundTable) if _is_bound(node, bound)}
    whole: ops.Relation = named[tree] if tree in named else tree.replace(named)
    return whole


def _is_bound(node: ops.UnboundTable, bound: Mapping[str, ibis.Table]) -> bool:
    return node.namespace.catalog == TEMPORARY and node.name in bound


def _narrowed(relation: ops.Relation, columns: Iterable[str]) -> ops.Relation:
    wanted = set(columns)
    kept = [name for name in relation.schema if name in wanted] or list(relation.schema)[:1]
    if kept == list(relation.schema):
        return relation
    return ops.Project(relation, FrozenOrderedDict({name: ops.Field(relation, name) for name in kept}))


# --- what means the same -----------------------------------------------------------------------------------


@dataclass
class _Judge:
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
                return node.namespace.catalog in (WAREHOUSE, TEMPORARY)
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
        """Whether its joins only choose rows of the first table, by columns that are equal."""
        predicates = [predicate for link in node.rest for predicate in link.predicates]
        return (
            all(link.how in self.means.joins for link in node.rest)
            and all(isinstance(predicate, ops.Equals) for predicate in predicates)
            and self._all((*predicates, *node.values.values()))
            and all(self.is_meant(side.parent) for side in (node.first, *(link.table for link in node.rest)))
        )

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
    operands = [operand for operand in _operands(value) if operand is not value]
    match value:
        case ops.Field():
            return _family(value.dtype) is not None
        case ops.Literal():
            return _is_plain(value)
        case ops.Cast() if not _widens(value.arg.dtype, value.to):
            return False
        case (
            ops.Equals() | ops.NotEquals() | ops.Less() | ops.LessEqual() | ops.Greater() | ops.GreaterEqual()
        ):
            if not _alike(operands):
                return False
        case ops.Between() | ops.InValues() if not _alike(operands):
            return False
        case _:
            pass
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
        return False
    if dtype.is_string():
        return "\0" not in value
    if dtype.is_floating():
        return bool(abs(value) < float("inf"))
    return bool(dtype.is_integer() or dtype.is_date() or dtype.is_boolean())


def _widens(given: dt.DataType, to: dt.DataType) -> bool:
    """Whether the cast changes no value."""
    if given.is_integer() and to.is_integer():
        return bool(given.is_signed_integer() and to.is_signed_integer() and to.nbytes >= given.nbytes)
    return bool(given.copy(nullable=True) == to.copy(nullable=True))


# --- conditions sink ---------------------------------------------------------------------------------------


def _sunk(tree: ops.Relation, means: Meaning) -> ops.Relation:
    """The same rows, conditions that the engine may work out as near to the tables as they go."""

    def sink(node: ops.Node, kwargs: Mapping[str, Any] | None) -> ops.Node:
        new = node.__recreate__(kwargs) if kwargs else node
        return _filtered(new.parent, new.predicates, means) if isinstance(new, ops.Filter) else new

    sunk: ops.Relation = tree.replace(sink)
    return sunk


def _filtered(parent: ops.Relation, predicates: Iterable[ops.Value], means: Meaning) -> ops.Relation:
    """`parent` with these conditions: below what only renames, beside those that stay."""
    if isinstance(parent, ops.Filter):
        staying = [p for p in predicates if not value_is_meant(p, means)]
        moved = [p for p in predicates if value_is_meant(p, means)]
        if moved:
            inner = _filtered(parent.parent, [_moved(p, parent, parent.parent) for p in moved], means)
            own = [_moved(p, parent.parent, inner) for p in parent.predicates]
            beneath = ops.Filter(inner, tuple(own))
            return _under(beneath, [_moved(p, parent, beneath) for p in staying])
    if isinstance(parent, ops.Project) and not any(map(_looks_around, parent.values.values())):
        fields = {ops.Field(parent, name): value for name, value in parent.values.items()}
        below = {p: p.replace(fields, filter=ops.Value) for p in predicates}
        moved = [new for new in below.values() if value_is_meant(new, means)]
        if moved:
            inner = _filtered(parent.parent, moved, means)
            values = {name: _moved(v, parent.parent, inner) for name, v in parent.values.items()}
            beneath = ops.Project(inner, FrozenOrderedDict(values))
            staying = [p for p, new in below.items() if not value_is_meant(new, means)]
            return _under(beneath, [_moved(p, parent, beneath) for p in staying])
    return _under(parent, list(predicates))


def _under(parent: ops.Relation, predicates: list[ops.Value]) -> ops.Relation:
    return ops.Filter(parent, tuple(predicates)) if predicates else parent


def _looks_around(value: ops.Value) -> bool:
    """Whether it depends on other rows: a condition may not pass it by."""
    beyond = (ops.WindowFunction, ops.Analytic, ops.Reduction, ops.Subquery, ops.Impure)
    return bool(value.find(beyond, filter=ops.Value))


def _moved(value: ops.Value, before: ops.Relation, now: ops.Relation) -> ops.Value:
    """`value`, of the columns of `now` instead of `before`, which has the same."""
    same = {ops.Field(before, name): ops.Field(now, name) for name in before.schema}
    moved: ops.Value = value.replace(same, filter=ops.Value)
    return moved


# --- what is left reads ------------------------------------------------------------------------------------


@dataclass
class _Asked:
    """The largest parts that the engine works out, with the columns that are read of them, and how often."""

    judge: _Judge
    parts: dict[ops.Relation, set[str]] = field(default_factory=dict)
    readers: dict[ops.Relation, int] = field(default_factory=dict)
    needed: dict[ops.Relation, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: ops.Relation, means: Meaning) -> _Asked:
        asked = cls(_Judge(means))
        asked._need(tree, tree.schema)
        for node in reversed(_in_order(tree, asked._beneath)):
            columns = asked.needed[node]
            if not columns:
                columns.add(next(iter(node.schema)))  # rows are counted, nothing is read: any will do
            if asked.judge.is_meant(node):
                asked.parts[node] = columns
            else:
                asked._read(node, columns)
        return asked

    def _beneath(self, node: ops.Relation) -> list[ops.Relation]:
        return [] if self.judge.is_meant(node) else _below(node)

    def _need(self, relation: ops.Relation, columns: Iterable[str]) -> None:
        self.needed.setdefault(relation, set()).update(columns)

    def _read(self, node: ops.Relation, columns: set[str]) -> None:
        """Note which columns of the relations below `node` it reads."""
        for below in _below(node):
            self.readers[below] = self.readers.get(below, 0) + 1
            self._need(below, _passed_on(node, below, columns))
        for value in _inside(_kept(node, columns)):
            if isinstance(value, ops.Field):
                self._need(value.rel, (value.name,))
            elif isinstance(value, ops.CountDistinctStar):
                self._need(value.arg, value.arg.schema)


def _passed_on(node: ops.Relation, below: ops.Relation, columns: set[str]) -> Iterable[str]:
    """Columns of `below` that `node` has as they are, or may look at without naming them."""
    match node:
        case ops.JoinChain() if isinstance(below, ops.JoinReference):
            return ()
        case ops.Project() | ops.Aggregate() if below is node.parent:
            return ()
        case ops.Filter() | ops.Sort() | ops.Limit() | ops.JoinReference() if below is node.parent:
            return columns
        case _:
            return tuple(below.schema)


def _kept(node: ops.Node, columns: Iterable[str] | None) -> dict[str, Any]:
    """The arguments of `node`, of what it works out only `columns`."""
    kept = dict(zip(node.__argnames__, node.args, strict=True))
    if columns is not None and isinstance(node, ops.Project | ops.JoinChain):
        wanted = set(columns)
        kept["values"] = FrozenOrderedDict({n: v for n, v in node.values.items() if n in wanted})
    return kept


def _nodes(argument: Any) -> list[ops.Node]:
    """The nodes that one argument, or several, consist of."""
    match argument:
        case ops.Node():
            return [argument]
        case tuple() | list():
            return [node for each in argument for node in _nodes(each)]
        case Mapping():
            return [node for each in argument.values() for node in _nodes(each)]
        case _:
            return []


def _inside(arguments: Mapping[str, Any]) -> Iterator[ops.Node]:
    """All that arguments are made of, down to the first relations and not beyond."""
    waiting, seen = _nodes(arguments), set()
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            yield node
            if not isinstance(node, ops.Relation):
                waiting += _nodes(node.args)


def _below(node: ops.Relation) -> list[ops.Relation]:
    """The relations that `node` reads, in values and subqueries, too."""
    found = (each for each in _inside(_kept(node, None)) if isinstance(each, ops.Relation))
    return list(dict.fromkeys(found))


def _in_order(root: T, below: Callable[[T], Iterable[T]]) -> list[T]:
    """What stands below `root` and itself, each after all that is below it."""
    order: dict[T, None] = {}
    waiting = [root]
    while waiting:
        missing = [each for each in below(waiting[-1]) if each not in order]
        if missing:
            waiting += missing
        else:
            order[waiting.pop()] = None
    return list(order)


def _rebuilt(
    tree: ops.Relation, local: Mapping[ops.Relation, ops.Relation], needed: Mapping[ops.Relation, set[str]]
) -> ops.Relation:
    """`tree` over what was fetched, without the columns that nobody reads."""

    def kept(node: ops.Node) -> dict[str, Any]:
        return {} if node in local else _kept(node, needed.get(node))

    made: dict[ops.Node, ops.Node] = dict(local)
    for node in _in_order(tree, lambda node: _nodes(kept(node))):
        if node not in made:
            made[node] = node.__recreate__({name: _with(each, made) for name, each in kept(node).items()})
    whole: ops.Relation = made[tree]
    return whole


def _with(argument: Any, made: Mapping[ops.Node, ops.Node]) -> Any:
    match argument:
        case ops.Node():
            return made[argument]
        case tuple() | list():
            return tuple(_with(each, made) for each in argument)
        case Mapping():
            return FrozenOrderedDict({name: _with(each, made) for name, each in argument.items()})
        case _:
            return argument
