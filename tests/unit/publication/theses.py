"""Definitions as theses write them: whom they are about, said honestly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import ibis

import p4dp_sdk as p4dp
from tests.unit.publication.definitions import counted, seen

P, D, X, R, B = (seen(n) for n in ("patients", "diagnoses", "lab_results", "prescriptions", "biometrics"))
H, V = seen("history"), seen("vaccinations")
CANCER = (
    "A79", "B72", "B73", "B74", "D74", "D75", "D76", "D77", "F74", "H75", "K72", "L71", "N74", "R84", "R85",
    "S77", "T71", "U75", "U76", "U77", "W72", "X75", "X76", "X77", "Y77", "Y78",
)  # fmt: skip
COMMON = (
    "K86", "R74", "R78", "L03", "T90", "A62", "R05", "P76", "P06", "A44", "A50", "L86", "R75", "R76", "L99",
    "T93", "L15", "L87", "U71",
)  # fmt: skip


def new_diabetes() -> Any:
    """Type 2 diabetes between two dates, at 40 to 84, without an infarction or stroke before."""
    index = D.filter(D.cisp2.isin(["T89", "T90"]), D.date >= "2015-01-01", D.date <= "2019-12-31")
    first = index.group_by("patient_id").agg(t0=index.date.min())
    cohort = P.join(first, "patient_id").filter(lambda t: t.age.between(40, 84))
    earlier = D.join(first, "patient_id").filter(
        lambda t: t.cisp2.isin(["K75", "K76", "K90", "K91"]), lambda t: t.date < t.t0
    )
    return cohort.filter(~cohort.patient_id.isin(earlier.patient_id))


def with_last_hba1c() -> Any:
    """In classes of the last HbA1c in the half year before, and whether treated within three months."""
    cohort = new_diabetes()
    dates = cohort.select("patient_id", "t0")
    valid = X.filter(X.analyte == "hba1c", X.value >= 4, X.value <= 15).join(dates, "patient_id")
    measured = valid.filter(lambda t: t.date >= t.t0 - ibis.interval(months=6), lambda t: t.date <= t.t0)
    last = measured.group_by("patient_id").agg(hba1c=measured.value.mean())
    started = R.join(dates, "patient_id").filter(
        lambda t: t.atc.startswith("A10B"),
        lambda t: t.date >= t.t0,
        lambda t: t.date <= t.t0 + ibis.interval(months=3),
    )
    classed = cohort.mutate(treated=cohort.patient_id.isin(started.patient_id)).left_join(last, "patient_id")
    bands = p4dp.value_bands(classed.hba1c, [6.5, 7, 8, 9])
    return counted(classed.mutate(hba1c_class=bands), "sex", "treated", "hba1c_class")


def on_two_lists_of_drugs() -> Any:
    cohort = new_diabetes()
    statins = R.filter(R.atc.startswith("C10AA")).patient_id
    others = R.filter(R.atc.isin(["B01AA03", "B01AF01", "B01AF02", "A02BC01"])).patient_id
    return counted(cohort.filter(cohort.patient_id.isin(statins), ~cohort.patient_id.isin(others)), "sex")


def filtration() -> Any:
    """CKD-EPI 2021 (Inker et al., NEJM 385 (2021) 1737), in the classes of KDIGO."""
    valid = X.filter(X.analyte == "creatinine", X.dq_code == "ok")
    mean = valid.group_by("patient_id").agg(creatinine=valid.value.mean())
    t = P.join(mean, "patient_id").filter(lambda t: t.age.between(40, 84))
    ratio = t.creatinine / 88.4 / ibis.ifelse(t.sex == "F", 0.7, 0.9)
    low = ibis.least(ratio, 1.0) ** ibis.ifelse(t.sex == "F", -0.241, -0.302)
    high = ibis.greatest(ratio, 1.0) ** -1.2
    rate = 142 * low * high * ibis.literal(0.9938) ** t.age * ibis.ifelse(t.sex == "F", 1.012, 1.0)
    return counted(t.mutate(stage=p4dp.value_bands(rate, [15, 30, 45, 60, 90])), "sex", "stage")


def mass_index() -> Any:
    """Of children, above a threshold by age."""
    weight, height = B.filter(B.measure == "weight"), B.filter(B.measure == "height")
    both = weight.join(height, ["patient_id", "date"])
    index = both.select("patient_id", "date", bmi=both.value / (both.value_right / 100) ** 2)
    last = index.group_by("patient_id").agg(bmi=index.bmi.last(order_by=index.date))
    t = P.filter(P.age >= 6, P.age < 16).join(last, "patient_id")
    limit = ibis.cases(
        (t.age < 8, 19.1), (t.age < 10, 20.5), (t.age < 12, 22.0), (t.age < 14, 23.5), else_=24.5
    )
    return counted(t.mutate(heavy=t.bmi >= limit), "sex", "heavy")


def boosters_due() -> Any:
    doses = V.filter(V.atc.isin(["J07CA01", "J07CA02"]))
    t = P.left_join(doses.group_by("patient_id").agg(last=doses.date.max()), "patient_id")
    years = ibis.literal(date(2022, 12, 31)).delta(t.last, unit="year")
    old, adult = (t.age >= 65) & (years > 10), (t.age < 65) & (years > 20)
    state = ibis.cases((t.last.isnull(), "never"), (old, "late"), (adult, "late"), else_="up to date")
    return counted(t.mutate(state=state), "state", "age_band")


def known_diabetes() -> Any:
    """Coded, or treated on three dates of a year."""
    treated = R.filter(R.atc.startswith("A10"), R.date >= "2022-01-01").group_by("patient_id")
    often = treated.agg(times=lambda t: t.date.nunique()).filter(lambda t: t.times >= 3)
    coded = D.filter(D.cisp2.isin(["T89", "T90"])).patient_id
    return counted(
        P.filter(P.patient_id.isin(coded) | P.patient_id.isin(often.patient_id)), "sex", "age_band"
    )


def any_cancer() -> Any:
    return counted(P.filter(P.patient_id.isin(D.filter(D.cisp2.isin(CANCER)).patient_id)), "sex")


def by_month() -> Any:
    d = D.filter(D.date >= "2019-03-15", D.date < "2021-09-01")
    return counted(d, month=d.date.truncate("M"))


def by_region() -> Any:
    centres = seen("centres").select("centre_id", "region")
    return counted(P.join(centres, "centre_id"), "region", "sex")


def labelled() -> Any:
    labels = ibis.memtable({"cisp2": COMMON, "label": [f"label {code}" for code in COMMON]})
    return counted(D.join(labels, "cisp2"), "label")


HONEST: dict[str, Callable[[], Any]] = {
    "new diabetes": lambda: counted(new_diabetes(), "sex", "age_band"),
    "with last HbA1c": with_last_hba1c,
    "two lists of drugs": on_two_lists_of_drugs,
    "filtration": filtration,
    "mass index": mass_index,
    "boosters due": boosters_due,
    "known diabetes": known_diabetes,
    "eight cuts": lambda: counted(P, "sex", band=p4dp.age_bands(P.age, [18, 30, 40, 50, 60, 70, 80, 90])),
    "months": by_month,
    "season": lambda: counted(D, winter=D.date.month().isin([11, 12, 1, 2, 3])),
    "year": lambda: counted(D.filter(D.date.year() == 2021), "centre_id", "cisp2"),
    "any cancer": any_cancer,
    "the commonest": lambda: counted(D.filter(D.cisp2.isin(COMMON)).join(P, "patient_id"), "cisp2", "sex"),
    "chapters": lambda: counted(D, "centre_id", chapter=D.cisp2[0]),
    "labels of codes": labelled,
    "regions": by_region,
    "smokers": lambda: counted(H.filter(H.kind == "tobacco", H.status.isin(["current", "former"])), "status"),
}
