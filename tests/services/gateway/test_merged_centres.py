"""A regional project on a snapshot that merged its centre: all that was granted, or a refusal; never more."""

from __future__ import annotations

from collections.abc import Iterator
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

LAST = date(2020, 12, 31)
P = table("patients")
BY_CENTRE = P.group_by("centre_id").agg(patients=P.patient_id.nunique())
ROWS = P.select("centre_id").distinct()


@pytest.fixture(scope="module")
def merged_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four GPs a centre: C1 and C2 become one, C3 of another region none."""
    directory = tmp_path_factory.mktemp("merged")
    with build_snapshot(directory, source="test", synthetic=True, public=False, exported=True) as building:
        fill(SimpleNamespace(connection=building.connection, finish=lambda *_: None))  # type: ignore[arg-type]
        building.connection.execute("UPDATE biometrics SET value_raw = NULL")
        building.finish(LAST, date(2015, 1, 1), LAST)
    return directory


@pytest.fixture
def enclave(merged_warehouse: Path, tmp_path: Path) -> Iterator[Enclave]:
    limits = EngineLimits(memory_bytes=512 * 1024**2, threads=1)
    with demonstration(merged_warehouse, tmp_path, limits) as made:
        yield made


def granted(enclave: Enclave, *centres: str) -> Workspace:
    slug = "-".join(("region", *centres)).lower()
    regional = charter(slug, AccessLevel.MICRODATA, "lea", centres=frozenset(centres))
    add_project(enclave, regional)
    return enclave.workspace("lea", slug)


async def test_whoever_was_granted_all_the_merged_centres_sees_them_as_one(enclave: Enclave) -> None:
    found, _ = await granted(enclave, "C1", "C2").answer(ROWS)
    assert found["centre_id"].to_pylist() == ["R1:petits"]


async def test_whoever_was_granted_some_of_them_is_refused_and_told(enclave: Enclave) -> None:
    for centres, params in (
        (("C1",), {"centre": "C1", "others": "C2"}),
        (("C1", "C3"), {"centre": "C3"}),
        (("C3",), {"centre": "C3"}),
    ):
        response = await granted(enclave, *centres).ask(BY_CENTRE)
        assert (response.status_code, response.json()["code"]) == (403, ErrorCode.CENTRES_MERGED)
        assert response.json()["params"] == {"snapshot": 1, **params}


async def test_even_without_the_refusal_nothing_of_a_merged_centre_is_seen(
    enclave: Enclave, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_config.gateway.actions.denied", lambda *_: ())
    found, _ = await granted(enclave, "C1").answer(ROWS)
    assert found.num_rows == 0
    monkeypatch.setattr("hub_config.gateway.actions.reached", lambda *_: None)  # the grant's limits out
    found, _ = await granted(enclave, "C2").answer(ROWS)
    assert set(found["centre_id"].to_pylist()) == {"R1:petits", None}


async def test_without_a_limit_every_row_counts_with_a_centre_or_without(enclave: Enclave) -> None:
    add_project(enclave, charter("partout", AccessLevel.MICRODATA, "lea"))
    found, _ = await enclave.workspace("lea", "partout").answer(ROWS)
    assert set(found["centre_id"].to_pylist()) == {"R1:petits", None}
