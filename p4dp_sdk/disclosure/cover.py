"""Chooses what to withhold by boxes: slot after slot the cheapest that makes it uncertain enough, until none
is left. Pure.

What a box takes along has to be hidden in its turn. The boxes are witnesses already, so that little is left
to prove afterwards; some slots may be left over that no box reaches.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from p4dp_sdk.disclosure.audit import Audit, Witness, check
from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Limits, TableProblem
from p4dp_sdk.disclosure.search import WITHHELD_ALREADY, Search

_MOST: Final = 30_000  # witnesses looked for: several times what a table of 6,000 cells takes
_DOWN, _UP = 0, 1


class Cover:
    """A pattern that grows, with what proves it so far."""

    def __init__(self, problem: TableProblem, system: System, limits: Limits, withheld: Flags) -> None:
        self._system, self._limits = system, limits
        self.search = Search(problem, system, limits)
        self._required, self._left = self.search.required, _MOST
        self._lowest, self._highest = np.zeros(len(withheld)), np.zeros(len(withheld))
        self._price = np.where(system.free, system.cost, np.inf)
        self.withheld = np.zeros(len(withheld), dtype=np.bool_)
        self.found: list[Witness] = []
        self._waiting: list[int] = []
        self.withhold(withheld)

    def hide(self, slots: Iterable[int] = ()) -> Audit:
        """Boxes for `slots` and for all that was withheld since; what they prove. After so many no more are
        looked for."""
        self._waiting += slots
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            sensitive, values = self._required.sensitive, self._system.values
            for slot in sorted(waiting, key=lambda slot: (not sensitive[slot], values[slot])):
                self._hide(slot)
        return check(self._system, self._limits, self.withheld, self.found)

    def withhold(self, slots: Flags) -> None:
        grown = self._system.closed(self.withheld | slots)
        self._waiting += np.flatnonzero(grown & ~self.withheld).tolist()
        self._price[grown] = WITHHELD_ALREADY
        self.withheld = grown

    def _hide(self, slot: int) -> None:
        """Down and up; a width either way."""
        if self._required.width[slot]:
            if width := self._lacking(slot, _UP):
                any(self._move(slot, move) for move in (width, -width))
            return
        for way in (_DOWN, _UP):
            if move := self._lacking(slot, way):
                self._move(slot, move)

    def _lacking(self, slot: int, way: int) -> float:
        value, required = self._system.values[slot], self._required
        low, high = self._lowest[slot], self._highest[slot]
        if required.width[slot]:
            return float(max(required.width[slot] - high + low, 0.0) and required.width[slot] + low)
        if way == _DOWN:
            return float(required.low[slot] - value) if value + low > required.low[slot] else 0.0
        return float(required.high[slot] - value) if value + high < required.high[slot] else 0.0

    def _move(self, slot: int, move: float) -> bool:
        self._left -= 1
        witness = self.search.witness(slot, move, self._price) if self._left >= 0 else None
        return witness is not None and self.take(witness)

    def take(self, witness: Witness) -> bool:
        self.found.append(witness)
        slots = witness.slots
        self._lowest[slots] = np.minimum(self._lowest[slots], witness.moves)
        self._highest[slots] = np.maximum(self._highest[slots], witness.moves)
        new = slots[~self.withheld[slots]]
        if len(new):
            more = np.zeros(len(self.withheld), dtype=np.bool_)
            more[new] = True
            self.withhold(more)
        return True
