"""What protection costs on five million patients and a hundred million diagnoses, against the raw query on
the same engine; and what the ledger adds.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import pytest

from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.governance.facts import AccessLevel
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.wire.protocol import Limits
from tests.benchmarks.page import in_turn, section, table
from tests.benchmarks.questions import COUNTS, QUESTIONS, SUMS, Question
from tests.benchmarks.scale import build
from tests.services.gateway import peer_enclave
from tests.services.gateway.forgetful import Forgetful

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]
TURNS = 3
LEDGER_CELLS = 2_000  # up to so many, the ledger's cost is measured
LIMITS = EngineLimits(memory_bytes=6 * 1024**3, threads=2)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return build(tmp_path_factory.mktemp("warehouse"))


@dataclass(frozen=True)
class Sides:
    """The same questions raw, protected without the ledger, and with it."""

    raw: ibis.BaseBackend
    forgetful: peer_enclave.Workspace
    full: peer_enclave.Workspace

    def plain(self, question: Question) -> ibis.Expr:
        return question(lambda name: self.raw.table(name).rename(patient_id="patient_no"))


@contextmanager
def sides(snapshot: Snapshot, home: Path) -> Iterator[Sides]:
    settings, hub = Settings(home=home), peer_enclave.HubPeer()
    store = open_store(settings)
    other = home / "raw.duckdb"  # by another name: one process opens a database one way only
    os.link(snapshot.database, other)
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(4) as office:
        engines = Engines(LIMITS)
        warehouse = snapshot.directory.parent
        gateway = peer_enclave.make_gateway(settings, store, hub, warehouse, engines, workers, office)
        gateway = replace(gateway, limits=Limits(seconds=900.0))
        enclave = peer_enclave.Enclave(gateway, hub, store, settings)
        peer_enclave.add_project(enclave, peer_enclave.charter("bench", AccessLevel.AGGREGATE, "ines"))
        without = replace(gateway.guard, memory=Forgetful(), sketches=False)
        memory = f"{LIMITS.memory_bytes}B"
        yield Sides(
            ibis.duckdb.connect(other, read_only=True, threads=LIMITS.threads, memory_limit=memory),
            enclave.with_gateway(guard=without).workspace("ines", "bench"),
            enclave.workspace("ines", "bench"),
        )
        engines.close()
    store.close()


def ask(workspace: peer_enclave.Workspace, question: Question) -> None:
    asyncio.run(workspace.answer(question(peer_enclave.table)))


def refusal(workspace: peer_enclave.Workspace, question: Question) -> str:
    """The code of a refusal; nothing where there is an answer."""
    response = asyncio.run(workspace.ask(question(peer_enclave.table)))
    return "" if response.status_code == 200 else str(response.json()["code"])


def test_protected_against_raw(large: Snapshot, tmp_path: Path) -> None:
    rows, without, full = [], {}, {}
    with sides(large, tmp_path) as s:
        for question in QUESTIONS:
            plain = s.plain(question)
            cells = plain.count().execute()
            shown = [question.__name__, f"{cells:,}"]
            asked = [s.forgetful, s.full][: 2 if cells <= LEDGER_CELLS else 1]
            refused = [refusal(workspace, question) for workspace in asked]
            works = [
                lambda w=workspace, q=question: ask(w, q)
                for workspace, why in zip(asked, refused, strict=True)
                if not why
            ]
            raw, *protected = in_turn(plain.to_pyarrow, *works, turns=TURNS)
            shown.append(f"{raw:.2f}")
            for why, ratios in zip(refused, (without, full), strict=False):
                if why:
                    shown += [why, "—"]
                    continue
                took = protected.pop(0)
                ratios[question] = took / raw
                shown += [f"{took:.2f}", f"{took / raw:.1f}"]
            if question in without and question in full:
                shown.append(f"{1 - without[question] / full[question]:.0%}")
            rows.append(shown + ["—"] * (8 - len(shown)))
            print(" | ".join(rows[-1]), flush=True)
    head = ("question", "cells", "raw s", "protected s", "ratio", "with ledger s", "ratio", "its share")
    medians = {
        "all": statistics.median(without.values()),
        "counts": statistics.median(without[q] for q in COUNTS if q in without),
        "sums and means": statistics.median(without[q] for q in SUMS if q in without),
        f"with the ledger, up to {LEDGER_CELLS:,} cells": statistics.median(full.values()),
    }
    with section("Protection at scale: 5 million patients, 100 million diagnoses") as page:
        page += table(head, rows)
        page += ["Median ratios without the ledger but for the last:", ""]
        page += [f"- {what}: {ratio:.1f}" for what, ratio in medians.items()]
        page += [f"- the largest: {max(without.values()):.1f}"]
