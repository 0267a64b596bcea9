"""Pseudonyms out of a file are recognised, and nobody else's number is; the answer holds places only."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest

from hub_config.gateway import recognising
from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.gateway.pseudonym_search import pseudonym_search
from hub_config.gateway.pseudonyms import ProjectKey
from hub_config.gateway.recognising import HOMES, NEARBY, Recogniser, Shelf, Whose
from hub_config.sockets.control import create_control_app
from hub_config.sockets.listeners import Listeners
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.purging import Objector
from hub_config.warehouse.snapshot import build_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Role
from tests.services.gateway.peer_enclave import (
    MASTER_KEY,
    OBJECTING_PATIENT,
    PATIENTS,
    Enclave,
    Workspace,
    fill,
    opened,
    table,
)

PROJECT = "modeles-rachid"
KEY = ProjectKey.derive(MASTER_KEY, PROJECT)


@pytest.fixture
def recogniser(enclave: Enclave) -> Recogniser:
    return Recogniser(enclave.gateway.engines, enclave.gateway.warehouse_dir, MASTER_KEY)


@pytest.fixture
def control(enclave: Enclave, recogniser: Recogniser, tmp_path: Path) -> Iterator[httpx.AsyncClient]:
    app = create_control_app(
        Listeners(enclave.app, tmp_path, tmp_path), "gateway", pseudonym_search(recogniser)
    )
    yield httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway")


async def test_what_a_notebook_sees_is_recognised(recogniser: Recogniser, rachid: Workspace) -> None:
    seen, _ = opened((await rachid.ask(table("patients", "patient_id"))).content)
    numbers = seen.column("patient_id").to_pylist()
    assert len(numbers) > PATIENTS // 2
    found = recogniser.recognise(PROJECT, 1, numbers).found
    assert found == dict.fromkeys(range(len(numbers)), Whose.PATIENT)


def test_those_who_objected_are_recognised_too(recogniser: Recogniser) -> None:
    pseudonym = KEY.pseudonym("patient_id", OBJECTING_PATIENT)
    assert recogniser.recognise(PROJECT, 1, [pseudonym]).found == {0: Whose.PATIENT}


def test_who_was_left_out_of_a_newer_snapshot_is_recognised(tmp_path: Path) -> None:
    """Their rows of before may lie in a workspace: patients of a GP who withdrew, too."""
    gone = [Objector(Kind.PATIENT, 42), Objector(Kind.PHYSICIAN, 5)]
    with build_snapshot(
        tmp_path / "newer", source="test", synthetic=True, public=False, objectors=gone
    ) as building:
        fill(building)
    engines = Engines(EngineLimits(memory_bytes=256 * 1024**2, threads=1))
    newer = Recogniser(engines, tmp_path / "newer", MASTER_KEY)
    asked = [KEY.pseudonym("patient_id", number) for number in (42, 17)]
    assert newer.recognise(PROJECT, 1, asked).found == {0: Whose.PATIENT, 1: Whose.PATIENT}
    assert newer.recognise(PROJECT, 1, [KEY.pseudonym("physician_id", 5)]).found == {0: Whose.PHYSICIAN}
    engines.close()


@pytest.mark.parametrize("defended", [False, True], ids=["this-snapshot-alone", "for-real"])
def test_a_consultation_of_another_kept_snapshot_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    """Of before the person objected, or of before the row was set aside; and not of another numbering's."""
    if not defended:
        monkeypatch.setattr(Recogniser, "_others", lambda *_: [])
    more = "INSERT INTO consultations (patient_no, physician_no, consultation_id) VALUES (1, 1, {})"
    for source, number in (("test", 10**15), ("test", 10**15 + 1), ("elsewhere", 10**15 + 2)):
        with build_snapshot(tmp_path / "w", source=source, synthetic=True, public=False) as building:
            building.connection.execute("INSERT INTO patients (patient_no, physician_no) VALUES (1, 1)")
            building.connection.execute(more.format(number))
            building.finish(date(2020, 1, 1), date(2015, 1, 1), date(2020, 1, 1))
    engines = Engines(EngineLimits(memory_bytes=256 * 1024**2, threads=1))
    asked = [KEY.pseudonym("consultation_id", 10**15 + place) for place in range(3)]
    found = Recogniser(engines, tmp_path / "w", MASTER_KEY).recognise(PROJECT, 2, asked).found
    assert found == dict.fromkeys([0, 1] if defended else [1], Whose.CONSULTATION)
    engines.close()


def test_a_physician_is_recognised(recogniser: Recogniser) -> None:
    assert recogniser.recognise(PROJECT, 1, [KEY.pseudonym("physician_id", 3)]).found == {0: Whose.PHYSICIAN}


@pytest.mark.parametrize("written", [float, lambda number: number // 10**4 * 10**4, lambda n: n + NEARBY])
def test_a_rounded_pseudonym_is_recognised(recogniser: Recogniser, written: object) -> None:
    """Double precision keeps 16 digits, a spreadsheet 15."""
    pseudonym = KEY.pseudonym("patient_id", 42)
    assert recogniser.recognise(PROJECT, 1, [int(written(pseudonym))]).found  # type: ignore[operator]


def test_others_are_not(recogniser: Recogniser) -> None:
    other = ProjectKey.derive(MASTER_KEY, "these-ines").pseudonym("patient_id", 42)
    nobody = KEY.pseudonym("patient_id", PATIENTS + 5)
    far = KEY.pseudonym("patient_id", 42) + 2 * NEARBY + 1
    asked = [other, nobody, far, 0, 2**63 - 1, 2**63, 2**200, -5]
    assert recogniser.recognise(PROJECT, 1, asked).found == {}


def test_a_kind_too_large_to_index_is_said_to_be_unsearched(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognising, "MOST_INDEXED", PATIENTS)
    told = recogniser.recognise(PROJECT, 1, [KEY.pseudonym("patient_id", 42)])
    assert told.found == {} and Whose.PATIENT in told.unsearched


def test_an_index_is_made_once_and_room_is_bounded(recogniser: Recogniser) -> None:
    tight = replace(recogniser, kept=Shelf(most_bytes=1))
    patients = (PROJECT, (1,), HOMES[0])
    tight.recognise(PROJECT, 1, [5])
    assert tight.kept.get(patients) is None, "what was made first has gone"
    recogniser.recognise(PROJECT, 1, [5])
    made = recogniser.kept.get(patients)
    assert made is not None and len(made) == PATIENTS
    recogniser.recognise(PROJECT, 1, [5])
    assert recogniser.kept.get(patients) is made


def test_every_name_of_a_person_or_event_has_a_home() -> None:
    named = {
        (column.name, column.role)
        for each in load_catalogue().tables.values()
        for column in each.columns
        if column.role in (Role.PATIENT, Role.PHYSICIAN, Role.EVENT)
    }
    assert {name for name, _ in named} == {home.kind for home in HOMES}
    tables = load_catalogue().tables
    for home in HOMES:
        assert any(column.stored_as == home.stored_as for column in tables[home.table].columns)


async def test_the_socket_answers_with_places_and_logs_no_number(
    control: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    pseudonym = KEY.pseudonym("patient_id", 42)
    with caplog.at_level(logging.DEBUG):
        asked = {"project": PROJECT, "snapshot": 1, "candidates": [5, pseudonym]}
        answer = await control.post("/v1/pseudonyms", json=asked)
    assert answer.json() == {"found": {"1": "patient"}, "unsearched": []}
    assert str(pseudonym) not in answer.text + caplog.text


@pytest.mark.parametrize(
    "asked",
    [
        {"project": PROJECT, "snapshot": 9, "candidates": [5]},
        {"project": PROJECT, "snapshot": 1, "candidates": ["5"]},
        {"project": PROJECT, "snapshot": 1, "candidates": [5.0]},
        {"project": "", "snapshot": 1, "candidates": [5]},
        {"project": PROJECT, "snapshot": 1, "candidates": [5] * 100_001},
        {"project": PROJECT, "candidates": []},
    ],
)
async def test_what_was_not_searched_is_never_an_answer(control: httpx.AsyncClient, asked: object) -> None:
    answer = await control.post("/v1/pseudonyms", json=asked)
    assert answer.status_code >= 400 and "found" not in answer.json()
