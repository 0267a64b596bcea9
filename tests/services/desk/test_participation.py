"""The AQD records an objection by the practice's own identifier; the DPO finds who held the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import pytest
from fastapi import FastAPI

from hub_config.gateway.binding import Room, furnish
from hub_config.gateway.engine import Engine, EngineLimits
from hub_config.gateway.stopping import Stop
from hub_config.governance import actions as governance
from hub_config.governance.audit import AuditEvent, Decision, read_records
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.objections import actions as objections
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from hub_config.warehouse.local_ids import Found, Missing, find, synthetic_id
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.snapshot import build_snapshot, open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from tests.pages import Visit, visiting

PATIENT = synthetic_id(Kind.PATIENT, 2)
GP = synthetic_id(Kind.PHYSICIAN, 1)
LOADED = "mapping vendor"


def make(
    settings: Settings, *, source: str = "preset A", synthetic: bool = True, numbers: object = None
) -> int:
    """Patients 1, 2 (of GP 1, centre C01) and 30 (of GP 2, C02); 30 consulted GP 1 once."""
    one, two, three = numbers or (1, 2, 30)  # type: ignore[misc]
    with build_snapshot(settings.warehouse_dir, source=source, synthetic=synthetic, public=True) as building:
        run = building.connection.execute
        run("INSERT INTO centres (centre_id) VALUES ('C01'), ('C02')")
        run("INSERT INTO physicians (physician_no, centre_id) VALUES (1, 'C01'), (2, 'C02')")
        run(
            "INSERT INTO patients (patient_no, physician_no, centre_id) VALUES (?, 1, 'C01'), (?, 1, 'C01'), "
            "(?, 2, 'C02')",
            [one, two, three],
        )
        run(
            "INSERT INTO consultations (patient_no, physician_no, centre_id, date) VALUES "
            "(?, 1, 'C01', '2020-01-01'), (?, 2, 'C02', '2020-02-01'), (?, 1, 'C01', '2020-03-01')",
            [one, three, three],
        )
        return building.finish(date(2022, 12, 31), date(2000, 1, 1), date(2022, 12, 31)).number


def form(identifier: str = PATIENT, **said: str) -> dict[str, str]:
    return {
        "qui": "patient",
        "source": "preset A",
        "identifiant": identifier,
        "reference": "lettre-14",
        "relu": "oui",
        **said,
    }


def alix(app: FastAPI) -> Visit:
    return visiting(app, "alix", Role.AQD)


def receipt_of(client: Visit, **said: str) -> tuple[str, str]:
    """The receipt's number and its page."""
    answer = client.post("/participation/oppositions", form(**said))
    assert answer.status_code == 303, answer.text
    text = client.follow(answer).text
    return re.findall(r"(?<![\w-])R-[2-9a-z]{10}(?![\w-])", text)[0], text


def objectors(store: Store) -> tuple[set[int], set[int]]:
    with store.session() as session:
        found = objections.objectors(session, "preset A")
    return set(found.patients), set(found.physicians)


# --- local identifiers -------------------------------------------------------------------------------------


def test_a_slip_of_the_pen_names_nobody(settings: Settings) -> None:
    make(settings)
    for wrong in _slips(synthetic_id(Kind.PATIENT, 30)):
        found = find(settings.warehouse_dir, settings.keys_dir, "preset A", Kind.PATIENT, wrong)
        assert found is Missing.BAD_ID, wrong


def _slips(identifier: str) -> Iterator[str]:
    places = [place for place, sign in enumerate(identifier) if sign.isdigit()]
    for place in places:
        for digit in "0123456789":
            if digit != identifier[place]:
                yield identifier[:place] + digit + identifier[place + 1 :]
    for one, two in pairwise(places):
        swapped = list(identifier)
        swapped[one], swapped[two] = swapped[two], swapped[one]
        if (text := "".join(swapped)) != identifier:
            yield text


def test_a_loaded_person_is_found_by_the_key_in_their_own_source_only(settings: Settings) -> None:
    numbers = Pseudonyms.open(settings.keys_dir).numbers(
        Kind.PATIENT, "vendor", ["CAB1-77", "CAB1-78", "CAB2-77"]
    )
    make(settings, source=LOADED, synthetic=False, numbers=numbers)
    places = settings.warehouse_dir, settings.keys_dir
    assert find(*places, LOADED, Kind.PATIENT, " CAB1-78 ") == Found(numbers[1], (1,), "registered")
    assert find(*places, LOADED, Kind.PATIENT, "cab1-78") is Missing.UNKNOWN
    assert find(*places, LOADED, Kind.PATIENT, "77") is Missing.UNKNOWN
    assert find(*places, "mapping other", Kind.PATIENT, "CAB1-78") is Missing.NO_SOURCE
    assert find(*places, LOADED, Kind.PHYSICIAN, "CAB1") is Missing.INVENTED
    before = (settings.keys_dir / "patients.register").read_bytes()
    find(*places, LOADED, Kind.PATIENT, "never-seen")
    assert (settings.keys_dir / "patients.register").read_bytes() == before, "asking numbers nobody"


# --- the page ----------------------------------------------------------------------------------------------


def test_an_objection_and_its_receipt(app: FastAPI, store: Store, settings: Settings) -> None:
    make(settings)
    number, text = receipt_of(alix(app))
    assert "En vigueur depuis le" in text and "retrouvé dans le journal" in text and "lettre-14" in text
    assert PATIENT not in text and objectors(store) == ({2}, set())
    log = "".join(record.line.decode() for record in read_records(settings.audit_dir, settings.keys_dir))
    assert number in log and PATIENT not in log


def test_what_was_typed_is_kept_nowhere(app: FastAPI, settings: Settings) -> None:
    numbers = Pseudonyms.open(settings.keys_dir).numbers(Kind.PATIENT, "vendor", ["CAB1-77", "CAB1-78", "z"])
    make(settings, source=LOADED, synthetic=False, numbers=numbers)
    receipt_of(alix(app), identifier="CAB1-78", source=LOADED)
    for path in settings.home.rglob("*"):
        assert not path.is_file() or b"CAB1-78" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"identifier": "Dupont"}, "pas écrit comme"),
        ({"identifier": synthetic_id(Kind.PATIENT, 99)}, "Personne n"),
        ({"source": "mapping other"}, "Aucune version figée"),
        ({"relu": ""}, "Seul le DPO lève"),
        ({"reference": "Mme Dupont, 1950"}, "jamais un nom"),
        ({"identifier": GP}, "pas écrit comme"),
    ],
)
def test_what_is_refused_is_told_and_records_nothing(
    app: FastAPI, store: Store, settings: Settings, changes: dict[str, str], said: str
) -> None:
    make(settings)
    answer = alix(app).post("/participation/oppositions", form(**changes))
    assert answer.status_code == 422 and said in answer.text
    assert objectors(store) == (set(), set())


def test_a_lookup_that_finds_nobody_is_an_event_without_the_identifier(
    app: FastAPI, settings: Settings
) -> None:
    """So nobody tries identifiers unseen."""
    make(settings)
    alix(app).post("/participation/oppositions", form(identifier=synthetic_id(Kind.PATIENT, 99)))
    *_, last = read_records(settings.audit_dir, settings.keys_dir)
    assert (last.what, last.decision, last.details["code"]) == ("participation.lookup", "refused", "unknown")
    assert "99" not in str(last.details)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.AQD, Role.DPO}))
def test_nobody_else_records_objections(app: FastAPI, store: Store, settings: Settings, role: Role) -> None:
    make(settings)
    client = visiting(app, "x", role)
    assert client.get("/participation").status_code == 403
    for path in ("oppositions", "retraits", "entrees", "logiciels"):
        assert client.post(f"/participation/{path}", form()).status_code == 403
    assert objectors(store) == (set(), set())


def test_a_receipt_the_log_does_not_hold_is_told(app: FastAPI, store: Store, settings: Settings) -> None:
    make(settings)
    client = alix(app)
    number, _ = receipt_of(client)
    asks(store, "these-ines")
    path = settings.audit_dir / "000001.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if number.encode() not in line))
    assert "absent du journal" in client.get(f"/participation/recepisses/{number}").text


def test_a_practice_from_entry_to_withdrawal(app: FastAPI, store: Store, settings: Settings) -> None:
    make(settings)
    client = alix(app)
    said = {"cabinet": "CAB-12", "source": "preset A", "logiciel": "Weda", "date": "2026-01-05"}
    assert client.post("/participation/entrees", said).status_code == 303
    assert client.post("/participation/logiciels", {**said, "logiciel": "Hellodoc"}).status_code == 303
    assert "Hellodoc" in client.get("/participation").text
    answer = client.post("/participation/retraits", {**form(GP), "cabinet": "CAB-12"})
    assert "un médecin, avec ses patients" in client.follow(answer).text
    assert objectors(store) == (set(), {1})


# --- what a withdrawal takes ------------------------------------------------------------------------------


def rows_seen(settings: Settings, store: Store, number: int) -> dict[str, list[tuple[int, ...]]]:
    """Whom a question of a project on this snapshot is given, by the gateway's own binding."""
    with store.session() as session:
        objectors = objections.objectors(session, "preset A")
    catalogue = load_catalogue()
    grant = Grant(access=AccessLevel.AGGREGATE, tables={"patients": None, "consultations": None})
    engine = Engine(open_snapshot(settings.warehouse_dir, number).database, EngineLimits(2**28, 1))
    with engine.session(Stop(60)) as session:
        bound = furnish(
            session,
            Room(catalogue, grant, objectors, None),
            [catalogue.tables["patients"], catalogue.tables["consultations"]],
        )
        return {
            name: sorted(
                tuple(row.values())
                for row in session.fetch(f'SELECT __patient, __physician FROM temp.main."{name}"').to_pylist()
            )
            for name in bound
        }


def test_a_withdrawal_takes_what_the_gp_exported_and_no_more(
    app: FastAPI, store: Store, settings: Settings
) -> None:
    """Their rows, and the records of their own patients, which came with their export. A colleague's patient
    who saw them once loses that visit alone."""
    snapshot = make(settings)
    before = rows_seen(settings, store, snapshot)
    assert before == {"patients": [(1, 1), (2, 1), (30, 2)], "consultations": [(1, 1), (30, 1), (30, 2)]}
    receipt_of(alix(app), identifier=GP, qui="physician")
    assert rows_seen(settings, store, snapshot) == {"patients": [(30, 2)], "consultations": [(30, 2)]}


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


def asks(store: Store, slug: str, who: str = "rachid") -> None:
    store.audit.append(AuditEvent(who, "gateway.query", slug, Decision.ALLOWED, {"tables": "patients"}))


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
