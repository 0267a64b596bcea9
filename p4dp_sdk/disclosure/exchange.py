"""Codes that nobody has, of one parent: as alike as can be, so that one of them stands for all. Pure.

Code lists are longer than what is in them. A table by all codes holds a thousand zeros, each of which must be
as uncertain as the others, and whatever is possible of one is possible of each: exchange the two codes, and
the table is the same. `reduced` leaves one of them; `expanded` copies what was proved of it to the others.
Whoever relies on the copies checks them (`audit.check`), as any other witness.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from p4dp_sdk.disclosure.audit import Witness
from p4dp_sdk.disclosure.hypercube import Flags, Ints, Quantity, Status, TableProblem, Tree

_COPIES: Final = 6  # witnesses of one slot that are copied: several, since an insider rules some of them out


@dataclass(frozen=True)
class Reduction:
    """`problem` without the codes that others stand for. `stands[d][code]`: which code of dimension d stands
    for it in the whole problem. `kept`: the cells of the whole problem that are left."""

    whole: TableProblem
    problem: TableProblem
    stands: tuple[Ints, ...]
    kept: Ints


def reduced(problem: TableProblem) -> Reduction | None:
    """None where every code stands for itself."""
    empty = _empty_cells(problem)
    stands = tuple(_stands(tree, problem.coordinates[:, d], empty) for d, tree in enumerate(problem.dims))
    alone = [code == np.arange(len(code)) for code in stands]
    if problem.sums or all(one.all() for one in alone):
        return None
    cells = [one[problem.coordinates[:, d]] for d, one in enumerate(alone)]
    kept = np.flatnonzero(np.logical_and.reduce(cells))
    numbers = [np.cumsum(one) - 1 for one in alone]
    coordinates = [number[problem.coordinates[kept, d]] for d, number in enumerate(numbers)]
    smaller = replace(
        problem,
        dims=tuple(map(_tree, problem.dims, alone, numbers)),
        coordinates=np.stack(coordinates, axis=1).astype(np.int64),
        quantities=tuple(_quantity(quantity, kept) for quantity in problem.quantities),
    )
    return Reduction(problem, smaller, stands, kept)


def expanded(
    reduction: Reduction, withheld: Flags, witnesses: Sequence[Witness]
) -> tuple[Flags, tuple[Witness, ...]]:
    """The pattern and its witnesses for the whole problem: what nobody has is withheld everywhere."""
    cells, count = len(reduction.whole.coordinates), len(reduction.whole.quantities)
    whole = np.zeros((count, cells), dtype=np.bool_)
    whole[:, reduction.kept] = withheld.reshape(count, -1)
    gone = np.setdiff1d(np.arange(cells), reduction.kept)
    whole[:, gone] = True
    found = tuple(Witness(_slots_of_whole(reduction, w.slots), w.moves) for w in witnesses)
    return whole.ravel(), (*found, *_copies(reduction, found, gone))


# -- which codes are alike --------------------------------------------------------------------------------


def _empty_cells(problem: TableProblem) -> Flags:
    """Nothing is in them, and they are withheld for it, in every measure."""
    nothing = [
        (q.values == 0) & (q.patients == 0) & (q.status == Status.PRIMARY) & _nothing_known(q)
        for q in problem.quantities
    ]
    return np.asarray(np.logical_and.reduce(nothing))


def _nothing_known(quantity: Quantity) -> Any:
    facts = (quantity.physicians, quantity.physician_buckets, quantity.largest)
    return np.logical_and.reduce([quantity.values == 0, *(fact == 0 for fact in facts if fact is not None)])


def _stands(tree: Tree, codes: Ints, empty: Flags) -> Ints:
    """The first code of a parent that has no children and nobody, for the others that don't either."""
    used = np.bincount(codes[~empty], minlength=len(tree.parents)) > 0
    parents = np.array(tree.parents)
    bare = ~used & ~np.isin(np.arange(len(parents)), parents) & (parents >= 0)
    stands = np.arange(len(parents))
    for parent in np.unique(parents[bare]):
        alike = np.flatnonzero(bare & (parents == parent))
        stands[alike] = alike[0]
    return stands


def _tree(tree: Tree, alone: Flags, numbers: Ints) -> Tree:
    parents = [p if p < 0 else int(numbers[p]) for p, one in zip(tree.parents, alone, strict=True) if one]
    return replace(tree, parents=tuple(parents))


def _quantity(quantity: Quantity, kept: Ints) -> Quantity:
    optional: dict[str, Any] = {
        name: None if (array := getattr(quantity, name)) is None else array[kept]
        for name in ("physicians", "physician_buckets", "largest", "cost")
    }
    return replace(
        quantity,
        values=quantity.values[kept],
        status=quantity.status[kept],
        patients=quantity.patients[kept],
        **optional,
    )


# -- what is proved of one ----------------------------------------------------------------------------------


def _slots_of_whole(reduction: Reduction, slots: Ints) -> Ints:
    """Slots of the reduced problem, as those of the whole. Order is kept."""
    measure, cell = np.divmod(slots, len(reduction.kept))
    return np.asarray(measure * len(reduction.whole.coordinates) + reduction.kept[cell])


def _copies(reduction: Reduction, witnesses: Sequence[Witness], gone: Ints) -> Iterator[Witness]:
    whole = reduction.whole
    cells, places = len(whole.coordinates), _Places(whole)
    of_slot = _raising(witnesses)
    for cell in gone:
        code = whole.coordinates[cell]
        stand = np.array([stands[c] for stands, c in zip(reduction.stands, code, strict=True)])
        first = int(places.of(stand[None, :])[0])
        for measure in range(len(whole.quantities)):
            for witness in of_slot.get(measure * cells + first, ()):
                at, moved = np.divmod(witness.slots, cells)
                turned = whole.coordinates[moved]
                slots = at * cells + places.of(np.where(turned == stand, code, turned))
                order = np.argsort(slots)
                yield Witness(slots[order], witness.moves[order])


def _raising(witnesses: Sequence[Witness]) -> dict[int, list[Witness]]:
    """For each slot some witnesses that raise it most, the shortest first."""
    found: dict[int, list[tuple[float, int, int]]] = {}
    for number, witness in enumerate(witnesses):
        for slot, move in zip(witness.slots.tolist(), witness.moves.tolist(), strict=True):
            if move > 0:
                found.setdefault(slot, []).append((-move, len(witness.slots), number))
    return {
        slot: _several([witnesses[number] for *_, number in sorted(each)]) for slot, each in found.items()
    }


def _several(ordered: Sequence[Witness]) -> list[Witness]:
    """The first few; and for each slot that these share, the first that does without it, if one does: an
    insider of that slot rules out the others."""
    chosen = list(ordered[:_COPIES])
    shared = frozenset(ordered[0].slots.tolist()).intersection(*(w.slots.tolist() for w in chosen))
    for witness in ordered[_COPIES:]:
        if not shared <= (own := set(witness.slots.tolist())):
            chosen.append(witness)
            shared &= own
    return chosen


class _Places:
    """Where a cell stands, by its codes."""

    def __init__(self, problem: TableProblem) -> None:
        self._sizes = tuple(len(tree.parents) for tree in problem.dims)
        keys = self._keys(problem.coordinates)
        self._order = np.argsort(keys)
        self._keys_sorted = keys[self._order]

    def of(self, coordinates: Ints) -> Ints:
        return np.asarray(self._order[np.searchsorted(self._keys_sorted, self._keys(coordinates))])

    def _keys(self, coordinates: Ints) -> NDArray[np.int64]:
        return np.asarray(np.ravel_multi_index(tuple(coordinates.T), self._sizes), dtype=np.int64)
