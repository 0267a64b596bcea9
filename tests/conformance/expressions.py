"""What analysts write, each beside the same thing in naive pandas, by hand."""

from __future__ import annotations

import ibis
import pandas as pd
from ibis import _

from p4dp_sdk.wire.errors import ErrorCode
from tests.conformance.case import Case, counts, distinct, one, week
from tests.conformance.studies import STUDIES


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


def _weekly(f):
    flu = f.diagnoses[f.diagnoses.cisp2.isin(["R74", "R80"])]
    return counts(flu.assign(week=week(flu.date)), "week")


def _moving(f):
    weekly = _weekly(f).sort_values("week", na_position="last")
    return weekly.assign(average=weekly.n.rolling(2, min_periods=1).mean())


def _first_code(f):
    ordered = f.diagnoses.sort_values(["patient_id", "date", "cisp2"])
    return counts(ordered.drop_duplicates("patient_id"), "cisp2")


def _within_90_days(f):
    diabetes = f.diagnoses[f.diagnoses.cisp2 == "T90"]
    pressure = f.diagnoses[f.diagnoses.cisp2 == "K86"]
    both = diabetes.merge(pressure, on="patient_id", suffixes=("", "_k"))
    near = both[(both.date_k >= both.date) & (both.date_k <= both.date + pd.Timedelta(days=90))]
    return one(n=near.patient_id.nunique())


def _having(f):
    found = counts(f.diagnoses, "cisp2")
    return found[found.n >= 3]


def _pairs(f):
    return counts(f.diagnoses.drop_duplicates(["patient_id", "cisp2"]), "cisp2")


def _quantiles(f):
    grouped = f.biometrics.groupby("measure")["value"]
    return (
        grouped.agg(median="median", spread="std").reset_index().assign(high=grouped.quantile(0.9).to_numpy())
    )


def _mean_visits(f):
    per_patient = counts(f.consultations, "patient_id").merge(f.patients, on="patient_id")
    return per_patient.groupby("sex", dropna=False)["n"].mean().reset_index(name="visits")


def _ages(f):
    by_sex = f.patients.groupby("sex", dropna=False)["age"]
    return by_sex.agg(n="size", mean="mean", total="sum").reset_index()


def _spread_and_share(f):
    women = f.patients[f.patients.sex == "F"]
    share = (f.patients.sex.dropna() == "F").mean()
    return one(spread=women.age.astype("float64").var(ddof=0), women=share)


def _mean_last_weight(f):
    weights = f.biometrics[(f.biometrics.measure == "weight") & f.biometrics.value.notna()]
    last = weights.sort_values("date").groupby("patient_id")["value"].last()
    return one(mean=last.mean())


def _mean_days(f):
    dates = f.diagnoses.groupby("patient_id")["date"]
    return one(mean=(dates.max() - dates.min()).dt.days.mean())


def _visits_bands(f):
    visits = counts(f.consultations, "patient_id").n
    band = visits.map(lambda n: "once" if n == 1 else "more")
    return counts(pd.DataFrame({"band": band}), "band")


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


def _bands(f):
    band = [
        "unknown" if pd.isna(age) else "<18" if age < 18 else "18-64" if age < 65 else "65+"
        for age in f.patients.age
    ]
    return counts(pd.DataFrame({"band": band}), "band")


def _union(f):
    both = pd.concat([f.consultations[["patient_id", "centre_id"]], f.diagnoses[["patient_id", "centre_id"]]])
    return distinct(both, "centre_id")


def _union_total(f):
    total = pd.DataFrame({"cisp2": ["ALL"], "n": [len(f.diagnoses)]})
    return pd.concat([counts(f.diagnoses, "cisp2"), total])


def _labels_after(f):
    return counts(f.patients, "centre_id").merge(f.centres, on="centre_id")[["region", "n"]]


_MINE = pd.DataFrame({"code": ["K86", "K87", "T90"], "family": ["pressure", "pressure", "diabetes"]})


def _families(f):
    both = f.diagnoses.merge(_MINE, left_on="cisp2", right_on="code")
    return distinct(both, "family")


def _bins(f):
    weights = f.biometrics[(f.biometrics.measure == "weight")]
    return counts(pd.DataFrame({"bin": weights.value // 10 * 10}).astype("Int64"), "bin")


def _shares(f):
    found = counts(f.diagnoses, "cisp2")
    return found.assign(share=found.n / found.n.sum())


def _cohort_years(f):
    cohort = set(f.diagnoses[f.diagnoses.cisp2 == "T90"].patient_id)
    theirs = f.consultations[f.consultations.patient_id.isin(cohort)]
    return counts(theirs.assign(year=theirs.date.dt.year.astype("Int64")), "year")


def _cohort_sex(f):
    cohort = set(f.diagnoses[f.diagnoses.cisp2.isin(["R74", "R80"])].patient_id)
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


def _last_weight(f):
    weights = f.biometrics[(f.biometrics.measure == "weight") & f.biometrics.value.notna()].sort_values(
        "date"
    )
    last = weights.groupby("patient_id")["value"].last()
    return counts(pd.DataFrame({"bin": (last >= 75).astype("Int64")}), "bin")


def _weight_before(f):
    weights = f.biometrics[f.biometrics.measure == "weight"]
    rows = []
    for _i, diagnosis in f.diagnoses[f.diagnoses.date.notna()].iterrows():
        own = weights[(weights.patient_id == diagnosis.patient_id) & (weights.date <= diagnosis.date)]
        known = not own.empty and pd.notna(own.sort_values("date").iloc[-1].value)
        rows.append((diagnosis.cisp2, diagnosis.patient_id if known else None))
    frame = pd.DataFrame(rows, columns=["cisp2", "patient_id"])
    return distinct(frame.dropna(subset=["patient_id"]), "cisp2")


def _quarters(f):
    dates = f.consultations.date
    frame = f.consultations.assign(
        year=dates.dt.year.astype("Int64"), quarter=dates.dt.quarter.astype("Int64")
    )
    return counts(frame, "year", "quarter")


def _age_at(f):
    both = f.diagnoses.merge(f.patients, on="patient_id")
    years = both.date.dt.year - both.birth_month.dt.year
    band = ["unknown" if pd.isna(y) else "adult" if y >= 18 else "child" for y in years]
    return counts(both.assign(band=band), "band")


def _gaps(f):
    ordered = f.consultations.sort_values(["patient_id", "date", "consultation_id"])
    gap = (ordered.date - ordered.groupby("patient_id").date.shift()).dt.days
    return one(n=int((gap <= 30).sum()))


def _scalar(f):
    return one(n=len(f.consultations[f.consultations.date == "2020-02-29"]))


CASES = (
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
        "weekly incidence",
        lambda t: (
            t.diagnoses.filter(_.cisp2.isin(["R74", "R80"]))
            .group_by(week=_.date.truncate("W"))
            .agg(n=_.count())
            .order_by("week")
        ),
        _weekly,
        ("week",),
    ),
    Case(
        "moving average",
        lambda t: (
            t.diagnoses.filter(_.cisp2.isin(["R74", "R80"]))
            .group_by(week=_.date.truncate("W"))
            .agg(n=_.count())
            .mutate(average=_.n.mean().over(ibis.window(order_by="week", preceding=1, following=0)))
        ),
        _moving,
        ("week",),
        ("n",),
    ),
    Case(
        "first diagnosis by window",
        lambda t: (
            t.diagnoses.mutate(rank=ibis.row_number().over(group_by="patient_id", order_by=["date", "cisp2"]))
            .filter(_.rank == 0)
            .group_by("cisp2")
            .agg(n=_.count())
        ),
        _first_code,
        ("cisp2",),
    ),
    Case(
        "self-join within 90 days",
        lambda t: (
            lambda diabetes, pressure: diabetes.join(
                pressure,
                [
                    "patient_id",
                    pressure.date >= diabetes.date,
                    pressure.date <= diabetes.date + ibis.interval(days=90),
                ],
            ).agg(n=_.patient_id.nunique())
        )(t.diagnoses.filter(_.cisp2 == "T90"), t.diagnoses.filter(_.cisp2 == "K86").view()),
        _within_90_days,
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
        "quantiles",
        lambda t: t.biometrics.group_by("measure").agg(
            median=_.value.median(), spread=_.value.std(), high=_.value.quantile(0.9)
        ),
        _quantiles,
        ("measure",),
        ("spread",),
    ),
    Case(
        "per-patient feature, then a mean",
        lambda t: (
            t.consultations.group_by("patient_id")
            .agg(n=_.count())
            .join(t.patients, "patient_id")
            .group_by("sex")
            .agg(visits=_.n.mean())
        ),
        _mean_visits,
        ("sex",),
        ("visits",),
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
        "mean of each patient's last weight",
        lambda t: (
            t.biometrics.filter(_.measure == "weight", _.value.notnull())
            .group_by("patient_id")
            .agg(last=_.value.argmax(_.date))
            .agg(mean=_.last.mean())
        ),
        _mean_last_weight,
        (),
        ("mean",),
    ),
    Case(
        "mean days from one diagnosis to the next",
        lambda t: (
            t.diagnoses.group_by("patient_id")
            .agg(first=_.date.min(), last=_.date.max())
            .mutate(days=_.last.delta(_.first, unit="day"))
            .agg(mean=_.days.mean())
        ),
        _mean_days,
        (),
        ("mean",),
    ),
    Case(
        "per-patient feature, then bands",
        lambda t: (
            t.consultations.group_by("patient_id")
            .agg(visits=_.count())
            .mutate(band=ibis.ifelse(_.visits == 1, "once", "more"))
            .group_by("band")
            .agg(n=_.count())
        ),
        _visits_bands,
        ("band",),
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
    Case("grand total", lambda t: t.diagnoses.count().name("n"), lambda f: one(n=len(f.diagnoses))),
    Case(
        "value_counts",
        lambda t: t.consultations.type.value_counts(name="n"),
        lambda f: counts(f.consultations, "type"),
        ("type",),
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
        "bins of a value",
        lambda t: (
            t.biometrics.filter(_.measure == "weight").group_by(bin=_.value // 10 * 10).agg(n=_.count())
        ),
        _bins,
        ("bin",),
    ),
    Case(
        "share of total",
        lambda t: t.diagnoses.group_by("cisp2").agg(n=_.count()).mutate(share=_.n / _.n.sum()),
        _shares,
        ("cisp2",),
        ("n",),
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
        "last weight by argmax, then bins",
        lambda t: (
            t.biometrics.filter(_.measure == "weight", _.value.notnull())
            .group_by("patient_id")
            .agg(last=_.value.argmax(_.date))
            .group_by(bin=_.last.bucket([0, 75, 400]))
            .agg(n=_.count())
        ),
        _last_weight,
        ("bin",),
    ),
    Case(
        "weight known at diagnosis, by as-of join",
        lambda t: (
            t.diagnoses.filter(_.date.notnull())
            .asof_join(t.biometrics.filter(_.measure == "weight"), on="date", predicates="patient_id")
            .filter(_.value.notnull())
            .group_by("cisp2")
            .agg(n=_.patient_id.nunique())
        ),
        _weight_before,
        ("cisp2",),
    ),
    Case(
        "year and quarter",
        lambda t: t.consultations.group_by(year=_.date.year(), quarter=_.date.quarter()).agg(n=_.count()),
        _quarters,
        ("year", "quarter"),
    ),
    Case(
        "age at diagnosis",
        lambda t: (
            t.diagnoses.join(t.patients, "patient_id")
            .mutate(years=_.date.year() - _.birth_month.year())
            .mutate(band=ibis.cases((_.years.isnull(), "unknown"), (_.years >= 18, "adult"), else_="child"))
            .group_by("band")
            .agg(n=_.count())
        ),
        _age_at,
        ("band",),
    ),
    Case(
        "returns within 30 days, by lag",
        lambda t: (
            t.consultations.mutate(
                before=_.date.lag().over(group_by="patient_id", order_by=["date", "consultation_id"])
            )
            .mutate(days=_.date.delta(_.before, unit="day"))
            .agg(n=(_.days <= 30).sum())
        ),
        _gaps,
        (),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    Case("29 February", lambda t: t.consultations.filter(_.date == "2020-02-29").count().name("n"), _scalar),
    Case(
        "nobody: an empty group",
        lambda t: t.diagnoses.filter(_.cisp2 == "A04").group_by("centre_id").agg(n=_.count()),
        lambda f: counts(f.diagnoses[f.diagnoses.cisp2 == "A04"], "centre_id"),
        ("centre_id",),
        (),
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
        "physicians by centre",
        lambda t: t.physicians.group_by("centre_id").agg(n=_.count()),
        lambda f: counts(f.physicians, "centre_id"),
        ("centre_id",),
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
    *STUDIES,
)
