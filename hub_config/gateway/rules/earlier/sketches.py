"""Comparing sketches of cells: how many buckets tell two of them apart, quickly, for many pairs. Pure.

A sketch is a row of B buckets of 32 bits (`cells.Vectors`). Two cells that differ in at most t patients
differ in at most t buckets. Most pairs differ nearly everywhere, so each bucket is first folded to two bits
(is it used; one bit of a hash): pairs whose bits differ in more than t places differ in more than t buckets,
and one XOR and a count of bits decides. What is left is compared in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Fingerprints, Ints, Words

_ODD: Final = np.uint32(0x9E3779B1)  # multiplicative hashing: Knuth, The Art of Computer Programming 3, § 6.4
_TOP: Final = np.uint32(31)
_BYTES_OF_A_PASS: Final = 4 << 20  # working set of one pass: it stays in the cache
_ROWS_OF_A_PASS: Final = 1 << 16
_MANY_PAIRS: Final = 1 << 29  # some five seconds, one by one
_PAIRS_OF_A_PASS: Final = 1 << 14
_RANK_BITS: Final = np.uint64(32)


@dataclass(frozen=True)
class Pairs:
    """Left and right row of each pair, and how many buckets tell them apart."""

    left: Ints
    right: Ints
    distance: Ints

    def __len__(self) -> int:
        return len(self.left)

    @property
    def columns(self) -> tuple[Ints, Ints, Ints]:
        return self.left, self.right, self.distance

    def where(self, keep: NDArray[Any]) -> Pairs:
        """Those of the pairs: flags, or places."""
        return Pairs(self.left[keep], self.right[keep], self.distance[keep])

    def in_order(self) -> Pairs:
        return self.where(np.lexsort((self.right, self.left)))


def folded(sketch: Words) -> NDArray[np.uint64]:
    """Two words a row: which buckets are used, and one hash bit of each. Shape (rows, 2)."""
    powers = np.uint64(1) << np.arange(sketch.shape[1], dtype=np.uint64)
    used = (sketch != 0) @ powers
    hashed = ((sketch * _ODD) >> _TOP).astype(np.uint64) @ powers
    return np.stack([used, hashed], axis=1)


def near(left: Words, right: Words, left_bits: Any, right_bits: Any, limit: int | NDArray[Any]) -> Pairs:
    """Every pair that at most `limit` buckets tell apart; a limit for all, or one for each right row."""
    limits = np.broadcast_to(np.asarray(limit).astype(np.uint8), len(right_bits))
    if len(left) * len(right) > _MANY_PAIRS:
        pairs = _banded(left, right, left_bits, right_bits, limits)
    else:
        pairs = _one_by_one(left_bits, right_bits, limits)
    distance = distances(left, right, pairs[0], pairs[1])
    return Pairs(pairs[0], pairs[1], distance).where(distance <= limits[pairs[1]])


def _one_by_one(left_bits: Any, right_bits: Any, limits: Any) -> Ints:
    """Candidates by their bits, each left row against all right ones."""
    step = max(1, _BYTES_OF_A_PASS // (8 * max(1, len(right_bits))))
    used, hashed = (np.ascontiguousarray(right_bits[:, i]) for i in (0, 1))
    found = [
        _near_pass(left_bits[start : start + step], used, hashed, limits) + np.array([[start], [0]])
        for start in range(0, len(left_bits), step)
    ]
    return np.concatenate(found, axis=1) if found else np.zeros((2, 0), dtype=np.int64)


def _banded(left: Words, right: Words, left_bits: Any, right_bits: Any, limits: Any) -> Ints:
    """Candidates for very many pairs. Two rows that differ in t buckets agree in one at least of t + 1 bands
    of buckets: rows are joined on each band. Rows that agree in an empty band are too many to join and are
    compared one by one: those of few people."""
    bands = np.array_split(np.arange(left.shape[1]), int(limits.max(initial=0)) + 1)
    sparse_left, sparse_right = (_has_empty(sketch, bands) for sketch in (left, right))
    few = _one_by_one(left_bits[sparse_left], right_bits[sparse_right], limits[sparse_right])
    codes = [sparse_left[few[0]] * len(right) + sparse_right[few[1]]]
    for band in bands:
        one, other = _joined(left[:, band], right[:, band])
        codes.append(one * len(right) + other)
    found = np.unique(np.concatenate(codes))
    return np.stack([found // len(right), found % len(right)])


def _has_empty(sketch: Words, bands: list[Ints]) -> Ints:
    """Rows with a band that nobody is in."""
    return np.flatnonzero(np.any([~np.any(sketch[:, band], axis=1) for band in bands], axis=0))


def _joined(left: Words, right: Words) -> tuple[Ints, Ints]:
    """Rows that are equal and not empty."""
    of_left, of_right = (np.flatnonzero(np.any(rows, axis=1)) for rows in (left, right))
    names, wanted = fingerprints(right[of_right]), fingerprints(left[of_left])
    order = np.argsort(names)
    first, last = (np.searchsorted(names[order], wanted, side=side) for side in ("left", "right"))
    times = last - first
    return np.repeat(of_left, times), of_right[order[ranges(first, times)]]


def _near_pass(left: Any, used: Any, hashed: Any, limits: Any) -> Ints:
    """One of the two bits sorts out nearly all pairs; the others are asked for both."""
    few = np.flatnonzero(np.bitwise_count(left[:, 1:] ^ hashed) <= limits)
    one, other = few // len(used), few % len(used)
    differ = (left[one, 0] ^ used[other]) | (left[one, 1] ^ hashed[other])
    near_by = np.bitwise_count(differ) <= limits[other]
    return np.stack([one[near_by], other[near_by]])


def distances(left: Words, right: Words, left_rows: Ints, right_rows: Ints) -> Ints:
    """How many buckets tell each of these pairs apart."""
    found = np.zeros(len(left_rows), dtype=np.int64)
    for start in range(0, len(left_rows), _ROWS_OF_A_PASS):
        part = slice(start, start + _ROWS_OF_A_PASS)
        found[part] = np.count_nonzero(left[left_rows[part]] != right[right_rows[part]], axis=1)
    return found


def fingerprints(sketch: Words) -> Fingerprints:
    """A 64-bit name of each row: equal for equal rows. Not keyed: it stays inside the enclave."""
    words = np.arange(1, sketch.shape[1] + 1, dtype=np.uint64)
    mixed = _mixed(sketch.astype(np.uint64) + _mixed(words))
    return _mixed(mixed.sum(axis=1, dtype=np.uint64))


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


@dataclass(frozen=True)
class Samples:
    """For each row its contributors of lowest secret rank: all below `threshold`, sorted.

    `lowest` are the first LOWEST of them, padded with PAD.
    """

    threshold: NDArray[np.uint64]
    starts: Ints
    stops: Ints
    ranks: Words

    def of(self, row: int) -> Words:
        return self.ranks[self.starts[row] : self.stops[row]]


LOWEST: Final = 8
PAD: Final = np.uint64(1 << 33)  # above every rank and every threshold


def lowest(samples: Samples) -> NDArray[np.uint64]:
    """The LOWEST smallest ranks of each row, padded with PAD. Shape (rows, LOWEST)."""
    places = samples.starts[:, None] + np.arange(LOWEST)
    held = places < samples.stops[:, None]
    if not len(samples.ranks):
        return np.full(places.shape, PAD)
    return np.where(held, samples.ranks[np.where(held, places, 0)].astype(np.uint64), PAD)


def certainly_apart(left: Samples, right: Samples, pairs: Pairs) -> Ints:
    """Of each pair, how many contributors are known to be in one and not in the other: at least so many
    patients tell them apart. Both samples are whole below the lower threshold."""
    found = np.zeros(len(pairs), dtype=np.int64)
    for start in range(0, len(pairs), _PAIRS_OF_A_PASS):
        part = slice(start, start + _PAIRS_OF_A_PASS)
        found[part] = _apart_pass(left, right, pairs.left[part], pairs.right[part])
    return found


def _apart_pass(left: Samples, right: Samples, left_rows: Ints, right_rows: Ints) -> Ints:
    below = np.minimum(left.threshold[left_rows], right.threshold[right_rows])
    one, other = _kept(left, left_rows, below), _kept(right, right_rows, below)
    met = one[np.minimum(np.searchsorted(one, other), len(one) - 1)] == other if len(one) else other != other
    counts = [np.bincount(_owners(codes), minlength=len(below)) for codes in (one, other, other[met])]
    return np.asarray(np.maximum(counts[0] + counts[1] - 2 * counts[2], 0), dtype=np.int64)


def _kept(samples: Samples, rows: Ints, below: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The ranks of these rows below each one's limit, the number of the row in front: sorted codes."""
    lengths = samples.stops[rows] - samples.starts[rows]
    owner = np.repeat(np.arange(len(rows), dtype=np.uint64), lengths)
    ranks = samples.ranks[ranges(samples.starts[rows], lengths)]
    codes = (owner << _RANK_BITS) | ranks
    return codes[ranks < np.repeat(below, lengths)]


def _owners(codes: NDArray[np.uint64]) -> Ints:
    return (codes >> _RANK_BITS).astype(np.int64)


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """start, start + 1… for each start, one range after the other."""
    ends = np.cumsum(lengths)
    steps = np.arange(int(ends[-1]) if len(ends) else 0)
    return np.asarray(steps + np.repeat(starts - (ends - lengths), lengths), dtype=np.int64)
