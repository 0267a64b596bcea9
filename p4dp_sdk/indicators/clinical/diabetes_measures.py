"""The diabetes dashboard: how many have it, and the follow-up recommended for them."""

from __future__ import annotations

from typing import Any, Final

from p4dp_sdk.indicators.clinical import diabetes
from p4dp_sdk.indicators.measure import Dashboard, Measure, Unit, Words

_WHO_FR: Final = (
    "Diabétique : code T89 ou T90 (diagnostic ou antécédent personnel), ou un traitement A10 à au moins 3 "
    "dates en 12 mois (2 si un grand conditionnement), hors A10BJ ou A10BK seuls (obésité, insuffisance "
    "cardiaque) ; un diabète gestationnel (W85) sans T89 ni T90 n'entre pas par son traitement."
)
_WHO_EN: Final = (
    "Diabetic: code T89 or T90 (diagnosis or own past event), or treatment A10 on at least 3 dates in 12 "
    "months (2 with a large pack), not A10BJ or A10BK alone (obesity, heart failure); gestational diabetes "
    "(W85) without T89 or T90 does not enter by its treatment."
)
_LIMITS_FR: Final = (
    "Un examen fait ailleurs et non inscrit au dossier n'est pas vu. Une prescription n'est pas une "
    "délivrance. Seuils de la ROSP, à vérifier dans la convention en vigueur."
)
_LIMITS_EN: Final = (
    "What was done elsewhere and not written down is not seen. A prescription is not a delivery. Thresholds "
    "of the ROSP, to be checked in the agreement in force."
)
_SOURCE: Final = "HAS, parcours de soins du diabète de type 2 (2014) ; Assurance maladie, ROSP"
_COMMON: Final[dict[str, Any]] = {"unit": Unit.PATIENT, "source": _SOURCE}
_AMONG: Final[Words] = ("diabétiques de la file active", "diabetics of the active list")

DIABETE: Final = Measure(
    id="diabete",
    label_fr="Diabète : patients de la file active",
    label_en="Diabetes: patients of the active list",
    explanation_fr=f"Part des diabétiques dans la file active. {_WHO_FR}",
    explanation_en=f"Share of diabetics in the active list. {_WHO_EN}",
    window=12,
    population=diabetes.patients,
    numerators={"diabete": "diabetic"},
    labels={"denominator": ("file active", "active list"), "diabete": ("diabétiques", "diabetics")},
    limits_fr=_LIMITS_FR,
    limits_en=_LIMITS_EN,
    **_COMMON,
)
DIABETE_HBA1C: Final = Measure(
    id="diabete_hba1c",
    label_fr="Diabète : HbA1c deux fois par an",
    label_en="Diabetes: HbA1c twice a year",
    explanation_fr=(
        "Part des diabétiques de la file active dont le dossier porte une HbA1c à au moins 2 dates en 12 "
        f"mois. {_WHO_FR}"
    ),
    explanation_en=(
        "Share of diabetics of the active list whose record holds HbA1c on at least 2 dates in 12 months. "
        f"{_WHO_EN}"
    ),
    window=12,
    population=diabetes.with_hba1c,
    numerators={"hba1c": "twice"},
    quality=("not_numeric", "out_of_range"),
    labels={"denominator": _AMONG, "hba1c": ("HbA1c à 2 dates en 12 mois", "HbA1c on 2 dates in 12 months")},
    limits_fr=_LIMITS_FR,
    limits_en=_LIMITS_EN,
    **_COMMON,
)
DIABETE_EQUILIBRE: Final = Measure(
    id="diabete_equilibre",
    label_fr="Diabète : dernière HbA1c à 7 % ou moins",
    label_en="Diabetes: last HbA1c of 7 % or less",
    explanation_fr=(
        "Part des diabétiques de la file active dont la dernière HbA1c des 12 mois est de 7 % ou moins, "
        f"parmi ceux qui en ont une. {_WHO_FR}"
    ),
    explanation_en=(
        "Share of diabetics of the active list whose last HbA1c of the 12 months is 7 % or less, among "
        f"those who have one. {_WHO_EN}"
    ),
    window=12,
    population=diabetes.controlled,
    denominator="measured",
    numerators={"equilibre": "controlled"},
    missing="missing",
    quality=("not_numeric", "out_of_range"),
    labels={
        "denominator": ("diabétiques ayant une HbA1c en 12 mois", "diabetics with an HbA1c in 12 months"),
        "equilibre": ("dernière HbA1c ≤ 7 %", "last HbA1c ≤ 7 %"),
    },
    limits_fr=(
        f"L'objectif de 7 % est le général ; il est plus large chez le sujet âgé (à vérifier). {_LIMITS_FR}"
    ),
    limits_en=f"7 % is the general target; it is wider in the elderly (to be checked). {_LIMITS_EN}",
    **_COMMON,
)
_EYE_LIMITS_FR: Final = (
    "Un examen de l'œil est ici une épreuve fonctionnelle, une endoscopie ou une imagerie (F39 à F41), le "
    "résultat d'un confrère (F61) ou une orientation vers l'orthoptiste ou l'ophtalmologiste (F66, F67), "
    "qui ne prouve pas l'examen."
)
_EYE_LIMITS_EN: Final = (
    "An eye examination is here a function test, endoscopy or imaging (F39 to F41), a colleague's result "
    "(F61) or a referral to orthoptist or ophthalmologist (F66, F67), which does not prove the examination."
)
DIABETE_OEIL: Final = Measure(
    id="diabete_oeil",
    label_fr="Diabète : examen de l'œil dans les délais",
    label_en="Diabetes: eye examination in time",
    explanation_fr=(
        "Part des diabétiques de la file active dont le dossier porte un examen de l'œil dans les 24 mois, "
        "ou dans les 12 mois pour ceux qui prennent de l'insuline ou dont la dernière HbA1c des 12 mois "
        f"dépasse 7 %. {_WHO_FR}"
    ),
    explanation_en=(
        "Share of diabetics of the active list whose record holds an eye examination in 24 months, or in 12 "
        f"for those who take insulin or whose last HbA1c of the 12 months is above 7 %. {_WHO_EN}"
    ),
    window=24,
    population=diabetes.with_eye_exam,
    numerators={"oeil": "eye"},
    quality=("not_numeric", "out_of_range"),
    labels={"denominator": _AMONG, "oeil": ("examen de l'œil dans les délais", "eye examination in time")},
    limits_fr=(
        f"{_EYE_LIMITS_FR} Sans HbA1c, le délai de 24 mois s'applique. En brouillon seulement : à figer, "
        f"prendre « diabete_oeil_24 ». {_LIMITS_FR}"
    ),
    limits_en=(
        f"{_EYE_LIMITS_EN} Without HbA1c, 24 months apply. As a draft only: to publish, take "
        f"“diabete_oeil_24”. {_LIMITS_EN}"
    ),
    **_COMMON,
)
DIABETE_OEIL_24: Final = Measure(
    id="diabete_oeil_24",
    label_fr="Diabète : examen de l'œil dans les 24 mois",
    label_en="Diabetes: eye examination in 24 months",
    explanation_fr=(
        "Part des diabétiques de la file active dont le dossier porte un examen de l'œil dans les 24 mois, "
        f"quel que soit leur traitement. {_WHO_FR}"
    ),
    explanation_en=(
        "Share of diabetics of the active list whose record holds an eye examination in 24 months, whatever "
        f"their treatment. {_WHO_EN}"
    ),
    window=24,
    population=diabetes.with_any_eye_exam,
    numerators={"oeil": "eye"},
    labels={"denominator": _AMONG, "oeil": ("examen de l'œil ≤ 24 mois", "eye examination ≤ 24 months")},
    limits_fr=f"{_EYE_LIMITS_FR} {_LIMITS_FR}",
    limits_en=f"{_EYE_LIMITS_EN} {_LIMITS_EN}",
    **_COMMON,
)
DIABETE_REIN: Final = Measure(
    id="diabete_rein",
    label_fr="Diabète : créatinine et albuminurie dans l'année",
    label_en="Diabetes: creatinine and albuminuria within the year",
    explanation_fr=(
        "Part des diabétiques de la file active dont le dossier porte, dans les 12 mois, une créatinine et "
        f"un rapport albumine/créatinine urinaire. {_WHO_FR}"
    ),
    explanation_en=(
        "Share of diabetics of the active list whose record holds, in 12 months, a creatinine and a urine "
        f"albumin/creatinine ratio. {_WHO_EN}"
    ),
    window=12,
    population=diabetes.with_kidney_tests,
    numerators={"rein": "kidney"},
    labels={
        "denominator": _AMONG,
        "rein": ("créatinine et albuminurie en 12 mois", "creatinine and albuminuria in 12 months"),
    },
    limits_fr=_LIMITS_FR,
    limits_en=_LIMITS_EN,
    **_COMMON,
)

MEASURES: Final = (DIABETE, DIABETE_HBA1C, DIABETE_EQUILIBRE, DIABETE_OEIL, DIABETE_OEIL_24, DIABETE_REIN)
DASHBOARDS: Final = (Dashboard("diabete", "Diabète", "Diabetes", tuple(measure.id for measure in MEASURES)),)
