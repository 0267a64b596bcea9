"""A load's memory is bounded: batches by rows and by bytes, DuckDB by its limit. What is spilled holds no
text of a source, and a kill leaves nothing of it for long."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

import hub_config.warehouse.landing.apply as apply
import hub_config.warehouse.landing.freeze as freeze
import hub_config.warehouse.landing.memory as memory
import hub_config.warehouse.landing.store as store
import hub_config.warehouse.loader.facts as facts
import hub_config.warehouse.loader.readers.nested as nested
import hub_config.warehouse.loader.staging as staging
from hub_config.warehouse.budget import Budget
from hub_config.warehouse.landing.layout import fact_tables
from hub_config.warehouse.landing.store import Landing, connected
from hub_config.warehouse.loader.gathering import Gathered
from hub_config.warehouse.loader.mapping import SourceFile
from hub_config.warehouse.loader.readers import open_rows
from hub_config.warehouse.loader.staging import Staging, TooWide
from p4dp_sdk.catalogue.load import load_catalogue
from tests.unit.warehouse.conftest import RESULTS, Vendor

PLANTED = "ZQXDURAND"
ROWS = 60_000  # of 400 bytes: more than the memory these tests leave


def test_a_connection_keeps_to_its_memory_and_one_thread(tmp_path: Path) -> None:
    with connected(tmp_path / "a.duckdb", tmp_path / "tmp") as connection:
        query = "SELECT name, value FROM duckdb_settings()"
        settings = dict(connection.execute(query).fetchall())
    assert settings["memory_limit"] == "122.0 MiB"  # of 128 MB
    assert settings["threads"] == "1"
    assert settings["temp_directory"] == str(tmp_path / "tmp")


def test_every_connection_of_a_load_and_of_its_snapshot_has_a_budget(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB takes four fifths of the machine where nobody says how much."""
    connect, given = duckdb.connect, []

    def noted(*said: Any, **also: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*said, **also)
        given.append(connection.execute("SELECT current_setting('memory_limit')").fetchone())
        return connection

    monkeypatch.setattr(duckdb, "connect", noted)
    assert vendor.load().fresh  # its only centre is small and merged: the database is copied, too
    assert len(given) > 5
    assert set(given) == {limit(store.LANDING), limit(freeze.FREEZING)}


def limit(budget: Budget) -> tuple[str]:
    """As DuckDB tells it."""
    with duckdb.connect(config=budget.config()) as connection:
        row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    assert row is not None
    return row


KILLED = """
import os, signal, sys
from pathlib import Path
from hub_config.warehouse.landing.store import connected
connection = connected(Path(sys.argv[1]), Path(sys.argv[2]))
connection.execute("SET memory_limit = '20MB'")
rows = "SELECT md5(i::VARCHAR) || sha256(i::VARCHAR) FROM range(400000) t(i)"
connection.execute(f"CREATE TEMP TABLE t AS {rows}")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_load_spilled_goes_with_the_next_one(tmp_path: Path) -> None:
    landing = Landing.of(tmp_path, "vendor")
    spill = landing.directory / "tmp"
    with landing.held("a load"):
        command = [sys.executable, "-c", KILLED, str(landing.database), str(spill)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert sum(path.stat().st_size for path in spill.iterdir()) > 1_000_000
        assert landing.directory.stat().st_mode & 0o077 == 0  # nobody else's
        with landing.changing(load_catalogue()):
            assert not spill.exists()


class _SeenEnough(Exception):
    pass


def wide(vendor: Vendor) -> None:
    """Results of nobody, with names as long as a page."""
    name = f"{PLANTED}{'x' * 380}"
    lines = (f"{name}{number},0,chol,5.25" for number in range(ROWS))
    vendor.write("results.csv", RESULTS.splitlines()[0] + "\n" + "\n".join(lines) + "\n")


def spilled(vendor: Vendor) -> bytes:
    loads = vendor.home / "landing"
    return b"".join(path.read_bytes() for path in loads.rglob("tmp/*"))


def short_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LANDING", replace(store.LANDING, memory="20MB"))
    monkeypatch.setattr(staging, "READING", replace(staging.READING, memory="20MB"))
    monkeypatch.setattr(staging, "BATCH_BYTES", 1 << 30)


def test_text_is_refused_before_it_is_spilled(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    wide(vendor)
    short_of_memory(monkeypatch)
    with pytest.raises(TooWide, match="A batch of rows needs more memory"):
        vendor.land()
    written = (path for path in vendor.home.rglob("*") if path.is_file())
    assert [path for path in written if PLANTED.encode() in path.read_bytes()] == []


def test_without_that_it_would_be(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    wide(vendor)
    short_of_memory(monkeypatch)
    seen, judge = [b""], Staging.judge

    def judged(self: Staging, *said: Any) -> None:
        seen.append(spilled(vendor))
        if seen[-1]:
            raise _SeenEnough
        judge(self, *said)

    monkeypatch.setattr(Staging, "_nothing_spilled", lambda _: nullcontext())
    monkeypatch.setattr(Staging, "judge", judged)
    with pytest.raises(_SeenEnough):
        vendor.land()
    assert PLANTED.encode() in seen[-1]


def test_batches_are_cut_by_their_bytes_too(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    take = Staging.take

    def counted(self: Staging, name: str, gathered: Sequence[Gathered], judge: Any) -> Mapping[int, int]:
        taken.append(sum(each.batch.num_rows for each in gathered if each.batch is not None))
        return take(self, name, gathered, judge)

    monkeypatch.setattr(Staging, "take", counted)
    monkeypatch.setattr(staging, "BATCH_BYTES", 1)
    vendor.write("results-2.csv", f"{RESULTS}\n")  # other bytes, same rows
    landed = vendor.land(vendor.mapping.replace('"results.csv"', '"results*.csv"'))
    assert landed.changes["lab_results"].added > 0
    assert len([rows for rows in taken if rows]) == 4  # people, results twice, events: each alone


def test_what_a_batch_read_of_the_database_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "KEPT", "8MB")
    with connected(tmp_path / "a.duckdb", tmp_path / "tmp") as connection:
        connection.execute("CREATE TABLE t AS SELECT hash(i) AS n FROM range(3_000_000) r(i)")
        connection.execute("CHECKPOINT")
        connection.execute("SELECT sum(n) FROM t").fetchall()
        assert held(connection) > 20_000_000
        nothing: Any = None
        Staging(connection, nothing, nothing, nothing, nothing, nothing).end_batch()
        assert held(connection) <= 8_000_000
        now = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    assert now == limit(staging.READING)


def test_a_checkpoint_takes_no_more_than_a_batch_does(tmp_path: Path) -> None:
    """DuckDB joins small row groups when it writes them, all of them at once."""
    columns = ", ".join(f"hash(i, {column}, ?) AS c{column}" for column in range(8))
    with connected(tmp_path / "a.duckdb", tmp_path / "tmp") as connection:
        nothing: Any = None
        Staging(connection, nothing, nothing, nothing, nothing, nothing).prepare()
        connection.execute("SET memory_limit = '64MB'")
        connection.execute("SET max_temp_directory_size = '0KiB'")
        batch = f"SELECT {columns} FROM range(61_000) r(i)"
        connection.execute(f"CREATE TABLE t AS {batch} LIMIT 0", [0] * 8)
        for number in range(10):
            connection.execute(f"INSERT INTO t {batch}", [number] * 8)
        connection.execute("CHECKPOINT")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (610_000,)


RELEASED = """
import re
from pathlib import Path
from hub_config.warehouse.landing.memory import release
def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
before = anonymous()
rows = [b"x" * (2_000 + each % 7) for each in range(50_000)]
last = rows[-1]
del rows
print(anonymous() - before)
release()
print(anonymous() - before)
"""


def test_what_was_freed_below_what_is_in_use_goes_back_to_the_system() -> None:
    run = subprocess.run([sys.executable, "-c", RELEASED], check=True, capture_output=True, text=True)
    held_on_to, after = map(int, run.stdout.split())
    assert held_on_to > 50_000  # of 100,000 kB: else the system's allocator needs no telling
    assert after < held_on_to / 4


def test_every_table_begins_without_what_the_one_before_it_held(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    for room in (apply, freeze, facts):
        monkeypatch.setattr(room, "give_back", lambda *_, name=room.__name__: begun.append(name))
    person = 'file = "results"\nperson = "id"'
    vendor.load(vendor.mapping.replace(person, f'{person}\nkey = ["id", "day", "test"]'))
    tables = len(list(fact_tables(load_catalogue())))
    assert begun.count(freeze.__name__) > tables
    assert begun.count(apply.__name__) == 1 + 2  # at its start, and after each table that there are rows of
    assert begun.count(facts.__name__) == 1  # after the only table whose records have keys


def held(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
    return int(row[0]) if row else 0


def test_rows_are_passed_on_by_their_bytes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = "".join(f'<r id="{number}">{"x" * 100}</r>' for number in range(1000))
    (tmp_path / "a.xml").write_text(f"<all>{records}{' ' * (3 << 20)}{records}</all>")
    monkeypatch.setattr(nested, "HELD", 50_000)
    file = SourceFile(path="a.xml", format="xml", record="all/r")
    with open_rows(tmp_path, file, {"@id": "", ".": ""}) as rows:
        sizes = [batch.num_rows for batch in rows.batches]
    assert sizes[0] == 1000
    assert sum(sizes) == 2000
