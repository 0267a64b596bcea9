"""Activity as a sentinel network sees it: weekly cases of a condition per 100,000 consultations.

Cases and denominator are consultations of the same week, so a practice that exports nothing is in neither:
its silence is not read as health. A week without consultations, or with a withheld number, has no rate. The
other denominator, patients under observation, is a measure of its own (`activite_observes`), put below by
`per_observed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from p4dp_sdk.indicators.general import rows_of
from p4dp_sdk.indicators.measure import Dashboard, Measure, Population, Tables, Unit
from p4dp_sdk.indicators.people import observed
from p4dp_sdk.indicators.window import Window
from p4dp_sdk.indicators.words import words

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

PER: Final = 100_000
RESPIRATORY: Final = ("R74", "R75", "R76", "R77", "R78", "R80", "R81")


def with_diagnosis(codes: Sequence[str]) -> Population:
    """Consultations of the window, and whether one of the CISP-2 `codes` was diagnosed in them."""

    def population(tables: Tables, window: Window) -> ir.Table:
        contacts, diagnoses = rows_of("consultations")(tables, window), tables.diagnoses
        cases = diagnoses.filter(window.holds(diagnoses.date), diagnoses.cisp2.isin(list(codes)))
        return contacts.mutate(case=contacts.consultation_id.isin(cases.consultation_id))

    return population


def incidence(name: str, french: str, english: str, codes: Sequence[str]) -> Measure:
    """A weekly rate of one's own: `ws.indicators.of(incidence("zona", "zona", "shingles", ["S70"]))`."""
    return Measure(
        id=name,
        unit=Unit.CONSULTATION,
        window=None,
        population=with_diagnosis(codes),
        numerators={"case": "case"},
        keys=("type",),
        per=PER,
        **words("activite", french=french, english=english, codes="CISP-2 " + ", ".join(codes)),
    )


def per_observed(cases: pd.DataFrame, observed: pd.DataFrame) -> pd.DataFrame:
    """Weekly cases per 100,000 patients under observation: the other denominator.

    `cases` is the frame of a weekly rate, `observed` that of `activite_observes` at the end of each month;
    between two ends the number of patients is taken as a straight line. A week outside of these, or beside
    one that is withheld, has no rate: `week`, `denominator`, `numerator`, `share`.
    """
    import numpy as np
    import pandas as pd

    ends = pd.to_datetime(observed["at"]).to_numpy().astype("datetime64[D]").astype(float)
    patients = observed["patients"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    weeks = pd.to_datetime(cases["week"]).to_numpy().astype("datetime64[D]").astype(float)
    order = np.argsort(ends)
    between = np.interp(weeks, ends[order], patients[order], left=np.nan, right=np.nan)
    table = cases[["week", "numerator"]].reset_index(drop=True)
    table.insert(1, "denominator", pd.Series(between, dtype="Float64").mask(np.isnan(between)))
    return table.assign(share=PER * table["numerator"] / table["denominator"])


OBSERVED: Final = Measure(
    id="activite_observes",
    unit=Unit.PATIENT,
    window=None,
    population=lambda tables, window: observed(tables, window.end),
    **words("activite_observes"),
)
MEASURES: Final = (
    incidence("activite", "infection respiratoire aiguë", "acute respiratory infection", RESPIRATORY),
    incidence("activite_grippe", "grippe", "influenza", ("R80",)),
    incidence("activite_gastro", "gastro-entérite", "gastroenteritis", ("D73",)),
    OBSERVED,
)
DASHBOARDS: Final = (
    Dashboard(
        "activite", "Activité, type sentinelle", "Activity, sentinel type", tuple(m.id for m in MEASURES)
    ),
)
