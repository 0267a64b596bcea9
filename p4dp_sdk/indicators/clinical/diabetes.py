"""Diabetes: who has it, and whether the follow-up recommended stands in the record.

A code T89 or T90 (diagnosis, or the patient's own past event), or treatment: A10 on at least 3 dates in 12
months, a large pack standing for one date more, and not A10BJ or A10BK alone (obesity, heart failure).
Gestational diabetes (W85) is none: whoever has it and neither T89 nor T90 is not counted for their treatment.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from p4dp_sdk.indicators.clinical.record import (
    diagnosed,
    has,
    prescribed,
    procedures,
    recalled,
    results,
    values,
    without,
)
from p4dp_sdk.indicators.measure import Tables
from p4dp_sdk.indicators.people import active_list
from p4dp_sdk.indicators.window import Window, months_before

if TYPE_CHECKING:
    import ibis.expr.types as ir

DIABETES: Final = ("T89", "T90")
GESTATIONAL: Final = ("W85",)
ANTIDIABETICS: Final = "A10"
INSULINS: Final = "A10A"
OTHER_USES: Final = (
    "A10BJ",
    "A10BK",
)  # GLP-1 analogues, SGLT2 inhibitors: also for obesity and heart failure
TREATED_DATES: Final = 3
TREATED_MONTHS: Final = 12

HBA1C: Final = "hba1c"
HBA1C_DATES: Final = 2
CONTROLLED_HBA1C: Final = 7.0  # per cent
KIDNEY: Final = ("creatinine", "uacr")
YEAR: Final = 12
EYE_MONTHS: Final = 24
# Function test, fundus and imaging of the eye; a colleague's result; referral to orthoptist, ophthalmologist.
EYE: Final = ("F39", "F40", "F41", "F61", "F66", "F67")


def patients(tables: Tables, window: Window) -> ir.Table:
    """The active list; `diabetic`."""
    active = active_list(tables, window.end)
    return active.mutate(diabetic=_is_diabetic(active, tables, window.end))


def with_hba1c(tables: Tables, window: Window) -> ir.Table:
    """Diabetics of the active list; `twice`: HbA1c on two dates in 12 months."""
    people = diabetics(tables, window.end)
    rows = values(tables, HBA1C, window.end, YEAR)
    dates = rows.group_by("patient_id").agg(dates=rows.date.nunique())
    return people.mutate(twice=has(people, dates.filter(dates.dates >= HBA1C_DATES)))


def controlled(tables: Tables, window: Window) -> ir.Table:
    """Diabetics of the active list: `measured` (a value of HbA1c in 12 months) or `missing`; `controlled`:
    the last of them is 7 % at most."""
    people = diabetics(tables, window.end)
    last = last_hba1c(tables, window.end)
    flags = people.mutate(
        measured=has(people, last), controlled=has(people, last.filter(last.value <= CONTROLLED_HBA1C))
    )
    return flags.mutate(missing=~flags.measured)


def with_eye_exam(tables: Tables, window: Window) -> ir.Table:
    """Diabetics of the active list; `eye`: in 12 months, or in 24 for those who neither take insulin nor
    have a last HbA1c above 7 %."""
    on = window.end
    people, last = diabetics(tables, on), last_hba1c(tables, on)
    exams = procedures(tables, EYE, on, EYE_MONTHS)
    yearly = exams.filter(exams.date > months_before(on, YEAR))
    steady = people.filter(
        ~has(people, prescribed(tables, INSULINS, on, YEAR)),
        ~has(people, last.filter(last.value > CONTROLLED_HBA1C)),
    )
    return people.mutate(eye=has(people, yearly) | (has(people, exams) & has(people, steady)))


def with_any_eye_exam(tables: Tables, window: Window) -> ir.Table:
    """Diabetics of the active list; `eye`: in 24 months, whatever their treatment."""
    people = diabetics(tables, window.end)
    return people.mutate(eye=has(people, procedures(tables, EYE, window.end, EYE_MONTHS)))


def with_kidney_tests(tables: Tables, window: Window) -> ir.Table:
    """Diabetics of the active list; `kidney`: creatinine and albuminuria in 12 months."""
    people = diabetics(tables, window.end)
    tested = [has(people, results(tables, analyte, window.end, YEAR)) for analyte in KIDNEY]
    return people.mutate(kidney=tested[0] & tested[1])


def diabetics(tables: Tables, on: date) -> ir.Table:
    """Those of the active list who have diabetes."""
    active = active_list(tables, on)
    return active.filter(_is_diabetic(active, tables, on))


def treated(tables: Tables, on: date) -> ir.Table:
    """Patients with A10 on enough dates in 12 months, not A10BJ or A10BK alone."""
    import ibis

    rows = prescribed(tables, ANTIDIABETICS, on, TREATED_MONTHS)
    glp1, gliflozins = (rows.atc.startswith(use) for use in OTHER_USES)
    each = rows.group_by("patient_id").agg(
        dates=rows.date.nunique(),
        large=(rows.pack_size == "large").any(),
        other=(~glp1 & ~gliflozins).any(),
    )
    return each.filter(each.dates + ibis.ifelse(each.large, 1, 0) >= TREATED_DATES, each.other)


def last_hba1c(tables: Tables, on: date) -> ir.Table:
    """The last `value` of HbA1c in 12 months of each patient; of two on one day, the higher."""
    rows = values(tables, HBA1C, on, YEAR)
    return rows.group_by("patient_id").agg(value=rows.value.last(order_by=[rows.date, rows.value]))


def _is_diabetic(people: ir.Table, tables: Tables, on: date) -> ir.BooleanValue:
    by_treatment = without(treated(tables, on), tables, GESTATIONAL, on)
    return (
        has(people, diagnosed(tables, DIABETES, on))
        | has(people, recalled(tables, DIABETES, on))
        | has(people, by_treatment)
    )
