"""What the screening measures say of themselves, in French and English; ages and intervals stand in
`screening`."""

from __future__ import annotations

from typing import Any, Final

_TRACE_FR: Final = (
    "« Trace au dossier » : une ligne du dossier du médecin, pas le registre du programme. L'absence de "
    "trace ne veut pas dire que l'examen n'a pas été fait."
)
_TRACE_EN: Final = (
    "A “trace” is a row of the physician's record, not the programme's register. "
    "No trace does not mean not done."
)

BREAST_WORDS: Final[dict[str, Any]] = {
    "id": "depistage_sein",
    "label_fr": "Dépistage du cancer du sein : trace au dossier",
    "label_en": "Breast cancer screening: trace in the record",
    "window": 24,
    "explanation_fr": (
        "Part des femmes de la file active, de 50 à 74 ans, sans cancer du sein (X76) connu, dont le "
        "dossier porte une imagerie gynécologique ou mammaire (procédure X41) dans les 24 mois."
    ),
    "explanation_en": (
        "Share of women of the active list aged 50 to 74, without known breast cancer (X76), whose record "
        "holds an imaging of breast or genital tract (procedure X41) in the 24 months."
    ),
    "source": "HAS et INCa, dépistage organisé du cancer du sein (50–74 ans, tous les 2 ans)",
    "labels": {
        "denominator": (
            "femmes de 50 à 74 ans sans cancer du sein",
            "women of 50 to 74 without breast cancer",
        ),
        "trace": ("imagerie dans les 24 mois", "imaging in the 24 months"),
    },
    "limits_fr": (
        f"{_TRACE_FR} X41 ne distingue pas la mammographie de l'échographie pelvienne. La mastectomie et le "
        "haut risque (mutation, radiothérapie thoracique) sont à exclure, mais la CISP-2 n'a pas de code "
        "pour eux : ils restent au dénominateur. Un antécédent familial seul n'exclut pas."
    ),
    "limits_en": (
        f"{_TRACE_EN} X41 does not tell mammography from pelvic ultrasound. Mastectomy and high risk "
        "(mutation, chest radiotherapy) should be excluded, but ICPC-2 has no code for them: they stay in "
        "the denominator. Family history alone does not exclude."
    ),
}

COLORECTAL_WORDS: Final[dict[str, Any]] = {
    "id": "depistage_colorectal",
    "label_fr": "Dépistage du cancer colorectal : trace au dossier",
    "label_en": "Colorectal cancer screening: trace in the record",
    "window": 60,
    "explanation_fr": (
        "Part des patients de la file active, de 50 à 74 ans, à risque moyen, dont le dossier porte un test "
        "immunologique fécal dans les 24 mois ou une endoscopie digestive (procédure D40) dans les 60 mois. "
        "Exclus : cancer (D75), tumeur bénigne ou polype (D78), maladie inflammatoire de l'intestin (D94), "
        "cancer colorectal dans la famille."
    ),
    "explanation_en": (
        "Share of patients of the active list aged 50 to 74, at average risk, whose record holds a faecal "
        "immunochemical test in 24 months or a digestive endoscopy (procedure D40) in 60 months. Excluded: "
        "cancer (D75), benign tumour or polyp (D78), inflammatory bowel disease (D94), colorectal cancer in "
        "the family."
    ),
    "source": "HAS et INCa, programme national de dépistage organisé du cancer colorectal (50–74 ans)",
    "labels": {
        "denominator": ("patients de 50 à 74 ans à risque moyen", "patients of 50 to 74 at average risk"),
        "trace": (
            "test fécal ≤ 24 mois ou endoscopie ≤ 60 mois",
            "faecal test ≤ 24 or endoscopy ≤ 60 months",
        ),
    },
    "limits_fr": (
        f"{_TRACE_FR} D40 ne distingue pas la coloscopie de la gastroscopie ; l'adénome n'a que le code D78 "
        "(à vérifier). Une analyse de selles (D36) ne dit pas laquelle et ne compte pas. L'antécédent "
        "familial est pris quels que soient le degré de parenté et l'âge."
    ),
    "limits_en": (
        f"{_TRACE_EN} D40 does not tell colonoscopy from gastroscopy; adenoma has no code but D78 (to be "
        "checked). A stool test (D36) does not say which, and does not count. Family history is taken "
        "whatever the degree of kinship and the age."
    ),
}

CERVIX_WORDS: Final[dict[str, Any]] = {
    "id": "depistage_col",
    "label_fr": "Dépistage du cancer du col de l'utérus : trace au dossier",
    "label_en": "Cervical cancer screening: trace in the record",
    "window": 60,
    "explanation_fr": (
        "Part des femmes de la file active, de 25 à 65 ans, sans cancer du col (X75) connu, dont le dossier "
        "porte un dépistage en cours de validité. De 25 à 29 ans : une cytologie (procédure X37) dans les "
        "36 mois, à condition que deux cytologies soient distantes de 12 mois ou que la dernière ait moins "
        "de 12 mois. De 30 à 65 ans : un test HPV dans les 60 mois, ou encore une cytologie dans les 36 "
        "mois. À une date antérieure à 2020 : une cytologie dans les 36 mois, de 25 à 65 ans."
    ),
    "explanation_en": (
        "Share of women of the active list aged 25 to 65, without known cervical cancer (X75), whose record "
        "holds a screening that is still valid. From 25 to 29: a cytology (procedure X37) in 36 months, "
        "provided that two cytologies lie 12 months apart or the last is less than 12 months old. From 30 "
        "to 65: an HPV test in 60 months, or still a cytology in 36. On a date before 2020: a cytology in "
        "36 months, from 25 to 65."
    ),
    "source": "HAS 2019, test HPV en dépistage primaire ; INCa, programme national (depuis 2020)",
    "labels": {
        "denominator": (
            "femmes de 25 à 65 ans sans cancer du col",
            "women of 25 to 65 without cervical cancer",
        ),
        "trace": ("dépistage en cours de validité", "valid screening"),
    },
    "limits_fr": (
        f"{_TRACE_FR} L'hystérectomie totale est à exclure, mais n'est pas un diagnostic de la CISP-2 : "
        "faute de source, ces femmes restent au dénominateur (à vérifier). Après un frottis anormal (X86), "
        "la surveillance suit d'autres délais, qui ne sont pas suivis ici. X37 ne distingue pas la "
        "cytologie de l'histologie."
    ),
    "limits_en": (
        f"{_TRACE_EN} Total hysterectomy should be excluded, but is no ICPC-2 diagnosis: for want of a "
        "source, these women stay in the denominator (to be checked). After an abnormal smear (X86), "
        "follow-up has other intervals, which are not followed here. X37 does not tell cytology from "
        "histology."
    ),
}
