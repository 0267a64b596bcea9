"""The audit of a suppression pattern: is every withheld slot uncertain enough to whoever reads the rest?

What proves it is *witnesses*: whole tables, other than the true one, that agree with everything shown. A
reader can't rule any of them out, so the feasibility interval of a slot is at least as wide as the witnesses
reach. This is why rounding and solvers can't be wrong here. A linear program gives an interval that is too
wide for counts, since its tables may have fractions; here a program only *suggests* a table, which is then
checked by itself, whole numbers as whole numbers. What no witness is found for counts as unprotected.

The interval rule is that of `Limits`. Beyond it, what is withheld under one published total must come from
enough patients and GPs, since the total less the shown parts is a number of its own. And an *insider*, who
alone stands behind a slot and so knows it, must find every other primary slot as uncertain as a stranger
does: the witnesses for it may not move what the insider knows. A GP knows all slots that are that GP's alone.

Not covered: readers who know how the pattern was chosen, and what they can infer from that alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse

from p4dp_sdk.disclosure.constraints import NOT_TOLD, System
from p4dp_sdk.disclosure.hypercube import Flags, Floats, Ints, Limits, Status
from p4dp_sdk.disclosure.programs import Region, components, farthest, nearest, region_of

_ROUNDING: Final = 1e-6  # of a sum of magnitudes, relative to its size
_SWEEPS: Final = 6
STRANGER: Final = -1


@dataclass(frozen=True)
class Witness:
    """A table that differs from the true one in `slots` (sorted), by `moves`."""

    slots: Ints
    moves: Floats


@dataclass(frozen=True)
class Insiders:
    """One row a contributor who alone stands behind withheld slots. `own`: these slots; `knows`: those whose
    value that contributor may know; `above`: their totals."""

    own: Flags
    knows: Flags
    above: Flags


@dataclass(frozen=True)
class Requirement:
    """What each slot has to keep if it is withheld: a table where it is at most `low` and one where it is at
    least `high` (NaN: no such need), or two that differ in it by `width`. `sensitive`: it is withheld for
    its own sake."""

    low: Floats
    high: Floats
    width: Floats
    sensitive: Flags
    insiders: Insiders


@dataclass(frozen=True)
class Demand:
    """A slot that no witness protects: it should move by `move` while what `insider` knows stands still."""

    slot: int
    move: float
    insider: int = STRANGER


@dataclass(frozen=True)
class Audit:
    """`unmet` and `exposed` (published rows whose withheld part stands for too few) are empty when the
    pattern is proved safe. `lower` and `upper`: how far the witnesses reach."""

    withheld: Flags
    witnesses: tuple[Witness, ...]
    lower: Floats
    upper: Floats
    unmet: tuple[Demand, ...]
    exposed: tuple[int, ...]

    @property
    def is_proof(self) -> bool:
        return not self.unmet and not self.exposed


def audit(system: System, limits: Limits, withheld: Flags, known: Iterable[Witness] = ()) -> Audit:
    """Looks for witnesses, beginning with those `known`, and says what they leave unproved."""
    required = required_of(system, limits)
    part = np.full(len(withheld), -1)
    parts = components(system, np.flatnonzero(withheld))
    inside: list[list[Witness]] = [[] for _ in parts]
    for number, slots in enumerate(parts):
        part[slots] = number
    for witness in known:
        inside[part[witness.slots[0]]].append(witness)
    searches = zip(parts, inside, strict=True)
    found = [w for slots, those in searches for w in _search(system, required, slots, those)]
    return check(system, limits, withheld, found)


def check(system: System, limits: Limits, withheld: Flags, witnesses: Sequence[Witness]) -> Audit:
    """What `witnesses` prove of `withheld`. It trusts none of them: an impossible one counts for nothing."""
    required = required_of(system, limits)
    possible = tuple(w for w in witnesses if is_possible(system, withheld, w))
    lowest, highest = _reach(system, possible)
    unmet = _unmet(system, required, withheld, lowest, highest)
    unmet += _unmet_by_insiders(system, required, withheld, possible, {d.slot for d in unmet})
    return Audit(
        withheld=withheld,
        witnesses=possible,
        lower=np.where(withheld, system.values + lowest, np.nan),
        upper=np.where(withheld, system.values + highest, np.nan),
        unmet=tuple(unmet),
        exposed=tuple(_exposed(system, limits, withheld)),
    )


def is_possible(system: System, withheld: Flags, witness: Witness) -> bool:
    """A reader of what is shown can't rule the witness out."""
    slots, moves = witness.slots, witness.moves
    if not len(slots) or len(np.unique(slots)) != len(slots) or not withheld[slots].all():
        return False
    if not np.isfinite(moves).all() or np.any(system.whole[slots] & (moves != np.rint(moves))):
        return False
    table = system.values.copy()
    table[slots] += moves
    sums, size = system.rows.of(table), system.rows.slack(table) * (_ROUNDING / 1e-9)
    rows_hold = np.all((sums >= system.rows.low - size) & (sums <= system.rows.high + size))
    return bool(rows_hold and np.all((table >= system.low) & (table <= system.high)))


# -- what is required -------------------------------------------------------------------------------------


def required_of(system: System, limits: Limits) -> Requirement:
    values, count = system.values, system.whole
    held_small = (system.status == Status.HELD) & count & (values < limits.min_patients)
    sensitive = (system.status == Status.PRIMARY) | held_small
    margin = np.maximum(limits.margin * np.abs(values), np.maximum(system.largest, _least_amount(system)))
    low = np.where(sensitive & count, system.low, np.nan)
    high = np.where(sensitive & count, np.minimum(float(limits.min_patients), system.high), np.nan)
    low = np.where(count, low, np.maximum(values - margin, system.low))
    high = np.where(count, high, np.minimum(values + margin, system.high))
    width = np.where(
        count & ~sensitive, np.maximum(float(limits.min_patients), np.ceil(limits.width * values)), 0.0
    )
    return Requirement(low, high, width, sensitive, insiders_of(system))


def _least_amount(system: System) -> Floats:
    """A magnitude that nobody stands behind is hidden like the least that somebody could add."""
    amounts = system.largest[~system.whole & (system.largest > 0)]
    return np.where(system.whole, 0.0, amounts.min() if len(amounts) else 0.0)


def insiders_of(system: System) -> Insiders:
    """Patients: a slot with one patient, and the totals of it that still have but one. GPs: told apart by
    bucket; where buckets aren't given, like patients."""
    groups = _chains(system, (system.patients == 1) & system.must)
    single, bits = (system.physicians == 1) & system.must, system.buckets
    groups += [np.flatnonzero(single & (bits == bucket)) for bucket in np.unique(bits[single & (bits != 0)])]
    groups += _chains(system, single & (bits == 0))
    own = np.zeros((len(groups), len(system.values)), dtype=np.bool_)
    knows = own.copy()
    for g, group in enumerate(groups):
        own[g, group] = True
        knows[g, _finest(system, own[g])] = True
    return Insiders(own, knows, _above(system, own))


def _chains(system: System, single: Flags) -> list[Ints]:
    """Slots of one contributor each that are one contributor's: a slot, the totals it stands in, and what
    else is measured of the cell."""
    part, whole = _steps(system, single)
    one, other = _linked(system, single)
    edges = (np.concatenate([part, one]), np.concatenate([whole, other]))
    count = len(single)
    graph = scipy.sparse.coo_array((np.ones(len(edges[0])), edges), shape=(count, count))
    _, labels = scipy.sparse.csgraph.connected_components(graph, directed=False)
    return [np.flatnonzero(single & (labels == label)) for label in np.unique(labels[single])]


def _finest(system: System, own: Flags) -> Ints:
    """The slots of `own` that are no total of others of them. Somebody may know that nobody else has what is
    particular to them; not that nobody else is in the total."""
    _, whole = _steps(system, own)
    return np.flatnonzero(own & ~np.isin(np.arange(len(own)), whole))


def _above(system: System, own: Flags) -> Flags:
    """The totals of what is `own`, at every level, in every measure."""
    everywhere = np.ones(len(system.values), np.bool_)
    part, whole = _steps(system, everywhere)
    one, other = _linked(system, everywhere)
    edges = (np.concatenate([part, one, other]), np.concatenate([whole, other, one]))
    up = scipy.sparse.csr_array((np.ones(len(edges[0]), np.int32), edges), shape=(len(everywhere),) * 2)
    above = own.copy()
    while True:
        wider = above | ((above.astype(np.int32) @ up) > 0)
        if np.array_equal(wider, above):
            return above
        above = wider


def _steps(system: System, within: Flags) -> tuple[Ints, Ints]:
    """Each part and its total, both `within`."""
    rows = system.rows
    head = rows.head[rows.row]
    step = (head >= 0) & (rows.slot != head) & within[rows.slot] & within[np.maximum(head, 0)]
    return rows.slot[step], head[step]


def _linked(system: System, within: Flags) -> tuple[Ints, Ints]:
    """Two measures of one cell, both `within`."""
    rows = system.rows
    pairs = np.flatnonzero(rows.head[rows.row] < 0)
    pairs = pairs[np.argsort(rows.row[pairs], kind="stable")]
    one, other = rows.slot[pairs[::2]], rows.slot[pairs[1::2]]
    both = within[one] & within[other]
    return one[both], other[both]


# -- what is proved ---------------------------------------------------------------------------------------


def _reach(system: System, witnesses: Iterable[Witness]) -> tuple[Floats, Floats]:
    lowest, highest = np.zeros(len(system.values)), np.zeros(len(system.values))
    for witness in witnesses:
        lowest[witness.slots] = np.minimum(lowest[witness.slots], witness.moves)
        highest[witness.slots] = np.maximum(highest[witness.slots], witness.moves)
    return lowest, highest


def _missing(system: System, required: Requirement, lowest: Floats, highest: Floats) -> tuple[Floats, Floats]:
    """How far each slot still has to move down and up (0: not at all). A width may be reached either way; it
    is asked for upwards."""
    values = system.values
    down = np.where(values + lowest > required.low, required.low - values, 0.0)
    up = np.where(values + highest < required.high, required.high - values, 0.0)
    narrow = highest - lowest < required.width
    return down, np.where(narrow, required.width + lowest, up)


def _unmet(
    system: System, required: Requirement, withheld: Flags, lowest: Floats, highest: Floats
) -> list[Demand]:
    down, up = _missing(system, required, lowest, highest)
    return [
        Demand(int(slot), float(move[slot]))
        for move in (down, up)
        for slot in np.flatnonzero(withheld & (move != 0))
    ]


def _unmet_by_insiders(
    system: System, required: Requirement, withheld: Flags, witnesses: Sequence[Witness], skip: set[int]
) -> list[Demand]:
    """Every insider against every sensitive slot that is not the insider's own. A total of what the insider
    knows can't be as low as for a stranger; it must be able to be as high."""
    insiders = required.insiders
    active = insiders.own[:, withheld].any(axis=1)
    if not active.any():
        return []
    moves = _matrix(system, witnesses)
    touched = (abs(moves) @ scipy.sparse.csr_array(insiders.knows.T.astype(np.float64))).toarray() > 0
    columns = moves.tocsc()
    demands = []
    for slot in np.flatnonzero(withheld & required.sensitive):
        if int(slot) in skip:
            continue
        part = columns[:, [slot]].toarray().ravel()
        for move, meets in _needs(system, required, int(slot), part):
            others = active & ~(insiders.own if move > 0 else insiders.above)[:, slot]
            for g in np.flatnonzero(others & touched[meets].all(axis=0)):
                demands.append(Demand(int(slot), move, int(g)))
    return demands


def _needs(system: System, required: Requirement, slot: int, moves: Floats) -> list[tuple[float, Flags]]:
    """Down and up, if the slot isn't there already: how far, and which witnesses go that far."""
    down, up = required.low[slot] - system.values[slot], required.high[slot] - system.values[slot]
    return [
        *([(float(down), moves <= down)] if down < 0 else []),
        *([(float(up), moves >= up)] if up > 0 else []),
    ]


def _matrix(system: System, witnesses: Sequence[Witness]) -> scipy.sparse.csr_array:
    lengths = [len(w.slots) for w in witnesses]
    slots = np.concatenate([w.slots for w in witnesses]) if witnesses else np.zeros(0, np.int64)
    moves = np.concatenate([w.moves for w in witnesses]) if witnesses else np.zeros(0)
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return scipy.sparse.csr_array((moves, slots, offsets), shape=(len(witnesses), len(system.values)))


def _exposed(system: System, limits: Limits, withheld: Flags) -> list[int]:
    """Published totals whose withheld parts together stand for too few patients or GPs."""
    rows = system.rows
    total = np.where(rows.equal, rows.head, -1)[rows.row]
    part = (total >= 0) & (rows.slot != total) & withheld[rows.slot] & ~withheld[np.maximum(total, 0)]
    slots, row = rows.slot[part], rows.row[part]
    count = len(rows.low)
    together = np.bincount(row, system.patients[slots], minlength=count)
    most = np.zeros(count)
    np.maximum.at(most, row, system.patients[slots])
    patients = np.where(system.additive, together, most)
    physicians = np.zeros(count)
    np.maximum.at(physicians, row, system.physicians[slots])
    buckets = np.zeros(count, dtype=np.uint64)
    np.bitwise_or.at(buckets, row, system.buckets[slots])
    physicians = np.maximum(physicians, np.bitwise_count(buckets))
    ruled = np.zeros(count, dtype=np.bool_)
    ruled[row] = system.physicians[slots] != NOT_TOLD
    few = (patients < limits.min_patients) | (ruled & (physicians < limits.min_physicians))
    return [int(r) for r in np.flatnonzero(few & (np.bincount(row, minlength=count) > 0))]


# -- looking for witnesses --------------------------------------------------------------------------------


def _search(system: System, required: Requirement, slots: Ints, known: list[Witness]) -> list[Witness]:
    """Witnesses of one component, with those `known`: a few for all slots together, then one by one."""
    search = _Search(system, required, region_of(system, np.sort(slots)), list(known))
    search.together()
    search.each()
    search.against_insiders()
    return search.found


@dataclass
class _Search:
    """What has been found for one component so far. Everything is in the order of the region."""

    system: System
    required: Requirement
    region: Region
    found: list[Witness]

    def __post_init__(self) -> None:
        self.withheld = np.zeros(len(self.system.values), np.bool_)
        self.withheld[self.region.slots] = True
        self.lowest, self.highest = _reach(self.system, self.found)

    def together(self) -> None:
        for _ in range(_SWEEPS):
            before = self._left()
            for way in (0, 1):
                wanted = self._missing()[way]
                self._take(farthest(self.region, np.where(wanted != 0, wanted, np.nan)))
            if self._left() in (0, before):
                return

    def each(self) -> None:
        alike = np.ones(self.region.size)
        for way in (0, 1, 0):  # a width is asked for upwards; what is lacking then, downwards
            for index in np.flatnonzero(self._missing()[way]):
                wanted = self._missing()[way][index]
                if wanted != 0:
                    self._take(nearest(self.region, int(index), float(wanted), alike))

    def against_insiders(self) -> None:
        """One move that spares all insiders at once, else one for each."""
        for (slot, move), demands in itertools.groupby(self._by_insiders(), key=lambda d: (d.slot, d.move)):
            known = [self.required.insiders.knows[d.insider, self.region.slots] for d in demands]
            index = int(np.searchsorted(self.region.slots, slot))
            if not self._spares(index, move, np.any(known, axis=0)) and len(known) > 1:
                for one in known:
                    self._spares(index, move, one)

    def _spares(self, index: int, move: float, still: Flags) -> bool:
        """Whether slot `index` can move so far while others stand still."""
        alike = np.ones(self.region.size)
        return self._take(nearest(self.region, index, move, alike, still), index, move)

    def _by_insiders(self) -> list[Demand]:
        down, up = self._missing()
        skip = set(self.region.slots[(down != 0) | (up != 0)].tolist())
        return _unmet_by_insiders(self.system, self.required, self.withheld, self.found, skip)

    def _left(self) -> int:
        return sum(int(np.count_nonzero(way)) for way in self._missing())

    def _missing(self) -> tuple[Floats, Floats]:
        down, up = _missing(self.system, self.required, self.lowest, self.highest)
        return down[self.region.slots], up[self.region.slots]

    def _take(self, move: Floats | None, index: int = 0, least: float = 0.0) -> bool:
        """Whether `move` is a witness that moves slot `index` by `least` or more."""
        if move is None or abs(move[index]) < abs(least):
            return False
        moved = move != 0
        witness = Witness(self.region.slots[moved], move[moved])
        if not is_possible(self.system, self.withheld, witness):
            return False
        self.found.append(witness)
        self.lowest[witness.slots] = np.minimum(self.lowest[witness.slots], witness.moves)
        self.highest[witness.slots] = np.maximum(self.highest[witness.slots], witness.moves)
        return True
