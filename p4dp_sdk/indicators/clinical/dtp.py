"""Diphtheria–tetanus–polio boosters of adults: up to date, due, not recorded.

The rules of `dtp_schedule` come to this: somebody is up to date if a dose was given no more than 5 years
before the last fixed age that they have reached, or later. Asked so, a publication table may hold it; the
tests prove both to be the same.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.clinical.dtp_schedule import (
    FIRST_AGE,
    FIXED_AGES,
    MID_YEAR_MONTHS,
    SPARED_YEARS,
)
from p4dp_sdk.indicators.clinical.record import has
from p4dp_sdk.indicators.measure import Dashboard, Measure, Tables, Unit
from p4dp_sdk.indicators.people import active_list, reached
from p4dp_sdk.indicators.window import Window

if TYPE_CHECKING:
    import ibis.expr.types as ir

DTP: Final = ("J07CA01", "J07CA02")  # not J07AM01, tetanus alone


def adults(tables: Tables, window: Window) -> ir.Table:
    """Patients of the active list from 25 years on: `recorded` (a dated dose), `up_to_date`, `due`,
    `missing`."""
    on = window.end
    patients = active_list(tables, on)
    grown = patients.filter(reached(patients.birth_month, FIRST_AGE, on))
    given = doses(tables, on)
    current = given.filter(given.age_months >= _earliest_dose(given.birth_month, on))
    flags = grown.mutate(recorded=has(grown, given), up_to_date=has(grown, current))
    return flags.mutate(due=flags.recorded & ~flags.up_to_date, missing=~flags.recorded)


def doses(tables: Tables, on: date) -> ir.Table:
    """Doses up to `on`: `patient_id`, `birth_month`, and `age_months`, the age at the dose.

    Empty rows and notes carry no ATC code, and are none. Of a dose whose year alone is known, the middle of
    that year is taken.
    """
    import ibis

    rows, patients = tables.vaccinations, tables.patients
    given = rows.filter(rows.atc.isin(DTP), rows.date <= on).select("patient_id", "date", "date_precision")
    dated = given.join(patients.select("patient_id", "birth_month"), "patient_id")
    shift = ibis.ifelse(dated.date_precision == "year", MID_YEAR_MONTHS, 0)
    months = dated.date.delta(dated.birth_month, unit="month") + shift
    return dated.select("patient_id", "birth_month", age_months=months)


def _earliest_dose(birth_month: Any, on: date) -> ir.IntegerValue:
    """The age in months from which on a dose stands for the last fixed age that was reached on `on`."""
    import ibis

    stand = [12 * (age - SPARED_YEARS) for age in FIXED_AGES]
    younger = [
        (birth_month > date(on.year - following, on.month, 1), months)
        for months, following in zip(stand, FIXED_AGES[1:], strict=False)
    ]
    return ibis.cases(*younger, else_=stand[-1])


VACCINATION_DTP: Final = Measure(
    id="vaccination_dtp",
    label_fr="Vaccination diphtérie–tétanos–polio à jour, dès 25 ans",
    label_en="Diphtheria–tetanus–polio vaccination up to date, from 25 years",
    explanation_fr=(
        "Part des patients de la file active, de 25 ans et plus, à jour de leur rappel, parmi ceux dont au "
        "moins une dose (ATC J07CA01 ou J07CA02) est au dossier. Rappels à 25, 45, 65 ans, puis tous les 10 "
        "ans. n étant le prochain âge fixe : si n − âge à la dernière dose dépasse 25 ans (15 ans après 65 "
        "ans), le rappel est à faire ; une dose reçue 5 ans ou moins avant un âge fixe en tient lieu, "
        "rattrapage compris. Sans délai de grâce : à faire dès le mois de l'anniversaire."
    ),
    explanation_en=(
        "Share of patients of the active list from 25 years on who are up to date, among those with at "
        "least one dose (ATC J07CA01 or J07CA02) on record. Boosters at 25, 45, 65, then every 10 years. "
        "With n the next fixed age: if n − age at the last dose is more than 25 years (15 after 65), a "
        "booster is due; a dose 5 years or less before a fixed age stands for it, after a catch-up too. No "
        "grace period: due from the month of the birthday."
    ),
    unit=Unit.PATIENT,
    window=None,
    population=adults,
    source="Calendrier des vaccinations et recommandations vaccinales, ministère chargé de la santé",
    denominator="recorded",
    numerators={"a_jour": "up_to_date", "a_faire": "due"},
    missing="missing",
    quality=("empty_vaccination", "dose_note", "year_precision"),
    labels={
        "denominator": ("patients dont une dose est datée", "patients with a dated dose"),
        "a_jour": ("à jour", "up to date"),
        "a_faire": ("rappel à faire", "booster due"),
    },
    limits_fr=(
        "Sans dose datée au dossier, le patient est « non renseigné », ni à jour ni en retard. Une ligne "
        "vide, une note libre ou un vaccin antitétanique seul n'est pas une dose. Une date connue à l'année "
        "près vaut le milieu de l'année. Les 15 ans après 65 ans sont à vérifier dans le calendrier de "
        "l'année."
    ),
    limits_en=(
        "Without a dated dose, a patient is “not recorded”, neither up to date nor late. An empty row, a "
        "free note or a tetanus vaccine alone is no dose. A date known to the year counts as the middle of "
        "the year. The 15 years after 65 are to be checked in the year's calendar."
    ),
)

MEASURES: Final = (VACCINATION_DTP,)
DASHBOARDS: Final = (
    Dashboard("vaccination", "Vaccination DTP", "Diphtheria–tetanus–polio", ("vaccination_dtp",)),
)
