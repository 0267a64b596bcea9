"""Recruitment counts and fates of patients, on tables small enough to work out by hand."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import ibis
import pytest

from p4dp_sdk.cohorts.on_date import OnDate
from p4dp_sdk.cohorts.out_of_care import OutOfCare

END = date(2022, 12, 31)
PATIENTS = {
    "patient_id": "int64",
    "birth_month": "date",
    "death_month": "date",
    "sex": "string",
    "centre_id": "string",
}
EVENTS = {"patient_id": "int64", "date": "date"}
PERIODS = {"patient_id": "int64", "start_date": "date", "end_date": "date", "end_reason": "string"}
LABS = {**EVENTS, "analyte": "string", "value": "float64"}


class Codes:
    """Stands for a code list: everybody has the disease."""

    label = "maladie"


def table(rows: list[dict[str, Any]], schema: dict[str, str]) -> Any:
    return ibis.memtable([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def world(
    contacts: dict[int, list[date]],
    periods: dict[int, tuple[date, str]],
    labs: list[tuple[int, date, float | None]] = [],  # noqa: B006
    deaths: dict[int, date] = {},  # noqa: B006
) -> Any:
    people = [
        {"patient_id": n, "birth_month": date(1960, 1, 1), "death_month": deaths.get(n)} for n in contacts
    ]
    observed = [
        {"patient_id": n, "start_date": date(2010, 1, 1), "end_date": end, "end_reason": why}
        for n, (end, why) in periods.items()
    ]
    return SimpleNamespace(
        patients=table(people, PATIENTS),
        consultations=table(
            [{"patient_id": n, "date": d} for n, days in contacts.items() for d in days], EVENTS
        ),
        observation_periods=table(observed, PERIODS),
        lab_results=table(
            [{"patient_id": n, "date": d, "value": v, "analyte": "hba1c"} for n, d, v in labs], LABS
        ),
    )


def ids(rows: Any) -> set[int]:
    return set(rows.patient_id.execute())


def test_the_last_valid_value_decides_and_bounds_are_included() -> None:
    recent = [date(2022, 6, 1)]
    tables = world(
        dict.fromkeys(range(1, 7), recent),
        dict.fromkeys(range(1, 7), (END, "last_export")),
        labs=[
            (1, date(2022, 1, 1), 9.0), (1, date(2022, 5, 1), 6.0),  # the last is low
            (2, date(2022, 5, 1), 8.0),  # on the bound
            (3, date(2022, 5, 1), 7.0), (3, date(2022, 5, 1), 9.0),  # 8 on average that day
            (4, date(2021, 12, 31), 9.0),  # a day too old
            (5, date(2022, 2, 1), 8.5), (5, date(2022, 6, 1), None),  # set aside: the valid one before it
        ],
    )  # fmt: skip
    on = OnDate(tables, END)
    assert ids(on.people.filter(on.last_value("hba1c", months=12, low=8.0, high=20.0))) == {2, 3, 5}


def test_ages_count_in_completed_years_by_month() -> None:
    on = OnDate(world({1: [date(2022, 6, 1)]}, {1: (END, "last_export")}), "2022-12-31")
    assert ids(on.people.filter(on.aged(62, 62))) == {1}
    assert not ids(on.people.filter(on.aged(63, 90)))


def test_each_criterion_is_left_out_in_turn() -> None:
    recent = [date(2022, 6, 1)]
    on = OnDate(world({1: recent, 2: recent}, dict.fromkeys((1, 2), (END, "last_export"))), END)
    one = on.people.patient_id == 1
    found = on.without_each({"adulte": on.aged(18, 99), "le premier": one}).frame
    assert found["patients"].tolist() == [1, 1, 2]
    assert on.flow({"adulte": on.aged(18, 99), "le premier": one}).frame["patients"].tolist() == [2, 2, 1]


def test_a_practice_that_fell_silent_is_no_patient_who_left(monkeypatch: pytest.MonkeyPatch) -> None:
    before, since = date(2020, 6, 1), date(2021, 6, 1)
    tables = world(
        {1: [before, since], 2: [before], 3: [before], 4: [before], 5: [before], 6: [before, since],
         7: [since]},
        {
            1: (END, "last_export"), 2: (END, "last_export"), 3: (date(2022, 3, 1), "inactive"),
            4: (date(2022, 3, 1), "last_export"), 5: (date(2021, 3, 1), "death"), 6: (END, "death"),
            7: (END, "last_export"),
        },
        deaths={5: date(2021, 3, 1), 6: date(2022, 12, 1)},
    )  # fmt: skip
    care = OutOfCare(tables, Codes(), END, months=24)
    monkeypatch.setattr(OnDate, "has", lambda self, _codes: self.people.patient_id.notnull())
    found = care.fate(tables.consultations).select("patient_id", "fate").execute()
    fates = dict(zip(found["patient_id"], found["fate"], strict=True))
    assert fates == {1: "followed", 2: "out", 3: "out", 4: "unobserved", 5: "died", 6: "died"}
    shares = care.share(care.fate(tables.consultations).mutate(sex=ibis.literal("F")), by="sex").frame
    assert shares[["denominator", "numerator"]].to_numpy().tolist() == [[3, 2]]
    assert shares["share"].tolist() == [66.7]
