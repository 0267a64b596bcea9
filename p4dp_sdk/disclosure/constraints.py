"""A table problem as numbers: slots, what ties them, and what each must keep if it is withheld. Pure.

Rows are linear and have no constant: low ≤ Σ coefficient · slot ≤ high, with 0 or infinity on either side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from p4dp_sdk.disclosure.hypercube import (
    Flags,
    Floats,
    Ints,
    Kind,
    Link,
    Quantity,
    Relation,
    Status,
    TableProblem,
)

_TOLERANCE: Final = 1e-9  # of a row of magnitudes, relative to what it adds up
NOT_TOLD: Final = -1  # `physicians` where there is no GP rule


class Contradiction(ValueError):
    """The values break what ties them: a total that is not its sum. Nothing can be proved of such a table."""


@dataclass(frozen=True)
class Rows:
    """Entry k says that slot `slot[k]` stands in row `row[k]` with `coefficient[k]`. `head[r]` is the parent
    whose children row r adds up or bounds, -1 where it links two measures; `slots`: how many there are."""

    row: Ints
    slot: Ints
    coefficient: Floats
    low: Floats
    high: Floats
    head: Ints
    slots: int

    @property
    def public(self) -> Flags:
        """An earlier table told what the row adds up to."""
        return np.asarray((self.head < 0) & (self.low == self.high) & (self.low != 0))

    @property
    def equal(self) -> Flags:
        """A total is the sum of its parts, and not only bounded by them."""
        return np.asarray((self.head >= 0) & (self.low == self.high))

    def of(self, values: Floats) -> Floats:
        """What each row adds up to. Exact for whole numbers below 2⁵³."""
        sums = np.bincount(self.row, self.coefficient * values[self.slot], minlength=len(self.low))
        return np.asarray(sums, dtype=np.float64)

    def size(self, values: Floats) -> Floats:
        """How much each row moves to and fro in adding up: what rounding is relative to."""
        sums = np.bincount(self.row, np.abs(self.coefficient * values[self.slot]), minlength=len(self.low))
        return np.asarray(sums, dtype=np.float64)

    @cached_property
    def matrix(self) -> Any:
        """Rows × slots."""
        return scipy.sparse.csr_array(
            (self.coefficient, (self.row, self.slot)), shape=(len(self.low), self.slots)
        )


@dataclass(frozen=True)
class System:
    """All slots of a problem, quantity after quantity; `cells` of each. Arrays have an entry a slot, but for
    `additive`: of each row, whether the patients behind its children add up. `ties`: slots that are withheld
    together, measure after measure."""

    values: Floats
    whole: Flags
    status: NDArray[np.int8]
    low: Floats
    high: Floats
    cost: Floats
    patients: Ints
    physicians: Ints
    buckets: NDArray[np.uint64]
    largest: Floats
    additive: Flags
    rows: Rows
    ties: tuple[Ints, ...]
    cells: int

    @cached_property
    def exact(self) -> Flags:
        """Rows of counts, which add up exactly."""
        broken = ~self.whole[self.rows.slot] | (self.rows.coefficient != np.rint(self.rows.coefficient))
        return np.asarray(np.bincount(self.rows.row, broken, minlength=len(self.rows.low)) == 0)

    @property
    def free(self) -> Flags:
        """What may be withheld."""
        return np.asarray(self.status != Status.KNOWN)

    @property
    def must(self) -> Flags:
        """What has to be."""
        return np.asarray((self.status == Status.PRIMARY) | (self.status == Status.HELD))

    def closed(self, withheld: Flags) -> Flags:
        """`withheld`, with what is withheld together."""
        withheld = withheld.copy()
        for group in self.ties:
            cells = withheld[group.reshape(-1, self.cells)].any(axis=0)
            withheld[group] |= np.tile(cells, len(group) // self.cells)
        return withheld & self.free


def system_of(problem: TableProblem) -> System:
    """The numbers of `problem`. Raises Contradiction if its values can't stand together, ValueError if it is
    not a table."""
    _check_shape(problem)
    cells, quantities = len(problem.coordinates), problem.quantities
    parents = [_parents(problem, d) for d in range(len(problem.dims))]
    rows, additive = _rows(problem, parents)
    system = System(
        values=np.concatenate([q.values.astype(np.float64) for q in quantities]),
        whole=np.repeat([q.kind is Kind.COUNT for q in quantities], cells),
        status=np.concatenate([q.status.astype(np.int8) for q in quantities]),
        low=np.repeat([q.bounds[0] if q.kind is Kind.MAGNITUDE else 0.0 for q in quantities], cells),
        high=np.repeat([q.bounds[1] for q in quantities], cells),
        cost=np.concatenate([cost_of(q) for q in quantities]),
        patients=np.concatenate([q.patients.astype(np.int64) for q in quantities]),
        physicians=np.concatenate([_physicians(q) for q in quantities]),
        buckets=np.concatenate([_buckets(q) for q in quantities]),
        largest=np.concatenate([_largest(q) for q in quantities]),
        additive=additive,
        rows=rows,
        ties=tuple(_tied(problem, names) for names in problem.together),
        cells=cells,
    )
    _check_values(system)
    return system


# -- rows -------------------------------------------------------------------------------------------------


@dataclass
class _Builder:
    """Rows under construction."""

    row: list[Ints]
    slot: list[Ints]
    coefficient: list[Floats]
    low: list[Floats]
    high: list[Floats]
    head: list[Ints]
    additive: list[Flags]
    count: int = 0

    def sums(self, parent: Ints, child: Ints, equal: bool, adds_up: bool) -> None:
        """Σ child − parent = 0 for each parent, or ≥ 0."""
        heads, index = np.unique(parent, return_inverse=True)
        self._add(np.arange(len(heads)), heads, -1.0)
        self._add(index.reshape(-1), child, 1.0)
        self._close(0.0 if equal else math.inf, heads, adds_up)

    def nothing(self, slots: list[Ints], coefficients: list[float]) -> None:
        """Σ coefficient · slot = 0, cell by cell."""
        for slot, coefficient in zip(slots, coefficients, strict=True):
            self._add(np.arange(len(slot)), slot, coefficient)
        self._close(0.0, np.full(len(slots[0]), -1), False)

    def public(self, slots: Ints, total: float) -> None:
        """Σ slot = total, which is known."""
        self._add(np.zeros(len(slots), dtype=np.int64), slots, 1.0)
        self.low.append(np.full(1, total))
        self.high.append(np.full(1, total))
        self.head.append(np.full(1, -1))
        self.additive.append(np.full(1, True))
        self.count += 1

    def within(self, child: Ints, parent: Ints) -> None:
        """parent − child ≥ 0, pair by pair."""
        self.pairs(parent, 1.0, child, -1.0, head=parent)

    def pairs(self, one: Ints, factor: float, other: Ints, by: float, head: Ints | None = None) -> None:
        """factor · one + by · other ≥ 0, pair by pair."""
        self._add(np.arange(len(one)), one, factor)
        self._add(np.arange(len(one)), other, by)
        self._close(math.inf, np.full(len(one), -1) if head is None else head, False)

    def _add(self, row: Ints, slot: Ints, coefficient: float) -> None:
        self.row.append(self.count + row)
        self.slot.append(slot)
        self.coefficient.append(np.full(len(slot), coefficient))

    def _close(self, high: float, head: Ints, adds_up: bool) -> None:
        count = len(head)
        self.low.append(np.zeros(count))
        self.high.append(np.full(count, high))
        self.head.append(head)
        self.additive.append(np.full(count, adds_up))
        self.count += count


def _rows(problem: TableProblem, parents: list[Ints]) -> tuple[Rows, Flags]:
    empty_ints, empty = np.zeros(0, np.int64), np.zeros(0)
    made = _Builder(
        [empty_ints], [empty_ints], [empty], [empty], [empty], [empty_ints], [np.zeros(0, np.bool_)]
    )
    cells = len(problem.coordinates)
    for q, quantity in enumerate(problem.quantities):
        for tree, parent in zip(problem.dims, parents, strict=True):
            child = np.flatnonzero(parent >= 0)
            equal = tree.partitions or not quantity.distinct
            made.sums(q * cells + parent[child], q * cells + child, equal, tree.partitions)
            if not equal:
                made.within(q * cells + child, q * cells + parent[child])
    for link in problem.links:
        _link(made, problem, link)
    for relation in problem.relations:
        _relation(made, problem, relation)
    for known in problem.sums:
        q = _position(problem, known.name)
        places = np.array(known.cells, dtype=np.int64)
        made.public(q * cells + places, float(problem.quantities[q].values[places].sum()))
    rows = Rows(
        row=np.concatenate(made.row),
        slot=np.concatenate(made.slot),
        coefficient=np.concatenate(made.coefficient),
        low=np.concatenate(made.low),
        high=np.concatenate(made.high),
        head=np.concatenate(made.head),
        slots=cells * len(problem.quantities),
    )
    return rows, np.concatenate(made.additive)


def _link(made: _Builder, problem: TableProblem, link: Link) -> None:
    cells = np.arange(len(problem.coordinates))
    of, by = (_position(problem, name) * len(cells) + cells for name in (link.of, link.by))
    if math.isfinite(link.low):
        made.pairs(of, 1.0, by, -link.low)
    if math.isfinite(link.high):
        made.pairs(by, link.high, of, -1.0)


def _relation(made: _Builder, problem: TableProblem, relation: Relation) -> None:
    """A whole and its parts like a total and its children: of distinct patients each is in one part only."""
    cells = np.arange(len(problem.coordinates))
    slots = {name: _position(problem, name) * len(cells) + cells for name, _ in relation.terms}
    if (whole := relation.whole) is None:
        made.nothing(list(slots.values()), [coefficient for _, coefficient in relation.terms])
        return
    parts = [slots[name] for name in slots if name != whole]
    distinct = all(q.distinct and q.kind is Kind.COUNT for q in problem.quantities if q.name in slots)
    made.sums(np.tile(slots[whole], len(parts)), np.concatenate(parts), True, distinct)


def _position(problem: TableProblem, name: str) -> int:
    return [q.name for q in problem.quantities].index(name)


def _tied(problem: TableProblem, names: tuple[str, ...]) -> Ints:
    cells = np.arange(len(problem.coordinates))
    return np.concatenate([_position(problem, name) * len(cells) + cells for name in names])


def _parents(problem: TableProblem, d: int) -> Ints:
    """Of each cell the cell one level up dimension d, -1 at the root."""
    sizes = tuple(len(tree.parents) for tree in problem.dims)
    keys = np.ravel_multi_index(tuple(problem.coordinates.T), sizes)
    above = np.asarray(problem.dims[d].parents, dtype=np.int64)[problem.coordinates[:, d]]
    coordinates = problem.coordinates.copy()
    coordinates[:, d] = np.maximum(above, 0)
    wanted = np.ravel_multi_index(tuple(coordinates.T), sizes)
    order = np.argsort(keys)
    found = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
    if np.any((keys[found] != wanted) & (above >= 0)):
        raise ValueError("a cell's parent is missing from the table")
    return np.where(above >= 0, found, -1)


# -- what a slot is ---------------------------------------------------------------------------------------


def cost_of(quantity: Quantity) -> Floats:
    """What withholding each number costs. A large number loses more, and takes more around it to hide, since
    its interval grows with it; but ten small numbers are worth more than one of ten times their size."""
    if quantity.cost is not None:
        return quantity.cost.astype(np.float64)
    sizes = np.abs(quantity.values.astype(np.float64))
    if quantity.kind is Kind.MAGNITUDE:
        sizes = quantity.patients.astype(np.float64)
    return np.asarray(1.0 + sizes / 20.0, dtype=np.float64)


def _physicians(quantity: Quantity) -> Ints:
    if quantity.physicians is None:
        return np.full(len(quantity.values), NOT_TOLD, dtype=np.int64)
    return quantity.physicians.astype(np.int64)


def _buckets(quantity: Quantity) -> NDArray[np.uint64]:
    if quantity.physician_buckets is None:
        return np.zeros(len(quantity.values), dtype=np.uint64)
    return quantity.physician_buckets.astype(np.uint64)


def _largest(quantity: Quantity) -> Floats:
    if quantity.largest is None:
        return np.zeros(len(quantity.values))
    return np.abs(quantity.largest.astype(np.float64))


# -- checks -----------------------------------------------------------------------------------------------


def _check_shape(problem: TableProblem) -> None:
    cells = len(problem.coordinates)
    if problem.coordinates.shape != (cells, len(problem.dims)) or not problem.quantities or not cells:
        raise ValueError("a table has cells, coordinates in each dimension and at least one measure")
    if any(length != cells for quantity in problem.quantities for length in _lengths(quantity)):
        raise ValueError("every measure has a value, a status and contributors for each cell")
    if any(not _is_tree(tree.parents) for tree in problem.dims):
        raise ValueError("in a tree of codes the root stands first and parents before their children")
    if len(np.unique(problem.coordinates, axis=0)) != cells:
        raise ValueError("a cell stands in the table twice")


def _lengths(quantity: Quantity) -> Iterator[int]:
    optional = (quantity.physicians, quantity.physician_buckets, quantity.largest, quantity.cost)
    for array in (quantity.values, quantity.status, quantity.patients, *optional):
        if array is not None:
            yield len(array)


def _is_tree(parents: tuple[int, ...]) -> bool:
    return bool(parents) and parents[0] == -1 and all(0 <= p < i for i, p in enumerate(parents[1:], start=1))


def _check_values(system: System) -> None:
    values, rows = system.values, system.rows
    if not np.isfinite(values).all():
        raise Contradiction("a value is not a finite number")
    if np.any(system.whole & (values != np.rint(values))):
        raise Contradiction("a count is not whole")
    if np.any((values < system.low) | (values > system.high)):
        raise Contradiction("a value is outside its own bounds")
    sums, slack = rows.of(values), np.where(system.exact, 0.0, _TOLERANCE * rows.size(values))
    if np.any((sums < rows.low - slack) | (sums > rows.high + slack)):
        raise Contradiction("a total is not what its parts allow")
