"""Twelve questions of analysts to the large warehouse, each an expression over the tables it is given: the
same one runs raw and protected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import ibis

Tables = Callable[[str], ibis.Table]
Question = Callable[[Tables], ibis.Expr]


def codes(t: Tables) -> ibis.Expr:
    """How often each of 690 codes, in how many people: the whole warehouse."""
    d = t("diagnoses")
    return d.group_by("cisp2").agg(n=d.count(), patients=d.patient_id.nunique())


def code_by_year(t: Tables) -> ibis.Expr:
    """How often each code in each of 23 years: 31,441 cells with those of codes that nobody used."""
    d = t("diagnoses")
    return d.group_by("cisp2", year=d.date.year()).agg(n=d.count())


def code_by_year_sex(t: Tables) -> ibis.Expr:
    """62,882 cells of distinct patients, after a join."""
    d = t("diagnoses").join(t("patients"), "patient_id")
    return d.group_by("cisp2", "sex", year=d.date.year()).agg(patients=d.patient_id.nunique())


def prevalence(t: Tables) -> ibis.Expr:
    """Who has one code, by age and sex."""
    d = t("diagnoses")
    ill = d.filter(d.cisp2 == "K85").join(t("patients"), "patient_id")
    return ill.group_by("age_band", "sex").agg(patients=ill.patient_id.nunique())


def centre_by_year(t: Tables) -> ibis.Expr:
    d = t("diagnoses")
    return d.group_by("centre_id", year=d.date.year()).agg(n=d.count(), patients=d.patient_id.nunique())


def weeks(t: Tables) -> ibis.Expr:
    """One code week by week: 1,200 cells."""
    d = t("diagnoses")
    flu = d.filter(d.cisp2 == "R81")
    return flu.group_by(week=flu.date.truncate("W")).agg(n=flu.count())


def pyramid(t: Tables) -> ibis.Expr:
    return t("patients").group_by("age_band", "sex").agg(n=ibis._.count())


def contacts_by_type(t: Tables) -> ibis.Expr:
    c = t("consultations").join(t("patients"), "patient_id")
    return c.group_by("type", "sex").agg(n=c.count(), patients=c.patient_id.nunique())


def often(t: Tables) -> ibis.Expr:
    """How many people come how often."""
    c = t("consultations")
    each = c.group_by("patient_id").agg(n=c.count())
    band = ibis.cases((each.n >= 10, "10+"), (each.n >= 5, "5-9"), else_="1-4")
    return each.mutate(band=band).group_by("band").agg(patients=ibis._.patient_id.nunique())


def age_by_code(t: Tables) -> ibis.Expr:
    """The mean age at each of 690 codes, after a join."""
    d = t("diagnoses").join(t("patients"), "patient_id")
    return d.group_by("cisp2").agg(age=d.age.mean())


def value_by_year(t: Tables) -> ibis.Expr:
    """The mean of 31 analytes in 23 years."""
    x = t("lab_results")
    return x.group_by("analyte", year=x.date.year()).agg(value=x.value.mean())


def hba1c_by_centre(t: Tables) -> ibis.Expr:
    x = t("lab_results")
    hba1c = x.filter(x.analyte == "hba1c")
    return hba1c.group_by("centre_id").agg(n=hba1c.count(), value=hba1c.value.mean(), total=hba1c.value.sum())


COUNTS: Final = (
    codes, code_by_year, code_by_year_sex, prevalence, centre_by_year, weeks, pyramid, contacts_by_type,
    often,
)  # fmt: skip
SUMS: Final = (age_by_code, value_by_year, hba1c_by_centre)
QUESTIONS: Final = (*COUNTS, *SUMS)
