"""The next snapshot is made without who objected: typed commands, from the objection to the files' bytes."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from hub_config.cli import main
from hub_config.governance.facts import Objectors
from hub_config.governance.objections.actions import add_objection
from hub_config.governance.objections.facts import ObjectionScope
from hub_config.governance.objections.leaving_out import handed, objectors_on_record
from hub_config.governance.store import open_store
from hub_config.settings import Settings, load_settings
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.purging import Objector
from hub_config.warehouse.snapshot import Snapshot, check_snapshot, list_snapshots

SYNTHESISE = ["warehouse", "synthesise", "--preset", "A", "--scale", "0.005"]
FUTURE_FROM = date(2015, 6, 15)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("P4DP_HOME", str(tmp_path / "home"))
    for name in ("P4DP_CONFIG", "P4DP_PORT", "P4DP_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return load_settings()


def synthesised(home: Settings) -> Snapshot:
    made = CliRunner().invoke(main, SYNTHESISE)
    assert made.exit_code == 0, made.output
    return list_snapshots(home.warehouse_dir)[-1]


def object_to(home: Settings, numbering: str, **said: object) -> None:
    with closing(open_store(home)) as store, store.change() as session:
        add_objection(session, numbering=numbering, on=FUTURE_FROM, audit=store.recorder("dora"), **said)  # type: ignore[arg-type]


def rows_of(snapshot: Snapshot, condition: str) -> dict[str, int]:
    """Rows of patients for whom `condition` holds, by table; those there are."""
    with closing(duckdb.connect(str(snapshot.database), read_only=True)) as connection:
        tables = connection.execute(
            "SELECT table_name FROM duckdb_columns() WHERE column_name = 'patient_no'"
            " AND table_name <> 'objections'"
        ).fetchall()
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()
            for (table,) in tables
        }
    return {table: row[0] for table, row in counts.items() if row and row[0]}


def test_the_next_snapshot_holds_no_row_of_who_objected(home: Settings) -> None:
    first = synthesised(home)
    numbering = first.manifest.numbering
    object_to(home, numbering, patient_no=42)
    object_to(home, numbering, physician_no=0)
    object_to(home, numbering, patient_no=50, scope=ObjectionScope.FUTURE)
    object_to(home, "registered", patient_no=60)
    second = synthesised(home)
    gone = "patient_no = 42 OR physician_no = 0"
    assert len(rows_of(first, gone)) > 8 and rows_of(second, gone) == {}
    assert rows_of(second, "patient_no = 60") == rows_of(first, "patient_no = 60"), "of another numbering"
    later = f"patient_no = 50 AND date > DATE '{FUTURE_FROM}'"
    with closing(duckdb.connect(str(second.database), read_only=True)) as connection:
        assert connection.execute(f"SELECT count(*) FROM consultations WHERE {later}").fetchall() == [(0,)]
        assert connection.execute(
            "SELECT DISTINCT max(end_date) <= ? FROM observation_periods WHERE patient_no = 50", [FUTURE_FROM]
        ).fetchall() == [(True,)]
        kept = connection.execute(
            "SELECT count(*) FROM objections WHERE patient_no = 42 OR physician_no = 0"
        ).fetchall()
        assert kept == [(2,)]
    check_snapshot(second)
    assert second.manifest.patients < first.manifest.patients


def test_the_older_snapshot_is_as_it_was_and_still_honours_them(home: Settings) -> None:
    """A snapshot never changes: there, questions leave objectors out."""
    first = synthesised(home)
    object_to(home, first.manifest.numbering, patient_no=42)
    check_snapshot(first)
    assert rows_of(first, "patient_no = 42")
    assert objectors_on_record(home, first.manifest.numbering) == (Objector(Kind.PATIENT, 42),)


def test_before_governance_is_founded_nobody_objected(home: Settings) -> None:
    assert objectors_on_record(home, "preset A") == ()
    assert not (home.home / "governance.db").exists()


def test_numbers_are_handed_over_with_their_day() -> None:
    day = date(2020, 1, 1)
    found = Objectors(frozenset({2, 1}), frozenset({3}), {4: day}, {5: day})
    assert handed(found) == (
        Objector(Kind.PATIENT, 1),
        Objector(Kind.PATIENT, 2),
        Objector(Kind.PHYSICIAN, 3),
        Objector(Kind.PATIENT, 4, day),
        Objector(Kind.PHYSICIAN, 5, day),
    )
