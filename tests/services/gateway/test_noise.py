"""Noisy answers over HTTP: fresh each time, paid each time, whole tables, refused before they cost."""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
import ibis
import pyarrow as pa
import pytest

from hub_config.gateway.noise import answering
from hub_config.governance import actions as governance_actions
from hub_config.governance.charter import MemberRole
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import encode
from p4dp_sdk.wire.protocol import Disclosure
from tests.services.gateway.peer_enclave import (
    PATIENTS,
    PLANTED_TEXT,
    Enclave,
    Workspace,
    add_project,
    charter,
    opened,
    table,
)

P, D = table("patients"), table("diagnoses")
BY_SEX = P.group_by("sex").agg(patients=P.patient_id.nunique())
ALL = P.agg(patients=P.patient_id.nunique())


async def ask(workspace: Workspace, expression: ibis.Expr, epsilon: Any = 0.5, **more: Any) -> httpx.Response:
    body = {"epsilon": epsilon, "query": json.loads(encode(expression)), **more}
    return await send(workspace, json.dumps(body).encode())


async def send(workspace: Workspace, body: bytes) -> httpx.Response:
    async with workspace.client() as client:
        return await client.post("/v1/noise", content=body)


async def noisy(
    workspace: Workspace, expression: ibis.Expr, epsilon: float = 0.5, **more: Any
) -> tuple[pa.Table, Disclosure]:
    response = await ask(workspace, expression, epsilon, **more)
    assert response.status_code == 200, response.text
    return opened(response.content)


async def left(workspace: Workspace) -> float:
    response = await workspace.get("/v1/noise")
    assert response.status_code == 200, response.text
    return float(response.json()["left"])


async def test_an_answer_says_what_was_done(ines: Workspace) -> None:
    answer, disclosure = await noisy(ines, BY_SEX)
    assert {"F", "M"} <= set(answer.column("sex").to_pylist())
    assert disclosure.protection == "noise" and "ε=0.5" in disclosure.method
    assert disclosure.error == pytest.approx(math.sqrt(2) / 0.5, rel=0.03)
    assert disclosure.measures["patients"].withheld == 0


async def test_counts_are_about_right(ines: Workspace) -> None:
    """Half of the patients less those who objected, and 30 standard deviations."""
    answer, disclosure = await noisy(ines, BY_SEX, 1.0)
    counts = dict(zip(*answer.to_pydict().values(), strict=True))
    for sex in ("F", "M"):
        assert abs(counts[sex] - PATIENTS / 2) < 52 + 30 * disclosure.error


async def test_the_same_question_twice_is_other_noise_and_costs_twice(ines: Workspace) -> None:
    d = D.group_by("cisp2").agg(n=D.patient_id.nunique())
    first, _ = await noisy(ines, d, 0.3)
    second, _ = await noisy(ines, d, 0.3)
    assert first.num_rows == second.num_rows > 100  # every code, also those of nobody
    assert first != second
    assert await left(ines) == pytest.approx(3.4)


async def test_an_exhausted_budget_refuses(ines: Workspace) -> None:
    for _ in range(4):
        await noisy(ines, ALL, 1.0)
    response = await ask(ines, ALL, 0.5)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "budget-exhausted")
    assert problem["params"] == {"left": "0", "asked": "0.5"}
    assert "0 left, 0.5 asked" in problem["title"] + problem["detail"]
    assert await left(ines) == 0


async def test_a_member_pays_in_all_projects(enclave: Enclave, ines: Workspace) -> None:
    add_project(enclave, charter("seconde", AccessLevel.AGGREGATE, "ines"))
    await noisy(enclave.workspace("ines", "seconde"), ALL, 1.0)
    assert await left(ines) == 3.0
    enclave.govern(governance_actions.add_member, "these-ines", "carla", MemberRole.CHERCHEUR)
    assert await left(enclave.workspace("carla", "these-ines")) == 3.0  # shares ines's answers from now on


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        (P, "row-level"),
        (P.group_by("age").agg(n=P.count()), "key-rule"),
        (P.agg(m=P.age.median()), "measure-not-releasable"),
        (P.agg(m=P.age.min()), "measure-not-releasable"),
        (table("centres").count(), "measure-not-releasable"),
    ],
    ids=["rows", "an open key", "a quantile", "a minimum", "nobody in it"],
)
async def test_what_is_refused_costs_nothing(ines: Workspace, expression: ibis.Expr, code: str) -> None:
    response = await ask(ines, expression)
    assert response.json()["code"] == code
    assert await left(ines) == 4.0


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"epsilon": 0.5}', b'{"query": {}}', b'{"epsilon": 0.5, "query": 3}',
        b'{"epsilon": NaN, "query": {}}', b'{"epsilon": Infinity, "query": {}}',
        b'{"epsilon": true, "query": {}}', b'{"epsilon": "1", "query": {}}', b'{"epsilon": 0, "query": {}}',
        b'{"epsilon": -1, "query": {}}',
        b'{"epsilon": 1.01, "query": {}}', b'{"epsilon": 1e400, "query": {}}',
        b'{"epsilon": 0.5, "query": {}, "free": true}', b'{"epsilon": ' + b"9" * 5000 + b', "query": {}}',
        b'{"epsilon": 0.5, "contributions": 1.5, "query": {}}', b"[" * 100_000,
    ],
)  # fmt: skip
async def test_bad_bodies(ines: Workspace, body: bytes) -> None:
    response = await send(ines, body)
    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    assert await left(ines) == 4.0


@pytest.mark.parametrize("contributions", [0, -5, 1_001])
async def test_bad_bounds(ines: Workspace, contributions: int) -> None:
    response = await ask(ines, ALL, contributions=contributions)
    assert response.json()["code"] == "malformed"
    assert await left(ines) == 4.0


async def test_an_error_after_the_charge_is_not_given_back(
    ines: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails once the data are looked at may depend on them."""

    def fails(*_: object) -> None:
        raise Refusal(ErrorCode.OUT_OF_MEMORY)

    monkeypatch.setattr(answering, "totals", fails)
    response = await ask(ines, ALL, 1.0)
    assert response.json()["code"] == "out-of-memory"
    assert await left(ines) == 3.0


async def test_rows_and_means_with_noise(ines: Workspace) -> None:
    b = table("biometrics")
    answer, _ = await noisy(ines, b.agg(rows=b.count(), mean=b.value.mean()), 1.0, contributions=1)
    assert abs(answer.column("rows")[0].as_py() - PATIENTS) < 52 + 200
    assert 0 < answer.column("mean")[0].as_py() < 600


async def test_the_sandbox_spends_nothing(student: Workspace) -> None:
    _, disclosure = await noisy(student, BY_SEX, 1.0)
    assert disclosure.protection == "noise" and await left(student) == 4.0


async def test_it_is_recorded_and_no_value_with_it(enclave: Enclave, ines: Workspace) -> None:
    await noisy(ines, BY_SEX)
    events = enclave.events()[-2:]
    assert [event.what for event in events] == ["noise.charge", "gateway.noise"]
    assert events[0].details["micro_epsilon"] == 500_000
    assert events[0].details["request_id"] == events[1].details["request_id"]
    assert events[1].details["protection"] == "noise"
    assert PLANTED_TEXT not in str(events)
