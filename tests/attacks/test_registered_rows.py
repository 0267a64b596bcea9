"""Get rows for a run that nobody approved for them: say that it is of a registered notebook that is another
project's, was withdrawn, sees aggregates alone, or is there where the grant gives no rows; or be a person who
says so.

At the real gateway. The binding is the spawner's; a thief is given the power to write it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub_config.gateway import governance
from hub_config.gateway.engine import EngineLimits
from hub_config.governance import services
from hub_config.governance.facts import AccessLevel
from hub_config.governance.notebooks import actions, reading
from hub_config.governance.notebooks.actions import Wanted
from hub_config.governance.notebooks.facts import NotebookStep, Registration
from hub_config.governance.notebooks.models import RegisteredNotebook
from hub_config.warehouse.snapshot import build_snapshot
from tests.services.gateway.peer_enclave import (
    Enclave,
    Workspace,
    add_project,
    charter,
    demonstration,
    fill,
    table,
)

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
CELLS = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": "print(1)"}]
FILE = json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
ROWS = table("patients").select("sex").limit(5)
OURS, THEIRS = "modeles-rachid", "autres-lignes"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("warehouse")
    with build_snapshot(directory, source="test", synthetic=True, public=False) as building:
        fill(building)
    return directory


@pytest.fixture
def enclave(warehouse: Path, tmp_path: Path) -> Iterator[Enclave]:
    with demonstration(warehouse, tmp_path, EngineLimits(memory_bytes=256 * 1024**2, threads=1)) as made:
        yield made


def registered(enclave: Enclave, project: str, name: str, *, rows: bool = True) -> Registration:
    wanted = Wanted(project, name, "Décrire les patients de l'étude.", "t.csv : effectifs par âge", rows)
    with enclave.store.change() as session:
        made = actions.ask(session, wanted, FILE, "rachid", at=NOON, audit=enclave.store.recorder("rachid"))
    taken(enclave, made, NotebookStep.APPROVE)
    return made


def taken(enclave: Enclave, made: Registration, step: NotebookStep) -> None:
    with enclave.store.change() as session:
        actions.take(session, made.id, step, "diane", at=NOON, audit=enclave.store.recorder("diane"))


def run(enclave: Enclave, project: str, registration: str, user: str = "") -> Workspace:
    made = enclave.workspace(user or f"svc-{project}", project)
    return replace(made, binding=replace(made.binding, registration=registration))


async def sees_rows(workspace: Workspace) -> bool:
    response = await workspace.ask(ROWS)
    assert response.status_code in (200, 403, 422), response.text
    return response.status_code == 200


async def test_rows_are_for_what_was_approved_for_them(
    enclave: Enclave, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_project(enclave, charter(THEIRS, AccessLevel.MICRODATA, "rachid"))
    good = registered(enclave, OURS, "lit-des-lignes")
    assert await sees_rows(run(enclave, OURS, good.id)), "the power of what follows"
    assert not await sees_rows(run(enclave, OURS, "")), "a template's run"
    narrow = registered(enclave, OURS, "agregats", rows=False)
    assert not await sees_rows(run(enclave, OURS, narrow.id))
    assert not await sees_rows(run(enclave, THEIRS, good.id)), "another project's notebook"
    assert not await sees_rows(run(enclave, "these-ines", good.id, "ines")), "a person, at that"
    taken(enclave, good, NotebookStep.WITHDRAW)
    assert not await sees_rows(run(enclave, OURS, good.id)), "from the next question on"
    monkeypatch.setattr(governance, "standing_one", lambda session, _, number: reading.find(session, number))
    assert await sees_rows(run(enclave, OURS, good.id)), "undefended, the attack succeeds"
    assert await sees_rows(run(enclave, THEIRS, good.id)), "and so does the other"


async def test_a_registration_gives_no_more_than_the_grant(
    enclave: Enclave, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which may have become narrower since."""
    made = registered(enclave, OURS, "plus-tard")
    with enclave.store.change() as session:
        row = session.get(RegisteredNotebook, made.id)
        assert row is not None
        row.project = "these-ines"
    assert not await sees_rows(run(enclave, "these-ines", made.id)), "which gives aggregates"
    monkeypatch.setattr(services, "sees", lambda *_: AccessLevel.MICRODATA)
    assert await sees_rows(run(enclave, "these-ines", made.id)), "undefended, the attack succeeds"
