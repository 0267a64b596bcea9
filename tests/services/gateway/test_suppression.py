"""The suppression worker: bounded, killed and replaced; nothing comes back without its proof."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hub_config.gateway.stopping import Stop, Stopped, StopReason
from hub_config.gateway.suppression import Bounds, Suppressor, argus, codec
from hub_config.gateway.suppression import suppressor as suppressor_module
from hub_config.gateway.suppression.suppressor import Worker
from p4dp_sdk.disclosure.audit import audit
from p4dp_sdk.disclosure.constraints import system_of
from p4dp_sdk.disclosure.secondary import (
    Kind,
    Limits,
    Link,
    Quantity,
    Status,
    TableProblem,
    Tree,
    solve,
)
from p4dp_sdk.wire.errors import ErrorCode, Refusal

LIMITS = Limits(seconds=60)
PEERS = Path(__file__).parent


def table(seed: int = 3, rows: int = 6, columns: int = 8, tied: bool = False) -> TableProblem:
    """Counts by class and code, codes in two chapters; about a tenth of them small."""
    inner = np.random.default_rng(seed).poisson(np.random.default_rng(seed).gamma(1.0, 80.0, (rows, columns)))
    halves = np.array_split(inner, 2, axis=1)
    wide = np.hstack([inner.sum(1, keepdims=True), *(half.sum(1, keepdims=True) for half in halves), inner])
    values = np.vstack([wide.sum(0), wide])
    codes = (-1, 0, 0, *[1] * halves[0].shape[1], *[2] * halves[1].shape[1])
    cells = np.indices(values.shape).reshape(2, -1).T.astype(np.int64)
    flat = values.ravel()
    status = np.where(flat < 11, Status.PRIMARY, Status.SAFE).astype(np.int8)
    patients = Quantity("patients", Kind.COUNT, flat.astype(float), status, flat)
    visits = Quantity("visits", Kind.COUNT, flat * 3.0, status, flat, distinct=False)
    dims = (Tree("class", (-1, *[0] * rows)), Tree("code", codes))
    if not tied:
        return TableProblem(dims, cells, (patients,))
    links = (Link("visits", by="patients", low=1.0),)
    return TableProblem(dims, cells, (patients, visits), links, (("patients", "visits"),))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """τ-ARGUS, asked in this process, writes its logs into a folder of the test."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def suppressor() -> Iterator[Suppressor]:
    made = Suppressor()
    yield made
    made.close()


def failing(program: str, seconds: float = 60, memory: int = 2 * 2**30) -> Refusal:
    """How `protect` refuses with another program for a worker."""
    made = Suppressor(Bounds(memory=memory, program=(str(PEERS / program),)))
    try:
        with pytest.raises(Refusal) as refused:
            made.protect(table(), Limits(seconds=seconds))
    finally:
        made.close()
    return refused.value


# -- what comes back --------------------------------------------------------------------------------------


def test_a_table_is_protected_and_the_next_one_too(suppressor: Suppressor) -> None:
    for seed in (3, 4):
        problem = table(seed)
        made = suppressor.protect(problem, LIMITS)
        withheld, primary = made.withheld["patients"], problem.quantities[0].status == Status.PRIMARY
        assert withheld[primary].all() and 0.5 < made.kept < 1 - primary.mean()
        assert audit(system_of(problem), LIMITS, withheld).is_proof
        assert (made.lower["patients"][primary] == 0).all() and (made.upper["patients"][primary] >= 11).all()


def test_linked_measures_are_protected(suppressor: Suppressor) -> None:
    made = suppressor.protect(table(tied=True), LIMITS)

    assert (made.withheld["patients"] == made.withheld["visits"]).all()


def test_a_contradiction_is_refused_by_the_worker(suppressor: Suppressor) -> None:
    problem = table()
    problem.quantities[0].values[0] += 1

    with pytest.raises(Refusal) as refused:
        suppressor.protect(problem, LIMITS)
    assert refused.value.code is ErrorCode.SUPPRESSION_FAILED


def test_tau_argus_proposes_a_pattern_near_the_least() -> None:
    problem = table()
    system = system_of(problem)

    proposed = argus.propose(system, LIMITS)
    alone = solve(problem, LIMITS).withheld

    assert proposed[system.must].all() and not proposed.all()
    assert system.cost[solve(problem, LIMITS, argus.propose).withheld].sum() <= system.cost[alone].sum() * 1.1


def test_tau_argus_takes_what_is_public_as_given() -> None:
    problem = table()
    status = problem.quantities[0].status
    status[(status == Status.SAFE) & (problem.coordinates[:, 1] == 1)] = Status.KNOWN

    assert not argus.propose(system_of(problem), LIMITS)[status == Status.KNOWN].any()


# -- workers that fail ------------------------------------------------------------------------------------


def test_out_of_time_is_refused_with_the_limit() -> None:
    refusal = failing("idle_worker.py", seconds=1)

    assert refusal.code is ErrorCode.SUPPRESSION_FAILED and refusal.params == {"seconds": 1}


@pytest.mark.parametrize("program", ["dying_worker.py", "babbling_worker.py", "no_such_worker.py"])
def test_a_worker_that_dies_or_talks_nonsense_is_refused(program: str) -> None:
    assert failing(program).code is ErrorCode.SUPPRESSION_FAILED


def test_a_worker_that_lies_is_refused() -> None:
    """It says that nothing need be withheld."""
    assert failing("lying_worker.py").code is ErrorCode.SUPPRESSION_FAILED


def test_out_of_memory_is_refused() -> None:
    made = Suppressor(Bounds(memory=64 * 2**20))

    with pytest.raises(Refusal) as refused:
        made.protect(table(), LIMITS)
    made.close()
    assert refused.value.code is ErrorCode.SUPPRESSION_FAILED


def test_without_tau_argus_our_own_solver_takes_over() -> None:
    """The first worker dies while τ-ARGUS works; the second is told to do without."""
    made = Suppressor(Bounds(program=(str(PEERS / "argusless_worker.py"),)))
    try:
        assert made.protect(table(), LIMITS).kept > 0.5
    finally:
        made.close()


def test_a_killed_worker_costs_one_table(suppressor: Suppressor) -> None:
    stop = Stop(60)
    threading.Timer(0.2, lambda: stop.trip(StopReason.CLIENT_GONE)).start()

    with pytest.raises(Stopped):
        suppressor.protect(table(rows=40, columns=120), LIMITS, stop)

    assert suppressor.protect(table(), LIMITS).kept > 0.5


def test_a_stopped_question_has_no_worker(suppressor: Suppressor) -> None:
    stop = Stop(7)
    stop.trip(StopReason.TIME)

    with pytest.raises(Refusal) as refused:
        suppressor.protect(table(), LIMITS, stop)
    assert refused.value.code is ErrorCode.TIMED_OUT


# -- what it is given -------------------------------------------------------------------------------------


def test_a_worker_has_no_secret_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_MASTER_KEY", "secret")
    worker = Worker(Bounds())
    try:
        environment = _settled(worker.pid)
        folder = Path(f"/proc/{worker.pid}/cwd").readlink()
        files = list(Path(f"/proc/{worker.pid}/fd").iterdir())
    finally:
        worker.end()

    assert "P4DP" not in environment and "secret" not in environment and "TMPDIR" in environment
    assert len(files) <= 8  # its line and Python's own
    assert not folder.exists()


def test_what_tau_argus_writes_down_goes_with_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its logs hold the values of cells. They are written where the worker stands, and nowhere else."""
    started: list[Path] = []

    class Watched(Worker):
        def __init__(self, bounds: Bounds) -> None:
            super().__init__(bounds)
            started.append(Path(self._folder))

    monkeypatch.setattr(suppressor_module, "Worker", Watched)
    made = Suppressor()
    made.protect(table(), LIMITS)
    stop = Stop(60)
    threading.Timer(0.2, lambda: stop.trip(StopReason.CLIENT_GONE)).start()
    with pytest.raises(Stopped):
        made.protect(table(rows=40, columns=120), LIMITS, stop)
    made.close()

    assert list(tmp_path.iterdir()) == []
    assert len(started) >= 2 and not any(folder.exists() for folder in started)


def _settled(pid: int) -> str:
    """The environment, once the worker's program runs."""
    for _ in range(6_000):
        if "TMPDIR" in (found := Path(f"/proc/{pid}/environ").read_text()):
            return found
        time.sleep(0.01)
    raise AssertionError("the worker did not start")


def test_closing_ends_the_waiting_worker() -> None:
    made = Suppressor()
    made.ready()
    assert made._spare is not None
    pid = made._spare.pid
    made.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# -- bytes ------------------------------------------------------------------------------------------------


def test_a_problem_travels_unchanged() -> None:
    problem = table(tied=True)

    head, arrays = codec.unpack(codec.pack(*codec.of_problem(problem, LIMITS)))
    back, limits = codec.to_problem(head, arrays)

    assert limits == LIMITS and back.dims == problem.dims and back.links == problem.links
    assert back.together == problem.together and (back.coordinates == problem.coordinates).all()
    for one, other in zip(back.quantities, problem.quantities, strict=True):
        assert (one.name, one.kind, one.bounds, one.distinct) == (
            other.name,
            other.kind,
            other.bounds,
            other.distinct,
        )
        assert (one.values == other.values).all() and one.physicians is None


def test_a_proof_travels_unchanged() -> None:
    proof = solve(table(), LIMITS)

    _, arrays = codec.unpack(codec.pack({}, codec.of_proof(proof)))
    back = codec.to_proof(arrays, len(proof.withheld))

    assert (back.withheld == proof.withheld).all() and len(back.witnesses) == len(proof.witnesses)
    assert all((a.moves == b.moves).all() for a, b in zip(back.witnesses, proof.witnesses, strict=True))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00\x00",
        b"\xff\xff\xff\xff",
        codec.pack({}, {"a": np.zeros(3)})[:-1],
        codec.pack({}, {"a": np.zeros(3)}) + b"x",
        codec.pack({}, {"a": np.zeros(3, "U2")}),
        codec.pack({}, {"a": np.zeros(3)}).replace(b"[3]", b"[-1]"),
    ],
)
def test_other_bytes_are_refused(frame: bytes) -> None:
    with pytest.raises(codec.BadFrame):
        codec.unpack(frame)
