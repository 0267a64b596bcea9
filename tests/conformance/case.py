"""One question and its answer by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import ibis
import pandas as pd

from p4dp_sdk.wire.errors import ErrorCode


@dataclass(frozen=True)
class Case:
    """`keys` are the columns that name a row; `protected` the columns whose shown cells must equal the
    reference when the query is split and protected (a share of a total legitimately differs once cells are
    withheld), or the code it is refused with."""

    name: str
    ask: Callable[[SimpleNamespace], ibis.Expr]
    reference: Callable[[SimpleNamespace], pd.DataFrame]
    keys: tuple[str, ...] = ()
    protected: tuple[str, ...] | ErrorCode = ("n",)


def counts(frame: pd.DataFrame, *keys: str) -> pd.DataFrame:
    return frame.groupby(list(keys), dropna=False).size().reset_index(name="n")


def distinct(frame: pd.DataFrame, *keys: str) -> pd.DataFrame:
    return frame.groupby(list(keys), dropna=False)["patient_id"].nunique().reset_index(name="n")


def one(**values: object) -> pd.DataFrame:
    return pd.DataFrame({name: [value] for name, value in values.items()})


def week(dates: pd.Series) -> pd.Series:
    return dates - pd.to_timedelta(dates.dt.weekday, unit="D")
