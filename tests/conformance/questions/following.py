"""Each patient first: their first and last, what they had within a time, then what that comes to for all."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from ibis import _

from p4dp_sdk.wire.errors import ErrorCode
from tests.conformance.case import Case, counts, distinct, one

# --- by hand -----------------------------------------------------------------------------------------------


def _first_code(f):
    ordered = f.diagnoses.sort_values(["patient_id", "date", "cisp2"])
    return counts(ordered.drop_duplicates("patient_id"), "cisp2")


def _within_90_days(f):
    diabetes = f.diagnoses[f.diagnoses.cisp2 == "T90"]
    pressure = f.diagnoses[f.diagnoses.cisp2 == "K86"]
    both = diabetes.merge(pressure, on="patient_id", suffixes=("", "_k"))
    near = both[(both.date_k >= both.date) & (both.date_k <= both.date + pd.Timedelta(days=90))]
    return one(n=near.patient_id.nunique())


def _mean_visits(f):
    per_patient = counts(f.consultations, "patient_id").merge(f.patients, on="patient_id")
    return per_patient.groupby("sex", dropna=False)["n"].mean().reset_index(name="visits")


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


def _gaps(f):
    ordered = f.consultations.sort_values(["patient_id", "date", "consultation_id"])
    gap = (ordered.date - ordered.groupby("patient_id").date.shift()).dt.days
    return one(n=int((gap <= 30).sum()))


def _first_year(f):
    first = f.diagnoses[f.diagnoses.cisp2 == "T90"].groupby("patient_id").date.min().reset_index(name="start")
    both = f.consultations.merge(first, on="patient_id")
    until = both.start + pd.DateOffset(years=1)
    return counts(both[(both.date >= both.start) & (both.date <= until)], "type")


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


def _change(f):
    weights = f.biometrics[(f.biometrics.measure == "weight") & f.biometrics.value.notna()]
    ordered = weights.sort_values("date").groupby("patient_id").value
    gained = (ordered.last() > ordered.first()).map({True: "gained", False: "not"})
    return counts(pd.DataFrame({"weight": gained}), "weight")


# --- as analysts write it ----------------------------------------------------------------------------------

FOLLOWING = (
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
)
