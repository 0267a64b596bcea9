"""Finds a witness for one slot by boxes: one that goes far enough, or one after the other. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from p4dp_sdk.disclosure.audit import Requirement, Witness, required_of
from p4dp_sdk.disclosure.boxes import Boxes, Terms
from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Floats, Limits, TableProblem
from p4dp_sdk.disclosure.rooms import Units

WITHHELD_ALREADY: Final = 0.01  # what moving a withheld slot costs: short boxes first
_STEPS: Final = 12  # boxes that make up one witness


class Search:
    """Witnesses of one table."""

    def __init__(self, problem: TableProblem, system: System, limits: Limits) -> None:
        self._system = system
        self._boxes = Boxes(problem, system) if Boxes.fit(problem) else None
        self.required: Requirement = required_of(system, limits)
        self._known = self.required.insiders.knows.sum(axis=0)

    def witness(self, slot: int, move: float, price: Floats) -> Witness | None:
        """What moves `slot` by `move` and costs little (infinite: it stands still); better one that serves
        against all insiders at once. None where no boxes do."""
        for still in self._stills(slot, move):
            witness = self._within(slot, move, self._open(slot, still, price))
            if witness is not None:
                return witness
        return None

    def against_all(self, slot: int, move: float, price: Floats) -> Witness | None:
        """One that serves against all insiders at once."""
        still = next(self._stills(slot, move))
        return self._within(slot, move, self._open(slot, still, price))

    def _within(self, slot: int, move: float, price: Floats) -> Witness | None:
        if (boxes := self._boxes) is None:
            return None
        return self._box(boxes, slot, move, price) or self._step_by_step(boxes, slot, move, price)

    def _open(self, slot: int, still: Flags, price: Floats) -> Floats:
        price = np.where(still, np.inf, price)
        price[slot] = WITHHELD_ALREADY
        return price

    def _box(self, boxes: Boxes, slot: int, move: float, price: Floats) -> Witness | None:
        for units in self._units(boxes, slot, move):
            witness = boxes.cheapest(slot, Terms(units, 1.0, price))
            if witness is not None:
                return witness
        return None

    def _step_by_step(self, boxes: Boxes, slot: int, move: float, price: Floats) -> Witness | None:
        """One box after the other, each as far as it goes."""
        moved, left, price = None, abs(move), price.copy()
        for _ in range(_STEPS):
            witness = self._step(boxes, slot, math.copysign(left, move), price, moved)
            if witness is None:
                return None
            moved = witness if moved is None else _sum(moved, witness)
            price[witness.slots] = np.minimum(price[witness.slots], WITHHELD_ALREADY)
            left = abs(move) - abs(float(moved.moves[np.searchsorted(moved.slots, slot)]))
            if left <= 0:
                return moved
        return None

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
        if self.required.sensitive[slot] and self._known.any():
            insiders = self.required.insiders
            own = (insiders.own if move > 0 else insiders.above)[:, slot]
            yield (self._known - insiders.knows[own].sum(axis=0)) > 0
        yield np.zeros(len(self._known), dtype=np.bool_)

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


def _sum(one: Witness, other: Witness) -> Witness:
    slots, index = np.unique(np.concatenate([one.slots, other.slots]), return_inverse=True)
    moves = np.bincount(index.reshape(-1), np.concatenate([one.moves, other.moves]))
    return Witness(slots[moves != 0], moves[moves != 0])
