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
from p4dp_sdk.disclosure.insiders import Insiders, insiders_of
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
    good = possible(system, withheld, witnesses)
    proven = tuple(w for w, ok in zip(witnesses, good, strict=True) if ok)
    lowest, highest = _reach(system, proven)
    unmet = _unmet(system, required, withheld, lowest, highest)
    unmet += _unmet_by_insiders(system, required, withheld, proven, {d.slot for d in unmet})
    return Audit(
        withheld=withheld,
        witnesses=proven,
        lower=np.where(withheld, system.values + lowest, np.nan),
        upper=np.where(withheld, system.values + highest, np.nan),
        unmet=tuple(unmet),
        exposed=tuple(exposed(system, limits, withheld)),
    )


def is_possible(system: System, withheld: Flags, witness: Witness) -> bool:
    """A reader of what is shown can't rule the witness out."""
    return bool(possible(system, withheld, [witness])[0])


def possible(system: System, withheld: Flags, witnesses: Sequence[Witness]) -> Flags:
    """Which of `witnesses` a reader of what is shown can't rule out."""
    sound = np.array([_is_sound(system, withheld, witness) for witness in witnesses], dtype=np.bool_)
    moves = _matrix(system, [w for w, ok in zip(witnesses, sound, strict=True) if ok]).T.tocsc()
    rows, base, size = system.rows, system.rows.of(system.values), system.rows.size(system.values)
    change = (rows.matrix @ moves).tocoo()  # rows × witnesses
    swing = (abs(rows.matrix) @ abs(moves)).tocsr()
    r = change.row
    table = base[r] + change.data
    rounding = np.where(
        system.exact[r], 0.0, _ROUNDING * (size[r] + np.asarray(swing[r, change.col]).ravel())
    )
    broken = (table < rows.low[r] - rounding) | (table > rows.high[r] + rounding)
    sound[np.flatnonzero(sound)[change.col[broken]]] = False
    return sound


def _is_sound(system: System, withheld: Flags, witness: Witness) -> bool:
    """It moves withheld slots only, whole ones by whole numbers, within what each could be."""
    slots, moves = witness.slots, witness.moves
    if not len(slots) or len(np.unique(slots)) != len(slots) or not withheld[slots].all():
        return False
    if not np.isfinite(moves).all() or np.any(system.whole[slots] & (moves != np.rint(moves))):
        return False
    table = system.values[slots] + moves
    return bool(np.all((table >= system.low[slots]) & (table <= system.high[slots])))


# -- what is required -------------------------------------------------------------------------------------


def required_of(system: System, limits: Limits) -> Requirement:
    values, count = system.values, system.whole
    held_small = (system.status == Status.HELD) & count & (values < limits.min_patients)
    sensitive = (system.status == Status.PRIMARY) | held_small
    margin = np.maximum(limits.margin * np.abs(values), np.maximum(system.largest, _least_amount(system)))
    low = np.where(sensitive & count, system.low, np.nan)
    high = np.where(sensitive & count, np.minimum(float(limits.min_patients), system.high), np.nan)
    wider, bit = margin * (1 + 2 * _ROUNDING), margin * _ROUNDING  # solvers stop a little short
    low = np.where(count, low, np.maximum(values - wider, system.low) + bit)
    high = np.where(count, high, np.minimum(values + wider, system.high) - bit)
    width = np.where(
        count & ~sensitive, np.maximum(float(limits.min_patients), np.ceil(limits.width * values)), 0.0
    )
    return Requirement(low, high, width, sensitive, insiders_of(system))


def _least_amount(system: System) -> Floats:
    """A magnitude that nobody stands behind is hidden like the least that somebody could add."""
    amounts = system.largest[~system.whole & (system.largest > 0)]
    return np.where(system.whole, 0.0, amounts.min() if len(amounts) else 0.0)


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


def exposed(system: System, limits: Limits, withheld: Flags) -> list[int]:
    """Published totals whose withheld parts together stand for too few patients or GPs."""
    rows = system.rows
    total = np.where(rows.equal, rows.head, -1)[rows.row]
    told = (total >= 0) & (rows.slot != total) & ~withheld[np.maximum(total, 0)]
    part = (told | rows.public[rows.row]) & withheld[rows.slot]
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
                wanted = float(self._missing()[way][index])
                if wanted != 0 and not self._spares(
                    int(index), wanted, self._known_to_others(int(index), way)
                ):
                    self._take(nearest(self.region, int(index), wanted, alike))

    def _known_to_others(self, index: int, way: int) -> Flags:
        """What stands still if a move is to serve against all insiders at once."""
        slot, insiders = self.region.slots[index], self.required.insiders
        if not self.required.sensitive[slot]:
            return np.zeros(self.region.size, np.bool_)
        others = ~(insiders.own if way else insiders.above)[:, slot]
        return np.asarray(insiders.knows[np.ix_(others, self.region.slots)].any(axis=0))

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
