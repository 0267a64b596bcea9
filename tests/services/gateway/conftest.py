"""Fixtures: the small enclave of `peer_enclave`, and the workspaces of three of its people."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.governance.facts import AccessLevel
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import build_snapshot
from tests.services.gateway.peer_enclave import (
    Enclave,
    HubPeer,
    Workspace,
    add_project,
    charter,
    fill,
    make_gateway,
)


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snapshot 1 is synthetic, snapshot 2 says it is not."""
    directory = tmp_path_factory.mktemp("warehouse")
    for synthetic in (True, False):
        with build_snapshot(directory, source="test", synthetic=synthetic, public=False) as building:
            fill(building)
    return directory


@pytest.fixture
def enclave(warehouse: Path, tmp_path: Path) -> Iterator[Enclave]:
    """Three approved projects: aggregates for ines, rows for rachid, the sandbox for everyone."""
    settings = Settings(home=tmp_path)
    store, hub = open_store(settings), HubPeer()
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(4) as office:
        engines = Engines(EngineLimits(memory_bytes=512 * 1024**2, threads=1))
        made = Enclave(make_gateway(store, hub, warehouse, engines, workers, office), hub, store, settings)
        for project in (
            charter("these-ines", AccessLevel.AGGREGATE, "ines"),
            charter("modeles-rachid", AccessLevel.MICRODATA, "rachid"),
            charter("bac-a-sable", AccessLevel.SANDBOX, "dora"),
        ):
            add_project(made, project)
        yield made
        engines.close()
    store.close()


@pytest.fixture
def ines(enclave: Enclave) -> Workspace:
    return enclave.workspace("ines", "these-ines")


@pytest.fixture
def rachid(enclave: Enclave) -> Workspace:
    return enclave.workspace("rachid", "modeles-rachid")


@pytest.fixture
def student(enclave: Enclave) -> Workspace:
    return enclave.workspace("paul", "bac-a-sable")
