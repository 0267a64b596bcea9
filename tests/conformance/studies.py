"""What interns and researchers write in studies: series, follow-up, co-morbidity, ranks, texts and dates, and
what is missing; each beside the same thing in naive pandas, by hand.
"""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from ibis import _

from p4dp_sdk.wire.errors import ErrorCode
from tests.conformance.case import Case, counts, one

# --- by hand -----------------------------------------------------------------------------------------------


def _rate(f):
    illnesses = counts(f.diagnoses.assign(year=f.diagnoses.date.dt.year.astype("Int64")), "year")
    visits = counts(f.consultations.assign(year=f.consultations.date.dt.year.astype("Int64")), "year")
    both = illnesses.dropna().merge(visits.dropna(), on="year", suffixes=("", "_visits"))
    return both.assign(visits=both.n_visits, rate=1000 * both.n / both.n_visits).drop(columns="n_visits")


def _months(f):
    return counts(f.consultations.assign(month=f.consultations.date.dt.to_period("M").dt.start_time), "month")


def _weekdays(f):
    return counts(f.consultations.assign(day=f.consultations.date.dt.weekday.astype("Int64")), "day")


def _iso_weeks(f):
    iso = f.consultations.date.dt.isocalendar()
    return counts(pd.DataFrame({"year": iso.year, "week": iso.week}).astype("Int64"), "year", "week")


def _chapters(f):
    names = {"K86": "pressure", "K87": "pressure", "T90": "diabetes"}
    illness = f.diagnoses.cisp2.map(lambda code: names.get(code, "other"))
    return counts(f.diagnoses.assign(illness=illness), "illness")


def _ranked(f):
    found = counts(f.diagnoses.dropna(subset=["cisp2"]), "centre_id", "cisp2")
    place = found.groupby("centre_id").n.rank(method="min", ascending=False)
    return found[place == 1]


def _dense(f):
    found = counts(f.diagnoses.dropna(subset=["cisp2"]), "cisp2")
    return found.assign(place=found.n.rank(method="dense", ascending=False).astype(int) - 1)


def _running(f):
    found = _months(f).dropna().sort_values("month")
    return found.assign(total=found.n.cumsum())


def _against_before(f):
    found = _months(f).dropna().sort_values("month")
    return found.assign(more=found.n.diff())


def _within_sex(f):
    both = f.consultations.merge(f.patients[["patient_id", "sex"]], on="patient_id")
    found = counts(both, "sex", "type")
    return found.assign(share=found.n / found.groupby("sex", dropna=False).n.transform("sum"))


def _both_illnesses(f):
    ill = {code: set(f.diagnoses[f.diagnoses.cisp2 == code].patient_id) for code in ("T90", "K86")}
    return counts(f.patients[f.patients.patient_id.isin(ill["T90"] & ill["K86"])], "sex")


def _first_year(f):
    first = f.diagnoses[f.diagnoses.cisp2 == "T90"].groupby("patient_id").date.min().reset_index(name="start")
    both = f.consultations.merge(first, on="patient_id")
    until = both.start + pd.DateOffset(years=1)
    return counts(both[(both.date >= both.start) & (both.date <= until)], "type")


def _of_age(f):
    both = f.consultations.merge(f.patients, on="patient_id")
    adult = both.date >= both.birth_month + pd.DateOffset(years=18)
    known = both[both.date.notna() & both.birth_month.notna()]
    return counts(known.assign(adult=np.where(adult[known.index], "adult", "child")), "adult")


def _codes_each(f):
    each = f.diagnoses.groupby("patient_id").cisp2.nunique()
    return counts(pd.DataFrame({"band": np.where(each >= 2, "several", "one or none")}), "band")


def _ever(f):
    ever = f.diagnoses.assign(k=f.diagnoses.cisp2 == "K86").groupby("patient_id").k.any()
    both = f.patients.merge(ever.reset_index(), on="patient_id")
    return both.groupby("sex", dropna=False).k.sum().reset_index(name="n")


def _last_seen(f):
    last = f.consultations.groupby("patient_id").date.max().dt.year.astype("Int64")
    return counts(last.reset_index(name="year"), "year")


def _medians(f):
    visits = counts(f.consultations, "patient_id")
    both = f.patients[["patient_id", "sex"]].merge(visits, on="patient_id")
    return both.groupby("sex", dropna=False).n.median().reset_index(name="median")


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


def _pairs_of_centres(f):
    region = f.patients.merge(f.centres, on="centre_id").groupby(["region", "sex"], dropna=False)
    found = region.patient_id.nunique().reset_index(name="n")
    return found.assign(label=found.region + " / " + found.sex.fillna("?"))


def _difference_of_sexes(f):
    found = counts(f.patients.dropna(subset=["sex"]), "centre_id", "sex")
    wide = found.pivot(index="centre_id", columns="sex", values="n").reset_index()
    return wide.assign(more=wide.F - wide.M)


def _weights_of(f):
    weights = f.biometrics[f.biometrics.measure == "weight"].merge(f.patients, on="patient_id")
    by = weights.groupby("sex", dropna=False).value
    return by.agg(n="count", mean="mean").reset_index()


def _change(f):
    weights = f.biometrics[(f.biometrics.measure == "weight") & f.biometrics.value.notna()]
    ordered = weights.sort_values("date").groupby("patient_id").value
    gained = (ordered.last() > ordered.first()).map({True: "gained", False: "not"})
    return counts(pd.DataFrame({"weight": gained}), "weight")


# --- as analysts write it ----------------------------------------------------------------------------------

_NAMES = (("K86", "pressure"), ("K87", "pressure"), ("T90", "diabetes"))

STUDIES = (
    Case(
        "diagnoses per thousand visits, by year",
        lambda t: (
            t.diagnoses.group_by(year=_.date.year())
            .agg(n=_.count())
            .join(t.consultations.group_by(year=_.date.year()).agg(visits=_.count()), "year")
            .mutate(rate=1000 * _.n / _.visits)
        ),
        _rate,
        ("year",),
        ("n", "visits"),
    ),
    Case(
        "monthly series",
        lambda t: t.consultations.group_by(month=_.date.truncate("M")).agg(n=_.count()),
        _months,
        ("month",),
    ),
    Case(
        "days of the week, Monday first",
        lambda t: t.consultations.group_by(day=_.date.day_of_week.index()).agg(n=_.count()),
        _weekdays,
        ("day",),
    ),
    Case(
        "ISO weeks over New Year",
        lambda t: t.consultations.group_by(year=_.date.iso_year(), week=_.date.week_of_year()).agg(
            n=_.count()
        ),
        _iso_weeks,
        ("year", "week"),
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
        "running total",
        lambda t: (
            t.consultations.filter(_.date.notnull())
            .group_by(month=_.date.truncate("M"))
            .agg(n=_.count())
            .mutate(total=_.n.sum().over(ibis.cumulative_window(order_by="month")))
        ),
        _running,
        ("month",),
    ),
    Case(
        "against the month before",
        lambda t: (
            t.consultations.filter(_.date.notnull())
            .group_by(month=_.date.truncate("M"))
            .agg(n=_.count())
            .mutate(more=_.n - _.n.lag().over(order_by="month"))
        ),
        _against_before,
        ("month",),
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
        "visits in the year after the first diagnosis, from a 29 February",
        lambda t: (
            lambda first: (
                t.consultations.join(first, "patient_id")
                .filter(_.date >= _.start, _.date <= _.start + ibis.interval(years=1))
                .group_by("type")
                .agg(n=_.count())
            )
        )(t.diagnoses.filter(_.cisp2 == "T90").group_by("patient_id").agg(start=_.date.min())),
        _first_year,
        ("type",),
    ),
    Case(
        "of age at the visit",
        lambda t: (
            t.consultations.join(t.patients, "patient_id")
            .filter(_.date.notnull(), _.birth_month.notnull())
            .mutate(adult=ibis.ifelse(_.date >= _.birth_month + ibis.interval(years=18), "adult", "child"))
            .group_by("adult")
            .agg(n=_.count())
        ),
        _of_age,
        ("adult",),
    ),
    Case(
        "different codes of each person",
        lambda t: (
            t.diagnoses.group_by("patient_id")
            .agg(codes=_.cisp2.nunique())
            .mutate(band=ibis.ifelse(_.codes >= 2, "several", "one or none"))
            .group_by("band")
            .agg(n=_.count())
        ),
        _codes_each,
        ("band",),
    ),
    Case(
        "ever ill",
        lambda t: (
            t.diagnoses.group_by("patient_id")
            .agg(k=(_.cisp2 == "K86").any())
            .join(t.patients, "patient_id")
            .group_by("sex")
            .agg(n=_.k.sum())
        ),
        _ever,
        ("sex",),
    ),
    Case(
        "year of the last visit",
        lambda t: (
            t.consultations.group_by("patient_id")
            .agg(last=_.date.max())
            .group_by(year=_.last.year())
            .agg(n=_.count())
        ),
        _last_seen,
        ("year",),
    ),
    Case(
        "median of a per-patient feature",
        lambda t: (
            t.consultations.group_by("patient_id")
            .agg(visits=_.count())
            .join(t.patients, "patient_id")
            .group_by("sex")
            .agg(median=_.visits.median())
        ),
        _medians,
        ("sex",),
        (),
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
        "first and last of each person",
        lambda t: (
            t.biometrics.filter(_.measure == "weight", _.value.notnull())
            .group_by("patient_id")
            .agg(first=_.value.argmin(_.date), last=_.value.argmax(_.date))
            .mutate(weight=ibis.ifelse(_.last > _.first, "gained", "not"))
            .group_by("weight")
            .agg(n=_.count())
        ),
        _change,
        ("weight",),
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
    Case(
        "labels in capitals",
        lambda t: t.consultations.group_by(type=_.type.upper()).agg(n=_.count()),
        lambda f: counts(f.consultations.assign(type=f.consultations.type.str.upper()), "type"),
        ("type",),
    ),
)
