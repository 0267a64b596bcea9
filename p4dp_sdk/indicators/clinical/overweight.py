"""Overweight and obesity from 6 to 15 years, on the last valid weight and height of one day in the window.

The class of each measurement is that of `body_mass`: IOTF cut-offs by sex and completed months of age (Cole &
Lobstein 2012). That table holds pairs of weight and height of one day that the quality layer left: a height
in metres or millimetres is read as what it is, a birth weight carried forward and a height beyond 4 standard
deviations are set aside. So the software's own BMI, wrong with the height, is never read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from p4dp_sdk.indicators.clinical.record import has
from p4dp_sdk.indicators.measure import Dashboard, Measure, Tables, Unit
from p4dp_sdk.indicators.people import active_list, aged
from p4dp_sdk.indicators.window import Window

if TYPE_CHECKING:
    import ibis.expr.types as ir

YOUNGEST, OLDEST = 6, 15  # completed years: 6.00 to 15.99
WINDOW_MONTHS: Final = 24
OVERWEIGHT: Final = ("obese", "overweight")  # codes of `weight_status`


def children(tables: Tables, window: Window) -> ir.Table:
    """Children of the active list, 6.00 to 15.99 years old at the end of the window, and what their last
    measurement says: `measured`, `normal`, `overweight` (obesity included), `obese`, `missing`."""
    patients = active_list(tables, window.end)
    young = patients.filter(aged(patients.birth_month, YOUNGEST, OLDEST, window.end))
    last = last_measured(tables, window)
    flags = young.mutate(
        measured=has(young, last),
        overweight=has(young, last.filter(last.status.isin(OVERWEIGHT))),
        obese=has(young, last.filter(last.status == "obese")),
        normal=has(young, last.filter(last.status == "normal")),
    )
    return flags.mutate(missing=~flags.measured)


def last_measured(tables: Tables, window: Window) -> ir.Table:
    """One row a patient: the `status` of the last classified measurement in the window from 6.00 years on. Of
    two on one day (two GPs), that of the higher BMI."""
    rows = tables.body_mass
    valid = rows.filter(
        window.holds(rows.date),
        rows.age_months >= 12 * YOUNGEST,
        rows.weight_status.notnull(),
    )
    return valid.group_by("patient_id").agg(status=valid.weight_status.last(order_by=[valid.date, valid.bmi]))


SURPOIDS: Final = Measure(
    id="surpoids",
    label_fr="Surpoids et obésité, 6–15 ans",
    label_en="Overweight and obesity, 6–15 years",
    explanation_fr=(
        "Part des enfants en surpoids, et en obésité, parmi ceux de la file active, de 6,00 à 15,99 ans à "
        "la date, dont le poids et la taille ont été mesurés le même jour dans la fenêtre, à 6 ans ou plus. "
        "La dernière mesure valide compte. Surpoids : IMC au moins égal au seuil IOTF-25 du sexe et de "
        "l'âge en mois ; obésité : au seuil IOTF-30. Le surpoids comprend l'obésité ; la maigreur compte "
        "parmi les autres."
    ),
    explanation_en=(
        "Share of overweight, and of obese, among children of the active list aged 6.00 to 15.99 years on "
        "the date whose weight and height were measured on one day in the window, at 6 years or more. The "
        "last valid measurement counts. Overweight: BMI of at least the IOTF-25 cut-off for sex and age in "
        "months; obesity: IOTF-30. Overweight includes obesity; thinness counts among the others."
    ),
    unit=Unit.PATIENT,
    window=WINDOW_MONTHS,
    population=children,
    source=(
        "Cole TJ, Lobstein T. Extended international (IOTF) body mass index cut-offs. Pediatr Obes "
        "2012;7:284-94"
    ),
    denominator="measured",
    numerators={"surpoids": "overweight", "obesite": "obese"},
    missing="missing",
    quality=(
        "height_in_metres",
        "height_in_millimetres",
        "height_zscore",
        "birth_weight_carried",
        "bmi_bad_height",
        "copied_value",
    ),
    labels={
        "denominator": ("enfants mesurés", "children measured"),
        "surpoids": ("surpoids, obésité comprise", "overweight, obesity included"),
        "obesite": ("obésité", "obesity"),
    },
    limits_fr=(
        "Les enfants mesurés ne sont pas tous les enfants : on pèse plus souvent ceux dont le poids "
        "inquiète. L'IMC calculé par le logiciel n'est pas repris. Les seuils français (courbes du carnet "
        "de santé) diffèrent un peu."
    ),
    limits_en=(
        "Children who are measured are not all children: those whose weight is a concern are weighed more "
        "often. The BMI that the software computed is not used. French charts (carnet de santé) differ a "
        "little."
    ),
)

MEASURES: Final = (SURPOIDS,)
DASHBOARDS: Final = (Dashboard("surpoids", "Surpoids 6–15 ans", "Overweight 6–15 years", ("surpoids",)),)
