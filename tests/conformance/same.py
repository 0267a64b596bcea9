"""What makes two tables the same, whichever library or engine made them: their cells, in any order."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa


def plain(value: object) -> object:
    """Values of three libraries as one: None, date, int, rounded float, str."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, float):
        return round(value, 9)
    return value if isinstance(value, str | datetime.date) else int(value)


def rows_of(table: pa.Table | pd.DataFrame, columns: Sequence[str]) -> list[tuple[object, ...]]:
    data = {
        name: table[name].to_pylist() if isinstance(table, pa.Table) else table[name].tolist()
        for name in columns
    }
    return sorted((tuple(map(plain, row)) for row in zip(*data.values(), strict=True)), key=repr)
