"""The version glissante: each question on the newest snapshot of its population, to its last closed month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub_config.gateway.engine import EngineLimits
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.snapshot import build_snapshot
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import (
    Enclave,
    Workspace,
    add_project,
    charter,
    demonstration,
    fill,
    table,
)
from tests.services.gateway.test_noise import ALL, left, noisy

LIMITS = EngineLimits(memory_bytes=512 * 1024**2, threads=1)
P, D = table("patients"), table("diagnoses")
COUNT = P.agg(patients=P.patient_id.nunique())


def add_snapshot(warehouse: Path, population: str = "region", last: date = date(2021, 2, 14)) -> Path:
    """A snapshot whose last diagnosis is on its last day."""
    with build_snapshot(
        warehouse, source="test", synthetic=True, public=False, population=population
    ) as building:
        fill(SimpleNamespace(connection=building.connection, finish=lambda *_: None))  # type: ignore[arg-type]
        building.connection.execute(
            "UPDATE diagnoses SET date = ? WHERE patient_no % 10 = 0 AND cisp2 = 'K86'", [last]
        )
        return building.finish(last, date(2015, 1, 1), last).directory


@pytest.fixture
def enclave(tmp_path: Path) -> Iterator[Enclave]:
    """Snapshot 1 of the region, and 2 of somewhere else."""
    warehouse = tmp_path / "warehouse"
    add_snapshot(warehouse)
    add_snapshot(warehouse, "elsewhere")
    with demonstration(warehouse, tmp_path, LIMITS) as made:
        yield made


def rolling(enclave: Enclave, access: AccessLevel = AccessLevel.AGGREGATE) -> Workspace:
    add_project(enclave, replace(charter("suivi-mensuel", access, "lea"), rolling="region"))
    return enclave.workspace("lea", "suivi-mensuel")


async def answered_on(workspace: Workspace) -> int:
    _, disclosure = await workspace.answer(COUNT)
    return disclosure.snapshot


async def test_the_next_question_is_answered_on_the_newest_of_its_population(enclave: Enclave) -> None:
    follows, stays = rolling(enclave), enclave.workspace("ines", "these-ines")
    assert await answered_on(follows) == 1
    third = add_snapshot(enclave.gateway.warehouse_dir)
    assert (await answered_on(follows), await answered_on(stays)) == (3, 1)
    assert (await follows.get("/v1/whoami")).json()["snapshot"]["number"] == 3
    said = [event.details.get("snapshot") for event in enclave.asked() if event.project == "suivi-mensuel"]
    assert said[:2] == [1, 3]
    (third / "warehouse.duckdb").chmod(0o600)
    (third / "warehouse.duckdb").write_bytes(b"")
    assert await answered_on(follows) == 1  # a damaged one is passed over


async def test_no_snapshot_of_the_population_is_no_answer(enclave: Enclave) -> None:
    add_project(enclave, replace(charter("ailleurs", AccessLevel.AGGREGATE, "lea"), rolling="nowhere"))
    response = await enclave.workspace("lea", "ailleurs").ask(COUNT)
    assert response.json()["code"] == ErrorCode.SNAPSHOT_MISSING


async def test_events_end_with_the_last_closed_month(enclave: Enclave) -> None:
    """The data end on 14 February: a question of the 20th and one of the 28th have the same January."""
    follows = rolling(enclave, AccessLevel.MICRODATA)
    assert (await follows.get("/v1/whoami")).json()["snapshot"]["last_date"] == "2021-01-31"
    seen, _ = await follows.answer(D.select("date").distinct())
    assert max(seen["date"].to_pylist()) < date(2021, 2, 1)
    add_snapshot(enclave.gateway.warehouse_dir, last=date(2021, 2, 28))
    seen, _ = await follows.answer(D.select("date").distinct())
    assert max(seen["date"].to_pylist()) == date(2021, 2, 28)  # all of the month is over


async def test_a_grant_that_ends_earlier_still_does(enclave: Enclave) -> None:
    early = charter("etude-courte", AccessLevel.AGGREGATE, "lea", date_to=date(2020, 6, 1))
    add_project(enclave, replace(early, rolling="region"))
    document = (await enclave.workspace("lea", "etude-courte").get("/v1/whoami")).json()
    assert document["snapshot"]["last_date"] == "2020-06-01"


async def test_a_run_of_a_report_keeps_the_snapshot_it_began_on(enclave: Enclave) -> None:
    person = rolling(enclave)
    service = enclave.workspace("svc-suivi-mensuel", "suivi-mensuel")
    assert await answered_on(service) == 1
    add_snapshot(enclave.gateway.warehouse_dir)
    assert (await answered_on(service), await answered_on(person)) == (1, 3)
    another = replace(service, binding=replace(service.binding, id="another-run"))
    assert await answered_on(another) == 3


async def test_a_new_snapshot_is_no_new_noise_budget(enclave: Enclave) -> None:
    follows = rolling(enclave)
    await noisy(follows, ALL, 0.5)
    before = await left(follows)
    add_snapshot(enclave.gateway.warehouse_dir)
    assert await answered_on(follows) == 3
    assert await left(follows) == before
    await noisy(follows, ALL, 0.5)
    assert await left(follows) == pytest.approx(before - 0.5)
