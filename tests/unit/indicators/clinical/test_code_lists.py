"""The codes that the measures count by are those of the lists that ship: one list, wherever it is named.

The measures hold them as literals: a site's newer version of a list never moves a published definition.
"""

from __future__ import annotations

import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.indicators.clinical import diabetes, dtp, inr, screening

CISP2 = {
    "diabete": diabetes.DIABETES,
    "diabete_gestationnel": diabetes.GESTATIONAL,
    "cancer_sein": screening.BREAST_CANCER,
    "cancer_colorectal": screening.COLORECTAL_CANCER,
    "cancer_col_uterus": screening.CERVICAL_CANCER,
    "mammographie": screening.BREAST_IMAGING,
    "coloscopie": screening.ENDOSCOPY,
    "cytologie_cervicale": screening.CYTOLOGY,
    "valvulopathie": inr.VALVES,
}
ATC = {
    "avk": (inr.ANTAGONISTS,),
    "antidiabetiques": (diabetes.ANTIDIABETICS,),
    "insuline": (diabetes.INSULINS,),
    "glp1": diabetes.OTHER_USES[:1],
    "gliflozines": diabetes.OTHER_USES[1:],
}


@pytest.mark.parametrize("name", CISP2)
def test_cisp2(name: str) -> None:
    assert set(p4dp.codes(name, version="1").of("cisp2")) == set(CISP2[name])


@pytest.mark.parametrize("name", ATC)
def test_atc_classes(name: str) -> None:
    assert p4dp.codes(name, version="1").patterns["atc"] == tuple(f"{code}*" for code in ATC[name])


def test_boosters() -> None:
    assert set(p4dp.codes("vaccin_dtp", version="1").of("atc")) == set(dtp.DTP)


def test_colorectal_exclusions_are_three_lists() -> None:
    lists = ("cancer_colorectal", "polype_digestif", "mici")
    codes = {code for name in lists for code in p4dp.codes(name, version="1").of("cisp2")}
    assert codes == set(screening.COLORECTAL_EXCLUDED)
