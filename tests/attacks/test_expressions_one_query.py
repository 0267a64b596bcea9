"""What a single question could still learn of one person, of everybody in a group, or of one GP: each attack
succeeds with its defence taken out, and fails with it.

The victim is patient 99, born in July 1951; the rows of each test are its own.
"""

from __future__ import annotations

import dataclasses
import json

import ibis
import ibis.expr.operations as ops
import pytest
from ibis import _
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.rules import frontier, joins, measures, plan
from hub_config.gateway.rules.facts import Growth, tagged
from hub_config.gateway.rules.split import split
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode, encode
from tests.attacks.one_question import answer, holding, person, refused
from tests.conformance import world

BORN, OTHERS_BORN = world.D(1951, 7, 1), world.D(1950, 1, 1)


@pytest.fixture
def t():
    return world.tables()


def with_victim(**columns: object) -> list[dict[str, object]]:
    return [*(person(i, birth_month=OTHERS_BORN) for i in range(40)), person(99, birth_month=BORN, **columns)]


class TestNotIn:
    """One NULL in a list makes "not in" unknown for everybody: who puts a NULL there for the victim alone, if
    a fact holds of them, reads the fact in whether *all others* are counted."""

    def query(self, t):
        victim = t.patients.filter(_.birth_month == BORN)
        with_k86 = victim.left_join(t.diagnoses.filter(_.cisp2 == "K86"), "patient_id")
        p = t.patients
        return p.filter(~p.patient_id.isin(with_k86.patient_id_right)).count().name("n")

    def engine(self, code: str):
        return holding(
            patients=with_victim(),
            diagnoses=[person(99, cisp2=code, date=world.FIRST), person(1, cisp2="R80", date=world.FIRST)],
        )

    def test_everybody_else_is_counted_whatever_the_victim_has(self, t, monkeypatch):
        ill, well = (answer(self.query(t), self.engine(code)) for code in ("K86", "R80"))
        assert (ill, well) == ([{"n": 40}], [{"n": 41}])  # as for any filter that leaves one person out
        monkeypatch.setattr(frontier, "_known", self.as_found)
        assert answer(self.query(t), self.engine("K86")) == [{"n": 40}]
        assert answer(self.query(t), self.engine("R80")) == [{"n": None}]

    @staticmethod
    def as_found(inner, column):
        return ops.Project(inner.node, FrozenOrderedDict({column: ops.Field(inner.node, column)}))

    def test_an_identifier_missing_in_the_data_tells_nothing_either(self, t):
        """Of the only consultation of the victim, the number was not exported."""
        c, d = t.consultations, t.diagnoses
        asked = (
            d.filter(~d.consultation_id.isin(c.filter(_.type == "home").consultation_id)).count().name("n")
        )
        rows = [person(i, consultation_id=i, cisp2="R80", date=world.FIRST) for i in range(20)]
        at_home = [person(99, consultation_id=None, type="home", date=world.FIRST)]
        assert answer(asked, holding(diagnoses=rows, consultations=at_home)) == [{"n": 20}]


class TestWeightsByRounding:
    """A hundred different whole numbers are one number as floats: the list holds each key once, and the
    victim a hundred times."""

    def query(self, t):
        great = 2**60
        keys = ibis.memtable({"k": [0, *range(great, great + 100)]}, schema={"k": "int64"})
        weighted = t.diagnoses.mutate(w=(_.date == world.LAST).ifelse(float(great), 0.0))
        return weighted.join(keys, weighted.w == keys.k).count().name("n")

    def test_a_count_of_140_for_41_patients(self, t, monkeypatch):
        others = [person(i, date=world.FIRST) for i in range(40)]
        engine = holding(diagnoses=[*others, person(99, date=world.LAST)])
        assert refused(self.query(t), engine) is ErrorCode.USER_TABLE_RULE
        monkeypatch.setattr(joins, "_compared_exactly", lambda one, other: True)
        assert answer(self.query(t), engine) == [{"n": 140}]

    def test_whole_numbers_still_join_whole_numbers(self, t):
        years = ibis.memtable({"year": [2020, 2021], "era": ["before", "after"]})
        dated = t.diagnoses.mutate(year=_.date.year())
        asked = dated.join(years, "year").group_by("era").agg(n=_.patient_id.nunique())
        assert answer(asked, world.engine(4)) == [{"era": "before", "n": 20}, {"era": "after", "n": 16}]


class TestUnanimityBesideALabel:
    """Everybody is a woman. A key said twice is fixed by its double: no margin of one key could have put
    anybody elsewhere, so only that of both tells."""

    @pytest.mark.parametrize("double", ["itself", "its label", "a user's label"])
    def test_a_key_and_its_double(self, t, double, monkeypatch):
        engine = holding(patients=[person(i, sex="F") for i in range(20)])
        assert all(row["n"] is None for row in answer(self.query(t, double), engine))
        one_by_one = plan.margins_of
        monkeypatch.setattr(plan, "margins_of", lambda keys, domains: one_by_one(keys, ()))
        assert [row["n"] for row in answer(self.query(t, double), engine)] == [20, None]

    def query(self, t, double):
        labels = ibis.memtable({"sex": ["F", "M"], "label": ["women", "men"]})
        doubled = {
            "itself": lambda: t.patients.mutate(double=_.sex),
            "its label": lambda: t.patients.mutate(double=ibis.cases((_.sex == "F", "women"), else_="men")),
            "a user's label": lambda: t.patients.join(labels, "sex").mutate(double=_.label),
        }[double]()
        return doubled.group_by("sex", "double").agg(n=_.count())

    def test_where_both_sexes_are_many_a_label_costs_nothing(self, t):
        engine = holding(patients=[person(i, sex="FM"[i // 4 % 2]) for i in range(40)])
        assert [row["n"] for row in answer(self.query(t, "a user's label"), engine)] == [20, 20]


class TestValuesPresent:
    """The rows less the values present are the values missing: of the 41, one alone has no age."""

    def engine(self):
        alive = [*(person(i, age=80, sex="FM"[i % 2]) for i in range(40)), person(99, age=None)]
        return holding(patients=alive)

    def test_one_value_missing(self, t, monkeypatch):
        asked = t.patients.agg(n=_.count(), ages=_.age.count())
        assert answer(asked, self.engine()) == [{"n": 41, "ages": None}]
        counted = measures._count
        monkeypatch.setattr(
            measures, "_count", lambda *args: dataclasses.replace(counted(*args), present=None)
        )
        assert answer(asked, self.engine()) == [{"n": 41, "ages": 40}]

    def test_alone_or_of_the_key_it_is_shown(self, t):
        """Nothing stands beside it to subtract from; of the key, a row has all values or none."""
        assert answer(t.patients.agg(ages=_.age.count()), self.engine()) == [{"ages": 40}]
        by_sex = t.patients.group_by("sex").agg(n=_.sex.count(), who=_.patient_id.nunique())
        women, men = answer(by_sex, holding(patients=[person(i, sex="FM"[i // 4 % 2]) for i in range(40)]))
        assert women["n"] == women["who"] == men["n"] == 20


class TestOneNumberForTwoOccurrences:
    """A document may number the two sides of a self-join alike. Were they then one variable, a filter on the
    one would narrow the labels of the other, and everybody's code would be no unanimity."""

    def document(self, t) -> bytes:
        seen = t.diagnoses.filter(_.date.notnull())
        pairs = seen.join(t.diagnoses, "patient_id").filter(_.cisp2_right == "K86")
        asked = json.loads(encode(pairs.group_by("cisp2").agg(n=_.patient_id.nunique())))
        for node in asked["nodes"]:
            if node["op"] == "JoinReference":
                node["args"]["identifier"] = 0
        return json.dumps(asked).encode()

    def test_both_sides_are_their_own(self, t, monkeypatch):
        rows = [person(i, cisp2=code, date=world.FIRST) for i in range(20) for code in ("T90", "K86")]
        engine = holding(diagnoses=rows)
        assert {row["n"] for row in answer(self.document(t), engine)} == {None}
        by_number = lambda fact, node: tagged(fact, node.identifier)  # noqa: E731
        monkeypatch.setattr(frontier, "tagged", by_number)
        assert {"cisp2": "T90", "n": 20} in answer(self.document(t), engine)


class TestPhysiciansOfTheOtherSide:
    """Patients of four GPs, all seen by one of these on the day."""

    def engine(self):
        day = [person(i, __physician=1, date=world.FIRST, cisp2="R80") for i in range(20)]
        return holding(patients=[person(i, sex="F") for i in range(30)], diagnoses=day)

    def by_left_join(self, t):
        return t.patients.left_join(t.diagnoses, "patient_id").filter(_.cisp2.notnull())

    def behind_many_tables(self, t):
        padded = t.patients
        for _i in range(4):
            padded = padded.join(t.patients.view().select("patient_id"), "patient_id")
        return padded.join(t.diagnoses, "patient_id")

    @pytest.mark.parametrize("way", ["by_left_join", "behind_many_tables"])
    def test_the_one_physician_is_not_hidden(self, t, way, monkeypatch):
        asked = getattr(self, way)(t).agg(n=_.patient_id.nunique())
        assert answer(asked, self.engine()) == [{"n": None}]
        monkeypatch.setattr(joins, "_met", lambda chain, other, kept_whole: ())
        assert answer(asked, self.engine()) == [{"n": 20}]

    def test_a_patient_without_partner_counts_with_their_own(self, t):
        """Nobody was seen: the left join says nothing of any other GP."""
        engine = holding(patients=[person(i, sex="F") for i in range(30)], diagnoses=[])
        loose = t.patients.left_join(t.diagnoses, "patient_id").agg(n=_.patient_id.nunique())
        assert answer(loose, engine) == [{"n": 30}]

    def test_more_tables_than_can_be_followed_are_refused(self, t, monkeypatch):
        monkeypatch.setattr(joins, "MAX_PHYSICIANS", 5)
        asked = self.behind_many_tables(t).agg(n=_.patient_id.nunique())
        assert refused(asked, self.engine()) is ErrorCode.JOIN_RULE


class TestTooManyCells:
    """A refusal for too many groups counts groups: of those nobody may see, it must not. The query makes as
    many of one group as the limit takes."""

    def test_groups_of_one_physician_are_not_counted(self, t):
        policy = Policy(max_cells=4)
        copies = ibis.union(t.patients, t.patients.mutate(age=_.age + 1).cast({"age": "int32"}))
        asked = copies.group_by("age").agg(n=_.patient_id.nunique())
        ages = (1, 10, 20)
        alone, several = (
            holding(patients=[person(i, __physician=i % gps, age=ages[i % 3]) for i in range(150)])
            for gps in (1, 4)
        )
        assert all(row["n"] is None for row in self.answer(asked, alone, policy))
        with pytest.raises(Refusal) as refusal:
            self.answer(asked, several, policy)
        assert refusal.value.code is ErrorCode.TOO_MANY_CELLS

    def answer(self, asked, engine, policy: Policy) -> list[dict[str, object]]:
        made = split(world.ask(decode(encode(asked), world.schema), engine, policy))
        return world.answer(made, engine, policy).to_pylist()


class TestGrowth:
    """Thirty doublings, or a dozen self-joins, of the victim's rows alone: hours of work if the victim is
    there, and none if not. The time limit would tell which."""

    def doubled(self, t, times: int):
        whole = t.diagnoses.filter(_.cisp2 == "K86")
        for _i in range(times):
            whole = ibis.union(whole, whole)
        return whole.agg(n=_.count())

    def multiplied(self, t, times: int):
        whole = t.diagnoses.filter(_.cisp2 == "K86")
        for i in range(times):
            whole = whole.join(t.diagnoses.view(), "patient_id", rname=f"{{name}}_{i}")
        return whole.agg(n=_.count())

    @pytest.mark.parametrize(
        ("way", "times", "rows", "code"),
        [("doubled", 8, 20 * 2**8, ErrorCode.SET_RULE), ("multiplied", 4, 20 * 4**5, ErrorCode.JOIN_RULE)],
    )
    def test_the_rows_of_one_patient(self, t, way, times, rows, code, monkeypatch):
        """The count of rows is what the engine goes through: it is shown here with its own rule taken out."""
        four_each = [person(i % 20, cisp2="K86", date=world.FIRST) for i in range(80)]
        engine = holding(diagnoses=four_each[:20] if way == "doubled" else four_each)
        asked = getattr(self, way)(t, times)
        monkeypatch.setattr(measures, "_records_count_once", lambda node, parent: None)
        assert refused(asked, engine) is code
        monkeypatch.setattr(Growth, "is_bounded", True)
        assert answer(asked, engine) == [{"n": rows}]

    def test_features_side_by_side_are_no_growth(self, t):
        """One row a patient each, however many there are."""
        cohort = t.patients
        for i in range(6):
            feature = t.diagnoses.group_by("patient_id").agg(**{f"n{i}": _.count()})
            cohort = cohort.left_join(feature, "patient_id").drop("patient_id_right")
        assert answer(cohort.agg(n=_.patient_id.nunique()), world.engine(4)) == [{"n": 48}]
