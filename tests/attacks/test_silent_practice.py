"""Find the one silent practice of a centre: it is one GP, long ill or gone, and a GP is a protected unit.

A practice has a row a month, so that a year of one practice's silence is many rows: whoever counts rows
against the threshold shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub_config.gateway.engine import EngineLimits
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.warehouse.snapshot import build_snapshot
from tests.attacks.arena import nothing_withheld
from tests.services.gateway.peer_enclave import (
    Enclave,
    Workspace,
    add_project,
    charter,
    demonstration,
    fill,
    table,
)

M = table("practice_months")
BY = M.mutate(since=M.month.truncate("M"))
QUESTIONS = {
    "all its rows": M.group_by("centre_id", "activity").agg(n=M.count()),
    "its rows of a month": BY.group_by("centre_id", "since", "activity").agg(n=BY.count()),
}


@pytest.fixture
def enclave(tmp_path: Path) -> Iterator[Enclave]:
    """360 practices over a year, 120 a centre: half of C1 and C2 are silent all the time, of C3 one is."""
    with build_snapshot(tmp_path / "warehouse", source="test", synthetic=True, public=False) as building:
        fill(SimpleNamespace(connection=building.connection, finish=lambda *_: None))  # type: ignore[arg-type]
        building.connection.execute(
            "INSERT INTO physicians BY NAME SELECT n AS physician_no, 'C' || (n % 3 + 1) AS centre_id "
            "FROM range(12, 360) t(n)"
        )
        building.connection.execute(
            "INSERT INTO practice_months BY NAME SELECT n AS physician_no, 'C' || (n % 3 + 1) AS centre_id, "
            "CAST(DATE '2018-01-01' + to_months(CAST(m AS INTEGER)) AS DATE) AS month, "
            "CASE WHEN n = 2 OR n % 3 < 2 AND n < 180 THEN 'silent' ELSE 'reporting' END AS activity "
            "FROM range(360) p(n), range(12) t(m)"
        )
        building.finish(date(2020, 12, 31), date(2015, 1, 1), date(2020, 12, 31))
    limits = EngineLimits(memory_bytes=512 * 1024**2, threads=1)
    with demonstration(tmp_path / "warehouse", tmp_path, limits) as made:
        made = made.exact()
        grant = Grant(AccessLevel.AGGREGATE, {"practice_months": None}, legal_basis="MR-004")
        add_project(made, replace(charter("etude", AccessLevel.AGGREGATE, "lea"), grant=grant))
        yield made


def workspace(enclave: Enclave, *, defended: bool) -> Workspace:
    if not defended:
        enclave = enclave.with_gateway(guard=replace(enclave.gateway.guard, verdicts=nothing_withheld))
    return enclave.workspace("lea", "etude")


@pytest.mark.parametrize("defended", [False, True], ids=["without-threshold", "for-real"])
@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_silent_practice_is_not_told_apart(enclave: Enclave, question: str, defended: bool) -> None:
    answer, _ = await workspace(enclave, defended=defended).answer(QUESTIONS[question])
    told = {row["centre_id"] for row in answer.to_pylist() if row["n"] and row["activity"] == "silent"}
    assert ("C3" not in told) is defended
    if question == "all its rows":
        assert {"C1", "C2"} <= told  # the question itself is answered
