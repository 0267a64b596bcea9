"""The version before the project's own: protected counts of it, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ibis
import pytest

from hub_config.gateway.engine import EngineLimits
from hub_config.governance.facts import AccessLevel
from hub_config.governance.objections.actions import add_objection
from hub_config.warehouse.snapshot import build_snapshot
from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.graph import own_table
from tests.services.gateway.peer_enclave import (
    Enclave,
    Workspace,
    add_project,
    charter,
    demonstration,
    fill,
    opened,
    table,
)

PREVIOUS = "/v1/previous"
LIMITS = EngineLimits(memory_bytes=512 * 1024**2, threads=1)
LAST = date(2020, 12, 31)
B, D, P = table("biometrics"), table("diagnoses"), table("patients")
EMPTY = B.group_by("centre_id").agg(rows=B.count(), missing_value=B.count(where=B.value.isnull()))


def add_snapshot(
    warehouse: Path, population: str, emptied: int, exported: bool = False, source: str = "test"
) -> None:
    """Of five weights `emptied` are missing."""
    with build_snapshot(
        warehouse,
        source=source,
        synthetic=True,
        public=False,
        population=population,
        exported=exported,
    ) as building:
        fill(SimpleNamespace(connection=building.connection, finish=lambda *_: None))  # type: ignore[arg-type]
        building.connection.execute("UPDATE biometrics SET value_raw = NULL")
        building.connection.execute(f"UPDATE biometrics SET value = NULL WHERE patient_no % 5 < {emptied}")
        building.finish(LAST, date(2015, 1, 1), LAST)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1 and 3 are of one population, 2 of another. Of five weights one is missing in 1, two in 3."""
    warehouse = tmp_path_factory.mktemp("warehouse")
    for population, emptied in (("region", 1), ("elsewhere", 3), ("region", 2)):
        add_snapshot(warehouse, population, emptied)
    return warehouse


@pytest.fixture
def enclave(made_once: Path, tmp_path: Path) -> Iterator[Enclave]:
    warehouse = Path(shutil.copytree(made_once, tmp_path / "warehouse"))
    with demonstration(warehouse, tmp_path, LIMITS) as made:
        yield made


def on(
    enclave: Enclave, snapshot: int, access: AccessLevel = AccessLevel.AGGREGATE, **terms: Any
) -> Workspace:
    slug = f"on-{snapshot}-{access}"
    add_project(enclave, charter(slug, access, "lea", snapshot=snapshot, **terms))
    return enclave.workspace("lea", slug)


def of_five(emptied: int) -> int:
    """How many of 600 patients, without those who object: one, and all of a GP's."""
    return sum(n % 5 < emptied for n in range(600) if n != 7 and n % 12 != 11)


async def missing(workspace: Workspace, path: str = PREVIOUS) -> int:
    """Weights that are missing."""
    response = await workspace.ask(EMPTY, path)
    assert response.status_code == 200, response.text
    answer, _ = opened(response.content)
    return sum(answer["missing_value"].to_pylist())


async def test_counts_are_those_of_the_version_before_of_the_same_population(enclave: Enclave) -> None:
    workspace = on(enclave.exact(), 3)
    told = (await workspace.get(PREVIOUS)).json()
    assert told["snapshot"]["number"] == 1
    assert "value" in told["tables"]["biometrics"]
    assert told["apart"] == []
    assert (await missing(workspace, "/v1/query"), await missing(workspace)) == (of_five(2), of_five(1))
    asked = [event for event in enclave.asked() if event.what.startswith("gateway.previous")]
    assert [(event.what, event.details["snapshot"]) for event in asked] == [
        ("gateway.previous", 1),
        ("gateway.previous.count", 1),
    ]
    assert "biometrics" in str(asked[1].details["sql"])


async def test_where_there_is_none_before_it_is_said(enclave: Enclave) -> None:
    for snapshot in (1, 2):
        workspace = on(enclave, snapshot)
        for response in (await workspace.get(PREVIOUS), await workspace.ask(EMPTY, PREVIOUS)):
            assert (response.status_code, response.json()["code"]) == (404, ErrorCode.FIRST_VERSION)
            assert response.json()["params"] == {"snapshot": snapshot}


async def test_a_damaged_one_is_passed_over(enclave: Enclave) -> None:
    (enclave.gateway.warehouse_dir / "1" / "manifest.json").write_text("{}")
    response = await on(enclave, 3).get(PREVIOUS)
    assert response.json()["code"] == ErrorCode.FIRST_VERSION


async def test_months_and_years_can_be_told_apart(enclave: Enclave) -> None:
    workspace = on(enclave, 3)
    for unit, periods in (("M", 72), ("Y", 6)):
        by = D.mutate(period=D.date.truncate(unit)).group_by("period").agg(n=ibis._.count())
        response = await workspace.ask(by.order_by("period"), PREVIOUS)
        assert opened(response.content)[0].num_rows == periods


async def test_who_objected_is_counted_in_it_no_more(enclave: Enclave) -> None:
    workspace = on(enclave.exact(), 3)
    assert await missing(workspace) == of_five(1)
    enclave.govern(add_objection, patient_no=10, numbering="test", on=LAST)
    assert await missing(workspace) == of_five(1) - 1


async def test_it_is_protected_for_whoever_sees_rows_and_in_the_sandbox(enclave: Enclave) -> None:
    for access in (AccessLevel.MICRODATA, AccessLevel.SANDBOX):
        workspace = on(enclave, 3, access)
        response = await workspace.ask(EMPTY, PREVIOUS)
        assert opened(response.content)[1].protection == "exploration"
        assert "value_raw" not in (await workspace.get(PREVIOUS)).json()["tables"]["biometrics"]


async def test_people_who_are_numbered_otherwise_are_others(enclave: Enclave) -> None:
    warehouse = enclave.gateway.warehouse_dir
    add_snapshot(warehouse, "region", 1, source="invented")
    add_snapshot(warehouse, "region", 1)
    assert (await on(enclave, 4).get(PREVIOUS)).json()["code"] == ErrorCode.FIRST_VERSION
    assert (await on(enclave, 5).get(PREVIOUS)).json()["snapshot"]["number"] == 3


async def test_a_rolling_project_looks_back_from_its_own(enclave: Enclave) -> None:
    add_project(enclave, replace(charter("suivi", AccessLevel.AGGREGATE, "lea"), rolling="region"))
    follows = enclave.workspace("lea", "suivi")
    assert (await follows.get(PREVIOUS)).json()["snapshot"]["number"] == 1
    add_snapshot(enclave.gateway.warehouse_dir, "region", 2)
    assert (await follows.get(PREVIOUS)).json()["snapshot"]["number"] == 3


COUNT = {"n": ibis._.count()}
BEYOND = [
    (B.filter(B.centre_id == "C1").group_by("centre_id").agg(**COUNT), "Filter"),
    (B.group_by("centre_id").agg(n=B.patient_id.nunique(where=B.value.isnull())), "CountDistinct"),
    (B.group_by("centre_id").agg(n=B.count(where=B.value > 80)), "Greater"),
    (B.group_by("centre_id").agg(n=B.count(where=(B.value + 1).isnull())), "IsNull"),
    (B.group_by("centre_id").agg(n=B.value.mean()), "Mean"),
    (B.group_by("centre_id").agg(n=B.count() + 1), "Add"),
    (B.join(P, "patient_id").group_by("sex").agg(**COUNT), "JoinChain"),
    (B.mutate(empty=B.value.isnull()).group_by("empty").agg(**COUNT), "IsNull"),
    (B.mutate(day=B.date.day()).mutate(twice=ibis._.day).group_by("twice").agg(**COUNT), "Project"),
    (B.group_by(empty=B.value.isnull()).agg(**COUNT), "IsNull"),
    (B.mutate(day=B.date.truncate("D")).group_by("day").agg(**COUNT), "DateTruncate"),
    (B.mutate(week=B.date.truncate("W")).group_by("week").agg(**COUNT), "DateTruncate"),
    (B.group_by("date").agg(**COUNT), "Field"),
    (B.group_by("value").agg(**COUNT), "Field"),
    (P.group_by("age").agg(n=P.count()), "Field"),
    (B.select(day=B.date).group_by("day").agg(**COUNT), "Field"),
    (B.select("centre_id", "date"), "Project"),
    (B, "UnboundTable"),
    (EMPTY.group_by("rows").agg(**COUNT), "Aggregate"),
    (EMPTY.limit(1), "Limit"),
    (EMPTY.order_by(-EMPTY.rows), "Negate"),
    (EMPTY.mutate(m=ibis._.rows + 1), "Project"),
    (B.union(B).group_by("centre_id").agg(**COUNT), "Union"),
    (B.filter(B.patient_id.isin(D.patient_id)).count(), "Filter"),
]


@pytest.mark.parametrize(("asked", "operation"), BEYOND, ids=[str(i) for i in range(len(BEYOND))])
async def test_nothing_else_is_asked_of_it(enclave: Enclave, asked: ibis.Table, operation: str) -> None:
    for access in (AccessLevel.AGGREGATE, AccessLevel.MICRODATA):
        response = await on(enclave, 3, access).ask(asked, PREVIOUS)
        assert response.status_code == 422, response.content
        assert response.json()["code"] == ErrorCode.PREVIOUS_VERSION
        assert operation in response.json()["params"]["operation"]
    assert (enclave.asked()[-1].what, enclave.asked()[-1].details["code"]) == (
        "gateway.previous.count",
        ErrorCode.PREVIOUS_VERSION,
    )


async def test_ones_own_rows_are_not_asked_of_it(enclave: Enclave) -> None:
    own = own_table("biometrics", B.schema(), None)
    response = await on(enclave, 3).ask(own.group_by("centre_id").agg(n=own.count()), PREVIOUS)
    assert response.json()["code"] == ErrorCode.OWN_SCOPE


async def test_centres_that_are_not_the_same_in_both_are_named(tmp_path: Path) -> None:
    """Four GPs a centre: in the second C1 and C2 are one."""
    warehouse = tmp_path / "warehouse"
    for exported in (False, True):
        add_snapshot(warehouse, "region", 1, exported)
    with demonstration(warehouse, tmp_path, LIMITS) as enclave:
        told = (await on(enclave, 2).get(PREVIOUS)).json()
    assert set(told["apart"]) == {"C1", "C2", "C3", "R1:petits"}


async def test_a_linked_table_is_not_there_without_its_grant(enclave: Enclave) -> None:
    workspace = on(enclave, 3)
    assert not any(name.startswith("snds") for name in (await workspace.get(PREVIOUS)).json()["tables"])
    for name in ("snds_claims", "zzzz_claims"):
        claims = ibis.table({"patient_id": "int64", "date": "date"}, name=name)
        response = await workspace.ask(claims.agg(n=claims.count()), PREVIOUS)
        assert (response.status_code, response.json()["code"]) == (404, ErrorCode.UNKNOWN_TABLE)


async def test_the_dates_and_centres_of_the_grant_hold(enclave: Enclave) -> None:
    workspace = on(enclave.exact(), 3, centres=frozenset({"C1"}), date_from=date(2017, 1, 1))
    response = await workspace.ask(EMPTY, PREVIOUS)
    assert opened(response.content)[0]["centre_id"].to_pylist() == ["C1"]
    assert opened(response.content)[0]["rows"].to_pylist() == [None]  # all are of 2016


async def test_a_stranger_learns_nothing_of_it(enclave: Enclave) -> None:
    on(enclave, 3)
    response = await enclave.workspace("eve", "on-3-aggregate").get(PREVIOUS)
    assert (response.status_code, response.json()["code"]) == (403, ErrorCode.NOT_A_MEMBER)
