"""Patients of a cell's margins, and of its row, who are not in it: counted while cells pass by. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hub_config.gateway.evidence.contributions import Contributions, count_by, first_of_runs
from hub_config.gateway.evidence.layout import Layout, Margin
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, Ints
from hub_config.gateway.rules.plan import Measure


@dataclass(frozen=True)
class Beyond:
    """Of one measure. Units have numbers below `units`. Until anybody was added, nobody is known to be left
    out."""

    layout: Layout
    measure: Measure
    units: int
    _own: list[Ints] = field(default_factory=list)  # patients of each cell
    _all: list[Ints] = field(default_factory=list)  # of each cell, counted by the measure or not
    _pairs: dict[int, list[Ints]] = field(default_factory=dict)  # (margin, unit), by the margin's place

    def add(self, given: Contributions, first: int, end: int) -> None:
        """All there are to the cells from `first` on, neighbours of those added last; one entry a unit."""
        present = given.added[self.measure.weight].present
        cell, unit = given.cell[present], given.unit[present]
        self._own.append(count_by(cell, end - first))
        self._all.append(count_by(given.cell, end - first))
        for place, margin in enumerate(self.layout.margins):
            if margin.free.any() and not margin.partitions:
                pairs = margin.group[cell + first] * self.units + unit
                self._pairs.setdefault(place, []).append(pairs)

    def left_out(self) -> Ints:
        """The fewest beyond each cell, over what could have put patients elsewhere."""
        cells = self.layout.cells
        found: Ints = np.full(cells, NOBODY_ELSEWHERE, dtype=np.int64)
        own, everybody = (
            np.concatenate(each) if each else np.zeros(cells, dtype=np.int64)
            for each in (self._own, self._all)
        )
        if self.measure.conditional:
            found = np.minimum(found, everybody - own)
        for place, margin in enumerate(self.layout.margins):
            beyond = self._in_margin(margin, self._pairs.get(place, []), own) - own
            found = np.where(margin.free, np.minimum(found, beyond), found)
        return found

    def _in_margin(self, margin: Margin, pairs: list[Ints], own: Ints) -> Ints:
        """For each cell the distinct patients of its margin."""
        if margin.partitions and margin.free.any():
            return np.bincount(margin.group, weights=own).astype(np.int64)[margin.group]
        if not pairs:
            return own
        numbers = np.concatenate(pairs)
        numbers.sort()
        firsts = np.arange(int(margin.group.max(initial=0)) + 2) * self.units
        of_group = np.diff(np.searchsorted(numbers[first_of_runs(numbers)], firsts))
        return np.asarray(of_group[margin.group], dtype=np.int64)
