"""Two projects see rows of the same loaded people under different pseudonyms. Whoever is a member of both
tries to join what the one knows with what the other does: by identifier, by the place of a row in an answer,
and across snapshots.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import ibis
import pandas as pd
import pytest

import hub_config.warehouse.mappings as shipped
from hub_config.gateway import actions, engine, pseudonyms
from hub_config.gateway.engine import EngineLimits
from hub_config.gateway.engines import in_place
from hub_config.gateway.pseudonyms import take_turn
from hub_config.governance.facts import AccessLevel
from hub_config.project_keys import ProjectKey
from hub_config.warehouse.loader.load import Places, load
from hub_config.warehouse.loader.mapping import VendorMapping, read_mapping
from hub_config.warehouse.samples import cabineo
from hub_config.warehouse.samples.population import LAST, people
from tests.services.gateway.peer_enclave import (
    MASTER_KEY,
    Enclave,
    add_project,
    charter,
    demonstration,
    table,
)

LIMITS = EngineLimits(memory_bytes=512 * 1024**2, threads=2)
ONE, OTHER, LATER, FOLLOWS = "diabete", "vaccins", "diabete-suite", "suivi"
P, D = table("patients", "patient_id", "sex", "birth_month"), table("diagnoses", "patient_id", "date")


def mapping() -> VendorMapping:
    return read_mapping(Path(str(shipped.__path__[0])) / "cabineo.toml")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snapshot 1 of 100 loaded people, snapshot 2 of the same and 30 new ones."""
    home = tmp_path_factory.mktemp("loaded")
    for number, count in enumerate((100, 130)):
        cabineo.write(home / f"export-{number}", people(count), exported_on=LAST)
        places = Places(home / f"export-{number}", home / "warehouse", home / "keys")
        load("cabineo", mapping(), places, own_uids=True)
    return home / "warehouse"


def opened(warehouse: Path, home: Path) -> Iterator[Enclave]:
    """Eve is in every project."""
    with demonstration(warehouse, home, LIMITS) as made:
        for slug, snapshot in ((ONE, 1), (OTHER, 1), (LATER, 2)):
            add_project(made, charter(slug, AccessLevel.MICRODATA, "eve", snapshot))
        add_project(made, replace(charter(FOLLOWS, AccessLevel.MICRODATA, "eve", 2), rolling="cabineo"))
        yield made


@pytest.fixture(scope="module")
def enclave(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    yield from opened(warehouse, tmp_path_factory.mktemp("home"))


@pytest.fixture
def fresh(warehouse: Path, tmp_path: Path) -> Iterator[Enclave]:
    """One that keeps nothing of what was worked out with the defence in; on a copy, since a file is opened
    once."""
    copied = shutil.copytree(warehouse, tmp_path / "warehouse")
    yield from opened(copied, tmp_path)


def rows(enclave: Enclave, project: str, asked: ibis.Table) -> pd.DataFrame:
    answer, _ = asyncio.run(enclave.workspace("eve", project).answer(asked))
    return answer.to_pandas()


def joined(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    return one.merge(other, on="patient_id")


def who(frame: pd.DataFrame, project: str) -> list[int | None]:
    """Of whom the rows are, by the enclave's own key: what the attacker does not have."""
    key = ProjectKey.derive(MASTER_KEY, project)
    numbers = {key.pseudonym("patient_id", number): number for number in range(300)}
    return [numbers.get(name) for name in frame["patient_id"]]


def test_identifiers_of_two_projects_have_nothing_in_common(enclave: Enclave) -> None:
    one, other = (rows(enclave, project, P) for project in (ONE, OTHER))
    assert len(one) == len(other) > 90
    assert joined(one, other).empty
    later = rows(enclave, LATER, P)
    assert len(later) > len(one) and joined(one, later).empty


def test_with_one_key_for_all_they_join(fresh: Enclave, monkeypatch: pytest.MonkeyPatch) -> None:
    derive = ProjectKey.derive
    monkeypatch.setattr(actions.ProjectKey, "derive", lambda master, _: derive(master, "everybody"))
    one, other, later = (rows(fresh, project, P) for project in (ONE, OTHER, LATER))
    assert len(joined(one, other)) == len(one) == len(joined(one, later))


ASKED = {
    "as it comes": P.select("patient_id"),
    "worked out": P.filter(P.sex.upper().like("%")).select("patient_id", s=P.sex.lower()),
    "ordered by something else": P.select("patient_id", "sex").order_by("sex"),
    "numbered": P.mutate(n=ibis.row_number()).order_by("n"),
    "a part": P.limit(60, offset=20),
    "rows of events": D.select("patient_id").distinct(),
    "summed up": D.group_by("patient_id").agg(n=D.count()),
    "joined": P.left_join(D.group_by("patient_id").agg(n=D.count()), "patient_id").select("patient_id", "n"),
    "chosen by others": P.filter(P.patient_id.isin(D.patient_id)).select("patient_id"),
}
IN_TURNS = ("as it comes", "worked out", "joined", "chosen by others")


def of_one_person(enclave: Enclave, asked: ibis.Table) -> float:
    """How many rows at the same place of both answers are of one person, to all of them."""
    one, other = (who(rows(enclave, project, asked), project) for project in (ONE, OTHER))
    assert len(one) == len(other) > 50 and None not in one
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_the_place_of_a_row_tells_nothing(enclave: Enclave, asked: ibis.Table) -> None:
    assert of_one_person(enclave, asked) < 0.1


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are put in order a dozen or so at a time."""
    monkeypatch.setattr(engine, "_SORTING_PART", LIMITS.memory_bytes // 1024)


def test_nor_does_the_turn_it_comes_in(
    little_memory: None, fresh: Enclave, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    monkeypatch.setattr(in_place, "take_turn", lambda *turn: taken.append(turn) or take_turn(*turn))
    for name in IN_TURNS:
        taken.clear()
        assert of_one_person(fresh, ASKED[name]) < 0.1
        one, other = (who(rows(fresh, project, ASKED[name]), project) for project in (ONE, OTHER))
        half = len(one) // 2
        assert len(taken) > 20 and 0.25 < len(set(one[:half]) & set(other[:half])) / half < 0.75


def test_in_the_order_of_storage_rows_join_by_their_place(
    fresh: Enclave, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        pseudonyms, "_PLACE_MACRO", f"CREATE TEMP MACRO {pseudonyms.PLACE}(number) AS 0::UHUGEINT"
    )
    for name in ("as it comes", "worked out", "numbered", "joined"):
        assert of_one_person(fresh, ASKED[name]) == 1


def test_one_project_keeps_its_names_from_snapshot_to_snapshot(enclave: Enclave, warehouse: Path) -> None:
    """As documented: what its members wrote down still joins, within the project alone."""
    now = rows(enclave, FOLLOWS, P)
    assert len(now) > 120 and joined(now, rows(enclave, LATER, P)).empty
    manifest = warehouse / "2" / "manifest.json"
    manifest.rename(away := manifest.with_suffix(".away"))
    try:
        before = rows(enclave, FOLLOWS, P)
    finally:
        away.rename(manifest)
    assert len(before) < len(now) and len(joined(before, now)) == len(before)
