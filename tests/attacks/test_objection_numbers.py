"""Have somebody invented object, and somebody real vanish: every numbering counts its people from zero, so
that a synthetic patient 100 and a real one share a number and nothing else.

Whoever may record objections of synthetic people (or whoever shows how it is done) would take a real person
out of every study, unseen; and an objection of a real person would change the published synthetic figures.
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
from hub_config.warehouse.manifest import REGISTERED
from hub_config.warehouse.snapshot import build_snapshot
from tests.services.gateway.peer_enclave import Enclave, add_project, charter, demonstration, fill, table

SYNTHETIC, REAL = "donnees-inventees", "donnees-reelles"
NUMBERING = {SYNTHETIC: "preset A", REAL: REGISTERED}


@dataclass(frozen=True)
class AnyNumbering(StoredGovernance):
    """A test double: whatever numbering an objection is of, its number is taken out."""

    def objectors(self, numbering: str) -> Objectors:
        both = [super(AnyNumbering, self).objectors(each) for each in NUMBERING.values()]
        return Objectors(
            frozenset().union(*(each.patients for each in both)),
            frozenset().union(*(each.physicians for each in both)),
        )


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snapshot 1 is synthetic, 2 was loaded: the same numbers, other people."""
    directory = tmp_path_factory.mktemp("two")
    for source, synthetic in (("preset A", True), ("mapping vendor", False)):
        with build_snapshot(directory, source=source, synthetic=synthetic, public=False) as building:
            fill(building)
    return directory


@pytest.fixture(params=[False, True], ids=["numbering-ignored", "for-real"])
def enclave(request: pytest.FixtureRequest, two: Path, tmp_path: Path) -> Iterator[tuple[Enclave, bool]]:
    with demonstration(two, tmp_path, EngineLimits(memory_bytes=256 * 1024**2, threads=1)) as made:
        for number, slug in enumerate((SYNTHETIC, REAL), start=1):
            add_project(made, charter(slug, AccessLevel.MICRODATA, "rachid", snapshot=number))
        if not request.param:
            made = made.with_gateway(governance=AnyNumbering(made.store))
        yield made, request.param


async def rows(enclave: Enclave, slug: str) -> int:
    found, _ = await enclave.workspace("rachid", slug).answer(table("patients", "patient_id", "sex"))
    return found.num_rows


@pytest.mark.parametrize(
    ("objecting", "other"), [(SYNTHETIC, REAL), (REAL, SYNTHETIC)], ids=["invented-first", "real-first"]
)
@pytest.mark.parametrize("who", [{"patient_no": 100}, {"physician_no": 3}], ids=["patient", "physician"])
async def test_an_objection_takes_nobody_of_another_numbering(
    enclave: tuple[Enclave, bool], objecting: str, other: str, who: dict[str, int]
) -> None:
    made, defended = enclave
    before = {slug: await rows(made, slug) for slug in (objecting, other)}
    made.govern(add_objection, **who, numbering=NUMBERING[objecting], on=date(2024, 1, 1))
    after = {slug: await rows(made, slug) for slug in (objecting, other)}
    assert after[objecting] == before[objecting] - (1 if "patient_no" in who else 50)
    assert (after[other] == before[other]) is defended
