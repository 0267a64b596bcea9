"""From contributions to evidence: patients, GPs, largest contributions, people left out. Pure.

Of a sample of patients, the numbers of patients, GPs, patients outside the largest GP and people left out are
sound lower bounds: a sample holds all rows of those in it. Tallies of separate patients add up to that of all
of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.contributions import (
    Added,
    Contributions,
    count_by,
    distinct_by,
    first_of_runs,
)
from hub_config.gateway.evidence.layout import Layout, Margin
from hub_config.gateway.evidence.physicians import (
    Doctors,
    cut_share,
    doctors_of,
    fewest,
    outside,
    outside_few,
    physicians,
    share,
    together,
)
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, TOPS, Backing, Floats, Ints
from hub_config.gateway.rules.plan import Measure, MeasureKind

Mask = NDArray[np.bool_]


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
    nets: Floats | None = None

    def evidence(self, layout: Layout, measure: Measure, few: int) -> Backing:
        """`few`: GPs who are too few to hide behind each other."""
        return Backing(
            patients=self.patients,
            physicians=fewest(physicians(one, len(self.total)) for one in self.doctors),
            outside=fewest(outside(one, len(self.total)) for one in self.doctors),
            left_out=_left_out(self.beyond, layout, measure),
            largest=self.largest,
            second=self.second,
            total=self.total,
            physician_share=share(self.doctors, self.total),
            outside_few=fewest(outside_few(one.cell, one.own, few, len(self.total)) for one in self.doctors),
            tops=self.tops,
            nets=self.nets,
            cut_share=cut_share(self.doctors, len(self.total)),
        )


def tally(given: Contributions, layout: Layout, measure: Measure, *, elsewhere: bool = True) -> Tally:
    """What `given` says of `measure`. Not `elsewhere`: nobody is looked for beyond the cells."""
    units, cells = given.units, layout.cells
    added, sizes = units.added[measure.weight], units.added[measure.weight].size(measure.kind)
    largest, second = _top_two(units.cell, sizes, cells)
    tops, nets, cuts = None, None, np.ones(len(sizes))
    if measure.kind is not MeasureKind.PATIENTS:
        tops, nets = _tops(units.cell, sizes, _signed(added, measure), cells)
        cuts = np.minimum(1.0, _ratio(tops[units.cell, -1], sizes))
    return Tally(
        patients=count_by(units.cell[sizes > 0], cells),
        beyond=_beyond(units, layout, added, measure, elsewhere=elsewhere),
        largest=largest,
        second=second,
        total=np.bincount(units.cell, weights=sizes, minlength=cells).astype(np.float64),
        doctors=tuple(doctors_of(given, column, measure, cuts, cells) for column in given.physicians),
        tops=tops,
        nets=nets,
    )


def _signed(added: Added, measure: Measure) -> Floats:
    if measure.kind is MeasureKind.SUM and added.total is not None:
        return added.total
    return added.rows.astype(np.float64)


def _ratio(part: Floats, whole: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.where(whole > 0, part / whole, 1.0)


def merged(parts: Sequence[Tally]) -> Tally:
    """The tally of everybody, from those of separate patients."""
    if len(parts) == 1:
        return parts[0]
    tops = np.sort(np.stack([top for part in parts for top in (part.largest, part.second)]), axis=0)
    ours, nets = _together_tops(parts)
    return Tally(
        patients=np.sum([part.patients for part in parts], axis=0),
        beyond=np.sum([part.beyond for part in parts], axis=0),
        largest=tops[-1],
        second=tops[-2],
        total=np.sum([part.total for part in parts], axis=0),
        doctors=tuple(together(column) for column in zip(*(part.doctors for part in parts), strict=True)),
        tops=ours,
        nets=nets,
    )


def _together_tops(parts: Sequence[Tally]) -> tuple[Floats | None, Floats | None]:
    tops = [part.tops for part in parts if part.tops is not None]
    nets = [part.nets for part in parts if part.nets is not None]
    if not tops or not nets:
        return None, None
    sizes, signed = np.concatenate(tops, axis=1), np.concatenate(nets, axis=1)
    order = np.argsort(-sizes, axis=1, kind="stable")[:, :TOPS]
    return np.take_along_axis(sizes, order, axis=1), np.take_along_axis(signed, order, axis=1)


def backing(given: Contributions, layout: Layout, measure: Measure, few: int) -> Backing:
    """The evidence of one measure, from all contributions or those of a sample."""
    return tally(given, layout, measure).evidence(layout, measure, few)


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
    own = count_by(cell, layout.cells)
    rows = [count_by(units.cell, layout.cells) - own] if measure.conditional else []
    rows += [_in_margin(margin, cell, unit, own) - own for margin in layout.margins]
    return np.stack(rows) if rows else np.empty((0, layout.cells), dtype=np.int64)


def _in_margin(margin: Margin, cell: Ints, unit: Ints, own: Ints) -> Ints:
    """For each cell the distinct patients of its margin."""
    if not margin.free.any():
        return own
    if margin.partitions:
        return np.bincount(margin.group, weights=own).astype(np.int64)[margin.group]
    groups = int(margin.group.max(initial=0)) + 1
    return distinct_by(margin.group[cell], unit, groups)[margin.group]


def _left_out(beyond: Ints, layout: Layout, measure: Measure) -> Ints:
    """The fewest beyond, over what could have put patients elsewhere."""
    always = [np.ones(layout.cells, dtype=bool)] if measure.conditional else []
    free = [*always, *(margin.free for margin in layout.margins)]
    counted = [np.where(mask, row, NOBODY_ELSEWHERE) for mask, row in zip(free, beyond, strict=True)]
    nobody = np.full(layout.cells, NOBODY_ELSEWHERE, dtype=np.int64)
    return np.asarray(np.minimum.reduce([nobody, *counted]))


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


def _tops(cell: Ints, size: Floats, signed: Floats, cells: int) -> tuple[Floats, Floats]:
    """The largest contributions of each cell, in falling order, and what they are with their signs; zero
    where there are no more."""
    tops, nets = np.zeros((cells, TOPS)), np.zeros((cells, TOPS))
    order = np.lexsort((-size, cell))
    sorted_cell = cell[order]
    starts = first_of_runs(sorted_cell)
    if len(starts):
        lengths = np.diff(np.append(starts, len(cell)))
        place = np.arange(len(cell)) - np.repeat(starts, lengths)
        first = place < TOPS
        tops[sorted_cell[first], place[first]] = size[order][first]
        nets[sorted_cell[first], place[first]] = signed[order][first]
    return tops, nets
