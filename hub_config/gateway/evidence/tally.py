"""From contributions to evidence: patients, GPs, largest contributions, people left out. Pure.

Of a sample of patients, the numbers of patients, GPs, patients outside the largest GP and people left out are
sound lower bounds: a sample holds all rows of those in it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.contributions import NO_PHYSICIAN, Added, Contributions, first_of_runs
from hub_config.gateway.evidence.layout import Layout, Margin
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, Backing, Floats, Ints
from hub_config.gateway.rules.plan import Measure


@dataclass(frozen=True)
class Physicians:
    """By cell, for one GP column or the worst of several."""

    count: Ints
    outside: Ints
    share: Floats


def backing(given: Contributions, layout: Layout, measure: Measure) -> Backing:
    """The evidence of one measure."""
    units, cells = given.units, layout.cells
    added = units.added[measure.weight]
    size = added.size(measure.kind)
    contributing = size > 0
    largest, second = _top_two(units.cell, size, cells)
    total = np.bincount(units.cell, weights=size, minlength=cells).astype(np.float64)
    physicians = _physicians(given, measure, total)
    return Backing(
        patients=_count(units.cell[contributing], cells),
        physicians=None if physicians is None else physicians.count,
        outside=None if physicians is None else physicians.outside,
        left_out=left_out(given, layout, added, conditional=measure.conditional),
        largest=largest,
        second=second,
        total=total,
        physician_share=np.zeros(cells) if physicians is None else physicians.share,
    )


def selected(evidence: Backing, kept: Ints) -> Backing:
    """The evidence of some cells only."""
    arrays: dict[str, Any] = {
        field.name: None if getattr(evidence, field.name) is None else getattr(evidence, field.name)[kept]
        for field in fields(evidence)
    }
    return Backing(**arrays)


def left_out(given: Contributions, layout: Layout, added: Added, *, conditional: bool) -> Ints:
    """The fewest patients that the row (of a conditional measure) or a margin holds beyond the cell's own."""
    units, cells = given.units, layout.cells
    cell, unit = units.cell[added.present], units.unit[added.present]
    own = _count(cell, cells)
    fewest = np.full(cells, NOBODY_ELSEWHERE, dtype=np.int64)
    if conditional:
        fewest = _count(units.cell, cells) - own
    for margin in layout.margins:
        if margin.free.any():
            beyond = _in_margin(margin, cell, unit, own) - own
            fewest = np.where(margin.free, np.minimum(fewest, beyond), fewest)
    return fewest


def _in_margin(margin: Margin, cell: Ints, unit: Ints, own: Ints) -> Ints:
    """For each cell the distinct patients of its margin."""
    if margin.partitions:
        return np.bincount(margin.group, weights=own).astype(np.int64)[margin.group]
    width = int(unit.max(initial=0)) + 1
    pairs = np.unique(margin.group[cell] * width + unit)
    return _count(pairs // width, int(margin.group.max(initial=0)) + 1)[margin.group]


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


# --- GPs ---------------------------------------------------------------------------------------------------


def _physicians(given: Contributions, measure: Measure, total: Floats) -> Physicians | None:
    """Of several GP columns (a join has one a side) the fewest, and the largest share. None without any."""
    size = given.added[measure.weight].size(measure.kind)
    found = [_of_column(given, column, size, total) for column in given.physicians]
    if not found:
        return None
    return Physicians(
        count=np.minimum.reduce([one.count for one in found]),
        outside=np.minimum.reduce([one.outside for one in found]),
        share=np.maximum.reduce([one.share for one in found]),
    )


def _of_column(given: Contributions, physician: Ints, sizes: Floats, total: Floats) -> Physicians:
    """A missing GP counts as none, and holds nobody outside the largest; its share is that of one GP."""
    cells = len(total)
    chosen = np.flatnonzero(sizes > 0)
    order = chosen[np.lexsort((given.unit[chosen], physician[chosen], given.cell[chosen]))]
    cell, unit, gp, size = given.cell[order], given.unit[order], physician[order], sizes[order]
    starts = first_of_runs(cell, gp)
    if not len(starts):
        nothing = np.zeros(cells, dtype=np.int64)
        return Physicians(nothing, nothing, np.zeros(cells))
    group_cell, known = cell[starts], gp[starts] != NO_PHYSICIAN
    amount = np.add.reduceat(size, starts)
    patients = np.add.reduceat(_firsts(cell, gp, unit), starts)
    most = _most(group_cell, np.where(known, patients, 0), cells).astype(np.int64)
    with_one = _with_a_physician(cell, unit, gp, cells)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share = np.where(total > 0, _most(group_cell, amount, cells) / total, 0.0)
    return Physicians(_count(group_cell[known], cells), with_one - most, share)


def _firsts(*columns: Ints) -> Ints:
    marks = np.zeros(len(columns[0]), dtype=np.int64)
    marks[first_of_runs(*columns)] = 1
    return marks


def _most(cell: Ints, values: NDArray[np.generic], cells: int) -> Floats:
    most = np.zeros(cells)
    starts = first_of_runs(cell)
    most[cell[starts]] = np.maximum.reduceat(values, starts)
    return most


def _with_a_physician(cell: Ints, unit: Ints, gp: Ints, cells: int) -> Ints:
    known = gp != NO_PHYSICIAN
    width = int(unit.max(initial=0)) + 1
    pairs = np.unique(cell[known] * width + unit[known])
    return _count(pairs // width, cells)
