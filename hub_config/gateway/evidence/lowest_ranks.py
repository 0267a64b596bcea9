"""Of each cell the contributors of lowest secret rank, found as entries stream by: a bottom-k sample (Cohen &
Kaplan, "Summarizing data using bottom-k sketches", PODC 2007). Pure.

Whoever is beyond SAMPLE_SIZE others of their cell is out for good, whatever comes later. So little is held,
and the sample is the one that all contributors at once would give.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.contributions import first_of_runs
from hub_config.gateway.rules.cells import SAMPLE_SIZE, Ints, Words

EVERYBODY: Final = np.uint64(2**32)
_UNIT_BITS: Final = 28  # more than there are numbers of patients
_RANK_BITS: Final = 32
_LEAST_HELD: Final = 1 << 16  # entries, before those that are out are thrown away


@dataclass
class LowestRanks:
    """The samples of `cells` cells. A contributor may be given to a cell more than once."""

    cells: int
    threshold: NDArray[np.uint64] = field(init=False)
    _held: list[Ints] = field(default_factory=list, init=False)
    _count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.threshold = np.full(self.cells, EVERYBODY)

    def add(self, cell: Ints, unit: Ints, ranks: Words) -> None:
        """Entries; `ranks` are those of all units, by their number."""
        kept = np.flatnonzero(ranks[unit] < self.threshold[cell])
        self._held.append((cell[kept] << _UNIT_BITS) | unit[kept])
        self._count += len(kept)
        if self._count > max(_LEAST_HELD, self.cells * SAMPLE_SIZE * 3 // 2):
            self._drop(ranks)

    def found(self, ranks: Words) -> tuple[Ints, Words, NDArray[np.uint64]]:
        """Offsets, ranks and thresholds, as `cells.Vectors` has them."""
        cell, rank = self._drop(ranks)
        offsets = np.concatenate(([0], np.cumsum(np.bincount(cell, minlength=self.cells))))
        return offsets.astype(np.int64), rank, self.threshold

    def _drop(self, ranks: Words) -> tuple[Ints, Words]:
        """Forget who is out; cells and ranks of the others, in order."""
        codes = np.concatenate(self._held) if self._held else np.zeros(0, dtype=np.int64)
        codes.sort()
        codes = codes[first_of_runs(codes)]
        cell, unit = codes >> _UNIT_BITS, codes & ((1 << _UNIT_BITS) - 1)
        order = np.argsort((cell << _RANK_BITS) | ranks[unit])
        cell, rank = cell[order], ranks[unit[order]]
        firsts = np.concatenate(([0], np.cumsum(np.bincount(cell, minlength=self.cells))))
        beyond = np.arange(len(cell)) - firsts[cell] == SAMPLE_SIZE
        self.threshold[cell[beyond]] = rank[beyond]
        kept = np.flatnonzero(rank < self.threshold[cell])
        self._held, self._count = [codes[order[kept]]], len(kept)
        return cell[kept], rank[kept]
