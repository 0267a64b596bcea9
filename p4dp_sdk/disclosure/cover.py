"""Chooses what to withhold by boxes: slot after slot the cheapest that makes it uncertain enough, until none
is left. Pure.

What a box takes along has to be hidden in its turn. The boxes are witnesses already, so that little is left
to prove afterwards; some slots may be left over that no box reaches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np

from p4dp_sdk.disclosure.audit import Audit, Requirement, Witness, check, required_of
from p4dp_sdk.disclosure.boxes import Boxes, Terms, Units
from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Floats, Limits, TableProblem

_WITHHELD_ALREADY: Final = 0.01  # what moving a withheld slot costs: short boxes first
_STEPS: Final = 12  # boxes that make up one witness
_DOWN, _UP = 0, 1

Tired = Callable[[], bool]  # whether the time is up


def never() -> bool:
    return False


class Cover:
    """A pattern that grows, with what proves it so far."""

    def __init__(self, problem: TableProblem, system: System, limits: Limits, withheld: Flags) -> None:
        self._system, self._limits = system, limits
        self._boxes = Boxes(problem, system) if Boxes.fit(problem) else None
        self._required: Requirement = required_of(system, limits)
        self._known = self._required.insiders.knows.sum(axis=0)
        self._lowest, self._highest = np.zeros(len(withheld)), np.zeros(len(withheld))
        self._price = np.where(system.free, system.cost, np.inf)
        self.withheld = np.zeros(len(withheld), dtype=np.bool_)
        self.found: list[Witness] = []
        self._waiting: list[int] = []
        self.withhold(withheld)

    def hide(self, slots: Iterable[int] = (), tired: Tired = never) -> Audit:
        """Boxes for `slots` and for all that was withheld since; what they prove. Once `tired`, no more is
        looked for."""
        self._waiting += slots
        while self._waiting and self._boxes is not None:
            waiting, self._waiting = self._waiting, []
            sensitive, values = self._required.sensitive, self._system.values
            for slot in sorted(waiting, key=lambda slot: (not sensitive[slot], values[slot])):
                if not tired():
                    self._hide(self._boxes, slot)
        return check(self._system, self._limits, self.withheld, self.found)

    def withhold(self, slots: Flags) -> None:
        grown = self._system.closed(self.withheld | slots)
        self._waiting += np.flatnonzero(grown & ~self.withheld).tolist()
        self._price[grown] = _WITHHELD_ALREADY
        self.withheld = grown

    def _hide(self, boxes: Boxes, slot: int) -> None:
        """Down and up; a width either way."""
        if self._required.width[slot]:
            if width := self._lacking(slot, _UP):
                any(self._move(boxes, slot, move) for move in (width, -width))
            return
        for way in (_DOWN, _UP):
            if move := self._lacking(slot, way):
                self._move(boxes, slot, move)

    def _lacking(self, slot: int, way: int) -> float:
        value, required = self._system.values[slot], self._required
        low, high = self._lowest[slot], self._highest[slot]
        if required.width[slot]:
            return float(max(required.width[slot] - high + low, 0.0) and required.width[slot] + low)
        if way == _DOWN:
            return float(required.low[slot] - value) if value + low > required.low[slot] else 0.0
        return float(required.high[slot] - value) if value + high < required.high[slot] else 0.0

    def _move(self, boxes: Boxes, slot: int, move: float) -> bool:
        for still in self._stills(slot, move):
            price = np.where(still, np.inf, self._price)
            price[slot] = _WITHHELD_ALREADY
            for units in self._units(boxes, slot, move):
                witness = boxes.cheapest(slot, Terms(units, 1.0, price))
                if witness is not None:
                    return self.take(witness)
            if self._step_by_step(boxes, slot, move, price):
                return True
        return False

    def _step_by_step(self, boxes: Boxes, slot: int, move: float, price: Floats) -> bool:
        """One box after the other, each as far as it goes."""
        moved, left, price = None, abs(move), price.copy()
        for _ in range(_STEPS):
            witness = self._step(boxes, slot, math.copysign(left, move), price, moved)
            if witness is None:
                return False
            moved = witness if moved is None else _sum(moved, witness)
            price[witness.slots] = np.minimum(price[witness.slots], _WITHHELD_ALREADY)
            left = abs(move) - abs(float(moved.moves[np.searchsorted(moved.slots, slot)]))
            if left <= 0:
                return self.take(moved)
        return False

    def _step(
        self, boxes: Boxes, slot: int, move: float, price: Floats, moved: Witness | None
    ) -> Witness | None:
        """A part of `move`, of the slot alone or with another measure of its cell."""
        quantity, unit = slot // self._system.cells, math.copysign(1.0, move)
        standing = boxes.rooms.standing(moved)
        others = range(len(self._system.values) // self._system.cells)
        for units in ({quantity: unit}, *({quantity: unit, o: unit} for o in others if o != quantity)):
            witness = boxes.cheapest(slot, Terms(units, abs(move), price, partly=True), standing)
            if witness is not None:
                return witness
        return None

    def _stills(self, slot: int, move: float) -> Iterator[Flags]:
        """What insiders other than those of the slot itself know, if that can stand still."""
        if self._required.sensitive[slot] and self._known.any():
            insiders = self._required.insiders
            own = (insiders.own if move > 0 else insiders.above)[:, slot]
            yield (self._known - insiders.knows[own].sum(axis=0)) > 0
        yield np.zeros(len(self.withheld), dtype=np.bool_)

    def _units(self, boxes: Boxes, slot: int, move: float) -> Iterator[Units]:
        """The slot alone; or with another measure of its cell."""
        quantity, cell = divmod(slot, self._system.cells)
        if boxes.rooms.ties({quantity: move})[0][cell] >= 1:
            yield {quantity: move}
        for other in range(len(self._system.values) // self._system.cells):
            if other != quantity:
                beside = other * self._system.cells + cell
                for much in dict.fromkeys((move, float(-self._system.values[beside]), -move)):
                    if much and boxes.rooms.ties({quantity: move, other: much})[0][cell] >= 1:
                        yield {quantity: move, other: much}

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


def _sum(one: Witness, other: Witness) -> Witness:
    slots, index = np.unique(np.concatenate([one.slots, other.slots]), return_inverse=True)
    moves = np.bincount(index.reshape(-1), np.concatenate([one.moves, other.moves]))
    return Witness(slots[moves != 0], moves[moves != 0])
