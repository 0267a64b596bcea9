"""How much data a release reads, and how many rows of one patient it can hold, from the tables beneath.

Facts of whole tables are found out once a snapshot. A filter, a grant or an objection only makes them
smaller, so the bounds are sound for what a query reads of them.
"""

from __future__ import annotations

import math
from typing import Final, TypeGuard

import ibis.expr.operations as ops
import pyarrow as pa

from hub_config.gateway.engine import Session
from hub_config.gateway.engines.port import stored
from hub_config.gateway.evidence.lineage import SAME_ROWS
from hub_config.gateway.evidence.source import Source
from hub_config.gateway.rules.plan import PATIENT

STORED: Final = "patient_no"  # the column that names whom a row of the warehouse is about
_STORED: Final = {True: STORED, False: "physician_no"}
_IDENTIFIERS: Final = {PATIENT: "patient_id"}
_SEVERAL_ROWS: Final = (ops.WindowFunction, ops.Analytic, ops.InSubquery, ops.ExistsSubquery)


def largest_table(source: Source) -> int:
    """Rows of the largest table that the release reads, about."""
    names = {table.name for table in _tables(source)}
    return max(source.session.stored_rows(names).values(), default=0) if names else 0


def is_one_table(source: Source) -> bool:
    """Whether the rows are those of one table, each by itself or with others of its patient: then a range of
    patients is read without the rest."""
    node = root(source)
    if any(node.find(_SEVERAL_ROWS)):
        return False
    while isinstance(node, SAME_ROWS) or _is_by_unit(node, source.release.unit):
        node = node.parent
    return isinstance(node, ops.UnboundTable | ops.DatabaseTable)


def is_joined_tables(source: Source) -> bool:
    """Whether the rows are those of tables that are joined, and of nothing else: the same, as long as the
    ranges are few."""
    node = root(source)
    return not any(node.find(_SEVERAL_ROWS)) and joined(node) is not None


def highest_number(source: Source) -> int:
    """The highest number of a protected unit, at least."""
    return _highest_of(source, unit_column(source), source.unit)


def highest_physician(source: Source, name: str) -> int:
    """The highest number of a GP in one of the GP columns, at least."""
    return _highest_of(source, _STORED[False], name)


def _highest_of(source: Source, column: str, name: str) -> int:
    if _is_stored(source.session, _table_of(column), column):
        return highest_stored(source.session, column)
    return _highest(source.session, source.view, name)


def highest_stored(session: Session, column: str) -> int:
    """The highest number of all patients or physicians of the warehouse, by their stored column."""
    fact = f"highest {column}"
    if fact not in session.known:
        numbers = stored(_table_of(column), {column: "int64"})[column]
        session.known[fact] = _only(session.ask(numbers.max().name("n").as_table()))
    return session.known[fact]


def _table_of(column: str) -> str:
    return column.removesuffix("_no") + "s"


def most_rows(source: Source) -> int:
    """The largest number of rows that one patient can have in the release's rows; 0 if there are none."""
    if _has_one_row(root(source), source.release.unit):
        return 1
    bounds = [rows_of_one(source, name) for name in joined(root(source)) or (None,)]
    known = [bound for bound in bounds if bound is not None]
    return (
        math.prod(known) if len(known) == len(bounds) else _counted(source.session, source.view, source.unit)
    )


def rows_of_one(source: Source, name: str | None) -> int | None:
    """Of one table of the warehouse; None where it is none."""
    column = unit_column(source)
    if name is None or not _is_stored(source.session, name, column):
        return None
    return most_stored(source.session, name, column)


def most_stored(session: Session, table: str, column: str) -> int:
    """The most rows of `table` with the same number in `column`."""
    fact = f"rows of one {column} in {table}"
    if fact not in session.known:
        rows = stored(table, {column: "int64"})
        each = rows.filter(rows[column].notnull()).group_by(column).agg(n=lambda of_one: of_one.count())
        session.known[fact] = _only(session.ask(each.agg(n=each["n"].max())))
    return session.known[fact]


def unit_column(source: Source) -> str:
    """The stored column that names the release's protected unit."""
    return _STORED[source.release.unit == PATIENT]


def _is_stored(session: Session, table: str, column: str) -> bool:
    return session.stored_type(table, column) is not None


def _highest(session: Session, relation: str, unit: str) -> int:
    return _only(session.fetch(f"SELECT max({unit}) AS n FROM {relation}"))  # noqa: S608


def _counted(session: Session, relation: str, unit: str) -> int:
    return _only(
        session.fetch(
            f"SELECT max(n) AS n FROM"  # noqa: S608
            f" (SELECT count(*) AS n FROM {relation} WHERE {unit} IS NOT NULL GROUP BY {unit})"
        )
    )


def _only(found: pa.Table) -> int:
    """The one number of a table; 0 for none."""
    return int(found.column("n")[0].as_py() or 0)


def root(source: Source) -> ops.Node:
    root: ops.Node = source.release.rows.op()
    return root


def _tables(source: Source) -> list[ops.PhysicalTable]:
    return [node for node in root(source).find(ops.PhysicalTable) if not isinstance(node, ops.InMemoryTable)]


def _is_by_unit(node: ops.Node, unit: str) -> TypeGuard[ops.Aggregate]:
    """Whether the rows are put together by protected unit, at least: a range of units is one of its rows,
    too."""
    return isinstance(node, ops.Aggregate) and isinstance(node.groups.get(unit), ops.Field)


def _has_one_row(node: ops.Node, unit: str) -> bool:
    """Whether the rows are put together by protected unit and by nothing that one unit could have several
    of."""
    while isinstance(node, SAME_ROWS):
        node = node.parent
    return _is_by_unit(node, unit) and all(_names(value, unit) for value in node.groups.values())


def _names(value: ops.Node, unit: str) -> bool:
    """Whether it is the number of a unit in a table of the project, or the identifier beside it."""
    while isinstance(value, ops.Field):
        if isinstance(value.rel, ops.UnboundTable):
            return unit in value.rel.schema and value.name in (unit, _IDENTIFIERS.get(unit))
        if not isinstance(value.rel, (*SAME_ROWS, ops.Aggregate)):
            return False
        value = value.rel.values.get(value.name)
    return False


def joined(node: ops.Node) -> tuple[str, ...] | None:
    """The tables of which each row here combines at most one row each."""
    while isinstance(node, SAME_ROWS):
        node = node.parent
    if isinstance(node, ops.UnboundTable | ops.DatabaseTable):
        return (node.name,)
    if isinstance(node, ops.JoinReference):
        return joined(node.parent)
    if not isinstance(node, ops.JoinChain):
        return None
    sides = [joined(node.first), *(joined(link.table) for link in node.rest)]
    if any(side is None for side in sides):
        return None
    return tuple(name for side in sides if side is not None for name in side)
