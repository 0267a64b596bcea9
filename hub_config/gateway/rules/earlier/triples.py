"""Three cells that make up nobody, or few: one is two others together, or what one leaves of another. Pure.

A whole and its part share the lowest secret ranks of the part, so pairs of the two are found by their samples
(`sketches.Samples`). What the third would have to be is looked up: sketches are linear, so the sketch of what
is left of the whole is known. They are hashed in eight groups of eight buckets, again linearly; up to seven
patients more or fewer leave one group untouched, so they are always found, more of them mostly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Ints, Words
from hub_config.gateway.rules.earlier.sketches import Samples, lowest, ranges

_GROUPS: Final = 8
_ODD: Final = np.uint32(0x9E3779B1)  # of a linear hash: its powers need not be secret, the sketches are
_KNOWABLE: Final = 3  # with fewer of a part's ranks below a whole's threshold, nothing tells if it is inside
_PASS: Final = 1 << 18


@dataclass(frozen=True)
class Cells:
    """Some cells: their sketches (by patient, or by GP), and their samples."""

    by_patient: Words
    samples: Samples

    def __len__(self) -> int:
        return len(self.by_patient)


@dataclass(frozen=True)
class Triples:
    """New cells, each with two others: `cell` = `one` + `other` where `sign` is 1, `one` - `other` where it
    is -1. `distance`: in how many buckets it is not."""

    cell: Ints
    one: Ints
    other: Ints
    sign: Ints
    distance: Ints


def triples(new: Cells, known: Cells, most: int) -> Triples:
    """Every such three, but for `most` buckets. The two others are among `known`."""
    found = [*_together(new, known, most), *_left(new, known, most)]
    columns = [np.concatenate([np.zeros(0, np.int64), *part]) for part in zip(*found, strict=True)]
    return Triples(*columns) if found else Triples(*(np.zeros(0, np.int64) for _ in range(5)))


def _together(new: Cells, known: Cells, most: int) -> Iterator[tuple[Ints, ...]]:
    """A new cell that holds a known one: is the rest of it known?"""
    whole, part = _inside(new, known)
    for pair, other, distance in _rests(new, whole, known, part, known, most):
        yield whole[pair], part[pair], other, np.ones(len(pair), np.int64), distance


def _left(new: Cells, known: Cells, most: int) -> Iterator[tuple[Ints, ...]]:
    """A new cell inside a known one: is the rest of that known?"""
    whole, part = _inside(known, new)
    for pair, other, distance in _rests(known, whole, new, part, known, most):
        yield part[pair], whole[pair], other, np.full(len(pair), -1, np.int64), distance


def _rests(
    wholes: Cells, whole: Ints, parts: Cells, part: Ints, known: Cells, most: int
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """For each pair of a whole and its part the cells of `known` that the rest could be: the pair, the cell,
    and how many buckets tell them apart. Half of a cell's own at most, or it would be like nobody."""
    hashes = _hashes(known.by_patient)
    orders = np.argsort(hashes, axis=0)
    ordered = np.take_along_axis(hashes, orders, axis=0)
    for start in range(0, len(whole), _PASS):
        some = slice(start, start + _PASS)
        wanted = _hashes(wholes.by_patient)[whole[some]] - _hashes(parts.by_patient)[part[some]]
        seen = []
        for group in range(_GROUPS):
            pairs = np.flatnonzero(wanted[:, group])  # nobody in these buckets says nothing
            first = np.searchsorted(ordered[:, group], wanted[pairs, group])
            last = np.searchsorted(ordered[:, group], wanted[pairs, group], side="right")
            cells = orders[ranges(first, last - first), group]
            seen.append(np.repeat(pairs, last - first) * len(known) + cells)
        codes = np.unique(np.concatenate(seen))
        pair, cell = start + codes // len(known), codes % len(known)
        rest = wholes.by_patient[whole[pair]] - parts.by_patient[part[pair]]
        distance = np.count_nonzero(rest != known.by_patient[cell], axis=1)
        near = distance <= np.minimum(most, np.count_nonzero(known.by_patient[cell], axis=1) // 2)
        yield pair[near], cell[near], distance[near]


def _hashes(sketch: Words) -> Words:
    """Linear in the sketch, modulo 2³². Shape (rows, groups)."""
    factors = _ODD ** np.arange(1, sketch.shape[1] + 1, dtype=np.uint32)
    mixed = (sketch * factors).reshape(len(sketch), _GROUPS, sketch.shape[1] // _GROUPS)
    return np.asarray(mixed.sum(axis=2, dtype=np.uint32), dtype=np.uint32)


def _inside(wholes: Cells, parts: Cells) -> tuple[Ints, Ints]:
    """Pairs of a whole and a part that lies mostly inside it, as far as the whole's sample knows."""
    low = lowest(parts.samples)
    held = _held(wholes.samples, low)
    codes, hits = np.unique(held, return_counts=True) if len(held) else (held, held)
    whole, part = codes // max(len(parts), 1), codes % max(len(parts), 1)
    knowable = np.count_nonzero(low[part] < wholes.samples.threshold[whole][:, None], axis=1)
    inside = 2 * hits >= knowable
    unknown = _unknown(wholes, low)
    codes = np.unique(np.concatenate([codes[inside], unknown]))
    return codes // max(len(parts), 1), codes % max(len(parts), 1)


def _held(samples: Samples, low: NDArray[np.uint64]) -> Ints:
    """whole · parts + part, once for each rank of the part that stands in the whole's sample."""
    ranks = np.concatenate([np.zeros(0, np.uint32), *map(samples.of, range(len(samples.starts)))])
    owner = np.repeat(np.arange(len(samples.starts)), samples.stops - samples.starts)
    order = np.argsort(ranks, kind="stable")
    ranks, owner = ranks[order].astype(np.uint64), owner[order]
    wanted = low.ravel()
    first = np.searchsorted(ranks, wanted)
    times = np.searchsorted(ranks, wanted, side="right") - first
    part = np.repeat(np.arange(len(wanted)) // low.shape[1], times)
    return np.asarray(owner[ranges(first, times)] * len(low) + part, dtype=np.int64)


def _unknown(wholes: Cells, low: NDArray[np.uint64]) -> Ints:
    """Pairs of which too little is known to say that the part is not inside."""
    least = low[:, _KNOWABLE - 1]
    found = np.argwhere(wholes.samples.threshold[:, None] <= least[None, :])
    return np.asarray(found[:, 0] * len(low) + found[:, 1], dtype=np.int64)
