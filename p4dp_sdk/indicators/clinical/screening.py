"""Cancer screening as a *trace au dossier*: breast, colorectal, cervix.

A trace is a row of the record, not the programme's register: what was done elsewhere and not written down is
not seen, so "no trace" is never "not done". What the programme excludes and CISP-2 has no code for is said in
`limits`, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.clinical.record import has, in_family, procedures, results, without
from p4dp_sdk.indicators.clinical.screening_words import BREAST_WORDS, CERVIX_WORDS, COLORECTAL_WORDS
from p4dp_sdk.indicators.measure import Dashboard, Measure, Population, Tables, Unit
from p4dp_sdk.indicators.people import active_list, aged, reached
from p4dp_sdk.indicators.window import Window, months_before

if TYPE_CHECKING:
    import ibis.expr.types as ir

BREAST_AGES: Final = (50, 74)
BREAST_IMAGING: Final = ("X41",)  # imaging of the female genital chapter, which holds the breast
BREAST_CANCER: Final = ("X76",)
BREAST_MONTHS: Final = 24

COLORECTAL_AGES: Final = (50, 74)
FIT: Final = "fit"
FIT_MONTHS: Final = 24
ENDOSCOPY: Final = ("D40",)
ENDOSCOPY_MONTHS: Final = 60
COLORECTAL_CANCER: Final = ("D75",)
# Cancer, benign tumour (polyps), inflammatory bowel disease.
COLORECTAL_EXCLUDED: Final = ("D75", "D78", "D94")

CERVIX_AGES: Final = (25, 65)
HPV_FROM_AGE: Final = 30
HPV_SINCE: Final = date(2020, 1, 1)
HPV: Final = "hpv"
HPV_MONTHS: Final = 60
CYTOLOGY: Final = ("X37",)
CYTOLOGY_MONTHS: Final = 36
FIRST_INTERVAL_MONTHS: Final = 12
CERVICAL_CANCER: Final = ("X75",)


def breast(tables: Tables, window: Window) -> ir.Table:
    """Women of 50 to 74 years without breast cancer; `trace`: imaging in the last 24 months."""
    on = window.end
    women = without(_aged(_women(tables, on), BREAST_AGES, on), tables, BREAST_CANCER, on)
    return women.mutate(trace=has(women, procedures(tables, BREAST_IMAGING, on, BREAST_MONTHS)))


def colorectal(tables: Tables, window: Window) -> ir.Table:
    """Patients of 50 to 74 years at average risk; `trace`: FIT in 24 months (`fit`) or endoscopy in 60
    (`endoscopy`)."""
    on = window.end
    patients = _aged(active_list(tables, on), COLORECTAL_AGES, on)
    eligible = without(patients, tables, COLORECTAL_EXCLUDED, on)
    eligible = eligible.filter(~has(eligible, in_family(tables, COLORECTAL_CANCER, on)))
    flags = eligible.mutate(
        fit=has(eligible, results(tables, FIT, on, FIT_MONTHS)),
        endoscopy=has(eligible, procedures(tables, ENDOSCOPY, on, ENDOSCOPY_MONTHS)),
    )
    return flags.mutate(trace=flags.fit | flags.endoscopy)


def cervix(tables: Tables, window: Window) -> ir.Table:
    """Women of 25 to 65 years without cervical cancer; `trace`: screened as was recommended on the day.

    Until 2019: a cytology in 36 months. From 2020, under 30: the same, but after a first cytology the second
    is due 12 months later; from 30: an HPV test in 60 months, or still a cytology in 36.
    """
    on = window.end
    women = without(_aged(_women(tables, on), CERVIX_AGES, on), tables, CERVICAL_CANCER, on)
    cytologies = _cytologies(tables, on)
    recent = cytologies.filter(cytologies.last > months_before(on, CYTOLOGY_MONTHS))
    if on < HPV_SINCE:
        return women.mutate(trace=has(women, recent))
    of_age = reached(women.birth_month, HPV_FROM_AGE, on)
    young = women.filter(~of_age)
    due_again = young.filter(has(young, _second_is_due(cytologies, on)))
    by_cytology = has(women, recent) & ~has(women, due_again)
    return women.mutate(trace=by_cytology | (of_age & has(women, results(tables, HPV, on, HPV_MONTHS))))


def _cytologies(tables: Tables, on: date) -> ir.Table:
    """The `first` and the `last` cytology of each patient up to `on`."""
    rows = tables.procedures
    done = rows.filter(rows.cisp2.isin(CYTOLOGY), rows.date <= on)
    return done.group_by("patient_id").agg(first=done.date.min(), last=done.date.max())


def _second_is_due(cytologies: ir.Table, on: date) -> ir.Table:
    """Those with no two cytologies 12 months apart, and none in the last 12 months."""
    import ibis

    year_later = cytologies.first + ibis.interval(months=FIRST_INTERVAL_MONTHS)
    return cytologies.filter(
        cytologies.last < year_later, cytologies.last <= months_before(on, FIRST_INTERVAL_MONTHS)
    )


def _women(tables: Tables, on: date) -> ir.Table:
    patients = active_list(tables, on)
    return patients.filter(patients.sex == "F")


def _aged(patients: ir.Table, ages: tuple[int, int], on: date) -> ir.Table:
    return patients.filter(aged(patients.birth_month, *ages, on))


def _measure(population: Population, words: Mapping[str, Any]) -> Measure:
    return Measure(unit=Unit.PATIENT, population=population, numerators={"trace": "trace"}, **words)


DEPISTAGE_SEIN: Final = _measure(breast, BREAST_WORDS)
DEPISTAGE_COLORECTAL: Final = _measure(colorectal, COLORECTAL_WORDS)
DEPISTAGE_COL: Final = _measure(cervix, CERVIX_WORDS)

MEASURES: Final = (DEPISTAGE_SEIN, DEPISTAGE_COLORECTAL, DEPISTAGE_COL)
DASHBOARDS: Final = (
    Dashboard(
        "depistages",
        "Dépistage des cancers",
        "Cancer screening",
        tuple(measure.id for measure in MEASURES),
    ),
)
