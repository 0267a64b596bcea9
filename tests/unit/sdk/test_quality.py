"""The data-quality report on a table small enough to count by hand."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import ibis

from p4dp_sdk.quality import Quality

SCHEMA = {
    "patient_id": "int64", "date": "date", "centre_id": "string", "measure": "string", "value": "float64",
    "unit": "string", "dq_code": "string",
}  # fmt: skip


def report(rows: list[tuple[Any, ...]]) -> Quality:
    biometrics = ibis.memtable([dict(zip(SCHEMA, row, strict=True)) for row in rows], schema=SCHEMA)
    people = ibis.memtable({"patient_id": [1, 2], "dq_code": ["possible_duplicate", "ok"]})
    words = {"ok": "Aucune", "out_of_range": "Hors bornes"}
    titled = SimpleNamespace(label_fr="Biométries", label_en="Biometrics")
    catalogue: Any = SimpleNamespace(labels=lambda _system: words, tables={"biometrics": titled})
    return Quality({"biometrics": biometrics, "patients": people}, catalogue, 2020, 2021)


def test_flagged_rows_and_duplicates_are_counted_within_the_years() -> None:
    day = date(2020, 2, 29)
    quality = report(
        [
            (1, day, "CLF", "weight", 70.0, "kg", "ok"),
            (1, day, "CLF", "weight", 70.0, "kg", "ok"),  # twice on a day
            (1, day, "CLF", "height", None, "cm", "out_of_range"),
            (2, date(2021, 12, 31), "GRE", "weight", 60.0, "kg", "ok"),
            (2, date(2019, 12, 31), "GRE", "weight", None, "kg", "out_of_range"),  # before the years
        ]
    )
    flagged = quality.flagged("centre_id").set_index("centre_id")
    assert flagged["per_1000"].tolist() == [333.3, 0.0]
    assert quality.flagged("year")["flagged"].tolist() == [1, 0]
    assert quality.duplicates().frame.iloc[:, 1].tolist() == [1, 1]
    assert quality.rules().frame.to_numpy().tolist() == [["Hors bornes", 1]]
