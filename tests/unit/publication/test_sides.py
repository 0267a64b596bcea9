"""Ten people are ten descriptions, however "or" is put: by De Morgan, numbers, comparisons, joins, NULL.

Each person is a box: what several tables or columns say of them at once. Each way below selects whoever fits
one of ten boxes, and would count next to nothing if only the word "or" counted.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce
from typing import Any

import ibis
import pytest

from hub_config.gateway.publication.selectors import FREE_EXCLUSIONS, descriptions
from p4dp_sdk.disclosure.policy import Policy
from tests.unit.publication.definitions import asked, codes, counted, seen

P, D = seen("patients"), seen("diagnoses")
MOST, TEN = Policy().max_descriptions, range(10)
CENTRES = ("C1", "C2", "C3", "C4", "C5")
Ways = dict[str, Callable[[], Any]]


def code(i: int) -> str:
    known = codes("cisp2")
    return known[(37 * i + 5) % len(known)]


def rows(i: int) -> Any:
    return D.filter(D.cisp2 == code(i), D.centre_id == CENTRES[i % 5])


def row(i: int) -> Any:
    return (D.cisp2 == code(i)) & (D.centre_id == CENTRES[i % 5])


def by_rows(i: int) -> Any:
    return P.patient_id.isin(rows(i).patient_id)


def by_columns(i: int) -> Any:
    bands = codes("age_band")
    return (
        (P.sex == "FM"[i % 2]) & (P.centre_id == CENTRES[i % 5]) & (P.age_band == bands[3 * i % len(bands)])
    )


def all_of(conditions: Sequence[Any]) -> Any:
    return reduce(operator.and_, conditions)


def number(condition: Any) -> Any:
    return condition.cast("int8")


def added(numbers: Sequence[Any]) -> Any:
    return reduce(operator.add, numbers)


def each(**named: Any) -> Any:
    """Worked out for each patient, beside who they are."""
    return P.join(P.group_by("patient_id").agg(**named), "patient_id")


def kept(conditions: Sequence[Any]) -> Any:
    return P.filter(conditions).select("patient_id")


def one_day(condition: Any) -> Any:
    days = ibis.literal(date(2001, 1, 2)), ibis.literal(date(2001, 1, 1))
    return ibis.ifelse(condition, *days).delta(days[1], unit="day")


def in_steps(step: Callable[[Any, int], Any]) -> Any:
    t = P.mutate(k=P.sex == "F")
    for i in TEN:
        t = t.mutate(k=step(t, i))
    return counted(t, "k")


def by_values(xs: Sequence[Any], no: Sequence[Any]) -> Ways:
    """In one formula. `xs`: the ten boxes; `no`: their negations."""
    emptied = [ibis.ifelse(x, ibis.null("boolean"), True) for x in xs]
    turned_off = [ibis.ifelse(x, False, True) for x in xs]
    formulas: dict[str, Callable[[], Any]] = {
        "not all not": lambda: ~all_of(no),
        "different from": lambda: reduce(operator.ne, xs),
        "not equal": lambda: reduce(lambda a, b: ~(a == b), xs),
        "less": lambda: ~reduce(lambda a, b: b < a, no),
        "at most": lambda: reduce(lambda a, b: (~a) <= b, xs),
        "between": lambda: reduce(lambda a, b: ~(~a).between(b, True), xs),
        "false or true": lambda: ibis.ifelse(all_of(turned_off), False, True),
        "not true": lambda: all_of([x != True for x in xs]) != True,  # noqa: E712 - what is tried
        "is false": lambda: all_of([x == False for x in xs]) == False,  # noqa: E712 - what is tried
        "true among": lambda: ibis.literal(True).isin(xs),
        "sum": lambda: added([number(x) for x in xs]) > 0,
        "sum of cases": lambda: added([ibis.ifelse(x, 1.5, 0.5) for x in xs]) > 5.5,
        "difference": lambda: reduce(operator.sub, [number(x) for x in xs]) != 0,
        "added to an age": lambda: added([P.age, *(ibis.ifelse(x, 1000, 0) for x in xs)]) > 500,
        "power": lambda: reduce(lambda a, x: a ** ibis.ifelse(x, 0, 1), xs, P.age + 2.0) <= 1,
        "days": lambda: added([one_day(x) for x in xs]) > 0,
        "NULL among": lambda: all_of(emptied).isnull(),
        "NULL in a sum": lambda: added([x.nullif(True).cast("int8") for x in xs]).isnull(),
        "not least": lambda: ~ibis.least(*no),
    }
    return {
        name: lambda formula=formula: counted(P.filter(formula()), "sex")
        for name, formula in formulas.items()
    }  # type: ignore[misc]


def by_relations(xs: Sequence[Any], no: Sequence[Any]) -> Ways:
    """By keys, joins, and what is worked out for each patient."""
    left = P.left_join(kept(no).mutate(there=True), "patient_id")
    numbers = {f"n{i}": P.count(where=x) for i, x in enumerate(xs)}
    return {
        "a key": lambda: counted(P.mutate(k=all_of(no)), "k"),
        "not in": lambda: counted(P.filter(~P.patient_id.isin(kept(no).patient_id)), "sex"),
        "anti join": lambda: counted(P.anti_join(kept(no), "patient_id"), "sex"),
        "left join": lambda: counted(left.mutate(k=left.there.isnull()), "k"),
        "any": lambda: counted(each(k=all_of(no).any()).filter(lambda t: ~t.k), "sex"),
        "all": lambda: counted(each(k=all_of(no).all()).filter(lambda t: ~t.k), "sex"),
        "most": lambda: counted(each(k=number(all_of(no)).max()).filter(lambda t: t.k == 0), "sex"),
        "counted": lambda: counted(each(k=P.count(where=all_of(no))).filter(lambda t: t.k == 0), "sex"),
        "fewer": lambda: counted(
            each(k=P.count(where=all_of(no)), m=P.count()).filter(lambda t: t.k < t.m), "sex"
        ),
        "a measure": lambda: counted(
            each(k=P.age.max(where=all_of(no))).filter(lambda t: t.k.isnull()), "sex"
        ),
        "counts": lambda: counted(
            each(**numbers).filter(lambda t: added([t[n] for n in numbers]) > 0), "sex"
        ),
    }


def joined() -> Any:
    """Beside each patient what there is of each box; NULL where there is nothing."""
    t = P
    for i in TEN:
        found = rows(i).group_by(**{f"p{i}": "patient_id"}).agg(**{f"d{i}": lambda r: r.date.min()})
        t = t.left_join(found, t.patient_id == found[f"p{i}"])
    return t


def chained(step: Callable[[Any, int], Any]) -> Any:
    t = P.view()
    for i in TEN:
        t = step(t, i)
    return counted(P.filter(~P.patient_id.isin(t.patient_id)), "sex")


def fewer_rows() -> Any:
    whole = D.group_by("patient_id").agg(n=D.count())
    rest = D.filter([~row(i) for i in TEN]).group_by("patient_id").agg(m=lambda t: t.count())
    t = P.join(whole, "patient_id").join(rest, "patient_id")
    return counted(t.filter(t.m < t.n), "sex")


def some_there(flag: Callable[[int], Any]) -> Any:
    found = D.group_by("patient_id").agg(**{f"h{i}": flag(i) for i in TEN})
    t = P.join(found, "patient_id")
    return counted(t.filter(added([number(t[f"h{i}"].notnull()) for i in TEN]) > 0), "sex")


DAY = date(2001, 1, 1)
STRUCTURES: Ways = {
    "chain of not in": lambda: chained(lambda t, i: t.filter(~t.patient_id.isin(rows(i).patient_id))),
    "chain of anti joins": lambda: chained(lambda t, i: t.anti_join(rows(i), "patient_id")),
    "columns": lambda: in_steps(lambda t, i: t.k & ~t.patient_id.isin(rows(i).patient_id)),
    "columns compared": lambda: in_steps(lambda t, i: t.k < t.patient_id.isin(rows(i).patient_id)),
    "not all missing": lambda: counted(
        joined().filter(lambda t: ~all_of([t[f"d{i}"].isnull() for i in TEN])), "sex"
    ),
    "not all empty": lambda: counted(joined().drop_null([f"d{i}" for i in TEN], how="all"), "sex"),
    "not all filled": lambda: counted(
        joined().filter(lambda t: ~all_of([t[f"d{i}"].fill_null(DAY) == DAY for i in TEN])), "sex"
    ),
    "fewer rows": fewer_rows,
    "there where": lambda: some_there(
        lambda i: (D.cisp2 == code(i)).any(where=D.centre_id == CENTRES[i % 5])
    ),
    "last where": lambda: some_there(lambda i: D.date.max(where=row(i))),
}


def every_way() -> Ways:
    found = dict(STRUCTURES)
    for said, box in {"rows": by_rows, "columns": by_columns}.items():
        xs = [box(i) for i in TEN]
        no = [~x for x in xs]
        found |= {f"{said}: {name}": way for name, way in (by_values(xs, no) | by_relations(xs, no)).items()}
    return found


WAYS = every_way()


@pytest.mark.parametrize("way", WAYS)
def test_ten_boxes_are_too_many_however_they_are_put(way):
    assert descriptions(asked(WAYS[way]())) > MOST


# --- what leaves people out --------------------------------------------------------------------------------


def without(number: int) -> Any:
    return counted(P.filter([~by_rows(i) for i in range(number)]), "sex")


@pytest.mark.parametrize("number", range(1, FREE_EXCLUSIONS + 1))
def test_what_one_had_before_excludes_for_nothing(number):
    """Exclusions narrow: whoever is left has none of them."""
    assert descriptions(asked(without(number))) == 0


def test_people_left_out_one_by_one_are_too_many():
    """Twelve who are left out are more than "few": what is left, beside everybody, would be a number."""
    assert descriptions(asked(without(12))) > MOST


def test_of_one_code_each_twelve_may_be_left_out():
    """What ADR 0015 says is left: "few", as the memory of answers draws it, has room for twelve."""

    def without_codes(number: int) -> Any:
        each = (D.filter(D.cisp2 == code(i)).patient_id for i in range(number))
        return counted(P.filter([~P.patient_id.isin(ids) for ids in each]), "sex")

    assert descriptions(asked(without_codes(12))) <= MOST < descriptions(asked(without_codes(13)))
    assert descriptions(asked(without(11))) <= MOST


def test_an_exclusion_is_the_same_by_a_join():
    def chain(number: int) -> Any:
        return counted(reduce(lambda t, i: t.anti_join(rows(i), "patient_id"), range(number), P), "sex")

    assert descriptions(asked(chain(4))) == 0
    assert descriptions(asked(chain(12))) > MOST


def test_what_is_joined_beside_a_cohort_says_no_more_than_the_cohort():
    """Its exclusions are everybody's who is counted."""
    cohort = P.filter([~by_rows(i) for i in range(4)])
    events = D.join(cohort.select("patient_id"), "patient_id")
    last = events.group_by("patient_id").agg(last=events.date.max())
    beside = cohort.left_join(last, "patient_id")
    assert descriptions(asked(counted(beside.mutate(seen=beside["last"].notnull()), "seen"))) == 0


@pytest.mark.parametrize(
    ("persons", "count"),
    [
        (P.filter(~((P.age >= 40) & (P.age <= 84))), 3),
        (P.filter(~(~(P.age >= 40) & ~(P.age <= 20))), 3),
        (P.filter(~(~by_rows(0) & ~by_rows(1))), 3),
        (P.mutate(k=~by_rows(0) & ~by_rows(1)), 3),
        (P.mutate(k=by_rows(0) & by_rows(1)), 1),
    ],
)
def test_failing_what_is_plain_names_nobody(persons, count):
    assert descriptions(asked(counted(persons, *(("k",) if "k" in persons.columns else ("sex",))))) == count


def test_substances_are_one_list():
    """A sum of conditions on codes alone, as in polypharmacy."""
    held = D.group_by("patient_id").agg(**{f"h{i}": (D.cisp2 == code(i)).any() for i in range(6)})
    t = P.join(held, "patient_id")
    many = t.filter(added([number(t[f"h{i}"]) for i in range(6)]) >= 3)
    assert descriptions(asked(counted(many, "sex"))) == 6
