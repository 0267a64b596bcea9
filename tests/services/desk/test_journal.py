"""The DPO reads the log in a browser: who saw what, refusals, log-ins, its state; and takes a part out."""

from __future__ import annotations

import csv
import io
import json

import pytest
from fastapi import FastAPI

from hub_config.governance.audit import AuditEvent, Decision, read_records
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.settings import Settings
from tests.pages import visiting

SECRET = "SELECT count(*) FROM diagnoses WHERE cisp2 = 'Z99'"


@pytest.fixture
def lived(store: Store) -> None:
    """A day of an enclave."""
    said = [
        ("ines", "hub.login", None, Decision.ALLOWED, {}),
        ("ines", "gateway.query", "these-ines", Decision.ALLOWED, {"tables": "diagnoses", "sql": SECRET}),
        ("ines", "gateway.query", "these-ines", Decision.ALLOWED, {"tables": "patients", "sql": SECRET}),
        ("ines", "gateway.query", "these-ines", Decision.REFUSED, {"code": "not-granted"}),
        ("rachid", "gateway.query", "risque-rachid", Decision.ALLOWED, {"tables": "patients"}),
        ("rachid", "hub.login", None, Decision.REFUSED, {}),
        ("aqd", "objection.add", None, Decision.ALLOWED, {"of": "patient", "new": True}),
    ]
    for who, what, project, decision, details in said:
        store.audit.append(AuditEvent(who, what, project, decision, details))


def read(app: FastAPI, path: str, role: Role = Role.DPO) -> str:
    answer = visiting(app, "dora", role).get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_log_shows_who_what_and_how_it_ended_but_no_query(app: FastAPI, lived: None) -> None:
    text = read(app, "/journal")
    assert "these-ines" in text and "refusé" in text and "Opposition enregistrée" in text
    assert "Z99" not in text and "SELECT" not in text


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("genre=vu", "risque-rachid", "not-granted"),
        ("genre=refus", "not-granted", "Opposition enregistrée"),
        ("genre=connexions", ">Connexion<", "these-ines"),
        ("genre=oppositions", "Opposition enregistrée", "these-ines"),
        ("qui=rachid", "risque-rachid", "these-ines"),
        ("projet=these-ines", "these-ines", "risque-rachid"),
        ("du=2001-01-01&au=2001-01-02", "Aucun événement", "these-ines"),
    ],
)
def test_filters(app: FastAPI, lived: None, query: str, shown: str, hidden: str) -> None:
    text = read(app, f"/journal?{query}")
    table = text.partition("<caption>")[2] or text
    assert shown in table and hidden not in table


def test_who_saw_what_by_person_and_project(app: FastAPI, lived: None) -> None:
    text = read(app, "/journal/personnes?qui=ines")
    assert "diagnoses, patients" in text and "risque-rachid" not in text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DPO])
@pytest.mark.parametrize("path", ["/journal", "/journal/personnes"])
def test_the_log_is_the_dpo_s(app: FastAPI, path: str, role: Role) -> None:
    assert visiting(app, "x", role).get(path).status_code == 403


@pytest.mark.parametrize("path", ["/journal/verification", "/journal/export"])
def test_nobody_else_verifies_or_takes_out(app: FastAPI, path: str) -> None:
    assert visiting(app, "x", Role.ADMIN).post(path).status_code == 403


def test_a_look_is_an_event_with_the_address(app: FastAPI, lived: None, settings: Settings) -> None:
    read(app, "/journal?qui=ines")
    *_, last = read_records(settings.audit_dir, settings.keys_dir)
    assert (last.who, last.what, last.details["person"]) == ("dora", "audit.read", "ines")
    assert last.where == "address:127.0.0.1"


def test_the_state_of_the_log_with_its_date(app: FastAPI, lived: None, settings: Settings) -> None:
    client = visiting(app, "dora", Role.DPO)
    assert "Pas encore vérifié" in client.get("/journal").text
    assert "Intact" in client.follow(client.post("/journal/verification")).text
    path = settings.audit_dir / "000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"rachid"', b'"rachit"', 1))
    client.post("/journal/verification")
    office = app.state.desk
    assert office.checked.outcome.broken.number == 5


def test_an_export_in_french_csv_or_in_the_chain_s_own_bytes(
    app: FastAPI, lived: None, settings: Settings
) -> None:
    client = visiting(app, "dora", Role.DPO)
    answer = client.post("/journal/export", {"genre": "vu", "qui": "ines", "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["projet"] for row in rows] == ["these-ines", "these-ines"]
    assert "attachment" in answer.headers["content-disposition"]
    lines = client.post("/journal/export", {"genre": "tout", "format": "jsonl"}).text.splitlines()
    assert json.loads(lines[0])["what"] == "hub.login"
    exports = [r for r in read_records(settings.audit_dir, settings.keys_dir) if r.what == "audit.export"]
    assert [record.details["person"] for record in exports] == ["ines", ""]


def test_a_date_that_is_none_is_told(app: FastAPI) -> None:
    assert visiting(app, "dora", Role.DPO).get("/journal?du=hier").status_code == 422


def test_the_pages_speak_english_too(app: FastAPI, lived: None) -> None:
    client = visiting(app, "dora", Role.DPO)
    client.cookies.set("p4dp-language", "en")
    assert "Audit log" in client.get("/journal").text
