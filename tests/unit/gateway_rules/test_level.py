"""What is called patient-level is the same in all rows of a patient, and one row a patient is one row."""

from __future__ import annotations

import ibis
import ibis.expr.operations as ops
import pytest
from ibis import _

from hub_config.gateway.rules.plan import MeasureKind, ReleasePlan
from hub_config.gateway.rules.split import split
from p4dp_sdk.wire.errors import ErrorCode
from tests.conformance import world
from tests.conformance.expressions import CASES

RELEASED = [case for case in CASES if not isinstance(case.protected, ErrorCode)]


@pytest.fixture(scope="module")
def engine():
    return world.engine(4)


@pytest.fixture
def t():
    return world.tables()


def releases(expression, engine):
    plan = split(world.ask(expression, engine))
    assert isinstance(plan, ReleasePlan)
    return plan.releases


def keys_of(expression, engine):
    (release,) = releases(expression, engine)
    return release.patient_keys


@pytest.mark.parametrize("case", RELEASED, ids=lambda case: case.name)
def test_claims_hold_on_every_row(case, engine):
    for release in releases(case.ask(world.tables()), engine):
        rows = engine.to_pandas(release.rows)
        each = rows.groupby(release.unit, dropna=False)
        for key in release.patient_keys:
            assert each[key].nunique(dropna=False).max() == 1
        counts_rows = not case.ask(world.tables()).op().find(ops.CountDistinct)
        if counts_rows and any(measure.kind is MeasureKind.PATIENTS for measure in release.measures):
            assert not rows.duplicated(release.unit).any()


class TestPatientLevel:
    def test_columns_of_the_patient_and_what_is_made_of_them(self, t, engine):
        asked = t.patients.group_by("sex", decade=_.age // 10, old=_.age > 60).agg(n=_.count())
        assert keys_of(asked, engine) == {"sex", "decade", "old"}

    def test_columns_of_events_are_not(self, t, engine):
        assert keys_of(t.diagnoses.group_by("cisp2", "centre_id").agg(n=_.count()), engine) == set()

    def test_a_patients_column_stays_theirs_beside_an_event(self, t, engine):
        joined = t.diagnoses.join(t.patients.select("patient_id", "sex"), "patient_id")
        assert keys_of(joined.group_by("sex", "cisp2").agg(n=_.count()), engine) == {"sex"}

    def test_an_outer_join_on_the_patient_alone(self, t, engine):
        joined = t.diagnoses.left_join(t.patients.filter(_.age > 40), "patient_id")
        assert keys_of(joined.group_by("sex", "cisp2").agg(n=_.count()), engine) == {"sex"}

    def test_an_outer_join_that_may_meet_on_one_day_and_not_on_the_other(self, t, engine):
        p, d = t.patients, t.diagnoses
        joined = d.left_join(
            p, [d.patient_id == p.patient_id, d.date > p.birth_month + ibis.interval(years=60)]
        )
        assert keys_of(joined.group_by("sex").agg(n=_.patient_id.nunique()), engine) == set()

    def test_the_region_of_a_patients_centre_is_theirs_that_of_an_events_is_not(self, t, engine):
        theirs = t.patients.join(t.centres, "centre_id").group_by("region").agg(n=_.count())
        seen = t.diagnoses.join(t.centres, "centre_id").group_by("region").agg(n=_.count())
        assert keys_of(theirs, engine) == {"region"} and keys_of(seen, engine) == set()

    def test_a_window_over_all_of_a_patients_rows(self, t, engine):
        whole = t.diagnoses.mutate(k=_.count().over(group_by="patient_id"))
        running = t.diagnoses.mutate(k=_.count().over(group_by="patient_id", order_by="date"))
        within = t.diagnoses.mutate(k=_.count().over(group_by=["patient_id", "cisp2"]))
        assert keys_of(whole.group_by("k").agg(n=_.count()), engine) == {"k"}
        assert keys_of(running.group_by("k").agg(n=_.count()), engine) == set()
        assert keys_of(within.group_by("k").agg(n=_.count()), engine) == set()

    def test_a_per_patient_aggregate(self, t, engine):
        each = t.diagnoses.group_by("patient_id").agg(visits=_.count(), last=_.cisp2.max())
        assert keys_of(each.group_by("visits", "last").agg(n=_.count()), engine) == {"visits", "last"}
        pairs = t.diagnoses.group_by("patient_id", "cisp2").agg(visits=_.count())
        assert keys_of(pairs.group_by("cisp2", "visits").agg(n=_.count()), engine) == set()

    def test_two_tables_may_say_two_things_of_one_patient(self, t, engine):
        stacked = ibis.union(
            t.patients.select("patient_id", k=ibis.literal("a")),
            t.diagnoses.select("patient_id", k=ibis.literal("b")),
        )
        assert keys_of(stacked.group_by("k").agg(n=_.patient_id.nunique()), engine) == set()

    def test_in_or_out_of_a_cohort(self, t, engine):
        cohort = t.diagnoses.filter(_.cisp2 == "T90").patient_id
        asked = t.consultations.mutate(ill=t.consultations.patient_id.isin(cohort))
        assert keys_of(asked.group_by("ill").agg(n=_.count()), engine) == {"ill"}


class TestOneRowEach:
    def kinds(self, expression, engine):
        return [m.kind for release in releases(expression, engine) for m in release.measures]

    def test_rows_of_patients_are_patients(self, t, engine):
        assert self.kinds(t.patients.group_by("sex").agg(n=_.count()), engine) == [MeasureKind.PATIENTS]
        each = t.diagnoses.group_by("patient_id").agg(v=_.count()).join(t.patients, "patient_id")
        assert self.kinds(each.group_by("sex").agg(n=_.count()), engine) == [MeasureKind.PATIENTS]

    def test_rows_of_events_are_rows(self, t, engine):
        joined = t.diagnoses.join(t.patients, "patient_id")
        assert self.kinds(joined.group_by("sex").agg(n=_.count()), engine) == [MeasureKind.ROWS]
        pairs = t.diagnoses.select("patient_id", "cisp2").distinct()
        assert self.kinds(pairs.group_by("cisp2").agg(n=_.count()), engine) == [MeasureKind.ROWS]

    def test_a_patients_own_key_beside_the_patient_makes_no_more_rows(self, t, engine):
        each = t.diagnoses.join(t.patients, "patient_id").group_by("patient_id", "sex").agg(v=_.count())
        assert self.kinds(each.group_by("sex").agg(n=_.count()), engine) == [MeasureKind.PATIENTS]
