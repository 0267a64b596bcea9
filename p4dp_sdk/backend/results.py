"""Arrow answers as pandas values: withheld cells are `<NA>`, and `.attrs["p4dp"]` says what was done to the
table."""

from __future__ import annotations

import json
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

    THRESHOLD = "threshold"  # small cells withheld
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
    if value is not None:
        return value
    if disclosure.protection == Protection.THRESHOLD:
        text = _(
            "This number is withheld: it concerns fewer than {patients} patients or {physicians} physicians."
        )
        counts = {"patients": disclosure.min_patients, "physicians": disclosure.min_physicians}
        warnings.warn(text.format(**counts), WithheldWarning, stacklevel=4)
    return pd.NA


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
