"""What an engine does while nobody asks gives way to who does, and ends with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_config.gateway.engine import Engine, EngineLimits, Engines, Session
from hub_config.gateway.stopping import Stop
from p4dp_sdk.wire.errors import ErrorCode, Refusal

LIMITS = EngineLimits(256 * 1024**2, 1)
ENDLESS = "SELECT count(*) FROM range(100_000_000) a, range(100_000_000) b WHERE a.range + b.range = 7"
SOON = 60.0


@pytest.fixture
def engine(warehouse: Path) -> Iterator[Engine]:
    opened = Engine(warehouse / "1" / "warehouse.duckdb", LIMITS)
    yield opened
    opened.close()


def test_a_statement_waits_for_all_questions_to_end(engine: Engine) -> None:
    begun, done = threading.Event(), threading.Event()

    def work(session: Session) -> None:
        begun.set()
        session.fetch("SELECT 1 AS n")
        session.known["found"] = 1
        done.set()

    with engine.session(Stop(10)) as first:
        with engine.session(Stop(10)):
            engine.prepare(work)
            assert begun.wait(SOON)
            first.fetch("SELECT 1 AS n")
        assert not done.wait(0.05) and "found" not in first.known
    assert done.wait(SOON)
    with engine.session(Stop(10)) as later:
        assert later.known["found"] == 1


@pytest.mark.parametrize("asking", [True, False])
def test_an_engine_that_closes_waits_for_no_work(warehouse: Path, asking: bool) -> None:
    engine, begun, ended = Engine(warehouse / "1" / "warehouse.duckdb", LIMITS), threading.Event(), []

    def work(session: Session) -> None:
        begun.set()
        try:
            session.fetch(ENDLESS)
        finally:
            ended.append(True)

    if asking:
        with engine.session(Stop(10)):
            engine.prepare(work)
            assert begun.wait(SOON)
            engine.close()
    else:
        engine.prepare(work)
        assert begun.wait(SOON)
        engine.close()
    assert ended == [True]


def test_what_fails_is_left_to_the_question(engine: Engine) -> None:
    failed = threading.Event()

    def work(session: Session) -> None:
        try:
            session.fetch("SELECT nothing FROM nowhere")
        finally:
            failed.set()

    engine.prepare(work)
    assert failed.wait(SOON)
    with engine.session(Stop(10)) as session:
        assert session.fetch("SELECT 1 AS n").num_rows == 1


def test_each_snapshot_is_prepared_once_it_is_opened(warehouse: Path) -> None:
    prepared = threading.Semaphore(0)
    engines = Engines(LIMITS, lambda _: prepared.release())
    database = warehouse / "1" / "warehouse.duckdb"
    for _ in range(3):
        engines.engine(1, database)
    assert prepared.acquire(timeout=SOON) and not prepared.acquire(timeout=0.05)
    engines.discard(1)
    engines.engine(1, database)
    assert prepared.acquire(timeout=SOON)
    engines.close()


def test_a_snapshot_that_is_missing_is_not_prepared(tmp_path: Path) -> None:
    engines = Engines(LIMITS, lambda _: None)
    with pytest.raises(Refusal) as refused:
        engines.engine(1, tmp_path / "warehouse.duckdb")
    assert refused.value.code is ErrorCode.SNAPSHOT_MISSING
