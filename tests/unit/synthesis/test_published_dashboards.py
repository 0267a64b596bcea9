"""The general dashboard and the top twenty, asked as a notebook asks them, give preset A's published numbers,
before objections."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import duckdb
import ibis
import pytest

from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.indicators.indicator import Indicator
from p4dp_sdk.indicators.registry import measures

from .test_published_figures import RECORDS, TABLES, TOP_20

EVER = ("2000-01-01", "2022-12-31")
NAMES = (*TABLES, "history", "diagnoses")


@pytest.fixture(scope="module")
def tables(preset_a: Snapshot) -> Iterator[Any]:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{preset_a.database}' AS stored (READ_ONLY)")
        for name in NAMES:
            renamed = "" if name == "physicians" else " RENAME (patient_no AS patient_id)"
            connection.execute(f'CREATE VIEW "{name}" AS SELECT *{renamed} FROM stored."{name}"')
        backend = ibis.duckdb.from_connection(connection)
        yield SimpleNamespace(**{name: backend.table(name) for name in NAMES})


def indicator(name: str, tables: Any) -> Indicator:
    return Indicator(measures()[name], tables, date(2022, 12, 31))


@pytest.mark.parametrize("table", ["consultations", "reasons"])
def test_totals_of_tables(table: str, tables: Any) -> None:
    found = indicator(f"general_{table}", tables).measure(between=EVER).frame
    assert found["rows"].tolist() == [TABLES[table]]


def test_patients_and_gps(tables: Any) -> None:
    patients = indicator("general_patients", tables).measure("sex").frame
    assert patients["patients"].sum() == TABLES["patients"]
    gps = indicator("general_medecins", tables).measure("sex").frame
    assert gps["rows"].sum() == TABLES["physicians"]


def test_history_by_register(tables: Any) -> None:
    """Rows without a date are in no period, and published totals have them."""
    found = indicator("general_history", tables).measure("record", between=EVER).frame
    undated = (
        tables.history.filter(tables.history.date.isnull()).group_by("record").agg(n=lambda t: t.count())
    )
    missing = undated.execute().set_index("record")["n"].to_dict()
    rows = found.set_index("record")["rows"].to_dict()
    early = tables.history.filter(tables.history.date < EVER[0]).group_by("record").agg(n=lambda t: t.count())
    before = early.execute().set_index("record")["n"].to_dict()
    assert {name: rows[name] + missing.get(name, 0) + before.get(name, 0) for name in rows} == RECORDS


def test_the_twenty_diagnoses_of_the_whole_base(tables: Any) -> None:
    top = indicator("diagnostics", tables).top(20, between=EVER).frame
    assert list(zip(top["cisp2"], top["rows"], strict=True)) == TOP_20
