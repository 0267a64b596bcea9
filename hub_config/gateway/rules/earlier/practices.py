"""How much of what tells two cells apart is of one GP, as far as sums by bucket of GPs know. Pure.

Beside its sketch by GP a cell has counts: rows (of distinct patients: patients) by bucket of the GP, without
those of no GP. Of two cells one of which contains the other, the counts of the difference are the difference
of the counts. What lies outside its largest bucket is at most what lies outside its largest GP, but for GPs
who share a bucket by chance: 32 buckets err to the side that withholds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Ints, Words
from hub_config.gateway.rules.earlier.sketches import folded

Flags = NDArray[np.bool_]
Shares = NDArray[np.float64]

_PAIRS_OF_A_PASS: Final = 1 << 18  # working set of one pass: it stays in the cache


@dataclass(frozen=True)
class Practices:
    """Cells by bucket of GPs: `sketch`, `counts`, and whether they were counted (an old ledger has cells that
    were not)."""

    sketch: Words
    counts: Words | Ints
    counted: Flags

    def of(self, rows: Any) -> Self:
        return type(self)(self.sketch[rows], self.counts[rows], self.counted[rows])

    def plus(self, other: Self, sign: Ints) -> Self:
        """Row by row the sum, or where the sign is -1 the difference."""
        signs = sign[:, None]
        counts = self.counts.astype(np.int64) + other.counts.astype(np.int64) * signs
        sketch = self.sketch + other.sketch * signs.astype(np.uint32)
        return type(self)(sketch, counts, self.counted & other.counted)

    def summed(self) -> Self:
        """All of them as one."""
        sketch = self.sketch.sum(axis=0, dtype=np.uint32)
        counts = self.counts.sum(axis=0, dtype=np.int64)
        return type(self)(sketch[None], counts[None], np.array([bool(np.all(self.counted))]))


@dataclass(frozen=True)
class Between:
    """Of pairs of cells what tells them apart: in how many buckets; how much in all, and how much outside the
    bucket with most of it, where both were `counted`. A bucket that differs counts one at least."""

    buckets: Ints
    total: Ints
    outside: Ints
    counted: Flags

    @classmethod
    def of(cls, one: Practices, other: Practices) -> Between:
        apart = one.sketch != other.sketch
        gap = np.abs(one.counts.astype(np.int64) - other.counts.astype(np.int64))
        gap = np.maximum(gap, apart)
        total = gap.sum(axis=1)
        outside = total - gap.max(axis=1, initial=0)
        return cls(np.count_nonzero(apart, axis=1), total, outside, one.counted & other.counted)

    def narrow(self, few: Ints, least: Ints | Shares, part: Shares) -> Flags:
        """Whether it is of `few` GPs at most, or has less than `least`, or less than this `part` of it,
        outside the largest."""
        one_has_most = (self.outside < least) | (self.outside < part * self.total)
        return (self.buckets > 0) & ((self.buckets <= few) | (self.counted & one_has_most))


def most_of_one(left: Practices, right: Practices, least: int, part: float) -> Iterator[tuple[Ints, Ints]]:
    """Pairs, some at a time, among which are all that differ by less than `least`, or less than this `part`,
    outside one bucket.

    Split the buckets in two halves: one of them has next to nothing of such a difference. The halves by each
    bit of the bucket's number are tried, and few other pairs pass all of them.
    """
    left_rows, right_rows = np.flatnonzero(left.counted), np.flatnonzero(right.counted)
    ours, theirs = (_halves(side.counts[rows]) for side, rows in ((left, left_rows), (right, right_rows)))
    limit = _Limit(least, part / (1 - 2 * part) if part < 0.5 else np.inf)
    step = max(1, _PAIRS_OF_A_PASS // max(1, len(right_rows)))
    bits = [folded(side.sketch[rows]) for side, rows in ((left, left_rows), (right, right_rows))]
    for start in range(0, len(left_rows), step):
        pair = np.flatnonzero(_one_is_small(ours[start : start + step, None], theirs, 1, limit))
        one, other = start + pair // max(1, len(right_rows)), pair % max(1, len(right_rows))
        most = limit.of(np.abs(ours[one, 0] - theirs[other, 0]))
        keep = _apart(bits[0][one], bits[1][other]) < most + 1
        one, other = one[keep], other[keep]
        for half in range(2, ours.shape[1]):
            keep = _one_is_small(ours[one], theirs[other], half, limit)
            one, other = one[keep], other[keep]
        yield left_rows[one], right_rows[other]


@dataclass(frozen=True)
class _Limit:
    """How much a half may hold beside the largest bucket, given how much more one cell counts than the
    other."""

    least: int
    factor: float

    def of(self, total: Any) -> Any:
        return np.maximum(self.least, self.factor * (total + 1.0))


def _halves(counts: Words | Ints) -> NDArray[np.float64]:
    """All; then those with each bit of the bucket's number set. Exact."""
    numbers = np.arange(counts.shape[1])
    bits = [(numbers >> bit) & 1 for bit in range(int(counts.shape[1] - 1).bit_length())]
    chosen = np.array([np.ones_like(numbers), *bits], dtype=np.float64).T
    return np.ascontiguousarray(counts.astype(np.float64) @ chosen)


def _one_is_small(ours: Any, theirs: Any, number: int, limit: _Limit) -> Flags:
    total, half = (ours[..., at] - theirs[..., at] for at in (0, number))
    smaller = np.minimum(np.abs(half), np.abs(total - half))
    return np.asarray(smaller < limit.of(np.abs(total)))


def _apart(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """In how many buckets they differ, at least. Each counts one at least."""
    differ = ours ^ theirs
    return np.asarray(np.bitwise_count(differ[:, 0] | differ[:, 1]), dtype=np.uint8)
