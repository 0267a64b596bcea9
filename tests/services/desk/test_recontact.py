"""From a request to the practice's file: keys in two hands, decisions in others', seals nobody here opens."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from sqlalchemy import select

from hub_config.desk.participation.pages import LOOKUP, MOST_UNFOUND
from hub_config.desk.recontact.lists import STEP
from hub_config.governance import actions as governance
from hub_config.governance.audit import read_records
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.objections import actions as objections
from hub_config.governance.objections.facts import ObjectionScope
from hub_config.governance.problems import StoreProblem
from hub_config.governance.recontact import models, requests
from hub_config.governance.recontact.facts import KEPT, Listed, RequestState
from hub_config.governance.recontact.keys import key_of
from hub_config.governance.recontact.requests import Asked
from hub_config.governance.rights import actions as rights
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.governance.terms import SnapshotTerms, Terms, every_table
from hub_config.settings import Settings
from hub_config.warehouse.local_ids import synthetic_id
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.sealing.envelope import LABEL, WRAPPING, fingerprint_of
from hub_config.warehouse.snapshot import build_snapshot
from tests.pages import visiting

SOURCE = "preset A"
SOUGHT = {1: 1, 2: 1, 30: 2}  # patients and their GPs
AT = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def private_keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """Of practices 1 and 2."""
    return rsa.generate_private_key(65537, 3072), rsa.generate_private_key(65537, 3072)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def opened(key: rsa.RSAPrivateKey, document: dict[str, object]) -> set[str]:
    """As the tool of the practice does: the blanks left out."""
    how = OAEP(MGF1(SHA256()), SHA256(), LABEL)
    return {text for text in (key.decrypt(seal, how).decode() for seal in seals_in(key, document)) if text}


def seals_in(key: rsa.RSAPrivateKey, document: dict[str, object]) -> list[bytes]:
    parts = (base64.b64decode(str(document[name])) for name in ("wrapped", "nonce", "sealed"))
    wrapped, nonce, closed = parts
    once = AESGCM(key.decrypt(wrapped, OAEP(MGF1(SHA256()), SHA256(), WRAPPING)))
    shown = ("format", "request", "key", "project", "title", "protocol", "made_on")
    said = json.dumps([document[name] for name in shown], ensure_ascii=False, separators=(",", ":"))
    content = once.decrypt(nonce, closed, said.encode())
    return [content[start : start + len(wrapped)] for start in range(0, len(content), len(wrapped))]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("warehouse")
    with build_snapshot(directory, source=SOURCE, synthetic=True, public=True) as building:
        run = building.connection.execute
        run("INSERT INTO centres (centre_id) VALUES ('C01')")
        run("INSERT INTO physicians (physician_no, centre_id) VALUES (1, 'C01'), (2, 'C01')")
        for patient, gp in SOUGHT.items():
            run(f"INSERT INTO patients (patient_no, physician_no, centre_id) VALUES ({patient}, {gp}, 'C01')")
        building.finish(date(2022, 12, 31), date(2000, 1, 1), date(2022, 12, 31))
    return directory


@pytest.fixture(autouse=True)
def practices(settings: Settings, store: Store, app: FastAPI, warehouse: Path) -> None:
    """An approved project with the right, and two participating practices."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.warehouse_dir.symlink_to(warehouse)
    grant = Grant(AccessLevel.AGGREGATE, every_table(), legal_basis="MR-003", recontact=True)
    members = {"lea": MemberRole.CHERCHEUR, "denis": MemberRole.MEDECIN_DIM}
    charter = Charter("essai", "Essai", "x", 1, grant, members)
    with store.change() as session:
        audit = store.recorder("admin")
        governance.create_project(
            session, charter, terms=Terms(SnapshotTerms(1, synthetic=True)), audit=audit
        )
        governance.approve(session, "essai", audit=audit)
    for cabinet in ("CAB-1", "CAB-2"):
        entry = {"cabinet": cabinet, "source": SOURCE, "logiciel": "Logimed", "date": "2024-01-01"}
        assert visiting(app, "alix", Role.AQD).post("/participation/entrees", entry).status_code == 303


def request(store: Store, at: datetime | None = None, definition: str = "SELECT 1") -> str:
    told = "Bonjour docteur.", 1, SOURCE, True, 30
    asked = Asked("essai", "Essai HTA", *told, definition, ("diagnoses", "patients"))
    people = [Listed(patient, gp) for patient, gp in SOUGHT.items()]
    with store.change() as session:
        moment = at or datetime.now(UTC)
        return requests.ask(session, asked, people, at=moment, audit=store.recorder("lea")).id


def record(app: FastAPI, key: str, who: str = "alix", **said: str) -> httpx.Response:
    form = {"cabinet": "CAB-1", "identifiant": synthetic_id(Kind.PHYSICIAN, 1), "cle": key}
    form |= {"empreinte": fingerprint_of(key), **said}
    return visiting(app, who, Role.AQD).post("/recontact/cles", form)


def confirm(app: FastAPI, store: Store, heard: str, who: str = "dora", gp: str = "") -> httpx.Response:
    with store.session() as session:
        last = session.scalars(select(models.PracticeKey).where(models.PracticeKey.confirmed_by.is_(None)))
        key = last.all()[-1]
    said = {"empreinte": heard, "identifiant": gp or synthetic_id(Kind.PHYSICIAN, key.physician_no)}
    return visiting(app, who, Role.DPO).post(f"/recontact/cles/{key.id}/confirmation", said)


def with_key(app: FastAPI, store: Store, key: rsa.RSAPrivateKey, practice: int = 1) -> str:
    public = pem(key)
    gp = synthetic_id(Kind.PHYSICIAN, practice)
    answer = record(app, public, cabinet=f"CAB-{practice}", identifiant=gp)
    assert answer.status_code == 303, answer.text
    assert confirm(app, store, fingerprint_of(public)).status_code == 303
    with store.session() as session:
        found = select(models.PracticeKey).where(models.PracticeKey.fingerprint == fingerprint_of(public))
        return session.scalars(found).one().id


def step(app: FastAPI, who: str, role: Role, recontact: str, wanted: str, **said: str) -> httpx.Response:
    return visiting(app, who, role).post(f"/recontact/{recontact}", {"etape": wanted, **said})


def announced(app: FastAPI, store: Store) -> str:
    made = request(store)
    assert step(app, "diane", Role.MEDECIN_DIM, made, "approve").status_code == 303
    assert step(app, "alix", Role.AQD, made, "announce").status_code == 303
    return made


def fetch(app: FastAPI, recontact: str, key: str) -> httpx.Response:
    return visiting(app, "alix", Role.AQD).post(f"/recontact/{recontact}/cabinets/{key}")


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
    full = json.loads(fetch(app, announced(app, store), key).text)
    SOUGHT_HERE = announced(app, store)  # noqa: N806
    with store.change() as session:
        for row in session.scalars(select(models.RecontactPatient).filter_by(request=SOUGHT_HERE)):
            session.delete(row)
    empty = json.loads(fetch(app, SOUGHT_HERE, key).text)
    for document in (full, empty):
        seals = seals_in(private_keys[0], document)
        assert len(seals) == STEP and {len(seal) for seal in seals} == {384}
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


# --- keys --------------------------------------------------------------------------------------------------


def test_a_key_is_in_force_when_two_people_heard_it(
    app: FastAPI, store: Store, private_keys: tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]
) -> None:
    public = pem(private_keys[0])
    assert record(app, public).status_code == 303
    assert confirm(app, store, fingerprint_of(public), who="alix").status_code == 422, "one's own"
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
