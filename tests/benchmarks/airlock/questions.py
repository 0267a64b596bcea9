"""What the signed tables of the thirty requests were asked as: definitions as the gateway writes them."""

from __future__ import annotations

from datetime import date
from typing import Final

import ibis

from hub_config.gateway.rules.definition import definition
from p4dp_sdk.catalogue import load_catalogue


def _table(name: str) -> ibis.Table:
    columns = load_catalogue().tables[name].columns
    return ibis.table({c.name: c.dtype for c in columns if not c.role.hidden}, name=name)


def _in_years(of: ibis.Table, first: int, last: int) -> ibis.Table:
    return of.filter(of.date.between(date(first, 1, 1), date(last, 12, 31)))


def _patients(of: ibis.Table) -> ibis.Value:
    return of.patient_id.nunique()


_D, _P, _C = _table("diagnoses"), _table("patients"), _table("consultations")
_RX, _X, _R = _table("prescriptions"), _table("lab_results"), _table("reasons")
_DIABETICS: Final = _D.filter(_D.cisp2 == "T90", _D.date <= date(2019, 1, 1)).patient_id
_SEEN: Final = _P.filter(_P.patient_id.isin(_in_years(_C, 2018, 2019).patient_id))

MOTIFS: Final = definition(
    _in_years(_D, 2016, 2021).group_by("cisp2").agg(patients=_patients)
    .order_by(ibis.desc("patients")).limit(10)
)  # fmt: skip
DIABETES_BY_AGE: Final = definition(
    _SEEN.mutate(diabetic=_SEEN.patient_id.isin(_DIABETICS))
    .group_by("age_band")
    .agg(patients=lambda t: t.patient_id.nunique(where=t.diabetic), patients_total=_patients)
)
ACTIVITY: Final = definition(
    _in_years(_C, 2016, 2021).mutate(year=lambda t: t.date.year()).group_by("year")
    .agg(consultations=lambda t: t.count(), patients=_patients).order_by("year")
)  # fmt: skip
FLU: Final = definition(
    _in_years(_C, 2019, 2019)
    .mutate(
        week=lambda t: t.date.truncate("W"),
        flu=lambda t: t.consultation_id.isin(_R.filter(_R.cisp2 == "R80").consultation_id),
    )
    .group_by("week")
    .agg(patients=lambda t: t.patient_id.nunique(where=t.flu), patients_total=_patients)
)
_WOMEN: Final = _P.filter(_P.sex == "F", _P.age.between(50, 74))
_PROCEDURES: Final = _table("procedures")
SCREENING: Final = definition(
    _WOMEN.mutate(
        done=_WOMEN.patient_id.isin(
            _in_years(_PROCEDURES.filter(_PROCEDURES.cisp2 == "X41"), 2018, 2019).patient_id
        )
    )
    .group_by("centre_id")
    .agg(patients=lambda t: t.patient_id.nunique(where=t.done), patients_total=_patients)
)
_FIRST: Final = (
    _D.filter(_D.cisp2.isin(["P76", "P03"])).group_by("patient_id").agg(first=lambda t: t.date.min())
)
DEPRESSION: Final = definition(
    _SEEN.mutate(
        found=_SEEN.patient_id.isin(
            _FIRST.filter(_FIRST["first"].between(date(2019, 1, 1), date(2019, 12, 31))).patient_id
        )
    )
    .group_by("sex")
    .agg(patients=lambda t: t.patient_id.nunique(where=t.found), patients_total=_patients)
)
_ADULTS: Final = _RX.inner_join(_P.filter(_P.age >= 18).select("patient_id"), "patient_id")
ANTIBIOTICS: Final = definition(
    _in_years(_ADULTS.filter(_ADULTS.atc.startswith("J01")), 2019, 2019).group_by("atc")
    .agg(patients=_patients, prescriptions=lambda t: t.count())
)  # fmt: skip
DIABETES_BY_SEX: Final = definition(
    _D.filter(_D.cisp2 == "T90").inner_join(_P, "patient_id").group_by("sex").agg(patients=_patients)
)
FOLLOW_UP: Final = definition(
    _in_years(_X.filter(_X.analyte == "hba1c", _X.patient_id.isin(_DIABETICS)), 2016, 2021)
    .mutate(year=lambda t: t.date.year())
    .group_by("year")
    .agg(patients=_patients, results=lambda t: t.count(), hba1c=lambda t: t.value.mean())
)
CLASSES: Final = definition(
    _in_years(_RX, 2019, 2019).group_by("atc").agg(patients=_patients, prescriptions=lambda t: t.count())
)
