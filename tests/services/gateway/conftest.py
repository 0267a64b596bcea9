"""Fixtures: the small enclave of `peer_enclave`, and the workspaces of three of its people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_config.gateway.engine import EngineLimits
from hub_config.warehouse.snapshot import build_snapshot
from tests.services.gateway.peer_enclave import (
    Enclave,
    Workspace,
    demonstration,
    fill,
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
    with demonstration(warehouse, tmp_path, EngineLimits(memory_bytes=512 * 1024**2, threads=1)) as made:
        yield made


@pytest.fixture
def ines(enclave: Enclave) -> Workspace:
    return enclave.workspace("ines", "these-ines")


@pytest.fixture
def rachid(enclave: Enclave) -> Workspace:
    return enclave.workspace("rachid", "modeles-rachid")


@pytest.fixture
def student(enclave: Enclave) -> Workspace:
    return enclave.workspace("paul", "bac-a-sable")
