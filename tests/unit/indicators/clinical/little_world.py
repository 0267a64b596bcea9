"""A record written by hand: a few people and what stands in their files, as the tables a measure asks.

Stored as a snapshot stores it, `body_mass` derived as it is there; read under the names of a notebook. People
are, unless said otherwise, seen on the reference date and under observation for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace
from typing import Any

import duckdb
import ibis

from hub_config.warehouse.derived import derive_body_mass
from hub_config.warehouse.schema import create_all
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Unit
from p4dp_sdk.indicators.measure import Measure
from p4dp_sdk.indicators.window import Window

ON = date(2022, 12, 31)
LONG_AGO, FAR = date(1990, 1, 1), date(2050, 12, 31)


def day(text: str) -> date:
    return date.fromisoformat(text)


class World:
    """Everything is said of a person by number; rows go in as they are."""

    def __init__(self, on: date = ON) -> None:
        self.on = on
        self.people = 0
        self.connection = duckdb.connect()
        self.catalogue = load_catalogue()
        for statement in create_all(self.catalogue):
            self.connection.execute(statement)

    def person(
        self, born: str | None, sex: str | None = "F", *, seen: str | None = "", died: str | None = None
    ) -> int:
        """Born in a month ("1970-03"); `seen` on a day, on the reference date (""), or never (None)."""
        self.people += 1
        number = self.people
        self.put(
            "patients",
            patient_no=number,
            sex=sex,
            birth_month=born and day(f"{born}-01"),
            death_month=died and day(f"{died}-01"),
            registration="declared",
        )
        self.put("observation_periods", patient_no=number, start_date=LONG_AGO, end_date=FAR)
        if seen is not None:
            self.put("consultations", patient_no=number, date=day(seen) if seen else self.on)
        return number

    def put(self, table: str, **row: Any) -> None:
        row = {"physician_no": 1, "centre_id": "C1"} | row
        names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
        self.connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', list(row.values()))

    def diagnosis(self, who: int, cisp2: str, on: str) -> None:
        self.put("diagnoses", patient_no=who, cisp2=cisp2, date=day(on))

    def past(self, who: int, cisp2: str, on: str | None, kind: str = "medical") -> None:
        self.put("history", patient_no=who, cisp2=cisp2, kind=kind, date=on and day(on))

    def procedure(self, who: int, cisp2: str, *days: str) -> None:
        for each in days:
            self.put("procedures", patient_no=who, cisp2=cisp2, date=day(each))

    def result(
        self, who: int, analyte: str, on: str, value: float | None = None, dq_code: str = "ok"
    ) -> None:
        self.put("lab_results", patient_no=who, analyte=analyte, date=day(on), value=value, dq_code=dq_code)

    def drug(self, who: int, atc: str, *days: str, pack: str = "standard") -> None:
        for each in days:
            self.put("prescriptions", patient_no=who, atc=atc, date=day(each), pack_size=pack)

    def dose(self, who: int, atc: str | None, on: str, precision: str = "day", dq_code: str = "ok") -> None:
        self.put(
            "vaccinations", patient_no=who, atc=atc, date=day(on), date_precision=precision, dq_code=dq_code
        )

    def measured(self, who: int, on: str, weight: float | None, height: float | None) -> None:
        for name, unit, value in (("weight", "kg", weight), ("height", "cm", height)):
            self.put("biometrics", patient_no=who, date=day(on), measure=name, unit=unit, value=value)

    @contextmanager
    def tables(self) -> Iterator[Any]:
        derive_body_mass(self.connection, self.catalogue.tables["body_mass"])
        self.connection.execute("CREATE SCHEMA seen")
        for name, table in self.catalogue.tables.items():
            if table.unit is Unit.PERSON:
                renamed = "* EXCLUDE (patient_no), patient_no AS patient_id"
                self.connection.execute(f"CREATE VIEW seen.{name} AS SELECT {renamed} FROM main.{name}")
        backend = ibis.duckdb.from_connection(self.connection)
        names = (name for name, table in self.catalogue.tables.items() if table.unit is Unit.PERSON)
        yield SimpleNamespace(**{name: backend.table(name, database="seen") for name in names})
        self.connection.close()

    def flags(self, measure: Measure, window: Window | None = None) -> Mapping[int, Mapping[str, bool]]:
        """What the measure says of each person it counts, by number."""
        at = window or Window.before(self.on, measure.window)
        named = [measure.denominator, *measure.numerators.values(), measure.missing]
        columns = [name for name in named if name is not None]
        with self.tables() as tables:
            frame = measure.population(tables, at).select("patient_id", *columns).execute()
        assert frame.patient_id.is_unique
        return {
            int(row.patient_id): {name: bool(getattr(row, name)) for name in columns}
            for row in frame.itertuples()
        }

    def met(self, measure: Measure, condition: str, window: Window | None = None) -> set[int]:
        """The people of the measure who meet one of its conditions."""
        return {who for who, flags in self.flags(measure, window).items() if flags[condition]}
