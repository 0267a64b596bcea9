"""Silent practices in a workspace: how many of a centre and month, as people are counted; never which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub_config.gateway.engine import EngineLimits
from hub_config.governance.charter import Charter
from hub_config.governance.facts import AccessLevel, Grant
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

LIMITS = EngineLimits(memory_bytes=512 * 1024**2, threads=1)
M = table("practice_months")
BY_CENTRE = M.group_by("centre_id", "activity").agg(practices=M.count())


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """360 practices, 120 a centre, in one month: in C1 and C2 half of them are silent, in C3 one.
    Practice 11, of C3, withdrew."""
    with build_snapshot(tmp_path / "warehouse", source="test", synthetic=True, public=False) as building:
        fill(SimpleNamespace(connection=building.connection, finish=lambda *_: None))  # type: ignore[arg-type]
        building.connection.execute(
            "INSERT INTO physicians BY NAME SELECT n AS physician_no, 'C' || (n % 3 + 1) AS centre_id "
            "FROM range(12, 360) t(n)"
        )
        building.connection.execute(
            "INSERT INTO practice_months BY NAME SELECT physician_no, centre_id, DATE '2020-06-01' AS month, "
            "CASE WHEN (centre_id != 'C3' AND physician_no < 180) OR physician_no = 2 THEN 'silent' "
            "ELSE 'reporting' END AS activity FROM physicians"
        )
        building.finish(date(2020, 12, 31), date(2015, 1, 1), date(2020, 12, 31))
    with demonstration(tmp_path / "warehouse", tmp_path, LIMITS) as made:
        made = made.exact()
        add_project(made, granted("etude-cabinets", {"practice_months": None, "patients": None}))
        add_project(made, granted("etude-sans", {"patients": None}))
        yield made.workspace("lea", "etude-cabinets")


def granted(slug: str, tables: dict[str, frozenset[str] | None]) -> Charter:
    return replace(
        charter(slug, AccessLevel.AGGREGATE, "lea"),
        grant=Grant(AccessLevel.AGGREGATE, tables, legal_basis="MR-004"),
    )


async def test_cells_of_enough_practices_are_shown(workspace: Workspace) -> None:
    answer, _ = await workspace.answer(BY_CENTRE)
    shown = {(row["centre_id"], row["activity"]): row["practices"] for row in answer.to_pylist()}
    told = {cell: n for cell, n in shown.items() if n is not None}
    assert set(told) == {
        (centre, activity) for centre in ("C1", "C2") for activity in ("silent", "reporting")
    }
    assert set(told.values()) == {60}  # in C3 all but one report: neither is told
    awaited, _ = await workspace.answer(M.group_by("centre_id").agg(practices=M.count()))
    by_centre = {row["centre_id"]: row["practices"] for row in awaited.to_pylist()}
    assert by_centre == {"C1": 120, "C2": 120, "C3": 119}  # without the one that withdrew


async def test_no_row_and_no_physician_comes_out(workspace: Workspace) -> None:
    assert (await workspace.ask(M.select("month", "activity"))).status_code != 200
    named = table("practice_months", "month", "physician_id")
    assert (await workspace.ask(named.count())).status_code in (200, 404)


async def test_without_the_grant_there_is_no_such_table(workspace: Workspace) -> None:
    without: Enclave = workspace.enclave
    response = await without.workspace("lea", "etude-sans").ask(M.count())
    assert response.json()["code"] == ErrorCode.UNKNOWN_TABLE


SILENCES = {"C1": 4, "C2": 2, "C3": 0}  # practices of a centre that fall silent in one month


@pytest.fixture
def silences(tmp_path: Path) -> Iterator[Workspace]:
    """Of 36 practices of 20 patients each, who are otherwise observed to the end."""
    quiet = " OR ".join(
        f"centre_id = '{centre}' AND physician_no < {3 * n}" for centre, n in SILENCES.items()
    )
    with build_snapshot(tmp_path / "warehouse", source="test", synthetic=True, public=False) as building:
        run = building.connection.execute
        run("INSERT INTO centres (centre_id, region) SELECT 'C' || n, 'R' FROM range(1, 4) t(n)")
        run(
            "INSERT INTO physicians BY NAME SELECT n AS physician_no, 'C' || (n % 3 + 1) AS centre_id "
            "FROM range(36) t(n)"
        )
        run(
            "INSERT INTO patients BY NAME SELECT physician_no * 20 + n AS patient_no, physician_no, "
            "centre_id FROM physicians, range(20) t(n)"
        )
        run(
            "INSERT INTO observation_periods BY NAME SELECT patient_no, physician_no, centre_id, "
            "DATE '2015-01-01' AS start_date, "
            f"CASE WHEN {quiet} THEN DATE '2019-06-14' ELSE DATE '2020-12-31' END AS end_date, "
            f"CASE WHEN {quiet} THEN 'silence' ELSE 'last_export' END AS end_reason FROM patients"
        )
        run(
            "INSERT INTO practice_months BY NAME SELECT physician_no, centre_id, DATE '2019-07-01' AS month, "
            f"CASE WHEN {quiet} THEN 'silent' ELSE 'reporting' END AS activity FROM physicians"
        )
        building.finish(date(2020, 12, 31), date(2015, 1, 1), date(2020, 12, 31))
    with demonstration(tmp_path / "warehouse", tmp_path, LIMITS) as made:
        made = made.exact()
        tables = {"practice_months": None, "observation_periods": None}
        add_project(made, granted("etude-silences", tables))
        yield made.workspace("lea", "etude-silences")


async def test_a_centres_silent_month_is_seen_by_whose_observation_it_ended(silences: Workspace) -> None:
    """From three practices on, as any count of patients; and of their months nothing, below eleven."""
    o = table("observation_periods")
    june = o.end_date.between(date(2019, 6, 1), date(2019, 6, 30))
    ended = o.filter(o.end_reason == "silence", june)
    answer, _ = await silences.answer(ended.group_by("centre_id").agg(patients=ended.patient_id.nunique()))
    told = {row["centre_id"]: row["patients"] for row in answer.to_pylist() if row["patients"]}
    assert told == {"C1": SILENCES["C1"] * 20}
    practices, _ = await silences.answer(BY_CENTRE)
    assert not any(row["practices"] for row in practices.to_pylist() if row["activity"] == "silent")
