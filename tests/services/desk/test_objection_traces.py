"""The DPO finds who held the rows of whoever objected, has copies erased, and lifts an objection."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI

from hub_config.governance import actions as governance
from hub_config.governance.audit import AuditEvent, Decision, read_records
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.objections import actions as objections
from hub_config.governance.register.leaving import leave
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from tests.pages import visiting
from tests.services.desk.objecting import alix, asks, make, objectors, receipt_of

# --- for the DPO -------------------------------------------------------------------------------------------


def project(store: Store, slug: str, access: AccessLevel, snapshot: int, **said: object) -> None:
    grant = Grant(access=access, tables={"patients": None}, legal_basis="MR-004", **said)  # type: ignore[arg-type]
    charter = Charter(
        slug=slug,
        title=slug.title(),
        purpose="p",
        snapshot=snapshot,
        grant=grant,
        members={"rachid": MemberRole.CHERCHEUR},
    )
    terms = Terms(SnapshotTerms(snapshot, True, frozenset({"C01", "C02"})))
    with store.change() as session:
        governance.create_project(session, charter, terms=terms, audit=store.recorder("admin"))


def test_the_dpo_sees_the_workspaces_that_held_the_rows(
    app: FastAPI, store: Store, settings: Settings
) -> None:
    snapshot = make(settings)
    rows, cells = AccessLevel.MICRODATA, AccessLevel.AGGREGATE
    project(store, "avec-lignes", rows, snapshot)
    project(store, "autre-centre", rows, snapshot, centres=frozenset({"C02"}))
    project(store, "sans-question", rows, snapshot)
    project(store, "agregats", cells, snapshot)
    for slug in ("avec-lignes", "autre-centre", "agregats"):
        asks(store, slug)
    number, _ = receipt_of(alix(app))
    asks(store, "avec-lignes", "tardif")
    text = visiting(app, "dora", Role.DPO).get(f"/participation/recepisses/{number}/espaces").text
    assert "avec-lignes" in text and "rachid" in text and "la personne était visible" in text
    for hidden in ("autre-centre", "sans-question", "agregats", "tardif"):
        assert hidden not in text, hidden


def test_who_can_t_be_asked_is_told_to_the_dpo(app: FastAPI, store: Store, settings: Settings) -> None:
    """A run of the enclave's own held rows, and so did somebody who left: the operator erases these."""
    project(store, "avec-lignes", AccessLevel.MICRODATA, make(settings))
    for who in ("rachid", "svc-avec-lignes", "lea"):
        asks(store, "avec-lignes", who)
    with store.change() as session:
        leave(session, "lea", reason="Fin de stage", audit=store.recorder("admin"))
    number, _ = receipt_of(alix(app))
    dora, trace = visiting(app, "dora", Role.DPO), f"/participation/recepisses/{number}"
    held = re.findall(r'<th scope="row">(.*?)</th>', dora.get(f"{trace}/espaces").text)
    told = {row.partition("<")[0]: row.partition("<")[2] for row in held}
    assert "a quitté la plateforme" in told["lea"]
    assert "exécutions de l&#39;enclave" in told["svc-avec-lignes"]
    assert told["rachid"] == ""
    assert dora.post(f"{trace}/effacements").status_code == 303
    assert dora.post(f"{trace}/effacements/avec-lignes/svc-avec-lignes").status_code == 303
    assert "par dora" in dora.get(f"{trace}/espaces").text


def test_a_project_that_had_rows_once_is_told_as_possible(
    app: FastAPI, store: Store, settings: Settings
) -> None:
    snapshot = make(settings)
    project(store, "avant", AccessLevel.MICRODATA, snapshot)
    asks(store, "avant")
    grant = Grant(access=AccessLevel.AGGREGATE, tables={"patients": None}, legal_basis="MR-004")
    with store.change() as session:
        terms = Terms(SnapshotTerms(snapshot, True, None))
        governance.amend(session, "avant", grant, terms=terms, audit=store.recorder("admin"))
    number, _ = receipt_of(alix(app))
    text = visiting(app, "dora", Role.DPO).get(f"/participation/recepisses/{number}/espaces").text
    assert "avant" in text and "a pu être visible" in text


def test_only_the_dpo_traces(app: FastAPI, settings: Settings) -> None:
    make(settings)
    client = alix(app)
    number, text = receipt_of(client)
    assert "Espaces de travail" not in text
    assert client.get(f"/participation/recepisses/{number}/espaces").status_code == 403


# --- copies to erase, objections to the future and objections that are lifted -------------------------------


def held(app: FastAPI, store: Store, settings: Settings, **said: str) -> str:
    """Rachid has asked in a project with rows; then somebody objects. The receipt."""
    project(store, "avec-lignes", AccessLevel.MICRODATA, make(settings))
    asks(store, "avec-lignes")
    return receipt_of(alix(app), **said)[0]


def test_an_erasure_from_the_question_to_the_answer(app: FastAPI, store: Store, settings: Settings) -> None:
    """The DPO asks, the holder sees a project and a day and nothing of whose rows, and says it is done."""
    number = held(app, store, settings)
    dora, rachid = visiting(app, "dora", Role.DPO), visiting(app, "rachid", Role.CHERCHEUR)
    trace = f"/participation/recepisses/{number}"
    assert "pas encore demandé" in dora.get(f"{trace}/espaces").text
    assert "rien demandé" in rachid.get("/effacements").text
    for _ in range(2):
        assert dora.post(f"{trace}/effacements").status_code == 303
    assert "demandé le" in dora.get(f"{trace}/espaces").text
    asked = rachid.get("/effacements").text
    assert "avec-lignes" in asked and "J&#39;ai effacé" in asked and "lettre-14" not in asked
    assert rachid.post(f"/effacements/{number}/avec-lignes").status_code == 303
    assert "par rachid" in dora.get(f"{trace}/espaces").text
    events = [record.what for record in read_records(settings.audit_dir, settings.keys_dir)]
    assert events.count("rights.ask-erasure") == 2 and events.count("rights.erased") == 1


def test_the_dpo_notes_what_a_holder_said_otherwise(app: FastAPI, store: Store, settings: Settings) -> None:
    number = held(app, store, settings)
    dora = visiting(app, "dora", Role.DPO)
    trace = f"/participation/recepisses/{number}"
    dora.post(f"{trace}/effacements")
    assert dora.post(f"{trace}/effacements/avec-lignes/rachid").status_code == 303
    assert "par dora" in dora.get(f"{trace}/espaces").text
    assert dora.post(f"{trace}/effacements/avec-lignes/rachid").status_code == 422


@pytest.mark.parametrize("who", ["rachid", "ines"])
def test_nobody_asks_for_an_erasure_or_notes_another_s(
    app: FastAPI, store: Store, settings: Settings, who: str
) -> None:
    number = held(app, store, settings)
    visiting(app, "dora", Role.DPO).post(f"/participation/recepisses/{number}/effacements")
    client = visiting(app, who, Role.CHERCHEUR)
    trace = f"/participation/recepisses/{number}/effacements"
    assert client.post(trace).status_code == client.post(f"{trace}/avec-lignes/rachid").status_code == 403
    own = client.post(f"/effacements/{number}/avec-lignes").status_code
    assert own == (303 if who == "rachid" else 404)
    assert client.post(f"/effacements/{number}/autre").status_code == 404


def test_drafts_hold_no_rows(app: FastAPI, store: Store, settings: Settings) -> None:
    """Of a project that was given rows, who saw protected answers only holds none."""
    project(store, "avec-lignes", AccessLevel.MICRODATA, make(settings))
    asks(store, "avec-lignes")
    details = {"tables": "patients", "protection": "exploration"}
    store.audit.append(AuditEvent("ines", "gateway.query", "avec-lignes", Decision.ALLOWED, details))
    number, _ = receipt_of(alix(app))
    text = visiting(app, "dora", Role.DPO).get(f"/participation/recepisses/{number}/espaces").text
    assert "rachid" in text and "ines" not in text


def test_an_objection_to_the_future_hides_what_comes_and_asks_for_no_erasure(
    app: FastAPI, store: Store, settings: Settings
) -> None:
    number = held(app, store, settings, portee="future")
    assert objectors(store) == (set(), set())
    with store.session() as session:
        assert set(objections.objectors(session, "preset A").patients_until) == {2}
    dora = visiting(app, "dora", Role.DPO)
    trace = f"/participation/recepisses/{number}"
    assert "ce qui date d&#39;après" in dora.get(trace).text
    assert "peuvent rester" in dora.get(f"{trace}/espaces").text
    assert dora.post(f"{trace}/effacements").status_code == 422


def test_the_dpo_lifts_an_objection_with_a_reason(app: FastAPI, store: Store, settings: Settings) -> None:
    make(settings)
    client = alix(app)
    number, _ = receipt_of(client)
    path = f"/participation/recepisses/{number}/levee"
    dora = visiting(app, "dora", Role.DPO)
    assert client.post(path, {"motif": "erreur"}).status_code == 403
    assert dora.post(path, {"motif": " "}).status_code == 422 and objectors(store) == ({2}, set())
    assert dora.post(path, {"motif": "erreur de saisie"}).status_code == 303
    assert objectors(store) == (set(), set())
    assert "Levée le" in dora.get(f"/participation/recepisses/{number}").text
    assert dora.post(path, {"motif": "encore"}).status_code == 422
    events = [record.what for record in read_records(settings.audit_dir, settings.keys_dir)]
    assert events.count("objection.lift") == events.count("participation.lift") == 1
    assert "levée" in client.get("/participation").text
