"""Keys of practices: in force when two people heard them, each for one practice."""

from __future__ import annotations

import html
import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from sqlalchemy import select

from hub_config.desk.participation import pages as participation
from hub_config.desk.participation.pages import LOOKUP, MOST_UNFOUND
from hub_config.governance.audit import read_records
from hub_config.governance.recontact import models
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
    confirm,
    fetch,
    opened,
    pem,
    record,
    with_key,
)


def test_a_key_is_in_force_when_two_people_heard_it(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    public = pem(private_keys[0])
    assert record(app, public).status_code == 303
    assert confirm(app, store, fingerprint_of(public), who="alix").status_code == 422, "one's own"
    own = html.unescape(visiting(app, "alix", Role.AQD).get("/recontact").text)
    assert "une autre personne la confirme" in own and "Confirmer la clé" not in own
    assert confirm(app, store, "1" * 30).status_code == 422, "another fingerprint"
    with store.session() as session:
        assert session.scalars(select(models.PracticeKey)).one().confirmed_by is None
    page = visiting(app, "dora", Role.DPO).get("/recontact").text
    assert fingerprint_of(public)[:5] not in page, "who confirms has it from the GP, not from the page"
    assert confirm(app, store, fingerprint_of(public)).status_code == 303


def test_what_is_wrong_with_a_key_is_told_and_records_nothing(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    wrong = [
        ({"empreinte": "0" * 30}, "pas celle de cette clé"),
        ({"cle": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}, "pas une clé publique"),
        ({"cle": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "pas une clé publique"),
        ({"cle": pem(rsa.generate_private_key(65537, 2048))}, "pas une clé publique"),
        ({"cabinet": "CAB-9"}, "Aucun cabinet participant"),
        ({"identifiant": "M0007-7"}, "pas écrit comme"),
    ]
    for said, told in wrong:
        answer = record(app, pem(private_keys[0]), **said)
        assert answer.status_code in (404, 422) and told in html.unescape(answer.text), told
    with store.session() as session:
        assert session.scalars(select(models.PracticeKey)).all() == []


def test_a_practice_of_a_source_without_a_snapshot_is_told_what_to_do(
    app: FastAPI, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    entry = {"cabinet": "CAB-3", "source": "preset a", "logiciel": "Logimed", "date": "2024-01-01"}
    assert visiting(app, "alix", Role.AQD).post("/participation/entrees", entry).status_code == 303
    answer = record(app, pem(private_keys[0]), cabinet="CAB-3")
    assert answer.status_code == 422 and "sous un nouveau code" in html.unescape(answer.text)


@pytest.mark.parametrize(
    ("typed", "kept"), [("cabineo", "mapping cabineo"), ("mapping cabineo", "mapping cabineo"), ("x", "x")]
)
def test_a_loaded_source_may_be_typed_by_its_own_name(
    app: FastAPI, store: Store, monkeypatch: pytest.MonkeyPatch, typed: str, kept: str
) -> None:
    monkeypatch.setattr(participation, "sources", lambda _warehouse: [SOURCE, "mapping cabineo"])
    entry = {"cabinet": "CAB-3", "source": typed, "logiciel": "Cabinéo", "date": "2024-01-01"}
    assert visiting(app, "alix", Role.AQD).post("/participation/entrees", entry).status_code == 303
    with store.session() as session:
        (found,) = [each for each in rights.practices(session) if each.reference == "CAB-3"]
    assert found.source == kept


def test_a_new_key_takes_the_place_of_the_old(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    old, new = private_keys
    first, second = with_key(app, store, old), with_key(app, store, new)
    made = announced(app, store)
    assert fetch(app, made, first).status_code == 404
    document = json.loads(fetch(app, made, second).text)
    assert len(opened(new, document)) == 2
    with pytest.raises(ValueError, match="ecryption failed"):
        opened(old, document)


def test_a_gps_patients_are_not_sealed_for_another_practice(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    with_key(app, store, private_keys[0])
    answer = record(app, pem(private_keys[1]), cabinet="CAB-2")
    assert answer.status_code == 422 and "autre cabinet" in answer.text


def test_one_person_alone_does_not_bind_a_key_to_another_gp(
    app: FastAPI,
    store: Store,
    settings: Settings,
    private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey],
) -> None:
    """The fingerprint is the practice's own; whose lists it opens is heard by both, too."""
    public = pem(private_keys[0])
    assert record(app, public, identifiant=synthetic_id(Kind.PHYSICIAN, 2)).status_code == 303
    wrong = confirm(app, store, "1" * 30)
    refused = [
        confirm(app, store, fingerprint_of(public), gp=gp)
        for gp in (synthetic_id(Kind.PHYSICIAN, 1), synthetic_id(Kind.PHYSICIAN, 7), "M0007-7")
    ]
    told = {re.sub(r"[\w-]{20,}", "", answer.text) for answer in (wrong, *refused)}
    assert {answer.status_code for answer in (wrong, *refused)} == {422}
    assert len(told) == 1, "another GP's is refused in the words of a wrong fingerprint"
    assert lookups(settings, "dora") == ["others-gp", "unknown", "bad-id"]
    with store.session() as session:
        assert session.scalars(select(models.PracticeKey)).one().confirmed_by is None


def lookups(settings: Settings, who: str) -> list[str]:
    events = read_records(settings.audit_dir, settings.keys_dir)
    return [str(event.details["code"]) for event in events if (event.what, event.who) == (LOOKUP, who)]


def test_a_gp_of_another_practice_is_looked_up_on_record_and_not_too_often(
    app: FastAPI,
    store: Store,
    settings: Settings,
    private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey],
) -> None:
    """That there is another practice's key tells that the identifier is a GP's."""
    with_key(app, store, private_keys[0])
    answers = [record(app, pem(private_keys[1]), cabinet="CAB-2") for _ in range(MOST_UNFOUND + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {422}
    assert lookups(settings, "alix") == ["others-gp"] * MOST_UNFOUND + ["too-often"]
    assert answers[-1].status_code == 429


def test_a_key_that_was_ended_holds_nobodys_place(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    slip = with_key(app, store, private_keys[0])
    assert visiting(app, "dora", Role.DPO).post(f"/recontact/cles/{slip}/fin").status_code == 303
    assert record(app, pem(private_keys[1]), cabinet="CAB-2").status_code == 303
