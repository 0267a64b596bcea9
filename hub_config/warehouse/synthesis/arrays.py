"""Columns as arrays: what the generators give and the snapshot takes. Days are counted from 1970-01-01."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEVER: Final = 1 << 24  # a day that does not come
_EPOCH: Final = date(1970, 1, 1).toordinal()

Rows = TypeVar("Rows", bound="DataclassInstance")


@dataclass(frozen=True)
class Coded:
    """Strings by their place in `codes`; -1 is null."""

    index: Ints
    codes: Sequence[str]

    @classmethod
    def constant(cls, code: str, rows: int) -> Coded:
        return cls(np.zeros(rows, np.int64), (code,))


@dataclass(frozen=True)
class Days:
    """Dates; NEVER is null."""

    days: Ints


@dataclass(frozen=True)
class Texts:
    """Numbers as an export writes them, NaN null; where `notes` is not null it stands instead."""

    numbers: Floats
    notes: Coded | None = None


@dataclass(frozen=True)
class Numbers:
    """Numbers, null where `missing`."""

    values: Ints | Floats
    missing: Flags


Column = Coded | Days | Texts | Numbers | Ints | Floats
Columns = Mapping[str, Column]


def day(moment: date) -> int:
    return moment.toordinal() - _EPOCH


def month_starts(days: Ints) -> Ints:
    """The first day of each day's month."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def year_starts(days: Ints) -> Ints:
    """The first of January of each day's year."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)


def months(days: Ints) -> Ints:
    """Months since January 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def stacked(parts: Sequence[Rows]) -> Rows:
    """The rows of at least one part, one behind the other: a dataclass of arrays."""
    first = parts[0]
    return type(first)(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(first)))


def stream(seed: int, purpose: str, block: int = 0) -> np.random.Generator:
    """An independent random stream: the same for the same arguments, whatever else is drawn."""
    entropy = np.random.SeedSequence([seed, block, zlib.crc32(purpose.encode())])
    return np.random.Generator(np.random.PCG64(entropy))


def to_arrow(columns: Columns) -> pa.Table:
    return pa.table({name: _array(column) for name, column in columns.items()})


def _array(column: Column) -> Any:
    match column:
        case Coded(index, codes):
            return pa.DictionaryArray.from_arrays(
                pa.array(index.astype(np.int32), mask=index < 0), pa.array(codes, pa.string())
            )
        case Days(days):
            return pa.array(days.astype(np.int32), pa.int32(), mask=days >= NEVER).cast(pa.date32())
        case Texts():
            return _texts(column)
        case Numbers(values, missing):
            return pa.array(values, mask=missing)
        case _:
            return pa.array(column)


def _texts(column: Texts) -> Any:
    """Written once for each distinct number: the numbers are short decimals, and there are few of them."""
    numbers = pa.array(column.numbers, mask=np.isnan(column.numbers))
    encoded = pc.dictionary_encode(numbers)
    written = pa.array([f"{number:.10g}" for number in encoded.dictionary.to_pylist()], pa.string())
    texts = pc.take(written, encoded.indices)
    return texts if column.notes is None else pc.coalesce(_array(column.notes).cast(pa.string()), texts)
