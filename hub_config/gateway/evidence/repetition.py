"""How many rows one patient can have in each cell, from facts of whole tables: found out once a snapshot and
column, by codes and by years.

A cell of one code holds no more rows of anybody than their most of that code in the table beneath. Filters,
grants, objections and the other keys only make them fewer, so the bounds are sound, and much closer than the
most that anybody has in all: noise in units of them does not drown a count.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import ibis
import ibis.expr.operations as ops
import numpy as np
import pyarrow as pa

from hub_config.gateway.engine import Session
from hub_config.gateway.engines.port import stored
from hub_config.gateway.evidence.fanout import joined, root, rows_of_one, unit_column
from hub_config.gateway.evidence.lineage import SAME_ROWS, column_of, traced
from hub_config.gateway.evidence.source import Source
from hub_config.gateway.rules.cells import Ints

_AT_ONCE: Final = 2_000_000  # rows that are put together by patient and value
_CODES: Final = ("VARCHAR",)  # types that codes are stored as
_YEARS: Final = ("DATE", "TIMESTAMP")
_DISTINCT: Final = 100_000  # values of a column; of one with more, nothing is kept


@dataclass(frozen=True)
class Part:
    """What rows of one table of the warehouse have in common: the value of a column, or the year of it. They
    are counted by `unit`, the stored column that names whom they are about."""

    table: str
    unit: str
    column: str
    year: bool

    @property
    def fact(self) -> str:
        return f"rows of one {self.unit} in {self.table} by {self.expression}"

    @property
    def expression(self) -> str:
        return f"year of {self.column}" if self.year else self.column

    @property
    def rows(self) -> ibis.Table:
        """Of each row whom it is about, and its value as text."""
        rows = stored(self.table, {self.unit: "int64", self.column: "date" if self.year else "string"})
        value = rows[self.column]
        return rows.select(u=rows[self.unit], v=value.year().cast("string") if self.year else value)


def most_rows_of_cells(source: Source, keys: pa.Table, most: int) -> Ints:
    """For each cell, by its key's row in `keys`; nowhere more than `most`."""
    bounds: Ints = np.ones(keys.num_rows, dtype=np.int64)
    tables = joined(root(source)) or (None,)
    for table in tables:
        whole = most if table is None else rows_of_one(source, table)
        of_table = most if whole is None else _of_table(source, keys, table, whole, tables.count(table))
        bounds = np.minimum(bounds * of_table, most)
    return bounds


def _of_table(source: Source, keys: pa.Table, table: str | None, whole: int, times: int) -> Ints:
    """Of a table that is joined to itself, who knows which of them a key is of."""
    bounds = np.full(keys.num_rows, max(whole, 1), dtype=np.int64)
    if times > 1:
        return bounds
    for part, labels in _parts(source, keys):
        if part.table == table:
            known = {label: _most(source, part, label, whole) for label in dict.fromkeys(labels)}
            bounds = np.minimum(bounds, [known[label] for label in labels])
    return bounds


def _most(source: Source, part: Part, label: Hashable, whole: int) -> int:
    """At least one: an outer join leaves a row where a table has none."""
    known = source.session.known
    find_out(source.session, part)
    return max(1, whole if label is None else known.get(f"{part.fact} = {label}", whole))


def find_out(session: Session, part: Part) -> None:
    """The most rows of one patient by value, patients read range by range so that memory stays bounded. What
    was read stays known: who is stopped half-way has got half of the way. Several may be at it at once: a
    range that two have read is the same twice."""
    known, read = session.known, f"{part.fact}, ranges read"
    if part.fact in known:
        return
    if _number(session, part.rows["v"].approx_nunique()) <= _DISTINCT:
        for number, (start, end) in enumerate(pairwise(_edges(session, part))):
            if known.get(read, 0) <= number:
                found = _by_value(session, part, start, end)
                with session.noting:
                    for value, most in found:
                        name = f"{part.fact} = {value}"
                        known[name] = max(known.get(name, 0), most)
                    known[read] = max(known.get(read, 0), number + 1)
    known[part.fact] = 1


def _edges(session: Session, part: Part) -> list[int]:
    rows, highest = session.stored_rows([part.table])[part.table], _number(session, part.rows["u"].max())
    inner = np.linspace(0, highest + 1, max(1, -(-rows // _AT_ONCE)) + 1)[1:-1]
    return [-(2**62), *inner.astype(np.int64).tolist(), 2**62]


def _by_value(session: Session, part: Part, start: int, end: int) -> list[tuple[str | None, int]]:
    rows = part.rows
    some = rows.filter(rows["u"] >= start, rows["u"] < end)
    each = some.group_by("v", "u").agg(n=some.count())
    found = session.ask(each.group_by("v").agg(n=each["n"].max()))
    return list(zip(found.column("v").to_pylist(), found.column("n").to_pylist(), strict=True))


def _number(session: Session, value: ibis.Scalar) -> int:
    return int(session.ask(value.name("n").as_table()).column("n")[0].as_py() or 0)


# --- what the keys say of the tables -----------------------------------------------------------------------


def _parts(source: Source, keys: pa.Table) -> Iterator[tuple[Part, list[Hashable]]]:
    """Of each key and each condition that is one column of one table: the column, and each cell's label."""
    node = root(source)
    for key in source.release.keys:
        part = _part(source, column_of(node, key))
        if part is not None:
            yield part, keys.column(key).to_pylist()
    while isinstance(node, SAME_ROWS):
        for column, value in _equalities(node):
            part = _part(source, column)
            if part is not None:
                yield part, [value] * keys.num_rows
        node = node.parent


def _equalities(node: ops.Node) -> Iterator[tuple[ops.Node, Hashable]]:
    for predicate in node.predicates if isinstance(node, ops.Filter) else ():
        if isinstance(predicate, ops.Equals) and isinstance(predicate.right, ops.Literal):
            yield predicate.left, predicate.right.value


def _part(source: Source, value: ops.Node | None) -> Part | None:
    """The stored column that a value is, or is the year of."""
    made = traced(value)
    stored = traced(made.arg) if isinstance(made, ops.ExtractYear) else made
    if not isinstance(stored, ops.Field):
        return None
    part = Part(stored.rel.name, unit_column(source), stored.name, year=made is not stored)
    return part if is_known_by(source.session, part) else None


def is_known_by(session: Session, part: Part) -> bool:
    """Whether the column is stored as what codes are, or as a date where it is about years."""
    types = _YEARS if part.year else _CODES
    return session.stored_type(part.table, part.column) in types
