"""Chooses which further slots to withhold, for what an audit leaves unproved.

For each slot that must become more uncertain, the cheapest move of the whole table that makes it so: what
moves must be withheld. (Minimising Σ cost · |move| is the linear relaxation of the cell suppression problem,
one target at a time: Fischetti & Salazar-González, Mathematical Programming 84 (1999) 283-312; Hundepool et
al., Statistical Disclosure Control, Wiley 2012, § 4.4.) A pattern chosen so is a proposal; the audit decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, assert_never

import numpy as np

from p4dp_sdk.disclosure.audit import STRANGER, Audit, Demand, Requirement, Witness, audit, required_of
from p4dp_sdk.disclosure.constraints import NOT_TOLD, System
from p4dp_sdk.disclosure.cover import Cover
from p4dp_sdk.disclosure.hypercube import Flags, Ints, Limits, Status, TableProblem
from p4dp_sdk.disclosure.programs import Region, components, nearest, region_of
from p4dp_sdk.disclosure.trimming import trimmed

_WITHHELD_ALREADY: Final = 1e-3  # of the cheapest cost: moving what is withheld anyway costs next to nothing
_MOVED: Final = 1e-6
_FEW: Final = 40  # demands for programs; of more, each would take as long
_UNKNOWNS: Final = 100_000  # of all programs of one table: more would take minutes
_TRIALS: Final = 300  # witnesses looked for to show again what need not be withheld
_BATCH: Final = 24  # demands answered between two audits: answering one often answers others


class CannotProtect(Exception):
    """Even with everything withheld that may be, some slot would stay too certain."""


def protect(system: System, limits: Limits, withheld: Flags) -> Audit:
    """The proof for `withheld`, or for the least that had to be added to it. Raises CannotProtect."""
    required = required_of(system, limits)
    regions = _Regions(system)
    withheld = system.closed(withheld | system.must)
    state = audit(system, limits, withheld)
    while not state.is_proof:
        more = _more(system, required, regions, state)
        more[[_for_row(system, limits, withheld, row) for row in state.exposed]] = True
        grown = system.closed(withheld | more)
        if np.array_equal(grown, withheld):
            grown = system.closed(withheld | _neighbours(system, withheld, state.unmet))
        if np.array_equal(grown, withheld):
            grown = system.closed(withheld | regions.around(state.unmet))
        if np.array_equal(grown, withheld):
            raise CannotProtect
        withheld = grown
        state = audit(system, limits, withheld, state.witnesses)
    return state


class _Wider(Enum):
    """What is withheld around slots that stay too certain: ever more."""

    NEIGHBOURS = auto()  # the cheapest slot of each row
    ROWS = auto()
    ROLL_UPS = auto()  # every cell of the same levels
    PARTS = auto()  # all that they are tied to


def covered(problem: TableProblem, system: System, limits: Limits, withheld: Flags) -> Audit:
    """The same for tables of thousands of slots: by boxes; by programs for the few that these don't reach;
    what can't be hidden so, by withholding ever more around it. How much is tried is counted, not timed, so
    that a table comes out the same on any machine. Raises CannotProtect."""
    cover = Cover(problem, system, limits, withheld | system.must)
    return trimmed(system, limits, cover.search, _covered(problem, system, limits, cover), _TRIALS)


def _covered(problem: TableProblem, system: System, limits: Limits, cover: Cover) -> Audit:
    regions, stages = _Regions(system), iter(_Wider)
    state, least, left = cover.hide(), len(system.values) + 1, _UNKNOWNS
    while not state.is_proof:
        before = cover.withheld
        for row in state.exposed:
            cover.withhold(_flags(system, [_for_row(system, limits, cover.withheld, row)]))
        unknowns = sum(regions.of(demand.slot).size for demand in state.unmet[:_FEW])
        few = len(state.unmet) <= _FEW and len(state.unmet) < least and unknowns <= left
        least, left = (len(state.unmet), left - unknowns) if few else (least, left)
        if state.unmet and not (few and _by_programs(system, limits, regions, cover, state)):
            if (stage := next(stages, None)) is None:
                raise CannotProtect
            cover.withhold(_around(problem, system, regions, before, state.unmet, stage))
        state = cover.hide(demand.slot for demand in state.unmet)
    return state


def _by_programs(system: System, limits: Limits, regions: _Regions, cover: Cover, state: Audit) -> bool:
    """Whether programs find a witness for each demand, or at least what to withhold."""
    required = required_of(system, limits)
    for demand in state.unmet:
        chosen = cover.withheld
        region = regions.of(demand.slot)
        index = int(np.searchsorted(region.slots, demand.slot))
        weights = np.where(chosen[region.slots], _WITHHELD_ALREADY, system.cost[region.slots])
        still = None
        if demand.insider != STRANGER:
            still = required.insiders.knows[demand.insider, region.slots]
        moves = nearest(region, index, demand.move, weights, still)
        if moves is None or abs(moves[index]) < abs(demand.move) * (1 - _MOVED):
            return False
        moved = np.abs(moves) > _MOVED * region.scale
        cover.take(Witness(region.slots[moved], moves[moved]))
    return True


def _around(
    problem: TableProblem,
    system: System,
    regions: _Regions,
    withheld: Flags,
    unmet: Sequence[Demand],
    stage: _Wider,
) -> Flags:
    slots = np.unique([demand.slot for demand in unmet])
    match stage:
        case _Wider.NEIGHBOURS:
            return _neighbours(system, withheld, unmet)
        case _Wider.ROWS:
            rows = np.unique(system.rows.row[np.isin(system.rows.slot, slots)])
            return _flags(system, system.rows.slot[np.isin(system.rows.row, rows)])
        case _Wider.ROLL_UPS:
            levels = _levels(problem)
            low = np.unique(levels[slots % system.cells], axis=0)
            same = (levels[:, None, :] == low[None, :, :]).all(axis=2).any(axis=1)
            return np.tile(same, len(system.values) // system.cells)
        case _Wider.PARTS:
            return regions.around(unmet)
        case _:
            assert_never(stage)


def _levels(problem: TableProblem) -> Ints:
    """How deep each cell stands in each dimension."""
    depths = []
    for tree in problem.dims:
        depth = [0]
        for parent in tree.parents[1:]:
            depth.append(depth[parent] + 1)
        depths.append(np.array(depth, dtype=np.int64))
    return np.stack([depth[problem.coordinates[:, d]] for d, depth in enumerate(depths)], axis=1)


def _flags(system: System, slots: Sequence[int] | Ints) -> Flags:
    flags = np.zeros(len(system.values), dtype=np.bool_)
    flags[slots] = True
    return flags


class _Regions:
    """The free part of the table, one independent part after the other, made when first asked for."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._parts = components(system, np.flatnonzero(system.free))
        self._part = np.full(len(system.values), -1)
        for number, slots in enumerate(self._parts):
            self._part[slots] = number
        self._made: dict[int, Region] = {}

    def around(self, unmet: Sequence[Demand]) -> Flags:
        """All that may be withheld in the parts of these slots."""
        return np.isin(self._part, [self._part[demand.slot] for demand in unmet])

    def of(self, slot: int) -> Region:
        number = int(self._part[slot])
        if number not in self._made:
            self._made[number] = region_of(self._system, np.sort(self._parts[number]))
        return self._made[number]


def _more(system: System, required: Requirement, regions: _Regions, state: Audit) -> Flags:
    chosen = state.withheld.copy()
    hardest = sorted(state.unmet, key=lambda demand: (-abs(demand.move), demand.slot))
    for demand in hardest[:_BATCH]:
        chosen |= _for_demand(system, required, regions.of(demand.slot), chosen, demand)
    return chosen


def _for_demand(
    system: System, required: Requirement, region: Region, chosen: Flags, demand: Demand
) -> Flags:
    weights = np.where(chosen[region.slots], _WITHHELD_ALREADY * system.cost.min(), system.cost[region.slots])
    still = None
    if demand.insider != STRANGER:
        still = required.insiders.knows[demand.insider, region.slots]
    index = int(np.searchsorted(region.slots, demand.slot))
    added = np.zeros(len(system.values), dtype=np.bool_)
    for move in (demand.move, -demand.move) if required.width[demand.slot] else (demand.move,):
        moves = nearest(region, index, move, weights, still, whole=False)
        if moves is not None and abs(moves[index]) >= abs(move) * (1 - _MOVED):
            added[region.slots[np.abs(moves) > _MOVED * region.scale]] = True
            return added
    raise CannotProtect(demand)


def _for_row(system: System, limits: Limits, withheld: Flags, row: int) -> int:
    """The cheapest part of a published total that is enough people by itself; else the total; where that is
    public, the part with most people, until together they are enough."""
    rows = system.rows
    total, slots = int(rows.head[row]), rows.slot[rows.row == row]
    parts = slots[(slots != total) & ~withheld[slots] & system.free[slots]]
    enough = parts[_is_enough(system, limits, parts)]
    if len(enough):
        return int(enough[np.argmin(system.cost[enough])])
    if total >= 0 and system.status[total] != Status.KNOWN:
        return total
    if not len(parts):
        raise CannotProtect
    return int(parts[np.lexsort((system.patients[parts], system.physicians[parts]))[-1]])


def _is_enough(system: System, limits: Limits, slots: Ints) -> Flags:
    physicians = system.physicians[slots]
    ruled = physicians != NOT_TOLD
    few = (system.patients[slots] < limits.min_patients) | (ruled & (physicians < limits.min_physicians))
    return np.asarray(~few)


def _neighbours(system: System, withheld: Flags, unmet: Sequence[Demand]) -> Flags:
    """Where fractions would do but whole numbers don't: the cheapest open slot of each row of a slot that is
    still too certain."""
    rows = system.rows
    added = np.zeros(len(withheld), dtype=np.bool_)
    for slot in {demand.slot for demand in unmet}:
        for row in rows.row[rows.slot == slot]:
            slots = rows.slot[rows.row == row]
            open_ = slots[~withheld[slots] & system.free[slots]]
            if len(open_):
                added[open_[np.argmin(system.cost[open_])]] = True
    return added
