"""A project asks practices to tell patients of a study: it names them by a rule, hears how many, no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import ibis
import pytest
from sqlalchemy import select

from hub_config.gateway.recontact import lists
from hub_config.governance.facts import AccessLevel
from hub_config.governance.objections import actions as objections
from hub_config.governance.objections.facts import ObjectionScope
from hub_config.governance.recontact import models, requests
from hub_config.governance.recontact.facts import MOST_OPEN, RequestState
from p4dp_sdk.wire.graph import encode
from tests.services.gateway.peer_enclave import (
    OBJECTING_PATIENT,
    OBJECTING_PHYSICIAN,
    Enclave,
    Workspace,
    add_project,
    charter,
    table,
)


@pytest.fixture
def lea(enclave: Enclave) -> Workspace:
    add_project(enclave, charter("essai-lea", AccessLevel.AGGREGATE, "lea", recontact=True))
    return enclave.workspace("lea", "essai-lea")


def diabetics() -> ibis.Table:
    d = table("diagnoses")
    return d.filter(d.cisp2 == "T90").select("patient_id").distinct()


def body(patients: ibis.Table, **said: Any) -> bytes:
    query = json.loads(encode(patients))
    return json.dumps({"title": "Essai", "protocol": "Un essai.", "query": query, **said}).encode()


async def request(who: Workspace, patients: ibis.Table | None = None, **said: Any) -> httpx.Response:
    async with who.client() as client:
        content = body(diabetics() if patients is None else patients, **said)
        return await client.post("/v1/recontact", content=content)


def listed(enclave: Enclave) -> dict[int, int | None]:
    with enclave.store.session() as session:
        rows = session.scalars(select(models.RecontactPatient)).all()
    return {row.patient_no: row.physician_no for row in rows}


async def test_the_number_is_told_and_the_list_stays(enclave: Enclave, lea: Workspace) -> None:
    answer = await request(lea)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    everyone = {n: n % 12 for n in range(5, 600) if n // 12 % 2 == 0}
    right = {n: gp for n, gp in everyone.items() if n != OBJECTING_PATIENT and gp != OBJECTING_PHYSICIAN}
    assert listed(enclave) == right, "each with their own GP; nobody who objected before the snapshot"
    assert set(told) == {"request", "state", "patients", "centres", "request_id"}
    assert set(told["centres"][0]) == {"centre_id", "patients"} and len(told["centres"]) == 3
    assert abs(told["patients"] - len(right)) < 30
    *_, last = enclave.events()
    assert (last.what, last.details["recontact"]) == ("gateway.recontact", told["request"])
    assert {"recontact.request"} <= {event.what for event in enclave.events()}


async def test_whom_it_selects_is_kept_in_the_gateways_words(enclave: Enclave, lea: Workspace) -> None:
    """Of "Essai" and "Un essai.", who decides would learn nothing."""
    made = (await request(lea)).json()["request"]
    with enclave.store.session() as session:
        kept = requests.request_of(session, made)
    *_, last = enclave.events()
    assert kept.tables == ("diagnoses",) and "T90" in kept.definition
    assert (last.details["sql"], last.details["tables"]) == (kept.definition, "diagnoses")


async def test_the_number_is_what_the_ordinary_question_tells(enclave: Enclave, lea: Workspace) -> None:
    """Nothing is learnt from a request that a question would not have told."""
    p = table("patients")
    sought = p.semi_join(diabetics(), "patient_id")
    ordinary, _ = await lea.answer(sought.aggregate(n=sought.patient_id.nunique()))
    told = (await request(lea)).json()
    assert ordinary.column("n").to_pylist() == [told["patients"]]


async def test_requests_are_listed_without_practices(lea: Workspace) -> None:
    made = (await request(lea)).json()["request"]
    answer = await lea.get("/v1/recontact")
    (one,) = answer.json()["requests"]
    assert (one["request"], one["state"]) == (made, "requested")
    assert set(one) == {"request", "title", "state", "requested_at", "patients"}


@pytest.fixture
def others(enclave: Enclave, ines: Workspace, rachid: Workspace) -> Iterator[dict[str, Workspace]]:
    yield {"aggregate": ines, "microdata": rachid, "sandbox": enclave.workspace("paul", "bac-a-sable")}


@pytest.mark.parametrize("access", ["aggregate", "microdata", "sandbox"])
async def test_nobody_without_the_right(enclave: Enclave, others: dict[str, Workspace], access: str) -> None:
    answer = await request(others[access])
    assert answer.json()["code"] == "grant-missing" and listed(enclave) == {}


@pytest.mark.parametrize("of", ["exact", "told"])
async def test_the_limit_counts_no_more_exactly_than_is_told(
    enclave: Enclave, lea: Workspace, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    """A project adds one patient after the other until its request is too large. With a limit on the exact
    number that tells how many there were."""
    assert (await request(lea)).status_code == 200
    exact = len(listed(enclave))
    told = exact + 7  # as the protection may have it
    monkeypatch.setattr(lists, "_told", lambda _table: told)
    if of == "exact":
        monkeypatch.setattr(lists, "_within", lambda patients: patients)
    turn = exact if of == "exact" else told
    for most, status in ((turn, 200), (turn - 1, 422)):
        monkeypatch.setattr(lists, "_STOP" if of == "exact" else "MOST_PATIENTS", most)
        answer = await request(lea)
        assert answer.status_code == status, answer.text
    assert "too many patients" in answer.text


def few() -> ibis.Table:
    d = table("diagnoses")
    return d.filter(d.cisp2 == "A62").select("patient_id").distinct()


def with_another_column() -> ibis.Table:
    return table("patients").select("patient_id", "sex")


def of_another_name() -> ibis.Table:
    return table("patients").select(who="patient_id")


@pytest.mark.parametrize("patients", [few, with_another_column, of_another_name])
async def test_what_is_refused_leaves_no_list(enclave: Enclave, lea: Workspace, patients: Any) -> None:
    answer = await request(lea, patients())
    assert answer.status_code == 422 and answer.json()["code"] == "recontact-refused", answer.text
    assert listed(enclave) == {}


@pytest.mark.parametrize(
    "said", [{"title": ""}, {"title": "a\nb"}, {"protocol": " "}, {"protocol": "x" * 4001}]
)
async def test_gps_are_told_why(enclave: Enclave, lea: Workspace, said: dict[str, str]) -> None:
    answer = await request(lea, **said)
    assert answer.json()["code"] == "recontact-refused" and listed(enclave) == {}


async def test_a_made_up_identifier_names_nobody_else(enclave: Enclave, lea: Workspace) -> None:
    """`patient_id + 1` of the women would be the men: identifiers are opaque, here as in any question."""
    p = table("patients")
    women = p.filter(p.sex == "F")
    answer = await request(lea, women.select(patient_id=women.patient_id + 1))
    assert answer.status_code == 422 and listed(enclave) == {}


@pytest.mark.parametrize("scope", ObjectionScope)
async def test_who_objects_later_is_not_listed(
    enclave: Enclave, lea: Workspace, scope: ObjectionScope
) -> None:
    objector, gp = 48, 2
    for who in ({"patient_no": objector}, {"physician_no": gp}):
        enclave.govern(
            objections.add_objection, **who, numbering="test", scope=scope, on=enclave.gateway.today()
        )
    assert (await request(lea)).status_code == 200
    found = listed(enclave)
    assert found and objector not in found and gp not in found.values()


async def test_few_requests_may_be_open(enclave: Enclave, lea: Workspace) -> None:
    for _ in range(MOST_OPEN):
        assert (await request(lea)).status_code == 200
    refused = await request(lea)
    assert refused.json()["code"] == "recontact-refused"
    with enclave.store.session() as session:
        assert [each.state for each in requests.requests(session)] == [RequestState.REQUESTED] * MOST_OPEN


async def test_rows_show_no_more_with_the_right(enclave: Enclave) -> None:
    """A microdata project sees pseudonyms; its request is found by the enclave's own numbers all the same."""
    add_project(enclave, charter("essai-max", AccessLevel.MICRODATA, "max", recontact=True))
    answer = await request(enclave.workspace("max", "essai-max"))
    assert answer.status_code == 200, answer.text
    assert set(listed(enclave)) <= set(range(600))
