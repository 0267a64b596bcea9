"""How long a publication table takes to protect, of what size, and how much of it is kept."""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pytest

import p4dp_sdk as p4dp
from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.gateway.publication.press import Suppress
from hub_config.gateway.suppression import Suppressor
from hub_config.governance.facts import AccessLevel
from hub_config.governance.store import open_store
from hub_config.sections import PolicySettings
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.disclosure.hypercube import Limits as SuppressionLimits
from p4dp_sdk.disclosure.hypercube import Status, Suppression, TableProblem
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.protocol import Limits
from tests.benchmarks.page import section, table
from tests.benchmarks.scale import Size, build
from tests.services.gateway import peer_enclave
from tests.services.gateway.forgetful import Forgetful
from tests.services.gateway.publishing import publish

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
SIZE = Size(patients=14_000, physicians=600)  # so that of 2,000 cells many are small
MOST = 6_000


CODES: list[str] = []  # of the snapshot, common ones and rare ones, filled in by the fixture


def _diagnoses(codes: int, among: int = 690, since: str = "2000-01-01") -> ibis.Table:
    """Diagnoses with so many codes, evenly chosen `among` the commonest, with sex and age of the patients."""
    d = peer_enclave.table("diagnoses")
    chosen = CODES[:among][:: max(1, among // codes)][:codes]
    d = d.filter(d.cisp2.isin(chosen), d.date >= since)
    return d.join(peer_enclave.table("patients"), "patient_id")


def _counted(d: ibis.Table, *keys: str, rows: bool = False, **made: ibis.Value) -> ibis.Expr:
    more = {"n": d.count()} if rows else {}
    return d.group_by(*keys, **made).agg(patients=d.patient_id.nunique(), **more)


def code() -> ibis.Expr:
    return _counted(peer_enclave.table("diagnoses"), "cisp2")


def week() -> ibis.Expr:
    d = _diagnoses(20)
    return d.group_by(week=d.date.truncate("W")).agg(n=d.count())


def code_age(codes: int = 180) -> ibis.Expr:
    return _counted(_diagnoses(codes), "cisp2", "age_band")


def code_sex_rows() -> ibis.Expr:
    return _counted(_diagnoses(690), "cisp2", "sex", rows=True)


def centre_month() -> ibis.Expr:
    d = peer_enclave.table("diagnoses")
    d = d.filter(d.date >= "2018-04-01")
    return d.group_by("centre_id", month=d.date.truncate("M")).agg(n=d.count())


def code_age_sex(codes: int = 90, rows: bool = False) -> ibis.Expr:
    return _counted(_diagnoses(codes, among=270), "cisp2", "age_band", "sex", rows=rows)


def code_age_sex_rows() -> ibis.Expr:
    return code_age_sex(rows=True)


def code_age_sex_year(codes: int = 5) -> ibis.Expr:
    d = _diagnoses(codes, among=codes, since="2003-01-01")
    return _counted(d, "cisp2", "age_band", "sex", year=d.date.year())


def code_age_sex_source_year(codes: int = 3) -> ibis.Expr:
    d = _diagnoses(codes, among=codes, since="2003-01-01")
    made = {"age": p4dp.age_bands(d.age, [40, 65]), "year": d.date.year()}
    return _counted(d, "cisp2", "sex", "coding_source", **made)


def code_age_large() -> ibis.Expr:
    return code_age(490)


def centre_code_large() -> ibis.Expr:
    return _counted(_diagnoses(165, among=165), "centre_id", "cisp2")


def code_age_sex_large() -> ibis.Expr:
    return code_age_sex(160)


def code_age_sex_year_large() -> ibis.Expr:
    return code_age_sex_year(8)


TABLES = (
    code, week, code_age, code_sex_rows, centre_month, code_age_sex, code_age_sex_rows, code_age_sex_year,
    code_age_sex_source_year, code_age_large, centre_code_large, code_age_sex_large, code_age_sex_year_large,
)  # fmt: skip


class Loose(PolicySettings):
    """A site that publishes the largest tables that any may."""

    def policy(self, **more: int) -> Policy:
        return replace(super().policy(**more), max_published_cells=MOST)


@dataclass
class Timed:
    """Secondary suppression with a clock; `seen` is what it was asked last, and what it made of it."""

    suppress: Suppress
    seconds: float = 0.0
    seen: tuple[TableProblem, Suppression] | None = None
    problem: TableProblem | None = None

    def __call__(self, problem: TableProblem, limits: SuppressionLimits) -> Suppression:
        self.problem, self.seen, began = problem, None, time.perf_counter()
        try:
            found = self.suppress(problem, limits)
        finally:
            self.seconds = time.perf_counter() - began
        self.seen = (problem, found)
        return found

    @property
    def secondary(self) -> bool:
        return self.seen is not None and any(
            np.any(self.seen[1].withheld[q.name] & (q.status == Status.SAFE)) for q in self.seen[0].quantities
        )

    def taken(self, whole: float) -> list[str]:
        if self.problem is None:
            return ["—", "—", f"{whole:.1f}"]
        return [f"{self.seconds:.1f}", f"{whole - self.seconds:.1f}", f"{whole:.1f}"]

    def counted(self) -> list[str]:
        """Cells, numbers, primary ones, those withheld beside, and the share of safe ones that is kept."""
        if self.problem is None:
            return ["—"] * 5
        cells = len(self.problem.coordinates)
        status = np.concatenate([quantity.status for quantity in self.problem.quantities])
        must = np.isin(status, (Status.PRIMARY, Status.HELD))
        row = [f"{cells:,}", f"{len(status):,}", f"{must.mean():.0%}"]
        if self.seen is None:
            return [*row, "—", "—"]
        also = np.concatenate(list(self.seen[1].withheld.values())) & ~must
        return [*row, f"{also.sum():,}", f"{1 - also.sum() / max(1, (~must).sum()):.0%}"]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    made = build(tmp_path_factory.mktemp("warehouse"), SIZE)
    with duckdb.connect(str(made.database), read_only=True) as raw:
        found = raw.execute("SELECT cisp2 FROM diagnoses GROUP BY 1 ORDER BY count(*) DESC, 1").fetchall()
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
        for asked in TABLES:
            suppressor.ready()
            timed.problem = None
            began = time.perf_counter()
            response = asyncio.run(publish(workspace, asked(), "Essai"))
            whole = time.perf_counter() - began
            told = "" if response.status_code == 200 else str(response.json()["detail"])
            rows.append([asked.__name__, *timed.counted(), *timed.taken(whole), told])
            if timed.secondary and not asked.__name__.endswith("_large"):
                small.append((timed.seconds, whole))
            print(rows[-1], flush=True)
        engines.close()
    suppressor.close()
    store.close()
    head = (
        "table", "cells with totals", "numbers", "primary", "secondary", "safe ones kept",
        "suppression and audit s", "measuring and the rest s", "all of it s", "refused",
    )  # fmt: skip
    with section("Publication tables") as page:
        page += table(head, rows)
        page += [_medians(small)]


def _medians(taken: list[tuple[float, float]]) -> str:
    if not taken:
        return "No table of about 2,000 cells had anything to withhold."
    protecting, whole = (statistics.median(times) for times in zip(*taken, strict=True))
    return (
        f"Of the {len(taken)} tables of about 2,000 cells with something to withhold beside primary cells,"
        f" the median: {protecting:.1f} s for suppression and audit, {whole:.1f} s altogether."
    )
