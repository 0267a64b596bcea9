"""The general dashboard: how much there is of everything, and of whom.

Counts, without shares: of each table by year; consultations by type; patients, and who is active.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.measure import Dashboard, Measure, Tables, Unit
from p4dp_sdk.indicators.people import active_list
from p4dp_sdk.indicators.window import Window

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SOURCE: Final = "Tableau de bord P4DP « Général »"
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


def _rows_of(name: str) -> Callable[[Tables, Window], ir.Table]:
    def rows(tables: Tables, window: Window) -> Any:
        table = tables[name] if hasattr(tables, "__getitem__") else getattr(tables, name)
        return table.filter(window.holds(table.date))

    return rows


def _counting(name: str, french: str, english: str, keys: tuple[str, ...]) -> Measure:
    return Measure(
        id=f"general_{name}",
        label_fr=french,
        label_en=english,
        explanation_fr=f"Nombre de lignes de la table « {french} » dont la date est dans la période, et de "
        "patients distincts qu'elles concernent.",
        explanation_en=f"Rows of the table “{english}” dated in the period, and the distinct patients they "
        "are about.",
        unit=Unit.ROW if name != "consultations" else Unit.CONSULTATION,
        window=None,
        population=_rows_of(name),
        source=_SOURCE,
        keys=keys,
        limits_fr="Une ligne sans date n'est dans aucune période.",
        limits_en="A row without a date is in no period.",
    )


ACTIVE: Final = Measure(
    id="general_file_active",
    label_fr="File active",
    label_en="Active list",
    explanation_fr="Patients vivants, sous observation à la date, avec au moins un contact dans les 24 mois "
    "qui la précèdent.",
    explanation_en="Patients alive and under observation on the date, with a contact in the 24 months up to "
    "it.",
    unit=Unit.PATIENT,
    window=24,
    population=lambda tables, window: active_list(tables, window.end),
    source=_SOURCE,
    keys=("registration",),
    limits_fr="Personne ne s'inscrit sur une liste en France : un patient peut être actif dans deux "
    "cabinets.",
    limits_en="Nobody registers with a list in France: a patient may be active in two practices.",
)
MEASURES: Final = (
    ACTIVE,
    *(_counting(name, french, english, keys) for name, (french, english, keys) in _TABLES.items()),
)
DASHBOARDS: Final = (Dashboard("general", "Général", "General", tuple(measure.id for measure in MEASURES)),)
