"""Of each cell the contributors of lowest secret rank, found as entries stream by: a bottom-k sample (Cohen &
Kaplan, "Summarizing data using bottom-k sketches", PODC 2007). Pure.

Whoever is beyond SAMPLE_SIZE others of their cell is out for good, whatever comes later. So little is held,
and the sample is the one that all contributors at once would give.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.contributions import first_of_runs
from hub_config.gateway.rules.cells import SAMPLE_SIZE, Ints, Words

EVERYBODY: Final = np.uint64(2**32)
_UNIT_BITS: Final = 28  # more than there are numbers of patients
_UNITS: Final = (1 << _UNIT_BITS) - 1
_RANK_BITS: Final = 32
_A_BLOCK: Final = 1 << 20  # entries that are put in order at once
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
        self._drop(ranks)
        (codes,) = self._held
        counts = np.bincount(codes >> _UNIT_BITS, minlength=self.cells)
        offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return offsets, ranks[codes & _UNITS], self.threshold

    def _drop(self, ranks: Words) -> None:
        """Forget who is out. Of the others each once, in the order of cells and ranks."""
        codes = np.concatenate(self._held) if self._held else np.zeros(0, dtype=np.int64)
        self._held = []
        codes.sort()
        codes = codes[first_of_runs(codes)]
        blocks = max(1, len(codes) // _A_BLOCK)
        edges = np.linspace(0, self.cells, blocks + 1).astype(np.int64) << _UNIT_BITS
        places = np.searchsorted(codes, edges)
        parts = [self._lowest(codes[start:stop], ranks) for start, stop in pairwise(places)]
        self._held = [np.concatenate(parts)]
        self._count = len(self._held[0])

    def _lowest(self, codes: Ints, ranks: Words) -> Ints:
        """Who is not out, of some cells."""
        cell, rank = codes >> _UNIT_BITS, ranks[codes & _UNITS]
        order = np.argsort((cell << _RANK_BITS) | rank)
        cell, rank = cell[order], rank[order]
        starts = first_of_runs(cell)
        place = np.arange(len(cell)) - np.repeat(starts, np.diff(np.append(starts, len(cell))))
        beyond = place == SAMPLE_SIZE
        self.threshold[cell[beyond]] = rank[beyond]
        kept: Ints = codes[order[rank < self.threshold[cell]]]
        return kept
