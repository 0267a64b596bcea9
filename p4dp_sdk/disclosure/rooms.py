"""How far the slots of a table may move before a row that bounds them is broken. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from p4dp_sdk.disclosure.audit import Witness
from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Floats, Ints, TableProblem

ROUNDING: Final = 1e-9
_ADDS: Final = -2  # the dimension of rows that are not bounds

Units = Mapping[int, float]  # by how much each measure moves at a time, where the slot itself stands


@dataclass(frozen=True)
class Standing:
    """A table that nobody can rule out, to move on from: the slots' values and what rows add up to. `near`:
    the slots of all rows that differ from the true table's."""

    values: Floats
    sums: Floats
    near: Ints


class Rooms:
    """How far slots may move before a row is broken that bounds them."""

    def __init__(self, system: System, problem: TableProblem) -> None:
        self._system, rows = system, system.rows
        self._by_slot, self._by_row = rows.matrix.tocsc(), rows.matrix
        self._true = Standing(system.values, rows.of(system.values), np.zeros(0, dtype=np.int64))
        cells, head = rows.slot % system.cells, np.full(len(rows.low), -1, dtype=np.int64)
        head[rows.row] = cells
        inside = np.bincount(rows.row, cells != head[rows.row], minlength=len(rows.low)) == 0
        self._within = _Entries(system, inside)
        self._along = np.where(inside | (rows.low == rows.high), _ADDS, self._dimensions(problem))
        self._entries: dict[tuple[int, ...], _Entries] = {}
        self._alone: dict[tuple[int, ...], tuple[Floats, Floats]] = {}
        self._ties: dict[tuple[tuple[int, float], ...], tuple[Floats, Floats]] = {}
        self._changes: dict[tuple[tuple[int, float], ...], Floats] = {}

    def _dimensions(self, problem: TableProblem) -> Ints:
        """Of each row the dimension along which it ties a total to its parts; -1 of others."""
        rows, cells = self._system.rows, self._system.cells
        head = rows.head[rows.row]
        part = np.flatnonzero((head >= 0) & (rows.slot != head))
        moved = problem.coordinates[rows.slot[part] % cells] != problem.coordinates[head[part] % cells]
        along = np.full(len(rows.low), -1, dtype=np.int64)
        one = moved.sum(axis=1) == 1
        along[rows.row[part[one]]] = moved[one].argmax(axis=1)
        return along

    def standing(self, witness: Witness | None = None) -> Standing:
        """Where the true table stands once `witness` moved it."""
        if witness is None:
            return self._true
        values, sums = self._true.values.copy(), self._true.sums.copy()
        values[witness.slots] += witness.moves
        slots, coefficients = self._by_slot, np.repeat(witness.moves, _lengths(self._by_slot, witness.slots))
        entries = _entries(slots, witness.slots)
        np.add.at(sums, slots.indices[entries], slots.data[entries] * coefficients)
        touched = np.unique(slots.indices[entries])
        return Standing(values, sums, np.unique(self._by_row.indices[_entries(self._by_row, touched)]))

    def alone(self, moving: tuple[int, ...] = (), standing: Standing | None = None) -> tuple[Floats, Floats]:
        """Up and down, while all others stand still. Rows along the dimensions `moving` are left aside, and
        those that add up and those within a cell: others look at them."""
        if moving not in self._alone:
            aside = np.isin(self._along, (_ADDS, *moving))
            self._entries[moving] = _Entries(self._system, ~aside)
            self._alone[moving] = self._slots(moving, self._true, np.arange(len(self._system.values)))
        if standing is None or standing is self._true:
            return self._alone[moving]
        return self._with(self._alone[moving], standing.near, self._slots(moving, standing, standing.near))

    def _slots(self, moving: tuple[int, ...], standing: Standing, at: Ints) -> tuple[Floats, Floats]:
        up, down = self._entries[moving].room(standing, at)
        values, system = standing.values[at], self._system
        return np.minimum(up, system.high[at] - values), np.minimum(down, values - system.low[at])

    def ties(self, units: Units, standing: Standing | None = None) -> tuple[Floats, Floats]:
        """How often the measures of each cell may move so, and so the other way, as far as they tie each
        other."""
        key = tuple(sorted(units.items()))
        if key not in self._ties:
            self._changes[key] = self._change(units)
            self._ties[key] = self._cells(key, self._true, np.arange(self._system.cells))
        if standing is None or standing is self._true:
            return self._ties[key]
        cells = np.unique(standing.near % self._system.cells)
        return self._with(self._ties[key], cells, self._cells(key, standing, cells))

    @staticmethod
    def _with(rooms: tuple[Floats, Floats], at: Ints, other: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        one, two = rooms[0].copy(), rooms[1].copy()
        one[at], two[at] = other
        return one, two

    def _change(self, units: Units) -> Floats:
        """By how much each row changes if all cells move so."""
        by_measure = np.zeros(len(self._system.values) // self._system.cells)
        for quantity, unit in units.items():
            by_measure[quantity] = unit
        return self._system.rows.of(np.repeat(by_measure, self._system.cells))

    def _cells(
        self, key: tuple[tuple[int, float], ...], standing: Standing, at: Ints
    ) -> tuple[Floats, Floats]:
        measures = np.arange(len(self._system.values) // self._system.cells) * self._system.cells
        slots = (measures[:, None] + at).ravel()
        one, other = self._within.room(standing, slots, self._changes[key])
        return one.reshape(-1, len(at)).min(axis=0), other.reshape(-1, len(at)).min(axis=0)

    def allow(self, witness: Witness, standing: Standing | None = None) -> bool:
        """No row is broken. (`audit` looks again, more closely.)"""
        rows, given = self._system.rows, self._by_slot
        sums = (standing or self._true).sums
        changes: dict[int, float] = {}
        for slot, move in zip(witness.slots.tolist(), witness.moves.tolist(), strict=True):
            for at in range(given.indptr[slot], given.indptr[slot + 1]):
                row = int(given.indices[at])
                changes[row] = changes.get(row, 0.0) + given.data[at] * move
        touched = np.fromiter(changes.keys(), np.int64, len(changes))
        change = np.fromiter(changes.values(), np.float64, len(changes))
        table, slack = sums[touched] + change, ROUNDING * (1 + np.abs(sums[touched]))
        slack = np.where(self._system.exact[touched], 0.0, slack)
        return bool(np.all((table >= rows.low[touched] - slack) & (table <= rows.high[touched] + slack)))


class _Entries:
    """Some rows of a system, entry by entry in the order of slots."""

    def __init__(self, system: System, chosen: Flags) -> None:
        rows = system.rows
        entries = np.flatnonzero(chosen[rows.row])
        entries = entries[np.argsort(rows.slot[entries], kind="stable")]
        self._row, self._coefficient = rows.row[entries], rows.coefficient[entries]
        self._low, self._high = rows.low[self._row], rows.high[self._row]
        self._count = np.bincount(rows.slot[entries], minlength=len(system.values))
        self._start = np.cumsum(self._count) - self._count

    def room(self, standing: Standing, at: Ints, changes: Floats | None = None) -> tuple[Floats, Floats]:
        """How far each slot of `at` may go up and down while all others stand still; with `changes` of each
        row, how often they may happen, and the other way round."""
        up, down = np.full(len(at), np.inf), np.full(len(at), np.inf)
        tied = self._count[at] > 0
        some, count = at[tied], self._count[at[tied]]
        if len(some):
            entries, starts = _ranges(self._start[some], count), np.cumsum(count) - count
            row, low, high = self._row[entries], self._low[entries], self._high[entries]
            change = self._coefficient[entries] if changes is None else changes[row]
            with np.errstate(divide="ignore", invalid="ignore"):
                above, below = (
                    one / np.abs(change) for one in (high - standing.sums[row], standing.sums[row] - low)
                )
            above, below = (np.where(change == 0, np.inf, one) for one in (above, below))
            rises = change > 0
            up[tied] = np.minimum.reduceat(np.where(rises, above, below), starts)
            down[tied] = np.minimum.reduceat(np.where(rises, below, above), starts)
        return up, down


def _ranges(starts: Ints, counts: Ints) -> Ints:
    """start, start + 1… of each, so many."""
    return np.asarray(np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum()))


def _lengths(compressed: Any, chosen: Ints) -> Ints:
    return np.asarray(compressed.indptr[chosen + 1] - compressed.indptr[chosen])


def _entries(compressed: Any, chosen: Ints) -> Ints:
    """Where the entries of these rows (columns) of a compressed matrix are."""
    return _ranges(compressed.indptr[chosen], _lengths(compressed, chosen))
