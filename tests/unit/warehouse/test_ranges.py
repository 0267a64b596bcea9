"""Work by ranges of patients finds what work on the whole table finds, in the same order."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hub_config.warehouse.quality.profile import read_profile
from hub_config.warehouse.ranges import Range, patient_ranges
from hub_config.warehouse.snapshot import Snapshot
from hub_config.warehouse.synthesis import Preset, synthesise

BY_RANGES = (
    "hub_config.warehouse.derived.body_mass",
    "hub_config.warehouse.quality.judging",
    "hub_config.warehouse.quality.twins",
)


def by_few(connection: duckdb.DuckDBPyConnection, table: str, _rows: int = 0) -> Iterator[Range]:
    return patient_ranges(connection, table, rows_at_once=2_000)


def rows(snapshot: Snapshot, table: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


def test_ranges_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = synthesise(tmp_path / "whole", preset=Preset.A, scale=0.01)
    for name in BY_RANGES:
        monkeypatch.setattr(sys.modules[name], "patient_ranges", by_few)
    parts = synthesise(tmp_path / "parts", preset=Preset.A, scale=0.01)
    for table in ("body_mass", "biometrics", "lab_results", "vaccinations"):
        assert rows(whole, table) == rows(parts, table)
    assert read_profile(whole.directory) == read_profile(parts.directory)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([], []), ([7], [(7, 7)]), ([3, 3, 3, 9], [(3, 6), (7, 9)]), (range(6), [(0, 1), (2, 3), (4, 5)])],
)
def test_every_patient_is_in_one_range(numbers: list[int], expected: list[Range]) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (patient_no BIGINT)")
        for number in numbers:
            connection.execute("INSERT INTO t VALUES (?)", [number])
        assert list(patient_ranges(connection, "t", rows_at_once=2)) == expected
