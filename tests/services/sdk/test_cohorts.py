"""Cohorts through the real gateway: rows equal to the naive reference where rows are granted, protected
counts and no row elsewhere; within the limits of a request and of a publication."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any

import ibis
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.cohorts import CohortError, months
from p4dp_sdk.wire.graph import encode
from p4dp_sdk.wire.protocol import Limits
from tests.unit.cohorts.naive import Criterion, Said, Variable, cohort
from tests.unit.cohorts.written import rows, written

Connect = Callable[[str, str], p4dp.Workspace]

SAID = Said(
    which="first",
    code="T90",
    between=(date(2005, 1, 1), date(2018, 12, 31)),
    washout=("months", 12),
    follow_up=("months", 60),
    criteria=(Criterion(keeps=True, age=40), Criterion(keeps=False, code="P76", length=("months", 24))),
    variables=(
        Variable("last", "hba1c", ("months", 12)),
        Variable("mean", "hba1c", ("months", 24)),
        Variable("slope", "hba1c", ("months", 36)),
        Variable("count", "hba1c", "ever", None, None),
        Variable("nearest", "creatinine", ("months", 6), ("months", 6)),
    ),
    outcome="K86",
    competing=("death", "R74"),
)


def thesis(ws: p4dp.Workspace) -> p4dp.Cohort:
    """A realistic thesis: twelve variables, an outcome with death competing."""
    t = ws.tables
    d, labs, drugs, weights, visits = (
        t.diagnoses, t.lab_results, t.prescriptions, t.biometrics, t.consultations,
    )  # fmt: skip
    hba1c = labs.where(labs.analyte == "hba1c", labs.dq_code == "ok")
    year = {"before": months(12)}
    return (
        p4dp.Cohort(ws, "Diabète de type 2, nouveaux cas")
        .index(first=d.where(d.cisp2 == "T90"))
        .between("2005-01-01", "2018-12-31")
        .washout(months=12)
        .follow_up(years=5)
        .include("40-84 ans", lambda s: s.age.between(40, 84))
        .exclude("infarctus ou AVC", before=d.where(d.cisp2.isin(["K75", "K76", "K90", "K91"])))
        .variable("hta", any=d.where(d.cisp2 == "K86"), before=True)
        .variable("depression", any=d.where(d.cisp2 == "P76"), before=True)
        .variable("lipides", any=d.where(d.cisp2 == "T93"), before=True)
        .variable("hba1c", last=hba1c, **year)
        .variable("hba1c_moyenne", mean=hba1c, **year)
        .variable("hba1c_pente", slope=hba1c, before=months(36))
        .variable("hba1c_dosages", count=hba1c, **year)
        .variable("creatinine", last=labs.where(labs.analyte == "creatinine"), **year)
        .variable("poids", nearest=weights.where(weights.measure == "weight"), before=months(24))
        .variable("contacts", count=visits, **year)
        .variable("dernier_contact", last=visits, of="date", **year)
        .variable("metformine", any=drugs.where(drugs.atc.startswith("A10BA")), before=months(6))
        .outcome("infarctus", first=d.where(d.cisp2.isin(["K75", "K76"])), competing={"décès": "death"})
    )


def by_patient(ws: p4dp.Workspace) -> list[dict[str, list[dict[str, Any]]]]:
    """The workspace's rows as worlds of one patient each, for the reference."""
    worlds: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    t = ws.tables
    periods = t.observation_periods
    beyond = periods.end_reason == "last_export"  # the reference sees that the data end, not why
    periods = periods.mutate(
        end_date=ibis.ifelse(beyond, periods.end_date + ibis.interval(days=1), periods.end_date)
    )
    wanted = {
        "patients": t.patients.select("patient_id", "sex", "centre_id", "birth_month", "death_month"),
        "observation_periods": periods.select("patient_id", "start_date", "end_date"),
        "diagnoses": t.diagnoses.filter(t.diagnoses.cisp2.isin(["T90", "P76", "K86", "R74"])).select(
            "patient_id", "date", "cisp2"
        ),
        "lab_results": t.lab_results.filter(t.lab_results.analyte.isin(["hba1c", "creatinine"])).select(
            "patient_id", "date", "analyte", "value"
        ),
    }
    for name, table in wanted.items():
        frame = table.execute().assign(index_date=None)
        for row in rows(frame.astype({"index_date": "string"}).fillna({"index_date": ""})):
            worlds[row["patient_id"]][name].append(row)
    return list(worlds.values())


def test_rows_are_those_of_the_reference(connect: Connect) -> None:
    ws = connect("rachid", "modeles-rachid")
    last = min(ws.whoami.last_date, ws.whoami.reference_date)
    said = Said(**{**SAID.__dict__, "last_day": date.fromisoformat(last)})
    wanted = [row for world in by_patient(ws) for row in cohort(world, said)]
    found = rows(written(ws, said).features())
    assert len(found) == len(wanted) > 20
    for ours, theirs in zip(found, sorted(wanted, key=lambda row: row["patient_id"]), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_an_aggregate_project_gets_protected_counts_and_no_row(connect: Connect) -> None:
    made = thesis(connect("ines", "these-ines"))
    with pytest.raises(p4dp.EnclaveError) as refused:
        made.relation.execute()
    assert refused.value.code is p4dp.ErrorCode.ROW_LEVEL
    with pytest.raises(CohortError, match="microdata"):
        made.features()
    with pytest.raises(CohortError, match="standardis"):
        made.match(made)
    flow = made.attrition().frame
    assert list(flow.step[[0, 3]]) == ["Avec l'événement qui donne la date d'inclusion", "40-84 ans"]
    assert flow.patients.dropna().min() >= 11
    assert flow.attrs["p4dp"].protection == "exploration"


def test_every_column_can_be_asked_of_a_draft(connect: Connect) -> None:
    rows = thesis(connect("ines", "these-ines")).relation
    n = rows.patient_id.nunique
    rows.group_by("exit_reason").agg(n=n()).execute()
    rows.group_by("infarctus_event", "sex").agg(n=n()).execute()
    rows.agg(
        n=n(), hba1c=rows.hba1c.mean(), moyenne=rows.hba1c_moyenne.mean(), poids=rows.poids.mean(),
        contacts=rows.contacts.mean(), age=rows.age_days.mean(), pente=n(where=rows.hba1c_pente > 0),
        an=n(where=rows.infarctus_time > 365), metformine=n(where=rows.metformine),
    ).execute()  # fmt: skip


def test_a_thesis_fits_into_one_request(connect: Connect) -> None:
    rows = thesis(connect("ines", "these-ines")).relation
    document = encode(rows.agg(n=rows.patient_id.nunique()))
    assert len(document) < Limits().request_bytes / 2
    assert len(json.loads(document)["nodes"]) < Limits().nodes / 2


def test_what_a_thesis_publishes_is_within_the_limit_of_descriptions(connect: Connect) -> None:
    ws = connect("ines", "these-ines")
    made = thesis(ws)
    assert made.attrition().publish("Attrition").table is not None
    rows = made.select("sex", "age", "hta", "depression", "lipides")
    n = rows.patient_id.nunique
    by_sex = rows.group_by("sex").agg(
        n=n(), hta=n(where=rows.hta), depression=n(where=rows.depression), lipides=n(where=rows.lipides)
    )
    assert ws.publish(by_sex, title="Par sexe") is not None
    ages = rows.group_by("sex", band=p4dp.age_bands(rows.age, [50, 65])).agg(n=n())
    assert ws.publish(ages, title="Par âge") is not None


def test_repeated_index_dates_pass_the_gateway(connect: Connect) -> None:
    ws = connect("ines", "these-ines")
    d, visits = ws.tables.diagnoses, ws.tables.consultations
    made = (
        p4dp.Cohort(ws, "Épisodes de rhinite")
        .index(any=d.where(d.cisp2 == "R74"))
        .washout(months=3)
        .exclude("bronchite", before=d.where(d.cisp2 == "R78"), within=months(1))
        .variable("contacts", count=visits, before=months(12))
    )
    rows = made.relation
    answer = rows.agg(
        patients=rows.patient_id.nunique(),
        episodes=rows.count(),
        often=rows.patient_id.nunique(where=rows.contacts >= 3),
    ).execute()
    assert answer.notna().all(axis=None)
    sexes = made.select("sex")
    table = sexes.group_by("sex").agg(n=sexes.patient_id.nunique())
    assert ws.publish(table, title="Épisodes") is not None
