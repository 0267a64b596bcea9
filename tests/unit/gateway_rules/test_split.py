"""What becomes of a query, by the project's access; what travels in a plan; what is kept out of it."""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
import pytest
from ibis import _

from hub_config.gateway.rules.definition import definition
from hub_config.gateway.rules.plan import PublicPlan, ReleasePlan, RowsPlan
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.conformance import world

AGGREGATE, MICRODATA, SANDBOX = AccessLevel.AGGREGATE, AccessLevel.MICRODATA, AccessLevel.SANDBOX


@pytest.fixture(scope="module")
def engine():
    return world.engine(4)


@pytest.fixture
def t():
    return world.tables()


def planned(expression, engine, access=AGGREGATE, policy=world.STRICT):
    return split(world.ask(expression, engine, policy, access))


def protected(expression, engine, policy=world.STRICT):
    plan = planned(expression, engine, AGGREGATE, policy)
    (release,) = plan.releases
    return world.protected(release, world.session(engine), policy)


class TestByAccess:
    def test_rows_are_for_microdata_and_the_sandbox(self, t, engine):
        with pytest.raises(Refusal) as refusal:
            planned(t.patients, engine)
        assert refusal.value.code is ErrorCode.ROW_LEVEL and refusal.value.params == {"grant": "microdata"}
        for access in (MICRODATA, SANDBOX):
            plan = planned(t.patients, engine, access)
            assert isinstance(plan, RowsPlan)
            assert list(plan.expression.columns) == list(t.patients.columns)  # the hidden columns stay behind

    def test_public_tables_are_for_everybody(self, t, engine):
        for access in AccessLevel:
            plan = planned(t.centres.filter(_.region == "South"), engine, access)
            assert isinstance(plan, PublicPlan)
            assert engine.to_pyarrow(plan.expression).num_rows == 2

    def test_the_sandbox_rehearses_what_could_be_released(self, t, engine):
        plan = planned(t.patients.group_by("sex").agg(n=_.count()), engine, SANDBOX)
        assert isinstance(plan.rehearsal, ReleasePlan)
        assert planned(t.patients.agg(m=_.age.max()), engine, SANDBOX).rehearsal is None

    @pytest.mark.parametrize("access", list(AccessLevel))
    def test_nobody_names_what_was_not_granted(self, access, t, engine):
        query = world.ask(t.diagnoses.count(), engine, access=access)
        query.tables.pop("diagnoses")
        with pytest.raises(Refusal) as refusal:
            split(query)
        assert refusal.value.code is ErrorCode.UNKNOWN_TABLE

    @pytest.mark.parametrize("access", list(AccessLevel))
    def test_nobody_names_a_hidden_column(self, access, engine):
        forged = ibis.table({"__physician": "int32", "sex": "string"}, name="patients")
        with pytest.raises(Refusal) as refusal:
            planned(forged.group_by("__physician").agg(n=_.count()), engine, access)
        assert refusal.value.code is ErrorCode.UNKNOWN_COLUMN

    @pytest.mark.parametrize("access", list(AccessLevel))
    def test_nobody_divides_into_no_groups(self, access, t, engine):
        counts = t.patients.group_by("sex").agg(n=_.count())
        with pytest.raises(Refusal) as refusal:
            planned(counts.mutate(k=ibis.ntile(0).over(order_by="n")), engine, access)
        assert refusal.value.code is ErrorCode.UNKNOWN_OPERATION


class TestPlan:
    def test_what_follows_a_release_sees_only_released_and_public_tables(self, t, engine):
        asked = (
            t.patients.group_by("centre_id").agg(n=_.count()).join(t.centres, "centre_id").order_by("region")
        )
        plan = planned(asked, engine)
        names = {node.name for node in plan.post.op().find(ops.UnboundTable)}
        assert names == {"release_0", "public_0"}
        assert not plan.post.op().find(ops.DatabaseTable)
        assert [public.name for public in plan.publics] == ["public_0"]

    def test_the_answer_has_the_columns_and_types_that_were_asked(self, t, engine):
        asked = t.patients.group_by(decade=_.age // 10 * 10).agg(
            n=_.count(), share=(_.sex == "F").sum() / _.count()
        )
        assert planned(asked, engine).post.schema() == asked.schema()

    def test_two_aggregates_are_two_releases(self, t, engine):
        both = (
            t.patients.group_by("sex")
            .agg(n=_.count())
            .join(t.diagnoses.group_by("cisp2").agg(m=_.count()), how="cross")
        )
        assert [release.name for release in planned(both, engine).releases] == ["release_0", "release_1"]

    def test_cells_of_all_releases_count_together(self, t, engine):
        by_code = t.diagnoses.group_by("cisp2").agg(n=_.count())
        policy = Policy(max_cells=15)
        assert isinstance(planned(by_code, engine, AGGREGATE, policy), ReleasePlan)
        with pytest.raises(Refusal) as refusal:
            planned(
                by_code.union(t.patients.group_by(cisp2="age_band").agg(n=_.count())),
                engine,
                AGGREGATE,
                policy,
            )
        assert refusal.value.code is ErrorCode.TOO_MANY_CELLS

    def test_the_rows_of_a_release_hold_keys_hidden_ids_and_weights_only(self, t, engine):
        asked = t.diagnoses.group_by("cisp2").agg(
            n=_.count(), t90=_.patient_id.nunique(where=_.cisp2 == "T90"), late=(_.date.year() > 2020).sum()
        )
        (release,) = planned(asked, engine).releases
        assert release.rows.columns == ("cisp2", "__patient", "__physician", "__w0", "__w1")
        assert {measure.name: measure.weight for measure in release.measures} == {
            "n": None,
            "t90": "__w0",
            "late": "__w1",
        }
        assert engine.to_pyarrow(release.rows).num_rows == 4 * 16


class TestProtected:
    def test_summary_and_reasons(self, t, engine):
        result = protected(
            t.diagnoses.group_by("cisp2").agg(n=_.patient_id.nunique(), rows=_.count()), engine
        )
        assert result.measures["n"].shown == 1 and result.measures["n"].withheld == 6
        assert result.reasons == ("frequency", "physicians", "dominance", "unanimity")
        assert not result.rows_may_be_missing

    def test_along_an_evident_key_alone_unanimity_is_no_rule(self, t, engine):
        few = t.patients.filter(_.birth_month == "1950-01-01").group_by("sex").agg(n=_.patient_id.nunique())
        (release,) = planned(few, engine).releases
        evident = replace(release, evident=frozenset({"sex"}))
        said = [
            world.protected(each, world.session(engine), world.STRICT).reasons for each in (release, evident)
        ]
        assert said[0] == (*said[1], "unanimity") == ("frequency", "physicians", "dominance", "unanimity")

    def test_nothing_withheld_has_no_reasons(self, t, engine):
        assert protected(t.diagnoses.count(), engine).reasons == ()

    def test_open_keys_say_that_rows_may_be_missing(self, t, engine):
        assert protected(t.patients.group_by("birth_month").agg(n=_.count()), engine).rows_may_be_missing

    def test_only_keys_and_measures_leave(self, t, engine):
        frame = protected(t.patients.group_by("sex").agg(n=_.count()), engine).frame
        assert frame.schema == pa.schema([("sex", pa.string()), ("n", pa.int64())])

    def test_row_order_is_that_of_the_domain(self, t, engine):
        result = protected(t.diagnoses.group_by("cisp2").agg(n=_.count()), engine)
        assert result.frame.column("cisp2").to_pylist() == list(world.CODES["cisp2"])

    def test_weeks_of_the_calendar_come_back_whether_seen_or_not(self, t, engine):
        year = t.diagnoses.filter(_.date.between("2020-01-01", "2020-12-31"))
        frame = protected(year.group_by(week=_.date.truncate("W")).agg(n=_.count()), engine).frame
        assert frame.num_rows == 53 and str(frame.column("week")[0]) == "2019-12-30"

    def test_months_and_their_year_have_no_impossible_combination(self, t, engine):
        asked = t.diagnoses.group_by(year=_.date.year(), month=_.date.truncate("M")).agg(n=_.count())
        assert protected(asked, engine).frame.num_rows == 36

    def test_a_group_of_nan_is_a_group(self, t, engine):
        asked = t.biometrics.group_by(x=(_.value - _.value) / 0).agg(n=_.count())
        assert isinstance(protected(asked, engine, world.LOOSE).frame, pa.Table)


class TestDefinition:
    def test_names_visible_tables_and_columns(self, t):
        text = definition(t.patients.filter(_.sex == "F").group_by("age_band").agg(n=_.count()))
        assert '"patients"' in text and "'F'" in text and "__" not in text

    def test_a_users_table_is_named_not_quoted(self, t):
        mine = ibis.memtable({"cisp2": ["K86"], "secret": ["my own words"]})
        assert "my own words" not in definition(t.diagnoses.join(mine, "cisp2").count())
