"""A workspace over tables of text, small enough to work a cohort out by hand."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from p4dp_sdk.cohorts import Cohort, EventTable

from .written import SCHEMAS, rows, site

COLUMNS = {
    "patients": ("patient_id", "birth_month", "death_month"),
    "observation_periods": ("patient_id", "start_date", "end_date"),
    "diagnoses": ("patient_id", "date", "cisp2"),
    "lab_results": ("patient_id", "date", "value"),
    "history": ("patient_id", "date", "status"),
}


def read(text: str) -> list[list[Any]]:
    lines = [line.split("|") for line in text.strip().splitlines()]
    return [[None if cell.strip() == "." else cell.strip() for cell in line] for line in lines]


def world(**tables: str) -> SimpleNamespace:
    """A workspace over tables of text; people and periods that are not told are made up."""
    made: dict[str, list[dict[str, Any]]] = {}
    for name, text in tables.items():
        made[name] = [_row(name, cells) for cells in read(text)]
    numbers = sorted({row["patient_id"] for table in made.values() for row in table})
    made.setdefault("patients", [{"patient_id": number} for number in numbers])
    made.setdefault(
        "observation_periods", [_row("observation_periods", [n, "2010-01-01", "2020-12-31"]) for n in numbers]
    )
    for row in made.get("lab_results", ()):
        row["analyte"] = "hba1c"
    return site(made, last="2020-12-31")


def _row(table: str, cells: list[Any]) -> dict[str, Any]:
    from datetime import date

    kinds = SCHEMAS[table]
    read_as: dict[str, Callable[[Any], Any]] = {"int64": int, "float64": float, "date": date.fromisoformat}
    named = dict(zip(COLUMNS[table], cells, strict=True))
    return {
        name: value if value is None else read_as.get(kinds[name], str)(value)
        for name, value in named.items()
    }


def diabetes(ws: Any, which: str = "first") -> Cohort:
    d: EventTable = ws.tables["diagnoses"]
    return Cohort(ws, "test").index(**{which: d.where(d.cisp2 == "T90")})


def told(cohort: Cohort, *columns: str) -> list[tuple[str, ...]]:
    """The rows as text, NULL as a point."""
    wanted = ("patient_id", *columns)
    frame = cohort.select("index_date", *columns).execute()
    return [tuple("." if row[name] is None else str(row[name]) for name in wanted) for row in rows(frame)]
