"""Tiny worlds as tables that `Cohort` works on, and the definitions of `naive` written as cohorts."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType, SimpleNamespace
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa

from p4dp_sdk.cohorts import EVER, Cohort, EventTable, windows
from p4dp_sdk.identity import Access

from .naive import Criterion, Length, Said, Variable

SCHEMAS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "patients": {
            "patient_id": "int64",
            "centre_id": "string",
            "sex": "string",
            "birth_month": "date",
            "death_month": "date",
        },
        "observation_periods": {
            "patient_id": "int64",
            "start_date": "date",
            "end_date": "date",
            "end_reason": "string",
        },
        "diagnoses": {"patient_id": "int64", "date": "date", "cisp2": "string"},
        "lab_results": {"patient_id": "int64", "date": "date", "analyte": "string", "value": "float64"},
        "history": {
            "patient_id": "int64",
            "date": "date",
            "kind": "string",
            "status": "string",
            "cisp2": "string",
        },
        "prescriptions": {"patient_id": "int64", "date": "date", "atc": "string"},
    }
)


def site(
    world: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    last: str = "2018-12-31",
    access: Access = Access.MICRODATA,
) -> SimpleNamespace:
    """What a workspace is to a cohort, over tables in memory: periods bounded as the warehouse does."""
    connection = ibis.duckdb.connect()
    tables = {}
    world = {**world, "observation_periods": bounded(world, date.fromisoformat(last))}
    for name, schema in SCHEMAS.items():
        rows = world.get(name, ())
        arrays = {
            column: pa.array([row.get(column) for row in rows], type=ibis.dtype(kind).to_pyarrow())
            for column, kind in schema.items()
        }
        connection.create_table(name, pa.table(arrays))
        tables[name] = EventTable(connection.table(name).op())
    whoami = SimpleNamespace(
        reference_date=last, first_date="2000-01-01", last_date=last, snapshot=1, source="test", access=access
    )
    return SimpleNamespace(tables=tables, whoami=whoami)


def bounded(world: Mapping[str, Sequence[Mapping[str, Any]]], last: date) -> list[dict[str, Any]]:
    """The periods of a world, ended by the month of death and by the data."""
    deaths = {row["patient_id"]: row.get("death_month") for row in world.get("patients", ())}
    found = []
    for row in world.get("observation_periods", ()):
        death, end = deaths.get(row["patient_id"]), row["end_date"]
        month = death and date(death.year, death.month, calendar.monthrange(death.year, death.month)[1])
        till = min(day for day in (end, last, month) if day is not None)
        own = row.get("end_reason", "inactive")
        why = "death" if death and till >= death else "last_export" if end > last else own
        if row["start_date"] <= min(day for day in (last, month) if day is not None):
            found.append({**row, "end_date": till, "end_reason": why})
    return found


def written(ws: Any, said: Said) -> Cohort:
    """The definition as a person writes it."""
    d = ws.tables["diagnoses"]
    cohort = Cohort(ws, "test").index(**{said.which: d.where(d.cisp2 == said.code)})
    if said.between is not None:
        cohort = cohort.between(*said.between)
    if said.washout is not None:
        cohort = cohort.washout(**dict([said.washout]))
    if said.follow_up is not None:
        cohort = cohort.follow_up(**dict([said.follow_up]))
    for at, variable in enumerate(said.variables):
        cohort = _with_variable(cohort, ws, f"v{at}", variable)
    for at, criterion in enumerate(said.criteria):
        cohort = _with_criterion(cohort, d, f"c{at}", criterion)
    if said.outcome:
        rivals = {c: c if c == "death" else d.where(d.cisp2 == c) for c in said.competing}
        cohort = cohort.outcome("o", first=d.where(d.cisp2 == said.outcome), competing=rivals)
    return cohort


def _with_criterion(cohort: Cohort, d: EventTable, name: str, criterion: Criterion) -> Cohort:
    add = cohort.include if criterion.keeps else cohort.exclude
    if criterion.age is not None:
        return add(name, lambda s: s.age >= criterion.age)
    events = d.where(d.cisp2 == criterion.code)
    within = None if criterion.length is None else span(criterion.length)
    if criterion.after:
        return add(name, after=events, within=within, look_ahead=True)
    return add(name, before=events, within=within)


def _with_variable(cohort: Cohort, ws: Any, name: str, variable: Variable) -> Cohort:
    labs = ws.tables["lab_results"]
    events = labs.where(labs.analyte == variable.analyte)
    window = {
        side: EVER if given == "ever" else span(given)
        for side, given in (("before", variable.before), ("after", variable.after))
        if given is not None
    }
    return cohort.variable(
        name, **{variable.summary: events}, of=variable.of, **window, look_ahead="after" in window
    )


def span(length: Length) -> windows.Span:
    unit, count = length
    return getattr(windows, unit)(count)


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame as plain values: None for missing, dates without a time."""
    found = [{name: _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]
    return sorted(found, key=lambda row: (row["patient_id"], row["index_date"]))


def _plain(value: Any) -> Any:
    if value is None or pd.isna(value):
        return None
    return value.date() if isinstance(value, pd.Timestamp) else value


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
