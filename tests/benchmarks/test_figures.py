"""Figures worth knowing, recorded in docs/reference/figures.md; nothing is asserted of them. `make bench`
runs this.

Ratios are of medians measured in turn (A B A B …) in one run on one machine. Absolute seconds and
megabytes are of that machine and that day only.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ibis
import pytest

from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.governance.facts import AccessLevel
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import Snapshot
from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from tests.benchmarks.page import in_turn, section, table
from tests.journeys.browser import chromium, log_in, open_notebook, open_workspace
from tests.journeys.conftest import ROOT, Enclave, Up, free_port
from tests.services.gateway import peer_enclave

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

Tables = Callable[[str], ibis.Table]


def by_code(t: Tables) -> ibis.Expr:
    d = t("diagnoses")
    return d.group_by("cisp2").agg(n=d.count(), patients=d.patient_id.nunique())


def top_20(t: Tables) -> ibis.Expr:
    d = t("diagnoses")
    patients = d.group_by("cisp2").agg(patients=d.patient_id.nunique())
    return patients.order_by(ibis.desc("patients")).limit(20)


def age_sex(t: Tables) -> ibis.Expr:
    return t("patients").group_by("age_band", "sex").agg(n=ibis._.count())


def by_year(t: Tables) -> ibis.Expr:
    c = t("consultations")
    return c.group_by(year=c.date.year()).agg(n=c.count())


def by_week(t: Tables) -> ibis.Expr:
    r = t("reasons")
    flu = r.filter(r.cisp2 == "R80")
    return flu.group_by(week=flu.date.truncate("W")).agg(n=flu.count())


def prevalence(t: Tables) -> ibis.Expr:
    d = t("diagnoses")
    joined = d.filter(d.cisp2 == "T90").join(t("patients"), "patient_id")
    return joined.group_by("age_band", "sex").agg(patients=joined.patient_id.nunique())


def type_by_sex(t: Tables) -> ibis.Expr:
    joined = t("consultations").join(t("patients"), "patient_id")
    return joined.group_by("type", "sex").agg(n=joined.count(), patients=joined.patient_id.nunique())


def labs(t: Tables) -> ibis.Expr:
    x = t("lab_results")
    return x.group_by("analyte", year=x.date.year()).agg(n=x.count())


def drugs(t: Tables) -> ibis.Expr:
    p = t("prescriptions")
    return p.group_by("atc").agg(n=p.count(), patients=p.patient_id.nunique())


def per_patient(t: Tables) -> ibis.Expr:
    c = t("consultations")
    contacts = c.group_by("patient_id").agg(n=c.count())
    often = contacts.mutate(
        often=ibis.cases((contacts.n >= 20, "20+"), (contacts.n >= 5, "5-19"), else_="0-4")
    )
    return often.group_by("often").agg(patients=often.patient_id.nunique())


def total(t: Tables) -> ibis.Expr:
    return t("consultations").count()


def by_centre(t: Tables) -> ibis.Expr:
    d = t("diagnoses")
    return d.group_by("centre_id", year=d.date.year()).agg(patients=d.patient_id.nunique())


QUESTIONS = (
    by_code, top_20, age_sex, by_year, by_week, prevalence,
    type_by_sex, labs, drugs, per_patient, total, by_centre,
)  # fmt: skip


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return synthesise(tmp_path_factory.mktemp("warehouse"), preset=Preset.C)


def raw_tables(connection: ibis.BaseBackend) -> Tables:
    """The snapshot's own tables under the names a notebook knows."""
    return lambda name: connection.table(name).rename(patient_id="patient_no")


def test_protected_against_raw(snapshot: Snapshot, tmp_path: Path) -> None:
    settings, hub = Settings(home=tmp_path), peer_enclave.HubPeer()
    store = open_store(settings)
    copy = shutil.copy(snapshot.database, tmp_path / "raw.duckdb")  # one process opens a file one way only
    raw = raw_tables(ibis.duckdb.connect(copy, read_only=True, threads=2))
    rows, ratios = [], []
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(4) as office:
        engines = Engines(EngineLimits(memory_bytes=4 * 1024**3, threads=2))
        warehouse = snapshot.directory.parent
        gateway = peer_enclave.make_gateway(settings, store, hub, warehouse, engines, workers, office)
        enclave = peer_enclave.Enclave(gateway, hub, store, settings)
        peer_enclave.add_project(enclave, peer_enclave.charter("bench", AccessLevel.AGGREGATE, "ines"))
        workspace = enclave.workspace("ines", "bench")
        for question in QUESTIONS:
            asked = question(peer_enclave.table)
            plain = question(raw)
            fast, safe = in_turn(plain.to_pyarrow, lambda asked=asked: asyncio.run(workspace.answer(asked)))
            ratios.append(safe / fast)
            rows.append((question.__name__, f"{fast:.3f}", f"{safe:.3f}", f"{safe / fast:.1f}"))
        engines.close()
    store.close()
    with section("A protected answer against the raw DuckDB query (preset C)") as page:
        page += table(("question", "raw s", "protected s", "ratio"), rows)
        page += [f"Median ratio {statistics.median(ratios):.1f}, largest {max(ratios):.1f}."]


def test_imports() -> None:
    def start(statement: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)

    rows = []
    for statement in (
        "import p4dp_sdk",
        "import p4dp_sdk; p4dp_sdk.connect",
        "import p4dp_sdk.backend.ibis_interface",
    ):
        bare, ours = in_turn(start("pass"), start(statement))
        rows.append((f"`{statement}`", f"{ours - bare:.2f}"))
    with section("Import") as page:
        page += table(("statement", "seconds more than Python's own start"), rows)


def test_the_start(tmp_path: Path) -> None:
    """Warm: the second `make up` on a home."""
    home, port = tmp_path / "home", free_port()
    first = Up(home, port)
    ready = r"Ctrl-C stops\s+everything"
    try:
        first.wait_for(ready)
    finally:
        first.stop()
    passwords = dict(re.findall(r"^\s+(ines)\s+(\S+)", first.printed, flags=re.M))
    began = time.perf_counter()
    second = Up(home, port)
    try:
        second.wait_for(ready)
        to_ready = time.perf_counter() - began
        address = second.wait_for(r"(http://\S+:\d+)").group(1)
        enclave = Enclave(address, passwords, home, second.environ)
        with chromium() as browser:
            browser.goto(address)
            browser.locator("input[name=login]").wait_for()
            to_login = time.perf_counter() - began
            code = enclave.code("ines")
            began = time.perf_counter()
            log_in(browser, "ines", passwords["ines"], code)
            open_workspace(browser, "these-ines")
            open_notebook(browser, "prise-en-main.ipynb")
            to_notebook = time.perf_counter() - began
            status = enclave.command("status")
    finally:
        second.stop()
    with section("Start") as page:
        page += table(
            ("from", "to", "seconds"),
            [
                ("`make up`, warm", "ready", f"{to_ready:.1f}"),
                ("`make up`, warm", "log-in page in a browser", f"{to_login:.1f}"),
                ("log-in", "notebook with an idle kernel", f"{to_notebook:.1f}"),
            ],
        )
    rows = re.findall(r"│ (\w[\w ]*?)\s+│ (\d+)\s+│ (\d+)\s+│", status)
    with section("Memory, with one open notebook") as page:
        page += table(("part", "processes", "MB"), rows)
