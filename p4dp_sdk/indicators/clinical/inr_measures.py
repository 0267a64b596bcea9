"""The INR dashboard: patients too often outside of 2 to 3, time in range, and targets that no code tells."""

from __future__ import annotations

from typing import Any, Final

from p4dp_sdk.indicators.clinical import inr
from p4dp_sdk.indicators.measure import Dashboard, Measure, Unit

_WHO_FR: Final = (
    "Patients : file active, au moins une prescription d'antivitamine K (ATC B01AA) en 12 mois. Un INR "
    "compte s'il est compris entre 0,5 et 20, si une antivitamine K a été prescrite dans les 90 jours "
    "précédents et si 8 semaines ont passé depuis la première prescription connue ; plusieurs INR d'un jour "
    "n'en font qu'un, leur moyenne. Il en faut au moins 3 en 12 mois, sinon le patient est « non renseigné "
    "»."
)
_WHO_EN: Final = (
    "Patients: active list, at least one prescription of a vitamin-K antagonist (ATC B01AA) in 12 months. "
    "An INR counts if it lies between 0.5 and 20, an antagonist was prescribed in the 90 days before, and 8 "
    "weeks have passed since the first known prescription; several of one day are one, their mean. At least "
    "3 in 12 months are needed, else the patient is “not recorded”."
)
_LIMITS_FR: Final = (
    "Les patients porteurs d'une valvulopathie codée (K83) sont à part, « cible inconnue » : leur cible "
    "dépend du type de valve et du risque, que la CISP-2 ne code pas. Une prothèse sans K83 n'est pas vue. "
    "Une prescription n'est pas une délivrance ; un traitement commencé ailleurs paraît plus récent qu'il "
    "n'est."
)
_LIMITS_EN: Final = (
    "Patients with a coded valve disease (K83) are apart, “target unknown”: theirs depends on the type of "
    "valve and the risk, which ICPC-2 does not code. A prosthesis without K83 is not seen. A prescription "
    "is not a delivery; a treatment begun elsewhere looks more recent than it is."
)
_COMMON: Final[dict[str, Any]] = {
    "unit": Unit.PATIENT,
    "window": 12,
    "quality": ("inr_out_of_range", "inr_no_anticoagulant", "not_numeric"),
    "limits_fr": _LIMITS_FR,
    "limits_en": _LIMITS_EN,
}
_TARGET: Final = "ANSM et HAS, bon usage des antivitamines K (cible usuelle 2–3)"

INR: Final = Measure(
    id="inr",
    label_fr="INR : patients souvent hors de 2–3",
    label_en="INR: patients often outside 2–3",
    explanation_fr=(
        "Part des patients sous antivitamine K dont 30 % des INR ou plus sont hors de 2–3 (2 et 3 compris "
        f"dans la cible). C'est une part de patients, non une moyenne de résultats. {_WHO_FR}"
    ),
    explanation_en=(
        "Share of patients on a vitamin-K antagonist of whose INR 30 % or more lie outside 2–3 (2 and 3 are "
        f"inside). It is a share of patients, not a mean of results. {_WHO_EN}"
    ),
    population=inr.treated,
    source=_TARGET,
    denominator="followed",
    numerators={"hors_cible": "outside"},
    missing="missing",
    labels={
        "denominator": ("patients ayant au moins 3 INR valides", "patients with at least 3 valid INR"),
        "hors_cible": ("30 % des INR ou plus hors de 2–3", "30 % of INR or more outside 2–3"),
    },
    **_COMMON,
)
INR_CIBLE_INCONNUE: Final = Measure(
    id="inr_cible_inconnue",
    label_fr="INR : cible inconnue",
    label_en="INR: target unknown",
    explanation_fr=(
        "Part des patients de la file active traités par antivitamine K dans les 12 mois qui ont une "
        "valvulopathie codée (K83) : leur cible d'INR n'est pas connue, ils ne sont jugés ni dans ni hors "
        "de 2–3."
    ),
    explanation_en=(
        "Share of patients of the active list treated with a vitamin-K antagonist in 12 months who have a "
        "coded valve disease (K83): their INR target is not known, and they are judged neither inside nor "
        "outside 2–3."
    ),
    population=inr.targets,
    source=_TARGET,
    numerators={"cible_inconnue": "unknown"},
    labels={
        "denominator": ("patients sous antivitamine K", "patients on a vitamin-K antagonist"),
        "cible_inconnue": ("cible inconnue", "target unknown"),
    },
    **_COMMON,
)
INR_TTR: Final = Measure(
    id="inr_ttr",
    label_fr="INR : temps passé dans la cible 2–3",
    label_en="INR: time in the range 2–3",
    explanation_fr=(
        "Temps passé entre 2 et 3 par chaque patient, en part des jours observés : l'INR est supposé varier "
        "en ligne droite entre deux mesures distantes de 56 jours ou moins (Rosendaal). On donne la part "
        f"des patients à moins de 50 %, à 65 % et plus, à 70 % et plus. {_WHO_FR}"
    ),
    explanation_en=(
        "Time that each patient spends between 2 and 3, as a share of the days observed: the INR is taken "
        "to move on a straight line between two values 56 days apart or less (Rosendaal). Shown is the "
        f"share of patients below 50 %, from 65 %, from 70 %. {_WHO_EN}"
    ),
    population=inr.in_range,
    source=(
        "Rosendaal FR et al. Thromb Haemost 1993;69:236-9 ; ESC 2020, fibrillation atriale (TTR ≥ 70 %) ; "
        "NICE NG196 (65 %)"
    ),
    denominator="assessed",
    numerators={"ttr_moins_50": "under_50", "ttr_65": "from_65", "ttr_70": "from_70"},
    missing="missing",
    labels={
        "denominator": ("patients dont le temps est calculable", "patients whose time can be computed"),
        "ttr_moins_50": ("moins de 50 % du temps", "less than 50 % of the time"),
        "ttr_65": ("65 % du temps ou plus", "65 % of the time or more"),
        "ttr_70": ("70 % du temps ou plus", "70 % of the time or more"),
    },
    **{
        **_COMMON,
        "limits_fr": f"{_LIMITS_FR} En brouillon seulement : sa définition est trop longue à figer.",
        "limits_en": f"{_LIMITS_EN} As a draft only: its definition is too long to publish.",
    },
)

MEASURES: Final = (INR, INR_CIBLE_INCONNUE, INR_TTR)
DASHBOARDS: Final = (Dashboard("inr", "INR", "INR", tuple(measure.id for measure in MEASURES)),)
