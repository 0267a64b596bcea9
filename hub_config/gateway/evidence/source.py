"""A release's rows on the engine, and the statements that read contributions from them.

The rows are a hardened view of the session's own. All SQL made here consists of quoted names, numbers and
functions of the engine; nothing that a query wrote comes in but by that view. What is read stays in the
enclave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import ibis
import ibis.expr.operations as ops
import numpy as np
import pyarrow as pa

from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.engine import Session
from hub_config.gateway.evidence.contributions import NO_PHYSICIAN, Added, Contributions, Packing
from hub_config.gateway.evidence.counted import Counted
from hub_config.gateway.evidence.lineage import quoted
from hub_config.gateway.evidence.plain import filled, plainly
from hub_config.gateway.keyring import MOST_NUMBERS
from hub_config.gateway.rules.cells import Floats, Ints
from hub_config.gateway.rules.plan import MeasureKind, Release
from p4dp_sdk.wire.errors import ErrorCode, Refusal

CELL: Final = "__cell"
_MAGNITUDES: Final = (MeasureKind.SUM, MeasureKind.QUANTILE)
_VIEW: Final = "__p4dp_rows"
_MOST: Final = 1e15  # of a value without public bounds: sums of its thousandths stay whole numbers


@dataclass(frozen=True)
class Source:
    """The rows of one release, written as plainly as they can be. `magnitudes` are the weight columns whose
    values matter; of the others only whether they are NULL."""

    session: Session
    release: Release
    rows: ibis.Table
    view: str
    weights: tuple[str | None, ...]
    magnitudes: frozenset[str]
    unbounded: frozenset[str]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(quoted(key) for key in self.release.keys)

    @property
    def unit(self) -> str:
        return quoted(self.release.unit)

    @property
    def physicians(self) -> tuple[str, ...]:
        return tuple(quoted(name) for name in self.release.physicians)

    def table(self, purpose: str) -> str:
        return f"{self.view}_{purpose}"

    def presence(self, weight: str | None) -> int:
        """The place of the first weight column that is NULL in the same rows: of a value and of its count,
        the rows that count are the same."""
        wanted = self._conditions(weight)
        return next(
            i for i, other in enumerate(self.weights) if not wanted.isdisjoint(self._conditions(other))
        )

    def _conditions(self, weight: str | None) -> frozenset[object]:
        """Each decides whether a row counts: the column itself, the condition of a value that is NULL
        otherwise, the stored column that it is of."""
        if weight is None or weight in self.unbounded:
            return frozenset({weight})
        value, plain = (_column(rows, weight) for rows in (self.release.rows, self.rows))
        found: list[object] = [weight]
        if isinstance(value, ops.IfElse):
            otherwise = value.false_null_expr
            found += (
                [value.bool_expr] if isinstance(otherwise, ops.Literal) and otherwise.value is None else []
            )
        if (stored := filled(self.session, plain)) is not None:
            found.append(stored)
        return frozenset(found)

    def rolled_up(self, release: Release) -> Source:
        """The same rows, for `release` by fewer keys."""
        return replace(self, release=release)

    def kept(self) -> Source:
        """The same rows, looked for once: in a temporary table in the order of patients, as they are
        stored."""
        name = self.table("kept")
        ordered = f"SELECT * FROM {self.view} ORDER BY {self.unit}"  # noqa: S608
        self.session.run(f"CREATE OR REPLACE TEMP TABLE {name} AS {ordered}")
        return replace(self, view=name)

    def store(self, purpose: str, table: pa.Table) -> str:
        """A temporary table; gives its name."""
        name = self.table(purpose)
        self.session.register(f"{name}_given", table)
        self.session.run(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}_given")  # noqa: S608
        return name

    def value(self, weight: str) -> str:
        """The weight as a number within what can be added up. Where the catalogue bounds it, it is so
        already."""
        name = quoted(weight)
        if weight not in self.unbounded:
            return name
        return f"CASE WHEN isfinite({name}) THEN greatest(least({name}, {_MOST}), -{_MOST}) END"

    def size(self, weight: str) -> str:
        """The absolute value of the weight, which is the weight itself where its bounds say so."""
        bounds = [m.bounds for m in self.release.measures if m.weight == weight and m.kind in _MAGNITUDES]
        positive = all(pair is not None and pair[0] >= 0 for pair in bounds)
        return self.value(weight) if positive else f"abs({self.value(weight)})"

    def aggregates(self, *, thousandths: bool) -> Mapping[str, str]:
        """What is added up of each weight: rows, sums, absolute sums, thousandths, by hidden names."""
        found: dict[str, str] = {}
        for index, weight in enumerate(self.weights):
            if weight is None:
                found[f"__n{index}"] = "count(*)"
                continue
            value = self.value(weight)
            found[f"__n{index}"] = f"count({value})"
            if weight in self.magnitudes:
                found |= {f"__s{index}": f"sum({value})", f"__a{index}": f"sum({self.size(weight)})"}
                if thousandths:
                    found[f"__t{index}"] = f"sum(round(1000 * {value}))"
        return found

    def store_contributions(self, name: str, relation: str | None = None, *, thousandths: bool) -> None:
        """A temporary table of contributions by the keys themselves, from `relation` instead of all rows."""
        by = ", ".join((*self.keys, self.unit, *self.physicians))
        added = _aliased(self.aggregates(thousandths=thousandths))
        self.session.run(
            f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {by}, {added} FROM {relation or self.view}"  # noqa: S608
            f" WHERE {self.unit} IS NOT NULL GROUP BY {by}"
        )

    def number_cells(self, name: str, origin: str) -> pa.Table:
        """Number the distinct keys of table `origin` in the temporary table `name`; gives them in order."""
        wanted = f"DISTINCT {', '.join(self.keys)}" if self.keys else "DISTINCT 1 AS __one"
        self.session.run(
            f"CREATE OR REPLACE TEMP TABLE {name} AS"  # noqa: S608
            f" SELECT CAST({self.place} - 1 AS BIGINT) AS {CELL}, *"
            f" FROM (SELECT {wanted} FROM {origin})"
        )
        return self.session.fetch(f"SELECT * FROM {name} ORDER BY {CELL}").drop_columns([CELL])  # noqa: S608

    @property
    def place(self) -> str:
        """The number of a group by its keys: the same whatever order an engine gives rows in, since of cells
        that lie near each other the first is the one that others snap to."""
        order = f"ORDER BY {', '.join(self.keys)}" if self.keys else ""
        return f"row_number() OVER ({order})"

    def matching(self, one: str, other: str) -> str:
        """The condition that two relations' keys agree, NULL with NULL."""
        same = (f"{one}.{key} IS NOT DISTINCT FROM {other}.{key}" for key in self.keys)
        return " AND ".join(same) or "TRUE"

    def members(self, relation: str) -> str:
        """Whom a row of `relation` is about: `__u`, and `__g<i>` for its GPs."""
        gps = (
            f"coalesce(CAST({relation}.{gp} AS BIGINT), {NO_PHYSICIAN}) AS __g{i}"
            for i, gp in enumerate(self.physicians)
        )
        return ", ".join((f"CAST({relation}.{self.unit} AS BIGINT) AS __u", *gps))

    def fetch_contributions(self, name: str, cells: str, *, thousandths: bool) -> Contributions:
        """The contributions of table `name` to the numbered `cells`."""
        added = ", ".join(f"x.{column}" for column in self.aggregates(thousandths=thousandths))
        found = self.session.fetch(
            f"SELECT c.{CELL}, {self.members('x')}, {added}"  # noqa: S608
            f" FROM {name} x JOIN {cells} c ON {self.matching('c', 'x')}"
        )
        cell, unit, physicians = self.parties(found)
        added_by = {weight: _added(found, index) for index, weight in enumerate(self.weights)}
        return Contributions.of(cell, unit, physicians, added_by)

    def count_contributions(self, relations: Iterable[str], cells: str, packing: Packing) -> Counted:
        """What the rows of `relations` add to the numbered `cells`, where all that is added up is rows."""
        return Counted.of(packing, (self._packed(relation, cells, packing) for relation in relations))

    def _packed(self, relation: str, cells: str, packing: Packing) -> Ints:
        found = self.session.fetch(
            f"SELECT c.{CELL}, {self.members('x')}"  # noqa: S608
            f" FROM {relation} x JOIN {cells} c ON {self.matching('c', 'x')} WHERE x.{self.unit} IS NOT NULL"
        )
        cell, unit, physicians = self.parties(found)
        if not packing.holds(columns := [cell, unit, *physicians]):
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT)
        return packing.packed(columns)

    def parties(self, found: pa.Table) -> tuple[Ints, Ints, tuple[Ints, ...]]:
        """Cells, units and GPs of a fetched table."""
        unit = whole(found.column("__u"))
        if len(unit) and (unit.min() < 0 or unit.max() >= MOST_NUMBERS):
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT)
        gps = tuple(whole(found.column(f"__g{i}")) for i in range(len(self.physicians)))
        return whole(found.column(CELL)), unit, gps


def _column(rows: ibis.Table, name: str) -> ops.Node | None:
    root = rows.op()
    return root.values.get(name) if isinstance(root, ops.Project) else None


def source(session: Session, release: Release) -> Source:
    """The rows of `release` as a view of this session. One release is measured at a time: the next takes the
    place of its temporary tables."""
    rows = plainly(session, release.rows)
    statement = compile_hardened(session.staged(rows), session.aggregates)
    for name, table in statement.tables.items():
        session.register(name, table)
    session.run(f"CREATE OR REPLACE TEMP VIEW {_VIEW} AS {statement.sql}")
    summed = [m for m in release.measures if m.kind in _MAGNITUDES]
    return Source(
        session=session,
        release=release,
        rows=rows,
        view=_VIEW,
        weights=tuple(dict.fromkeys((None, *(measure.weight for measure in release.measures)))),
        magnitudes=frozenset(m.weight for m in summed if m.weight is not None),
        unbounded=frozenset(m.weight for m in summed if m.weight is not None and m.bounds is None),
    )


def _aliased(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{value} AS {name}" for name, value in columns.items())


def _added(found: pa.Table, index: int) -> Added:
    names = set(found.column_names)
    parts = {c: real(found.column(f"__{c}{index}")) for c in "sat" if f"__{c}{index}" in names}
    thousandths = parts.get("t")
    return Added(
        rows=whole(found.column(f"__n{index}")),
        total=parts.get("s"),
        absolute=parts.get("a"),
        thousandths=None if thousandths is None else thousandths.astype(np.int64),
    )


def whole(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def real(column: pa.ChunkedArray) -> Floats:
    """NULL, the sum of nothing, as zero."""
    return np.asarray(column.fill_null(0.0).to_numpy(), dtype=np.float64)
