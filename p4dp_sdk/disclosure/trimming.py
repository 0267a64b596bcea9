"""Shows again what was withheld beside primary slots and isn't needed. Pure.

A pattern that grew slot by slot holds what later ones made superfluous. One secondary slot after the other is
taken out on trial, with the witnesses that move it, and with secondary slots that have none without it: if
all that stays withheld has one, of those that are left or found anew among withheld slots, they are shown.
Whoever uses the result audits it as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from p4dp_sdk.disclosure.audit import Audit, Requirement, Witness, check, exposed
from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Ints, Limits
from p4dp_sdk.disclosure.search import WITHHELD_ALREADY, Search

# Whole cells or one measure alone, and how many witnesses are looked for anew: ever more
_ROUNDS: Final = ((False, 0), (False, 1), (False, 3), (False, 8), (True, 8))
_AT_ONCE: Final = 60  # slots shown together, where one needs the other only
_LARGEST: Final = 50_000_000  # entries of needs × readers


def trimmed(system: System, limits: Limits, search: Search, state: Audit, searches: int) -> Audit:
    """The proof of a smaller pattern, or the same; witnesses are looked for `searches` times at most."""
    required = search.required
    if 2 * len(system.values) * (1 + len(required.insiders.own)) > _LARGEST:
        return state
    trial = _Trial(system, limits, search, state, searches)
    for alone, most in _ROUNDS:
        for slots in trial.secondary(alone):
            trial.show(slots, most)
    smaller = check(system, limits, trial.withheld, trial.proof.witnesses)
    return smaller if smaller.is_proof else state


@dataclass(frozen=True)
class _Served:
    """What one witness is good for: which needs, and against which readers (1: it serves)."""

    witness: Witness
    needs: Ints
    readers: Ints


class _Proof:
    """Witnesses, and how many serve each need against each reader: a stranger first, then the insiders."""

    def __init__(self, system: System, required: Requirement) -> None:
        self._system, self._required, self._knows = system, required, required.insiders.knows
        self._down = np.flatnonzero(required.low < system.values)
        self._up = np.flatnonzero(required.high > system.values)
        self.slots: Ints = np.concatenate([self._down, self._up])
        self._numbers = [np.full(len(system.values), -1), np.full(len(system.values), -1)]
        self._numbers[0][self._down] = np.arange(len(self._down))
        self._numbers[1][self._up] = len(self._down) + np.arange(len(self._up))
        self.asked = self._asked()
        self.served = np.zeros(self.asked.shape, dtype=np.int32)
        self._through: list[dict[int, float]] = [{} for _ in system.values]
        self._all: list[_Served] = []

    def _asked(self) -> Flags:
        insiders, sensitive = self._required.insiders, self._required.sensitive
        by = np.concatenate([~insiders.above[:, self._down], ~insiders.own[:, self._up]], axis=1).T
        return np.concatenate([np.ones((len(by), 1), np.bool_), by & sensitive[self.slots][:, None]], axis=1)

    @property
    def witnesses(self) -> list[Witness]:
        alive = sorted(set().union(*self._through))
        return [self._all[number].witness for number in alive]

    def move_of(self, need: int) -> float:
        slot = self.slots[need]
        wanted = self._required.low if need < len(self._down) else self._required.high
        return float(wanted[slot] - self._system.values[slot])

    def add(self, witness: Witness) -> None:
        slots, table = witness.slots, self._system.values[witness.slots] + witness.moves
        low, high = (numbers[slots] for numbers in self._numbers)
        low = low[(low >= 0) & (table <= self._required.low[slots])]
        high = high[(high >= 0) & (table >= self._required.high[slots])]
        readers = np.concatenate([[1], ~self._knows[:, slots].any(axis=1)]).astype(np.int64)
        self._all.append(_Served(witness, np.concatenate([low, high]), readers))
        self.again([len(self._all) - 1])

    def again(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            one = self._all[number]
            self.served[one.needs] += one.readers
            slots, moves = one.witness.slots.tolist(), one.witness.moves.tolist()
            for slot, move in zip(slots, moves, strict=True):
                self._through[slot][number] = move

    def without(self, slots: Ints) -> list[int]:
        """Leaves out the witnesses that move one of `slots`."""
        gone = sorted(set().union(*(self._through[slot] for slot in slots.tolist())))
        for number in gone:
            one = self._all[number]
            self.served[one.needs] -= one.readers
            for slot in one.witness.slots.tolist():
                del self._through[slot][number]
        return gone

    def lacking(self, gone: Sequence[int], withheld: Flags) -> list[tuple[int, float]]:
        """Withheld slots that these witnesses served and that no other serves enough; and how they lack."""
        if not gone:
            return []
        needs = np.unique(np.concatenate([self._all[number].needs for number in gone]))
        needs = needs[withheld[self.slots[needs]]]
        needs = needs[((self.served[needs] == 0) & self.asked[needs]).any(axis=1)]
        found = [(int(self.slots[need]), self.move_of(int(need))) for need in needs]
        touched = np.unique(np.concatenate([self._all[number].witness.slots for number in gone]))
        width = self._required.width
        narrow = touched[withheld[touched] & (width[touched] > 0)]
        return found + [(int(s), float(width[s])) for s in narrow if self._reach(int(s)) < width[s]]

    def _reach(self, slot: int) -> float:
        moves = [0.0, *self._through[slot].values()]
        return max(moves) - min(moves)


class _Trial:
    """A pattern that shrinks."""

    def __init__(self, system: System, limits: Limits, search: Search, state: Audit, searches: int) -> None:
        self._system, self._limits, self._search, self._left = system, limits, search, searches
        self.withheld = state.withheld.copy()
        self.proof = _Proof(system, search.required)
        for witness in state.witnesses:
            self.proof.add(witness)
        self._of = _measures(system)
        self._whole = np.where(system.must, WITHHELD_ALREADY, system.cost)
        self._price = np.where(self.withheld, self._whole, np.inf)

    def secondary(self, alone: bool) -> Iterator[Ints]:
        """What may be shown again, dearest first: all measures of a cell, or one `alone` with those that are
        withheld together with it."""
        candidates = np.flatnonzero(self.withheld & ~self._system.must)
        for slot in candidates[np.argsort(-self._system.cost[candidates], kind="stable")]:
            together = self._together(int(slot), alone)
            if self.withheld[slot] and not self._system.must[together].any():
                yield together

    def _together(self, slot: int, alone: bool = True) -> Ints:
        cells, of = self._system.cells, self._of
        measures = np.flatnonzero(of == of[slot // cells]) if alone else np.arange(len(of))
        together = measures * cells + slot % cells
        return together[self.withheld[together]]

    def show(self, slots: Ints, most: int) -> bool:
        """Whether `slots` can be shown, with so many new witnesses, and with secondary slots that would lack
        one; if so, they are."""
        taken, gone = np.zeros(0, dtype=np.int64), list[int]()
        left: Ints | None = slots
        while left is not None and len(left) and len(taken) < _AT_ONCE:
            taken = np.concatenate([taken, left])
            self.withheld[left], self._price[left] = False, np.inf
            gone += self.proof.without(left)
            left, most = self._stuck(gone, most)
        shown = left is not None and not len(left)
        if not shown or exposed(self._system, self._limits, self.withheld):
            self.proof.again(gone)
            self.withheld[taken], self._price[taken] = True, self._whole[taken]
            return False
        return True

    def _stuck(self, gone: Sequence[int], most: int) -> tuple[Ints | None, int]:
        """What has to be shown too, where these witnesses are missed and none is found anew; None where that
        can't be shown. And how many may still be looked for."""
        lacking = self.proof.lacking(gone, self.withheld)
        must = self._system.must
        if len({slot for slot, _ in lacking if must[slot]}) > most:
            return None, most
        more = np.zeros(len(must), dtype=np.bool_)
        for slot, move in lacking:
            if more[slot]:
                continue
            witness = self._anew(slot, move) if min(most, self._left) > 0 else None
            most -= 1
            if witness is not None:
                self.proof.add(witness)
            elif must[together := self._together(slot)].any():
                return None, most
            else:
                more[together] = True
        if not more.any() and self.proof.lacking(gone, self.withheld):
            return None, most
        return np.flatnonzero(more), most

    def _anew(self, slot: int, move: float) -> Witness | None:
        self._left -= 1
        ways = (move, -move) if self._search.required.width[slot] else (move,)
        found = (self._search.against_all(slot, way, self._price) for way in ways)
        return next((one for one in found if one is not None), None)


def _measures(system: System) -> Ints:
    """A number for each measure, the same for those that are withheld together."""
    of = np.arange(len(system.values) // system.cells)
    for tied in system.ties:
        numbers = of[np.unique(tied // system.cells)]
        of[np.isin(of, numbers)] = numbers.min()
    return of
