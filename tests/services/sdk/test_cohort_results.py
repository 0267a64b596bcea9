"""Table 1 and life tables through the real gateway: what an intern sees, and what may be published.

About 260 people of preset A at a tenth: small, so that much is withheld; what is shown is right.
"""

from __future__ import annotations

from typing import Any

import docx
import ibis
import ibis.expr.types as ir
import pytest
from lifelines import KaplanMeierFitter

import p4dp_sdk as p4dp
from p4dp_sdk.cohorts.results import life_table, table_one
from p4dp_sdk.cohorts.results.errors import ResultError
from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.tables.remarks import MARK
from tests.services.gateway.peer_enclave import Enclave
from tests.services.sdk.conftest import Connect

BANDS = {"age": [50, 65, 80], "hba1c": [7]}
NAMES = ["age", "registration", "centre_id", "hta", "dyslipidemia", "depression", "hba1c"]


def cohort(ws: p4dp.Workspace) -> ir.Table:
    """Hypertension since 2003 at 40 and over, as an intern writes it."""
    d, p, labs = ws.tables.diagnoses, ws.tables.patients, ws.tables.lab_results
    index = d.filter(d.cisp2 == "K86").group_by("patient_id").agg(index_date=d.date.min())
    people = p.inner_join(index, "patient_id")
    people = people.filter(people.index_date >= "2003-01-01", people.age >= 40)
    hba1c = labs.filter(labs.analyte == "hba1c", labs.dq_code == "ok")
    hba1c = hba1c.group_by("patient_id").agg(hba1c=hba1c.value.mean())
    people = people.left_join(hba1c, "patient_id").drop("patient_id_right")
    codes = {"hta": "K86", "dyslipidemia": "T93", "depression": "P76"}
    flags = {name: people.patient_id.isin(d.filter(d.cisp2 == c).patient_id) for name, c in codes.items()}
    return people.mutate(**flags)


def everybody(ws: p4dp.Workspace) -> ir.Table:
    """All patients of 40 and over, from their first observation to death or the last, for hypertension."""
    d, p, o = ws.tables.diagnoses, ws.tables.patients, ws.tables.observation_periods
    seen = o.group_by("patient_id").agg(index_date=o.start_date.min(), last=o.end_date.max())
    people = p.inner_join(seen, "patient_id")
    ill = d.filter(d.cisp2 == "K86").group_by("patient_id").agg(hta_date=d.date.min())
    people = people.left_join(ill, "patient_id").drop("patient_id_right")
    people = people.filter(people.age >= 40, (people.hta_date > people.index_date) | people.hta_date.isnull())
    return people.mutate(exit_date=ibis.coalesce(people.death_month, people.last))


@pytest.fixture
def ines(connect: Connect) -> p4dp.Workspace:
    return connect("ines", "these-ines")


def test_a_draft_is_two_questions_close_to_the_truth(connect: Connect, enclave: Enclave) -> None:
    truth = table_one(cohort(connect("dora", "bac-a-sable")), by="sex", variables=NAMES, bands=BANDS).frame
    relation = cohort(connect("ines", "these-ines"))
    before = len(enclave.asked())
    table = table_one(relation, by="sex", variables=NAMES, bands=BANDS)
    counts = table.frame[table.frame.statistic == "n"].reset_index(drop=True)
    asked = [event.what for event in enclave.asked()[before:]]
    assert sum("query" in what for what in asked) == 2, asked
    for name in ("overall", "F", "M"):
        true = truth[truth.statistic == "n"][name].reset_index(drop=True)
        shown = counts[name].notna()
        assert ((counts[name] - true).abs()[shown] <= 25).all()  # blurred, or of a nearby earlier answer
        few = shown & (
            true < 11
        )  # whoever fails shows nothing, or the number of a nearby set: here of both sexes
        assert (counts[name][few] == counts["overall"][few]).all()
    assert table.kept > 0.5
    assert table.disclosure is not None and table.disclosure.protection == "exploration"


def test_a_draft_says_what_its_marks_are(ines: p4dp.Workspace) -> None:
    table = table_one(cohort(ines), by="sex", variables=NAMES, bands=BANDS)
    html = table._repr_html_()
    assert MARK in html and "effectif masqué (&lt; 11)" in html and "Brouillon" in html and "Femme" in html
    assert table.frame.attrs["p4dp"].project == "these-ines"
    assert "patients" in repr(table)


def test_a_publication_is_exact_signed_and_says_where_each_line_is_from(
    connect: Connect, tmp_path: Any
) -> None:
    truth = table_one(cohort(connect("dora", "bac-a-sable")), by="sex", variables=NAMES, bands=BANDS).frame
    ws = connect("ines", "these-ines")
    table = table_one(cohort(ws), by="sex", variables=NAMES, bands=BANDS).publish(
        "Hypertendus de 40 ans et plus"
    )
    assert not table.unpublished
    key = ws.publication_key()
    assert all(signed.verify(key) for signed in table.tables)
    merged = table.frame.merge(truth, on=["variable", "level", "statistic"], suffixes=("", "_true"))
    for name in ("overall", "F", "M"):
        shown = merged[merged[name].notna()]
        assert shown[name].astype(float).tolist() == pytest.approx(
            shown[f"{name}_true"].astype(float).tolist()
        )
    assert table.kept > 0.4  # of some 150 people by sex; of the whole preset's 1,300, four cells of five
    assert set(table.frame.variable) == {"patients", *NAMES}
    assert set(table.sources) >= {"patients", "hta", "age_mean", "centre_id CLF"}
    text = "\n".join(p.text for p in docx.Document(str(table.to_word(tmp_path / "t.docx"))).paragraphs)
    for signed in table.tables:
        assert (
            signed.document.signature.value[:12] in text
            and f"version figée {signed.statement.snapshot}" in text
        )


def test_of_those_known_a_mean_can_be_published(ines: p4dp.Workspace) -> None:
    d, labs = ines.tables.diagnoses, ines.tables.lab_results
    some = labs.filter(labs.analyte == "hba1c").group_by("patient_id").agg(hba1c=labs.value.mean())
    people = ines.tables.patients.left_join(some, "patient_id").drop("patient_id_right")
    people = people.filter(people.patient_id.isin(d.filter(d.cisp2 == "T90").patient_id))
    table = table_one(people, by="sex", variables=["hba1c"]).publish("Avec une HbA1c", known=["hba1c"])
    mean = table.frame.set_index("statistic").loc["mean"]
    assert mean[["overall", "F", "M"]].notna().all()
    assert set(table.frame.level) == {""}  # no line of those without: there are none


def test_a_computed_number_is_told_by_class(ines: p4dp.Workspace) -> None:
    relation = cohort(ines)
    relation = relation.mutate(double=relation.hba1c * 2)
    with pytest.raises(ResultError, match="double"):
        _ = table_one(relation, variables=["double"]).frame
    frame = table_one(relation, variables=["double", "age"], bands={"double": [13, 14]}).frame
    assert set(frame[frame.variable == "double"].statistic) == {"n", "percent"}
    assert "mean" in set(frame[frame.variable == "age"].statistic)


def test_a_life_table_is_one_question_close_to_lifelines(connect: Connect, enclave: Enclave) -> None:
    """By month, of a project that sees rows: the exact curve of the same people."""
    rows = everybody(connect("rachid", "modeles-rachid"))
    people = rows.select("index_date", "hta_date", "exit_date").execute().dropna(subset=["exit_date"])
    seen = people.hta_date <= people.exit_date
    days = (people.hta_date.where(seen, people.exit_date) - people.index_date).dt.days
    fitter = KaplanMeierFitter().fit(days, seen)
    exact = life_table(rows, "hta", "month").frame.set_index("time").survival
    before = len(enclave.asked())
    ws = connect("ines", "these-ines")
    draft = life_table(everybody(ws), "hta", "year").frame.set_index("time").survival
    assert sum("query" in event.what for event in enclave.asked()[before:]) == 1
    for month in (12, 24, 36, 48, 60):
        theirs = float(fitter.predict(round(month * 365.25 / 12) - 1))
        assert exact[month] == pytest.approx(theirs, abs=0.002)
    told = draft.dropna()  # years with a number of an earlier answer are put together with the next
    assert len(told) > 2
    for year, survival in told.items():
        assert survival == pytest.approx(float(exact[12 * year]), abs=0.02)


def test_a_published_life_table_is_exact_until_it_stops(connect: Connect) -> None:
    truth = life_table(everybody(connect("dora", "bac-a-sable")), "hta", "year", years=10)
    ws = connect("ines", "these-ines")
    table = life_table(everybody(ws), "hta", "year", years=10).publish("Sans hypertension")
    assert all(signed.verify(ws.publication_key()) for signed in table.tables)
    assert table.kept > 0
    merged = table.frame.merge(truth.frame, on=["group", "time"], suffixes=("", "_true"))
    shown = merged[merged.survival.notna()]
    assert shown.survival.tolist() == pytest.approx(shown.survival_true.tolist())
    assert shown.at_risk.tolist() == shown.at_risk_true.tolist()
    assert table.frame.survival.isna().sum() == table.frame.events.isna().sum()


def test_incidence_and_log_rank_of_a_draft(ines: p4dp.Workspace) -> None:
    table = life_table(everybody(ines), "hta", "year", "sex", years=10)
    rates = table.incidence().frame
    assert rates.group.tolist() == ["Femme", "Homme"]
    assert ((rates.low < rates.rate) & (rates.rate < rates.high)).all()
    assert "brouillon" in repr(table.log_rank()) or "draft" in repr(table.log_rank())


def test_a_refusal_is_the_gateways_own(ines: p4dp.Workspace) -> None:
    people = ines.tables.patients
    some = people.filter(people.age.isin([21, 24, 28, 33, 37, 42, 46, 51, 57, 62]))
    with pytest.raises(EnclaveError) as error:
        table_one(some, by="sex", variables=["age"]).publish("Dix âges")
    assert error.value.code is p4dp.ErrorCode.NOT_PUBLISHABLE
