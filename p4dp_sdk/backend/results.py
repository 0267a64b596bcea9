"""Arrow answers as pandas values: withheld cells are `<NA>`, and `.attrs["p4dp"]` says what was done to the
table. A single number of a draft is an ordinary number that says so when a notebook shows it."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa

from p4dp_sdk.errors import WithheldWarning
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.protocol import Disclosure

ATTRS_KEY = "p4dp"

Attributed = TypeVar("Attributed", pd.DataFrame, "pd.Series[Any]")


class Protection(StrEnum):
    """What was done to an answer (`Disclosure.protection`)."""

    EXPLORATION = (
        "exploration"  # a draft: small cells withheld, the others blurred and tied to earlier answers
    )
    PUBLICATION = "publication"  # exact; small cells, and those that would give them away, withheld
    NOISE = "noise"  # a privacy budget was spent
    NONE = "none"  # synthetic sandbox: shown, and said what protection would do
    ROWS = "rows"  # individual data, microdata grant
    PUBLIC = "public"  # reference tables


_NULLABLE: Mapping[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.float32(): pd.Float32Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
    pa.large_string(): pd.StringDtype(),
}


_INSIDE = ("p4dp_sdk", "ibis")
_NOTHING_WITHHELD = (Protection.NONE, Protection.ROWS, Protection.PUBLIC, Protection.NOISE)


class ProtectedInt(int):
    """A count that knows its disclosure: computes as any other, and is drawn with a note."""

    disclosure: Disclosure

    def _repr_html_(self) -> str:
        from p4dp_sdk.tables.display import number_html

        return number_html(int(self), self.disclosure)


class ProtectedFloat(float):
    """A mean, a share or a quantile that knows its disclosure."""

    disclosure: Disclosure

    def _repr_html_(self) -> str:
        from p4dp_sdk.tables.display import number_html

        return number_html(float(self), self.disclosure)


class AttachedDisclosure(Disclosure, dict[str, Any]):
    """A `Disclosure` that is also its own JSON object: pandas and pyarrow write `.attrs` to Parquet as JSON,
    and would refuse anything else."""

    def __init__(self, disclosure: Disclosure) -> None:
        dict.__init__(self, asdict(disclosure))
        Disclosure.__init__(self, **{name: getattr(disclosure, name) for name in self})


def protected_frame(table: pa.Table, disclosure: Disclosure) -> pd.DataFrame:
    """`table` with nullable columns: a withheld count is `<NA>` and the others stay whole numbers."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_NULLABLE.get, date_as_object=False)
    return attach(frame, disclosure)


def protected_scalar(table: pa.Table, disclosure: Disclosure) -> Any:
    """The one value of `table`; `pd.NA`, with a warning that says why, when it was withheld."""
    value = table.column(0)[0].as_py() if table.num_rows else None
    if value is None:
        if disclosure.protection not in _NOTHING_WITHHELD:
            warnings.warn(_why_withheld(disclosure), WithheldWarning, stacklevel=_own_line())
        return pd.NA
    return _saying_so(value, disclosure)


def _own_line() -> int:
    """How far up the caller's own line is, for a warning: above our code and Ibis's, which say nothing to
    who asked."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in _INSIDE:
        frame, level = frame.f_back, level + 1
    return level


def _why_withheld(disclosure: Disclosure) -> str:
    text = _(
        "This number is withheld: it concerns fewer than {patients} patients or {physicians} physicians, or "
        "would say too much of somebody."
    )
    return text.format(patients=disclosure.min_patients, physicians=disclosure.min_physicians)


def _saying_so(value: Any, disclosure: Disclosure) -> Any:
    """`value`; of a draft, as a number that tells a notebook how exact it is."""
    blurred = disclosure.protection in (Protection.EXPLORATION, Protection.NOISE)
    if not blurred or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number = ProtectedInt(value) if isinstance(value, int) else ProtectedFloat(value)
    number.disclosure = disclosure
    return number


def attach(result: Attributed, disclosure: Disclosure) -> Attributed:
    """`result` with the record of what was done to it."""
    result.attrs[ATTRS_KEY] = AttachedDisclosure(disclosure)
    return result


def disclosure_in(result: pd.DataFrame | pd.Series[Any]) -> Disclosure | None:
    """The record that a result carries, also after a round trip through Parquet; None if it carries none."""
    record = result.attrs.get(ATTRS_KEY)
    if record is None or isinstance(record, Disclosure):
        return record
    return Disclosure.from_json(json.dumps(record).encode())
