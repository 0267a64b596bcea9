"""Sketches and samples while rows stream by: what has been added so far, as arrays. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.contributions import NO_PHYSICIAN
from hub_config.gateway.keyring import Numbers
from hub_config.gateway.rules.cells import PATIENT_BUCKETS, PHYSICIAN_BUCKETS, Ints, Words
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_CODE_BITS: Final = 63
_AT_ONCE: Final = 1 << 17  # entries, so that their arrays stay in the cache

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Known:
    """The secrets, by number: of patients, and the buckets of GPs (of none first). None without GPs."""

    numbers: Numbers
    gp_buckets: Ints | None

    @property
    def highest_gp(self) -> int:
        return NO_PHYSICIAN if self.gp_buckets is None else len(self.gp_buckets) - 2


@dataclass(frozen=True)
class Entries:
    """Rows, or (cell, patient, GP), each by its numbers. Raises Refusal where there is no such number."""

    known: Known
    cell: Ints
    unit: Ints
    gp: Ints

    def __post_init__(self) -> None:
        least, most = int(self.unit.min(initial=0)), int(self.unit.max(initial=0))
        gps = int(self.gp.min(initial=NO_PHYSICIAN)), int(self.gp.max(initial=NO_PHYSICIAN))
        if least < 0 or most >= len(self.known.numbers.keys):
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT)
        if gps[0] < NO_PHYSICIAN or gps[1] > self.known.highest_gp:
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT)

    @cached_property
    def keys(self) -> Words:
        return self.known.numbers.keys[self.unit]

    @cached_property
    def by_patient(self) -> Ints:
        """The place of each in a sketch by patient, as one row."""
        return self.cell * PATIENT_BUCKETS + self.known.numbers.buckets[self.unit]

    @cached_property
    def by_physician(self) -> Ints | None:
        buckets = self.known.gp_buckets
        return None if buckets is None else self.cell * PHYSICIAN_BUCKETS + buckets[self.gp - NO_PHYSICIAN]


@dataclass(frozen=True)
class Growing:
    """A sketch of some cells: Σ key·weight modulo 2³² by cell and bucket; and how many rows GPs have."""

    by_patient: Words
    by_physician: Words
    physician_counts: Words

    @classmethod
    def of(cls, cells: int) -> Growing:
        sizes = (cells * PATIENT_BUCKETS, cells * PHYSICIAN_BUCKETS, cells * PHYSICIAN_BUCKETS)
        return cls(*(np.zeros(size, dtype=np.uint32) for size in sizes))

    def add(
        self,
        entries: Entries,
        products: Words,
        counts: Flags | Words | bool = True,
        once: Words | None = None,
    ) -> None:
        """`products`: key times weight; `counts`: whether it counts, or how many times; `once`: as
        `products`, for patients, where it differs."""
        np.add.at(self.by_patient, entries.by_patient, products if once is None else once)
        if entries.by_physician is not None:
            np.add.at(self.by_physician, entries.by_physician, products)
            counted = ((entries.gp != NO_PHYSICIAN) * counts).astype(np.uint32)
            np.add.at(self.physician_counts, entries.by_physician, counted)


@dataclass(frozen=True)
class Packing:
    """(patient, cell, GP) as one whole number, which sorts many times faster than three."""

    known: Known
    cells: int

    def __post_init__(self) -> None:
        """Raises Refusal (TOO_MANY_CELLS) where one number can't hold it."""
        units = len(self.known.numbers.keys).bit_length()
        room = _CODE_BITS - units - self._gp_bits
        if self._cell_bits > room:
            raise Refusal(ErrorCode.TOO_MANY_CELLS, limit=2**room)

    @property
    def _gp_bits(self) -> int:
        return (self.known.highest_gp - NO_PHYSICIAN).bit_length()

    @property
    def _cell_bits(self) -> int:
        return self.cells.bit_length()

    def packed(self, entries: Entries) -> Ints:
        pair = (entries.unit << self._cell_bits) | entries.cell
        return (pair << self._gp_bits) | (entries.gp - NO_PHYSICIAN)

    def distinct(self, codes: Sequence[Ints]) -> Iterator[tuple[Entries, Flags]]:
        """Each (patient, cell, GP) once, some at a time; and whether it is the first of its patient and
        cell."""
        whole = np.concatenate(codes) if codes else np.zeros(0, dtype=np.int64)
        whole.sort()
        whole = whole[_fresh(whole, -1)]
        before = -1
        for start in range(0, len(whole), _AT_ONCE):
            part = whole[start : start + _AT_ONCE]
            pair = part >> self._gp_bits
            yield self._entries(pair, part), _fresh(pair, before)
            before = int(pair[-1])

    def _entries(self, pair: Ints, code: Ints) -> Entries:
        cell, gp = (1 << self._cell_bits) - 1, (1 << self._gp_bits) - 1
        return Entries(self.known, pair & cell, pair >> self._cell_bits, (code & gp) + NO_PHYSICIAN)


def _fresh(codes: Ints, before: int) -> Flags:
    """Which differ from the one before."""
    fresh = np.empty(len(codes), dtype=bool)
    np.not_equal(codes[:1], before, out=fresh[:1])
    np.not_equal(codes[1:], codes[:-1], out=fresh[1:])
    return fresh
