"""Groups and their numbers: counts, shares, ranks; what is kept of them afterwards."""

from __future__ import annotations

import ibis
import pandas as pd
from ibis import _

from tests.conformance.case import Case, counts, distinct, one

# --- by hand -----------------------------------------------------------------------------------------------


def _crosstab(f):
    both = f.consultations.merge(f.patients[["patient_id", "sex"]], on="patient_id")
    return counts(both, "type", "sex")


def _pivot(f):
    wide = _crosstab(f).pivot(index="type", columns="sex", values="n").reset_index()
    return wide[["type", "F", "M"]]


def _top(f):
    return counts(f.diagnoses, "cisp2").sort_values("n", ascending=False).head(3)


def _prevalence(f):
    cases = f.diagnoses[f.diagnoses.cisp2 == "K86"].merge(f.patients, on="patient_id")
    return distinct(cases, "age_band")


def _ratio(f):
    cases = f.diagnoses[f.diagnoses.cisp2 == "T90"].merge(f.patients, on="patient_id")
    num = distinct(cases, "sex").rename(columns={"n": "cases"}).dropna(subset=["sex"])
    den = counts(f.patients, "sex").dropna(subset=["sex"])
    both = num.merge(den, on="sex")
    return both.assign(share=both.cases / both.n)[["sex", "cases", "n", "share"]]


def _having(f):
    found = counts(f.diagnoses, "cisp2")
    return found[found.n >= 3]


def _pairs(f):
    return counts(f.diagnoses.drop_duplicates(["patient_id", "cisp2"]), "cisp2")


def _nunique_where(f):
    both = f.diagnoses.merge(f.patients, on="patient_id")
    rows = [
        (sex, group.patient_id.nunique(), group[group.cisp2 == "T90"].patient_id.nunique())
        for sex, group in both.groupby("sex", dropna=False)
    ]
    return pd.DataFrame(rows, columns=["sex", "everyone", "n"])


def _bool_sum(f):
    rows = [
        (centre, int((group.cisp2 == "K86").sum()))
        for centre, group in f.diagnoses.groupby("centre_id", dropna=False)
    ]
    return pd.DataFrame(rows, columns=["centre_id", "n"])


def _shares(f):
    found = counts(f.diagnoses, "cisp2")
    return found.assign(share=found.n / found.n.sum())


def _ranked(f):
    found = counts(f.diagnoses.dropna(subset=["cisp2"]), "centre_id", "cisp2")
    place = found.groupby("centre_id").n.rank(method="min", ascending=False)
    return found[place == 1]


def _dense(f):
    found = counts(f.diagnoses.dropna(subset=["cisp2"]), "cisp2")
    return found.assign(place=found.n.rank(method="dense", ascending=False).astype(int) - 1)


def _within_sex(f):
    both = f.consultations.merge(f.patients[["patient_id", "sex"]], on="patient_id")
    found = counts(both, "sex", "type")
    return found.assign(share=found.n / found.groupby("sex", dropna=False).n.transform("sum"))


def _difference_of_sexes(f):
    found = counts(f.patients.dropna(subset=["sex"]), "centre_id", "sex")
    wide = found.pivot(index="centre_id", columns="sex", values="n").reset_index()
    return wide.assign(more=wide.F - wide.M)


# --- as analysts write it ----------------------------------------------------------------------------------

COUNTING = (
    Case(
        "crosstab",
        lambda t: t.consultations.join(t.patients, "patient_id").group_by("type", "sex").agg(n=_.count()),
        _crosstab,
        ("type", "sex"),
    ),
    Case(
        "pivot",
        lambda t: (
            t.consultations.join(t.patients, "patient_id")
            .group_by("type", "sex")
            .agg(n=_.count())
            .pivot_wider(names_from="sex", names=["F", "M"], values_from="n")
        ),
        _pivot,
        ("type",),
        ("F",),  # every man was seen at the office: his column is unanimous
    ),
    Case(
        "top 3",
        lambda t: t.diagnoses.group_by("cisp2").agg(n=_.count()).order_by(ibis.desc("n")).limit(3),
        _top,
        ("cisp2",),
    ),
    Case(
        "topk",
        lambda t: t.diagnoses.cisp2.topk(3, name="n"),
        _top,
        ("cisp2",),
    ),
    Case(
        "prevalence by age band",
        lambda t: (
            t.diagnoses.filter(_.cisp2 == "K86")
            .join(t.patients, "patient_id")
            .group_by("age_band")
            .agg(n=_.patient_id.nunique())
        ),
        _prevalence,
        ("age_band",),
    ),
    Case(
        "ratio of two aggregates",
        lambda t: (
            t.diagnoses.filter(_.cisp2 == "T90")
            .join(t.patients, "patient_id")
            .group_by("sex")
            .agg(cases=_.patient_id.nunique())
            .join(t.patients.group_by("sex").agg(n=_.count()), "sex")
            .mutate(share=_.cases / _.n)
            .select("sex", "cases", "n", "share")
        ),
        _ratio,
        ("sex",),
        ("cases", "n", "share"),
    ),
    Case(
        "HAVING by filter",
        lambda t: t.diagnoses.group_by("cisp2").agg(n=_.count()).filter(_.n >= 3),
        _having,
        ("cisp2",),
    ),
    Case(
        "HAVING by having",
        lambda t: t.diagnoses.group_by("cisp2").having(_.count() >= 3).agg(n=_.count()),
        _having,
        ("cisp2",),
    ),
    Case(
        "distinct pairs, then counts",
        lambda t: t.diagnoses.select("patient_id", "cisp2").distinct().group_by("cisp2").agg(n=_.count()),
        _pairs,
        ("cisp2",),
    ),
    Case(
        "conditional distinct patients",
        lambda t: (
            t.diagnoses.join(t.patients, "patient_id")
            .group_by("sex")
            .agg(everyone=_.patient_id.nunique(), n=_.patient_id.nunique(where=_.cisp2 == "T90"))
        ),
        _nunique_where,
        ("sex",),
        ("everyone", "n"),
    ),
    Case(
        "sum of a condition",
        lambda t: t.diagnoses.group_by("centre_id").agg(n=(_.cisp2 == "K86").sum()),
        _bool_sum,
        ("centre_id",),
    ),
    Case("grand total", lambda t: t.diagnoses.count().name("n"), lambda f: one(n=len(f.diagnoses))),
    Case(
        "value_counts",
        lambda t: t.consultations.type.value_counts(name="n"),
        lambda f: counts(f.consultations, "type"),
        ("type",),
    ),
    Case(
        "share of total",
        lambda t: t.diagnoses.group_by("cisp2").agg(n=_.count()).mutate(share=_.n / _.n.sum()),
        _shares,
        ("cisp2",),
        ("n",),
    ),
    Case(
        "nobody: an empty group",
        lambda t: t.diagnoses.filter(_.cisp2 == "A04").group_by("centre_id").agg(n=_.count()),
        lambda f: counts(f.diagnoses[f.diagnoses.cisp2 == "A04"], "centre_id"),
        ("centre_id",),
        (),
    ),
    Case(
        "physicians by centre",
        lambda t: t.physicians.group_by("centre_id").agg(n=_.count()),
        lambda f: counts(f.physicians, "centre_id"),
        ("centre_id",),
    ),
    Case(
        "the first of each centre, ties included",
        lambda t: (
            t.diagnoses.filter(_.cisp2.notnull())
            .group_by("centre_id", "cisp2")
            .agg(n=_.count())
            .mutate(place=ibis.rank().over(group_by="centre_id", order_by=ibis.desc("n")))
            .filter(_.place == 0)
            .drop("place")
        ),
        _ranked,
        ("centre_id", "cisp2"),
    ),
    Case(
        "places without gaps",
        lambda t: (
            t.diagnoses.filter(_.cisp2.notnull())
            .group_by("cisp2")
            .agg(n=_.count())
            .mutate(place=ibis.dense_rank().over(order_by=ibis.desc("n")))
        ),
        _dense,
        ("cisp2",),
    ),
    Case(
        "share within a group",
        lambda t: (
            t.consultations.join(t.patients, "patient_id")
            .group_by("sex", "type")
            .agg(n=_.count())
            .mutate(share=_.n / _.n.sum().over(group_by="sex"))
        ),
        _within_sex,
        ("sex", "type"),
    ),
    Case(
        "difference of two columns of a pivot",
        lambda t: (
            t.patients.filter(_.sex.notnull())
            .group_by("centre_id", "sex")
            .agg(n=_.count())
            .pivot_wider(names_from="sex", names=["F", "M"], values_from="n")
            .mutate(more=_.F - _.M)
        ),
        _difference_of_sexes,
        ("centre_id",),
        ("F", "M"),
    ),
)
