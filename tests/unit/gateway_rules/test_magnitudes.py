"""Sums, means and spreads as parts: what each row adds, what is made of them, and their lineage."""

from __future__ import annotations

import math
import statistics

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis import _

from hub_config.gateway.rules.plan import MeasureKind, ReleasePlan
from hub_config.gateway.rules.split import split
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.conformance import world


@pytest.fixture(scope="module")
def engine():
    return world.engine(4)


@pytest.fixture
def t():
    return world.tables()


def planned(expression, engine):
    plan = split(world.ask(expression, engine, world.LOOSE))
    assert isinstance(plan, ReleasePlan)
    return plan


def parts(expression, engine):
    (release,) = planned(expression, engine).releases
    return {measure.name: measure for measure in release.measures}


def made_of(expression, engine, **released):
    """What is made of released parts with these values, on tables that hold nothing else."""
    plan = planned(expression, engine)
    (release,) = plan.releases
    above = ibis.duckdb.connect()
    row = {name.replace("_", " [") + "]": [value] for name, value in released.items()}
    above.create_table(release.name, pa.table(row).cast(release.schema.to_pyarrow()))
    (answer,) = above.to_pyarrow(plan.post).to_pylist()
    return answer


def added(expression, engine):
    """The weights of each measure, by the rows that contribute."""
    (release,) = planned(expression, engine).releases
    rows = engine.to_pyarrow(release.rows)
    return {
        measure.name: sorted(v for v in rows.column(measure.weight).to_pylist() if v is not None)
        for measure in release.measures
        if measure.weight
    }


class TestParts:
    def test_a_mean_is_a_sum_of_deviations_and_a_count(self, t, engine):
        made = parts(t.patients.agg(m=_.age.mean()), engine)
        assert {name: (m.kind, m.family) for name, m in made.items()} == {
            "m [1]": (MeasureKind.SUM, "sum:patients.age"),
            "m [2]": (MeasureKind.PATIENTS, "count"),
        }
        assert made["m [1]"].bounds == (-60.0, 60.0)

    def test_a_spread_adds_the_squares(self, t, engine):
        made = parts(t.patients.agg(m=_.age.var()), engine)
        assert made["m [1]"].family == "sumsq:patients.age" and made["m [1]"].bounds == (0.0, 3600.0)

    def test_measures_of_one_value_share_their_parts(self, t, engine):
        asked = t.patients.group_by("sex").agg(m=_.age.mean(), s=_.age.std(), total=_.age.sum())
        assert list(parts(asked, engine)) == ["m [1]", "m [2]", "s [1]"]

    def test_a_column_of_several_quantities_is_counted_from_zero(self, t, engine):
        made = parts(t.biometrics.agg(total=_.value.sum()), engine)
        assert list(made) == ["total"] and made["total"].bounds == (0.0, 400.0)

    def test_counts_and_durations_of_a_patient_have_no_public_bound(self, t, engine):
        visits = t.consultations.group_by("patient_id").agg(n=_.count()).agg(m=_.n.mean())
        since = t.diagnoses.join(t.patients, "patient_id").mutate(
            days=_.date.delta(_.birth_month, unit="day")
        )
        for asked, family in ((visits, "sum:count"), (since.agg(m=_.days.mean()), "sum:duration")):
            made = parts(asked, engine)["m [1]"]
            assert made.bounds is None and made.family == family

    @pytest.mark.parametrize("how", ["max", "min", "mean", "median", "first", "last"])
    def test_a_summary_of_a_patient_is_what_it_summarises(self, how, t, engine):
        each = t.biometrics.group_by("patient_id").agg(v=getattr(_.value, how)())
        made = parts(each.agg(m=_.v.mean()), engine)
        assert made["m [1]"].family == "sum:biometrics.value" and made["m [1]"].bounds == (0.0, 400.0)
        assert made["m [2]"].kind is MeasureKind.PATIENTS

    def test_the_share_of_a_condition_is_two_counts(self, t, engine):
        made = parts(t.patients.agg(m=(_.sex == "F").mean()), engine)
        assert [m.family for m in made.values()] == ["count", "count"]
        assert [m.conditional for m in made.values()] == [True, False]

    def test_a_missing_value_is_no_choice_a_where_is(self, t, engine):
        asked = t.patients.agg(n=_.count(), a=_.age.mean(), b=_.age.mean(where=_.sex == "F"))
        made = parts(asked, engine)
        assert [made[n].conditional for n in ("a [1]", "a [2]", "b [1]", "b [2]")] == [
            False, False, True, True,
        ]  # fmt: skip

    def test_a_quantile_has_its_range_step_and_family(self, t, engine):
        made = parts(t.patients.agg(m=_.age.median(), q=_.age.quantile(0.9)), engine)
        assert (made["m"].quantile, made["m"].step, made["m"].bounds) == (0.5, 1.0, (0.0, 120.0))
        assert made["q"].family == "quantile:patients.age:0.9"
        assert added(t.patients.agg(m=_.age.median()), engine)["m"][-1] == 71.0

    def test_its_own_name_may_be_taken(self, t, engine):
        with pytest.raises(Refusal) as refusal:
            planned(t.patients.agg(**{"m [1]": _.count(), "M [2]": _.count(), "m": _.age.mean()}), engine)
        assert refusal.value.code is ErrorCode.MEASURE_NOT_RELEASABLE


NUMBERS = st.lists(st.floats(0, 400).map(lambda x: round(x, 2)), min_size=2, max_size=40)


class TestWhatIsMadeOfThem:
    """Over exact parts the answer is the textbook's; over blurred ones it stays possible."""

    @settings(max_examples=40, deadline=None)
    @given(NUMBERS)
    def test_means_and_spreads(self, values):
        t, engine = world.tables(), world.engine()
        exact = {"s_1": sum(x * x for x in values), "s_2": sum(values), "s_3": len(values)}
        asked = t.biometrics.agg(s=_.value.std())
        spread = made_of(asked, engine, **exact)["s"]
        if statistics.stdev(values) > 1e-3:
            assert spread == pytest.approx(statistics.stdev(values), abs=1e-3)
        else:
            assert spread is None or spread < 2e-3  # rounding may leave less than nothing
        mean = made_of(t.biometrics.agg(m=_.value.mean()), engine, m_1=exact["s_2"], m_2=len(values))
        assert mean["m"] == pytest.approx(statistics.fmean(values))

    def test_a_centre_is_added_back(self, t, engine):
        assert made_of(t.patients.agg(m=_.age.mean()), engine, m_1=-200.0, m_2=20) == {"m": 50.0}
        assert made_of(t.patients.agg(m=_.age.sum()), engine, m_1=-200.4, m_2=20) == {"m": 1000}

    def test_a_variance_that_noise_swallows_is_not_told(self, t, engine):
        blurred = {"m_1": 10.0, "m_2": 100.0, "m_3": 20}
        assert made_of(t.patients.agg(m=_.age.var()), engine, **blurred) == {"m": None}

    def test_withheld_parts_withhold_the_whole(self, t, engine):
        assert made_of(t.patients.agg(m=_.age.mean()), engine, m_1=None, m_2=20) == {"m": None}
        assert made_of(t.patients.agg(m=_.age.mean()), engine, m_1=3.0, m_2=None) == {"m": None}


class TestWhatARowAdds:
    def odd(self, *values):
        engine = world.engine()
        stored = world.repeated(1)["biometrics"].schema
        rows = [{"patient_id": i, "__patient": i, "__physician": 1, "value": v} for i, v in enumerate(values)]
        engine.drop_table("biometrics")
        engine.create_table("biometrics", pa.Table.from_pylist(
            [{field.name: row.get(field.name) for field in stored} for row in rows], schema=stored
        ))  # fmt: skip
        return engine

    def test_bounds_clip_and_what_is_no_number_never_contributes(self, t):
        engine = self.odd(80.0, 1e9, -5.0, math.nan, math.inf, -math.inf, None)
        made = added(t.biometrics.agg(m=_.value.mean()), engine)
        assert made == {"m [1]": [80.0, 400.0], "m [2]": [1, 1, 1]}  # nothing adds nothing to a sum

    def test_a_condition_chooses_rows_not_values(self, t, engine):
        made = added(t.patients.agg(m=_.age.mean(where=_.sex == "F")), engine)
        assert len(made["m [1]"]) == len(made["m [2]"]) == 4 * 5

    def test_who_is_at_the_centre_contributes(self, t, engine):
        at_centre = engine.table("patients").mutate(age=ibis.literal(60, "int32"))
        moved = ibis.duckdb.connect()
        for name in world.TABLES:
            moved.create_table(
                name, engine.to_pyarrow(at_centre if name == "patients" else engine.table(name))
            )
        assert added(t.patients.agg(m=_.age.mean()), moved) == {"m [1]": [0.0] * 48, "m [2]": [1] * 48}

    def test_who_adds_nothing_does_not_stand_behind_a_sum(self, t, engine):
        each = t.diagnoses.group_by("patient_id").agg(n=_.count(where=_.cisp2 == "T90"))
        assert added(each.agg(m=_.n.mean()), engine)["m [1]"] == sorted([3.0, 1.0, 1.0] * 4)
