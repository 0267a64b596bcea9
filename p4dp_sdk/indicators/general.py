"""The general dashboard: how much there is of everything, and of whom.

Counts, without shares: of each table by year; consultations by type; patients, who is active, GPs.
"""

from __future__ import annotations

from typing import Any, Final

from p4dp_sdk.indicators.measure import Dashboard, Measure, Population, Tables, Unit
from p4dp_sdk.indicators.people import CONTACT_MONTHS, active_list
from p4dp_sdk.indicators.window import Window
from p4dp_sdk.indicators.words import words

_TABLES: Final = {
    "consultations": ("Consultations", "Consultations", ("type",)),
    "reasons": ("Motifs de consultation", "Reasons for encounter", ("coding_source",)),
    "diagnoses": ("Diagnostics", "Diagnoses", ("coding_source",)),
    "procedures": ("Procédures de soins", "Care procedures", ()),
    "history": ("Antécédents et historique", "History", ("record", "kind", "status")),
    "biometrics": ("Biométries", "Biometrics", ("measure", "dq_code")),
    "lab_results": ("Examens de biologie", "Laboratory results", ("analyte", "dq_code")),
    "prescriptions": ("Prescriptions", "Prescriptions", ("pack_size",)),
    "vaccinations": ("Vaccinations", "Vaccinations", ("dq_code", "date_precision")),
}


def rows_of(name: str) -> Population:
    """The population of a table's rows that are dated in the window."""

    def rows(tables: Tables, window: Window) -> Any:
        table = getattr(tables, name)
        return table.filter(window.holds(table.date))

    return rows


def _counting(name: str, french: str, english: str, keys: tuple[str, ...]) -> Measure:
    return Measure(
        id=f"general_{name}",
        unit=Unit.CONSULTATION if name == "consultations" else Unit.ROW,
        window=None,
        population=rows_of(name),
        keys=keys,
        **words("general_table", french=french, english=english),
    )


ACTIVE: Final = Measure(
    id="general_file_active",
    unit=Unit.PATIENT,
    window=CONTACT_MONTHS,
    population=lambda tables, window: active_list(tables, window.end),
    keys=("registration",),
    **words("general_file_active"),
)
PATIENTS: Final = Measure(
    id="general_patients",
    unit=Unit.PATIENT,
    window=None,
    population=lambda tables, _window: tables.patients.drop("birth_month"),
    quality=("possible_duplicate",),
    keys=("registration", "dq_code"),
    **words("general_patients"),
)
PHYSICIANS: Final = Measure(
    id="general_medecins",
    unit=Unit.ROW,
    window=None,
    population=lambda tables, _window: tables.physicians,
    **words("general_medecins"),
)
MEASURES: Final = (
    ACTIVE,
    PATIENTS,
    PHYSICIANS,
    *(_counting(name, french, english, keys) for name, (french, english, keys) in _TABLES.items()),
)
DASHBOARDS: Final = (Dashboard("general", "Général", "General", tuple(each.id for each in MEASURES)),)
