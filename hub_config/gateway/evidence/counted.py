"""Many rows that each add 1, as one whole number each: it sorts many times faster than an engine groups rows,
and is taken apart a few cells at a time. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hub_config.gateway.evidence.contributions import Added, Contributions, Packing, first_of_runs
from hub_config.gateway.rules.cells import Ints


@dataclass(frozen=True)
class Counted:
    """Contributions of rows. `numbers`: (cell, unit, GPs) packed, each once and in order; `firsts`: at which
    of the sorted rows each begins, and their number last."""

    packing: Packing
    numbers: Ints
    firsts: Ints

    @classmethod
    def of(cls, packing: Packing, rows: Iterable[Ints]) -> Counted:
        """Of packed rows, in parts: of each as it comes no more is held than what differs in it."""
        parts = [_counted(np.sort(part)) for part in rows]
        numbers = np.concatenate([np.empty(0, dtype=np.int64), *(part[0] for part in parts)])
        counts = np.concatenate([np.empty(0, dtype=np.int64), *(part[1] for part in parts)])
        del parts
        order = np.argsort(numbers, kind="stable")  # a merge: the parts are in order
        numbers, counts = numbers[order], counts[order]
        firsts = first_of_runs(numbers)
        ends = np.cumsum(np.add.reduceat(counts, firsts) if len(firsts) else counts)
        return cls(packing, numbers[firsts], np.concatenate(([0], ends)))

    @property
    def rows(self) -> int:
        return int(self.firsts[-1])

    @property
    def highest_unit(self) -> int:
        """At least."""
        low, bits = self.packing.columns[1]
        return low + (1 << bits) - 1

    def counts(self, cells: int) -> Ints:
        """How many entries there are to each cell."""
        return np.diff(self._places(np.arange(cells + 1)))

    def of_cells(self, first: int, end: int) -> Contributions:
        """Those to some cells, numbered from the `first` of them."""
        start, stop = self._places(np.array([first, end]))
        cell, unit, *physicians = self.packing.unpacked(self.numbers[start:stop])
        added = Added(np.diff(self.firsts[start : stop + 1]))
        return Contributions(cell - first, unit, tuple(physicians), {None: added})

    def _places(self, cells: Ints) -> Ints:
        """Where the entries of each cell begin, or would."""
        (low, _), *others = self.packing.columns
        numbers = (cells - low) << sum(bits for _, bits in others)
        return np.searchsorted(self.numbers, numbers).astype(np.int64)


def _counted(numbers: Ints) -> tuple[Ints, Ints]:
    """Sorted numbers each once, and how often each."""
    firsts = first_of_runs(numbers)
    return numbers[firsts], np.diff(np.append(firsts, len(numbers)))
