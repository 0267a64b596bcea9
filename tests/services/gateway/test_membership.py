"""What governance says counts from the next request on: members, status, expiry, objections."""

from __future__ import annotations

from datetime import date

import ibis
import pytest

from hub_config.governance import actions as governance
from hub_config.governance.facts import AccessLevel
from hub_config.governance.objections import actions as objections
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import (
    OBJECTING_PATIENT,
    OBJECTING_PHYSICIAN,
    PATIENTS,
    Enclave,
    Workspace,
    add_project,
    charter,
    table,
)

FREE_OF_OBJECTIONS = PATIENTS - PATIENTS // 12 - 1


async def code_of(workspace: Workspace) -> str:
    response = await workspace.ask(table("patients").count())
    return "answered" if response.status_code == 200 else response.json()["code"]


async def test_a_member_who_is_removed_between_two_queries_gets_no_second_answer(
    enclave: Enclave, rachid: Workspace
) -> None:
    assert await code_of(rachid) == "answered"
    enclave.govern(governance.remove_member, "modeles-rachid", "rachid")
    assert await code_of(rachid) == ErrorCode.NOT_A_MEMBER


async def test_a_suspended_project_gives_no_answer_until_it_is_approved_again(
    enclave: Enclave, rachid: Workspace
) -> None:
    enclave.govern(governance.suspend, "modeles-rachid")
    assert await code_of(rachid) == ErrorCode.PROJECT_NOT_ACTIVE
    enclave.govern(governance.approve, "modeles-rachid")
    assert await code_of(rachid) == "answered"


@pytest.mark.parametrize(
    ("today", "expected"), [(date(2024, 6, 30), "answered"), (date(2024, 7, 1), ErrorCode.GRANT_EXPIRED)]
)
async def test_a_grant_ends_after_its_last_day(enclave: Enclave, today: date, expected: str) -> None:
    add_project(enclave, charter("etude-2024", AccessLevel.MICRODATA, "rachid", expires_on=date(2024, 6, 30)))
    workspace = enclave.with_gateway(today=lambda: today).workspace("rachid", "etude-2024")
    assert await code_of(workspace) == expected


async def test_a_workspace_of_a_project_nobody_knows_gets_nothing(enclave: Enclave) -> None:
    assert await code_of(enclave.workspace("ines", "inconnu")) == ErrorCode.NOT_A_MEMBER


async def test_someone_elses_project_is_refused_even_with_a_workspace_of_it(enclave: Enclave) -> None:
    assert await code_of(enclave.workspace("ines", "modeles-rachid")) == ErrorCode.NOT_A_MEMBER


async def test_objections_of_the_snapshot_are_never_seen(rachid: Workspace) -> None:
    for name in ("patients", "diagnoses", "biometrics"):
        rows = table(name)
        answer, _ = await rachid.answer(rows.aggregate(n=rows.patient_id.nunique()))
        assert answer.to_pylist() == [{"n": FREE_OF_OBJECTIONS}], name


async def test_a_patient_who_objects_is_out_of_every_table_at_the_next_query(
    enclave: Enclave, rachid: Workspace
) -> None:
    enclave.govern(objections.add_objection, patient_no=100, on=date(2024, 1, 1))
    assert await counts(rachid) == dict.fromkeys(TABLES, FREE_OF_OBJECTIONS - 1)


async def test_a_physician_who_withdraws_takes_their_patients_along(
    enclave: Enclave, rachid: Workspace
) -> None:
    enclave.govern(objections.add_objection, physician_no=3, on=date(2024, 1, 1))
    assert await counts(rachid) == dict.fromkeys(TABLES, FREE_OF_OBJECTIONS - PATIENTS // 12)


TABLES = ("patients", "diagnoses", "biometrics")


async def counts(workspace: Workspace) -> dict[str, int]:
    found = {}
    for name in TABLES:
        rows = table(name)
        answer, _ = await workspace.answer(rows.aggregate(n=rows.patient_id.nunique()))
        found[name] = answer["n"][0].as_py()
    return found


def test_the_objectors_of_the_snapshot_do_not_overlap() -> None:
    assert OBJECTING_PATIENT % 12 != OBJECTING_PHYSICIAN


async def test_an_objection_changes_what_is_counted(enclave: Enclave) -> None:
    ines = enclave.exact().workspace("ines", "these-ines")
    rows = table("diagnoses")
    counted = rows.group_by("cisp2").agg(patients=rows.patient_id.nunique())
    before, _ = await ines.answer(counted.filter(ibis._.cisp2 == "K86"))
    enclave.govern(objections.add_objection, patient_no=100, on=date(2024, 1, 1))
    after, _ = await ines.answer(counted.filter(ibis._.cisp2 == "K86"))
    assert after["patients"][0].as_py() == before["patients"][0].as_py() - 1
