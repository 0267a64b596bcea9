"""A project without the SNDS grant looks for the linked tables: in answers, errors, and the catalogue it is
sent. It is told what it is told of a table that no enclave has, in an enclave with a linkage as in one
without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pytest

from hub_config.gateway import actions, authorise
from hub_config.gateway.engine import EngineLimits
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.snapshot import Building, build_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from tests.services.gateway.peer_enclave import Enclave, add_project, charter, demonstration

LINKED = [table for table in load_catalogue().tables.values() if table.snds]
CORE = dict.fromkeys(("patients", "centres", "consultations"))
SNDS = dict.fromkeys(table.name for table in LINKED)
NOWHERE = "no_such_table"


def fill(building: Building, linked: bool) -> None:
    run = building.connection.execute
    person = "range AS patient_no, range % 12 AS physician_no, 'C1' AS centre_id"
    run("INSERT INTO centres (centre_id, region, label) VALUES ('C1', 'R1', 'Un')")
    run(f"INSERT INTO patients BY NAME SELECT {person}, 'F' AS sex FROM range(300)")
    if linked:
        run(f"INSERT INTO snds_link BY NAME SELECT {person}, 'linked' AS status FROM range(300)")
        run(
            f"INSERT INTO snds_claims BY NAME SELECT {person}, DATE '2016-01-01' AS date, 'medicine' AS act "
            "FROM range(300)"
        )
        run(f"INSERT INTO snds_stays BY NAME SELECT {person}, DATE '2016-01-01' AS date FROM range(300)")
    building.finish(date(2020, 12, 31), date(2015, 1, 1), date(2020, 12, 31))


def world(directory: Path, linked: bool) -> Iterator[Enclave]:
    warehouse = directory / "warehouse"
    for synthetic in (True, False):
        with build_snapshot(warehouse, source="test", synthetic=synthetic, public=False) as building:
            fill(building, linked)
    (directory / "home").mkdir()
    limits = EngineLimits(memory_bytes=512 * 1024**2, threads=1)
    with demonstration(warehouse, directory / "home", limits) as made:
        for access in (AccessLevel.AGGREGATE, AccessLevel.MICRODATA):
            add_project(made, charter(f"sans-{access}", access, "rachid", tables=CORE))
            add_project(made, charter(f"avec-{access}", access, "rachid", snds=True, tables=CORE | SNDS))
        yield made


@pytest.fixture(scope="module", params=[True, False], ids=["a linkage", "none"])
def enclave(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    yield from world(tmp_path_factory.mktemp("world"), request.param)


def asked(name: str, columns: dict[str, str]) -> list[ibis.Table]:
    """What a curious person asks of a table."""
    rows = ibis.table(columns, name=name)
    return [
        rows.count().as_table(),
        rows.aggregate(n=rows.patient_id.nunique()),
        rows.group_by("centre_id").agg(n=rows.patient_id.nunique()),
        rows.limit(3),
    ]


def told(problem: dict[str, Any], name: str) -> dict[str, Any]:
    """What is said, without the number of the request and the name that was asked for."""
    said = {key: value for key, value in problem.items() if key not in ("request_id", "instance")}
    return {key: str(value).replace(name, NOWHERE) for key, value in said.items()}


async def answers(enclave: Enclave, project: str) -> list[tuple[int, dict[str, Any], dict[str, Any]]]:
    """For each question: how a linked table is answered, and how one that is nowhere."""
    workspace = enclave.workspace("rachid", project)
    found = []
    for table in LINKED:
        columns = {column.name: column.dtype for column in table.columns if not column.role.hidden}
        pairs = zip(asked(table.name, columns), asked(NOWHERE, columns), strict=True)
        for one, other in pairs:
            here, there = await workspace.ask(one), await workspace.ask(other)
            problem = here.json() if here.status_code != 200 else {"answered": True}
            found.append((here.status_code, told(problem, table.name), told(there.json(), NOWHERE)))
    return found


@pytest.mark.parametrize("access", [AccessLevel.AGGREGATE, AccessLevel.MICRODATA])
async def test_a_linked_table_is_one_that_does_not_exist(enclave: Enclave, access: AccessLevel) -> None:
    assert all(here == there for _, here, there in await answers(enclave, f"sans-{access}"))
    with_grant = await answers(enclave, f"avec-{access}")
    assert any(status == 200 for status, *_ in with_grant)  # the questions are good ones


@pytest.mark.parametrize("access", [AccessLevel.AGGREGATE, AccessLevel.MICRODATA])
async def test_the_catalogue_that_is_sent_does_not_name_them(enclave: Enclave, access: AccessLevel) -> None:
    sent = (await enclave.workspace("rachid", f"sans-{access}").get("/v1/catalogue")).text
    assert not any(table.name in sent for table in LINKED)
    assert "snds_act" not in sent
    granted = (await enclave.workspace("rachid", f"avec-{access}").get("/v1/catalogue")).text
    assert all(table.name in granted for table in LINKED)


async def test_without_the_grant_s_check_they_would_be_found(
    enclave: Enclave, monkeypatch: pytest.MonkeyPatch
) -> None:
    visible = authorise.visible_tables

    def careless(catalogue: Any, grant: Any) -> Any:
        return visible(catalogue, replace(grant, tables=CORE | SNDS, snds=True))

    monkeypatch.setattr(actions, "visible_tables", careless)
    found = await answers(enclave, f"sans-{AccessLevel.MICRODATA}")
    assert any(here != there for _, here, there in found)
