"""How long a publication table takes to protect, of what size, and how much of it is kept."""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import ibis
import pytest

from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.gateway.publication.press import Suppress
from hub_config.gateway.suppression import Suppressor
from hub_config.governance.facts import AccessLevel
from hub_config.governance.store import open_store
from hub_config.settings import PolicySettings, Settings
from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.disclosure.hypercube import Limits as SuppressionLimits
from p4dp_sdk.disclosure.hypercube import Suppression, TableProblem
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.protocol import Limits
from p4dp_sdk.wire.publication import Document
from tests.benchmarks.page import section, table
from tests.benchmarks.scale import Size, build
from tests.services.gateway import peer_enclave
from tests.services.gateway.forgetful import Forgetful
from tests.services.gateway.publishing import publish

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
SIZE = Size(patients=150_000, physicians=600)  # so that of 2,000 cells many are small
MOST = 6_000


def _diagnoses(codes: int = 0) -> ibis.Table:
    d = peer_enclave.table("diagnoses")
    return d.filter(d.cisp2.isin(CODES[:codes])) if codes else d


CODES: list[str] = []  # of the snapshot, filled in by the fixture


def one_dimension() -> ibis.Expr:
    """Codes in chapters."""
    return _diagnoses().group_by("cisp2").agg(patients=ibis._.patient_id.nunique())


def month() -> ibis.Expr:
    d = _diagnoses(40)
    return d.group_by(month=d.date.truncate("M")).agg(n=d.count())


def code_by_sex() -> ibis.Expr:
    d = _diagnoses(690).join(peer_enclave.table("patients"), "patient_id")
    return d.group_by("cisp2", "sex").agg(patients=d.patient_id.nunique())


def centre_by_month() -> ibis.Expr:
    d = _diagnoses(20)
    d = d.filter(d.date >= "2018-01-01")
    return d.group_by("centre_id", month=d.date.truncate("M")).agg(n=d.count())


def code_by_age() -> ibis.Expr:
    d = _diagnoses(190).join(peer_enclave.table("patients"), "patient_id")
    return d.group_by("cisp2", "age_band").agg(patients=d.patient_id.nunique())


def centre_year_sex() -> ibis.Expr:
    d = _diagnoses(10).join(peer_enclave.table("patients"), "patient_id")
    return d.group_by("centre_id", "sex", year=d.date.year()).agg(patients=d.patient_id.nunique())


def centre_age_sex_source() -> ibis.Expr:
    d = _diagnoses(20).join(peer_enclave.table("patients"), "patient_id")
    keys = ("centre_id", "age_band", "sex", "coding_source")
    return d.group_by(*keys).agg(patients=d.patient_id.nunique())


def code_age_sex() -> ibis.Expr:
    d = _diagnoses(95).join(peer_enclave.table("patients"), "patient_id")
    return d.group_by("cisp2", "age_band", "sex").agg(n=d.count(), patients=d.patient_id.nunique())


def code_by_age_large() -> ibis.Expr:
    d = _diagnoses(590).join(peer_enclave.table("patients"), "patient_id")
    return d.group_by("cisp2", "age_band").agg(patients=d.patient_id.nunique())


def centre_code_large() -> ibis.Expr:
    d = _diagnoses(165)
    return d.group_by("centre_id", "cisp2").agg(patients=d.patient_id.nunique())


def centre_age_year_large() -> ibis.Expr:
    d = _diagnoses(60).join(peer_enclave.table("patients"), "patient_id")
    d = d.filter(d.date >= "2007-01-01")
    return d.group_by("centre_id", "age_band", year=d.date.year()).agg(patients=d.patient_id.nunique())


TABLES = (
    one_dimension, month, code_by_sex, centre_by_month, code_by_age, centre_year_sex, centre_age_sex_source,
    code_age_sex, code_by_age_large, centre_code_large, centre_age_year_large,
)  # fmt: skip


class Loose(PolicySettings):
    """A site that publishes larger tables than any may, so that the solver meets them."""

    def policy(self, **more: int) -> Policy:
        return replace(super().policy(**more), max_published_cells=MOST)


@dataclass
class Timed:
    """Secondary suppression with a clock."""

    suppress: Suppress
    times: list[float] = field(default_factory=list)
    slots: int = 0

    def __call__(self, problem: TableProblem, limits: SuppressionLimits) -> Suppression:
        began = time.perf_counter()
        try:
            found = self.suppress(problem, limits)
        finally:
            self.times.append(time.perf_counter() - began)
            self.slots = len(problem.coordinates) * len(problem.quantities)
        return found


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    made = build(tmp_path_factory.mktemp("warehouse"), SIZE)
    with duckdb.connect(str(made.database), read_only=True) as raw:
        found = raw.execute("SELECT DISTINCT cisp2 FROM diagnoses ORDER BY 1").fetchall()
    CODES[:] = [code for (code,) in found]
    return made


def test_publication_tables(snapshot: Snapshot, tmp_path: Path) -> None:
    settings, hub, rows, small = Settings(home=tmp_path), peer_enclave.HubPeer(), [], []
    store, suppressor = open_store(settings), Suppressor()
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(4) as office:
        engines = Engines(EngineLimits(memory_bytes=2 * 1024**3, threads=2))
        gateway = peer_enclave.make_gateway(
            settings, store, hub, snapshot.directory.parent, engines, workers, office
        )
        timed = Timed(suppressor.protect)
        enclave = peer_enclave.Enclave(gateway, hub, store, settings).with_gateway(
            press=replace(gateway.press, suppress=timed, memory=Forgetful()),
            policy=Loose(),
            limits=Limits(seconds=300.0),
        )
        peer_enclave.add_project(enclave, peer_enclave.charter("bench", AccessLevel.AGGREGATE, "ines"))
        workspace = enclave.workspace("ines", "bench")
        suppressor.ready()
        for asked in TABLES:
            began = time.perf_counter()
            response = asyncio.run(publish(workspace, asked(), "Essai"))
            whole = time.perf_counter() - began
            if response.status_code != 200:
                rows.append([asked.__name__, "—", "—", f"{whole:.1f}", "—", str(response.json()["detail"])])
            else:
                statement = Document.from_json(response.content).statement
                cells, kept = len(statement.rows), statement.shown / (statement.shown + statement.withheld)
                protecting = timed.times[-1]
                if cells <= 2_000 and statement.withheld:
                    small.append(protecting)
                shown = (asked.__name__, f"{cells:,}", f"{timed.slots:,}")
                rows.append([*shown, f"{protecting:.1f}", f"{whole:.1f}", f"{kept:.0%}"])
            print(rows[-1], flush=True)
        engines.close()
    suppressor.close()
    store.close()
    head = ("table", "cells", "numbers with all totals", "suppression and audit s", "all of it s", "kept")
    with section("Publication tables") as page:
        page += table(head, rows)
        taken = f"{statistics.median(small):.1f} s (median)" if small else "not measured"
        some = f"{len(small)} tables of up to 2,000 cells with something to withhold were published"
        page += [f"{some}; suppression and audit: {taken}. The others say little of it."]
