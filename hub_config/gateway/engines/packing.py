"""Whole numbers, dates and short lists of texts of a row as one whole number, or two. An engine that makes
its answers value by value makes one column sooner than three, and it is half as long. Pure.

A number that doesn't fit is no error: its row has none, and is asked for apart. So which rows come, and what
they say, does not depend on how wide a column was thought to be; their order does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import ibis
import ibis.expr.datatypes as dt
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.engines.texts import Texts

_BITS: Final = 63
_PATIENTS: Final = 28  # more than there are secrets for
_PHYSICIANS: Final = 18
_DAYS: Final = 17
_FIRST_DAY: Final = -(2**16)  # from 1790 to 2149


@dataclass(frozen=True)
class _Part:
    """One column: numbers from 0 on, and NULL as the highest that `bits` hold. `place`: how far it is shifted
    in the `number`th number; `texts`: the list, of a column of texts."""

    name: str
    dtype: pa.DataType
    bits: int
    number: int
    place: int
    texts: Texts | None

    @property
    def missing(self) -> int:
        return (1 << self.bits) - 1

    @property
    def is_date(self) -> bool:
        return bool(pa.types.is_date(self.dtype))

    @property
    def sql(self) -> str:
        name = quoted(self.name)
        return (
            f"SHIFTLEFT(CASE WHEN {name} IS NULL THEN {self.missing}L {self._else(name)} END, {self.place})"
        )

    def _else(self, name: str) -> str:
        if self.texts is not None:
            return f"ELSE SHIFTRIGHT(XXHASH64({name}), {self.texts.shift}) & {self.missing}L"
        value = f"UNIX_DATE({name}) - ({_FIRST_DAY})" if self.is_date else name
        number = f"CAST({value} AS BIGINT)"
        return f"WHEN {number} >= 0 AND {number} < {self.missing} THEN {number}"

    def column(self, numbers: NDArray[np.int64]) -> pa.Array:
        found = (numbers >> self.place) & self.missing
        if self.texts is not None:
            return self.texts.column(found)
        missing = found == self.missing
        mask = missing if missing.any() else None
        if self.is_date:
            days = (found + _FIRST_DAY).astype(np.int32)
            return pa.array(days, pa.int32(), mask=mask).view(self.dtype)
        return pa.array(found.astype(self.dtype.to_pandas_dtype(), copy=False), self.dtype, mask=mask)


@dataclass(frozen=True)
class Packing:
    """Rows of `schema`, of which the `parts` are numbers. Texts of a list come as dictionaries of it, however
    their row came."""

    schema: pa.Schema
    parts: tuple[_Part, ...]

    @classmethod
    def of(cls, schema: ibis.Schema, lists: Mapping[str, Texts] | None = None) -> Packing | None:
        """None where no column gains by it."""
        arrow, known = schema.to_pyarrow(), dict(lists or {})
        widths = {
            name: known[name].bits if name in known else _width(name, dtype) for name, dtype in schema.items()
        }
        parts = [
            _Part(name, arrow.field(name).type, bits, number, place, known.get(name))
            for name, bits, number, place in _put(widths)
        ]
        filled = [part.number for part in parts]
        parts = [part for part in parts if part.texts is not None or filled.count(part.number) > 1]
        used = sorted({part.number for part in parts})
        return cls(arrow, tuple(replace(p, number=used.index(p.number)) for p in parts)) if parts else None

    def packed(self, rows: str) -> str:
        """The SQL of rows as numbers, beside the columns that are no part of them."""
        columns = [f"{sql} AS packed_{i}" for i, sql in enumerate(self._numbers)]
        columns += map(quoted, self._others)
        return f"SELECT {', '.join(columns)} FROM ({rows})"  # noqa: S608

    def left(self, rows: str) -> str:
        """The SQL of the rows that fit no number."""
        unfit = " OR ".join(f"({sql}) IS NULL" for sql in self._numbers)
        return f"SELECT * FROM ({rows}) WHERE {unfit}"  # noqa: S608

    def unpacked(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Those of `packed` that are numbers."""
        many = len(self._numbers)
        for i in range(many):
            if batch.column(i).null_count:
                batch = batch.filter(batch.column(i).is_valid())
        found = [batch.column(i).to_numpy() for i in range(many)]
        columns = {part.name: part.column(found[part.number]) for part in self.parts}
        columns |= {name: batch.column(i) for i, name in enumerate(self._others, start=many)}
        return pa.record_batch({name: columns[name] for name in self.schema.names})

    def listed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Those of `left`."""
        lists = {part.name: part.texts for part in self.parts if part.texts is not None}
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        columns |= {name: texts.encoded(columns[name]) for name, texts in lists.items()}
        return pa.record_batch(columns)

    @property
    def _others(self) -> Sequence[str]:
        packed = {part.name for part in self.parts}
        return [name for name in self.schema.names if name not in packed]

    @property
    def _numbers(self) -> Sequence[str]:
        """The SQL of each."""
        found: dict[int, list[str]] = {}
        for part in self.parts:
            found.setdefault(part.number, []).append(part.sql)
        return [" | ".join(found[number]) for number in sorted(found)]


def _put(widths: Mapping[str, int | None]) -> Iterator[tuple[str, int, int, int]]:
    """Name, width, number and place of each column: in the first number that has room."""
    ends: list[int] = []
    for name, width in widths.items():
        if width is None:
            continue
        number = next((i for i, end in enumerate(ends) if end + width <= _BITS), len(ends))
        ends += [0] * (number == len(ends))
        yield name, width, number, ends[number]
        ends[number] += width


def _width(name: str, dtype: dt.DataType) -> int | None:
    """The bits that nearly all values of a column fit into; None where nobody knows."""
    if dtype.is_date():
        return _DAYS
    if not dtype.is_signed_integer():
        return None
    if name.startswith(("patient_no", "__patient")):
        return _PATIENTS
    return _PHYSICIANS if name.startswith(("physician_no", "__physician")) else None


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
