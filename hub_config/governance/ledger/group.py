"""What one measure of one answer leaves in the ledger, and the bytes it is kept as. Pure.

The bytes are a JSON header with the shape, then little-endian arrays, compressed together. Reading checks
every length: bytes that don't fit are `CorruptGroup`, never a guess. A group holds sketches and secret
ranks, no pseudonym and no date of a patient; even so it never leaves the enclave.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_LENGTH_BYTES: Final = 4
DEFINITION_WORDS: Final = 2
PHYSICIAN_BUCKETS: Final = 32
_LEVEL: Final = 1


class CorruptGroup(Exception):
    """These bytes are not what a group was written as."""


class Kind(IntEnum):
    """What became of a cell."""

    ANCHOR = 0  # shown with a value of its own, or with that of an anchor of the very same people
    COPY = 1  # shown with the value of an anchor that few patients tell apart from it
    WITHHELD = 2
    FOLLOWER = 3  # a copy that has drifted from its anchor: no cell takes its value over from it


@dataclass(frozen=True)
class Tally:
    """How many cells of a measure were shown, of these taken over from an earlier answer, and withheld."""

    shown: int
    snapped: int
    withheld: int


@dataclass(frozen=True)
class Group:
    """The cells of one measure of one answer that are remembered: all that were shown, and the withheld ones
    that others are compared with.

    Arrays have an entry a cell: `kinds` (int8), `patients` (int64), `values` (float64; NaN where withheld),
    `sources` (uint64: of a copy, the fingerprint of the sketch whose value it shows; else 0), `by_patient`
    (uint32, 64 buckets), `by_physician` (uint32, 32 buckets), `threshold` (uint64) and the sample
    `ranks[offsets[c]:offsets[c+1]]` (uint32, sorted). `keys` (int32, one row a key) are the codes of the
    cell's labels. `additive`: the values of cells that share no row add up. Of publications, `definitions`
    (uint64, two words a cell) say what each cell is, and `small` what cells were withheld that nothing is
    compared with; drafts have none. `physician_counts` (uint32, 32 buckets) are the rows behind
    `by_physician`; groups of before have none.
    """

    family: str
    publication: bool
    additive: bool
    kinds: Array
    patients: Array
    values: Array
    sources: Array
    by_patient: Array
    by_physician: Array
    threshold: Array
    offsets: Array
    ranks: Array
    keys: Array
    definitions: Array = field(default_factory=lambda: np.zeros((0, DEFINITION_WORDS), dtype=np.uint64))
    small: Array = field(default_factory=lambda: np.zeros((0, DEFINITION_WORDS), dtype=np.uint64))
    physician_counts: Array = field(default_factory=lambda: np.zeros((0, PHYSICIAN_BUCKETS), np.uint32))

    @property
    def defined(self) -> Array:
        """A definition a cell; zeros where there is none."""
        if len(self.definitions):
            return self.definitions
        return np.zeros((len(self), DEFINITION_WORDS), dtype=np.uint64)

    @property
    def counted(self) -> bool:
        """Whether it has counts by GP: of every cell, or it has none."""
        return len(self.physician_counts) == len(self)

    @property
    def counts(self) -> Array:
        """By bucket of GPs, a cell; zeros where there are none."""
        if self.counted:
            return self.physician_counts
        return np.zeros((len(self), PHYSICIAN_BUCKETS), dtype=np.uint32)

    def __len__(self) -> int:
        return len(self.kinds)


_COLUMNS: Final = (
    ("kinds", "<i1"), ("patients", "<i8"), ("values", "<f8"), ("sources", "<u8"),
    ("by_patient", "<u4"), ("by_physician", "<u4"),
    ("threshold", "<u8"), ("offsets", "<i8"), ("ranks", "<u4"), ("keys", "<i4"),
    ("definitions", "<u8"), ("small", "<u8"), ("physician_counts", "<u4"),
)  # fmt: skip
_BEFORE: Final = (10, 12)  # columns that groups had before: without definitions, and without counts


def encode(group: Group) -> bytes:
    """The bytes of a group: equal groups give equal bytes."""
    header = {
        "family": group.family,
        "publication": group.publication,
        "additive": group.additive,
        "shapes": [list(getattr(group, name).shape) for name, _ in _COLUMNS],
    }
    top = json.dumps(header, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    arrays = (np.ascontiguousarray(getattr(group, name), dtype=dtype).tobytes() for name, dtype in _COLUMNS)
    return _compressed(b"".join((len(top).to_bytes(_LENGTH_BYTES), top, *arrays)))


def _compressed(plain: bytes) -> bytes:
    """Zeros are looked for, and nothing else that repeats: in sketches of small cells they are most, in ranks
    and full sketches nothing repeats, and looking for it takes most of the time."""
    packer = zlib.compressobj(_LEVEL, strategy=zlib.Z_RLE)
    return packer.compress(plain) + packer.flush()


def decode(content: bytes) -> Group:
    """The group that `encode` wrote. Raises CorruptGroup."""
    try:
        plain = zlib.decompress(content)
        start = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES])
        header = json.loads(plain[_LENGTH_BYTES:start])
        arrays = _arrays(plain, start, header["shapes"])
        group = Group(
            family=str(header["family"]),
            publication=bool(header["publication"]),
            additive=bool(header["additive"]),
            **arrays,
        )
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise CorruptGroup("a group of the ledger can't be read") from error
    _check(group)
    return group


def checksum(content: bytes) -> bytes:
    """SHA-256 of a group's bytes."""
    return hashlib.sha256(content).digest()


def _arrays(plain: bytes, start: int, shapes: list[list[int]]) -> dict[str, Array]:
    found: dict[str, Array] = {}
    columns = _COLUMNS[: len(shapes)] if len(shapes) in _BEFORE else _COLUMNS
    for (name, dtype), shape in zip(columns, shapes, strict=True):
        count = int(np.prod(shape))
        found[name] = np.frombuffer(plain, dtype=dtype, count=count, offset=start).reshape(shape)
        start += count * np.dtype(dtype).itemsize
    if start != len(plain):
        raise ValueError("bytes are left over")
    return found


def _check(group: Group) -> None:
    cells = len(group.kinds)
    lengths = {
        len(getattr(group, name))
        for name in ("patients", "values", "sources", "by_patient", "by_physician", "threshold")
    }
    words = {group.definitions.shape[1:], group.small.shape[1:]} == {(DEFINITION_WORDS,)}
    fits = words and len(group.definitions) in (0, cells) and len(group.physician_counts) in (0, cells)
    fits = fits and group.physician_counts.shape[1:] == (PHYSICIAN_BUCKETS,)
    fits = (
        fits and lengths <= {cells} and len(group.offsets) == cells + 1 and group.keys.shape[1:] == (cells,)
    )
    if not fits or int(group.offsets[-1]) != len(group.ranks) or bool(np.any(np.diff(group.offsets) < 0)):
        raise CorruptGroup("the columns of a group of the ledger don't fit each other")
