"""Which part of a question an engine elsewhere works out, and what is left for the gateway. Pure.

`parted` first lets conditions sink towards the stored tables, then takes out the largest parts of the tree
that mean the same on the engine (`meaning`): each becomes a fragment, narrowed to the columns that what is
left reads. The rest is worked out here, hardened as ever. So a question means the same on every engine by
construction; engines differ in speed only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import ibis
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.engines.meaning import SAFE, Judge, Meaning
from hub_config.gateway.engines.port import TEMPORARY
from hub_config.gateway.engines.sinking import sunk

__all__ = ["SAFE", "Fragment", "Meaning", "Parted", "parted"]

T = TypeVar("T")

FETCHED: Final = "__fetched_"


@dataclass(frozen=True)
class Fragment:
    """What is fetched, under which name: some columns of the rows of a part."""

    name: str
    rows: ibis.Table
    of: ops.Relation


@dataclass(frozen=True)
class Parted:
    rest: ibis.Table
    fragments: tuple[Fragment, ...]


def parted(
    expression: ibis.Table, bound: Mapping[str, ibis.Table], means: Meaning, catalog: str, first: int = 0
) -> Parted:
    """`expression` with its `bound` tables written out, in two. Fetched rows are named in `catalog`, numbered
    from `first`."""
    tree = sunk(_written_out(expression.as_table().op(), bound), means)
    asked = _Asked.of(tree, means)
    fragments, local = [], {}
    for number, (relation, columns) in enumerate(asked.parts.items(), start=first):
        narrow = _narrowed(relation, columns)
        name = f"{FETCHED}{number}"
        fragments.append(Fragment(name, narrow.to_expr(), relation))
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


# --- what is left reads ------------------------------------------------------------------------------------


@dataclass
class _Asked:
    """The largest parts that the engine works out, with the columns that are read of them."""

    judge: Judge
    parts: dict[ops.Relation, set[str]] = field(default_factory=dict)
    needed: dict[ops.Relation, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: ops.Relation, means: Meaning) -> _Asked:
        asked = cls(Judge(means))
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
            arguments = {name: _with(each, made) for name, each in kept(node).items()}
            is_among = isinstance(node, ops.InSubquery)
            made[node] = node.__recreate__(_asked_among(arguments) if is_among else arguments)
    whole: ops.Relation = made[tree]
    return whole


def _asked_among(arguments: dict[str, Any]) -> dict[str, Any]:
    """What a value is looked for in is the one column of a choice, for Ibis, and never a table by itself."""
    rel = arguments["rel"]
    if not isinstance(rel, ops.UnboundTable):
        return arguments
    columns = FrozenOrderedDict({name: ops.Field(rel, name) for name in rel.schema})
    return {**arguments, "rel": ops.Project(rel, columns)}


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
