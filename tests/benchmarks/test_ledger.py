"""What the ledger costs with a hundred thousand cells on record: time of an answer of a hundred cells, disk
and memory of a cell; and what a large table costs that is asked again.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hub_config.gateway.assembly import _Jitter
from hub_config.gateway.evidence.contributions import Added, Contributions
from hub_config.gateway.evidence.sketch import Secrets, vectors
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.ledger import Ledger
from hub_config.gateway.rules.earlier import snapping
from hub_config.gateway.rules.memory import Asker, Batch, Proposal
from hub_config.gateway.rules.plan import Measure, MeasureKind
from hub_config.governance.ledger.store import LedgerStore
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from p4dp_sdk.disclosure.policy import Policy
from tests.benchmarks.page import measured, section, table
from tests.unit.gateway_rules.people import narrow_of_all

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
CELLS, A_BATCH, TIMED = 100_000, 100, 20
CODES, YEARS = 690, 23
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


def test_a_large_table_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside what it would be if GPs between cells were looked for also where a cell is known already."""
    keyring, store = Keyring(bytes(range(32))), open_store(Settings(home=tmp_path))
    ledger, asker = (
        Ledger(LedgerStore(store), _Jitter(keyring)),
        Asker("bench", frozenset({"ines"}), "ines", 1, "bench"),
    )
    codes_by_year = _rows_of_codes_by_year(keyring)
    ledger.settle(asker, (codes_by_year,), Policy())

    def known_first() -> None:
        ledger.settle(asker, (codes_by_year,), Policy())

    def everywhere() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(snapping, "within_few_physicians", narrow_of_all)
            known_first()

    turns = measured(known_first, everywhere, measure=_processor)
    store.close()
    rows = [("known cells first", *_times(turns[0])), ("every cell", *_times(turns[1]))]
    ratio = statistics.median(b / a for a, b in zip(*turns, strict=True))
    with section("A large table asked again") as page:
        page += [
            f"Of {YEARS * CODES:,} cells, in the ledger, by which cells GPs between them are looked for:",
            "",
        ]
        page += table(("", "processor seconds, median", "longest"), rows)
        page += [f"{ratio:.1f} times, each against the other of its turn."]


def _rows_of_codes_by_year(keyring: Keyring, people: int = 200_000) -> Batch:
    """Twenty rows a person; codes as unequal as those of diagnoses."""
    rng, count = np.random.default_rng(1), 20 * people
    weights = rng.pareto(1.2, CODES) + 0.01
    cell = rng.choice(CODES, count, p=weights / weights.sum()) * YEARS + rng.integers(0, YEARS, count)
    person = np.sort(rng.integers(0, people, count))
    rows, who = (
        np.bincount(each, minlength=CODES * YEARS)
        for each in (cell, np.unique(cell * people + person) // people)
    )
    added = {None: Added(np.ones(count, dtype=np.int64))}
    return Batch(
        release="r",
        measure="n",
        family="rows",
        patients=who,
        values=rows.astype(float),
        proposals=np.where(who < Policy().min_patients, Proposal.WITHHOLD, Proposal.SHOW).astype(np.int8),
        vectors=vectors(
            Contributions.of(cell, person, (person % 600,), added),
            CODES * YEARS,
            Measure("n", conditional=False, kind=MeasureKind.ROWS),
            Secrets(keyring, of_patients=True),
        ),
        keys=(np.arange(CODES * YEARS) // YEARS, np.arange(CODES * YEARS) % YEARS),
    )


def _processor(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _times(times: Sequence[float]) -> tuple[str, str]:
    return f"{statistics.median(times):.2f}", f"{max(times):.2f}"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
