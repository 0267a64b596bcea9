"""Who adds what to which cell, as arrays: the one form that all evidence is computed from, of everybody or of
a sample. Pure.

An entry is one (cell, protected unit, GPs) with what its rows add up to. A join that repeats a record gives
one entry with more rows, so that nobody weighs more than their rows do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Floats, Ints
from hub_config.gateway.rules.plan import MeasureKind

NO_PHYSICIAN = -1
_ROOM: Final = 62  # bits


@dataclass(frozen=True)
class Added:
    """What the entries add to one weight column: rows that count, and of a magnitude their sum, the sum of
    absolute values, and the sum of rounded thousandths."""

    rows: Ints
    total: Floats | None = None
    absolute: Floats | None = None
    thousandths: Ints | None = None

    def take(self, order: NDArray[np.int64] | slice) -> Added:
        return Added(*(None if a is None else a[order] for a in self._arrays))  # type: ignore[arg-type]

    def summed(self, starts: NDArray[np.int64]) -> Added:
        """Entries from each start to the next as one."""
        return Added(*(None if a is None else _summed(a, starts) for a in self._arrays))  # type: ignore[arg-type]

    @property
    def _arrays(self) -> tuple[NDArray[np.generic] | None, ...]:
        return self.rows, self.total, self.absolute, self.thousandths

    @classmethod
    def joined(cls, parts: Sequence[Added]) -> Added:
        """The entries of all, one after the other."""
        columns = zip(*(part._arrays for part in parts), strict=True)
        return cls(*(None if column[0] is None else np.concatenate(column) for column in columns))  # type: ignore[arg-type]

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

    @classmethod
    def joined(cls, parts: Sequence[Contributions]) -> Contributions:
        """Those of separate units together."""
        if len(parts) == 1:
            return parts[0]
        return cls.of(
            np.concatenate([part.cell for part in parts]),
            np.concatenate([part.unit for part in parts]),
            [np.concatenate(column) for column in zip(*(part.physicians for part in parts), strict=True)],
            {weight: Added.joined([part.added[weight] for part in parts]) for weight in parts[0].added},
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

    @property
    def highest_unit(self) -> int:
        return int(self.unit.max(initial=0))

    def counts(self, cells: int) -> Ints:
        """How many there are to each cell."""
        return count_by(self.cell, cells)

    def of_cells(self, first: int, end: int) -> Contributions:
        """Those to some cells, numbered from the `first` of them; nothing but the numbers is copied."""
        part = slice(*np.searchsorted(self.cell, (first, end)))
        return Contributions(
            self.cell[part] - first,
            self.unit[part],
            tuple(physician[part] for physician in self.physicians),
            {weight: what.take(part) for weight, what in self.added.items()},
        )

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


@dataclass(frozen=True)
class Packing:
    """Several whole numbers as one, in their order: of each its least value, and bits that hold the others
    above it."""

    columns: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, columns: Sequence[Ints]) -> Packing | None:
        """One into which these columns fit; None where there is none."""
        return cls.within([(int(column.min(initial=0)), int(column.max(initial=0))) for column in columns])

    @classmethod
    def within(cls, limits: Sequence[tuple[int, int]]) -> Packing | None:
        """For columns of no lower and no higher values; None where these don't fit."""
        bits = tuple((low, (high - low).bit_length()) for low, high in limits)
        return cls(bits) if sum(width for _, width in bits) <= _ROOM else None

    def holds(self, columns: Sequence[Ints]) -> bool:
        return all(
            low <= int(column.min(initial=low)) and (int(column.max(initial=low)) - low) >> bits == 0
            for column, (low, bits) in zip(columns, self.columns, strict=True)
        )

    def packed(self, columns: Sequence[Ints]) -> Ints:
        number = np.zeros(len(columns[0]), dtype=np.int64)
        for column, (low, bits) in zip(columns, self.columns, strict=True):
            number <<= bits
            number |= column - low
        return number

    def unpacked(self, number: Ints) -> list[Ints]:
        found = []
        for low, bits in reversed(self.columns):
            found.append((number & ((1 << bits) - 1)) + low)
            number = number >> bits
        return found[::-1]


def ordered(*columns: Ints) -> NDArray[np.int64]:
    """The order of rows by whole numbers, the first column before the next. One number a row sorts several
    times faster than columns do, as long as it fits."""
    packing = Packing.of(columns)
    return np.lexsort(columns[::-1]) if packing is None else np.argsort(packing.packed(columns))


def first_of_runs(*columns: Ints) -> NDArray[np.int64]:
    """Where rows that differ from the one before begin."""
    if not len(columns[0]):
        return np.empty(0, dtype=np.int64)
    changes = np.zeros(len(columns[0]), dtype=bool)
    changes[0] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changes)


def count_by(cell: Ints, cells: int) -> Ints:
    return np.bincount(cell, minlength=cells).astype(np.int64)


def _summed(values: NDArray[np.generic], starts: NDArray[np.int64]) -> NDArray[np.generic]:
    return np.add.reduceat(values, starts) if len(starts) else values
