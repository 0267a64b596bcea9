"""A snapshot is made whole or not at all, and a damaged one is named instead of read."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from hub_config.warehouse import snapshot as snapshots
from hub_config.warehouse.manifest import read_manifest, write_manifest
from hub_config.warehouse.snapshot import (
    Building,
    ProblemKind,
    Snapshot,
    SnapshotProblem,
    build_snapshot,
    check_snapshot,
    list_snapshots,
    open_snapshot,
    snapshot_numbers,
)
from p4dp_sdk.catalogue.load import load_catalogue

Build = Callable[..., Snapshot]
ROOT = Path(__file__).parents[3]

CHILD = """
import sys, time
from datetime import date
from pathlib import Path
from hub_config.warehouse import snapshot
from hub_config.warehouse.snapshot import build_snapshot

def wait(*_):
    print("ready", flush=True)
    time.sleep(60)

directory, stage = Path(sys.argv[1]), sys.argv[2]
if stage == "before the rename":
    snapshot.move_into_place = wait
with build_snapshot(directory, source="child", synthetic=True, public=False) as building:
    building.connection.execute("INSERT INTO patients BY NAME SELECT n AS patient_no FROM range(1000) t(n)")
    if stage == "while filling":
        wait()
    building.finish(date(2020, 1, 1), date(2000, 1, 1), date(2020, 1, 1))
"""


def start_child(warehouse: Path, stage: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(warehouse), stage], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def wait_until_ready(child: subprocess.Popen[str]) -> None:
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"


def leftovers(warehouse: Path) -> list[Path]:
    return list(warehouse.glob(".building-*"))


def end(child: subprocess.Popen[str]) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def test_every_catalogue_table_is_there_under_its_physical_names(build: Build) -> None:
    snapshot = build()
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        for table in load_catalogue().tables.values():
            names = [row[0] for row in connection.execute(f"DESCRIBE {table.name}").fetchall()]
            assert names == [column.stored_as for column in table.columns]


def test_the_manifest_says_what_was_built(build: Build) -> None:
    snapshot = build()
    assert snapshot == open_snapshot(snapshot.directory.parent, 1)
    manifest = snapshot.manifest
    assert (manifest.number, manifest.patients, manifest.rows["patients"], manifest.rows["diagnoses"]) == (
        1,
        5,
        5,
        0,
    )
    assert (manifest.reference_date, manifest.synthetic, manifest.public) == (date(2020, 1, 1), True, False)
    tables = (f"tables/{name}.parquet" for name in manifest.rows)
    assert set(manifest.sha256) == {"warehouse.duckdb", "quality.json", "quality.parquet", *tables}
    check_snapshot(snapshot)


def test_person_tables_are_clustered_by_patient_in_both_forms(build: Build) -> None:
    def backwards(building: Building) -> None:
        building.connection.execute(
            "INSERT INTO diagnoses BY NAME "
            "SELECT 99 - n // 2 AS patient_no, DATE '2001-01-01' - n::int AS date FROM range(200) t(n)"
        )

    snapshot = build(backwards)
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        parquet = f"read_parquet('{snapshot.directory}/tables/diagnoses.parquet')"
        for relation in ("diagnoses", parquet):
            rows = connection.execute(f"SELECT patient_no, date FROM {relation}").fetchall()
            assert len(rows) == 200
            assert rows == sorted(rows)


def test_a_row_of_a_person_table_without_a_patient_is_refused(build: Build, tmp_path: Path) -> None:
    def orphan(building: Building) -> None:
        building.connection.execute("INSERT INTO diagnoses BY NAME SELECT DATE '2001-01-01' AS date")

    with pytest.raises(ValueError, match=r"'diagnoses': 1 rows have no patient"):
        build(orphan)
    assert snapshot_numbers(tmp_path / "warehouse") == []


def test_a_failed_build_leaves_nothing(build: Build, tmp_path: Path) -> None:
    def failing(_: Building) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(failing)
    assert [path.name for path in (tmp_path / "warehouse").iterdir()] == [".lock"]


def test_a_build_that_forgets_to_finish_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="without finish"),
        build_snapshot(tmp_path, source="test", synthetic=True, public=False),
    ):
        pass
    assert snapshot_numbers(tmp_path) == []


@pytest.mark.parametrize("stage", ["while filling", "before the rename"])
def test_a_kill_leaves_no_half_snapshot_and_the_next_build_cleans_up(
    build: Build, tmp_path: Path, stage: str
) -> None:
    warehouse = tmp_path / "warehouse"
    child = start_child(warehouse, stage)
    wait_until_ready(child)
    end(child)
    assert len(leftovers(warehouse)) == 1
    assert snapshot_numbers(warehouse) == []
    made = build()
    assert leftovers(warehouse) == []
    assert list_snapshots(warehouse) == [made]


def test_a_build_under_way_elsewhere_is_not_cleaned_up(build: Build, tmp_path: Path) -> None:
    child = start_child(tmp_path / "warehouse", "while filling")
    try:
        wait_until_ready(child)
        build()
        assert len(leftovers(tmp_path / "warehouse")) == 1
    finally:
        end(child)


def test_builds_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    children = [start_child(tmp_path, "to the end") for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    for child in children:
        assert child.stdout is not None
        child.stdout.close()
    assert [snapshot.number for snapshot in list_snapshots(tmp_path)] == [1, 2, 3]
    for snapshot in list_snapshots(tmp_path):
        check_snapshot(snapshot)


def test_the_number_of_a_removed_snapshot_is_not_given_again(build: Build) -> None:
    build()
    second = build()
    second.directory.rename(second.directory.parent / "removed")
    assert build().number == 3


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        duckdb.IOException("write: No space left on device"),
        duckdb.OutOfMemoryException("raise 'max_temp_directory_size'"),
    ],
)
def test_a_full_disk_is_said_and_leaves_nothing(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(_: Path) -> None:
        raise error

    monkeypatch.setattr(snapshots, "sync_tree", full)
    with pytest.raises(SnapshotProblem, match="disk is full") as problem:
        build()
    assert problem.value.kind is ProblemKind.DISK_FULL
    assert [path.name for path in (tmp_path / "warehouse").iterdir()] == [".lock"]


def test_a_missing_snapshot_says_which_there_are(build: Build, tmp_path: Path) -> None:
    build()
    with pytest.raises(SnapshotProblem, match=r"no snapshot 7 \(there are: 1\)") as problem:
        open_snapshot(tmp_path / "warehouse", 7)
    assert problem.value.kind is ProblemKind.MISSING


def truncate_database(directory: Path) -> None:
    os.truncate(directory / "warehouse.duckdb", 4096)


def remove_parquet(directory: Path) -> None:
    (directory / "tables" / "patients.parquet").unlink()


def cut_manifest(directory: Path) -> None:
    rewrite(directory, lambda text: text[: len(text) // 2])


def edit_manifest(directory: Path) -> None:
    rewrite(directory, lambda text: text.replace('"patients": 5', '"patients": 6'))


def empty_manifest(directory: Path) -> None:
    rewrite(directory, lambda _: "[]")


def not_text(directory: Path) -> None:
    rewrite(directory, lambda _: "")
    (directory / "manifest.json").write_bytes(b"\xff\xfe")


def remove_manifest(directory: Path) -> None:
    (directory / "manifest.json").unlink()


def other_number(directory: Path) -> None:
    rewrite(directory, lambda text: write_manifest(replace(read_manifest(text), number=12)))


def other_format(directory: Path) -> None:
    rewrite(directory, lambda text: write_manifest(replace(read_manifest(text), format=2)))


def rewrite(directory: Path, change: Callable[[str], str]) -> None:
    path = directory / "manifest.json"
    text = path.read_text()
    path.chmod(0o600)
    path.write_text(change(text))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncate_database, "missing or of another size: warehouse.duckdb"),
        (remove_parquet, "missing or of another size: tables/patients.parquet"),
        (cut_manifest, "not valid JSON"),
        (edit_manifest, "does not match its own checksum"),
        (empty_manifest, "does not match its own checksum"),
        (not_text, "not text"),
        (remove_manifest, "no manifest"),
        (other_number, "that of snapshot 12"),
        (other_format, "another format"),
    ],
)
def test_a_damaged_snapshot_is_refused_and_the_others_stay_usable(
    build: Build, damage: Callable[[Path], None], said: str
) -> None:
    first, second = build(), build()
    (first.directory / "warehouse.duckdb").chmod(0o600)
    damage(first.directory)
    with pytest.raises(SnapshotProblem, match=said) as problem:
        open_snapshot(first.directory.parent, 1)
    assert problem.value.kind is ProblemKind.CORRUPT
    assert "backup" in problem.value.message
    assert list_snapshots(first.directory.parent) == [second]


def test_one_changed_byte_passes_the_cheap_check_and_fails_the_thorough_one(build: Build) -> None:
    snapshot = build()
    path = snapshot.directory / "tables" / "patients.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    assert open_snapshot(snapshot.directory.parent, 1) == snapshot
    with pytest.raises(SnapshotProblem, match=r"changed since it was built: tables/patients.parquet"):
        check_snapshot(snapshot)


def test_the_thorough_check_counts_rows(build: Build) -> None:
    snapshot = build()
    more = {**snapshot.manifest.rows, "patients": 6}
    with pytest.raises(SnapshotProblem, match="other row counts than in its manifest: patients"):
        check_snapshot(replace(snapshot, manifest=replace(snapshot.manifest, rows=more)))
