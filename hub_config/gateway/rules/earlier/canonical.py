"""What an expression means, as a digest: equal digests select the same rows, whatever the data. Pure.

Names given on the way (aliases, the order of columns), columns that nobody uses, and the order of conditions
that are all to hold make no difference. Being too fine is safe: two ways to say one thing may get two
digests. Being too coarse is not, so whatever is not known to be the same counts as different, and what spans
rows (windows, reductions) carries the rows that it spans.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

_COMMUTES: Final = (ops.Or, ops.Equals, ops.NotEquals, ops.Add, ops.Multiply)
_SPANS_ROWS: Final = (ops.WindowFunction, ops.Analytic, ops.Reduction)
_AGE: Final = "age"
_KEEPS_BOTH: Final = ("inner", "semi", "anti")


@dataclass(frozen=True)
class Source:
    """Where a column comes from: a column of a table of the catalogue; `whole`: no outer join may have put
    NULL in its place."""

    table: str
    column: str
    whole: bool


@dataclass(frozen=True)
class Rows:
    """A relation as the rows of something that hold under all of some conditions."""

    base: str
    conditions: tuple[ops.Value, ...]


@dataclass
class Canonical:
    """Digests, each worked out once."""

    _known: dict[tuple[str, ops.Node], str] = field(default_factory=dict)
    _sides: dict[ops.Relation, int] = field(default_factory=dict)  # of joins, in the order of meeting them

    def rows(self, relation: ops.Relation) -> Rows:
        """`relation` without its conditions, which are given apart."""
        conditions: list[ops.Value] = []
        while isinstance(relation, ops.Filter | ops.Project):
            if isinstance(relation, ops.Filter):
                conditions += [part for whole in relation.predicates for part in conjuncts(whole)]
            relation = relation.parent
        return Rows(self._based(relation), tuple(conditions))

    def relation(self, relation: ops.Relation) -> str:
        """Which rows it has, whatever columns are kept of them."""
        found = self.rows(relation)
        return digest("rows", found.base, *sorted({self.value(each) for each in found.conditions}))

    def value(self, node: ops.Value) -> str:
        node = resolved(node)
        return self._remembered("value", node, self._value)

    def _remembered(self, kind: str, node: Any, make: Any) -> str:
        key = (kind, node)
        if key not in self._known:
            self._known[key] = make(node)
        return self._known[key]

    def _value(self, node: ops.Value) -> str:
        match node:
            case ops.Field():
                return self._field(node)
            case ops.Literal(value=value):
                kind = [] if is_told_by_its_value(node.dtype) else [str(node.dtype)]
                return digest("literal", *_plain(value), *kind)
            case ops.And():
                return digest("and", *sorted({self.value(part) for part in conjuncts(node)}))
            case ops.InValues(value=value, options=options):
                return digest("in", self.value(value), *sorted({self.value(each) for each in options}))
        parts = [self._argument(each) for each in node.__args__]
        if isinstance(node, _COMMUTES):
            parts.sort()
        rows = sorted(self.relation(each) for each in _spanned(node))
        return digest(type(node).__name__, str(node.dtype), *parts, *rows)

    def _field(self, node: ops.Field) -> str:
        relation, name = node.rel, node.name
        match relation:
            case ops.UnboundTable():
                return digest("column", relation.name, name)
            case ops.JoinReference():
                return digest("side", self._side(relation), self.value(ops.Field(relation.parent, name)))
            case ops.Aggregate():
                return digest("made", self._based(relation), self._made(relation, name))
        return digest("field", self._based(relation), name)

    def _based(self, relation: ops.Relation) -> str:
        return self._remembered("base", relation, self._base)

    def _made(self, relation: ops.Aggregate, name: str) -> str:
        return self.value({**relation.groups, **relation.metrics}[name])

    def _base(self, relation: ops.Relation) -> str:
        match relation:
            case ops.UnboundTable():
                return digest("table", relation.name)
            case ops.InMemoryTable():
                content = relation.data.to_pyarrow(relation.schema).to_pydict()
                return digest("brought", repr(sorted(content.items())))
            case ops.JoinReference():
                return digest("side", self._side(relation), self.relation(relation.parent))
            case ops.JoinChain():
                first = self._based(relation.first)
                return digest("join", first, *map(self._link, relation.rest))
            case ops.Aggregate():
                groups = sorted(self.value(value) for value in relation.groups.values())
                return digest("aggregate", self.relation(relation.parent), *groups)
        return digest(type(relation).__name__, *(self._argument(each) for each in relation.__args__))

    def _link(self, link: ops.JoinLink) -> str:
        conditions = sorted({self.value(each) for each in link.predicates})
        return digest(link.how, self._based(link.table), *conditions)

    def _side(self, reference: ops.JoinReference) -> str:
        return str(self._sides.setdefault(reference, len(self._sides)))

    def _argument(self, each: Any) -> str:
        match each:
            case ops.Value():
                return self.value(each)
            case ops.Relation():
                columns = (digest(name, self.value(ops.Field(each, name))) for name in each.schema)
                return digest("whole", self.relation(each), *columns)
            case tuple() | list():
                return digest("several", *(self._argument(one) for one in each))
            case Mapping():
                return digest("named", *(digest(str(k), self._argument(v)) for k, v in each.items()))
            case ops.Node():
                return digest(type(each).__name__, *(self._argument(one) for one in each.__args__))
        return digest(type(each).__name__, repr(each))


def resolved(node: ops.Value) -> ops.Value:
    """What stands behind a name: a field of a projection is what was projected."""
    while True:
        match node:
            case ops.Alias(arg=arg):
                node = arg
            case ops.Field(rel=ops.Filter(parent=parent), name=name):
                node = ops.Field(parent, name)
            case ops.Field(rel=ops.Project() as relation, name=name):
                node = relation.values[name]
            case ops.Field(rel=ops.JoinChain() as relation, name=name):
                node = relation.values[name]
            case ops.Field(rel=ops.UnboundTable() as table, name="age_band") if _AGE in table.schema:
                return _band_of(ops.Field(table, _AGE))
            case _:
                return node


def _band_of(age: ops.Value) -> ops.Value:
    """The catalogue's class of ten years: the loader makes it of the age."""
    ends = [ops.Less(age, ops.Literal(end, age.dtype)) for end in range(10, 100, 10)]
    names = [*(f"{end - 10:02}-{end - 1:02}" for end in range(10, 100, 10)), "90+"]
    return ops.SearchedCase(
        (*ends, ops.NotNull(age)),
        tuple(ops.Literal(name, dt.string) for name in names),
        ops.Literal(None, dt.string),
    )


def is_told_by_its_value(dtype: dt.DataType) -> bool:
    """Whether a literal of this type is what it looks like: its type gives no unit, no scale, no rounding."""
    return isinstance(dtype, dt.Null | dt.Boolean | dt.Integer | dt.Float64 | dt.String | dt.Date)


def conjuncts(node: ops.Value) -> Iterator[ops.Value]:
    """The conditions that `node` is the conjunction of."""
    node = resolved(node)
    if isinstance(node, ops.And):
        yield from conjuncts(node.left)
        yield from conjuncts(node.right)
    else:
        yield node


def source_of(node: ops.Value) -> Source | None:
    """The catalogue's column that `node` is, as it is; None where it is something else."""
    whole = True
    while True:
        match node:
            case ops.Field(rel=ops.JoinChain() as chain, name=name):
                node = chain.values[name]
                whole = whole and _keeps(chain, node)
            case ops.Field(rel=ops.JoinReference() as side, name=name):
                node = ops.Field(side.parent, name)
            case ops.Field(rel=ops.Filter(parent=parent), name=name):
                node = ops.Field(parent, name)
            case ops.Field(rel=ops.Project(values=values), name=name):
                node = values[name]
            case ops.Field(rel=ops.UnboundTable() as table, name=name):
                return Source(table.name, name, whole)
            case _:
                return None


def _keeps(chain: ops.JoinChain, node: ops.Value) -> bool:
    """Whether every row of the chain has a partner on the side that `node` is read from."""
    kinds = {link.how for link in chain.rest}
    first = isinstance(node, ops.Field) and node.rel == chain.first
    return kinds <= {*_KEEPS_BOTH, *(("left",) if first else ())}


def _spanned(node: ops.Value) -> Iterator[ops.Relation]:
    """The relations whose rows a window or a reduction goes through."""
    if isinstance(node, _SPANS_ROWS):
        yield from dict.fromkeys(each.rel for each in node.find(ops.Field, filter=ops.Value))


def _plain(value: Any) -> tuple[str, str]:
    return type(value).__name__, repr(value)


def digest(*parts: str) -> str:
    """One word for several: no part runs into the next."""
    return hashlib.sha256("\0".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()[:48]
