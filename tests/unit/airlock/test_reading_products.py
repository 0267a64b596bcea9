"""What interns really ask for, read in words: every indicator, a cohort with its products, the tables that
the shipped notebooks publish, and those of thirty requests. docs/how-to/relire-une-demande.md says how many.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ibis
import pytest
import sqlglot
import sqlglot.expressions as sge

from hub_config.airlock.reading import Reading, read
from hub_config.gateway.rules.definition import definition
from p4dp_sdk.catalogue import load_catalogue
from p4dp_sdk.codelists import codes
from p4dp_sdk.cohorts import Cohort, EventTable, months, years
from p4dp_sdk.cohorts.compile import Compiler
from p4dp_sdk.identity import Access
from p4dp_sdk.indicators.compile import Asked, question
from p4dp_sdk.indicators.measure import Measure
from p4dp_sdk.indicators.registry import measures
from p4dp_sdk.indicators.window import Window
from tests.benchmarks.airlock.requests import REQUESTS, Born

PAGE = Path(__file__).parents[3] / "docs/how-to/relire-une-demande.md"
RECORDED = Path(__file__).parents[2] / "corpus" / "signed_definitions.json"
ON = date(2022, 12, 31)


def tables() -> dict[str, Any]:
    return {
        name: EventTable(
            ibis.table({c.name: c.dtype for c in each.columns if not c.role.hidden}, name=name).op()
        )
        for name, each in load_catalogue().tables.items()
    }


TABLES = tables()
SITE = SimpleNamespace(
    tables=TABLES,
    whoami=SimpleNamespace(
        reference_date="2022-12-31", first_date="2000-01-01", last_date="2022-12-31", snapshot=1,
        source="test", access=Access.AGGREGATE,
    ),
)  # fmt: skip


def said(asked: ibis.Table, language: Any = "fr") -> Reading | None:
    return read(definition(asked), language)


def of_indicator(measure: Measure, *by: str) -> ibis.Table:
    months_back = measure.window
    start = None if months_back is None else date(ON.year - months_back // 12, ON.month, 1)
    asked = Asked((Window(start, ON),), by, reference=ON)
    return question(measure, SimpleNamespace(**TABLES), asked)


NOT_YET = {"inr_ttr"}  # between neighbouring results: has rows before and after


@pytest.mark.parametrize("name", sorted(set(measures()) - NOT_YET))
def test_an_indicator_is_read_in_words(name: str) -> None:
    """Asked of everybody: its denominator, its numerators, and whom they are of."""
    found = said(of_indicator(measures()[name]))
    assert found is not None
    counted = [one.name for one in found.measures]
    assert counted and all("nombre de" in one.what for one in found.measures)
    assert not any("\ue000" in text or "\ue002" in text for text in spoken(found))


def test_the_page_says_how_many_indicators_are_read() -> None:
    found = [said(of_indicator(each)) is not None for each in measures().values()]
    assert f"{len(found)} indicateurs, {sum(found)} lus" in PAGE.read_text("utf-8")


def spoken(found: Reading) -> Iterator[str]:
    for one in (*found.measures, *found.keys, *found.terms):
        yield one.what
    yield from (found.rows, *found.only, *found.kept, *found.order)


def cohort() -> Cohort:
    d, x = TABLES["diagnoses"], TABLES["lab_results"]
    return (
        Cohort(SITE, "Diabète")
        .index(first=d.where(codes=codes("diabete_type_2")))
        .between("2010-01-01", "2015-12-31")
        .washout(months=12)
        .include("40 à 84 ans", lambda s: s.age.between(40, 84))
        .exclude("sans infarctus", before=d.where(d.cisp2 == "K75"), within=years(2))
        .follow_up(years=5)
        .variable("hba1c", last=x.where(x.analyte == "hba1c"), of="value", before=months(12))
        .variable("statine", any=codes("statines"), before=True)
        .outcome("infarctus", first=d.where(d.cisp2 == "K75"))
    )


def test_a_cohorts_flow_chart_is_read_step_by_step() -> None:
    found = said(cohort().attrition().question)
    assert found is not None
    terms = {one.name: one.what for one in found.terms}
    assert terms["(A)"] == "Diagnostics où Diagnostic (CISP-2) parmi T90 « Diabète de type 2 »"
    assert terms["(B)"].startswith("plus ancienne valeur de Date [Diagnostics] (sur les lignes de (A)")
    assert found.rows.startswith("patients de (A)")
    assert "(B) de 01/01/2010 à 31/12/2015" in found.measures[1].what
    assert any("− 24 mois" in what and "K75 « Infarctus" in what for what in terms.values())


def test_a_table_one_is_read_part_by_part() -> None:
    rows = cohort().select("sex", "age_days", "hba1c", "statine")
    asked = rows.group_by("sex").agg(
        patients=rows.patient_id.nunique(),
        age=rows.age_days.mean() / 365.25,
        statine=rows.patient_id.nunique(where=rows.statine),
        hba1c=rows.hba1c.mean(),
    )
    for language in ("fr", "en"):
        found = said(asked, language)
        assert found is not None and len(found.measures) == 4 and len(found.keys) == 1


def test_a_curves_two_halves_are_read() -> None:
    asked = cohort()._definition
    assert asked.index is not None
    for half in Compiler(TABLES, asked, asked.index).leaving(asked.outcomes[0], ["sex"]):
        counted = half.mutate(end=ibis.cases((half.days < 366, "1"), (half.days < 731, "2"), else_="3"))
        found = said(counted.group_by("sex", "end").agg(n=lambda t: t.patient_id.nunique()))
        assert found is not None and len(found.keys) == 2


def recorded() -> dict[str, str]:
    return dict(json.loads(RECORDED.read_text(encoding="utf-8")))


def test_the_tables_of_the_shipped_notebooks_are_all_read() -> None:
    """As the gateway wrote them when each notebook ran with `figer = True`."""
    found = [read(each, "fr") is not None for each in recorded().values()]
    assert f"{len(found)} tableaux signés des carnets fournis, {sum(found)} lus" in PAGE.read_text("utf-8")


def test_the_signed_tables_of_thirty_requests_are_all_read() -> None:
    signed = {each.definition for one in REQUESTS for each in one.files if isinstance(each, Born)}
    found = [read(each, "fr") is not None for each in signed]
    assert f"{len(found)} tableaux signés de trente demandes types, {sum(found)} lus" in PAGE.read_text(
        "utf-8"
    )


SWAPPED: dict[type[sge.Expr], type[sge.Expr]] = {
    sge.EQ: sge.NEQ,
    sge.NEQ: sge.EQ,
    sge.GT: sge.GTE,
    sge.GTE: sge.LT,
    sge.LT: sge.LTE,
    sge.LTE: sge.GT,
    sge.And: sge.Or,
    sge.Or: sge.And,
    sge.Max: sge.Min,
    sge.Avg: sge.Sum,
}


CHANGED = (sge.Not, sge.Filter, sge.Where, sge.Literal, sge.In, *SWAPPED)


def changed(sql: str) -> Iterator[str]:
    """The same definition with one thing another: a comparison, a value, a negation, a condition less."""
    asked = sqlglot.parse_one(sql, dialect="duckdb")
    for at in [at for at, node in enumerate(asked.walk()) if isinstance(node, CHANGED)]:
        tree = asked.copy()
        node = list(tree.walk())[at]
        match node:
            case sge.Not() | sge.Filter():
                node.replace(node.this)
            case sge.Where() if not isinstance(node.parent, sge.Filter):
                node.pop()
            case sge.Literal(is_string=False) if not isinstance(node.parent, sge.Group):
                node.replace(sge.Literal.number(int(float(node.name)) % 9 + 1))
            case sge.Literal(is_string=True):
                node.replace(sge.Literal.string("K99"))
            case sge.In(parent=sge.Where() | sge.And()):
                node.replace(sge.Not(this=node.copy()))
            case _ if type(node) in SWAPPED:
                node.replace(SWAPPED[type(node)](**node.args))
            case _:
                continue
        yield tree.sql(dialect="duckdb")


@pytest.mark.parametrize("name", ["patients-a-identifier-01", "prise-en-main-01", "tableau-activite-01"])
def test_whatever_changes_in_a_query_changes_its_words(name: str) -> None:
    """Nothing of it goes unsaid: all that it has is used."""
    asked = recorded()[name]
    told, others = read(asked, "fr"), list(changed(asked))
    assert told is not None and len(others) > 10
    assert [other for other in others if read(other, "fr") == told] == []
