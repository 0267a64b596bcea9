"""The rules of a cohort, each on a table small enough to work out by hand. This is their documentation.

In a table `.` is NULL. Everybody is observed from 2010 to 2020 where the test says nothing else, and the
data end on 2020-12-31.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis
import pytest

from p4dp_sdk.cohorts import days, months, years
from tests.unit.cohorts.by_hand import diabetes, told, world

from .written import rows


def test_the_index_is_the_first_event_on_record_and_not_the_first_of_the_period() -> None:
    """Patient 1 had the disease before: no new case of 2016. A row without a date is no event."""
    ws = world(
        diagnoses="""
        1 | 2014-03-01 | T90
        1 | 2016-03-01 | T90
        2 | 2016-12-31 | T90
        3 | 2015-12-31 | T90
        4 | .          | T90
        """
    )
    assert told(diabetes(ws).between("2016-01-01", "2016-12-31"), "index_date") == [("2", "2016-12-31")]


def test_the_washout_is_observed_from_its_first_day() -> None:
    """12 months before 29 February 2016 is 28 February 2015. Observed since that day: in; since the next:
    out."""
    ws = world(
        diagnoses="""
        1 | 2016-02-29 | T90
        2 | 2016-02-29 | T90
        """,
        observation_periods="""
        1 | 2015-02-28 | 2020-12-31
        2 | 2015-03-01 | 2020-12-31
        """,
    )

    assert told(diabetes(ws).washout(months=12)) == [("1",)]


def test_repeated_index_dates_are_apart_by_the_washout() -> None:
    """An event exactly three months after another lies in its washout; one on the next day does not."""
    ws = world(
        diagnoses="""
        1 | 2016-01-31 | T90
        1 | 2016-01-31 | T90
        1 | 2016-04-30 | T90
        1 | 2016-08-01 | T90
        """
    )
    found = told(diabetes(ws, "any").washout(months=3), "index_date")
    assert found == [("1", "2016-01-31"), ("1", "2016-08-01")]


@pytest.mark.parametrize(
    ("death", "end", "exit_date", "reason"),
    [
        (".", "2018-05-10", "2018-05-10", "end_of_observation"),
        (".", "2025-01-01", "2020-12-31", "end_of_data"),
        ("2018-05-01", "2018-05-10", "2018-05-10", "death"),  # the record was closed on that day
        ("2018-05-01", "2019-12-31", "2018-05-31", "death"),  # it was not: the month's last day
        ("2018-02-01", "2018-01-31", "2018-01-31", "end_of_observation"),  # left before: death not seen
        ("2020-12-01", "2025-01-01", "2020-12-31", "death"),
        ("2021-01-01", "2025-01-01", "2020-12-31", "end_of_data"),
        ("2016-03-01", "2016-03-01", "2016-03-01", "death"),  # in the month of the index
    ],
)
def test_the_exit_is_the_earliest_end(death: str, end: str, exit_date: str, reason: str) -> None:
    ws = world(
        diagnoses="1 | 2016-03-01 | T90",
        patients=f"1 | . | {death}",
        observation_periods=f"1 | 2010-01-01 | {end}",
    )
    assert told(diabetes(ws), "exit_date", "exit_reason") == [("1", exit_date, reason)]


def test_the_follow_up_ends_on_its_anniversary_and_own_ends_come_first_on_a_tie() -> None:
    ws = world(
        diagnoses="""
        1 | 2016-02-29 | T90
        2 | 2016-02-29 | T90
        """,
        observation_periods="""
        1 | 2010-01-01 | 2020-12-31
        2 | 2010-01-01 | 2017-02-28
        """,
    )
    assert told(diabetes(ws).follow_up(years=1), "exit_date", "exit_reason") == [
        ("1", "2017-02-28", "end_of_follow_up"),
        ("2", "2017-02-28", "end_of_observation"),
    ]


def test_a_gap_ends_the_follow_up_and_periods_that_overlap_are_one() -> None:
    ws = world(
        diagnoses="""
        1 | 2016-03-01 | T90
        2 | 2016-03-01 | T90
        3 | 2016-03-01 | T90
        """,
        observation_periods="""
        1 | 2010-01-01 | 2016-12-31
        1 | 2017-02-01 | 2020-12-31
        2 | 2010-01-01 | 2016-12-31
        2 | 2016-01-01 | 2018-12-31
        3 | 2017-02-01 | 2020-12-31
        """,
    )
    assert told(diabetes(ws), "exit_date") == [("1", "2016-12-31"), ("2", "2018-12-31")]


@pytest.mark.parametrize(
    ("birth", "index", "age"),
    [("1976-03-01", "2016-02-29", "39"), ("1976-03-01", "2016-03-01", "40"), (".", "2016-03-01", ".")],
)
def test_a_year_of_age_is_complete_from_the_first_day_of_the_birth_month(
    birth: str, index: str, age: str
) -> None:
    ws = world(diagnoses=f"1 | {index} | T90", patients=f"1 | {birth} | .")
    assert told(diabetes(ws), "age") == [("1", age)]


def test_unknown_age_is_not_included_and_not_excluded() -> None:
    ws = world(diagnoses="1 | 2016-03-01 | T90", patients="1 | . | .")
    assert told(diabetes(ws).include("adultes", lambda s: s.age >= 18)) == []
    assert told(diabetes(ws).exclude("enfants", lambda s: s.age < 18)) == [("1",)]


def test_an_event_on_the_index_day_is_not_before_it() -> None:
    ws = world(
        diagnoses="""
        1 | 2016-03-01 | T90
        1 | 2016-03-01 | K75
        2 | 2016-03-01 | T90
        2 | 2016-02-29 | K75
        3 | 2016-03-01 | T90
        3 | 2014-02-28 | K75
        """
    )
    infarction = ws.tables["diagnoses"].where(ws.tables["diagnoses"].cisp2 == "K75")
    assert told(diabetes(ws).exclude("infarctus", before=infarction)) == [("1",)]
    recent = diabetes(ws).exclude("infarctus récent", before=infarction, within=months(24))
    assert told(recent) == [("1",), ("3",)]


def test_variables_up_to_the_index_count_that_day_and_each_day_once() -> None:
    """The 29th has two values: their mean. The value of 30 days before is the last day of the window."""
    ws = world(
        diagnoses="1 | 2016-02-29 | T90",
        lab_results="""
        1 | 2016-02-29 | 7
        1 | 2016-02-29 | 8
        1 | 2016-01-30 | 6
        1 | 2016-01-29 | 5
        1 | 2016-02-10 | .
        1 | 2016-03-01 | 9
        """,
    )
    labs = ws.tables["lab_results"].where()
    cohort = diabetes(ws)
    for summary in ("first", "last", "mean", "count", "any"):
        cohort = cohort.variable(f"v_{summary}", **{summary: labs}, before=days(30))
    assert told(cohort, "v_first", "v_last", "v_mean", "v_count", "v_any") == [
        ("1", "6.0", "7.5", "6.75", "3", "True")
    ]


def test_of_two_records_as_near_the_earlier_counts() -> None:
    ws = world(
        diagnoses="1 | 2016-02-29 | T90",
        lab_results="""
        1 | 2016-02-19 | 6
        1 | 2016-03-10 | 9
        """,
    )
    labs = ws.tables["lab_results"].where()
    near = diabetes(ws).variable("v", nearest=labs, before=months(1), after=months(1), look_ahead=True)
    assert told(near, "v") == [("1", "6.0")]


def test_a_slope_is_per_year_and_needs_two_days() -> None:
    """From 6 to 7 in 365 days: 365.25 / 365."""
    ws = world(
        diagnoses="""
        1 | 2016-03-01 | T90
        2 | 2016-03-01 | T90
        """,
        lab_results="""
        1 | 2015-02-28 | 6
        1 | 2016-02-28 | 7
        2 | 2016-02-28 | 7
        """,
    )
    sloped = diabetes(ws).variable("v", slope=ws.tables["lab_results"].where(), before=years(2))
    (one, two) = rows(sloped.select("index_date", "v").execute())
    assert one["v"] == pytest.approx(365.25 / 365)
    assert two["v"] is None


def test_a_status_is_that_of_the_last_record() -> None:
    ws = world(
        diagnoses="1 | 2016-03-01 | T90",
        history="""
        1 | 2012-01-01 | current
        1 | 2015-01-01 | former
        1 | 2017-01-01 | current
        """,
    )
    history = ws.tables["history"].where()
    assert told(diabetes(ws).variable("tabac", status=history, before=True), "tabac") == [("1", "former")]


def test_the_outcome_is_after_the_index_and_seen_until_the_exit() -> None:
    """On one day the event comes before death; after the exit nobody sees it."""
    ws = world(
        diagnoses="""
        1 | 2016-03-01 | T90
        1 | 2016-03-01 | K75
        2 | 2016-03-01 | T90
        2 | 2016-03-31 | K75
        3 | 2016-03-01 | T90
        3 | 2020-06-01 | K75
        4 | 2016-03-01 | T90
        """,
        patients="""
        1 | . | .
        2 | . | 2016-03-01
        3 | . | .
        4 | . | 2017-01-01
        """,
    )
    d = ws.tables["diagnoses"]
    cohort = (
        diabetes(ws)
        .follow_up(years=2)
        .outcome("mi", first=d.where(d.cisp2 == "K75"), competing={"décès": "death"})
    )
    assert told(cohort, "mi_date", "mi_time", "mi_event") == [
        ("1", ".", "730", "censored"),
        ("2", "2016-03-31", "30", "event"),
        ("3", ".", "730", "censored"),
        ("4", ".", "336", "competing"),
    ]


def test_attrition_counts_patients_in_the_order_written() -> None:
    ws = world(
        diagnoses="""
        1 | 2016-03-01 | T90
        2 | 2012-03-01 | T90
        3 | 2016-03-01 | T90
        3 | 2016-02-01 | K75
        """,
        patients="""
        1 | 1970-01-01 | .
        2 | 1970-01-01 | .
        3 | 1970-01-01 | .
        """,
    )
    d = ws.tables["diagnoses"]
    cohort = (
        diabetes(ws)
        .between("2015-01-01", "2016-12-31")
        .include("adultes", lambda s: s.age >= 18)
        .exclude("infarctus", before=d.where(d.cisp2 == "K75"))
    )
    flow = cohort.attrition()
    assert list(flow.frame.patients) == [3, 2, 2, 2, 1]
    assert list(flow.frame.excluded.iloc[1:]) == [1, 0, 0, 1]
    assert flow.emptied_by is None
    assert cohort.include("centenaires", lambda s: s.age >= 100).attrition().emptied_by == "centenaires"
    assert len(flow.plot().texts) >= 5


def test_events_are_said_in_any_way_that_ibis_knows() -> None:
    """By a column, a deferred one, a function, or by belonging to other patients."""
    ws = world(
        diagnoses="""
        1 | 2016-03-01 | T90
        1 | 2015-03-01 | K75
        2 | 2016-03-01 | T90
        2 | 2015-03-01 | K75
        """,
        lab_results="1 | 2015-01-01 | 7",
    )
    d, labs = ws.tables["diagnoses"], ws.tables["lab_results"]
    measured = d.patient_id.isin(labs.patient_id)
    for said in (d.cisp2 == "K75", ibis._.cisp2 == "K75", lambda t: t.cisp2 == "K75"):
        assert told(diabetes(ws).exclude("x", before=d.where(said, measured))) == [("2",)]
    both = d.where(d.cisp2 == "K75") | labs.where()
    assert told(diabetes(ws).variable("v", count=both, before=True), "v") == [("1", "2"), ("2", "1")]


def test_an_event_table_is_an_ibis_table() -> None:
    d = world(diagnoses="1 | 2016-03-01 | T90").tables["diagnoses"]
    assert d.union(d).count().execute() == 2
    assert d.join(d.view(), "patient_id").count().execute() == 1
    assert d.filter(d.cisp2 == "T90").group_by("cisp2").agg(n=ibis._.count()).execute().n.iloc[0] == 1


@pytest.mark.parametrize(
    "limit",
    [
        lambda s: s.age >= 40,
        lambda s: s.age > 40,
        lambda s: s.age < 40,
        lambda s: s.age <= 40,
        lambda s: s.age.between(39, 40),
        lambda s: (s.age >= 40) & (s.index_date > "2000-01-01") & (s.sex.isnull() | (s.age < 41)),
        lambda s: s.age == 40,  # no limit: the age itself
    ],
)
def test_a_limit_of_age_is_the_same_in_months(limit: Callable[[Any], Any]) -> None:
    """Who is chosen by the age, told with it or without, from 38 to 42 years, month by month."""
    born = [f"{1974 + at // 12}-{at % 12 + 1:02}-01" for at in range(48)]
    ws = world(
        diagnoses="\n".join(f"{n} | 2016-03-15 | T90" for n in range(48)),
        patients="\n".join(f"{n} | {born[n]} | ." for n in range(48)),
    )
    cohort = diabetes(ws)
    aged = cohort.select("index_date", "sex", "age")
    wanted = sorted(aged.filter(limit(aged)).patient_id.execute())
    kept, left = cohort.include("limite", limit), cohort.exclude("limite", limit)
    assert sorted(kept.select("sex").patient_id.execute()) == wanted
    assert sorted(kept.select("age").patient_id.execute()) == wanted
    assert len(wanted) + len(left.select("sex").patient_id.execute()) == 48


def test_steps_that_leave_out_few_are_one_line_of_a_published_flow_chart() -> None:
    """Of 60: 20 are too young, 2 were ill before, 18 too old; then nobody."""
    born = ["2010-01-01"] * 20 + ["1970-01-01"] * 22 + ["1930-01-01"] * 18
    ill = "\n".join(f"{n} | 2015-03-01 | K75" for n in (20, 21))
    ws = world(
        diagnoses="\n".join(f"{n} | 2016-03-15 | T90" for n in range(60)) + "\n" + ill,
        patients="\n".join(f"{n} | {day} | ." for n, day in enumerate(born)),
    )
    d = ws.tables["diagnoses"]
    base = diabetes(ws).include("adultes", lambda s: s.age >= 18)
    flow = base.exclude("infarctus", before=d.where(d.cisp2 == "K75"))
    whole = flow.include("jeunes", lambda s: s.age < 80).attrition()
    assert list(whole.frame.patients) == [60, 60, 40, 38, 20]
    assert list(whole.together.frame.patients) == [60, 40, 20]
    assert [len(step.split(" ; ")) for step in whole.together.steps] == [1, 2, 2]
    assert list(flow.attrition().together.frame.patients) == [60, 38]  # the last number stays
