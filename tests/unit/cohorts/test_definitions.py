"""What a definition says: errors that name the remedy, prose in two languages, a fingerprint; matching."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.cohorts import Cohort, CohortError, EventTable, months, years
from p4dp_sdk.cohorts.matching import Rule, matched
from p4dp_sdk.identity import Access

from .written import site

PEOPLE = {"patients": [{"patient_id": 1, "sex": "F", "birth_month": date(1970, 1, 1)}]}


@pytest.fixture(autouse=True)
def _french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "fr")


@pytest.fixture
def ws() -> Any:
    return site(PEOPLE)


def d(ws: Any) -> EventTable:
    table: EventTable = ws.tables["diagnoses"]
    return table


def diabetes(ws: Any) -> Cohort:
    return Cohort(ws, "Diabète").index(first=d(ws).where(d(ws).cisp2 == "T90"))


WRONG: list[tuple[str, Callable[[Any], Any], str]] = [
    ("no index", lambda ws: Cohort(ws, "Vide").relation, "pas de date d'inclusion"),
    ("two ways", lambda ws: Cohort(ws, "x").index(first=d(ws), last=d(ws)), "exactement un"),
    ("no events", lambda ws: Cohort(ws, "x").index(first=d(ws).filter(d(ws).cisp2 == "T90")), "événements"),
    ("reversed", lambda ws: diabetes(ws).between("2016-01-01", "2015-01-01"), "Inversez"),
    ("future", lambda ws: diabetes(ws).between("2016-01-01", "2030-01-01"), "2018-12-31"),
    ("no date", lambda ws: diabetes(ws).between("1/1/2016", "2030-01-01"), "année-mois-jour"),
    ("no length", lambda ws: diabetes(ws).washout(), "durée"),
    ("length without unit", lambda ws: diabetes(ws).washout(12), "unité"),
    ("follow-up without unit", lambda ws: diabetes(ws).follow_up(5), "unité"),
    ("criterion without name", lambda ws: diabetes(ws).include(lambda s: s.age > 18), "nom"),
    ("zero", lambda ws: diabetes(ws).washout(months=0), "entier"),
    ("no window", lambda ws: diabetes(ws).exclude("x", d(ws).where(d(ws).cisp2 == "K75")), "before="),
    ("no unit", lambda ws: diabetes(ws).exclude("x", before=d(ws), within=12), "unité"),
    ("ahead", lambda ws: diabetes(ws).include("x", after=d(ws)), "look_ahead=True"),
    ("variable without window", lambda ws: diabetes(ws).variable("v", count=d(ws)), "fenêtre"),
    ("variable ahead", lambda ws: diabetes(ws).variable("v", any=d(ws), after=months(6)), "look_ahead=True"),
    (
        "past the follow-up",
        lambda ws: diabetes(ws).follow_up(years=1).variable("v", any=d(ws), after=years(2), look_ahead=True),
        "suivi",
    ),
    (
        "follow-up shorter than a variable",
        lambda ws: diabetes(ws).variable("v", any=d(ws), after=years(2), look_ahead=True).follow_up(years=1),
        "suivi",
    ),
    ("taken name", lambda ws: diabetes(ws).variable("Sex", any=d(ws), before=True), "nom"),
    ("no condition", lambda ws: diabetes(ws).include("x", lambda s: s.age), "oui ou non"),
    ("same name", lambda ws: diabetes(ws).include("x", before=d(ws)).exclude("x", before=d(ws)), "nom"),
    ("a mean of codes", lambda ws: diabetes(ws).variable("v", mean=d(ws), of="cisp2", before=True), "nombre"),
    ("no code list", lambda ws: d(ws).where(codes="bpco"), "p4dp.codes"),
    ("no dated table", lambda ws: ws.tables["patients"].where(), "date"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "remedy"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_misleads_is_an_error_that_says_the_remedy(
    ws: Any, wrong: Callable[[Any], Any], remedy: str
) -> None:
    with pytest.raises(CohortError) as error:
        wrong(ws)
    assert remedy in str(error.value)
    assert "{" not in str(error.value)


def test_columns_that_there_are_not_are_named_with_the_nearest(ws: Any) -> None:
    with pytest.raises(p4dp.P4DPError, match="« age »"):
        diabetes(ws).include("adultes", lambda s: s.agee >= 18)
    with pytest.raises(p4dp.P4DPError, match="cisp2"):
        diabetes(ws).variable("v", last=d(ws), of="cisp", before=True)
    with pytest.raises(p4dp.P4DPError, match="patient_id"):
        diabetes(ws).select("patient")


def test_a_grant_without_what_cohorts_need_says_which(ws: Any) -> None:
    cohort = diabetes(ws)
    ws.tables["observation_periods"] = ws.tables["observation_periods"].drop("end_reason")
    with pytest.raises(CohortError, match=r"observation_periods\.end_reason"):
        _ = cohort.relation
    del ws.tables["observation_periods"]
    ws.tables["patients"] = site(PEOPLE).tables["patients"]
    with pytest.raises(CohortError, match=r"observation_periods\.patient_id"):
        _ = cohort.relation


def test_aggregate_projects_have_no_rows_and_no_matching() -> None:
    cohort = diabetes(site(PEOPLE, access=Access.AGGREGATE))
    for ask in (cohort.features, lambda: cohort.match(cohort)):
        with pytest.raises(CohortError, match="microdata"):
            ask()


def test_a_code_list_finds_its_tables(ws: Any) -> None:
    codes = p4dp.codes("diabete_type_2")
    cohort = (
        Cohort(ws, "x").index(first=codes).exclude("antécédent", before=p4dp.codes("antecedent_infarctus"))
    )
    text = cohort.describe("fr")
    assert "diagnoses, history" in text
    assert "version 1" in text
    assert len(cohort.relation.execute()) == 0
    with pytest.raises(CohortError, match="history"):
        ws.tables["lab_results"].where(codes=codes)
    for table in ("diagnoses", "history"):
        del ws.tables[table]
    with pytest.raises(CohortError, match="diagnoses"):
        Cohort(ws, "x").index(first=codes)


def test_every_step_is_in_the_prose_of_both_languages(ws: Any) -> None:
    cohort = (
        diabetes(ws)
        .between("2015-01-01", "2017-12-31")
        .washout(months=6)
        .follow_up(years=2)
        .include("40 ans et plus", lambda s: s.age >= 40)
        .exclude("infarctus", before=d(ws).where(d(ws).cisp2 == "K75"), within=months(24))
        .variable("contacts", count=d(ws), before=years(1))
        .outcome("avc", first=d(ws).where(d(ws).cisp2 == "K90"), competing={"décès": "death"})
    )
    french, english = cohort.describe("fr"), cohort.describe("en")
    for said in (
        "premier événement", "01/01/2015", "6 mois", "« 40 ans et plus »", "K75", "sur 2 ans avant T0",
        "2 ans après l'inclusion", "contacts", "K90", "décès", "version figée n° 1", "au mois près",
    ):  # fmt: skip
        assert said in french
    for said in (
        "first event",
        "2015-01-01",
        "6 months",
        "within 2 years before the index",
        "K90",
        "snapshot 1",
    ):
        assert said in english
    assert repr(cohort) == french
    assert "<p>" in cohort._repr_html_()


def test_the_fingerprint_is_that_of_the_definition_and_the_snapshot() -> None:
    def made(ws: Any, name: str = "x", code: str = "T90", age: int = 40) -> Cohort:
        cohort = Cohort(ws, name).index(first=d(ws).where(d(ws).cisp2 == code))
        return cohort.include("âge", lambda s: s.age >= age)

    first, other = site(PEOPLE), site(PEOPLE)
    same = made(first).fingerprint
    assert same == made(other, name="another title").fingerprint
    other.whoami.snapshot = 2
    different = {
        made(other).fingerprint,
        made(first, code="T89").fingerprint,
        made(first, age=41).fingerprint,
    }
    assert len({same, *different}) == 4
    assert made(first).washout(months=12).fingerprint == made(first).washout(years=1).fingerprint


def people(*ages: int, start: int = 0, sex: str = "F") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": range(start, start + len(ages)),
            "index_date": date(2016, 1, 1),
            "age": ages,
            "sex": sex,
        }
    )


def test_controls_are_alike_and_serve_once() -> None:
    cases, controls = people(50, 60), people(50, 51, 52, 61, 70, 60, start=10)
    found = matched(cases, controls, Rule(2, ("age", "sex"), {"age": 2}, replacement=False, seed=1))
    chosen = found[~found.is_case]
    assert chosen.patient_id.is_unique
    for _, group in found.groupby("matched_set"):
        assert (group.age - group.age[group.is_case].iloc[0]).abs().max() <= 2
        assert len(group) == 3
    assert set(found.age[found.matched_set == found.matched_set[found.age == 50].iloc[0]]) == {50, 51}


def test_matching_is_the_same_again_in_whatever_order_rows_come() -> None:
    cases, controls = people(50, 50, 60), people(*[50, 51, 60] * 5, start=10)
    rule = Rule(2, ("age",), {"age": 1}, replacement=False, seed=3)
    one = matched(cases, controls, rule)
    two = matched(cases.iloc[::-1], controls.sample(frac=1, random_state=1), rule)
    pd.testing.assert_frame_equal(one, two)


def test_a_case_is_nobodys_control_and_may_stand_alone() -> None:
    everybody = people(50, 50, 50)
    found = matched(everybody.head(2), everybody, Rule(2, ("age",), {}, replacement=True, seed=0))
    assert set(found.patient_id[~found.is_case]) == {2}
    alone = matched(people(50), people(90, start=10), Rule(1, ("age",), {}, replacement=False, seed=0))
    assert list(alone.is_case) == [True]


def test_a_relatives_disease_and_a_denial_are_no_events_of_a_code_list() -> None:
    told = [(1, "medical", "active"), (2, "family", "unknown"), (3, "medical", "no")]
    history = [
        {"patient_id": n, "date": date(2012, 1, 1), "kind": kind, "status": status, "cisp2": "T90"}
        for n, kind, status in told
    ]
    ws = site({"history": history})
    cohort = Cohort(ws, "x").index(first=p4dp.codes("diabete_type_2"))
    events = cohort.definition.index.events.relation().execute()  # type: ignore[union-attr]
    assert list(events["patient_id"]) == [1]
    ws.tables["history"] = EventTable(ws.tables["history"].drop("kind").op())  # the grant leaves it out
    cohort = Cohort(ws, "x").index(first=p4dp.codes("diabete_type_2"))
    assert "history" not in cohort.describe("fr")


def test_events_name_their_patients() -> None:
    """In every table that a code list is found in, each row once."""
    own = {"kind": "medical", "status": "active"}
    world = {
        "diagnoses": [{"patient_id": 1, "date": date(2015, 1, 1), "cisp2": "T90"}],
        "history": [{"patient_id": 2, "date": None, "cisp2": "T90", **own}],
    }
    ws = site(world)
    past = ws.tables["history"]
    events = d(ws).where(d(ws).cisp2 == "T90") | past.where(past.cisp2 == "T90")
    assert sorted(events.patients.execute()) == [1, 2]
    assert events.sources[0].rows.patient_id.execute().tolist() == [1]
