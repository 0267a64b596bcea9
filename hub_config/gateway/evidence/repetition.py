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

import ibis.expr.operations as ops
import numpy as np
import pyarrow as pa

from hub_config.gateway.engine import WAREHOUSE
from hub_config.gateway.evidence.fanout import highest_number, joined, root, rows_of_one, unit_column
from hub_config.gateway.evidence.lineage import SAME_ROWS, column_of, quoted, stored_type, traced
from hub_config.gateway.evidence.source import Source
from hub_config.gateway.rules.cells import Ints

_AT_ONCE: Final = 2_000_000  # rows that are put together by patient and value
_CODES: Final = ("VARCHAR",)  # types that codes are stored as
_YEARS: Final = ("DATE", "TIMESTAMP")
_DISTINCT: Final = 100_000  # values of a column; of one with more, nothing is kept


@dataclass(frozen=True)
class _Part:
    """What rows of one table of the warehouse have in common: the value of a column, or the year of it."""

    table: str
    column: str
    year: bool

    @property
    def expression(self) -> str:
        name = quoted(self.column)
        return f"CAST(year({name}) AS VARCHAR)" if self.year else name


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


def _most(source: Source, part: _Part, label: Hashable, whole: int) -> int:
    """At least one: an outer join leaves a row where a table has none."""
    known, fact = source.session.known, _fact(source, part)
    if fact not in known:
        _find_out(source, part)
        known[fact] = whole
    return max(1, whole if label is None else known.get(f"{fact} = {label}", whole))


def _fact(source: Source, part: _Part) -> str:
    return f"rows of one {unit_column(source)} in {part.table} by {part.expression}"


def _find_out(source: Source, part: _Part) -> None:
    """The most rows of one patient by value, patients read range by range so that memory stays bounded. What
    was read stays known: who is stopped half-way has got half of the way."""
    known, fact = source.session.known, _fact(source, part)
    relation, read = f"{WAREHOUSE}.main.{quoted(part.table)}", f"{_fact(source, part)}, ranges read"
    rows = _number(source, f"SELECT count(*) FROM {relation}")  # noqa: S608
    if _number(source, f"SELECT approx_count_distinct({part.expression}) FROM {relation}") > _DISTINCT:  # noqa: S608
        return
    for number, (start, end) in enumerate(pairwise(_edges(source, rows))):
        if known.get(read, 0) <= number:
            for value, most in _by_value(source, part, start, end):
                name = f"{fact} = {value}"
                known[name] = max(known.get(name, 0), most)
            known[read] = number + 1


def _edges(source: Source, rows: int) -> list[int]:
    inner = np.linspace(0, highest_number(source) + 1, max(1, -(-rows // _AT_ONCE)) + 1)[1:-1]
    return [-(2**62), *inner.astype(np.int64).tolist(), 2**62]


def _by_value(source: Source, part: _Part, start: int, end: int) -> Iterator[tuple[str | None, int]]:
    unit, relation = quoted(unit_column(source)), f"{WAREHOUSE}.main.{quoted(part.table)}"
    found = source.session.fetch(
        f"SELECT v, max(n) AS n FROM (SELECT {part.expression} AS v, count(*) AS n FROM {relation}"  # noqa: S608
        f" WHERE {unit} >= {start} AND {unit} < {end} GROUP BY {part.expression}, {unit}) GROUP BY v"
    )
    return zip(found.column("v").to_pylist(), found.column("n").to_pylist(), strict=True)


def _number(source: Source, query: str) -> int:
    return int(source.session.fetch(query).column(0)[0].as_py() or 0)


# --- what the keys say of the tables -----------------------------------------------------------------------


def _parts(source: Source, keys: pa.Table) -> Iterator[tuple[_Part, list[Hashable]]]:
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


def _part(source: Source, value: ops.Node | None) -> _Part | None:
    """The stored column that a value is, or is the year of."""
    made = traced(value)
    stored = traced(made.arg) if isinstance(made, ops.ExtractYear) else made
    if not isinstance(stored, ops.Field):
        return None
    part = _Part(stored.rel.name, stored.name, year=made is not stored)
    types = _YEARS if part.year else _CODES
    return part if stored_type(source.session, part.table, part.column) in types else None
