"""PostgreSQL beneath the gateway: what its role may not do, what is nowhere to be read, what ends with a
question, and what a publication leaves when it fails."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import adbc_driver_postgresql.dbapi as postgresql
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from hub_config.cli import main
from hub_config.gateway.authorise import visible_tables
from hub_config.gateway.binding import Room, _in_own_order, furnish
from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.engine import Engine, EngineLimits
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.engines.postgresql import Postgresql
from hub_config.gateway.execution import _streamed
from hub_config.gateway.pseudonyms import ProjectKey, install
from hub_config.gateway.stopping import Stop, Stopped, StopReason
from hub_config.governance.facts import AccessLevel, Grant, Objectors
from hub_config.warehouse.engines.address import Address, Part, password
from hub_config.warehouse.engines.description import PUBLISHED, manifest_hash
from hub_config.warehouse.engines.postgresql import Outcome, Place, publish, unpublish
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.snapshot import Snapshot, build_snapshot, open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.postgresql_server import READER, execute, fetched, publish_tables, reader, running
from tests.services.gateway.peer_enclave import PLANTED_TEXT, fill

CATALOGUE = load_catalogue()
LIMITS = EngineLimits(256 * 1024**2, 1)
SEEN = ("patients", "diagnoses", "biometrics")
GRANT = Grant(AccessLevel.MICRODATA, dict.fromkeys(SEEN))
KEY = ProjectKey(bytes(range(100, 132)))
NOWHERE = Address("postgresql://127.0.0.1:1/postgres", READER, "p4ssw0rd")
OBJECTOR = 424_242_424  # a number that stands nowhere else


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with running() as address:
        yield address


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    directory = tmp_path_factory.mktemp("warehouse")
    with build_snapshot(directory, source="test", synthetic=True, public=False) as building:
        fill(building)
    return open_snapshot(directory, 1)


@pytest.fixture(scope="module")
def place(server: Address) -> Place:
    return Place(server, READER, partitioned_from=500)


@pytest.fixture(scope="module")
def published(snapshot: Snapshot, place: Place) -> Snapshot:
    assert publish(snapshot, CATALOGUE, place) is Outcome.PUBLISHED
    return snapshot


@pytest.fixture
def engine(published: Snapshot, server: Address) -> Iterator[Engine]:
    with opened(published, server) as made:
        yield made


@contextmanager
def opened(snapshot: Snapshot, server: Address, **changes: object) -> Iterator[Engine]:
    held = Postgresql(reader(server), snapshot.number, manifest_hash(snapshot.directory), 60.0)
    made = Engine(snapshot.database, LIMITS, replace(held, **changes))  # type: ignore[arg-type]
    yield made
    made.close()


def rows(engine: Engine, table: str = "diagnoses", stop: Stop | None = None) -> pa.Table:
    """As a project that sees rows reads one table."""
    with engine.session(stop or Stop(60)) as session:
        tables = visible_tables(CATALOGUE, GRANT)
        room = Room(CATALOGUE, GRANT, Objectors(patients=frozenset({OBJECTOR})), KEY)
        bound = furnish(session, room, [tables[table]])
        statement = compile_hardened(session.staged(bound[table].relation), session.aggregates)
        return session.fetch(statement.sql)


def sessions(server: Address) -> int:
    (found,) = fetched(server, f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{READER}'")
    return int(str(found[0]))


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def locked(server: Address) -> Iterator[None]:
    """While nobody can read diagnoses."""
    with postgresql.connect(server.uri({})) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE snapshot_1.diagnoses IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


def waiting(server: Address) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    return fetched(server, asked)[0][0] != 0


# --- the gateway's role ------------------------------------------------------------------------------------

WRITES = (
    "CREATE TABLE snapshot_1.mine (n INT)",
    "CREATE SCHEMA mine",
    "CREATE TABLE public.mine (n INT)",
    "INSERT INTO snapshot_1.objections SELECT * FROM snapshot_1.objections",
    "UPDATE snapshot_1.patients SET sex = 'F'",
    "DELETE FROM snapshot_1.objections",
    "DROP TABLE snapshot_1.snds_link",
    "COPY snapshot_1.centres TO PROGRAM 'cat'",
)


@pytest.mark.parametrize("statement", WRITES)
def test_the_gateways_role_can_only_read(published: Snapshot, server: Address, statement: str) -> None:
    with pytest.raises(postgresql.Error):
        execute(reader(server), statement)
    with postgresql.connect(server.uri({})) as connection, connection.cursor() as cursor:
        cursor.execute(statement)  # it is the role that keeps it from that
        connection.rollback()


def test_no_value_stands_in_what_the_server_notes(
    published: Snapshot, server: Address, engine: Engine
) -> None:
    """Whoever reads its log or its list of sessions learns no number of a person, and no key."""
    (data,) = fetched(server, "SELECT setting FROM pg_settings WHERE name = 'data_directory'")[0]
    log = Path(str(data)) / "log"
    execute(server, "ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()")
    assert until(lambda: rows(engine).num_rows > 0 and "snapshot_1" in log.read_text(errors="replace"))
    execute(server, "ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()")
    said = log.read_text(errors="replace")
    assert "objecting_patients" in said
    for secret in (str(OBJECTOR), KEY.secret.hex(), str(KEY.secret), PLANTED_TEXT):
        assert secret not in said


# --- errors, ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "expected"), [(StopReason.TIME, Refusal), (StopReason.CLIENT_GONE, Stopped)]
)
def test_a_stopped_question_ends_at_once_on_the_server(
    server: Address, engine: Engine, reason: StopReason, expected: type[Exception]
) -> None:
    stop, ended = Stop(60), []

    def ask() -> None:
        with pytest.raises((Refusal, Stopped)) as raised:
            rows(engine, stop=stop)
        ended.append(type(raised.value))

    with locked(server):
        thread = threading.Thread(target=ask)
        thread.start()
        assert until(lambda: waiting(server))
        stop.trip(reason)
        thread.join(20)
        assert ended == [expected]
        assert until(lambda: sessions(server) == 0)


def test_a_lost_connection_is_told_and_the_next_question_has_another(server: Address, engine: Engine) -> None:
    codes = []

    def ask() -> None:
        with pytest.raises(Refusal) as refused:
            rows(engine)
        codes.append(refused.value)

    with locked(server):
        thread = threading.Thread(target=ask)
        thread.start()
        assert until(lambda: waiting(server))
        execute(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{READER}'")
        thread.join(20)
    assert [error.code for error in codes] == [ErrorCode.WAREHOUSE_UNREACHABLE]
    assert codes[0].params == {} and codes[0].__cause__ is None
    assert rows(engine).num_rows > 1_000
    assert sessions(server) == 0


def test_nothing_is_left_on_either_side(server: Address, engine: Engine) -> None:
    rows(engine)
    engine.leave()  # or rows are kept for the next question
    with engine.session(Stop(10)) as session:
        found = session.fetch("SELECT database_name FROM duckdb_databases() WHERE NOT internal")
    assert found.column(0).to_pylist() == ["memory"]
    assert sessions(server) == 0


def test_too_much_for_the_memory_is_refused(server: Address) -> None:
    """In the gateway's memory, however much the server holds; the next question is answered."""
    numbers = np.random.default_rng(1).integers(2**62, size=3_000_000)
    publish_tables(server, 60, {"patients": pa.table({"n": numbers})})
    everybody = stored("patients", {"n": "int64"})
    little = Engine(
        Path("nowhere"), EngineLimits(16 * 1024**2, 1), Postgresql(reader(server), 60, "hand-made", 60.0)
    )
    with little.session(Stop(60)) as session, pytest.raises(Refusal) as refused:
        session.staged(everybody.filter(everybody["n"] > 0))
    assert refused.value.code is ErrorCode.OUT_OF_MEMORY
    with little.session(Stop(60)) as session:
        assert session.fetch("SELECT 1 AS n").num_rows == 1
        assert session.ask(everybody.agg(n=everybody.count())).column("n").to_pylist() == [3_000_000]
    little.close()


def test_more_rows_than_the_memory_are_shown_and_leaving_ends_the_query(server: Address) -> None:
    """In the project's order, which the server gives them, by a key that its log does not hold."""
    numbers = pa.array(range(600_000), pa.int64())
    publish_tables(server, 62, {"patients": pa.table({"patient_no": numbers, "text": ["x" * 40] * 600_000})})
    held = Postgresql(reader(server), 62, "hand-made", 60.0)
    engine = Engine(Path("nowhere"), EngineLimits(24 * 1024**2, 1), held)
    columns = {"patient_no": "int64", "text": "string"}
    people = temporary("people", columns)
    asked = people.mutate(text=people.text.upper())

    @contextmanager
    def shown() -> Iterator[Iterator[pa.RecordBatch]]:
        with engine.session(Stop(60)) as session:
            install(session, KEY)
            session.bind("people", "people", lambda: _in_own_order(stored("patients", columns)))
            yield _streamed(session, asked)

    with shown() as coming:
        first = next(coming)["patient_no"].to_pylist()
        assert sorted(first) != first and sessions(server) == 1
    assert until(lambda: sessions(server) == 0)
    with shown() as coming:
        found = pa.concat_arrays([batch["patient_no"] for batch in coming])
    assert found.slice(0, len(first)).to_pylist() == first and found.sort().equals(numbers)
    engine.close()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": 77}, ErrorCode.SNAPSHOT_MISSING),
        ({"manifest": "another"}, ErrorCode.SNAPSHOT_CORRUPT),
        ({"address": NOWHERE}, ErrorCode.WAREHOUSE_UNREACHABLE),
    ],
)  # fmt: skip
def test_what_is_not_there(
    published: Snapshot,
    server: Address,
    changes: dict[str, object],
    code: ErrorCode,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with opened(published, server, **changes) as engine, pytest.raises(Refusal) as refused:
        rows(engine)
    assert refused.value.code is code
    assert "p4ssw0rd" not in f"{refused.value!r} {refused.value.__context__!r} {caplog.text}"


def test_another_copy_is_refused_by_the_very_next_question(server: Address) -> None:
    """And nobody can put one there while a question is being answered."""
    ones = {"patients": pa.table({"n": pa.array([1], pa.int64())})}
    publish_tables(server, 61, ones)
    held = Postgresql(reader(server), 61, "hand-made", 60.0)
    engine = Engine(Path("nowhere"), LIMITS, held)
    everybody = stored("patients", {"n": "int64"})
    with engine.session(Stop(10)) as session:
        assert session.ask(everybody).num_rows == 1
        with pytest.raises(postgresql.Error, match="lock timeout"):
            execute(server, "SET lock_timeout = '200ms'", "DROP SCHEMA snapshot_61 CASCADE")
    execute(server, "DROP SCHEMA snapshot_61 CASCADE")
    publish_tables(server, 61, ones)
    execute(
        server,
        f"UPDATE snapshot_61.{PUBLISHED} SET description = replace(description, 'hand-made', 'another')",
    )
    with engine.session(Stop(10)) as session, pytest.raises(Refusal) as refused:
        session.ask(everybody)
    assert refused.value.code is ErrorCode.SNAPSHOT_CORRUPT
    engine.close()


# --- publishing --------------------------------------------------------------------------------------------


def test_publishing_again_changes_nothing(published: Snapshot, place: Place) -> None:
    assert publish(published, CATALOGUE, place) is Outcome.ALREADY


def test_a_large_dated_table_is_parted_by_year(published: Snapshot, server: Address) -> None:
    parts = fetched(
        server,
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'snapshot_1.diagnoses'::regclass",
    )
    assert {str(part) for (part,) in parts} == {
        f"snapshot_1.diagnoses_{year}" for year in ("2015", "2016", "other")
    }


class Killed(BaseException):
    pass


def test_what_is_stopped_half_way_leaves_nothing(snapshot: Snapshot, server: Address, place: Place) -> None:
    another = replace(snapshot, manifest=replace(snapshot.manifest, number=50))

    def kill(table: str, _: float) -> None:
        if table == "patients":
            raise Killed

    with pytest.raises(Killed):
        publish(another, CATALOGUE, place, kill)
    assert fetched(server, "SELECT to_regnamespace('snapshot_50') IS NULL") == [(True,)]
    assert publish(another, CATALOGUE, place) is Outcome.PUBLISHED
    unpublish(50, server)
    assert fetched(server, "SELECT to_regnamespace('snapshot_50') IS NULL") == [(True,)]


def test_two_at_once_publish_once(snapshot: Snapshot, server: Address, place: Place) -> None:
    another = replace(snapshot, manifest=replace(snapshot.manifest, number=51))
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(publish(another, CATALOGUE, place))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == [Outcome.ALREADY, Outcome.PUBLISHED]
    unpublish(51, server)


def test_a_copy_that_lacks_rows_is_not_published(snapshot: Snapshot, server: Address, place: Place) -> None:
    rows = {**snapshot.manifest.rows, "patients": snapshot.manifest.rows["patients"] + 1}
    another = replace(snapshot, manifest=replace(snapshot.manifest, number=52, rows=rows))
    with pytest.raises(WarehouseProblem, match="600 rows on the server, 601 by the manifest"):
        publish(another, CATALOGUE, place)
    assert fetched(server, "SELECT to_regnamespace('snapshot_52') IS NULL") == [(True,)]


def test_somebody_elses_schema_is_left_alone(snapshot: Snapshot, server: Address, place: Place) -> None:
    another = replace(snapshot, manifest=replace(snapshot.manifest, number=53))
    execute(server, "CREATE SCHEMA snapshot_53")
    with pytest.raises(WarehouseProblem, match="another snapshot_53"):
        publish(another, CATALOGUE, place)


def test_a_server_that_is_not_there(snapshot: Snapshot) -> None:
    with pytest.raises(WarehouseProblem, match="can't be reached") as problem:
        publish(snapshot, CATALOGUE, Place(NOWHERE, READER))
    assert "p4ssw0rd" not in f"{problem.value!r}{problem.value.__cause__!r}{NOWHERE!r}"


# --- addresses ---------------------------------------------------------------------------------------------


def test_over_a_network_the_server_proves_who_it_is() -> None:
    far = Address("postgresql://db.example.org/p4dp", "p4dp_gateway", "a/b@c").uri({"jit": "off"})
    assert far.startswith("postgresql://p4dp_gateway:a%2Fb%40c@db.example.org/p4dp?sslmode=verify-full")
    assert "sslmode" not in Address("postgresql:///p4dp?host=/run/postgresql", "p4dp_gateway").uri({})
    assert "a/b" not in repr(Address("postgresql:///p4dp", "p4dp_gateway", "a/b"))


def test_a_password_that_others_can_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(Part.READER.variable, raising=False)
    assert password(Part.READER, tmp_path) == ""
    file = tmp_path / Part.READER.file
    file.write_text("secret\n")
    file.chmod(0o640)
    with pytest.raises(WarehouseProblem, match="chmod 600"):
        password(Part.READER, tmp_path)
    file.chmod(0o600)
    assert password(Part.READER, tmp_path) == "secret"
    monkeypatch.setenv(Part.READER.variable, "of the environment")
    assert password(Part.READER, tmp_path) == "of the environment"


# --- the how-to --------------------------------------------------------------------------------------------


def test_the_how_to_leads_to_a_published_snapshot(
    snapshot: Snapshot, server: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its roles, its settings, its commands: on a server on which nothing was made for a test."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "engines.md").read_text(encoding="utf-8")
    (roles,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    execute(server, "CREATE DATABASE p4dp")
    there = replace(server, url=server.url.replace("/postgres?", "/p4dp?"))
    for statement in roles.replace("current_database", "p4dp").strip().removesuffix(";").split(";"):
        if READER not in statement or "CREATE ROLE" not in statement:  # made for the others here
            execute(there, statement)
    (tmp_path / "enclave.toml").write_text(f'[warehouse]\nengine = "postgresql"\naddress = "{there.url}"\n')
    (tmp_path / "warehouse").symlink_to(snapshot.directory.parent)
    monkeypatch.setenv("P4DP_HOME", str(tmp_path))
    for said in ("rows published", "published before"):
        done = CliRunner().invoke(main, ["warehouse", "publish", "1"])
        assert done.exit_code == 0 and said in done.output, done.output
    with opened(snapshot, there) as engine:
        assert rows(engine).num_rows > 1_000
    done = CliRunner().invoke(main, ["warehouse", "unpublish", "1", "--yes"])
    assert done.exit_code == 0, done.output
    assert fetched(there, "SELECT to_regnamespace('snapshot_1') IS NULL") == [(True,)]


def test_there_is_nowhere_to_publish_to_with_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["warehouse", "publish", "1"])
    assert done.exit_code == 2 and "warehouse.engine" in done.output
