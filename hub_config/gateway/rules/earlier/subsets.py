"""Which cells of one group make up another cell, by samples of who is in them. Pure.

A union is looked for between one cell (the *whole*) and the shown cells of one group (the *parts*). The
lowest secret ranks of a cell are a bottom-k sample (Cohen & Kaplan, "Summarizing data using bottom-k
sketches", PODC 2007): of a part inside the whole, all that lie low enough are in the whole's sample too. That
proposes a subset; whether it really makes up the whole, but for few patients, its summed sketch decides. So a
bad guess can only miss a union, never invent one. Parts too small for the whole's sample to know them are
tried both in and out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Ints, Words
from hub_config.gateway.rules.earlier.sketches import PAD, Samples, ranges

Flags = NDArray[np.bool_]

LARGEST_BATCH: Final = 5_000  # beyond, only margins are compared: a table this large has no time for more
MOST_TRIALS: Final = 4_000  # wholes tried against groups in one batch
_OFTEN: Final = 16  # trials of a group, from which on an index pays
_RANK_BITS: Final = 32
_LOW_BITS: Final = np.uint64(0xFFFF)
_LEAST_SEEN: Final = 3  # of the whole's lowest ranks, in parts that lie inside it


@dataclass(frozen=True)
class Side:
    """Cells that may be wholes, or parts: their lowest ranks, samples, sketches, and each one's group."""

    lowest: NDArray[np.uint64]
    samples: Samples
    by_patient: Words
    groups: Ints


@dataclass(frozen=True)
class Found:
    """A whole (a row of its side) that `parts` (rows of theirs, of one group) make up but for `distance`
    buckets; `total` is their summed sketch."""

    whole: int
    parts: Ints
    distance: int
    total: Words


Also = Callable[[Found], bool]


def subsets(wholes: Side, parts: Side, limit: int, also: Also | None = None) -> list[Found]:
    """Every whole that some parts of one group make up but for `limit` buckets, two parts at least; where
    none do, the first that `also` takes. By whole, then by group."""
    if not len(wholes.lowest) or not len(parts.lowest):
        return []
    tried = _promising(wholes, parts)[:MOST_TRIALS]
    groups = _groups(parts, Counter(group for _, group in tried))
    found = (_made_up(wholes, whole, parts, groups[group], limit, also) for whole, group in tried)
    return [each for each in found if each is not None]


def _promising(wholes: Side, parts: Side) -> list[tuple[int, int]]:
    """Wholes and groups whose parts inside the whole hold several of its lowest ranks."""
    whole, part = _sharing(wholes.lowest, parts.lowest)
    codes, hits = np.unique(whole * len(parts.lowest) + part, return_counts=True)
    whole, part = codes // len(parts.lowest), codes % len(parts.lowest)
    low = parts.lowest[part] <= np.where(wholes.lowest == PAD, 0, wholes.lowest).max(axis=1)[whole][:, None]
    inside = 2 * hits >= np.count_nonzero(low, axis=1)
    whole, group, hits = whole[inside], parts.groups[part[inside]], hits[inside]
    most = int(parts.groups.max()) + 1
    codes, places = np.unique(whole * most + group, return_inverse=True)
    seen = np.bincount(places, weights=hits, minlength=len(codes))
    return [(int(code // most), int(code % most)) for code in codes[seen >= _LEAST_SEEN]]


def _sharing(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Rows of `left` and of `right` that have a rank in common, once for each such rank."""
    if left.size > right.size:  # the smaller side is sorted, the other looked up
        of_right, of_left = _sharing(right, left)
        return of_left, of_right
    order = np.argsort(left, axis=None, kind="stable")
    known = left.ravel()[order]
    known = known[: np.searchsorted(known, PAD)]
    met = np.flatnonzero(_marked(known)[right.ravel() & _LOW_BITS])
    wanted = right.ravel()[met]
    first, last = (np.searchsorted(known, wanted, side=side) for side in ("left", "right"))
    times = last - first
    return order[ranges(first, times)] // left.shape[1], np.repeat(met // right.shape[1], times)


def _marked(ranks: NDArray[np.unsignedinteger[Any]]) -> Flags:
    """The lowest bits of these ranks. They are random: most ranks that are not among these have others."""
    marks = np.zeros(int(_LOW_BITS) + 1, dtype=bool)
    marks[ranks & ranks.dtype.type(_LOW_BITS)] = True
    return marks


def _groups(parts: Side, tried: Mapping[int, int]) -> dict[int, _Group]:
    """The groups that are tried; the samples of those that are tried often are looked up by rank."""
    order = np.argsort(parts.groups, kind="stable")
    sorted_groups = parts.groups[order]
    made = {}
    for group, times in tried.items():
        start, stop = np.searchsorted(sorted_groups, [group, group + 1])
        kind = _Group if times < _OFTEN else _OftenTried
        made[group] = kind(parts.samples, np.asarray(order[start:stop]))
    return made


def _made_up(
    wholes: Side, whole: int, parts: Side, group: _Group, limit: int, also: Also | None
) -> Found | None:
    wanted, taken = wholes.by_patient[whole], None
    for chosen in _choices(wholes, whole, parts, group):
        if len(chosen) < 2:
            continue
        total = parts.by_patient[chosen].sum(axis=0, dtype=np.uint32)
        found = Found(whole, chosen, int(np.count_nonzero(total != wanted)), total)
        if found.distance <= limit:
            return found
        if taken is None and also is not None and also(found):
            taken = found
    return taken


def _choices(wholes: Side, whole: int, parts: Side, group: _Group) -> Iterator[Ints]:
    """Parts that lie mostly inside the whole; then with those of whom its sample knows nothing."""
    rows, sample = group.rows, _Sample(wholes.samples.of(whole), wholes.samples.threshold[whole])
    known, held = (np.count_nonzero(each, axis=1) for each in sample.asked(parts.lowest[rows]))
    partly = np.flatnonzero((held > 0) & (held < known))  # all of the part's sample is asked
    known[partly], held[partly] = group.asked(sample, partly)
    mostly = (held > 0) & (2 * held >= known)
    yield rows[mostly]
    if np.any(known == 0):
        yield rows[mostly | (known == 0)]


@dataclass(frozen=True)
class _Group:
    """The parts of one group: `rows` of their side."""

    samples: Samples
    rows: Ints

    def asked(self, sample: _Sample, places: Ints) -> tuple[Ints, Ints]:
        """Of the samples of these of the parts, how many ranks `sample` would hold if they were in it, and
        how many it does."""
        owner, ranks = self._listed(places)
        known, held = sample.asked(ranks)
        return np.bincount(owner[known], minlength=len(places)), np.bincount(
            owner[held], minlength=len(places)
        )

    def _listed(self, places: Ints) -> tuple[Ints, Words]:
        """The ranks of these parts, one after the other, and whose they are."""
        starts = self.samples.starts[self.rows[places]]
        lengths = self.samples.stops[self.rows[places]] - starts
        return np.repeat(np.arange(len(places)), lengths), self.samples.ranks[ranges(starts, lengths)]


@dataclass(frozen=True)
class _OftenTried(_Group):
    """The same, by an index of who has which rank."""

    def asked(self, sample: _Sample, places: Ints) -> tuple[Ints, Ints]:
        names, owners, codes, starts = self._index
        known = np.searchsorted(codes, (places << _RANK_BITS) + int(sample.threshold)) - starts[places]
        wanted = np.unique(sample.ranks)
        first, last = (np.searchsorted(names, wanted, side=side) for side in ("left", "right"))
        held = np.bincount(owners[ranges(first, last - first)], minlength=len(self.rows))
        return known, held[places]

    @cached_property
    def _index(self) -> tuple[Words, Ints, Ints, Ints]:
        """Ranks in order and whose each is; ranks by part, the part's number in front, and where each part
        begins."""
        owner, ranks = self._listed(np.arange(len(self.rows)))
        order = np.argsort(ranks, kind="stable")
        codes = (owner << _RANK_BITS) + ranks
        return ranks[order], owner[order], codes, np.searchsorted(owner, np.arange(len(self.rows)))


@dataclass(frozen=True)
class _Sample:
    """The sample of a whole, asked for ranks."""

    ranks: Words
    threshold: np.uint64

    @cached_property
    def _marks(self) -> Flags:
        return _marked(self.ranks)

    def asked(self, ranks: NDArray[np.unsignedinteger[Any]]) -> tuple[Flags, Flags]:
        """Of each rank whether this would hold it if it were there, and whether it does."""
        known = ranks < self.threshold
        held = known & self._marks[ranks & ranks.dtype.type(_LOW_BITS)]
        maybe = np.nonzero(held)
        wanted = ranks[maybe]
        places = np.searchsorted(self.ranks, wanted)
        held[maybe] = self.ranks[np.minimum(places, len(self.ranks) - 1)] == wanted
        return known, held
