"""Arrow answers as pandas values: withheld cells are `<NA>`, and `.attrs["p4dp"]` says what was done to the
table. A single number of a draft is an ordinary number that says so when a notebook shows it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from p4dp_sdk.errors import WithheldWarning
from p4dp_sdk.figures.attached import AttachedDisclosure, Protection, attach, disclosure_in
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.protocol import Disclosure

__all__ = [
    "AttachedDisclosure",
    "Protection",
    "attach",
    "disclosure_in",
    "protected_frame",
    "protected_scalar",
]

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


def protected_frame(table: pa.Table, disclosure: Disclosure) -> pd.DataFrame:
    """`table` with nullable columns: a withheld count is `<NA>` and the others stay whole numbers."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_NULLABLE.get, date_as_object=False)
    return attach(frame, disclosure)


def protected_scalar(table: pa.Table, disclosure: Disclosure) -> Any:
    """The one value of `table`; `pd.NA`, with a warning that says why, when it was withheld."""
    value = table.column(0)[0].as_py() if table.num_rows else None
    if value is None:
        if disclosure.protection not in _NOTHING_WITHHELD:
            warnings.warn(_why_withheld(disclosure), WithheldWarning, stacklevel=own_line())
        return pd.NA
    return _saying_so(value, disclosure)


def own_line() -> int:
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
