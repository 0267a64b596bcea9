"""Boxes: small whole-numbered moves of a table that leave its totals as they are. Pure.

Take a slot, and in each dimension along which values add up another code under the same parent: of the slots
at the corners every second goes up by as much as the others go down (Repsilber 1994; Giessing & Repsilber, in
Inference Control in Statistical Databases, Springer 2002: the hypercube method). Where a parent only bounds
its children, a slot may move alone as far as there is room. A code that has children takes one leaf of each
level below along. All choices of one slot are looked at at once, so that a table of thousands of withheld
slots takes a second, where linear programs take minutes; what no box reaches is left to them.

A box is a suggestion like any other move: `audit` decides what it proves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, assert_never

import numpy as np

from p4dp_sdk.disclosure.audit import Witness
from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Floats, Ints, TableProblem
from p4dp_sdk.disclosure.rooms import ROUNDING, Rooms, Standing, Units

_CHOICES: Final = 12  # codes tried in one dimension: those that cost least on the axis
_TRIES: Final = 6  # boxes looked at more closely, before the slot is given up
_LEAVES, _LEAVES_AGAINST = 6, 2  # tried below a code that has children, and below one that it moves against
_LARGEST_GRID: Final = 20_000_000


class _Way(IntEnum):
    """How a box goes along one dimension."""

    STAYS = 0
    MOVES = 1  # one that does not add up, with parents or against another code
    ADDS = 2


@dataclass(frozen=True)
class Steps:
    """Ways to move along one dimension, one a row: which codes, and which way (0: fewer than the longest).
    The code that everything starts from stands first."""

    codes: Ints
    signs: Ints

    def at(self, chosen: Ints) -> Steps:
        return Steps(self.codes[chosen], self.signs[chosen])

    @property
    def stay(self) -> Steps:
        return _alone(int(self.codes[0, 0]))


@dataclass(frozen=True)
class Terms:
    """What is wanted: `most` times the units, and what each slot costs (infinite: it stands still)."""

    units: Units
    most: float
    price: Floats
    partly: bool = False  # less will do


@dataclass(frozen=True)
class _Room:
    """How far each slot may go up and down, and the measures of each cell one way and the other."""

    up: Floats
    down: Floats
    one_way: Floats
    other_way: Floats


class Boxes:
    """All boxes of one table."""

    def __init__(self, problem: TableProblem, system: System) -> None:
        self._coordinates, self._cells = problem.coordinates, system.cells
        self._sizes = tuple(len(tree.parents) for tree in problem.dims)
        self._strides = [math.prod(self._sizes[d + 1 :]) for d in range(len(self._sizes))]
        self._place = np.full(math.prod(self._sizes), -1, dtype=np.int64)
        self._place[self._coordinates @ np.array(self._strides, dtype=np.int64)] = np.arange(self._cells)
        sizes = np.abs(system.values[: self._cells])
        self._trees = [Codes(tree.parents, self._margin(d, sizes)) for d, tree in enumerate(problem.dims)]
        self._adds = [
            np.array([tree.partitions or not quantity.distinct for tree in problem.dims], dtype=np.bool_)
            for quantity in problem.quantities
        ]
        self.rooms = Rooms(system, problem)
        self._along: dict[tuple[int, int, _Way], Steps] = {}

    @staticmethod
    def fit(problem: TableProblem) -> bool:
        """The table is not too large for its cells to be found by their codes."""
        return math.prod(len(tree.parents) for tree in problem.dims) <= _LARGEST_GRID

    def _margin(self, d: int, sizes: Floats) -> Floats:
        """How much there is of each code of a dimension, all others put together."""
        where = self._place[np.arange(self._sizes[d]) * self._strides[d]]
        return np.where(where >= 0, sizes[np.maximum(where, 0)], 0.0)

    def cheapest(self, slot: int, terms: Terms, standing: Standing | None = None) -> Witness | None:
        """The box that moves `slot` as wanted and costs least; None where there is none."""
        codes = self._coordinates[slot % self._cells]
        adds = np.logical_or.reduce([self._adds[quantity] for quantity in terms.units])
        ties = self.rooms.ties(terms.units, standing)
        for steps, moving in self._ways([int(code) for code in codes], adds):
            closed = tuple(sorted({*moving, *np.flatnonzero(adds).tolist()}))
            room = _Room(*self.rooms.alone(closed, standing), *ties)
            if np.isfinite(self._scored([one.stay for one in steps], terms, room)[0]).all():
                witness = self._best(steps, terms, room, standing)
                if witness is not None:
                    return witness
        return None

    # --- which boxes there are -----------------------------------------------------------------------------

    def _ways(self, codes: list[int], adds: Flags) -> Iterator[tuple[list[Steps], tuple[int, ...]]]:
        """With nothing moved along the dimensions that don't add up; then along one of them, along two…"""
        bounded = [d for d, code in enumerate(codes) if not adds[d] and len(self._trees[d]) > 1]
        for count in range(len(bounded) + 1):
            for moving in itertools.combinations(bounded, count):
                steps = [
                    self._steps(d, code, _Way.ADDS if adds[d] else _Way(d in moving))
                    for d, code in enumerate(codes)
                ]
                yield steps, moving

    def _steps(self, d: int, code: int, way: _Way) -> Steps:
        key = (d, code, way)
        if key not in self._along:
            match way:
                case _Way.STAYS:
                    self._along[key] = _alone(code)
                case _Way.MOVES:
                    self._along[key] = self._trees[d].loose(code)
                case _Way.ADDS:
                    self._along[key] = self._trees[d].steps(code)
                case _:
                    assert_never(way)
        return self._along[key]

    # --- what they cost ------------------------------------------------------------------------------------

    def _best(
        self, steps: list[Steps], terms: Terms, room: _Room, standing: Standing | None
    ) -> Witness | None:
        fewer = [self._fewer(d, steps, terms, room) for d in range(len(steps))]
        scores, far = self._scored(fewer, terms, room)
        for number in np.argsort(scores, axis=None, kind="stable")[:_TRIES]:
            if not np.isfinite(scores.ravel()[number]):
                return None
            chosen = np.unravel_index(int(number), scores.shape)
            box = [one.at(np.array([c])) for one, c in zip(fewer, chosen, strict=True)]
            witness = self._witness(box, terms.units, float(far[chosen]))
            if self.rooms.allow(witness, standing):
                return witness
        return None

    def _fewer(self, d: int, steps: Sequence[Steps], terms: Terms, room: _Room) -> Steps:
        """Those that cost least while all other codes stay."""
        if len(steps[d].codes) <= _CHOICES:
            return steps[d]
        line = [one if other == d else one.stay for other, one in enumerate(steps)]
        order = np.argsort(self._scored(line, terms, room)[0], axis=None, kind="stable")
        return steps[d].at(order[:_CHOICES])

    def _scored(self, steps: Sequence[Steps], terms: Terms, room: _Room) -> tuple[Floats, Floats]:
        """What each choice of a step in each dimension costs (infinite: it does not go far enough), and how
        far it goes. Of those that go a part of the way, what a unit costs."""
        price, far = self._priced(steps, terms, room)
        if all(unit == round(unit) for unit in terms.units.values()):
            far = np.floor(far + ROUNDING)
        least = min(1.0, terms.most) if terms.partly else terms.most * (1 - ROUNDING)
        share = far / terms.most if terms.partly else 1.0
        return np.where(far >= least, price / np.where(far > 0, share, 1.0), np.inf), far

    def _priced(self, steps: Sequence[Steps], terms: Terms, room: _Room) -> tuple[Floats, Floats]:
        shape = tuple(len(one.codes) for one in steps)
        price, far = np.zeros(shape), np.full(shape, terms.most)
        for corner in itertools.product(*(range(one.codes.shape[1]) for one in steps)):
            cells, signs = self._corner(steps, corner)
            there = np.where(signs > 0, room.one_way[cells], room.other_way[cells])
            far = np.where(signs != 0, np.minimum(far, np.where(cells >= 0, there, 0.0)), far)
            for quantity, unit in terms.units.items():
                slots = cells + quantity * self._cells
                there = np.where(signs * unit > 0, room.up[slots], room.down[slots]) / abs(unit)
                far = np.where(signs != 0, np.minimum(far, there), far)
                price += np.where(signs != 0, terms.price[slots], 0.0)
        return price, far

    def _corner(self, steps: Sequence[Steps], corner: Sequence[int]) -> tuple[Ints, Ints]:
        """Cells and signs of one corner of all boxes, as arrays that broadcast to their shape."""
        index: Ints = np.zeros((), dtype=np.int64)
        signs: Ints = np.ones((), dtype=np.int64)
        for one, number, stride in zip(steps, corner, self._strides, strict=True):
            index = index[..., None] + one.codes[:, number] * stride
            signs = signs[..., None] * one.signs[:, number]
        return self._place[index], signs

    def _witness(self, steps: list[Steps], units: Units, times: float) -> Witness:
        corners = itertools.product(*(range(one.codes.shape[1]) for one in steps))
        made = [
            (int(c.ravel()[0]), int(s.ravel()[0])) for c, s in (self._corner(steps, one) for one in corners)
        ]
        found = {
            quantity * self._cells + cell: sign * unit * times
            for quantity, unit in units.items()
            for cell, sign in made
            if sign
        }
        slots = np.array(sorted(found), dtype=np.int64)
        return Witness(slots, np.array([found[int(slot)] for slot in slots]))


class Codes:
    """The codes of one dimension, and how a move goes along them."""

    def __init__(self, parents: Sequence[int], sizes: Floats) -> None:
        self._parents, self._sizes = parents, sizes
        self._children: list[list[int]] = [[] for _ in parents]
        for code, parent in enumerate(parents):
            if parent >= 0:
                self._children[parent].append(code)

    def __len__(self) -> int:
        return len(self._parents)

    def leaves(self, code: int) -> list[int]:
        if not self._children[code]:
            return [code]
        return [leaf for child in self._children[code] for leaf in self.leaves(child)]

    def steps(self, code: int) -> Steps:
        """`code` and one leaf below; against it another code of the same parent and one leaf of that, or one
        of a parent further up; or nothing, all the way up to the total."""
        ways: list[list[tuple[int, int]]] = []
        for path in self._down(code, _LEAVES):
            for upwards, top in self._up(path):
                for other in self._beside(top):
                    against = self._down(other, _LEAVES_AGAINST)
                    ways += [[*upwards, *((c, -1) for c in one)] for one in against]
                if not top:
                    ways.append(upwards)
        return _steps(ways)

    def loose(self, code: int) -> Steps:
        """Where parents only bound their children: `code`, with some parents or children, against nothing or
        against another code of the topmost's parent."""
        ways: list[list[tuple[int, int]]] = []
        for path in dict.fromkeys([(code,), *self._down(code, _LEAVES)]):
            for upwards, top in self._up(path):
                if len(upwards) > 1:
                    ways.append(upwards)
                for other in self._beside(top):
                    against = dict.fromkeys([(other,), *self._down(other, 1)])
                    ways += [[*upwards, *((c, -1) for c in one)] for one in against]
        return _steps(ways)

    def _down(self, code: int, most: int) -> list[tuple[int, ...]]:
        """From `code` to some of its leaves, the largest first."""
        leaves = sorted(self.leaves(code), key=lambda leaf: -self._sizes[leaf])[:most]
        return [self._path(leaf, code) for leaf in leaves]

    def _up(self, path: tuple[int, ...]) -> Iterator[tuple[list[tuple[int, int]], int]]:
        """`path` with no parent, one, two…, as steps; and the topmost."""
        top = path[0]
        yield [(c, 1) for c in path], top
        while top:
            top = self._parents[top]
            path = (*path, top)
            yield [(c, 1) for c in path], top

    def _beside(self, code: int) -> list[int]:
        return [other for other in self._children[self._parents[code]] if other != code] if code else []

    def _path(self, leaf: int, code: int) -> tuple[int, ...]:
        """From `code` down to `leaf`."""
        path = [leaf]
        while path[-1] != code:
            path.append(self._parents[path[-1]])
        return tuple(path[::-1])


def _steps(ways: list[list[tuple[int, int]]]) -> Steps:
    longest = max(map(len, ways))
    made = np.array([[*way, *[(way[0][0], 0)] * (longest - len(way))] for way in ways], dtype=np.int64)
    return Steps(made[:, :, 0], made[:, :, 1])


def _alone(code: int) -> Steps:
    return _steps([[(code, 1)]])
