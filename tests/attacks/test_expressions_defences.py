"""Each defence of the rules, taken out and put back: without it the attack gets something about one person,
with it not.

The world is four copies of twelve patients (see tests/conformance/world.py) unless a test makes its own.
Where two defences stand behind each other, both are taken out.
"""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import ClassVar

import ibis
import ibis.expr.operations as ops
import numpy as np
import pytest
from ibis import _

from hub_config.gateway import compile as compiling
from hub_config.gateway.evidence import measurement
from hub_config.gateway.rules import measures, protect, release, rows, values, windows
from hub_config.gateway.rules.facts import Traced
from hub_config.gateway.rules.keys import domains_of
from hub_config.gateway.rules.magnitudes import Decomposed, Measured
from hub_config.gateway.rules.plan import MeasureKind
from hub_config.gateway.rules.split import split
from p4dp_sdk.disclosure import primary
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire import inspection
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode, encode
from tests.attacks.one_question import answer, holding, person, refused, take_out
from tests.conformance import world


@pytest.fixture
def t():
    return world.tables()


class TestThreshold:
    """Whoever can describe one person learns whether the description fits."""

    def test_without_the_floor_one_person_is_counted(self, t):
        one = t.patients.filter(_.birth_month == "1951-03-01").count().name("n")
        engine = world.engine()
        assert answer(one, engine, world.LOOSE) == [{"n": 1}]
        assert answer(one, engine) == [{"n": None}]

    def test_a_policy_below_the_floor_can_not_be_made(self):
        with pytest.raises(ValueError, match="min_patients"):
            Policy(min_patients=10)
        with pytest.raises(ValueError, match="min_physicians"):
            Policy(min_physicians=2)


class TestPhysicians:
    """A count that rests on one GP tells that GP's activity."""

    def test_fifteen_patients_of_one_physician(self, t):
        same_gp = [person(i, sex="F", __physician=1) for i in range(15)]
        women = t.patients.filter(_.sex == "F").count().name("n")
        engine = holding(patients=same_gp)
        assert answer(women, engine, type(world.LOOSE)(min_physicians=1, min_outside=0)) == [{"n": 15}]
        assert answer(women, engine) == [{"n": None}]

    def test_all_but_ten_are_one_physicians(self, t):
        """Who knows their own patients has the other ten within the blur, without the rule exactly."""
        elsewhere = [person(i, sex="F", __physician=2 + i % 2) for i in range(10)]
        engine = holding(patients=elsewhere + [person(100 + i, sex="F", __physician=1) for i in range(50)])
        women = t.patients.filter(_.sex == "F").count().name("n")
        assert answer(women, engine, type(world.LOOSE)(min_outside=0)) == [{"n": 60}]
        assert answer(women, engine) == [{"n": None}]

    def test_a_missing_physician_counts_as_none(self, t):
        missing = [person(i, sex="F", __physician=i % 2 or None) for i in range(30)]
        assert answer(t.patients.filter(_.sex == "F").count().name("n"), holding(patients=missing)) == [
            {"n": None}
        ]

    def test_a_join_keeps_the_physicians_of_both_sides(self, t):
        """Patients of many GPs, all seen by one on the day: the day is that GP's activity."""
        patients = [person(i, sex="F") for i in range(20)]
        day = [person(i, __physician=1, date=world.FIRST, cisp2="R80") for i in range(20)]
        engine = holding(patients=patients, diagnoses=day)
        seen = t.patients.join(t.diagnoses, "patient_id").agg(n=_.patient_id.nunique())
        assert answer(seen, engine) == [{"n": None}]


class TestUnanimity:
    """Fifteen colleagues, all with T90: the count of T90 among them equals their number."""

    def query(self, t):
        return t.diagnoses.agg(n=_.patient_id.nunique(), t90=_.patient_id.nunique(where=_.cisp2 == "T90"))

    def engine(self, others: int = 0):
        ill = [person(i, cisp2="T90", date=world.FIRST) for i in range(15)]
        well = [person(100 + i, cisp2="R80", date=world.FIRST) for i in range(others)]
        return holding(patients=[], diagnoses=ill + well)

    def test_everybody_has_it(self, t, monkeypatch):
        assert answer(self.query(t), self.engine()) == [{"n": 15, "t90": None}]
        take_out(primary.Reason.UNANIMITY, monkeypatch)
        assert answer(self.query(t), self.engine()) == [{"n": 15, "t90": 15}]

    def test_everybody_but_one_has_it(self, t):
        assert answer(self.query(t), self.engine(others=1)) == [{"n": 16, "t90": None}]

    def test_enough_have_it_not(self, t):
        assert answer(self.query(t), self.engine(others=11)) == [{"n": 26, "t90": 15}]

    def test_a_cell_that_holds_its_whole_margin(self, t, monkeypatch):
        """Everybody of centre C1 is a woman."""
        c1 = [person(i, centre_id="C1", sex="F") for i in range(20)]
        c2 = [person(100 + i, centre_id="C2", sex="FM"[i // 4 % 2]) for i in range(40)]
        engine = holding(patients=c1 + c2)
        query = t.patients.group_by("centre_id", "sex").agg(n=_.count())
        shown = {(row["centre_id"], row["sex"]): row["n"] for row in answer(query, engine)}
        assert shown["C1", "F"] is None and shown["C2", "F"] == 20
        take_out(primary.Reason.UNANIMITY, monkeypatch)
        shown = {(row["centre_id"], row["sex"]): row["n"] for row in answer(query, engine)}
        assert shown["C1", "F"] == 20

    def test_a_key_that_the_query_itself_fixed_is_no_unanimity(self, t):
        rows_ = [person(i, sex="F", centre_id="C1") for i in range(20)]
        query = (
            t.patients.filter(_.sex == "F", _.centre_id == "C1").group_by("centre_id", "sex").agg(n=_.count())
        )
        assert answer(query, holding(patients=rows_)) == [{"centre_id": "C1", "sex": "F", "n": 20}]

    def test_a_code_and_its_chapter_are_no_unanimity(self, t):
        ill = [person(i, cisp2=("T90", "K86")[i // 4 % 2], date=world.FIRST) for i in range(40)]
        query = t.diagnoses.group_by(chapter=_.cisp2[0], code=_.cisp2).agg(n=_.count())
        shown = [row for row in answer(query, holding(patients=[], diagnoses=ill)) if row["n"] is not None]
        assert [(row["chapter"], row["code"]) for row in shown] == [("T", "T90")]  # K could have been K87


class TestWholeDomain:
    """Labels as data: the mere presence of a row would say that somebody is in it."""

    def query(self, t):
        return t.patients.group_by("age_band", "sex").agg(n=_.count())

    def engine(self, rare: int):
        common = [person(i, age_band="40-49", sex="FM"[i // 4 % 2]) for i in range(60)]
        return holding(patients=common + [person(100 + i, age_band="90+", sex="F") for i in range(rare)])

    def test_zero_and_ten_look_alike(self, t, monkeypatch):
        asked = self.query(t)
        assert (
            answer(asked, self.engine(0)) == answer(asked, self.engine(1)) == answer(asked, self.engine(10))
        )
        assert len(answer(asked, self.engine(0))) == 2 * 10

        monkeypatch.setattr(protect, "_rows_of", lambda release_, place, hidden: list(place))
        assert answer(asked, self.engine(0)) != answer(asked, self.engine(1))

    def test_a_filter_of_the_query_narrows_it_whoever_is_there(self, t):
        asked = t.patients.filter(_.age_band.isin(["80-89", "90+"])).group_by("age_band").agg(n=_.count())
        assert [row["age_band"] for row in answer(asked, self.engine(0))] == ["80-89", "90+"]

    def test_labels_of_an_open_key_are_shared_or_unseen(self, t):
        months = [person(i, birth_month=world.D(1950, 1, 1)) for i in range(15)]
        engine = holding(patients=[*months, person(99, birth_month=world.D(1951, 7, 1))])
        asked = t.patients.group_by("birth_month").agg(n=_.count())
        extra = [person(200 + i, birth_month=world.D(1960, 1, 1)) for i in range(15)]
        wide = holding(patients=[*months, *extra, person(99, birth_month=world.D(1951, 7, 1))])
        assert answer(asked, engine) == []  # all but one person share the label
        assert [row["birth_month"].year for row in answer(asked, wide)] == [1950, 1960]
        assert 1951 in [row["birth_month"].year for row in answer(asked, wide, world.LOOSE)]

    def test_missing_values_come_back_only_when_they_may(self, t):
        known = [person(i, sex="FM"[i // 4 % 2]) for i in range(40)]
        few, many = ([person(100 + i, sex=None) for i in range(count)] for count in (3, 16))
        asked = t.patients.group_by("sex").agg(n=_.count())
        assert [row["sex"] for row in answer(asked, holding(patients=known + few))] == ["F", "M"]
        assert [row["sex"] for row in answer(asked, holding(patients=known + many))] == ["F", "M", None]


class TestWhitelist:
    def test_the_maximum_is_one_persons(self, t, monkeypatch):
        """Nothing in the gateway takes a maximum: the double must bring that, too."""
        oldest = t.patients.agg(m=_.age.max())
        engine = world.engine(4)
        assert refused(oldest, engine) is ErrorCode.MEASURE_NOT_RELEASABLE
        monkeypatch.setattr(release, "measure", unchecked)
        monkeypatch.setattr(measurement, "_sum", lambda units, total, cells: np.array([total.max()]))
        assert answer(oldest, engine) == [{"m": 71}]

    def query(self, t, others: int):
        target = (_.birth_month == "1951-03-01") & (_.sex == "M")
        return t.patients.agg(m=ibis.ifelse(target, _.age.cast("int64") * 1_000_000, others).sum())

    def test_a_selector_inside_a_sum(self, t, monkeypatch):
        """Thousands may stand behind the sum: its first digits are one person's age."""
        hidden, engine = self.query(t, others=1), world.engine(4)
        assert refused(hidden, engine) is ErrorCode.VALUE_RULE
        monkeypatch.setattr(release, "measure", unchecked)
        assert answer(hidden, engine) == [{"m": 4 * 70_000_000 + 44}]

    def test_who_adds_nothing_stands_behind_nothing(self, t, monkeypatch):
        monkeypatch.setattr(release, "measure", unchecked)
        nobody_else = self.query(t, others=0)
        assert answer(nobody_else, world.engine(4)) == [{"m": None}]
        take_out(primary.Reason.FREQUENCY, monkeypatch)
        assert answer(nobody_else, world.engine(4)) == [{"m": 4 * 70_000_000}]

    def test_one_outweighs_the_others(self, t, monkeypatch):
        monkeypatch.setattr(release, "measure", unchecked)
        outweighed, engine = self.query(t, others=1), world.engine()
        assert answer(outweighed, engine) == [{"m": None}]
        take_out(primary.Reason.DOMINANCE, monkeypatch)
        assert answer(outweighed, engine) == [{"m": 70_000_011}]


def unchecked(frontier, reduction, parent, old_parent) -> Decomposed:
    """A test double: any reduction of anything, as a sum."""
    value = ops.Cast(frontier.trace(reduction.arg, {old_parent: parent}).node, "float64")
    return Decomposed.only(Measured(None, False, kind=MeasureKind.SUM, weight=value, family="sum:any"))


class TestRecordsCountOnce:
    """A thousand copies of one person's rows beside everybody's: the count's thousands say whether that
    person is there."""

    def query(self, t):
        target = t.patients.filter(_.birth_month == "1951-03-01")
        doubled = target
        for _i in range(3):
            doubled = ibis.union(doubled, doubled.view())
        return ibis.union(t.patients, doubled).count().name("n")

    def test_weights_by_union(self, t, monkeypatch):
        everybody = [person(i, birth_month=world.D(1950, 1, 1)) for i in range(20)]
        there = holding(patients=[*everybody, person(99, birth_month=world.D(1951, 3, 1))])
        assert refused(self.query(t), there) is ErrorCode.MEASURE_NOT_RELEASABLE
        monkeypatch.setattr(measures, "_records_count_once", lambda node, parent: None)
        assert answer(self.query(t), there) == [{"n": 29}]

    def test_weights_by_a_users_table(self, t, monkeypatch):
        mine = ibis.memtable({"cisp2": ["K86"] * 10 + ["T90", "R74", "R80"]})
        weighted = t.diagnoses.join(mine, "cisp2").count().name("n")
        engine = world.engine(4)
        assert refused(weighted, engine) is ErrorCode.USER_TABLE_RULE
        monkeypatch.setattr("hub_config.gateway.rules.joins._check_match", lambda link, other, match: None)
        monkeypatch.setattr(measures, "_records_count_once", lambda node, parent: None)
        assert answer(weighted, engine) == [{"n": 4 * (10 * 3 + 5 + 4 + 2)}]

    def test_distinct_patients_do_not_care(self, t):
        twice = ibis.union(t.patients, t.patients).agg(n=_.patient_id.nunique())
        assert answer(twice, world.engine(4)) == [{"n": 48}]


class TestErrorsThatTell:
    """The query fails on the engine if, and only if, the target is there."""

    QUERIES: ClassVar = {
        "cast": lambda v: v.birth_month.cast("string").cast("int64") > 0,
        "overflow": lambda v: (v.age.cast("int64") * 100_000_000_000_000_000) > 0,
        "root": lambda v: (v.age - 10).sqrt() > 0,
        "logarithm": lambda v: (v.age - 10).ln() > 0,
        "whole number": lambda v: (v.age / 0).floor() > 0,
    }

    def engine(self, age: int):
        return holding(patients=[person(i, age=age, birth_month=world.D(1950, 1, 1)) for i in range(20)])

    @pytest.mark.parametrize("name", QUERIES)
    def test_never_fails(self, name, t):
        """Whatever the age, the answer is an answer (what may overflow: a refusal that sees no data)."""
        asked = t.patients.filter(self.QUERIES[name](t.patients)).count().name("n")
        outcomes = {age: self.outcome(asked, age) for age in (0, 5, 10, 100)}
        assert ErrorCode.ENGINE_FAILED not in outcomes.values()
        assert len({outcome is ErrorCode.VALUE_RULE for outcome in outcomes.values()}) == 1

    @pytest.mark.parametrize("name", ["cast", "root", "logarithm", "whole number"])
    def test_fails_without_the_rules(self, name, t, monkeypatch):
        monkeypatch.setattr(values, "BELOW", AsSaid(values.BELOW))
        monkeypatch.setattr("hub_config.gateway.rules.frontier.BELOW", AsSaid(values.BELOW))
        asked = t.patients.filter(self.QUERIES[name](t.patients)).count().name("n")
        assert self.outcome(asked, 5) is not ErrorCode.ENGINE_FAILED  # hardened SQL is a second defence
        monkeypatch.setattr(compiling, "harden", lambda query, _: query)
        assert self.outcome(asked, 5) is ErrorCode.ENGINE_FAILED

    def outcome(self, asked, age: int) -> object:
        try:
            return answer(asked, self.engine(age))
        except Refusal as refusal:
            return refusal.code


class AsSaid(dict):
    """A test double: every operation as the query says it, on rows that are about somebody."""

    def get(self, kind, default=None):
        if kind is ops.Literal:
            return super().get(kind)
        return lambda node, args, here: Traced(
            type(node)(**{name: getattr(value, "node", value) for name, value in args.items()})
        )


class TestWindows:
    def test_the_patient_is_always_a_partition(self, t):
        """Said or not, the hidden number partitions: a window by centre alone is refused, and could not
        mix persons."""
        by_centre = t.patients.mutate(k=_.age.min().over(group_by="centre_id")).group_by("k").agg(n=_.count())
        assert refused(by_centre, world.engine(4)) is ErrorCode.WINDOW_RULE

    def test_without_the_rule_a_neighbours_value_is_a_key(self, t, monkeypatch):
        by_centre = t.patients.mutate(k=_.age.min().over(group_by="centre_id")).group_by("k").agg(n=_.count())
        monkeypatch.setattr(windows, "_by_patient", lambda groups: True)
        monkeypatch.setattr(windows, "Kind", SimpleNamespace(PERSON=None))
        assert answer(by_centre, world.engine(4), world.LOOSE) != []


class TestNames:
    """`sex` is analysed as the catalogue's; an engine that ignores case may read `SEX`, a month."""

    def query(self, t):
        return (
            t.patients.select("patient_id", "sex", SEX=_.birth_month.cast("string"))
            .group_by("SEX")
            .agg(n=_.count())
        )

    def test_names_alike_but_for_case(self, t, monkeypatch):
        engine = world.engine(4)
        assert refused(self.query(t), engine) is ErrorCode.MALFORMED
        monkeypatch.setattr(inspection, "check_names", lambda names: None)
        assert decode(encode(self.query(t)), world.schema) is not None
        read = engine.raw_sql(
            'SELECT "SEX" FROM (SELECT sex, birth_month::VARCHAR AS "SEX" FROM patients)'
        ).fetchall()
        assert {row[0] for row in read} == {
            "F",
            "M",
            None,
        }  # the engine reads another column than was analysed

    def test_hidden_columns_are_out_of_reach(self, t):
        forged = t.patients.mutate(__physician=_.age)
        assert refused(forged.group_by("sex").agg(n=_.count()), world.engine(4)) is ErrorCode.MALFORMED


class TestPerPatient:
    def test_grouping_by_an_emptied_identifier(self, t, monkeypatch):
        """All patients without a diagnosis share the NULL; as one 'patient' they would hand each other
        their values."""
        loose = t.patients.left_join(t.diagnoses.filter(_.cisp2 == "A04"), "patient_id")
        asked = loose.group_by("patient_id_right").agg(top=_.age.max()).group_by("top").agg(n=_.count())
        assert refused(asked, world.engine(4)) is ErrorCode.KEY_RULE
        monkeypatch.setattr(rows, "is_per_patient", lambda groups: "patient_id_right" in groups)
        tops = {row["top"] for row in answer(asked, world.engine(4), world.LOOSE)}
        assert len(tops) > 1  # even then each stays by itself: the hidden number is a group


class TestUnfolding:
    """A shared value is written out wherever it is used: sixty doublings are 2⁶⁰ terms of SQL."""

    def bomb(self, t, doublings: int):
        value = ops.Field(t.patients, "age")
        for _i in range(doublings):
            value = ops.Add(value, value)
        return ops.Filter(t.patients, (ops.Greater(value, ops.Literal(0, "int8")),)).to_expr().count()

    def named_bomb(self, t, doublings: int):
        """Ibis would name the answer after all its terms."""
        value = ops.Max(ops.Field(t.patients, "age"))
        for _i in range(doublings):
            value = ops.Add(value, value)
        return value.to_expr()

    def test_is_refused_before_it_is_compiled(self, t, monkeypatch):
        with pytest.raises(Refusal) as refusal:
            decode(encode(self.bomb(t, 60)), world.schema)
        assert refusal.value.code is ErrorCode.TOO_MANY_NODES
        with pytest.raises(Refusal):
            decode(encode(self.named_bomb(t, 60)), world.schema)
        monkeypatch.setattr(inspection, "UNFOLDED_PER_NODE", 2**70)
        small = decode(encode(self.bomb(t, 14)), world.schema)
        assert len(ibis.to_sql(small.as_table(), dialect="duckdb")) > 100_000


def test_domains_are_known_without_the_data(t):
    """The whole domain is made from the catalogue and the query: no engine is asked."""
    plan = split(world.ask(t.diagnoses.group_by("cisp2", y=_.date.year()).agg(n=_.count()), world.engine()))
    (made,) = plan.releases
    assert made.closed and dataclasses.is_dataclass(made)
    assert {domain.keys for domain in made.domains} == {("cisp2",), ("y",)}
    assert domains_of({}) == ()
