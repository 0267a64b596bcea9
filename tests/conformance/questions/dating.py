"""The calendar: series by week and month, ages on a day, 29 February, years that begin in another."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from ibis import _

from tests.conformance.case import Case, counts, one, week

# --- by hand -----------------------------------------------------------------------------------------------


def _weekly(f):
    flu = f.diagnoses[f.diagnoses.cisp2.isin(["R74", "R80"])]
    return counts(flu.assign(week=week(flu.date)), "week")


def _moving(f):
    weekly = _weekly(f).sort_values("week", na_position="last")
    return weekly.assign(average=weekly.n.rolling(2, min_periods=1).mean())


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


def _scalar(f):
    return one(n=len(f.consultations[f.consultations.date == "2020-02-29"]))


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


def _running(f):
    found = _months(f).dropna().sort_values("month")
    return found.assign(total=found.n.cumsum())


def _against_before(f):
    found = _months(f).dropna().sort_values("month")
    return found.assign(more=found.n.diff())


def _of_age(f):
    both = f.consultations.merge(f.patients, on="patient_id")
    adult = both.date >= both.birth_month + pd.DateOffset(years=18)
    known = both[both.date.notna() & both.birth_month.notna()]
    return counts(known.assign(adult=np.where(adult[known.index], "adult", "child")), "adult")


# --- as analysts write it ----------------------------------------------------------------------------------

DATING = (
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
    Case("29 February", lambda t: t.consultations.filter(_.date == "2020-02-29").count().name("n"), _scalar),
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
)
