"""From contributions to evidence: patients, GPs, largest contributions, people left out. Pure.

Of a sample of patients, the numbers of patients, GPs, patients outside the largest GP and people left out are
sound lower bounds: a sample holds all rows of those in it. Cells are looked at some at a time, so that their
arrays stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.beyond import Beyond
from hub_config.gateway.evidence.contributions import (
    Added,
    Contributions,
    count_by,
    first_of_runs,
)
from hub_config.gateway.evidence.counted import Counted
from hub_config.gateway.evidence.layout import Layout
from hub_config.gateway.evidence.physicians import (
    Doctors,
    cut_share,
    doctors_of,
    fewest,
    outside,
    outside_few,
    physicians,
    share,
)
from hub_config.gateway.rules.cells import TOPS, Backing, Floats, Ints
from hub_config.gateway.rules.plan import Measure, MeasureKind

_AT_ONCE: Final = 1 << 16  # entries

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Tally:
    """One measure of some cells, over some patients."""

    patients: Ints
    largest: Floats
    second: Floats
    total: Floats
    doctors: tuple[Doctors, ...]
    tops: Floats | None = None
    nets: Floats | None = None

    def evidence(self, few: int) -> Backing:
        """`few`: GPs who are too few to hide behind each other. Nobody is known to be left out."""
        return Backing(
            patients=self.patients,
            physicians=fewest(physicians(one, len(self.total)) for one in self.doctors),
            outside=fewest(outside(one, len(self.total)) for one in self.doctors),
            left_out=np.zeros(len(self.total), dtype=np.int64),
            largest=self.largest,
            second=self.second,
            total=self.total,
            physician_share=share(self.doctors, self.total),
            outside_few=fewest(outside_few(one.cell, one.own, few, len(self.total)) for one in self.doctors),
            tops=self.tops,
            nets=self.nets,
            cut_share=cut_share(self.doctors, len(self.total)),
        )


def backing(
    parts: Sequence[Contributions | Counted],
    layout: Layout,
    measure: Measure,
    few: int,
    *,
    elsewhere: bool = True,
) -> Backing:
    """The evidence of one measure, from all contributions or those of a sample; `parts` are of separate
    patients. Not `elsewhere`: nobody is looked for beyond the cells."""
    beyond, found = Beyond(layout, measure, max(part.highest_unit for part in parts) + 1), []
    for first, end in blocks(parts, layout.cells):
        given = Contributions.joined([part.of_cells(first, end) for part in parts])
        found.append(tally(given, end - first, measure).evidence(few))
        if elsewhere:
            beyond.add(given.units, first, end)
    return replace(_joined(found), left_out=beyond.left_out())


def blocks(parts: Sequence[Contributions | Counted], cells: int) -> Iterator[tuple[int, int]]:
    """Neighbouring cells that have about as many entries together as are looked at at once."""
    ends = np.cumsum(np.sum([part.counts(cells) for part in parts], axis=0))
    firsts = np.searchsorted(ends, np.arange(_AT_ONCE, int(ends[-1]) if cells else 0, _AT_ONCE))
    return pairwise([0, *np.unique(firsts[firsts > 0]).tolist(), cells])


def tally(given: Contributions, cells: int, measure: Measure) -> Tally:
    """What `given` says of `measure`."""
    units = given.units
    added, sizes = units.added[measure.weight], units.added[measure.weight].size(measure.kind)
    largest, second = _top_two(units.cell, sizes, cells)
    tops, nets, cuts = None, None, np.ones(len(sizes))
    if measure.kind is not MeasureKind.PATIENTS:
        tops, nets = _tops(units.cell, sizes, _signed(added, measure), cells)
        cuts = np.minimum(1.0, _ratio(tops[units.cell, -1], sizes))
    return Tally(
        patients=count_by(units.cell[sizes > 0], cells),
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


def _joined(blocks: Sequence[Backing]) -> Backing:
    """The evidence of all cells, from that of neighbouring ones."""

    def whole(name: str) -> Any:
        arrays = [getattr(block, name) for block in blocks]
        return None if arrays[0] is None else np.concatenate(arrays)

    return Backing(**{field.name: whole(field.name) for field in fields(Backing)})


def selected(evidence: Backing, kept: Ints) -> Backing:
    """The evidence of some cells only."""
    arrays: dict[str, Any] = {
        field.name: None if getattr(evidence, field.name) is None else getattr(evidence, field.name)[kept]
        for field in fields(evidence)
    }
    return Backing(**arrays)


# --- patients ----------------------------------------------------------------------------------------------


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
