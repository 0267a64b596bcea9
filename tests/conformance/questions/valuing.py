"""What a cell holds: numbers and their classes, codes, texts, and what is missing."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from ibis import _

from p4dp_sdk.wire.errors import ErrorCode
from tests.conformance.case import Case, counts, one

# --- by hand -----------------------------------------------------------------------------------------------


def _quantiles(f):
    grouped = f.biometrics.groupby("measure")["value"]
    return (
        grouped.agg(median="median", spread="std").reset_index().assign(high=grouped.quantile(0.9).to_numpy())
    )


def _ages(f):
    by_sex = f.patients.groupby("sex", dropna=False)["age"]
    return by_sex.agg(n="size", mean="mean", total="sum").reset_index()


def _spread_and_share(f):
    women = f.patients[f.patients.sex == "F"]
    share = (f.patients.sex.dropna() == "F").mean()
    return one(spread=women.age.astype("float64").var(ddof=0), women=share)


def _bands(f):
    band = [
        "unknown" if pd.isna(age) else "<18" if age < 18 else "18-64" if age < 65 else "65+"
        for age in f.patients.age
    ]
    return counts(pd.DataFrame({"band": band}), "band")


def _bins(f):
    weights = f.biometrics[(f.biometrics.measure == "weight")]
    return counts(pd.DataFrame({"bin": weights.value // 10 * 10}).astype("Int64"), "bin")


def _chapters(f):
    names = {"K86": "pressure", "K87": "pressure", "T90": "diabetes"}
    illness = f.diagnoses.cisp2.map(lambda code: names.get(code, "other"))
    return counts(f.diagnoses.assign(illness=illness), "illness")


def _age_quartiles(f):
    grouped = f.patients.groupby("centre_id").age
    return pd.DataFrame(
        {
            "centre_id": sorted(f.patients.centre_id.unique()),
            "low": grouped.quantile(0.25).astype(float).to_numpy(),
            "high": grouped.quantile(0.75).astype(float).to_numpy(),
        }
    )


def _decades(f):
    return counts(pd.DataFrame({"decade": f.patients.age // 10 * 10}), "decade")


def _odd_ages(f):
    parity = ["unknown" if pd.isna(age) else "odd" if age % 2 else "even" for age in f.patients.age]
    return counts(pd.DataFrame({"parity": parity}), "parity")


def _halves(f):
    up = np.floor(f.biometrics[f.biometrics.measure == "hba1c"].value + 0.5)
    return counts(pd.DataFrame({"whole": up}), "whole")


def _numbers_in_texts(f):
    number = pd.to_numeric(f.biometrics.value_raw, errors="coerce")
    frame = f.biometrics.assign(readable=np.where(number.notna(), "yes", "no"))
    return counts(frame, "measure", "readable")


def _nothing_added(f):
    rows = [
        (centre, len(group), np.nan, np.nan)
        for centre, group in f.patients.groupby("centre_id", dropna=False)
    ]
    return pd.DataFrame(rows, columns=["centre_id", "n", "total", "mean"])


def _not_home(f):
    kept = f.consultations.type.where(f.consultations.type != "home")
    return counts(f.consultations.assign(type=kept.fillna("elsewhere")), "type")


def _weights_of(f):
    weights = f.biometrics[f.biometrics.measure == "weight"].merge(f.patients, on="patient_id")
    by = weights.groupby("sex", dropna=False).value
    return by.agg(n="count", mean="mean").reset_index()


# --- as analysts write it ----------------------------------------------------------------------------------

_NAMES = (("K86", "pressure"), ("K87", "pressure"), ("T90", "diabetes"))

VALUING = (
    Case(
        "quantiles",
        lambda t: t.biometrics.group_by("measure").agg(
            median=_.value.median(), spread=_.value.std(), high=_.value.quantile(0.9)
        ),
        _quantiles,
        ("measure",),
        ("spread",),
    ),
    Case(
        "mean and total of a column counted from its centre",
        lambda t: t.patients.group_by("sex").agg(n=_.count(), mean=_.age.mean(), total=_.age.sum()),
        _ages,
        ("sex",),
        ("n", "mean", "total"),
    ),
    Case(
        "spread in some, share of all",
        lambda t: t.patients.agg(
            spread=_.age.var(where=_.sex == "F", how="pop"), women=(_.sex == "F").mean()
        ),
        _spread_and_share,
        (),
        ("spread", "women"),
    ),
    Case(
        "cases",
        lambda t: (
            t.patients.mutate(
                band=ibis.cases(
                    (_.age.isnull(), "unknown"), (_.age < 18, "<18"), (_.age < 65, "18-64"), else_="65+"
                )
            )
            .group_by("band")
            .agg(n=_.count())
        ),
        _bands,
        ("band",),
    ),
    Case(
        "bins of a value",
        lambda t: (
            t.biometrics.filter(_.measure == "weight").group_by(bin=_.value // 10 * 10).agg(n=_.count())
        ),
        _bins,
        ("bin",),
    ),
    Case(
        "chapter of a code",
        lambda t: t.diagnoses.group_by(chapter=_.cisp2[0]).agg(n=_.count()),
        lambda f: counts(f.diagnoses.assign(chapter=f.diagnoses.cisp2.str[0]), "chapter"),
        ("chapter",),
    ),
    Case(
        "missing as a class of its own",
        lambda t: (
            t.consultations.mutate(type=_.type.fill_null("not recorded")).group_by("type").agg(n=_.count())
        ),
        lambda f: counts(f.consultations.assign(type=f.consultations.type.fillna("not recorded")), "type"),
        ("type",),
    ),
    Case(
        "codes put into words",
        lambda t: (
            t.diagnoses.mutate(illness=_.cisp2.cases(*_NAMES, else_="other"))
            .group_by("illness")
            .agg(n=_.count())
        ),
        _chapters,
        ("illness",),
    ),
    Case(
        "codes by LIKE",
        lambda t: t.diagnoses.filter(_.cisp2.like("K8%")).group_by("centre_id").agg(n=_.count()),
        lambda f: counts(f.diagnoses[f.diagnoses.cisp2.str.startswith("K8", na=False)], "centre_id"),
        ("centre_id",),
    ),
    Case(
        "codes by a pattern",
        lambda t: t.diagnoses.filter(_.cisp2.re_search("^[KR]8")).group_by("cisp2").agg(n=_.count()),
        lambda f: counts(f.diagnoses[f.diagnoses.cisp2.str.match("[KR]8", na=False)], "cisp2"),
        ("cisp2",),
    ),
    Case(
        "all but some codes, which loses what has none",
        lambda t: t.diagnoses.filter(_.cisp2.notin(["T90", "K86"])).group_by("cisp2").agg(n=_.count()),
        lambda f: counts(
            f.diagnoses[~f.diagnoses.cisp2.isin(["T90", "K86"]) & f.diagnoses.cisp2.notna()], "cisp2"
        ),
        ("cisp2",),
    ),
    Case(
        "quartiles of whole numbers",
        lambda t: t.patients.group_by("centre_id").agg(low=_.age.quantile(0.25), high=_.age.quantile(0.75)),
        _age_quartiles,
        ("centre_id",),
        (),
    ),
    Case(
        "decades of age by whole division",
        lambda t: t.patients.group_by(decade=_.age // 10 * 10).agg(n=_.count()),
        _decades,
        ("decade",),
    ),
    Case(
        "remainders",
        lambda t: (
            t.patients.mutate(
                parity=ibis.cases((_.age.isnull(), "unknown"), (_.age % 2 == 1, "odd"), else_="even")
            )
            .group_by("parity")
            .agg(n=_.count())
        ),
        _odd_ages,
        ("parity",),
    ),
    Case(
        "half is rounded up",
        lambda t: t.biometrics.filter(_.measure == "hba1c").group_by(whole=_.value.round()).agg(n=_.count()),
        _halves,
        ("whole",),
    ),
    Case(
        "numbers out of texts, where they are any",
        lambda t: (
            t.biometrics.mutate(readable=ibis.ifelse(_.value_raw.try_cast("float64").notnull(), "yes", "no"))
            .group_by("measure", "readable")
            .agg(n=_.count())
        ),
        _numbers_in_texts,
        ("measure", "readable"),
        ErrorCode.GRANT_MISSING,
    ),
    Case(
        "nothing to add up",
        lambda t: t.patients.group_by("centre_id").agg(
            n=_.count(), total=_.age.sum(where=_.age > 200), mean=_.age.mean(where=_.age > 200)
        ),
        _nothing_added,
        ("centre_id",),
    ),
    Case(
        "one class taken for missing, and named",
        lambda t: (
            t.consultations.mutate(type=_.type.nullif("home").coalesce("elsewhere"))
            .group_by("type")
            .agg(n=_.count())
        ),
        _not_home,
        ("type",),
    ),
    Case(
        "mean of what is known, by group",
        lambda t: (
            t.biometrics.filter(_.measure == "weight")
            .join(t.patients, "patient_id")
            .group_by("sex")
            .agg(n=_.value.count(), mean=_.value.mean())
        ),
        _weights_of,
        ("sex",),
        ("n", "mean"),
    ),
    Case(
        "labels in capitals",
        lambda t: t.consultations.group_by(type=_.type.upper()).agg(n=_.count()),
        lambda f: counts(f.consultations.assign(type=f.consultations.type.str.upper()), "type"),
        ("type",),
    ),
)
