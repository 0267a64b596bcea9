"""Rows of an engine elsewhere stay in the gateway's memory for a while after a question (ADR 0034). Whoever
may not see them asks the very question that left them there: from another project, after an objection,
without a grant, a membership or a project in force, of another snapshot. And many projects ask.

The engine is a DuckDB that opens the snapshot by itself and notes what it was asked.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import ibis
import ibis.expr.operations as ops
import pyarrow as pa
import pytest

from hub_config.gateway.engine import Engine, EngineLimits
from hub_config.gateway.engines.kept_rows import Wanted
from hub_config.gateway.engines.port import Warehouse
from hub_config.gateway.engines.pushdown import SAFE, Meaning
from hub_config.governance import actions as governance
from hub_config.governance.facts import AccessLevel
from hub_config.governance.objections import actions as objections
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.warehouse.engines.description import Description, describe
from hub_config.warehouse.snapshot import Building, build_snapshot, open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from tests.services.gateway import peer_enclave
from tests.services.gateway.peer_enclave import Enclave, add_project, charter, demonstration, table

LIMITS = EngineLimits(memory_bytes=256 * 1024**2, threads=1)
D = table("diagnoses", "patient_id", "date", "cisp2", "centre_id")
ASKED = D.order_by("date", "cisp2", "patient_id")  # needs all rows at once: they are fetched, and kept
WHOLE, CENTRE, EARLY, COUNTS = "tout", "un-centre", "avant", "comptes"
LATER = "version-2"


@dataclass
class Far:
    """The snapshots' files, read through a connection of their own."""

    directory: Path
    asked: list[str] = field(default_factory=list)

    def opened(self, number: int, database: Path) -> Warehouse:
        copied = shutil.copy(database, database.with_suffix(".copy"))
        described = describe(open_snapshot(self.directory, number), load_catalogue())
        return FarSnapshot(Path(copied), described, self.asked)


@dataclass
class FarSnapshot:
    database: Path
    description: Description
    asked: list[str]
    means: Meaning = SAFE

    def open(self) -> FarReading:
        return FarReading(duckdb.connect(str(self.database), read_only=True), self.asked)

    def close(self) -> None: ...


@dataclass(eq=False)
class FarReading:
    connection: duckdb.DuckDBPyConnection
    asked: list[str]

    def read(self, expression: ibis.Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
        tree = expression.op()
        plain = {n: ibis.table(n.schema, name=n.name).op() for n in tree.find(ops.UnboundTable)}
        for name, given in tables.items():
            self.connection.register(name, given)
        sql = str(ibis.duckdb.compile((plain[tree] if tree in plain else tree.replace(plain)).to_expr()))
        self.asked.append(sql)
        yield from self.connection.execute(sql).to_arrow_table().to_batches()

    def interrupt(self) -> None:
        self.connection.interrupt()

    def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True)
class World:
    enclave: Enclave
    far: Far

    def ask(self, project: str, asked: ibis.Table = ASKED) -> pa.Table:
        answer, _ = asyncio.run(self.enclave.workspace("eve", project).answer(asked))
        return answer

    def refused(self, project: str, asked: ibis.Table = ASKED) -> str:
        response = asyncio.run(self.enclave.workspace("eve", project).ask(asked))
        assert response.status_code != 200
        return str(response.json()["code"])

    def is_kept(self, project: str, asked: ibis.Table = ASKED) -> bool:
        """Whether this question reads no fact of the engine."""
        self.far.asked.clear()
        self.ask(project, asked)
        return not any("cisp2" in sql for sql in self.far.asked)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snapshot 1, and snapshot 2 which lacks the second half of the patients' diagnoses."""
    directory = tmp_path_factory.mktemp("snapshots")
    for lacks in ("FALSE", "patient_no >= 300"):
        with build_snapshot(directory, source="test", synthetic=True, public=False) as building:

            def finish(*days: date, made: Building = building, those: str = lacks) -> None:
                made.connection.execute(f"DELETE FROM diagnoses WHERE {those}")
                made.finish(*days)

            peer_enclave.fill(SimpleNamespace(connection=building.connection, finish=finish))  # type: ignore[arg-type]
    return directory


@pytest.fixture
def world(warehouse: Path, tmp_path: Path) -> Iterator[World]:
    """Eve is in every project; what the whole one asks for is in memory."""
    far = Far(warehouse)
    with demonstration(warehouse, tmp_path, LIMITS, far.opened) as enclave:
        rows = AccessLevel.MICRODATA
        add_project(enclave, charter(WHOLE, rows, "eve", expires_on=date(2099, 12, 31)))
        add_project(enclave, charter(CENTRE, rows, "eve", centres=frozenset({"C1"})))
        add_project(enclave, charter(EARLY, rows, "eve", date_to=date(2015, 12, 31)))
        add_project(enclave, charter(COUNTS, AccessLevel.AGGREGATE, "eve"))
        made = World(enclave, far)
        made.ask(WHOLE)
        assert made.is_kept(WHOLE)
        yield made


# --- who may see them --------------------------------------------------------------------------------------


def test_another_project_is_answered_by_its_own_grant_and_under_its_own_names(world: World) -> None:
    whole, centre, early = (world.ask(project) for project in (WHOLE, CENTRE, EARLY))
    assert set(whole["centre_id"].to_pylist()) > {"C1"} == set(centre["centre_id"].to_pylist())
    assert max(whole["date"].to_pylist()) > date(2015, 12, 31) >= max(early["date"].to_pylist())
    names = [set(each["patient_id"].to_pylist()) for each in (whole, centre, early)]
    assert not (names[0] & names[1] or names[0] & names[2])
    assert world.refused(COUNTS) == "row-level"


def test_with_the_limits_left_out_of_what_is_wanted_it_gets_what_was_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wanted, "is_in", lambda self, other: self.columns <= other.columns)
    assert set(world.ask(CENTRE)["centre_id"].to_pylist()) > {"C1"}


@pytest.mark.parametrize("who", [{"patient_no": 100}, {"physician_no": 3}], ids=["patient", "physician"])
def test_who_objects_is_in_no_row_from_the_next_question_on(world: World, who: dict[str, int]) -> None:
    before = world.ask(WHOLE).num_rows
    world.enclave.govern(objections.add_objection, **who, on=date(2024, 1, 1))
    after = world.ask(WHOLE).num_rows
    assert after == before - (2 if "patient_no" in who else 100)
    assert world.is_kept(WHOLE), "and what is kept now is without them"
    world.enclave.govern(objections.add_objection, patient_no=101, on=date(2024, 1, 1))
    assert world.ask(WHOLE).num_rows == after - 2


def leave(world: World) -> Enclave:
    world.enclave.govern(governance.remove_member, WHOLE, "eve")
    return world.enclave


def suspend(world: World) -> Enclave:
    world.enclave.govern(governance.suspend, WHOLE)
    return world.enclave


def close(world: World) -> Enclave:
    world.enclave.govern(governance.close, WHOLE)
    return world.enclave


def outlive(world: World) -> Enclave:
    return world.enclave.with_gateway(today=lambda: date(2100, 1, 1))


ENDS = {
    leave: "not-a-member",
    suspend: "project-not-active",
    close: "project-not-active",
    outlive: "grant-expired",
}


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_who_has_no_right_any_more_is_refused_though_all_is_in_memory(
    world: World, end: Callable[[World], Enclave]
) -> None:
    after = replace(world, enclave=end(world))
    assert after.refused(WHOLE) == ENDS[end]


def granted(world: World, snapshot: int, **terms: Any) -> None:
    """The project anew, on this snapshot and with these terms."""
    on = Terms(SnapshotTerms(snapshot, synthetic=True, centres=frozenset({"C1", "C2", "C3"})))
    grant = peer_enclave.grant(AccessLevel.MICRODATA, **terms)
    world.enclave.govern(governance.suspend, WHOLE)
    world.enclave.govern(governance.amend, WHOLE, grant, terms=on)
    world.enclave.govern(governance.approve, WHOLE)


def test_a_project_pinned_to_another_snapshot_gets_that_ones_rows(world: World) -> None:
    before = world.ask(WHOLE).num_rows
    granted(world, 2)
    assert 0 < world.ask(WHOLE).num_rows < before * 0.6
    granted(world, 1)
    assert world.ask(WHOLE).num_rows == before


def test_a_table_that_is_granted_no_more_is_not_there(world: World) -> None:
    granted(world, 1, tables={"patients": None})
    assert world.refused(WHOLE) == "unknown-table"


def test_a_grant_made_smaller_is_the_one_that_counts(world: World) -> None:
    granted(world, 1, centres=frozenset({"C2"}))
    assert set(world.ask(WHOLE)["centre_id"].to_pylist()) == {"C2"}


# --- how much is kept --------------------------------------------------------------------------------------


def engine(world: World, snapshot: int = 1) -> Engine:
    return world.enclave.gateway.engines._open[snapshot][1]


PROJECTS = 12


def test_the_memory_of_many_projects_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of another grant, so that each keeps rows of its own."""
    for day in range(1, PROJECTS + 1):
        slug = f"projet-{day}"
        add_project(world.enclave, charter(slug, AccessLevel.MICRODATA, "eve", date_from=date(2015, 1, day)))
        world.ask(slug)
    unbounded = engine(world).kept_bytes
    assert len(engine(world)._rows._kept) > PROJECTS
    monkeypatch.setattr(engine(world)._rows, "most_bytes", unbounded // 3)
    for day in range(1, PROJECTS + 1):
        world.ask(f"projet-{day}")
        assert engine(world).kept_bytes <= unbounded // 3


def test_and_that_of_many_snapshots(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    add_project(world.enclave, charter(LATER, AccessLevel.MICRODATA, "eve", snapshot=2))
    world.ask(LATER)
    both = engine(world, 1).kept_bytes, engine(world, 2).kept_bytes
    assert world.is_kept(WHOLE) and world.is_kept(LATER)
    monkeypatch.setattr(world.enclave.gateway.engines, "_limits", EngineLimits(4 * max(both), 1))
    world.ask(LATER)
    assert engine(world, 1).kept_bytes < both[0] and world.is_kept(LATER)
    assert not world.is_kept(WHOLE)
