"""Whole numbers and dates of a row as one whole number. An engine that makes its answers value by value makes
one column sooner than three, and it is half as long. Pure.

A number that doesn't fit is no error: its row has none, and is asked for apart. So which rows come, and what
they say, does not depend on how wide a column was thought to be; their order does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import ibis
import ibis.expr.datatypes as dt
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_BITS: Final = 63
_PATIENTS: Final = 28  # more than there are secrets for
_PHYSICIANS: Final = 18
_DAYS: Final = 17
_FIRST_DAY: Final = -(2**16)  # from 1790 to 2149


@dataclass(frozen=True)
class _Part:
    """One column: numbers from `low` on, and NULL as the highest that `bits` hold. `place`: how far it is
    shifted."""

    name: str
    dtype: pa.DataType
    bits: int
    place: int

    @property
    def missing(self) -> int:
        return (1 << self.bits) - 1

    @property
    def is_date(self) -> bool:
        return bool(pa.types.is_date(self.dtype))

    @property
    def sql(self) -> str:
        name = _quoted(self.name)
        value = f"UNIX_DATE({name}) - ({_FIRST_DAY})" if self.is_date else name
        number = f"CAST({value} AS BIGINT)"
        fits = f"WHEN {number} >= 0 AND {number} < {self.missing} THEN {number}"
        return f"SHIFTLEFT(CASE WHEN {name} IS NULL THEN {self.missing}L {fits} END, {self.place})"

    def column(self, numbers: NDArray[np.int64]) -> pa.Array:
        found = (numbers >> self.place) & self.missing
        missing = found == self.missing
        if self.is_date:
            days = (found + _FIRST_DAY).astype(np.int32)
            return pa.array(days, pa.int32(), mask=missing).view(self.dtype)
        return pa.array(found.astype(self.dtype.to_pandas_dtype()), self.dtype, mask=missing)


@dataclass(frozen=True)
class Packing:
    """Rows of `schema`, of which the `parts` are one number."""

    schema: pa.Schema
    parts: tuple[_Part, ...]

    @classmethod
    def of(cls, schema: ibis.Schema) -> Packing | None:
        """As many columns as fit into one number; None where these are not several."""
        widths = {name: width for name, dtype in schema.items() if (width := _width(name, dtype))}
        ends = dict(zip(widths, accumulate(widths.values()), strict=True))
        arrow = schema.to_pyarrow()
        parts = tuple(
            _Part(name, arrow.field(name).type, widths[name], ends[name] - widths[name])
            for name in widths
            if ends[name] <= _BITS
        )
        return cls(arrow, parts) if len(parts) > 1 else None

    def packed(self, rows: str) -> str:
        """The SQL of rows as numbers, beside the columns that are no part of them."""
        columns = [f"{self._number} AS packed", *map(_quoted, self._others)]
        return f"SELECT {', '.join(columns)} FROM ({rows})"  # noqa: S608

    def left(self, rows: str) -> str:
        """The SQL of the rows that fit no number."""
        return f"SELECT * FROM ({rows}) WHERE ({self._number}) IS NULL"  # noqa: S608

    def unpacked(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Those of `packed` that are numbers."""
        numbers = batch.column(0)
        if numbers.null_count:
            batch = batch.filter(numbers.is_valid())
            numbers = batch.column(0)
        found = numbers.to_numpy()
        columns = {part.name: part.column(found) for part in self.parts}
        columns |= {name: batch.column(i) for i, name in enumerate(self._others, start=1)}
        return pa.record_batch({name: columns[name] for name in self.schema.names})

    @property
    def _others(self) -> Sequence[str]:
        packed = {part.name for part in self.parts}
        return [name for name in self.schema.names if name not in packed]

    @property
    def _number(self) -> str:
        return " | ".join(part.sql for part in self.parts)


def _width(name: str, dtype: dt.DataType) -> int | None:
    """The bits that nearly all values of a column fit into; None where nobody knows."""
    if dtype.is_date():
        return _DAYS
    if not dtype.is_signed_integer():
        return None
    if name.startswith(("patient_no", "__patient")):
        return _PATIENTS
    return _PHYSICIANS if name.startswith(("physician_no", "__physician")) else None


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
