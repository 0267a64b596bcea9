"""What the ledger costs with a hundred thousand cells on record: time of an answer of a hundred cells, disk
and memory of a cell.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hub_config.gateway.assembly import _Jitter
from hub_config.gateway.evidence.contributions import Added, Contributions
from hub_config.gateway.evidence.sketch import Secrets, vectors
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.ledger import Ledger
from hub_config.gateway.rules.memory import Asker, Batch, Proposal
from hub_config.gateway.rules.plan import Measure, MeasureKind
from hub_config.governance.ledger.store import LedgerStore
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from p4dp_sdk.disclosure.policy import Policy
from tests.benchmarks.page import section, table

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
CELLS, A_BATCH, TIMED = 100_000, 100, 20
MEASURE = Measure("n", conditional=False, kind=MeasureKind.PATIENTS)


@dataclass(frozen=True)
class Analysts:
    """Random cohorts of one population, each by two variables of ten values: cells of about 150 patients, of
    which any two cohorts share some."""

    size: int = 150_000
    variables: int = 12
    seed: int = 1

    def answer(self, number: int, keyring: Keyring) -> Batch:
        rng = np.random.default_rng((self.seed, number))
        cohort, rows, columns = rng.choice(self.variables, 3, replace=False)
        people = np.flatnonzero(self.values[cohort] == rng.integers(10))
        cell = self.values[rows][people] * 10 + self.values[columns][people]
        patients = np.bincount(cell, minlength=A_BATCH)
        added = {None: Added(np.ones(len(people), dtype=np.int64))}
        given = Contributions.of(cell, people, (people % 600,), added)
        return Batch(
            release=f"r{number}",
            measure="n",
            family="count",
            patients=patients,
            values=patients + rng.integers(-5, 6, A_BATCH).astype(float),
            proposals=np.full(A_BATCH, Proposal.SHOW, dtype=np.int8),
            vectors=vectors(given, A_BATCH, MEASURE, Secrets(keyring, of_patients=True)),
            keys=(np.arange(A_BATCH) // 10, np.arange(A_BATCH) % 10),
        )

    @property
    def values(self) -> np.ndarray:
        """Of each variable the value of each patient."""
        rng = np.random.default_rng(self.seed)
        return rng.integers(0, 10, (self.variables, self.size))


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def test_the_ledger(tmp_path: Path) -> None:
    settings, keyring, people = Settings(home=tmp_path), Keyring(bytes(range(32))), Analysts()
    store = open_store(settings)
    ledger = Ledger(LedgerStore(store), _Jitter(keyring))
    asker = Asker("bench", frozenset({"ines"}), "ines", 1, "bench")
    disk = _size(settings.home)
    times = []
    for number in range(CELLS // A_BATCH + TIMED):
        batch = people.answer(number, keyring)
        began = time.perf_counter()
        ledger.settle(asker, (batch,), Policy())
        times.append(time.perf_counter() - began)
        if not number % 100:
            print(number, round(times[-1], 3), flush=True)
    disk = (_size(settings.home) - disk) / (len(times) * A_BATCH)
    before = resident()
    began = time.perf_counter()
    another = Ledger(LedgerStore(store), _Jitter(keyring))
    another.known(asker, (people.answer(0, keyring),), Policy())
    loading = time.perf_counter() - began
    memory = (resident() - before) / (len(times) * A_BATCH)
    store.close()
    rows = [
        (f"{CELLS // 10:,}", *_times(times[CELLS // A_BATCH // 10 :][:TIMED])),
        (f"{CELLS:,}", *_times(times[-TIMED:])),
    ]
    with section("The ledger") as page:
        page += table(("cells on record", "an answer of 100 cells: median s", "longest s"), rows)
        page += [f"Disk {disk:,.0f} bytes a cell, memory {memory:,.0f}; {loading:.1f} s to read all of it."]


def _times(times: list[float]) -> tuple[str, str]:
    return f"{statistics.median(times):.2f}", f"{max(times):.2f}"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
