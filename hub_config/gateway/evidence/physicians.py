"""Who of a cell is whose patient: GPs, and how few of them have nearly everybody. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.contributions import (
    NO_PHYSICIAN,
    Contributions,
    count_by,
    first_of_runs,
    ordered,
)
from hub_config.gateway.rules.cells import Floats, Ints
from hub_config.gateway.rules.plan import Measure, MeasureKind

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Doctors:
    """By (cell, GP), sorted, of one GP column: distinct patients, those of them whose own GP it is, absolute
    amount, and `cut`, that amount once nobody stands out. `known` are the patients of each cell who have a
    GP."""

    cell: Ints
    physician: Ints
    patients: Ints
    own: Ints
    amount: Floats
    cut: Floats
    known: Ints


def doctors_of(given: Contributions, physician: Ints, measure: Measure, cuts: Floats, cells: int) -> Doctors:
    """One GP column. A missing GP is one of the (cell, GP), and makes nobody known. `cuts`: what part of each
    unit's contribution is left when nobody stands out."""
    added, distinct = given.added[measure.weight], measure.kind is MeasureKind.PATIENTS
    sizes = added.size(measure.kind)
    place = np.cumsum(_marks(len(given.cell), first_of_runs(given.cell, given.unit))) - 1
    own = _own(place, physician, added.rows, sizes > 0)
    cuts = cuts[place] * sizes if (cuts != 1.0).any() else sizes
    chosen = np.flatnonzero(sizes > 0)
    order = chosen[ordered(given.cell[chosen], physician[chosen], place[chosen])]
    cell, gp = given.cell[order], physician[order]
    starts = first_of_runs(cell, gp)
    patients = _distinct(place[order], starts)
    amount = patients.astype(np.float64) if distinct else _summed(sizes[order], starts)
    return Doctors(
        cell=cell[starts],
        physician=gp[starts],
        patients=patients,
        own=_summed(own[order], starts),
        amount=amount,
        cut=amount if cuts is sizes and not distinct else _summed(cuts[order], starts),
        known=_known(given, chosen[physician[chosen] != NO_PHYSICIAN], cells),
    )


def _marks(length: int, places: Ints) -> Ints:
    marks = np.zeros(length, dtype=np.int64)
    marks[places] = 1
    return marks


def _distinct(place: Ints, starts: Ints) -> Ints:
    """How many there are from each start to the next, of sorted ones."""
    marks = _marks(len(place), first_of_runs(place))
    marks[starts] = 1
    found: Ints = _summed(marks, starts)
    return found


def _known(given: Contributions, with_one: Ints, cells: int) -> Ints:
    """Units of each cell who have an entry among these."""
    cell, unit = given.cell[with_one], given.unit[with_one]
    return count_by(cell[first_of_runs(cell, unit)], cells)


def _own(place: Ints, physician: Ints, rows: Ints, counts: Mask) -> Ints:
    """1 at one entry of each unit in each cell (they come together, at `place`): that of most rows with a GP,
    of the lowest number among several. 0 elsewhere."""
    known = np.flatnonzero(counts & (physician != NO_PHYSICIAN))
    firsts = first_of_runs(place[known])
    if len(firsts) == len(known):
        return _marks(len(place), known)
    alone = np.diff(np.append(firsts, len(known))) == 1
    several = np.delete(known, firsts[alone])
    order = several[ordered(place[several], -rows[several], physician[several])]
    chosen = order[first_of_runs(place[order])]
    return _marks(len(place), np.concatenate([known[firsts[alone]], chosen]))


def _summed(values: Any, starts: Ints) -> Any:
    return np.add.reduceat(values, starts) if len(starts) else values


def physicians(one: Doctors, cells: int) -> Ints:
    return count_by(one.cell[one.physician != NO_PHYSICIAN], cells)


def outside(one: Doctors, cells: int) -> Ints:
    """Patients with a GP, but not the one who has most of them."""
    patients = np.where(one.physician == NO_PHYSICIAN, 0, one.patients)
    return one.known - _most(one.cell, patients.astype(np.float64), cells).astype(np.int64)


def outside_few(cell: Ints, own: Ints, few: int, cells: int) -> Ints:
    """Patients whose own GP is none of the `few` who have most of these: `own` has how many each GP has in
    each `cell`."""
    order = np.lexsort((-own, cell))
    cell, own = cell[order], own[order]
    starts = first_of_runs(cell)
    if not len(starts):
        return np.zeros(cells, dtype=np.int64)
    rank = np.arange(len(cell)) - np.repeat(starts, np.diff(np.append(starts, len(cell))))
    return np.bincount(cell, weights=np.where(rank < few, 0, own), minlength=cells).astype(np.int64)


def cut_share(doctors: Sequence[Doctors], cells: int) -> Floats:
    worst = np.zeros(cells)
    for one in doctors:
        whole = np.bincount(one.cell, weights=one.cut, minlength=cells).astype(np.float64)
        most = _most(one.cell, one.cut, cells)
        worst = np.maximum(worst, np.divide(most, whole, out=np.zeros(cells), where=whole > 0))
    return worst


def share(doctors: Sequence[Doctors], total: Floats) -> Floats:
    """The largest GP's part of the amount, a missing GP taken as one."""
    worst = np.zeros(len(total))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        for one in doctors:
            most = _most(one.cell, one.amount, len(total))
            worst = np.maximum(worst, np.where(total > 0, most / total, 0.0))
    return worst


def _most(cell: Ints, values: Floats, cells: int) -> Floats:
    most = np.zeros(cells)
    starts = first_of_runs(cell)
    if len(starts):
        most[cell[starts]] = np.maximum.reduceat(values, starts)
    return most


def fewest(found: Iterable[Ints]) -> Ints | None:
    """Of several GP columns (a join has one a side) the fewest; None without any."""
    columns = list(found)
    return np.asarray(np.minimum.reduce(columns)) if columns else None
