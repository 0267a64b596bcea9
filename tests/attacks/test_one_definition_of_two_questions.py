"""Two questions about different people that would be known as one: what was shown of the first is given for
the second, and a publication takes two cells for one. Each pair selects others of the same five patients; it
succeeds where both have one definition. With what tells them apart taken out it does, and not with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import ibis
import pytest

from hub_config.gateway.rules.earlier import canonical, definitions, regions
from hub_config.gateway.rules.earlier.definitions import Setting, recorded_columns, single_tables
from hub_config.gateway.rules.earlier.drafted import drafted
from hub_config.gateway.rules.plan import AuthorisedQuery, BoundTable, ReleasePlan
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.catalogue import load_catalogue
from p4dp_sdk.disclosure.policy import Policy

CATALOGUE = load_catalogue()
TABLES = ("patients", "lab_results")
ROWS = {
    "patients": {
        "patient_id": [1, 2, 3, 4, 5],
        "age": [12, 38, 39, 40, 41],
        "birth_month": [date(year, 1, 1) for year in (2012, 1986, 1985, 1984, 1983)],
    },
    "lab_results": {"patient_id": [1, 2, 3, 4, 5], "value": [0.0, 0.5, 2.5, 3.5, 7.0]},
}
Condition = Callable[[ibis.Table], ibis.Value]


def said_plainly(_dtype: object) -> bool:
    return True


def as_python_has_it(literal: object) -> object:
    return literal.value  # type: ignore[attr-defined]


def nowhere_between(*_: object) -> bool:
    return False


def any_number(_value: object) -> bool:
    return True


def unknown_where_either_is(one: regions.Evaluated, other: regions.Evaluated) -> regions.Evaluated:
    return regions._known(lambda a, b: a and b, one, other)


CONSTANT = (regions, "_constant", as_python_has_it)
PAIRS: dict[str, tuple[str, Condition, Condition, tuple[object, str, object]]] = {
    "39.5 and 40.5 as upper ends of an age": (
        "patients", lambda t: t.age <= 39.5, lambda t: t.age < 40.5,
        (definitions, "_is_between", nowhere_between),
    ),
    "39.5 and 40.5 as lower ends": (
        "patients", lambda t: t.age > 39.5, lambda t: t.age >= 40.5,
        (definitions, "_is_between", nowhere_between),
    ),
    "thirty days and thirty months": (
        "patients", lambda t: t.birth_month + ibis.interval(days=30) < date(1986, 1, 1),
        lambda t: t.birth_month + ibis.interval(months=30) < date(1986, 1, 1),
        (canonical, "is_told_by_its_value", said_plainly),
    ),
    "everybody and nobody, by infinity": (
        "lab_results", lambda t: t.value < float("inf"), lambda t: (t.value < 1) & (t.value > 5), CONSTANT,
    ),
    "everybody and nobody, by a huge number": (
        "lab_results", lambda t: t.value < 1e17, lambda t: (t.value < 1) & (t.value > 5), CONSTANT,
    ),
    "an endless quotient and one that is no number": (
        "lab_results", lambda t: (t.value / 0).isinf(), lambda t: (t.value / 0).isnan(),
        (regions, "is_finite", any_number),
    ),
    "not between nothing and 40, and nobody": (
        "patients", lambda t: ~t.age.between(ibis.null("int32"), 40), lambda t: (t.age < 1) & (t.age > 5),
        (regions, "_all", unknown_where_either_is),
    ),
}  # fmt: skip


def seen(name: str) -> ibis.Table:
    columns = CATALOGUE.tables[name].columns
    return ibis.table(
        {each.name: each.dtype for each in columns if each.role.value not in ("physician", "raw")}, name=name
    )


def bound(name: str) -> BoundTable:
    visible, table = seen(name), CATALOGUE.tables[name]
    schema = {**dict(visible.schema().items()), "__patient": "int64", "__physician": "int32"}
    columns = tuple(column for column in table.columns if column.name in visible.columns)
    relation = ibis.table(schema, name=name, catalog="temp", database="main")
    return BoundTable(replace(table, columns=columns), relation)


def definition(table: str, holds: Condition) -> list[list[int]]:
    """That of the number of patients of whom it holds; empty where there is none."""
    people = seen(table).filter(holds)
    plan = split(
        AuthorisedQuery(
            expression=people.agg(n=people.patient_id.nunique()),
            tables={name: bound(name) for name in TABLES},
            domains={},
            calendar=(date(2015, 1, 1), date(2020, 12, 31)),
            access=AccessLevel.AGGREGATE,
            policy=Policy(),
        )
    )
    assert isinstance(plan, ReleasePlan)
    setting = Setting(name, "1", recorded_columns(CATALOGUE), single_tables(CATALOGUE))
    made = drafted(plan.releases[0], [()], setting)
    return made["n"].tolist() if made else []


def name(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:15])


def selected(table: str, holds: Condition) -> set[int]:
    rows = ibis.memtable(ROWS[table])
    return set(ibis.duckdb.connect().execute(rows.filter(holds)).patient_id)


def succeeds(table: str, one: Condition, other: Condition) -> bool:
    first, second = definition(table, one), definition(table, other)
    return bool(first) and first == second


@pytest.mark.parametrize("attack", PAIRS)
def test_two_questions_are_two(attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table, one, other, defence = PAIRS[attack]
    assert selected(table, one) != selected(table, other)
    assert not succeeds(table, one, other)
    monkeypatch.setattr(*defence)
    assert succeeds(table, one, other)


def test_what_is_one_question_stays_one() -> None:
    for one, other in (
        (lambda t: t.age <= 39.5, lambda t: t.age < 40),
        (lambda t: t.age > 39.5, lambda t: t.age >= 40),
        (lambda t: t.age <= 39, lambda t: t.age < 39.5),
    ):
        assert succeeds("patients", one, other)


def test_a_comparison_with_nothing_has_a_definition() -> None:
    """A table with one is not beyond what definitions know."""
    assert definition("patients", lambda t: t.age < ibis.null("int32"))


def test_a_mean_of_the_warehouse_is_a_number_and_one_of_quotients_may_not_be() -> None:
    value = ibis._.value
    labs = seen("lab_results").group_by("patient_id").agg(known=value.mean(), own=(value / 0).mean())
    means = seen("patients").left_join(labs, "patient_id").select("patient_id", "known", "own")
    assert regions.is_finite(means.known.op())
    assert not regions.is_finite(means.own.op())
