"""A run of a report in a project with individual data: aggregates, and no row.

The attack is an approved template that asks for rows, or for raw values, as `svc-<project>`.
"""

from __future__ import annotations

import pytest

from hub_config.gateway import governance as of_gateway
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import Enclave, Workspace, add_project, charter, table


async def code_of(workspace: Workspace, expression) -> str:
    response = await workspace.ask(expression)
    return "answered" if response.status_code == 200 else response.json()["code"]


@pytest.fixture
def run(enclave: Enclave) -> Workspace:
    return enclave.workspace("svc-modeles-rachid", "modeles-rachid")


def rows():
    return table("patients").filter(table("patients").sex == "F")


async def test_a_run_is_refused_rows(run: Workspace, rachid: Workspace, monkeypatch) -> None:
    assert await code_of(rachid, rows()) == "answered", "the project may see them"
    assert await code_of(run, rows()) == ErrorCode.ROW_LEVEL
    assert (await run.get("/v1/whoami")).json()["access"] == AccessLevel.AGGREGATE
    monkeypatch.setattr(of_gateway, "as_seen_by", lambda _user, facts, _registration: facts)
    assert await code_of(run, rows()) == "answered", "undefended, the run sees what its project sees"


async def test_a_run_is_answered_aggregates_on_the_projects_account(run: Workspace, enclave: Enclave) -> None:
    assert await code_of(run, table("patients").count()) == "answered"
    asked = enclave.asked()[-1]
    assert (asked.who, asked.project) == ("svc-modeles-rachid", "modeles-rachid")


async def test_value_raws_granted_with_individual_data_are_not_a_runs(enclave: Enclave) -> None:
    raw = {"biometrics": frozenset({"patient_id", "measure", "value_raw"})}
    add_project(enclave, charter("valeurs-brutes", AccessLevel.MICRODATA, "rachid", tables=raw))
    counted = table("biometrics", "patient_id", "measure", "value_raw")
    expression = counted.group_by("value_raw").agg(n=counted.count())
    run = enclave.workspace("svc-valeurs-brutes", "valeurs-brutes")
    assert await code_of(run, expression) != "answered"


@pytest.mark.parametrize("project", ["these-ines", "bac-a-sable"])
async def test_a_service_works_in_no_other_project(enclave: Enclave, project: str) -> None:
    other = enclave.workspace("svc-modeles-rachid", project)
    assert await code_of(other, table("patients").count()) == ErrorCode.NOT_A_MEMBER
