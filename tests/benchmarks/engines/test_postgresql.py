"""The same questions to DuckDB and to PostgreSQL beneath the same gateway, protected as ever: what it costs
that the rows come over a wire. Preset A; `P4DP_BENCH_SCALE` makes it larger or smaller.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import pytest

from hub_config.gateway.engine import EngineLimits, Opener
from hub_config.gateway.engines.postgresql import Postgresql
from hub_config.gateway.rules.plan import RowsPlan
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import manifest_hash
from hub_config.warehouse.engines.postgresql import Place, publish
from hub_config.warehouse.snapshot import Snapshot
from hub_config.warehouse.synthesis import Preset, synthesise
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.wire.protocol import Limits
from tests.benchmarks.page import in_turn, seconds, section, table
from tests.benchmarks.questions import QUESTIONS, Question
from tests.conformance import world
from tests.conformance.elsewhere import elsewhere
from tests.conformance.expressions import CASES
from tests.postgresql_server import READER, publish_tables, reader, running
from tests.services.gateway import peer_enclave
from tests.services.gateway.forgetful import Forgetful

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]
SCALE = float(os.environ.get("P4DP_BENCH_SCALE", "1"))
LIMITS = EngineLimits(memory_bytes=4 * 1024**3, threads=2)
TURNS = 3
TIMES = 2_000  # the hand-made warehouse, so many times over


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with running() as address:
        yield address


def _opener(address: Address) -> Opener:
    def opened(number: int, database: Path) -> Postgresql:
        return Postgresql(reader(address), number, manifest_hash(database.parent), 900.0)

    return opened


def _workspace(
    stack: ExitStack, snapshot: Snapshot, home: Path, opener: Opener | None
) -> peer_enclave.Workspace:
    warehouse = snapshot.directory.parent
    enclave = stack.enter_context(peer_enclave.demonstration(warehouse, home, LIMITS, opener))
    guard = replace(enclave.gateway.guard, memory=Forgetful())
    return enclave.with_gateway(guard=guard, limits=Limits(seconds=900.0)).workspace("ines", "these-ines")


def _ask(workspace: peer_enclave.Workspace, question: Question) -> int:
    return int(asyncio.run(workspace.ask(question(peer_enclave.table))).status_code)


def test_protected_answers(server: Address, tmp_path: Path) -> None:
    snapshot = synthesise(tmp_path / "warehouse", preset=Preset.A, scale=SCALE, seed=1)
    rows = sum(snapshot.manifest.rows.values())
    took = seconds(lambda: publish(snapshot, load_catalogue(), Place(server, READER)))
    shown, ratios = [], []
    with ExitStack() as stack:
        here = _workspace(stack, snapshot, tmp_path / "here", None)
        there = _workspace(stack, snapshot, tmp_path / "there", _opener(server))
        for question in QUESTIONS:
            if {_ask(here, question), _ask(there, question)} != {200}:
                continue
            one, other = in_turn(
                lambda q=question: _ask(here, q), lambda q=question: _ask(there, q), turns=TURNS
            )
            ratios.append(other / one)
            shown.append((question.__name__, f"{one:.2f}", f"{other:.2f}", f"{other / one:.1f}"))
            print(" | ".join(shown[-1]), flush=True)
    with section("PostgreSQL beneath the gateway: protected answers") as page:
        page += [f"Preset A, {rows:,} rows; published in {took:.0f} s ({rows / took:,.0f} rows/s).", ""]
        page += table(("question", "DuckDB s", "PostgreSQL s", "ratio"), shown)
        page += [f"Median ratio {statistics.median(ratios):.1f}, largest {max(ratios):.1f}."]


def _rows(asked: ibis.Expr, holder: Any) -> ibis.Table:
    plan = split(world.ask(asked, holder, access=AccessLevel.MICRODATA))
    assert isinstance(plan, RowsPlan)
    return plan.expression


def test_conformance_questions(server: Address) -> None:
    tables = world.repeated(TIMES)
    publish_tables(server, 900, tables)
    local, ratios = world.engine(TIMES), []
    there = elsewhere(Postgresql(reader(server), 900, "hand-made", 900.0), tables)
    for case in CASES:
        raw = [_rows(case.ask(world.tables()), holder) for holder in (local, there)]
        one, other = in_turn(
            lambda plan=raw[0]: local.to_pyarrow(plan), lambda plan=raw[1]: there.asked(plan), turns=TURNS
        )
        ratios.append(other / one)
    there.engine.close()
    with section("PostgreSQL beneath the gateway: the conformance questions") as page:
        count = sum(table.num_rows for table in tables.values())
        middle, least, most = statistics.median(ratios), min(ratios), max(ratios)
        page += [f"{len(CASES)} questions, unprotected, to {count:,} rows.", ""]
        page += [
            f"PostgreSQL takes {middle:.1f} times as long as DuckDB (median; {least:.1f} to {most:.1f})."
        ]
