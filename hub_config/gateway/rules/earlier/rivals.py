"""Which earlier cells a new one must be compared with, and by how many patients or GPs they differ. Pure.

The distance of two cells is the larger of two lower bounds of the number of patients whose weights tell them
apart: the buckets in which their sketches differ, and the contributors that their samples know to be in one
and not in the other (for small cells, all). So a pair within a radius is always found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Fingerprints, Ints
from hub_config.gateway.rules.earlier.anchors import UNION, Anchors
from hub_config.gateway.rules.earlier.practices import Between, Practices, most_of_one
from hub_config.gateway.rules.earlier.sketches import (
    Pairs,
    Samples,
    certainly_apart,
    distances,
    fingerprints,
    near,
)
from hub_config.gateway.rules.earlier.subsets import Found
from hub_config.gateway.rules.memory import Batch, Proposal
from hub_config.governance.ledger.group import Kind
from p4dp_sdk.disclosure.policy import Policy

Flags = NDArray[np.bool_]
Draw = Callable[[Fingerprints, Fingerprints], NDArray[np.uint64]]  # keyed, one word a pair

_NESTED: Final = 0.8  # of the smaller cell's sample, so much lies in the other: then one contains the other
_LEAST_REMEMBERED: Final = 2  # buckets of a withheld cell, at least: three people seldom share one
_PARTS: Final = 20  # a keyed 0 to 5 of these is added to what part of a difference must be of other GPs
_OUTSIDE_A_SMALL_ONE: Final = 1 / 3
_LEAST_BUCKETS: Final = 4  # a failing cell with fewer is too small to snap to anything


@dataclass(frozen=True)
class Reach:
    """How far is near, pair by pair: radii that the secret draw makes wider for some. `exact`: numbers are
    shown without noise."""

    policy: Policy
    draw: Draw
    exact: bool = False

    @property
    def most_few(self) -> int:
        return self.policy.snap_radius + self.policy.snap_jitter

    @property
    def most_very_few(self) -> int:
        return self.policy.snap_radius // 3 + self.policy.snap_jitter

    def words(self, left: Fingerprints, right: Fingerprints) -> NDArray[np.uint64]:
        """A secret word for each pair, whichever of the two came first."""
        return self.draw(np.minimum(left, right), np.maximum(left, right))

    def of_rows(self, anchors: Anchors, left: Ints, right: Ints) -> NDArray[np.uint64]:
        return self.words(anchors["fingerprint"][left], anchors["fingerprint"][right])

    def few(self, words: NDArray[np.uint64]) -> Ints:
        return self.policy.snap_radius + self._jitter(words, 0)

    def very_few(self, words: NDArray[np.uint64]) -> Ints:
        return self.policy.snap_radius // 3 + self._jitter(words, 16)

    def not_far(self, words: NDArray[np.uint64]) -> Ints:
        return self.policy.snap_radius + self.policy.snap_jitter + self._jitter(words, 32)

    def few_physicians(self, words: NDArray[np.uint64]) -> Ints:
        return self.policy.snap_physicians + _bits(words, 48) % 2

    @property
    def most_outside(self) -> int:
        return self.policy.min_outside + self.policy.snap_jitter

    @property
    def most_part(self) -> float:
        """Of a difference, the largest part outside one GP with which it may still be that GP's."""
        return float(self._part(np.array(self.policy.snap_jitter)))

    def is_narrow(self, words: NDArray[np.uint64], between: Between) -> Flags:
        """Whether these differences are of few GPs, or nearly all of one of them. A small one, of whom less
        than the least are outside the largest, says little of a GP where numbers are blurred: there most of
        it must be one GP's."""
        least = self.policy.min_outside + self._jitter(words, 0)
        part = self._part(self._jitter(words, 16))
        small = 1.0 if self.exact else _OUTSIDE_A_SMALL_ONE
        return between.narrow(self.few_physicians(words), np.minimum(least, small * between.total), part)

    def _part(self, jitter: Ints) -> NDArray[np.float64]:
        return np.asarray((1 - self.policy.max_physician_share) * (1 + jitter / _PARTS))

    def covers_sum(self, anchors: Anchors, row: int, found: Found) -> bool:
        """Whether few patients tell the cell in `row` from the sum found for it."""
        words = self.words(anchors["fingerprint"][row : row + 1], fingerprints(found.total[None, :]))
        return bool(found.distance <= self.few(words)[0])

    def _jitter(self, words: NDArray[np.uint64], shift: int) -> Ints:
        return _bits(words, shift) % (self.policy.snap_jitter + 1)


def _bits(words: NDArray[np.uint64], shift: int) -> Ints:
    """Sixteen of a word's bits: far more than any jitter, so that the remainder is even."""
    return ((words >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)


@dataclass(frozen=True)
class Rivals:
    """The rows that lie near one cell, the earliest first; each flag says how near.

    `apart`: something tells them apart; `one`: at most one patient does; `half`: what does is at most half of
    the rival; `draft`: it stood in an exploration answer; `carries`: it is a copy whose anchor lies not far
    from the cell either.
    """

    rows: Ints
    apart: Flags
    one: Flags
    few: Flags
    very_few: Flags
    half: Flags
    draft: Flags
    carries: Flags

    def cut(self, part: slice) -> Rivals:
        return Rivals(*(getattr(self, name)[part] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class AllRivals:
    """Those of every cell of a batch: `cells[i]` has the row i of `rivals`; ordered by cell, then row."""

    cells: Ints
    rivals: Rivals

    def by_cell(self) -> Iterator[tuple[int, Rivals]]:
        starts = np.flatnonzero(np.diff(self.cells, prepend=-1))
        stops = np.append(starts, len(self.cells))[1:]
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            yield int(self.cells[start]), self.rivals.cut(slice(start, stop))


def rivals_of(anchors: Anchors, in_scope: Flags, first: int, batch: Batch, reach: Reach) -> AllRivals:
    """The rivals of the cells that stand undecided in `anchors` from row `first` on: the rows before it that
    are in scope, and those of the batch itself that come earlier."""
    asked = _Asked(anchors, in_scope, first, batch.proposals, reach)
    passing, failing = asked.passing(), asked.failing()
    pairs = Pairs(*(np.concatenate(both) for both in zip(passing.columns, failing.columns, strict=True)))
    pairs = Pairs(pairs.left, pairs.right, measured(anchors, pairs))
    pairs = pairs.where((pairs.right < pairs.left) & (pairs.distance <= reach.most_few)).in_order()
    return AllRivals(pairs.left - first, _judged(anchors, pairs, reach))


@dataclass(frozen=True)
class _Asked:
    """The cells of a batch, and which rows they are compared with within which distance."""

    anchors: Anchors
    in_scope: Flags
    first: int
    proposals: NDArray[np.int8]
    reach: Reach

    @property
    def _used(self) -> Ints:
        """How many buckets each cell fills."""
        return np.asarray(np.bitwise_count(self.anchors["patient_bits"][self.first :, 0]), dtype=np.int64)

    @property
    def _shows(self) -> Flags:
        return np.asarray(self.proposals == Proposal.SHOW)

    def passing(self) -> Pairs:
        """Cells to be shown: against all; withheld cells and copies matter only where very few differ."""
        own = self.first + np.flatnonzero(self._shows | (self._used >= _LEAST_REMEMBERED))
        before = np.flatnonzero(self.in_scope & (self.anchors["kind"][: self.first] != Kind.FOLLOWER))
        close = np.isin(self.anchors["kind"][before], (Kind.WITHHELD, Kind.COPY))
        close = np.append(close, ~self._shows[own - self.first])
        limits = np.where(close, self.reach.most_very_few, self.reach.most_few)
        left = self.first + np.flatnonzero(self._shows)
        return nearest(self.anchors, left, np.append(before, own), limits)

    def failing(self) -> Pairs:
        """Cells to be withheld: against values shown, within half of each."""
        shown = np.isin(self.anchors["kind"][: self.first], (Kind.ANCHOR, Kind.COPY, UNION))
        right = np.append(np.flatnonzero(self.in_scope & shown), self.first + np.flatnonzero(self._shows))
        limits = np.minimum(self.anchors["patients"][right] // 2, self.reach.most_few)
        snaps = (self.proposals == Proposal.WITHHOLD) & (self._used >= _LEAST_BUCKETS)
        return nearest(self.anchors, self.first + np.flatnonzero(snaps), right, limits)


def nearest(anchors: Anchors, left: Ints, right: Ints, limits: NDArray[Any]) -> Pairs:
    """Pairs of these rows that no more buckets tell apart than the right one's limit."""
    sketch, bits = anchors["by_patient"], anchors["patient_bits"]
    pairs = near(sketch[left], sketch[right], bits[left], bits[right], limits)
    return Pairs(left[pairs.left], right[pairs.right], pairs.distance)


def measured(anchors: Anchors, pairs: Pairs) -> Ints:
    """The distance of each pair of rows, by sketch and by sample. Unions have no sample."""
    kind, samples = anchors["kind"], anchors.samples
    sampled = (kind[pairs.left] != UNION) & (kind[pairs.right] != UNION)
    distance = pairs.distance.copy()
    known = certainly_apart(samples, samples, pairs.where(sampled))
    distance[sampled] = np.maximum(distance[sampled], known)
    return distance


def _judged(anchors: Anchors, pairs: Pairs, reach: Reach) -> Rivals:
    """How near the right row of each pair is to the left one."""
    words = reach.of_rows(anchors, pairs.left, pairs.right)
    very_few = pairs.distance <= reach.very_few(words)
    return Rivals(
        rows=pairs.right,
        apart=pairs.distance > 0,
        one=pairs.distance <= 1,
        few=pairs.distance <= reach.few(words),
        very_few=very_few,
        half=2 * pairs.distance <= anchors["patients"][pairs.right],
        draft=~anchors["publication"][pairs.right],
        carries=_carrying(anchors, pairs, very_few, reach),
    )


def _carrying(anchors: Anchors, pairs: Pairs, very_few: Flags, reach: Reach) -> Flags:
    """Of each pair whose right row is a copy: whether the anchor whose value it shows lies not far from the
    left row, which may then pass the value on. So a chain of copies ends before it has drifted away."""
    carries = np.zeros(len(pairs), dtype=bool)
    copies = np.flatnonzero(very_few & (anchors["kind"][pairs.right] == Kind.COPY))
    if len(copies):
        wanted = anchors["source"][pairs.right[copies]]
        known = np.flatnonzero(np.isin(anchors["fingerprint"], wanted))
        known = known[np.isin(anchors["kind"][known], (Kind.ANCHOR, UNION))]
        names = anchors["fingerprint"][known]
        left, right, copies = _meeting(wanted, names, pairs.left[copies], known, copies)
        sketch = anchors["by_patient"]
        found = Pairs(left, right, distances(sketch, sketch, left, right))
        near_enough = measured(anchors, found) <= reach.not_far(reach.of_rows(anchors, left, right))
        carries[copies[near_enough]] = True
    return carries


def _meeting(
    wanted: Fingerprints, names: Fingerprints, left: Ints, rows: Ints, places: Ints
) -> tuple[Ints, Ints, Ints]:
    """Each wanted name that some row has: its left row, the earliest such row, its place."""
    known, earliest = np.unique(names, return_index=True)
    if not len(known):
        return left[:0], rows[:0], places[:0]
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    met = known[at] == wanted
    return left[met], rows[earliest[at[met]]], places[met]


# --- GPs ---------------------------------------------------------------------------------------------------


def within_few_physicians(
    anchors: Anchors, in_scope: Flags, first: int, passes: Flags, reach: Reach
) -> Flags:
    """Of each cell from row `first` on: whether more than few patients tell it from an anchor, nearly all of
    them of few GPs."""
    kind = anchors["kind"][:first]
    right = np.flatnonzero(in_scope & ((kind == Kind.ANCHOR) | (kind == UNION)))
    pairs = of_few_physicians(anchors, first + np.flatnonzero(passes), right, reach)
    patients = distances(anchors["by_patient"], anchors["by_patient"], pairs.left, pairs.right)
    caught = patients > reach.few(reach.of_rows(anchors, pairs.left, pairs.right))
    found = np.zeros(len(anchors) - first, dtype=bool)
    found[pairs.left[caught] - first] = True
    return found


def are_near(anchors: Anchors, pairs: Pairs, reach: Reach) -> Flags:
    """Of each of these pairs of cells: whether few patients tell them apart, or patients of few GPs, or of
    one GP nearly all."""
    words = reach.of_rows(anchors, pairs.left, pairs.right)
    between = Between.of(anchors.practices(pairs.left), anchors.practices(pairs.right))
    narrow = reach.is_narrow(words, between) & _nested(anchors.samples, pairs)
    return np.asarray((measured(anchors, pairs) <= reach.few(words)) | narrow)


def of_few_physicians(anchors: Anchors, left: Ints, right: Ints, reach: Reach) -> Pairs:
    """Pairs of these rows that patients of few GPs tell apart, or of one GP nearly all. Cells that neither
    contain each other say nothing of a GP when subtracted. `distance`: buckets of GPs."""
    one, other = (anchors.practices(rows) for rows in (left, right))
    found = [_few_buckets(anchors, left, right, reach)]
    for lefts, rights in most_of_one(one, other, reach.most_outside, reach.most_part):
        between = Between.of(one.of(lefts), other.of(rights))
        pairs = Pairs(left[lefts], right[rights], between.buckets)
        keep = reach.is_narrow(reach.of_rows(anchors, pairs.left, pairs.right), between)
        keep &= (anchors["kind"][pairs.right] != UNION) | _mostly_alike(one.of(lefts), between)
        found.append(pairs.where(keep))
    columns = zip(*(pairs.columns for pairs in found), strict=True)
    pairs = Pairs(*(np.concatenate(parts) for parts in columns))
    return pairs.where((anchors["kind"][pairs.right] == UNION) | _nested(anchors.samples, pairs))


def _few_buckets(anchors: Anchors, left: Ints, right: Ints, reach: Reach) -> Pairs:
    """By the sketches: counted or not."""
    sketch, bits = anchors["by_physician"], anchors["physician_bits"]
    pairs = near(sketch[left], sketch[right], bits[left], bits[right], reach.policy.snap_physicians + 1)
    pairs = Pairs(left[pairs.left], right[pairs.right], pairs.distance)
    pairs = pairs.where(pairs.distance > 0)  # tables about GPs have no GPs behind them
    words = reach.of_rows(anchors, pairs.left, pairs.right)
    return pairs.where(pairs.distance <= reach.few_physicians(words))


def _mostly_alike(one: Practices, between: Between) -> Flags:
    """Whether most GPs have the same in both: a sum has no sample that would say if it contains the cell."""
    used = np.count_nonzero(one.sketch, axis=1)
    return np.asarray(2 * between.buckets <= used)


def _nested(samples: Samples, pairs: Pairs) -> Flags:
    """Whether one of the two lies in the other, as far as their samples know; if they know nothing, yes."""
    below = np.minimum(samples.threshold[pairs.left], samples.threshold[pairs.right])
    sizes = [_below(samples, rows, below) for rows in (pairs.left, pairs.right)]
    common = (sizes[0] + sizes[1] - certainly_apart(samples, samples, pairs)) // 2
    return np.asarray(common >= _NESTED * np.minimum(*sizes))


def _below(samples: Samples, rows: Ints, limits: NDArray[np.uint64]) -> Ints:
    found = zip(rows.tolist(), limits, strict=True)
    return np.array([np.searchsorted(samples.of(row), limit) for row, limit in found], dtype=np.int64)
