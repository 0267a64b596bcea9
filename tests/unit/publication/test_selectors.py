"""What may select people in a publication table: definitions of theses pass, ways of naming people don't."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce
from typing import Any

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import p4dp_sdk as p4dp
from hub_config.gateway.publication.selectors import check_selectors, descriptions
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.refusals import explain
from tests.benchmarks.dashboards import dashboards
from tests.benchmarks.usability import Cohort, edited, table_one
from tests.unit.publication.definitions import asked, codes, counted
from tests.unit.publication.theses import COMMON, HONEST, D, P, X

MOST = Policy().max_descriptions


def either(conditions: Sequence[Any]) -> Any:
    return reduce(operator.or_, conditions)


@pytest.mark.parametrize("definition", HONEST.values(), ids=HONEST)
def test_a_thesis_is_published(definition):
    check_selectors(asked(definition()))


@pytest.mark.parametrize("name", dashboards())
def test_the_dashboards_are_published(name):
    for question in dashboards()[name]():
        check_selectors(asked(question.expression))


def test_a_table_one_is_published_after_any_edit():
    for cohort in [*edited(Cohort())][::5]:
        for question in table_one(cohort):
            check_selectors(asked(question.expression))


# --- ways of naming people ---------------------------------------------------------------------------------


def by_age(ages: Sequence[int]) -> dict[str, Callable[[], Any]]:
    """People by a number of theirs that the catalogue doesn't code, in every way that comes to mind."""
    cuts = sorted({*ages, *(age + 1 for age in ages)})
    inside = [i for i, cut in enumerate(cuts[:-1]) if cut in ages]
    bins = P.age.bucket(cuts)
    table = ibis.memtable({"bin": inside}, schema={"bin": "int8"})
    classes = ["a" if i in inside else "b" for i in range(len(cuts) - 1)]
    marks = ibis.memtable(
        {"bin": range(len(classes)), "mark": classes}, schema={"bin": "int8", "mark": "string"}
    )
    nested = ibis.literal("b")
    for age in ages:
        nested = ibis.ifelse(P.age == age, "a", nested)
    whole = P.age.cast("float64")
    points = [P.age == age for age in ages]
    parts = [P.filter(point) for point in points]
    others = [P.view().filter(lambda t, age=age: t.age == age).patient_id for age in ages]
    bands = [(P.age < cut, 900 - i if cut - 1 not in ages else i) for i, cut in enumerate(cuts)]
    numbered = ibis.cases(*bands, else_=1_000)
    means = P.mutate(m=numbered).group_by("patient_id").agg(m=lambda t: t.m.mean())
    emptied = reduce(lambda value, age: value.nullif(age), ages, P.age)
    states = [point.nullif(False) for point in points]
    values = X.group_by("patient_id").agg(hit=either([X.value == float(age) for age in ages]).any())
    return {
        "isin": lambda: counted(P.filter(P.age.isin(ages)), "sex"),
        "not isin": lambda: counted(P.mutate(rest=~P.age.isin(ages)), "rest"),
        "or": lambda: counted(P.filter(either(points)), "sex"),
        "intervals": lambda: counted(P.filter(either([P.age.between(a, a + 0.5) for a in ages])), "sex"),
        "de Morgan": lambda: counted(P.filter(~reduce(operator.and_, [~point for point in points])), "sex"),
        "xor": lambda: counted(P.filter(reduce(operator.xor, [P.age >= cut for cut in cuts])), "sex"),
        "cases": lambda: counted(P, mark=ibis.cases(*[(point, "a") for point in points], else_="b")),
        "simple case": lambda: counted(P, mark=P.age.cases(*[(age, "a") for age in ages], else_="b")),
        "nested": lambda: counted(P, mark=nested),
        "coalesce": lambda: counted(P.filter(ibis.coalesce(*states, False)), "sex"),
        "nullif": lambda: counted(P.mutate(gone=emptied.isnull()), "gone"),
        "numbered bands": lambda: counted(P.filter(ibis.least(numbered, 1_000) < 500), "sex"),
        "mean of bands": lambda: counted(P.join(means, "patient_id").filter(lambda t: t.m < 500), "sex"),
        "bins": lambda: counted(P.filter(bins.isin(inside)), "sex"),
        "bins of a table": lambda: counted(P.mutate(bin=bins).filter(lambda t: t.bin.isin(table.bin)), "sex"),
        "marks of a table": lambda: counted(P.mutate(bin=bins).join(marks, "bin"), "mark"),
        "union": lambda: counted(reduce(lambda a, b: a.union(b), parts), "sex"),
        "semi-joins": lambda: counted(P.filter(either([P.patient_id.isin(o) for o in others])), "sex"),
        "product": lambda: counted(P.filter(reduce(operator.mul, [whole - age for age in ages]) == 0), "sex"),
        "nearest": lambda: counted(P.filter(ibis.least(*[(whole - age).abs() for age in ages]) < 0.5), "sex"),
        "any row": lambda: counted(P.join(values, "patient_id").filter(lambda t: t.hit), "sex"),
    }


AGES = [21, 24, 28, 33, 37, 42, 46, 51, 57, 62]


@pytest.mark.parametrize("way", by_age(AGES))
def test_ten_people_by_a_number_are_too_many(way):
    assert refused(by_age(AGES)[way]())


@settings(max_examples=30, deadline=None)
@given(
    ages=st.lists(st.integers(1, 60).map(lambda n: 2 * n), min_size=10, max_size=14, unique=True),
    way=st.sampled_from(sorted(by_age(AGES))),
)
def test_no_way_names_ten(ages, way):
    assert refused(by_age(ages)[way]())


@settings(max_examples=30, deadline=None)
@given(
    boxes=st.lists(
        st.tuples(st.sampled_from(codes("cisp2")), st.sampled_from(codes("centre"))),
        min_size=10,
        max_size=12,
        unique=True,
    ),
    union=st.booleans(),
)
def test_ten_boxes_of_codes_are_too_many(boxes, union):
    """By what the catalogue codes, all conditions of a box at once."""
    parts = [
        D.filter(D.cisp2 == code, D.centre_id == centre, D.coding_source == "manual")
        for code, centre in boxes
    ]
    if union:
        assert refused(counted(reduce(lambda a, b: a.union(b), parts), "centre_id"))
    else:
        assert refused(
            counted(P.filter(either([P.patient_id.isin(part.patient_id) for part in parts])), "sex")
        )


def chaos(value: Any) -> Any:
    for _ in range(5):
        value = 4 * value * (1 - value)
    return value


def tent(value: Any) -> Any:
    for step in range(5):
        value = (value - 0.5**step).abs()
    return value


def in_steps(change: Callable[[Any], Any]) -> Any:
    """A column a step."""
    t = P.mutate(z=P.age / 100.0)
    for _ in range(5):
        t = t.mutate(z=change(t.z))
    return t.filter(t.z > 0.9)


def scattered(number: int, shift: int = 0) -> list[str]:
    known = codes("cisp2")
    return sorted(known[(37 * i + 101 * shift) % len(known)] for i in range(number))


def some_of(many: list[str]) -> Any:
    each = D.filter(D.cisp2.isin(many)).group_by("patient_id").agg(k=lambda t: t.cisp2.nunique())
    return counted(P.join(each, "patient_id").filter(lambda t: t.k >= 5), "sex")


def some_of_the_groups(many: list[str]) -> Any:
    """The list only says which groups are shown; or so it seems."""
    listed = D.filter(D.cisp2.isin(many))
    each = listed.group_by("patient_id").agg(k=listed.cisp2.nunique())
    return counted(listed.join(each, "patient_id").filter(lambda t: t.k >= 5), "cisp2")


def four_lists() -> Any:
    lists = [D.filter(D.cisp2.isin(scattered(10, i))).patient_id for i in range(4)]
    return counted(P.filter([P.patient_id.isin(each) for each in lists]), "sex")


def without_any() -> Any:
    each = [D.filter(D.cisp2 == code).patient_id for code in codes("cisp2")[:60]]
    return counted(P.filter([~P.patient_id.isin(those) for those in each]), "sex")


def after_the_point() -> Any:
    sevenths = P.age / 7.0
    return counted(P.filter(sevenths - sevenths.cast("int64") < 0.1), "sex")


def weighed() -> Any:
    weights = ibis.memtable(
        {"cisp2": codes("cisp2"), "w": [(31 * i) % 97 / 7 for i in range(len(codes("cisp2")))]}
    )
    each = D.join(weights, "cisp2").group_by("patient_id").agg(w=lambda t: t.w.sum())
    return counted(P.join(each, "patient_id").filter(lambda t: t.w > 30), "sex")


def weighed_and_worked_on() -> Any:
    weights = ibis.memtable({"cisp2": ["T89", "T90"], "w": [1.5, 2.5]}).mutate(v=lambda t: t.w * 1.0)
    each = D.join(weights, "cisp2").group_by("patient_id").agg(w=lambda t: t.v.sum())
    return counted(P.join(each, "patient_id").filter(lambda t: t.w > 3), "sex")


def dated_by_code() -> Any:
    """A date for each code, in a table."""
    days = [date(2010 + i % 12, 1 + i % 12, 1 + i) for i in range(12)]
    table = ibis.memtable({"cisp2": COMMON[:12], "day": days})
    return counted(D.join(table, "cisp2").filter(lambda t: t.day == t.date), "centre_id")


def banded_by_code() -> Any:
    """A class of age for each code, in a table."""
    bands = p4dp.age_bands(P.age, [10 * i for i in range(1, 10)])
    table = ibis.memtable({"cisp2": COMMON[:10], "band": [f"{10 * i}-{10 * i + 9}" for i in range(10)]})
    aged = D.join(P.select("patient_id", mine=bands), "patient_id")
    return counted(aged.join(table, "cisp2").filter(lambda t: t.mine == t.band), "centre_id")


def by_two_codes() -> Any:
    """A table that is met by two codes at once."""
    table = ibis.memtable({"cisp2": COMMON[:10], "centre_id": ["C1", "C2"] * 5})
    return counted(D.semi_join(table, ["cisp2", "centre_id"]), "coding_source")


def by_a_pattern() -> Any:
    """A table that is picked from by what the gateway can't foresee."""
    table = ibis.memtable(
        {"cisp2": codes("cisp2"), "word": [f"w{hash(code) % 7}" for code in codes("cisp2")]}
    )
    return counted(D.semi_join(table.filter(table.word.re_search("w[135]")), "cisp2"), "centre_id")


TRICKS: dict[str, Callable[[], Any]] = {
    "remainder": lambda: counted(P.filter(P.age % 7 == 3), "sex"),
    "whole division": lambda: counted(P.filter(P.age // 7 == 3), "sex"),
    "rounding": lambda: counted(P.filter((P.age / 7.0).round() == 3), "sex"),
    "what is after the point": after_the_point,
    "day of the month": lambda: counted(D.filter(D.date.day().isin([1, 5])), "centre_id"),
    "texts put together": lambda: counted(P.filter((P.centre_id + P.sex).isin(["C1F", "C2M"])), "age_band"),
    "a date as text": lambda: counted(P.filter(P.birth_month.strftime("%Y-%m-%d") == "1930-01-01"), "sex"),
    "a number as text": lambda: counted(P.filter(P.age.cast("string") == "47"), "sex"),
    "a high power": lambda: counted(P.filter((P.age.cast("float64") - 40) ** 20 < 1), "sex"),
    "a chaotic map": lambda: counted(P.filter(chaos(P.age / 100.0) > 0.9), "sex"),
    "a chaotic map in steps": lambda: counted(in_steps(lambda z: 4 * z * (1 - z)), "sex"),
    "a folding map": lambda: counted(P.filter(tent(P.age / 100.0) < 0.1), "sex"),
    "a folding map in steps": lambda: counted(in_steps(lambda z: (z - 0.5).abs()), "sex"),
    "five of a list": lambda: some_of(scattered(40)),
    "five of the groups": lambda: some_of_the_groups(scattered(40)),
    "four lists at once": four_lists,
    "weights of codes": weighed,
    "weights worked on": weighed_and_worked_on,
    "a date for each code": dated_by_code,
    "a class for each code": banded_by_code,
    "two codes at once": by_two_codes,
    "a pattern": by_a_pattern,
    "single days": lambda: counted(
        D.filter(D.date.isin([date(2019, 1 + i % 9, 3 + 2 * i) for i in range(10)])), "centre_id"
    ),
    "many conditions": without_any,
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_a_trick_is_refused(trick):
    assert refused(trick())


def refused(expression: Any, policy: Policy | None = None) -> bool:
    try:
        check_selectors(asked(expression, policy))
    except Refusal as refusal:
        return refusal.code in (ErrorCode.NOT_PUBLISHABLE, ErrorCode.VALUE_RULE)
    return False


# --- the count ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("persons", "count"),
    [
        (P, 0),
        (P.filter(P.sex == "F", P.centre_id == "C1"), 0),
        (P.filter(P.age >= 40, P.age <= 84), 2),
        (P.filter(P.age >= 40).filter(lambda t: t.age >= 40), 1),
        (P.filter(P.age == 40), 2),
        (P.filter(P.age.isin([40, 41, 42])), 2),
        (P.filter(P.age.isin([40, 42])), 5),
        (P.filter((P.age < 20) | (P.age > 60)), 5),
        (P.filter((P.sex == "F") | (P.sex == "M")), 0),
        (P.filter(P.centre_id.isin(["C1", "C3", "C5"])), 1),
    ],
)
def test_what_is_said_twice_counts_once(persons, count):
    assert descriptions(asked(counted(persons, "age_band"))) == count


def test_a_project_may_be_stricter():
    aged = counted(P.filter(P.age >= 40, P.age <= 84), "sex")
    assert not refused(aged) and refused(aged, Policy(max_descriptions=1))


def test_the_refusal_says_what_to_do():
    with pytest.raises(Refusal) as problem:
        check_selectors(asked(counted(P.filter(P.age.isin(AGES)), "sex")))
    assert problem.value.code is ErrorCode.NOT_PUBLISHABLE
    assert problem.value.params == {"said": 29, "limit": MOST}
    assert "29 descriptions" in explain(problem.value.code, problem.value.params).what
