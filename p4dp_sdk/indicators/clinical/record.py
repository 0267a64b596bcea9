"""What stands in a patient's record up to a day: the few questions that all clinical measures ask.

Everything is Ibis over the tables it is given; nothing is executed. A family history is nobody's own disease.
A past event without a date has happened: it counts on every day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.measure import Tables
from p4dp_sdk.indicators.window import Window

if TYPE_CHECKING:
    import ibis.expr.types as ir

FAMILY: Final = "family"
LONG_AGO: Final = date(1900, 1, 1)  # stands in for a date that is not known


def has(patients: ir.Table, rows: ir.Table) -> ir.BooleanValue:
    """Whether each of `patients` is somebody's in `rows`."""
    return patients.patient_id.isin(rows.patient_id)


def diagnosed(tables: Tables, codes: Sequence[str], on: date) -> ir.Table:
    """Diagnoses with one of these CISP-2 codes up to `on`."""
    rows = tables.diagnoses
    return rows.filter(rows.cisp2.isin(codes), rows.date <= on)


def recalled(tables: Tables, codes: Sequence[str], on: date) -> ir.Table:
    """The patient's own past events with one of these CISP-2 codes up to `on`, those without a date too."""
    rows = tables.history
    return rows.filter(rows.cisp2.isin(codes), rows.kind != FAMILY, _by(rows.date, on))


def in_family(tables: Tables, codes: Sequence[str], on: date) -> ir.Table:
    """Diseases of relatives that the record mentions up to `on`."""
    rows = tables.history
    return rows.filter(rows.cisp2.isin(codes), rows.kind == FAMILY, _by(rows.date, on))


def without(patients: ir.Table, tables: Tables, codes: Sequence[str], on: date) -> ir.Table:
    """`patients` of whom no diagnosis and no past event has one of these codes up to `on`."""
    return patients.filter(
        ~has(patients, diagnosed(tables, codes, on)), ~has(patients, recalled(tables, codes, on))
    )


def procedures(tables: Tables, codes: Sequence[str], on: date, months: int) -> ir.Table:
    """Procedures with one of these CISP-2 codes in the `months` up to `on`."""
    rows = tables.procedures
    return rows.filter(rows.cisp2.isin(codes), within(rows.date, on, months))


def results(tables: Tables, analyte: str, on: date, months: int) -> ir.Table:
    """Results of an analyte in the `months` up to `on`, readable or not."""
    rows = tables.lab_results
    return rows.filter(rows.analyte == analyte, within(rows.date, on, months))


def values(tables: Tables, analyte: str, on: date, months: int) -> ir.Table:
    """The same, of which the quality layer left a value."""
    rows = results(tables, analyte, on, months)
    return rows.filter(rows.value.notnull())


def prescribed(tables: Tables, atc: str, on: date, months: int) -> ir.Table:
    """Prescriptions of the ATC class `atc` in the `months` up to `on`."""
    rows = tables.prescriptions
    return rows.filter(rows.atc.startswith(atc), within(rows.date, on, months))


def within(day: Any, on: date, months: int) -> ir.BooleanValue:
    """Whether `day` lies in the `months` up to `on`: one condition."""
    window = Window.before(on, months)
    return day.between(window.start, window.end)


def _by(day: Any, on: date) -> ir.BooleanValue:
    return day.fill_null(LONG_AGO) <= on
