"""The engine: locked down, bounded, stopped when it must be; and a snapshot that can't be read."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from hub_config.gateway import actions
from hub_config.gateway.answer import Answer
from hub_config.gateway.app import create_app
from hub_config.gateway.engine import Engine, EngineLimits, Engines, explained, scratch
from hub_config.gateway.slots import Slots
from hub_config.gateway.stopping import Stop, StopReason
from hub_config.sockets.doors import bound
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import encode
from p4dp_sdk.wire.protocol import Limits
from tests.services.gateway.peer_enclave import Enclave, Workspace, endless, table

REACHES_OUT = (
    "SELECT * FROM read_csv('/etc/hostname')",
    "COPY (SELECT 1) TO '/tmp/p4dp-out.csv'",
    "ATTACH '/tmp/p4dp-other.db'",
    "SET memory_limit = '100GB'",
    "SET threads = 64",
    "SET temp_directory = '/tmp/p4dp-spill'",
    "SELECT * FROM frame_of_the_caller",
)
FORBIDDEN = (
    *REACHES_OUT,
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET lock_configuration",
)


ENGINE_CODES = (ErrorCode.ENGINE_FAILED, ErrorCode.OUT_OF_MEMORY, ErrorCode.SNAPSHOT_CORRUPT)


def test_one_engine_that_fails_refuses_nobody_else_the_snapshot(warehouse: Path) -> None:
    """Others' questions still run on it; a process has one instance of the file, and it is locked."""
    engines = Engines(EngineLimits(256 * 1024**2, 1))
    database = warehouse / "1" / "warehouse.duckdb"
    with engines.engine(1, database).session(Stop(10)) as running:
        engines.discard(1)
        with engines.engine(1, database).session(Stop(10)) as session:
            for each in (running, session):
                assert each.fetch("SELECT count(*) AS n FROM patients").column("n").to_pylist() != [0]
            for statement in FORBIDDEN:
                with pytest.raises(Refusal):
                    session.run(statement)
    engines.close()


@pytest.fixture(params=["warehouse", "scratch"])
def locked(request: pytest.FixtureRequest, warehouse: Path) -> Any:
    stop = Stop(10)
    if request.param == "scratch":
        with scratch(stop, frozenset()) as session:
            yield session
        return
    engine = Engine(warehouse / "1" / "warehouse.duckdb", EngineLimits(256 * 1024**2, 1))
    with engine.session(stop) as session:
        yield session
    engine.close()


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_locked_engine_reaches_nothing_outside_itself(locked: Any, statement: str) -> None:
    with pytest.raises(Refusal):
        locked.run(statement)


@pytest.mark.parametrize("statement", REACHES_OUT)
def test_an_engine_that_is_not_locked_does_all_of_this(statement: str, tmp_path: Path) -> None:
    """The power of the test above: DuckDB as it comes."""
    frame_of_the_caller = pa.table({"secret": [1]})
    with duckdb.connect() as connection:
        connection.execute(statement.replace("/tmp/", f"{tmp_path}/"))
    assert frame_of_the_caller.num_rows == 1


def test_the_warehouse_is_read_only(warehouse: Path) -> None:
    engine = Engine(warehouse / "1" / "warehouse.duckdb", EngineLimits(256 * 1024**2, 1))
    with engine.session(Stop(10)) as session, pytest.raises(Refusal):
        session.run("DELETE FROM warehouse.main.objections")
    engine.close()


def test_one_querys_tables_and_variables_are_seen_by_no_other(warehouse: Path) -> None:
    engine = Engine(warehouse / "1" / "warehouse.duckdb", EngineLimits(256 * 1024**2, 1))
    with engine.session(Stop(10)) as one, engine.session(Stop(10)) as other:
        one.run("SET VARIABLE secret = ?", ["s"])
        one.run("CREATE TEMP TABLE mine AS SELECT 1")
        assert other.fetch("SELECT getvariable('secret') AS s")["s"].to_pylist() == [None]
        with pytest.raises(Refusal):
            other.run("SELECT * FROM mine")
    engine.close()


def test_memory_is_bounded(warehouse: Path) -> None:
    engine = Engine(warehouse / "1" / "warehouse.duckdb", EngineLimits(32 * 1024**2, 1))
    with engine.session(Stop(10)) as session, pytest.raises(Refusal) as refused:
        session.fetch("SELECT list(range) FROM range(50000000)")
    assert refused.value.code is ErrorCode.OUT_OF_MEMORY
    engine.close()


ENGINE_ERRORS = [
    kind for kind in vars(duckdb).values() if isinstance(kind, type) and issubclass(kind, duckdb.Error)
]


@pytest.mark.parametrize("error", ENGINE_ERRORS)
def test_whatever_the_engine_says_its_words_stay_inside(error: type[duckdb.Error]) -> None:
    with pytest.raises(Refusal) as refused, explained(Stop(1)):
        raise error("Could not convert string 'a-value' to INT32")
    assert refused.value.code in ENGINE_CODES
    assert refused.value.params == {}
    assert refused.value.__suppress_context__


# --- time --------------------------------------------------------------------------------------------------


def limited(enclave: Enclave, seconds: float) -> Enclave:
    return enclave.with_gateway(limits=Limits(seconds=seconds))


async def test_a_query_is_stopped_at_its_time_limit(enclave: Enclave) -> None:
    workspace = limited(enclave, 0.5).workspace("rachid", "modeles-rachid")
    response = await workspace.ask(endless())
    assert (response.status_code, response.json()["code"]) == (504, ErrorCode.TIMED_OUT)
    assert enclave.asked()[-1].details["code"] == "timed-out"
    after = enclave.workspace("rachid", "modeles-rachid")
    assert (await after.ask(table("patients").count())).status_code == 200


async def test_a_client_that_leaves_stops_its_query(enclave: Enclave, rachid: Workspace) -> None:
    """The event says so, and the workspace's place is free again at once."""
    leave = asyncio.Event()
    messages = [{"type": "http.request", "body": encode(endless()), "more_body": False}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await leave.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {rachid.token}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/query", "headers": headers, "query_string": b""}
    app = bound(create_app(enclave.gateway), rachid.binding)
    asking = asyncio.create_task(app(scope, receive, send))
    await asyncio.sleep(0.5)
    assert not asking.done()
    leave.set()
    await asyncio.wait_for(asking, 60)
    assert sent == []
    assert enclave.asked()[-1].details["code"] == "client-gone"


async def test_a_workspace_asks_few_questions_at_once_and_harms_no_other(enclave: Enclave) -> None:
    busy = limited(enclave, 5.0)
    rachid, student = busy.workspace("rachid", "modeles-rachid"), enclave.workspace("paul", "bac-a-sable")
    running = [asyncio.create_task(rachid.ask(endless())) for _ in range(2)]
    while sum(enclave.gateway.slots._taken.values()) < 2:
        await asyncio.sleep(0.01)
    third = await rachid.ask(table("patients").count())
    assert (third.status_code, third.json()["code"]) == (429, ErrorCode.BUSY)
    assert (await student.ask(table("patients").count())).status_code == 200
    assert {response.json()["code"] for response in await asyncio.gather(*running)} == {ErrorCode.TIMED_OUT}
    again = enclave.workspace("rachid", "modeles-rachid")
    assert (await again.ask(table("patients").count())).status_code == 200


async def test_the_gateway_as_a_whole_runs_a_bounded_number(enclave: Enclave) -> None:
    full = limited(enclave.with_gateway(slots=Slots(total=1, each=2, patience_seconds=0.1)), 5.0)
    running = asyncio.create_task(full.workspace("rachid", "modeles-rachid").ask(endless()))
    while not full.gateway.slots._free.locked():
        await asyncio.sleep(0.01)
    response = await full.workspace("paul", "bac-a-sable").ask(table("patients").count())
    assert response.json()["code"] == ErrorCode.BUSY
    await running


def test_a_stopped_query_starts_no_further_statement() -> None:
    stop = Stop(1)
    stop.trip(StopReason.TIME)
    with scratch(stop, frozenset()) as session, pytest.raises(Refusal) as refused:
        session.fetch("SELECT 1")
    assert refused.value.code is ErrorCode.TIMED_OUT


def test_an_interrupt_reaches_the_running_statement() -> None:
    stop = Stop(1)
    with scratch(stop, frozenset()) as session:
        threading.Timer(0.2, lambda: stop.trip(StopReason.TIME)).start()
        with pytest.raises(Refusal):
            session.fetch("SELECT count(*) FROM range(100000000000) a")


# --- memory of the answer ----------------------------------------------------------------------------------


async def test_rows_are_streamed_in_batches(rachid: Workspace) -> None:
    """800,000 rows leave in pieces of about 1 MiB, computed one after the other."""
    one = table("patients", "patient_id", "sex", "age")
    many = one.join(one.view(), "sex", rname="{name}_b").select("patient_id", "patient_id_b", "age")
    answer, _ = await rachid.answer(many)
    sizes = [batch.num_rows for batch in answer.to_batches()]
    assert answer.num_rows > 140_000
    assert len(sizes) > 2
    assert max(sizes) <= 65_536


@pytest.mark.parametrize(
    "code, kept",
    [(ErrorCode.ENGINE_FAILED, False), (ErrorCode.SNAPSHOT_CORRUPT, False), (ErrorCode.BUSY, True)],
)
async def test_an_engine_that_fails_among_the_rows_answers_no_other_question(
    enclave: Enclave,
    warehouse: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: ErrorCode,
    kept: bool,
) -> None:
    moved, _ = copied(enclave, warehouse, tmp_path)
    stream = actions.ipc_stream

    def failing(answer: Answer) -> Iterator[bytes]:
        yield next(stream(answer))
        raise Refusal(code)

    monkeypatch.setattr(actions, "ipc_stream", failing)
    with suppress(Exception):  # the answer ends short
        await moved.workspace("rachid", "modeles-rachid").ask(table("patients", "patient_id"))
    assert (1 in moved.gateway.engines._open) is kept
    moved.gateway.engines.close()


# --- the snapshot ------------------------------------------------------------------------------------------


def copied(enclave: Enclave, warehouse: Path, tmp_path: Path) -> tuple[Enclave, Path]:
    shutil.copytree(warehouse, tmp_path / "warehouse")
    engines = Engines(EngineLimits(256 * 1024**2, 1))
    moved = enclave.with_gateway(warehouse_dir=tmp_path / "warehouse", engines=engines)
    return moved, tmp_path / "warehouse" / "1"


async def code_of(enclave: Enclave) -> str:
    response = await enclave.workspace("rachid", "modeles-rachid").ask(table("patients").count())
    return "answered" if response.status_code == 200 else response.json()["code"]


async def test_a_snapshot_that_is_gone_is_missing(enclave: Enclave, warehouse: Path, tmp_path: Path) -> None:
    moved, snapshot = copied(enclave, warehouse, tmp_path)
    assert await code_of(moved) == "answered"
    shutil.rmtree(snapshot)
    assert await code_of(moved) == ErrorCode.SNAPSHOT_MISSING
    assert (await moved.workspace("ines", "these-ines").get("/v1/whoami")).status_code == 503


@pytest.mark.parametrize("damage", ["no manifest", "a torn manifest", "a shorter database", "no database"])
async def test_a_damaged_snapshot_is_corrupt(
    enclave: Enclave, warehouse: Path, tmp_path: Path, damage: str
) -> None:
    moved, snapshot = copied(enclave, warehouse, tmp_path)
    match damage:
        case "no manifest":
            (snapshot / "manifest.json").unlink()
        case "a torn manifest":
            overwrite(snapshot / "manifest.json", (snapshot / "manifest.json").read_bytes()[:100])
        case "a shorter database":
            overwrite(snapshot / "warehouse.duckdb", b"DUCK" * 100)
        case "no database":
            (snapshot / "warehouse.duckdb").unlink()
    assert await code_of(moved) == ErrorCode.SNAPSHOT_CORRUPT


async def test_bytes_changed_in_place_are_an_error_and_never_an_answer_out_of_them(
    enclave: Enclave, warehouse: Path, tmp_path: Path
) -> None:
    """Same size, so the quick check passes: the engine's own checksums notice."""
    moved, snapshot = copied(enclave, warehouse, tmp_path)
    content = bytearray((snapshot / "warehouse.duckdb").read_bytes())
    content[12_288:] = bytes(len(content) - 12_288)
    overwrite(snapshot / "warehouse.duckdb", bytes(content))
    assert await code_of(moved) in (ErrorCode.SNAPSHOT_CORRUPT, ErrorCode.ENGINE_FAILED)


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)
