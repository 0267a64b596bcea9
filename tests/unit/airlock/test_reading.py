"""A signed table's definition, said in words: true, whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import pytest
import sqlglot
import sqlglot.expressions as sge
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.airlock.reading import Reading, read
from p4dp_sdk.catalogue import load_catalogue

CATALOGUE = load_catalogue()


def table(name: str) -> ibis.Table:
    columns = CATALOGUE.tables[name].columns
    return ibis.table({c.name: c.dtype for c in columns if not c.role.hidden}, name=name)


DIAGNOSES, PATIENTS, RESULTS = table("diagnoses"), table("patients"), table("lab_results")
JOINED = DIAGNOSES.inner_join(PATIENTS, "patient_id")


def said(asked: ibis.Table) -> Reading | None:
    return read(str(ibis.to_sql(asked, dialect="duckdb")), "fr")


def whole(asked: ibis.Table) -> Reading:
    found = said(asked)
    assert found is not None
    return found


def names(parts: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(one.name, one.what) for one in parts]  # type: ignore[attr-defined]


def patients(t: ibis.Table) -> ibis.Value:
    return t.patient_id.nunique()


def test_an_interns_question_is_said_with_the_labels_of_its_codes() -> None:
    joined = DIAGNOSES.filter(DIAGNOSES.cisp2 == "T90").inner_join(PATIENTS, "patient_id")
    found = whole(joined.filter(joined.age >= 40).group_by("sex").agg(patients=patients))
    assert names(found.measures) == [("patients", "nombre de patients distincts")]
    assert names(found.keys) == [("sex", "Sexe [Patients]")]
    assert found.rows == "Diagnostics, avec Patients"
    assert found.only == (
        "Diagnostic (CISP-2) [Diagnostics] = T90 « Diabète de type 2 »",
        "Âge (années révolues) [Patients] ≥ 40",
    )


def test_means_shares_and_what_is_kept_of_the_result() -> None:
    summed = RESULTS.group_by("centre_id").agg(
        m=lambda t: t.value.mean(where=t.dq_code == "ok"), q=lambda t: t.value.quantile(0.5), n=patients
    )
    found = whole(summed.filter(lambda t: t.n > 30).order_by(ibis.desc("m")).limit(5))
    value = "Valeur harmonisée (sur les lignes de Examens)"
    assert names(found.measures)[:2] == [
        ("m", f"moyenne de {value} où Contrôle qualité = ok « Aucune anomalie »"),
        ("q", f"quantile 0.5 de {value}"),
    ]
    assert found.kept == ("(nombre de patients distincts) > 30",)
    assert found.order == (found.measures[0].what + ", décroissant",)
    assert found.first == 5


def test_a_share_is_a_measure_and_english_is_one_click_away() -> None:
    counted = DIAGNOSES.group_by("cisp2").agg(n=patients, all=lambda t: t.count())
    found = read(str(ibis.to_sql(counted.mutate(share=lambda t: t.n / t["all"]), dialect="duckdb")), "en")
    assert found is not None
    assert [one.what for one in found.measures][
        -1
    ] == "(number of distinct patients) ÷ (number of rows of Diagnoses)"


@pytest.mark.parametrize("disguise", ["sex", "centre_id", "coding_source"])
def test_a_column_is_what_it_is_whatever_it_is_called(disguise: str) -> None:
    """A requester who names the diagnosis "sex" has the reviewer read "Diagnostic"."""
    renamed = DIAGNOSES.select("patient_id", **{disguise: DIAGNOSES.cisp2})
    found = whole(renamed.group_by(disguise).agg(patients=patients))
    assert names(found.keys) == [(disguise, "Diagnostic (CISP-2)")]


def test_cases_say_their_conditions_beside_their_names() -> None:
    """A label that says the contrary of its condition is seen."""
    grouped = PATIENTS.mutate(group=ibis.cases((PATIENTS.sex == "M", "Femmes"), else_="autres"))
    found = whole(grouped.group_by("group").agg(patients=patients))
    assert names(found.keys) == [("group", "« Femmes » si Sexe = M « Homme » ; sinon « autres »")]


def test_a_mean_beside_events_is_said_to_go_over_events() -> None:
    """Who has ten diagnoses counts ten times in it."""
    found = whole(JOINED.group_by("sex").agg(age=lambda t: t.age.mean()))
    assert (
        found.measures[0].what
        == "moyenne de Âge (années révolues) [Patients] (sur les lignes de Diagnostics)"
    )


def test_what_is_unknown_is_said_to_be_left_out() -> None:
    found = whole(PATIENTS.filter(~(PATIENTS.sex == "F"), PATIENTS.sex != "M").agg(n=patients))
    assert all("sans ce qui n’est pas renseigné" in condition for condition in found.only)
    grouped = PATIENTS.mutate(band=ibis.cases((PATIENTS.age < 40, "jeunes")))
    assert "sinon non renseigné" in whole(grouped.group_by("band").agg(n=patients)).keys[0].what


def test_an_or_inside_a_measure_stays_inside() -> None:
    counted = PATIENTS.group_by("sex").agg(n=lambda t: t.patient_id.nunique(where=(t.age > 90) | (t.age < 5)))
    found = whole(counted.filter(lambda t: t.n > 20))
    condition = "(Âge (années révolues) > 90 ou Âge (années révolues) < 5)"
    assert found.kept == (f"(nombre de patients distincts où {condition}) > 20",)


def test_who_is_present_elsewhere_and_who_is_absent() -> None:
    high = RESULTS.filter(RESULTS.analyte == "hba1c", RESULTS.value > 8)
    seen = PATIENTS.semi_join(high, "patient_id").anti_join(DIAGNOSES, "patient_id")
    found = whole(seen.group_by("sex").agg(n=patients))
    label = "« Hémoglobine glyquée (LOINC 4548-4) »"
    assert found.rows == "Patients"
    assert found.only == (
        f"patient présent dans ‹Examens où Analyse = hba1c {label} ; Valeur harmonisée > 8›",
        "patient absent de Diagnostics",
    )


def test_what_is_spoken_of_twice_has_a_letter_and_is_told_once() -> None:
    first = DIAGNOSES.group_by("patient_id").agg(first=lambda t: t.date.min(), n=lambda t: t.count())
    day = first["first"]
    found = whole(first.filter(first.n >= 2, day.year() == 2019, day.month() < 7).agg(n=patients))
    assert found.rows == "patients de Diagnostics"
    counted = "(nombre de lignes de Diagnostics du même patient) ≥ 2"
    assert found.only == (counted, "(année de (A)) = 2019", "(mois de (A)) < 7")
    said_first = "plus ancienne valeur de Date [Diagnostics] (sur les lignes de Diagnostics du même patient)"
    assert names(found.terms) == [("(A)", said_first)]


UNREADABLE: dict[str, Callable[[], ibis.Table]] = {
    "an outer join": lambda: (
        PATIENTS.left_join(DIAGNOSES, "patient_id").group_by("sex").agg(n=lambda t: t.count())
    ),
    "the row before": lambda: (
        DIAGNOSES.mutate(before=DIAGNOSES.date.lag().over(group_by="patient_id", order_by="date"))
        .filter(lambda t: t.before.isnull())
        .group_by("cisp2")
        .agg(n=patients)
    ),
    "somebody's own table": lambda: (
        DIAGNOSES.inner_join(ibis.table({"cisp2": "string"}, name="mine"), "cisp2")
        .group_by("cisp2")
        .agg(n=lambda t: t.count())
    ),
    "a union without doubles": lambda: (
        DIAGNOSES.union(DIAGNOSES, distinct=True).group_by("cisp2").agg(n=patients)
    ),
    "another join": lambda: (
        DIAGNOSES.inner_join(PATIENTS, [DIAGNOSES.patient_id == PATIENTS.patient_id, PATIENTS.age > 40])
        .group_by("sex")
        .agg(n=lambda t: t.count())
    ),
    "a function": lambda: (
        DIAGNOSES.mutate(x=DIAGNOSES.cisp2.reverse()).group_by("x").agg(n=lambda t: t.count())
    ),
    "the same table twice": lambda: (
        DIAGNOSES.filter(DIAGNOSES.cisp2 == "T90")
        .inner_join(DIAGNOSES.view().filter(lambda t: t.cisp2 == "K86"), "patient_id")
        .agg(n=patients)
    ),
    "events joined to events": lambda: DIAGNOSES.inner_join(RESULTS, "patient_id").agg(n=patients),
    "events of the same day": lambda: DIAGNOSES.inner_join(RESULTS, ["patient_id", "date"]).agg(n=patients),
    "an order after a cut": lambda: (
        DIAGNOSES.group_by("cisp2").agg(n=patients).order_by(ibis.desc("n")).limit(10).order_by("cisp2")
    ),
    "a condition written as a code": lambda: DIAGNOSES.filter(
        DIAGNOSES.cisp2.isin(["T90", "T89 et Date ≥ 01/01/2020"])
    ).agg(n=patients),
    "a case written as a name": lambda: (
        PATIENTS.mutate(g=ibis.cases((PATIENTS.sex == "M", "a » si Sexe = F ; sinon « b"), else_="c"))
        .group_by("g")
        .agg(n=patients)
    ),
    "a label that is a column's": lambda: (
        DIAGNOSES.mutate(g=ibis.literal("Sexe")).group_by("g").agg(n=patients)
    ),
    "a code of another's": lambda: DIAGNOSES.filter(DIAGNOSES.cisp2 == "é").agg(n=patients),
    "rows": lambda: DIAGNOSES.select("cisp2"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_has_no_phrase_is_not_said_in_part(case: str) -> None:
    assert said(UNREADABLE[case]()) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not SQL",
        'SELECT COUNT(*) AS n FROM "diagnoses" AS "t0" LIMIT 3 OFFSET 2',
        'SELECT DISTINCT COUNT(*) AS n FROM "diagnoses" AS "t0"',
        'SELECT COUNT(*) AS n FROM "diagnoses" AS "t0" TABLESAMPLE 10%',
        'SELECT COUNT(*) AS n FROM (SELECT * FROM "diagnoses" AS "t0" LIMIT 7) AS "t1"',
        'SELECT COUNT(*) AS n FROM "diagnoses" AS "t0" WHERE "t0"."date" = \'2015-02-31\'',
        'SELECT COUNT(*) AS n FROM "diagnoses" AS "t0" WHERE "t9"."cisp2" = \'T90\'',
        'SELECT COUNT(*) AS n FROM "objections" AS "t0", "diagnoses" AS "t1"',
        "SELECT " + "(" * 300 + "1" + ")" * 300,
        'SELECT COUNT(*) AS n FROM "diagnoses" AS "t0" WHERE ' + "NOT " * 60 + '"t0"."cisp2" = \'T90\'',
        "DROP TABLE x",
    ],
)
def test_no_text_breaks_the_reader(text: str) -> None:
    assert read(text, "fr") is None


CODES = [code.code for code in CATALOGUE.code_systems["cisp2"].codes][:40]


def condition(t: ibis.Table) -> st.SearchStrategy[ibis.Value]:
    simple = st.one_of(
        st.sampled_from(CODES).map(lambda code: t.cisp2 == code),
        st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True).map(t.cisp2.isin),
        st.integers(1, 109).map(lambda age: t.age > age),
        st.tuples(st.integers(110, 150), st.integers(151, 199)).map(lambda ends: t.age.between(*ends)),
        st.sampled_from(["F", "M"]).map(lambda sex: t.sex != sex),
        st.just(t.age.isnull()),
    )
    return st.recursive(
        simple,
        lambda one: st.one_of(
            st.tuples(one, one).map(lambda two: two[0] & two[1]),
            st.tuples(one, one).map(lambda two: two[0] | two[1]),
            one.map(lambda it: ~it),
        ),
        max_leaves=5,
    )


@settings(max_examples=30, deadline=None)
@given(condition(JOINED))
def test_every_value_that_was_asked_for_stands_in_the_reading(asked: ibis.Value) -> None:
    sql = str(ibis.to_sql(JOINED.filter(asked).group_by("sex").agg(n=lambda t: t.count()), dialect="duckdb"))
    found = read(sql, "fr")
    assert found is not None
    where = sqlglot.parse_one(sql, dialect="duckdb").find(sge.Where)
    assert where is not None
    text = " ; ".join(found.only)
    assert all(literal.name in text for literal in where.find_all(sge.Literal))
    assert text.count("sauf") == len(
        [n for n in where.find_all(sge.Not) if not isinstance(n.this.unnest(), sge.Is)]
    )
