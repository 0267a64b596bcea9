"""Tables put together: joins, sets, tables of one's own, labels."""

from __future__ import annotations

import ibis
import pandas as pd
from ibis import _

from p4dp_sdk.wire.errors import ErrorCode
from tests.conformance.case import Case, counts, distinct, one

_MINE = pd.DataFrame({"code": ["K86", "K87", "T90"], "family": ["pressure", "pressure", "diabetes"]})


# --- by hand -----------------------------------------------------------------------------------------------


def _union(f):
    both = pd.concat([f.consultations[["patient_id", "centre_id"]], f.diagnoses[["patient_id", "centre_id"]]])
    return distinct(both, "centre_id")


def _union_total(f):
    total = pd.DataFrame({"cisp2": ["ALL"], "n": [len(f.diagnoses)]})
    return pd.concat([counts(f.diagnoses, "cisp2"), total])


def _labels_after(f):
    return counts(f.patients, "centre_id").merge(f.centres, on="centre_id")[["region", "n"]]


def _families(f):
    both = f.diagnoses.merge(_MINE, left_on="cisp2", right_on="code")
    return distinct(both, "family")


def _cohort_years(f):
    cohort = set(f.diagnoses[f.diagnoses.cisp2 == "T90"].patient_id)
    theirs = f.consultations[f.consultations.patient_id.isin(cohort)]
    return counts(theirs.assign(year=theirs.date.dt.year.astype("Int64")), "year")


def _cohort_sex(f):
    cohort = set(f.diagnoses[f.diagnoses.cisp2.isin(["R74", "R80"])].patient_id)
    return counts(f.patients[f.patients.patient_id.isin(cohort)], "sex")


def _cohort_sex_of_one(f):
    cohort = set(f.diagnoses[f.diagnoses.cisp2 == "R74"].patient_id)
    return counts(f.patients[f.patients.patient_id.isin(cohort)], "sex")


def _never_seen(f):
    seen = set(f.consultations.patient_id)
    return counts(f.patients[~f.patients.patient_id.isin(seen)], "sex")


def _weighed(f):
    weighed = (
        f.biometrics[(f.biometrics.measure == "weight") & f.biometrics.value.notna()]
        .groupby("patient_id")
        .size()
    )
    rows = [
        (sex, len(group), int(group.patient_id.isin(weighed.index).sum()))
        for sex, group in f.patients.groupby("sex", dropna=False)
    ]
    return pd.DataFrame(rows, columns=["sex", "n", "weighed"])


def _both_illnesses(f):
    ill = {code: set(f.diagnoses[f.diagnoses.cisp2 == code].patient_id) for code in ("T90", "K86")}
    return counts(f.patients[f.patients.patient_id.isin(ill["T90"] & ill["K86"])], "sex")


def _pairs_of_centres(f):
    region = f.patients.merge(f.centres, on="centre_id").groupby(["region", "sex"], dropna=False)
    found = region.patient_id.nunique().reset_index(name="n")
    return found.assign(label=found.region + " / " + found.sex.fillna("?"))


# --- as analysts write it ----------------------------------------------------------------------------------

JOINING = (
    Case(
        "union",
        lambda t: (
            ibis.union(
                t.consultations.select("patient_id", "centre_id"),
                t.diagnoses.select("patient_id", "centre_id"),
            )
            .group_by("centre_id")
            .agg(n=_.patient_id.nunique())
        ),
        _union,
        ("centre_id",),
    ),
    Case(
        "union of aggregates",
        lambda t: ibis.union(
            t.diagnoses.group_by("cisp2").agg(n=_.count()),
            t.diagnoses.agg(n=_.count()).mutate(cisp2=ibis.literal("ALL")).select("cisp2", "n"),
        ),
        _union_total,
        ("cisp2",),
    ),
    Case(
        "label joined after",
        lambda t: (
            t.patients.group_by("centre_id")
            .agg(n=_.count())
            .join(t.centres, "centre_id")
            .select("region", "n")
        ),
        _labels_after,
        ("region",),
    ),
    Case(
        "own code list joined before",
        lambda t: (
            lambda mine: (
                t.diagnoses.join(mine, t.diagnoses.cisp2 == mine.code)
                .group_by("family")
                .agg(n=_.patient_id.nunique())
            )
        )(ibis.memtable(_MINE)),
        _families,
        ("family",),
    ),
    Case(
        "cohort by semi-join",
        lambda t: (
            t.consultations.semi_join(t.diagnoses.filter(_.cisp2 == "T90"), "patient_id")
            .group_by(year=_.date.year())
            .agg(n=_.count())
        ),
        _cohort_years,
        ("year",),
    ),
    Case(
        "cohort by isin",
        lambda t: t.patients.filter(
            t.patients.patient_id.isin(t.diagnoses.filter(_.cisp2.startswith("R")).patient_id)
        ).sex.value_counts(name="n"),
        _cohort_sex,
        ("sex",),
    ),
    Case(
        "cohort by isin of one code",
        lambda t: t.patients.filter(
            t.patients.patient_id.isin(t.diagnoses.filter(_.cisp2 == "R74").patient_id)
        ).sex.value_counts(name="n"),
        _cohort_sex_of_one,
        ("sex",),
    ),
    Case(
        "never seen, by anti-join",
        lambda t: t.patients.anti_join(t.consultations, "patient_id").group_by("sex").agg(n=_.count()),
        _never_seen,
        ("sex",),
        (),
    ),
    Case(
        "left join: who has a weight",
        lambda t: (
            t.patients.left_join(
                t.biometrics.filter(_.measure == "weight", _.value.notnull())
                .group_by("patient_id")
                .agg(w=_.count()),
                "patient_id",
            )
            .group_by("sex")
            .agg(n=_.count(), weighed=_.w.notnull().sum())
        ),
        _weighed,
        ("sex",),
        ("n", "weighed"),
    ),
    Case(
        "public table first",
        lambda t: t.centres.join(t.patients, "centre_id").group_by("region").agg(n=_.count()),
        lambda f: counts(f.patients.merge(f.centres, on="centre_id"), "region"),
        ("region",),
    ),
    Case(
        "right join",
        lambda t: (
            t.diagnoses.filter(_.cisp2 == "K86")
            .right_join(t.patients, "patient_id")
            .group_by("sex")
            .agg(n=_.patient_id_right.nunique())
        ),
        lambda f: distinct(f.patients, "sex"),
        ("sex",),
    ),
    Case(
        "three tables, own labels kept where there is none",
        lambda t: (
            lambda mine: (
                t.diagnoses.join(t.patients.select("patient_id", "sex"), "patient_id")
                .left_join(mine, _.cisp2 == mine.code)
                .mutate(family=_.family.fill_null("other"))
                .group_by("family", "sex")
                .agg(n=_.patient_id.nunique())
            )
        )(ibis.memtable(_MINE)),
        lambda f: distinct(
            f.diagnoses.merge(f.patients[["patient_id", "sex"]], on="patient_id")
            .merge(_MINE, left_on="cisp2", right_on="code", how="left")
            .fillna({"family": "other"}),
            "family",
            "sex",
        ),
        ("family", "sex"),
    ),
    Case(
        "two illnesses in one person",
        lambda t: (
            t.patients.semi_join(t.diagnoses.filter(_.cisp2 == "T90"), "patient_id")
            .semi_join(t.diagnoses.filter(_.cisp2 == "K86"), "patient_id")
            .group_by("sex")
            .agg(n=_.count())
        ),
        _both_illnesses,
        ("sex",),
    ),
    Case(
        "labels put together after",
        lambda t: (
            t.patients.join(t.centres, "centre_id")
            .group_by("region", "sex")
            .agg(n=_.patient_id.nunique())
            .mutate(label=_.region + " / " + _.sex.fill_null("?"))
        ),
        _pairs_of_centres,
        ("region", "sex", "label"),
    ),
    Case(
        "visits that are no diagnosis of a list",
        lambda t: ibis.difference(
            t.consultations.select("patient_id", "consultation_id"),
            t.diagnoses.filter(_.cisp2.isin(["T90", "K86"])).select("patient_id", "consultation_id"),
        ).agg(n=_.patient_id.nunique()),
        lambda f: one(
            n=f.consultations[
                ~f.consultations.consultation_id.isin(
                    f.diagnoses[f.diagnoses.cisp2.isin(["T90", "K86"])].consultation_id
                )
            ].patient_id.nunique()
        ),
        (),
        ErrorCode.SET_RULE,
    ),
)
