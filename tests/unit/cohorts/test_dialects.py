"""Cohorts can be said to the engine that comes next: their relations compile for PostgreSQL.

That they *answer* the same there is for the conformance suite, once that engine holds a warehouse.
"""

from __future__ import annotations

import ibis
import pytest

from p4dp_sdk.cohorts import Cohort, months, years

from .written import site


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
@pytest.mark.parametrize("which", ["first", "last", "any"])
def test_a_cohort_compiles(dialect: str, which: str) -> None:
    ws = site({})
    d, x = ws.tables["diagnoses"], ws.tables["lab_results"]
    hba1c = x.where(x.analyte == "hba1c")
    cohort = (
        Cohort(ws, "x")
        .index(**{which: d.where(d.cisp2 == "T90")})
        .between("2010-01-01", "2015-12-31")
        .washout(months=12)
        .follow_up(years=5)
        .include("40-84", lambda s: s.age.between(40, 84))
        .exclude("K75", before=d.where(d.cisp2 == "K75"), within=years(2))
        .variable("premier", first=hba1c, of="value", before=months(12))
        .variable("proche", nearest=hba1c, of="value", before=months(12), after=months(1), look_ahead=True)
        .variable("pente", slope=hba1c, of="value", before=years(3))
        .variable("nombre", count=d, before=True)
        .outcome("infarctus", first=d.where(d.cisp2 == "K75"), competing={"décès": "death"})
    )
    for relation in (cohort.relation, cohort.attrition().question):
        assert "SELECT" in ibis.to_sql(relation, dialect=dialect)
