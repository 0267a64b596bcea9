"""How much of what tells two cells apart is of one GP, as far as sums by bucket of GPs know. Pure.

Beside its sketch by GP a cell has counts: rows (of distinct patients: patients) by bucket of the GP, without
those of no GP. Of two cells one of which contains the other, the counts of the difference are the difference
of the counts. What lies outside its largest bucket is at most what lies outside its largest GP, but for GPs
who share a bucket by chance: 32 buckets err to the side that withholds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Ints, Words

Flags = NDArray[np.bool_]
Shares = NDArray[np.float64]

_PAIRS_OF_A_PASS: Final = 1 << 17  # working set of one pass: it stays in the cache
_FITS: Final = (1 << 14) - 1  # in all buckets of a cell: sums of the gaps of two such cells have 16 bits


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

    Buckets are added up two by two, and the gaps of these sums but for the widest are at most what lies
    outside any one bucket; none differs by more than the widest gap and all that lies outside it. Few pairs
    pass that have little to do with each other.
    """
    factor = part / (1 - 2 * part) if part < 0.5 else np.inf
    rights = [(rows, _sums(right.counts[rows])) for rows in _by_size(right)]
    for left_rows in _by_size(left):
        ours = _sums(left.counts[left_rows])
        for right_rows, theirs in rights:
            for pair in _gathered(_nearly_of_one(ours, theirs, least, factor)):
                yield left_rows[pair // len(right_rows)], right_rows[pair % len(right_rows)]


def _gathered(pairs: Iterable[Ints]) -> Iterator[Ints]:
    """As many together as are looked at in one pass: each has few."""
    held: list[Ints] = []
    count = 0
    for some in pairs:
        held.append(some)
        count += len(some)
        if count >= _PAIRS_OF_A_PASS:
            yield np.concatenate(held)
            held, count = [], 0
    if held:
        yield np.concatenate(held)


def _by_size(side: Practices) -> tuple[Ints, Ints]:
    """The rows that were counted: those that fit in little room, which nearly all do, and the others."""
    fits = side.counts.sum(axis=1, dtype=np.int64) <= _FITS
    return np.flatnonzero(side.counted & fits), np.flatnonzero(side.counted & ~fits)


def _sums(counts: Words | Ints) -> Ints:
    """A row for every two buckets, a column for every cell."""
    firsts = np.arange(0, counts.shape[1], 2)
    return np.ascontiguousarray(np.add.reduceat(counts, firsts, axis=1, dtype=np.int64).T)


def _nearly_of_one(ours: Ints, theirs: Ints, least: int, factor: float) -> Iterator[Ints]:
    """Pairs of columns, numbered row by row. `factor`: how much may lie outside one bucket, for one in it."""
    most = max(int(side.sum(axis=0).max(initial=0)) for side in (ours, theirs))
    room = np.int16 if most <= _FITS else np.int64
    ours, theirs = ours.astype(room), theirs.astype(room)
    step = max(1, _PAIRS_OF_A_PASS // max(1, theirs.shape[1]))
    for start in range(0, ours.shape[1], step):
        all_, widest = _gaps(ours[:, start : start + step], theirs)
        limit = np.maximum(least, factor * (widest + np.float32(2)))  # one more than is true: for rounding
        yield start * theirs.shape[1] + np.flatnonzero(all_ - widest <= limit)


def _gaps(ours: NDArray[Any], theirs: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """What the sums of each pair differ by, all together, and the widest of these gaps."""
    all_ = np.zeros((ours.shape[1], theirs.shape[1]), ours.dtype)
    widest, gap = np.zeros_like(all_), np.empty_like(all_)
    for one, other in zip(ours, theirs, strict=True):
        np.abs(np.subtract(one[:, None], other, out=gap), out=gap)
        all_ += gap
        np.maximum(widest, gap, out=widest)
    return all_, widest
