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
from p4dp_sdk.wire.messages import explain
from tests.benchmarks.dashboards import dashboards
from tests.benchmarks.usability import Cohort, edited, table_one
from tests.unit.publication.definitions import asked, codes, counted, seen

P, D, X, R, B = (seen(n) for n in ("patients", "diagnoses", "lab_results", "prescriptions", "biometrics"))
H, V = seen("history"), seen("vaccinations")
CANCER = (
    "A79", "B72", "B73", "B74", "D74", "D75", "D76", "D77", "F74", "H75", "K72", "L71", "N74", "R84", "R85",
    "S77", "T71", "U75", "U76", "U77", "W72", "X75", "X76", "X77", "Y77", "Y78",
)  # fmt: skip
COMMON = (
    "K86", "R74", "R78", "L03", "T90", "A62", "R05", "P76", "P06", "A44", "A50", "L86", "R75", "R76", "L99",
    "T93", "L15", "L87", "U71",
)  # fmt: skip
MOST = Policy().max_descriptions


def either(conditions: Sequence[Any]) -> Any:
    return reduce(operator.or_, conditions)


# --- definitions of theses ---------------------------------------------------------------------------------


def new_diabetes() -> Any:
    """Type 2 diabetes between two dates, at 40 to 84, without an infarction or stroke before."""
    index = D.filter(D.cisp2.isin(["T89", "T90"]), D.date >= "2015-01-01", D.date <= "2019-12-31")
    first = index.group_by("patient_id").agg(t0=index.date.min())
    cohort = P.join(first, "patient_id").filter(lambda t: t.age.between(40, 84))
    earlier = D.join(first, "patient_id").filter(
        lambda t: t.cisp2.isin(["K75", "K76", "K90", "K91"]), lambda t: t.date < t.t0
    )
    return cohort.filter(~cohort.patient_id.isin(earlier.patient_id))


def with_last_hba1c() -> Any:
    """In classes of the last HbA1c in the half year before, and whether treated within three months."""
    cohort = new_diabetes()
    dates = cohort.select("patient_id", "t0")
    valid = X.filter(X.analyte == "hba1c", X.value >= 4, X.value <= 15).join(dates, "patient_id")
    measured = valid.filter(lambda t: t.date >= t.t0 - ibis.interval(months=6), lambda t: t.date <= t.t0)
    last = measured.group_by("patient_id").agg(hba1c=measured.value.mean())
    started = R.join(dates, "patient_id").filter(
        lambda t: t.atc.startswith("A10B"),
        lambda t: t.date >= t.t0,
        lambda t: t.date <= t.t0 + ibis.interval(months=3),
    )
    classed = cohort.mutate(treated=cohort.patient_id.isin(started.patient_id)).left_join(last, "patient_id")
    bands = p4dp.value_bands(classed.hba1c, [6.5, 7, 8, 9])
    return counted(classed.mutate(hba1c_class=bands), "sex", "treated", "hba1c_class")


def on_two_lists_of_drugs() -> Any:
    cohort = new_diabetes()
    statins = R.filter(R.atc.startswith("C10AA")).patient_id
    others = R.filter(R.atc.isin(["B01AA03", "B01AF01", "B01AF02", "A02BC01"])).patient_id
    return counted(cohort.filter(cohort.patient_id.isin(statins), ~cohort.patient_id.isin(others)), "sex")


def filtration() -> Any:
    """CKD-EPI 2021 (Inker et al., NEJM 385 (2021) 1737), in the classes of KDIGO."""
    valid = X.filter(X.analyte == "creatinine", X.dq_code == "ok")
    mean = valid.group_by("patient_id").agg(creatinine=valid.value.mean())
    t = P.join(mean, "patient_id").filter(lambda t: t.age.between(40, 84))
    ratio = t.creatinine / 88.4 / ibis.ifelse(t.sex == "F", 0.7, 0.9)
    low = ibis.least(ratio, 1.0) ** ibis.ifelse(t.sex == "F", -0.241, -0.302)
    high = ibis.greatest(ratio, 1.0) ** -1.2
    rate = 142 * low * high * ibis.literal(0.9938) ** t.age * ibis.ifelse(t.sex == "F", 1.012, 1.0)
    return counted(t.mutate(stage=p4dp.value_bands(rate, [15, 30, 45, 60, 90])), "sex", "stage")


def mass_index() -> Any:
    """Of children, above a threshold by age."""
    weight, height = B.filter(B.measure == "weight"), B.filter(B.measure == "height")
    both = weight.join(height, ["patient_id", "date"])
    index = both.select("patient_id", "date", bmi=both.value / (both.value_right / 100) ** 2)
    last = index.group_by("patient_id").agg(bmi=index.bmi.last(order_by=index.date))
    t = P.filter(P.age >= 6, P.age < 16).join(last, "patient_id")
    limit = ibis.cases(
        (t.age < 8, 19.1), (t.age < 10, 20.5), (t.age < 12, 22.0), (t.age < 14, 23.5), else_=24.5
    )
    return counted(t.mutate(heavy=t.bmi >= limit), "sex", "heavy")


def boosters_due() -> Any:
    doses = V.filter(V.atc.isin(["J07CA01", "J07CA02"]))
    t = P.left_join(doses.group_by("patient_id").agg(last=doses.date.max()), "patient_id")
    years = ibis.literal(date(2022, 12, 31)).delta(t.last, unit="year")
    old, adult = (t.age >= 65) & (years > 10), (t.age < 65) & (years > 20)
    state = ibis.cases((t.last.isnull(), "never"), (old, "late"), (adult, "late"), else_="up to date")
    return counted(t.mutate(state=state), "state", "age_band")


def known_diabetes() -> Any:
    """Coded, or treated on three dates of a year."""
    treated = R.filter(R.atc.startswith("A10"), R.date >= "2022-01-01").group_by("patient_id")
    often = treated.agg(times=lambda t: t.date.nunique()).filter(lambda t: t.times >= 3)
    coded = D.filter(D.cisp2.isin(["T89", "T90"])).patient_id
    return counted(
        P.filter(P.patient_id.isin(coded) | P.patient_id.isin(often.patient_id)), "sex", "age_band"
    )


def any_cancer() -> Any:
    return counted(P.filter(P.patient_id.isin(D.filter(D.cisp2.isin(CANCER)).patient_id)), "sex")


def by_month() -> Any:
    d = D.filter(D.date >= "2019-03-15", D.date < "2021-09-01")
    return counted(d, month=d.date.truncate("M"))


def by_region() -> Any:
    centres = seen("centres").select("centre_id", "region")
    return counted(P.join(centres, "centre_id"), "region", "sex")


def labelled() -> Any:
    labels = ibis.memtable({"cisp2": COMMON, "label": [f"label {code}" for code in COMMON]})
    return counted(D.join(labels, "cisp2"), "label")


HONEST: dict[str, Callable[[], Any]] = {
    "new diabetes": lambda: counted(new_diabetes(), "sex", "age_band"),
    "with last HbA1c": with_last_hba1c,
    "two lists of drugs": on_two_lists_of_drugs,
    "filtration": filtration,
    "mass index": mass_index,
    "boosters due": boosters_due,
    "known diabetes": known_diabetes,
    "eight cuts": lambda: counted(P, "sex", band=p4dp.age_bands(P.age, [18, 30, 40, 50, 60, 70, 80, 90])),
    "months": by_month,
    "season": lambda: counted(D, winter=D.date.month().isin([11, 12, 1, 2, 3])),
    "year": lambda: counted(D.filter(D.date.year() == 2021), "centre_id", "cisp2"),
    "any cancer": any_cancer,
    "the commonest": lambda: counted(D.filter(D.cisp2.isin(COMMON)).join(P, "patient_id"), "cisp2", "sex"),
    "chapters": lambda: counted(D, "centre_id", chapter=D.cisp2[0]),
    "labels of codes": labelled,
    "regions": by_region,
    "smokers": lambda: counted(H.filter(H.kind == "tobacco", H.status.isin(["current", "former"])), "status"),
}


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
