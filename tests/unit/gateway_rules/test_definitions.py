"""What a published cell is, whatever the data: what is said in other words is the same, what follows adds up,
and nothing else is equal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import ibis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import p4dp_sdk as p4dp
from hub_config.gateway.publication.cube import shape_of
from hub_config.gateway.publication.defined import defined
from hub_config.gateway.publication.dimensions import variable_of
from hub_config.gateway.rules.earlier.definitions import (
    PRIME,
    Definitions,
    Setting,
    added,
    condition_on,
    known_codes,
    number_of,
    recorded_columns,
    single_tables,
    summed,
    words,
)
from hub_config.gateway.rules.earlier.drafted import drafted
from hub_config.gateway.rules.plan import AuthorisedQuery, BoundTable, Release, ReleasePlan
from hub_config.gateway.rules.protect import full_domain
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.catalogue import load_catalogue
from p4dp_sdk.disclosure.policy import Policy

CATALOGUE = load_catalogue()
DOMAINS = {
    name: tuple(code.code for code in system.codes) or ("C1", "C2")
    for name, system in CATALOGUE.code_systems.items()
}


def seen(name: str) -> ibis.Table:
    table = CATALOGUE.tables[name]
    columns = {c.name: c.dtype for c in table.columns if c.role.value not in ("physician", "raw")}
    return ibis.table(columns, name=name)


P, D, L = seen("patients"), seen("diagnoses"), seen("lab_results")


def bound(name: str) -> BoundTable:
    visible = seen(name)
    schema = {**dict(visible.schema().items()), "__patient": "int64", "__physician": "int32"}
    table = CATALOGUE.tables[name]
    columns = tuple(column for column in table.columns if column.name in visible.columns)
    relation = ibis.table(schema, name=name, catalog="temp", database="main")
    return BoundTable(replace(table, columns=columns), relation)


def released(expression: ibis.Table) -> Release:
    plan = split(
        AuthorisedQuery(
            expression=expression,
            tables={name: bound(name) for name in ("patients", "diagnoses", "lab_results")},
            domains=DOMAINS,
            calendar=(date(2015, 1, 1), date(2020, 12, 31)),
            access=AccessLevel.AGGREGATE,
            policy=Policy(),
        )
    )
    assert isinstance(plan, ReleasePlan)
    return plan.releases[0]


def name(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:15])


def setting(scope: str = "1") -> Setting:
    return Setting(
        name, scope, recorded_columns(CATALOGUE), single_tables(CATALOGUE), known_codes(CATALOGUE, DOMAINS)
    )


def cells(expression: ibis.Table, measure: str = "n", scope: str = "1") -> dict[tuple[object, ...], int]:
    """The definition of each row of the table, by its labels; of all of them together by ()."""
    release = released(expression)
    shape = shape_of(release, tuple(variable_of(domain, ()) for domain in release.domains))
    words = defined(shape, setting(scope)).numbers[measure]
    places = {tuple(map(int, codes)): place for place, codes in enumerate(shape.coordinates)}
    found = {label: number_of(words[places[codes]]) for label, codes in shape.rows_of_table() if codes}
    return found | {(): number_of(words[places[(0,) * len(shape.levels)]])}


def has(code: str) -> ibis.Value:
    return P.patient_id.isin(D.filter(D.cisp2 == code).patient_id)


def counted(people: ibis.Table, *keys: object, **named: object) -> ibis.Table:
    grouped = people.group_by(*keys, **named) if keys or named else people
    return grouped.agg(n=people.patient_id.nunique())


ILL = P.filter(has("T90"))
SAME: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "another name for a key": (
        lambda: cells(counted(P, "sex"))[("F",)],
        lambda: cells(counted(P, s=P.sex))[("F",)],
    ),
    "a renamed column below": (
        lambda: cells(counted(P, "sex"))[("F",)],
        lambda: cells(counted(P.rename(s="sex").mutate(x=ibis._.age), "s"))[("F",)],
    ),
    "a key and a filter": (
        lambda: cells(counted(P, "sex"))[("F",)],
        lambda: cells(counted(P.filter(P.sex == "F")))[()],
    ),
    "a margin": (
        lambda: cells(counted(ILL, "sex"))[()],
        lambda: cells(counted(ILL, "sex", "age_band"))[()],
    ),
    "keys in another order": (
        lambda: cells(counted(ILL, "sex", "age_band"))[("F", "40-49")],
        lambda: cells(counted(ILL, "age_band", "sex"))[("40-49", "F")],
    ),
    "filters in another order": (
        lambda: cells(counted(P.filter(P.sex == "F").filter(P.age > 40)))[()],
        lambda: cells(counted(P.filter((P.age > 40) & (P.sex == "F"))))[()],
    ),
    "40 to 49, said twice": (
        lambda: cells(counted(P, "age_band"))[("40-49",)],
        lambda: cells(counted(P.filter(P.age.between(40, 49))))[()],
    ),
    "a class of age": (
        lambda: cells(counted(P, b=p4dp.age_bands(P.age, [20, 40])))[("20-39",)],
        lambda: cells(counted(P.filter((P.age >= 20) & (P.age < 40))))[()],
    ),
    "a measure's condition": (
        lambda: cells(P.agg(n=P.patient_id.nunique(where=P.sex == "F")))[()],
        lambda: cells(counted(P, "sex"))[("F",)],
    ),
    "who has a code, as a key": (
        lambda: cells(counted(ILL))[()],
        lambda: cells(counted(P, k=has("T90")))[(True,)],
    ),
    "all, and all whose sex is known": (
        lambda: cells(counted(P.filter(P.sex.notnull())))[()],
        lambda: cells(counted(P))[()],
    ),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_is_said_in_other_words_is_the_same(
    one: Callable[[], object], other: Callable[[], object]
) -> None:
    assert one() == other()


def test_nothing_else_is() -> None:
    """Every cell of these tables is another one, though most would hold the same people by chance."""
    young, known = P.age < 40, P.centre_id.isin(["C1"]) & (P.birth_month == date(1970, 3, 1))
    tables = [
        P, ILL, P.filter(young), P.filter(~young), ILL.filter(young), P.filter(has("K86")),
        ILL.filter(~known), P.filter(P.age <= 40), P.filter(P.death_month.notnull()),
        P.filter(has("T90") | has("K86")), P.filter(P.registration == "x"),
        P.filter(P.registration.notnull()), P.filter(P.birth_month.notnull()),
        *(P.filter(P.birth_month + ibis.interval(1, unit=unit) < date(1970, 3, 1)) for unit in "DWMQY"),
    ]  # fmt: skip
    found = [one for each in tables for one in cells(counted(each, "sex")).values()]
    found += [cells(D.agg(n=D.count()))[()], cells(counted(D))[()], cells(counted(L))[()]]
    found += [cells(counted(P), scope="2")[()], cells(L.agg(n=L.value.sum()))[()]]
    assert len(set(found)) == len(found) and 0 not in found


def test_a_window_is_of_the_rows_that_it_goes_through() -> None:
    times = ibis._.count().over(group_by="patient_id")
    before = D.mutate(k=times).filter(D.cisp2 == "T90").filter(ibis._.k > 1)
    after = D.filter(D.cisp2 == "T90").mutate(k=times).filter(ibis._.k > 1)
    assert cells(counted(before))[()] != cells(counted(after))[()]


def test_an_outer_join_may_have_made_it_missing() -> None:
    few = L.filter(L.analyte == "hba1c").group_by("patient_id").agg(v=L.value.mean())
    joined = P.left_join(few, "patient_id")
    assert cells(counted(joined.filter(joined.v.notnull())))[()] != cells(counted(joined))[()]


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(1, 100), min_size=2, max_size=5), st.data())
def test_classes_add_up_to_wider_classes(edges: set[int], data: st.DataObject) -> None:
    fine = sorted(edges)
    coarse = sorted(data.draw(st.sets(st.sampled_from(fine), min_size=1)))
    narrow = list(cells(counted(ILL, b=p4dp.age_bands(P.age, fine))).values())
    wide = cells(counted(ILL, b=p4dp.age_bands(P.age, coarse)))
    first = sum(narrow[: fine.index(coarse[0]) + 1]) % PRIME
    assert first == next(iter(wide.values()))
    assert wide[()] == cells(counted(ILL))[()]


def test_patients_add_up_over_what_they_have_once_only() -> None:
    """Who has two diagnoses is in two cells: how many, is not known beforehand."""
    by_code = cells(counted(D.filter(D.cisp2.isin(["T90", "K86"])), "cisp2"))
    rows = cells(D.filter(D.cisp2.isin(["T90", "K86"])).group_by("cisp2").agg(n=ibis._.count()))
    pair = [("T90",), ("K86",)]
    assert sum(by_code[label] for label in pair) % PRIME != by_code[()]
    assert sum(rows[label] for label in pair) % PRIME == rows[()]


def test_signs_and_unknown_definitions() -> None:
    rows = words([PRIME - 1, 5, 7])
    assert summed(rows) == 11 and summed(rows, [1, -1, 1]) == 1
    assert summed(words([5, 0])) == 0, "nothing is known of a sum with an unknown part"
    assert [number_of(row) for row in added(rows, np.array([0, 2]))] == [4, 7]


# --- of drafts ---------------------------------------------------------------------------------------------


def drafts() -> dict[str, ibis.Table]:
    ill, joined = marked_ill(), D.join(P, "patient_id")
    return {
        "a key that a filter bounds": counted(P.filter(P.age >= 30), "age_band", "sex"),
        "two keys of one column": counted(P, "age_band", wide=P.age >= 40),
        "a key and a condition": ill.group_by("sex").agg(n=ill.patient_id.nunique(where=ill.ill)),
        "rows": joined.group_by("cisp2", "sex").agg(n=joined.count()),
        "a key of two columns": counted(P, both=(P.age >= 40) | (P.sex == "F")),
        "no key": counted(P),
    }


def marked_ill() -> ibis.Table:
    return P.mutate(ill=has("T90"))


@pytest.mark.parametrize("draft", list(drafts().values()), ids=list(drafts()))
def test_many_cells_at_once_are_defined_as_one_by_one(draft: ibis.Table) -> None:
    release = released(draft)
    definitions, (measure,) = Definitions(release, setting()), release.measures
    labels = list(full_domain(release))
    one_by_one = [
        definitions.numbers(
            measure,
            [
                condition_on(definitions.key(key), [part])
                for key, part in zip(release.keys, label, strict=True)
            ],
        )
        for label in labels
    ]
    assert definitions.cells(measure, labels) == one_by_one
    assert drafted(release, labels, setting())["n"].tolist() == words(one_by_one).tolist()


def test_what_has_no_definition_is_asked_all_the_same() -> None:
    def unknown(_: str) -> int:
        raise NotImplementedError

    release = released(counted(P, "sex"))
    assert drafted(release, [("F",)], replace(setting(), name=unknown)) == {}
    assert drafted(release, [("F",)], None) == {}
