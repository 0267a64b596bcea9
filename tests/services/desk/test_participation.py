"""The AQD records an objection by the practice's own identifier, which is kept nowhere; a GP withdraws."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from fastapi import FastAPI

from hub_config.gateway.binding import Room, furnish
from hub_config.gateway.engine import Engine, EngineLimits
from hub_config.gateway.stopping import Stop
from hub_config.governance.audit import read_records
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.objections import actions as objections
from hub_config.governance.roles import Role
from hub_config.governance.store import Store
from hub_config.settings import Settings
from hub_config.warehouse.local_ids import Found, Missing, find, synthetic_id
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.snapshot import open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from tests.pages import visiting
from tests.services.desk.objecting import PATIENT, alix, asks, form, make, objectors, receipt_of

GP = synthetic_id(Kind.PHYSICIAN, 1)
LOADED = "mapping vendor"


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
