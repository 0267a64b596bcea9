"""A cohort small enough to count by hand, and the people of Rotterdam."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
D = datetime.date

# patient, sex, age, hta (yes/no), smoking, hba1c, index, death, exit
HAND = """
 1  F  39     True   never    6.0   2019-01-01  -           2024-01-01
 2  F  40     True   current  -     2019-01-01  2019-01-01  2024-01-01
 3  F  64     False  former   7.0   2020-02-29  2020-03-30  2020-03-30
 4  F  65     False  -        8.0   2019-01-01  2019-02-01  2019-01-31
 5  F  -      False  never    7.0   2019-01-01  -           2019-06-30
 6  M  65     True   current  7.0   2019-01-01  2020-01-01  2024-01-01
 7  M  64     -      current  9.0   2019-01-01  -           2020-01-01
 8  M  40     False  never    7.5   2019-01-01  -           2019-12-31
 9  -  40     True   never    -     2019-01-01  2019-01-31  2024-01-01
"""
SCHEMA = {
    "patient_id": pa.int64(), "sex": pa.string(), "age": pa.int64(), "hta": pa.bool_(),
    "smoking": pa.string(), "hba1c": pa.float64(), "index_date": pa.date32(), "death_date": pa.date32(),
    "exit_date": pa.date32(),
}  # fmt: skip


def parsed(text: str) -> pa.Table:
    rows = [line.split() for line in text.strip().splitlines()]
    columns = {
        name: pa.array([_value(row[at], kind) for row in rows], type=kind)
        for at, (name, kind) in enumerate(SCHEMA.items())
    }
    return pa.table(columns)


def _value(text: str, kind: pa.DataType) -> object:
    if text == "-":
        return None
    if pa.types.is_boolean(kind):
        return text == "True"
    if pa.types.is_date(kind):
        return D.fromisoformat(text)
    return text if pa.types.is_string(kind) else kind.to_pandas_dtype()(float(text))


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "en")


@pytest.fixture
def hand() -> ir.Table:
    return ibis.duckdb.connect().create_table("cohort", parsed(HAND))


@pytest.fixture(scope="session")
def rotterdam() -> pd.DataFrame:
    """2,982 patients: days to relapse or death (`rfs`), and which came first."""
    if not (SHARED / "rotterdam.csv").exists():
        message = f"rotterdam.csv is not in {SHARED}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    frame = pd.read_csv(SHARED / "rotterdam.csv")
    relapsed = frame.recur == 1
    frame["time"] = frame.rtime.where(relapsed, frame.dtime)
    frame["ended"] = [1 if r else 2 if d else 0 for r, d in zip(relapsed, frame.death == 1, strict=True)]
    return frame
