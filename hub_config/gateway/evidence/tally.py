"""From contributions to evidence: patients, GPs, largest contributions, people left out. Pure.

Of a sample of patients, the numbers of patients, GPs, patients outside the largest GP and people left out are
sound lower bounds: a sample holds all rows of those in it. Tallies of separate patients add up to that of all
of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hub_config.gateway.evidence.contributions import (
    NO_PHYSICIAN,
    Added,
    Contributions,
    first_of_runs,
    ordered,
)
from hub_config.gateway.evidence.layout import Layout, Margin
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, TOPS, Backing, Floats, Ints
from hub_config.gateway.rules.plan import Measure, MeasureKind


@dataclass(frozen=True)
class Doctors:
    """By (cell, GP), sorted, of one GP column: distinct patients, absolute amount. `known` are the patients
    of each cell who have a GP."""

    cell: Ints
    physician: Ints
    patients: Ints
    amount: Floats
    known: Ints


@dataclass(frozen=True)
class Tally:
    """One measure of all cells, over some patients. `beyond` has a row for the condition of a conditional
    measure and for each margin: how many patients are there and not in the cell."""

    patients: Ints
    beyond: Ints
    largest: Floats
    second: Floats
    total: Floats
    doctors: tuple[Doctors, ...]
    tops: Floats | None = None

    def evidence(self, layout: Layout, measure: Measure) -> Backing:
        return Backing(
            patients=self.patients,
            physicians=_fewest(_physicians(one, len(self.total)) for one in self.doctors),
            outside=_fewest(_outside(one, len(self.total)) for one in self.doctors),
            left_out=_left_out(self.beyond, layout, measure),
            largest=self.largest,
            second=self.second,
            total=self.total,
            physician_share=_share(self.doctors, self.total),
            tops=self.tops,
        )


def tally(given: Contributions, layout: Layout, measure: Measure, *, elsewhere: bool = True) -> Tally:
    """What `given` says of `measure`. Not `elsewhere`: nobody is looked for beyond the cells."""
    units, cells = given.units, layout.cells
    added, sizes = units.added[measure.weight], units.added[measure.weight].size(measure.kind)
    largest, second = _top_two(units.cell, sizes, cells)
    by_gp = given.added[measure.weight].size(measure.kind)
    distinct = measure.kind is MeasureKind.PATIENTS
    return Tally(
        patients=_count(units.cell[sizes > 0], cells),
        beyond=_beyond(units, layout, added, measure, elsewhere=elsewhere),
        largest=largest,
        second=second,
        total=np.bincount(units.cell, weights=sizes, minlength=cells).astype(np.float64),
        doctors=tuple(
            _doctors(given, column, by_gp, cells, distinct=distinct) for column in given.physicians
        ),
        tops=_tops(units.cell, sizes, cells) if measure.kind is MeasureKind.ROWS else None,
    )


def merged(parts: Sequence[Tally]) -> Tally:
    """The tally of everybody, from those of separate patients."""
    if len(parts) == 1:
        return parts[0]
    tops = np.sort(np.stack([top for part in parts for top in (part.largest, part.second)]), axis=0)
    tallied = [part.tops for part in parts if part.tops is not None]
    return Tally(
        patients=np.sum([part.patients for part in parts], axis=0),
        beyond=np.sum([part.beyond for part in parts], axis=0),
        largest=tops[-1],
        second=tops[-2],
        total=np.sum([part.total for part in parts], axis=0),
        doctors=tuple(_together(column) for column in zip(*(part.doctors for part in parts), strict=True)),
        tops=np.sort(np.concatenate(tallied, axis=1), axis=1)[:, : -TOPS - 1 : -1] if tallied else None,
    )


def backing(given: Contributions, layout: Layout, measure: Measure) -> Backing:
    """The evidence of one measure, from all contributions or those of a sample."""
    return tally(given, layout, measure).evidence(layout, measure)


def selected(evidence: Backing, kept: Ints) -> Backing:
    """The evidence of some cells only."""
    arrays: dict[str, Any] = {
        field.name: None if getattr(evidence, field.name) is None else getattr(evidence, field.name)[kept]
        for field in fields(evidence)
    }
    return Backing(**arrays)


# --- patients ----------------------------------------------------------------------------------------------


def _beyond(units: Contributions, layout: Layout, added: Added, measure: Measure, *, elsewhere: bool) -> Ints:
    """Patients of the row, and of each margin, beyond the cell's own."""
    if not elsewhere:
        return np.zeros((measure.conditional + len(layout.margins), layout.cells), dtype=np.int64)
    cell, unit = units.cell[added.present], units.unit[added.present]
    own = _count(cell, layout.cells)
    rows = [_count(units.cell, layout.cells) - own] if measure.conditional else []
    rows += [_in_margin(margin, cell, unit, own) - own for margin in layout.margins]
    return np.stack(rows) if rows else np.empty((0, layout.cells), dtype=np.int64)


def _in_margin(margin: Margin, cell: Ints, unit: Ints, own: Ints) -> Ints:
    """For each cell the distinct patients of its margin."""
    if not margin.free.any():
        return own
    if margin.partitions:
        return np.bincount(margin.group, weights=own).astype(np.int64)[margin.group]
    groups = int(margin.group.max(initial=0)) + 1
    return _distinct(margin.group[cell], unit, groups)[margin.group]


def _left_out(beyond: Ints, layout: Layout, measure: Measure) -> Ints:
    """The fewest beyond, over what could have put patients elsewhere."""
    always = [np.ones(layout.cells, dtype=bool)] if measure.conditional else []
    free = [*always, *(margin.free for margin in layout.margins)]
    counted = [np.where(mask, row, NOBODY_ELSEWHERE) for mask, row in zip(free, beyond, strict=True)]
    nobody = np.full(layout.cells, NOBODY_ELSEWHERE, dtype=np.int64)
    return np.asarray(np.minimum.reduce([nobody, *counted]))


def _distinct(group: Ints, unit: Ints, groups: int) -> Ints:
    """Distinct units of each group. Sorting one number a row is several times faster than `np.unique`."""
    width = int(unit.max(initial=0)) + 1
    pairs = np.sort(group * width + unit)
    return _count(pairs[first_of_runs(pairs)] // width, groups)


def _count(cell: Ints, cells: int) -> Ints:
    return np.bincount(cell, minlength=cells).astype(np.int64)


def _top_two(cell: Ints, size: Floats, cells: int) -> tuple[Floats, Floats]:
    """The largest and second largest contribution of each cell; entries are sorted by cell."""
    largest, second = np.zeros(cells), np.zeros(cells)
    starts = first_of_runs(cell)
    if not len(starts):
        return largest, second
    present = cell[starts]
    largest[present] = np.maximum.reduceat(size, starts)
    is_largest = size == largest[cell]
    ties = np.add.reduceat(is_largest.astype(np.int64), starts)
    runner_up = np.maximum.reduceat(np.where(is_largest, 0.0, size), starts)
    second[present] = np.where(ties > 1, largest[present], runner_up)
    return largest, second


def _tops(cell: Ints, size: Floats, cells: int) -> Floats:
    """The largest contributions of each cell, in falling order; zero where there are no more."""
    tops = np.zeros((cells, TOPS))
    order = np.lexsort((-size, cell))
    sorted_cell = cell[order]
    starts = first_of_runs(sorted_cell)
    if len(starts):
        lengths = np.diff(np.append(starts, len(cell)))
        place = np.arange(len(cell)) - np.repeat(starts, lengths)
        first = place < TOPS
        tops[sorted_cell[first], place[first]] = size[order][first]
    return tops


# --- GPs ---------------------------------------------------------------------------------------------------


def _doctors(given: Contributions, physician: Ints, sizes: Floats, cells: int, *, distinct: bool) -> Doctors:
    """One GP column. A missing GP is one of the (cell, GP), and makes nobody known."""
    chosen = np.flatnonzero(sizes > 0)
    order = chosen[ordered(given.cell[chosen], physician[chosen], given.unit[chosen])]
    cell, unit, gp = given.cell[order], given.unit[order], physician[order]
    starts = first_of_runs(cell, gp)
    firsts = np.zeros(len(cell), dtype=np.int64)
    firsts[first_of_runs(cell, gp, unit)] = 1
    with_one = gp != NO_PHYSICIAN
    patients = _summed(firsts, starts)
    return Doctors(
        cell=cell[starts],
        physician=gp[starts],
        patients=patients,
        amount=patients.astype(np.float64) if distinct else _summed(sizes[order], starts),
        known=_distinct(cell[with_one], unit[with_one], cells),
    )


def _together(parts: Sequence[Doctors]) -> Doctors:
    cell = np.concatenate([part.cell for part in parts])
    gp = np.concatenate([part.physician for part in parts])
    order = ordered(cell, gp)
    starts = first_of_runs(cell[order], gp[order])
    return Doctors(
        cell=cell[order][starts],
        physician=gp[order][starts],
        patients=_summed(np.concatenate([part.patients for part in parts])[order], starts),
        amount=_summed(np.concatenate([part.amount for part in parts])[order], starts),
        known=np.sum([part.known for part in parts], axis=0),
    )


def _summed(values: Any, starts: Ints) -> Any:
    return np.add.reduceat(values, starts) if len(starts) else values


def _physicians(one: Doctors, cells: int) -> Ints:
    return _count(one.cell[one.physician != NO_PHYSICIAN], cells)


def _outside(one: Doctors, cells: int) -> Ints:
    """Patients with a GP, but not the one who has most of them."""
    patients = np.where(one.physician == NO_PHYSICIAN, 0, one.patients)
    return one.known - _most(one.cell, patients.astype(np.float64), cells).astype(np.int64)


def _share(doctors: Sequence[Doctors], total: Floats) -> Floats:
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


def _fewest(found: Iterable[Ints]) -> Ints | None:
    """Of several GP columns (a join has one a side) the fewest; None without any."""
    columns = list(found)
    return np.asarray(np.minimum.reduce(columns)) if columns else None
