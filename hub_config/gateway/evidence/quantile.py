"""Quantiles: the engine's rows in public bins, counted about each cell's quantile. See `rules.quantiles`.

Patients are read range by range of their numbers, so that memory stays bounded; counts of patients add up
over ranges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.contributions import NO_PHYSICIAN, first_of_runs, ordered
from hub_config.gateway.evidence.physicians import outside_few
from hub_config.gateway.evidence.source import CELL, Source, whole
from hub_config.gateway.rules.cells import Floats, Ints
from hub_config.gateway.rules.plan import Measure
from hub_config.gateway.rules.quantiles import Descent, Grid, Supports, grid_of, leaves, moves, settle
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal


@dataclass(frozen=True)
class Records:
    """Entries of one (cell, unit, GPs, leaf), and how many rows each is."""

    cell: Ints
    unit: Ints
    physicians: tuple[Ints, ...]
    leaf: Ints
    rows: Ints

    def flattened(self, caps: Floats) -> Floats:
        """The rows, those of a unit with more than the cell's cap as so many in all."""
        order = ordered(self.cell, self.unit)
        starts = first_of_runs(self.cell[order], self.unit[order])
        of_unit = np.zeros(len(order), dtype=np.int64)
        of_unit[order[starts]] = 1
        of_unit[order] = np.cumsum(of_unit[order]) - 1
        whole = np.bincount(of_unit, weights=self.rows)[of_unit]
        counted = self.rows * np.minimum(1.0, caps[self.cell] / np.maximum(whole, 1.0))
        return np.asarray(counted, dtype=np.float64)


def flattened_quantiles(
    source: Source, cells: str, measure: Measure, policy: Policy, caps: Floats, drawn: Supports
) -> Floats:
    """The supported value of each numbered cell, NaN where there is none; nobody counts more than `caps`."""
    records = _records(source, cells, _leaf(source, measure), "")
    by_leaf = records.cell, records.leaf, records.flattened(caps)
    return _supported(source, measure, policy, caps, by_leaf, [records], drawn)


def quantiles(
    source: Source, cells: str, measure: Measure, policy: Policy, ranges: Iterable[str], drawn: Supports
) -> Floats:
    """The same of very many rows, where nobody is cut down: noise follows who has most, to the next power of
    two. `ranges` are conditions (each begins with AND) that part the patients."""
    leaf, ranges = _leaf(source, measure), tuple(ranges)
    cell, at, rows = _rows_by_leaf(source, cells, leaf)
    most = _most_rows(source, cells, leaf, ranges, len(drawn.rank))
    records = (_records(source, cells, leaf, where) for where in ranges)
    by_leaf = cell, at, rows.astype(np.float64)
    return _supported(source, measure, policy, most, by_leaf, records, drawn)


def _supported(
    source: Source,
    measure: Measure,
    policy: Policy,
    caps: Floats,
    by_leaf: tuple[Ints, Ints, Floats],
    records: Iterable[Records],
    drawn: Supports,
) -> Floats:
    if measure.quantile is None:
        raise Refusal(ErrorCode.ENGINE_FAILED)
    grid, moved = grid_of(measure), moves(caps, drawn.rank, policy)
    found = leaves(len(caps), *by_leaf, measure.quantile, moved)
    descent = _descent(records, found, grid, len(source.physicians), policy.min_physicians - 1)
    return settle(descent, grid, policy, drawn)[0]


def _leaf(source: Source, measure: Measure) -> str:
    """The leaf of a row, the engine's way of `Grid.leaf`."""
    if measure.weight is None:
        raise Refusal(ErrorCode.ENGINE_FAILED)
    grid = grid_of(measure)
    position = f"floor(({source.value(measure.weight)} - {_literal(grid.edge)}) / {_literal(grid.step)})"
    return f"CAST(greatest(least({position}, {grid.leaves - 1}), 0) AS BIGINT)"


def _literal(number: float) -> str:
    return f"CAST({number!r} AS DOUBLE)"


def _rows_by_leaf(source: Source, cells: str, leaf: str) -> tuple[Ints, Ints, Ints]:
    by = ", ".join((*source.keys, "__leaf"))
    inner = _leaves_of_rows(source, leaf, "")
    found = source.session.fetch(
        f"SELECT c.{CELL}, x.__leaf, x.__n FROM"  # noqa: S608
        f" (SELECT {by}, count(*) AS __n FROM ({inner}) GROUP BY {by}) x"
        f" JOIN {cells} c ON {source.matching('c', 'x')}"
    )
    return whole(found.column(CELL)), whole(found.column("__leaf")), whole(found.column("__n"))


def _most_rows(source: Source, cells: str, leaf: str, ranges: Iterable[str], count: int) -> Floats:
    """About the most that one patient has in each cell."""
    by, most = ", ".join(source.keys), np.ones(count)
    for where in ranges:
        inner = _leaves_of_rows(source, leaf, where)
        each = ", ".join((*source.keys, source.unit))
        found = source.session.fetch(
            f"SELECT c.{CELL}, x.__most FROM (SELECT {by or '1'}, max(__n) AS __most FROM"  # noqa: S608
            f" (SELECT {each}, count(*) AS __n FROM ({inner}) GROUP BY {each}) GROUP BY {by or '1'}) x"
            f" JOIN {cells} c ON {source.matching('c', 'x')}"
        )
        cell = whole(found.column(CELL))
        most[cell] = np.maximum(most[cell], whole(found.column("__most")))
    return np.asarray(np.exp2(np.ceil(np.log2(most))))


def _records(source: Source, cells: str, leaf: str, where: str) -> Records:
    by = ", ".join((*source.keys, source.unit, *source.physicians, "__leaf"))
    found = source.session.fetch(
        f"SELECT c.{CELL}, {source.members('x')}, x.__leaf, x.__n FROM"  # noqa: S608
        f" (SELECT {by}, count(*) AS __n FROM ({_leaves_of_rows(source, leaf, where)}) GROUP BY {by}) x"
        f" JOIN {cells} c ON {source.matching('c', 'x')}"
    )
    cell, unit, physicians = source.parties(found)
    return Records(cell, unit, physicians, whole(found.column("__leaf")), whole(found.column("__n")))


def _leaves_of_rows(source: Source, leaf: str, where: str) -> str:
    kept = ", ".join((*source.keys, source.unit, *source.physicians))
    return (
        f"SELECT {kept}, {leaf} AS __leaf FROM {source.view}"  # noqa: S608
        f" WHERE {source.unit} IS NOT NULL AND {leaf} IS NOT NULL {where}"
    )


# --- counting about the leaf -------------------------------------------------------------------------------


def _descent(records: Iterable[Records], leaf: Ints, grid: Grid, columns: int, few: int) -> Descent:
    shape = (len(leaf), grid.depth + 1)
    patients, below, above = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    deepest: list[list[tuple[Ints, Ints, Ints]]] = [[] for _ in range(columns)]
    for some in records:
        shared = grid.shared(some.leaf, leaf[some.cell])
        patients += _inside(some.cell, some.unit, shared, shape)
        below += _beside(some, shared, some.leaf < leaf[some.cell], shape)
        above += _beside(some, shared, some.leaf > leaf[some.cell], shape)
        for column, gp in zip(deepest, some.physicians, strict=True):
            column.append(_own(some, gp, shared))
    outside = [_outside_few(column, few, shape) for column in deepest]
    return Descent(leaf, patients, below, above, np.minimum.reduce(outside) if outside else None)


def _deepest(cell: Ints, member: Ints, shared: Ints) -> tuple[Ints, Ints, Ints]:
    """For each (cell, member) the finest level at which it is in the cell's bin."""
    order = ordered(cell, member)
    starts = first_of_runs(cell[order], member[order])
    if not len(starts):
        return cell, member, shared
    return cell[order][starts], member[order][starts], np.maximum.reduceat(shared[order], starts)


def _inside(cell: Ints, member: Ints, shared: Ints, shape: tuple[int, int]) -> Ints:
    """Members in the bin of each level: those whose finest common level is no coarser."""
    cell, _, level = _deepest(cell, member, shared)
    return np.cumsum(_histogram(cell, level, shape)[:, ::-1], axis=1)[:, ::-1]


def _beside(some: Records, shared: Ints, chosen: NDArray[np.bool_], shape: tuple[int, int]) -> Ints:
    """Patients with a row on one side of the bin of each level: a row that parts at level l is outside all
    finer bins."""
    cell, _, negated = _deepest(some.cell[chosen], some.unit[chosen], -shared[chosen])
    found = np.zeros(shape, dtype=np.int64)
    found[:, 1:] = np.cumsum(_histogram(cell, -negated, shape), axis=1)[:, :-1]
    return found


def _own(some: Records, gp: Ints, shared: Ints) -> tuple[Ints, Ints, Ints]:
    """For each (cell, patient) with a GP: the cell, the GP of the row that is deepest in the cell's bins, and
    how deep."""
    known = np.flatnonzero(gp != NO_PHYSICIAN)
    order = known[ordered(some.cell[known], some.unit[known], -shared[known], gp[known])]
    first = order[first_of_runs(some.cell[order], some.unit[order])]
    return some.cell[first], gp[first], shared[first]


def _outside_few(parts: list[tuple[Ints, Ints, Ints]], few: int, shape: tuple[int, int]) -> Ints:
    """Patients in the bin of each level who are of another GP than the `few` who have most of them."""
    found = np.zeros(shape, dtype=np.int64)
    if not parts:
        return found
    cell, gp, level = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = ordered(cell, gp)
    runs = first_of_runs(cell[order], gp[order])
    pair = np.empty(len(cell), dtype=np.int64)
    pair[order] = np.repeat(np.arange(len(runs)), np.diff(np.append(runs, len(cell))))
    inside = np.cumsum(_histogram(pair, level, (len(runs), shape[1]))[:, ::-1], axis=1)[:, ::-1]
    for depth in range(shape[1]):
        found[:, depth] = outside_few(cell[order][runs], inside[:, depth], few, shape[0])
    return found


def _histogram(cell: Ints, level: Ints, shape: tuple[int, int]) -> Ints:
    flat = np.bincount(cell * shape[1] + level, minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.int64)
