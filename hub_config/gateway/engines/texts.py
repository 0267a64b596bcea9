"""A short list of texts, so that a row can say which of them it has by a number. Pure.

The number is some bits of a hash that the engine has: those in which no two texts of the list are the same.
So neither a list nor a look into it is needed where the rows are. How many bits are wanted is about twice
those of the list's length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import ibis.expr.operations as ops
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hub_config.gateway.engines.port import WAREHOUSE
from p4dp_sdk.wire.errors import ErrorCode, Refusal

MOST: Final = 4_096  # texts of a list; beyond, few choices of bits would do
_MOST_BITS: Final = 22
_HASH_BITS: Final = 64
_SPARE_BITS: Final = 5  # fewer than twice those of the length: there are some fifty choices


@dataclass(frozen=True, eq=False)
class Texts:
    """`values` are the texts and last NULL; `numbers` are theirs, that of NULL all ones: `bits` of the hash
    from `shift` on."""

    values: pa.Array = field(repr=False)
    numbers: NDArray[np.int64] = field(repr=False)
    shift: int
    bits: int

    @classmethod
    def of(cls, values: pa.Array, hashes: NDArray[np.int64]) -> Texts | None:
        """None where there are too many, or no bits tell all apart."""
        if len(values) > MOST:
            return None
        for shift, bits in _choices(len(values)):
            missing = (1 << bits) - 1
            numbers = np.append((hashes >> shift) & missing, missing)
            if len(np.unique(numbers)) == len(numbers):
                return cls(pa.concat_arrays([values, pa.nulls(1, values.type)]), numbers, shift, bits)
        return None

    @property
    def missing(self) -> int:
        return (1 << self.bits) - 1

    def column(self, numbers: NDArray[np.int64]) -> pa.DictionaryArray:
        """Raises Refusal where one is no text's: these are not the rows that were asked for their texts."""
        return self._listed(self._places[numbers])

    def encoded(self, column: pa.Array) -> pa.DictionaryArray:
        """Texts as they are, the same way. Raises Refusal as `column`."""
        places = pc.index_in(column, value_set=self.values).fill_null(-1)
        return self._listed(places.to_numpy(zero_copy_only=False).astype(np.int16))

    def _listed(self, places: NDArray[np.int16]) -> pa.DictionaryArray:
        if len(places) and places.min() < 0:
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT)
        return pa.DictionaryArray.from_arrays(pa.array(places), self.values)

    @cached_property
    def _places(self) -> NDArray[np.int16]:
        """In the list, of every number; -1 of those that are no text's."""
        places = np.full(self.missing + 1, -1, np.int16)
        places[self.numbers] = np.arange(len(self.numbers))
        return places


def _choices(texts: int) -> Iterator[tuple[int, int]]:
    """Which bits, fewest first."""
    least = max(texts.bit_length(), 2 * texts.bit_length() - _SPARE_BITS, 1)
    for bits in range(least, _MOST_BITS + 1):
        yield from ((shift, bits) for shift in range(_HASH_BITS - bits + 1))


def origin(relation: ops.Relation, name: str) -> tuple[str, str] | None:
    """The stored table and the column that a column's values are, all of them or some; None where they were
    worked out."""
    match relation:
        case ops.UnboundTable():
            return (relation.name, name) if relation.namespace.catalog == WAREHOUSE else None
        case ops.Filter() | ops.JoinReference():
            return origin(relation.parent, name)
        case ops.Project() | ops.JoinChain() if isinstance(relation.values[name], ops.Field):
            value = relation.values[name]
            return origin(value.rel, value.name)
        case _:
            return None
