"""Have a real GP's objection take away who is not theirs: a public data set without GPs gets invented ones,
counted from zero like the registered ones, though its patients are registered.

Whoever compares the data set before and after an objection would also see that a GP of that number objected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from hub_config.gateway.engine import EngineLimits
from hub_config.gateway.governance import StoredGovernance
from hub_config.governance.facts import AccessLevel, Objectors
from hub_config.governance.objections.actions import add_objection
from hub_config.warehouse.local_ids import Missing, find
from hub_config.warehouse.manifest import REGISTERED
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.snapshot import build_snapshot
from tests.services.gateway.peer_enclave import Enclave, add_project, charter, demonstration, fill, table

REAL, INVENTED = "donnees-reelles", "donnees-publiques"


@dataclass(frozen=True)
class OneNumbering(StoredGovernance):
    """A test double: every GP of what was loaded is a registered one."""

    def objectors(self, numbering: str) -> Objectors:
        return super().objectors(REGISTERED)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snapshot 1 was loaded with its GPs, of 2 the GPs were invented."""
    directory = tmp_path_factory.mktemp("two")
    for source, invented in (("mapping vendor", False), ("mapping cohort", True)):
        with build_snapshot(
            directory, source=source, synthetic=False, public=True, invented=invented
        ) as building:
            fill(building)
    return directory


@pytest.fixture(params=[False, True], ids=["one-numbering", "for-real"])
def enclave(request: pytest.FixtureRequest, two: Path, tmp_path: Path) -> Iterator[tuple[Enclave, bool]]:
    with demonstration(two, tmp_path, EngineLimits(memory_bytes=256 * 1024**2, threads=1)) as made:
        for number, slug in enumerate((REAL, INVENTED), start=1):
            add_project(made, charter(slug, AccessLevel.MICRODATA, "rachid", snapshot=number))
        if not request.param:
            made = made.with_gateway(governance=OneNumbering(made.store))
        yield made, request.param


async def rows(enclave: Enclave, slug: str) -> int:
    found, _ = await enclave.workspace("rachid", slug).answer(table("patients", "patient_id", "sex"))
    return found.num_rows


async def test_a_gp_s_objection_takes_nobody_of_invented_gps(enclave: tuple[Enclave, bool]) -> None:
    made, defended = enclave
    before = {slug: await rows(made, slug) for slug in (REAL, INVENTED)}
    made.govern(add_objection, physician_no=3, numbering=REGISTERED, on=date(2024, 1, 1))
    after = {slug: await rows(made, slug) for slug in (REAL, INVENTED)}
    assert after[REAL] == before[REAL] - 50
    assert (after[INVENTED] == before[INVENTED]) is defended


async def test_a_patient_of_invented_gps_is_a_registered_one(enclave: tuple[Enclave, bool]) -> None:
    made, _ = enclave
    before = await rows(made, INVENTED)
    made.govern(add_objection, patient_no=100, numbering=REGISTERED, on=date(2024, 1, 1))
    assert await rows(made, INVENTED) == before - 1


def test_nobody_objects_as_an_invented_gp(two: Path, tmp_path: Path) -> None:
    assert find(two, tmp_path, "mapping cohort", Kind.PHYSICIAN, "12") is Missing.INVENTED
