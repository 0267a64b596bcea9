"""From a request to the practice's file: keys in two hands, decisions in others', seals nobody here opens."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from sqlalchemy import select

from hub_config.governance import actions as governance
from hub_config.governance.audit import read_records
from hub_config.governance.objections import actions as objections
from hub_config.governance.objections.facts import ObjectionScope
from hub_config.governance.problems import StoreProblem
from hub_config.governance.recontact import models, requests
from hub_config.governance.recontact.facts import KEPT, LEAST_ROOM, RequestState
from hub_config.governance.recontact.keys import key_of
from hub_config.governance.rights import actions as rights
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.settings import Settings
from hub_config.warehouse.local_ids import synthetic_id
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.sealing.envelope import fingerprint_of
from tests.pages import visiting
from tests.services.desk.recontact.steps import (
    SOURCE,
    announced,
    fetch,
    opened,
    pem,
    request,
    seals_in,
    step,
    with_key,
)

# --- the story ---------------------------------------------------------------------------------------------


def test_only_the_practice_opens_its_list(
    app: FastAPI, store: Store, settings: Settings, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    one, two = private_keys
    keys = with_key(app, store, one, 1), with_key(app, store, two, 2)
    made = announced(app, store)
    page = visiting(app, "alix", Role.AQD).get(f"/recontact/{made}").text
    assert "CAB-1" in page and "CAB-2" in page and "Bonjour docteur." in page
    document = json.loads(fetch(app, made, keys[0]).text)
    assert opened(one, document) == {synthetic_id(Kind.PATIENT, 1), synthetic_id(Kind.PATIENT, 2)}
    with pytest.raises(ValueError, match="ecryption failed"):
        opened(two, document)
    assert document["protocol"] == "Bonjour docteur." and document["key"] == fingerprint_of(pem(one))
    assert opened(two, json.loads(fetch(app, made, keys[1]).text)) == {synthetic_id(Kind.PATIENT, 30)}
    events = read_records(settings.audit_dir, settings.keys_dir)
    fetches = [event for event in events if event.what == "recontact.fetch"]
    assert [event.details["practice"] for event in fetches] == ["CAB-1", "CAB-2"]
    assert {event.who for event in fetches} == {"alix"}


def test_the_file_does_not_say_how_many_nor_whether_any(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    key = with_key(app, store, private_keys[0])
    made = announced(app, store)
    full = json.loads(fetch(app, made, key).text)
    with store.change() as session:
        for row in session.scalars(select(models.RecontactPatient).filter_by(request=made)):
            session.delete(row)
    empty = json.loads(fetch(app, made, key).text)
    for document in (full, empty):
        seals = seals_in(private_keys[0], document)
        assert LEAST_ROOM <= len(seals) < 2 * LEAST_ROOM and {len(seal) for seal in seals} == {384}
        assert seals != sorted(seals) and set(document) == set(full)
    assert len(full["sealed"]) == len(empty["sealed"])
    assert opened(private_keys[0], empty) == set()


@pytest.mark.parametrize("shown", ["request", "key", "project", "title", "protocol", "made_on"])
def test_what_the_physician_reads_belongs_to_the_list(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey], shown: str
) -> None:
    """A list of one trial does not open under the words of another."""
    key = with_key(app, store, private_keys[0])
    document = json.loads(fetch(app, announced(app, store), key).text)
    with pytest.raises(InvalidTag):
        opened(private_keys[0], document | {shown: "autre"})


# --- the way there -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scope", "who"), [("all", "patient"), ("future", "patient"), ("future", "gp")])
def test_who_objects_between_announcement_and_fetch_is_not_in_the_file(
    app: FastAPI,
    store: Store,
    private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey],
    scope: str,
    who: str,
) -> None:
    key, made = with_key(app, store, private_keys[0]), announced(app, store)
    assert synthetic_id(Kind.PATIENT, 2) in opened(private_keys[0], json.loads(fetch(app, made, key).text))
    objector = {"patient_no": 2} if who == "patient" else {"physician_no": 1}
    with store.change() as session:
        audit, day = store.recorder("alix"), date(2026, 1, 2)
        given = ObjectionScope(scope)
        objections.add_objection(session, **objector, numbering=SOURCE, scope=given, on=day, audit=audit)
    left = opened(private_keys[0], json.loads(fetch(app, made, key).text))
    assert left == ({synthetic_id(Kind.PATIENT, 1)} if who == "patient" else set())


def test_a_list_is_fetched_only_once_announced_and_goes_at_the_end(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    key, made = with_key(app, store, private_keys[0]), request(store)
    assert fetch(app, made, key).status_code == 422
    step(app, "diane", Role.MEDECIN_DIM, made, "approve")
    assert fetch(app, made, key).status_code == 422
    step(app, "alix", Role.AQD, made, "announce")
    assert fetch(app, made, key).status_code == 200
    assert step(app, "dora", Role.DPO, made, "close").status_code == 303
    assert fetch(app, made, key).status_code == 422
    with store.session() as session:
        assert session.scalars(select(models.RecontactPatient)).all() == []


STEPS = [
    ("lea", Role.CHERCHEUR, "approve", 403),
    ("alix", Role.AQD, "approve", 403),
    ("dora", Role.DPO, "approve", 403),
    ("denis", Role.MEDECIN_DIM, "approve", 422),  # a member of the project
    ("lea", Role.MEDECIN_DIM, "approve", 422),  # who asked for it
    ("diane", Role.MEDECIN_DIM, "announce", 403),
    ("alix", Role.AQD, "announce", 422),  # not approved yet
    ("diane", Role.MEDECIN_DIM, "refuse", 422),  # without a reason
    ("diane", Role.MEDECIN_DIM, "fetch", 422),
]


def test_who_decides_reads_whom_it_selects_before_the_buttons(app: FastAPI, store: Store) -> None:
    """In the platform's words; a literal of the project's neither becomes markup nor hides what follows."""
    sql = "SELECT patient_id\nFROM diagnoses\nWHERE cisp2 = '</pre><b>\u202eB90\u200b'"
    page = visiting(app, "diane", Role.MEDECIN_DIM).get(f"/recontact/{request(store, definition=sql)}").text
    shown = html.unescape(page[page.index("<pre>") + 5 : page.index("</pre>")])
    assert shown == "SELECT patient_id\nFROM diagnoses\nWHERE cisp2 = '</pre><b>\\u202eB90\\u200b'"
    assert page.index("diagnoses, patients") < page.index("<pre>") < page.index('value="approve"')


def test_a_request_that_does_not_say_whom_it_selects_is_not_kept(store: Store) -> None:
    with pytest.raises(StoreProblem):
        request(store, definition="")


def test_each_step_is_somebody_elses(app: FastAPI, store: Store) -> None:
    made = request(store)
    for who, role, wanted, status in STEPS:
        assert step(app, who, role, made, wanted).status_code == status, (who, wanted)
        with store.session() as session:
            assert requests.request_of(session, made).state is RequestState.REQUESTED


def test_a_refusal_has_a_reason_and_ends_the_list(app: FastAPI, store: Store) -> None:
    made = request(store)
    assert step(app, "charles", Role.CSE, made, "refuse", motif="Trop large.").status_code == 303
    assert "Trop large." in visiting(app, "charles", Role.CSE).get(f"/recontact/{made}").text
    with store.session() as session:
        assert session.scalars(select(models.RecontactPatient)).all() == []


def test_without_the_right_nothing_is_handed_out(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    """The grant is read again at each step, not remembered from the request."""
    key, made = with_key(app, store, private_keys[0]), announced(app, store)
    with store.change() as session:
        governance.suspend(session, "essai", audit=store.recorder("admin"))
    assert fetch(app, made, key).status_code == 422


def test_a_practice_that_left_gets_nothing(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    """Its key was not ended, and it left under another number: no objection is in the way."""
    key, made = with_key(app, store, private_keys[0]), announced(app, store)
    assert fetch(app, made, key).status_code == 200
    with store.change() as session:
        audit, now = store.recorder("alix"), datetime.now(UTC)
        rights.leave(session, "CAB-1", 99, numbering=SOURCE, source=SOURCE, at=now, audit=audit)
    with store.session() as session:
        assert key_of(session, key).in_force
    assert fetch(app, made, key).status_code == 404
    with store.session() as session:
        assert len(session.scalars(select(models.RecontactFetch)).all()) == 1


def test_an_old_list_is_not_handed_out(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    made = request(store, datetime.now(UTC) - KEPT - timedelta(days=1))
    answer = step(app, "diane", Role.MEDECIN_DIM, made, "approve")
    assert answer.status_code == 422 and "six mois" in answer.text


def test_a_list_goes_by_itself_when_it_is_old(app: FastAPI, store: Store, settings: Settings) -> None:
    asked, now = datetime.now(UTC), datetime.now(UTC)
    old, young = (
        request(store, asked - KEPT - timedelta(hours=1)),
        request(store, asked - timedelta(days=100)),
    )
    page = visiting(app, "alix", Role.AQD).get("/recontact").text
    assert page.count("au plus tard") == 2
    with store.change() as session:
        assert requests.expire(session, at=now, audit=store.recorder("enclave")) == 1
    with store.change() as session:
        assert requests.expire(session, at=now, audit=store.recorder("enclave")) == 0
    with store.session() as session:
        assert {row.request for row in session.scalars(select(models.RecontactPatient))} == {young}
        assert requests.request_of(session, old).state is RequestState.CLOSED
    page = visiting(app, "alix", Role.AQD).get("/recontact").text
    assert page.count("au plus tard") == 1 and page.count("<td>effacée</td>") == 1
    events = [each for each in read_records(settings.audit_dir, settings.keys_dir) if "expire" in each.what]
    assert [(each.who, each.details["request"]) for each in events] == [("enclave", old)]


def test_a_list_goes_with_its_project(store: Store) -> None:
    request(store)
    with store.change() as session:
        audit = store.recorder("admin")
        assert requests.expire(session, at=datetime.now(UTC), audit=audit) == 0
        governance.close(session, "essai", audit=audit)
        assert requests.expire(session, at=datetime.now(UTC), audit=audit) == 1
        assert session.scalars(select(models.RecontactPatient)).all() == []


def test_nobody_expires_a_list_by_hand(app: FastAPI, store: Store) -> None:
    made = request(store)
    for role in Role:
        assert step(app, "x", role, made, "expire").status_code == 403
    assert "expire" not in visiting(app, "dora", Role.DPO).get(f"/recontact/{made}").text


def test_nobody_else_sees_requests(app: FastAPI, store: Store) -> None:
    made = request(store)
    for role in set(Role) - {Role.AQD, Role.DPO, Role.MEDECIN_DIM, Role.CSE}:
        visit = visiting(app, "x", role)
        for path in ("/recontact", f"/recontact/{made}", "/recontact/outil"):
            assert visit.get(path).status_code == 403, (role, path)


def test_the_tool_is_one_file_that_reaches_nowhere(app: FastAPI) -> None:
    answer = visiting(app, "alix", Role.AQD).get("/recontact/outil")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "default-src 'none'" in answer.text and not re.search(r"(src|href)=", answer.text)


def test_the_tool_runs_what_it_is_and_nothing_else(app: FastAPI) -> None:
    """Its policy names its own script and style by their hash."""
    text = visiting(app, "alix", Role.AQD).get("/recontact/outil").text
    for element in ("script", "style"):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}';" in text
