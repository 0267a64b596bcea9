"""Who adds what to which cell, as arrays: the one form that all evidence is computed from, of everybody or of
a sample. Pure.

An entry is one (cell, protected unit, GPs) with what its rows add up to. A join that repeats a record gives
one entry with more rows, so that nobody weighs more than their rows do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Floats, Ints
from hub_config.gateway.rules.plan import MeasureKind

NO_PHYSICIAN = -1


@dataclass(frozen=True)
class Added:
    """What the entries add to one weight column: rows that count, and of a magnitude their sum, the sum of
    absolute values, and the sum of rounded thousandths."""

    rows: Ints
    total: Floats | None = None
    absolute: Floats | None = None
    thousandths: Ints | None = None

    def take(self, order: NDArray[np.int64]) -> Added:
        return Added(*(None if a is None else a[order] for a in self._arrays))  # type: ignore[arg-type]

    def summed(self, starts: NDArray[np.int64]) -> Added:
        """Entries from each start to the next as one."""
        return Added(*(None if a is None else _summed(a, starts) for a in self._arrays))  # type: ignore[arg-type]

    @property
    def _arrays(self) -> tuple[NDArray[np.generic] | None, ...]:
        return self.rows, self.total, self.absolute, self.thousandths

    def size(self, kind: MeasureKind) -> Floats:
        """How much each entry adds in absolute terms; who adds nothing to a sum (zero) adds nothing."""
        match kind:
            case MeasureKind.PATIENTS:
                return self.present.astype(np.float64)
            case MeasureKind.ROWS | MeasureKind.QUANTILE:
                return self.rows.astype(np.float64)
            case MeasureKind.SUM:
                if self.absolute is None:
                    raise ValueError("a sum needs the absolute values of what it adds")
                return self.absolute
            case _:
                assert_never(kind)

    @property
    def present(self) -> NDArray[np.bool_]:
        return np.asarray(self.rows > 0)


@dataclass(frozen=True)
class Contributions:
    """Entries sorted by cell, then unit. `physicians` has an array for each hidden GP column, NO_PHYSICIAN
    where it is missing; `added` is by weight column, None for "every row adds 1"."""

    cell: Ints
    unit: Ints
    physicians: tuple[Ints, ...]
    added: Mapping[str | None, Added]

    @classmethod
    def of(
        cls, cell: Ints, unit: Ints, physicians: Iterable[Ints], added: Mapping[str | None, Added]
    ) -> Contributions:
        order = ordered(cell, unit)
        return cls(
            cell[order],
            unit[order],
            tuple(physician[order] for physician in physicians),
            {weight: what.take(order) for weight, what in added.items()},
        )

    def relabelled(self, cells: Ints) -> Contributions:
        """The same contributions to other cells: entry c of `cells` is the new cell of cell c, negative for
        none. What a unit adds to two cells that become one is one entry."""
        cell = cells[self.cell]
        kept = np.flatnonzero(cell >= 0)
        columns = [column[kept] for column in (cell, self.unit, *self.physicians)]
        order = kept[ordered(*columns)]
        columns = [column[order] for column in (cell, self.unit, *self.physicians)]
        starts = first_of_runs(*columns)
        cell, unit, *physicians = (column[starts] for column in columns)
        added = {weight: what.take(order).summed(starts) for weight, what in self.added.items()}
        return Contributions(cell, unit, tuple(physicians), added)

    @cached_property
    def units(self) -> Contributions:
        """One entry a cell and unit, whatever the GP."""
        starts = first_of_runs(self.cell, self.unit)
        if len(starts) == len(self.cell):
            return Contributions(self.cell, self.unit, (), self.added)
        return Contributions(
            self.cell[starts],
            self.unit[starts],
            (),
            {weight: what.summed(starts) for weight, what in self.added.items()},
        )


def ordered(*columns: Ints) -> NDArray[np.int64]:
    """The order of rows by whole numbers, the first column before the next. One number a row sorts several
    times faster than columns do, as long as it fits."""
    number = np.zeros(len(columns[0]), dtype=np.int64)
    room = 2**62
    for column in columns:
        low = int(column.min(initial=0))
        width = int(column.max(initial=0)) - low + 1
        room //= width
        if not room:
            return np.lexsort(columns[::-1])
        number = number * width + (column - low)
    return np.argsort(number)


def first_of_runs(*columns: Ints) -> NDArray[np.int64]:
    """Where rows that differ from the one before begin."""
    if not len(columns[0]):
        return np.empty(0, dtype=np.int64)
    changes = np.zeros(len(columns[0]), dtype=bool)
    changes[0] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changes)


def distinct_by(group: Ints, unit: Ints, groups: int) -> Ints:
    """Distinct units of each group. Sorting one number a row is several times faster than `np.unique`."""
    width = int(unit.max(initial=0)) + 1
    pairs = np.sort(group * width + unit)
    return count_by(pairs[first_of_runs(pairs)] // width, groups)


def count_by(cell: Ints, cells: int) -> Ints:
    return np.bincount(cell, minlength=cells).astype(np.int64)


def _summed(values: NDArray[np.generic], starts: NDArray[np.int64]) -> NDArray[np.generic]:
    return np.add.reduceat(values, starts) if len(starts) else values
