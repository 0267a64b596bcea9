"""Code lists on the real gateway: in a draft, in a publication, with a site's own codes."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import pytest

import p4dp_sdk as p4dp

Connect = Callable[[str, str], p4dp.Workspace]


def with_list(ws: p4dp.Workspace, name: str, table: str, column: str) -> ibis.expr.types.Table:
    """Patients by sex, and those with a row of the list."""
    p, rows = ws.tables.patients, ws.tables[table]
    has = p.patient_id.isin(rows.filter(p4dp.codes(name).matches(rows[column])).patient_id)
    return p.group_by("sex").agg(n=p.patient_id.nunique(), cases=p.patient_id.nunique(where=has))


def test_a_list_selects_whom_its_codes_select(connect: Connect) -> None:
    ws = connect("ines", "these-ines")
    p, d = ws.tables.patients, ws.tables.diagnoses
    by_hand = p.patient_id.isin(d.filter(d.cisp2.isin(["K86", "K87"])).patient_id)
    said = with_list(ws, "hta", "diagnoses", "cisp2").execute()
    same = p.group_by("sex").agg(n=p.patient_id.nunique(), cases=p.patient_id.nunique(where=by_hand))
    assert said.equals(same.execute()), "the same people, so the same number"
    assert said["cases"].notna().all()


@pytest.mark.parametrize(
    ("name", "table", "column"),
    [
        ("cancer", "diagnoses", "cisp2"),
        ("infection_respiratoire_aigue", "diagnoses", "cisp2"),
        ("antihypertenseurs", "prescriptions", "atc"),
        ("antidiabetiques_du_diabete", "prescriptions", "atc"),
    ],
)
def test_a_list_can_be_published(connect: Connect, name: str, table: str, column: str) -> None:
    """Its gaps are what it says of people: all that ship say little enough."""
    ws = connect("ines", "these-ines")
    expression = with_list(ws, name, table, column)
    assert ws.publish(expression, title=name).verify(ws.publication_key())
