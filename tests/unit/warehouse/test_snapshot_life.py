"""Snapshots compared, kept and purged; silent practices told; the newest of a population found."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub_config.cli import main
from hub_config.governance.actions import create_project
from hub_config.governance.charter import Charter
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.holding import held
from hub_config.governance.store import open_store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from hub_config.warehouse.activity import Reporting, reporting, sentence
from hub_config.warehouse.comparing import Change, compare
from hub_config.warehouse.manifest import REGISTERED
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.retention import Standing, Why, fates, purge
from hub_config.warehouse.rolling import last_closed, newest_of
from hub_config.warehouse.snapshot import Snapshot, SnapshotProblem, build_snapshot, snapshot_numbers

LAST = date(2020, 1, 31)


def make(home: Path, population: str = "region", patients: int = 5, centre: str = "C1") -> Snapshot:
    """Five patients of a centre; two practices, the second silent in January."""
    with build_snapshot(
        home / "warehouse", source="mapping one", synthetic=False, public=True, population=population,
        sources=["mapping one", "mapping two"],
    ) as building:  # fmt: skip
        run = building.connection.execute
        run(
            "INSERT INTO patients BY NAME SELECT n AS patient_no, n % 2 AS physician_no, ? AS centre_id, "
            "CASE WHEN n = 0 THEN 'possible_duplicate' END AS dq_code FROM range(?) t(n)",
            [centre, patients],
        )
        run(
            "INSERT INTO physicians BY NAME SELECT n AS physician_no, ? AS centre_id FROM range(2) t(n)",
            [centre],
        )
        run(
            "INSERT INTO exports BY NAME SELECT n AS physician_no, DATE '2018-01-01' AS first_event, "
            "CASE n WHEN 0 THEN DATE '2020-01-31' ELSE DATE '2019-11-30' END AS last_event FROM range(2) t(n)"
        )
        return building.finish(LAST, date(2018, 1, 1), LAST)


def command(home: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["warehouse", *words], env={"P4DP_HOME": str(home), "COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return result.output


# --- what a snapshot says of itself ------------------------------------------------------------------------


def test_a_manifest_names_population_sources_numbering_columns_and_quality(tmp_path: Path) -> None:
    manifest = make(tmp_path).manifest
    assert (manifest.followed, manifest.sources) == ("region", ("mapping one", "mapping two"))
    assert manifest.numbering == REGISTERED
    assert manifest.quality["possible_duplicate"] == 1
    assert "death_source" in manifest.columns["patients"]


def test_silent_practices_are_counted_by_centre(tmp_path: Path) -> None:
    snapshot = make(tmp_path)
    assert reporting(snapshot) == [Reporting("C1", expected=2, silent=1, changing=0)]
    assert reporting(snapshot, date(2019, 6, 1)) == [Reporting("C1", 2, 0, 0)]
    assert sentence(snapshot) == "Practices in 2020-01: 2 awaited, 1 silent (C1 1)."
    assert "1 silent (C1 1)" in command(tmp_path, "check")


# --- the newest of a population ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "closed"),
    [("2021-02-14", "2021-01-31"), ("2021-02-28", "2021-02-28"), ("2020-02-28", "2020-01-31"),
     ("2020-02-29", "2020-02-29"), ("2021-01-01", "2020-12-31"), ("2020-12-31", "2020-12-31")],
)  # fmt: skip
def test_a_month_is_closed_with_its_last_day(last: str, closed: str) -> None:
    assert last_closed(date.fromisoformat(last)) == date.fromisoformat(closed)


def test_the_newest_is_of_the_population_and_usable(tmp_path: Path) -> None:
    for population in ("region", "region", "elsewhere"):
        make(tmp_path, population)
    warehouse = tmp_path / "warehouse"
    assert newest_of(warehouse, "region").number == 2
    (warehouse / "2" / "manifest.json").unlink()
    assert newest_of(warehouse, "region").number == 1
    with pytest.raises(SnapshotProblem, match="nowhere"):
        newest_of(warehouse, "nowhere")


# --- comparing ---------------------------------------------------------------------------------------------


def test_two_snapshots_are_compared_by_people_rows_quality_centres_and_schema(tmp_path: Path) -> None:
    found = compare(make(tmp_path), make(tmp_path, patients=8, centre="C2"))
    assert Change("patients", 5, 8) in found.people
    assert Change("patients", 5, 8) in found.tables
    assert found.centres == (Change("C1", 5, None), Change("C2", None, 8))
    assert Change("possible_duplicate", 1, 1) in found.quality
    assert (found.schema, found.same_people) == ((), True)
    assert (Change("x", 4, 5).share, Change("x", 0, 5).share, Change("x", None, 5).by) == (0.25, None, 5)


def test_the_comparison_is_shown_and_written(tmp_path: Path) -> None:
    make(tmp_path)
    make(tmp_path, patients=8)
    shown = command(tmp_path, "snapshot", "compare", "1", "2", "--output", str(tmp_path / "c.json"))
    assert "+60.0" in shown
    written = json.loads((tmp_path / "c.json").read_text())
    assert written["people"][0] == {"name": "patients", "before": 5, "after": 8}
    assert written["after"]["population"] == "region"
    command(tmp_path, "snapshot", "compare", "1", "2", "--output", str(tmp_path / "c.html"))
    assert (tmp_path / "c.html").stat().st_mode & 0o777 == 0o600  # small numbers are in it
    page = (tmp_path / "c.html").read_text()
    cells = ("5", "8", "+3", "+60,0\N{NO-BREAK SPACE}%")
    counts = "".join(f'<td class="n">{cell}</td>' for cell in cells)
    assert f"<td>Patients</td>{counts}" in page
    assert page.count("data:image/png;base64,") >= 2 and "http" not in page


@pytest.mark.parametrize("words", [("1", "7"), ("1", "1", "--output", "c.csv")])
def test_a_bad_comparison_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    make(tmp_path)
    command(tmp_path, "snapshot", "compare", *words, code=2)


# --- keeping and purging -----------------------------------------------------------------------------------


def told(*numbers: Any, keep: int = 1, **held: Any) -> dict[int, tuple[Why, ...]]:
    snapshots = [Standing(number, population) for number, population in numbers]
    known = {"pinned": {}, "signed": (), "ran": ()} | held
    return {fate.number: fate.stays for fate in fates(snapshots, keep=keep, **known)}


def test_the_newest_of_each_population_stay() -> None:
    six = [(1, "a"), (2, "b"), (3, "a"), (4, "a"), (5, "b"), (6, "a")]
    assert [n for n, why in told(*six, keep=1).items() if why] == [6, 5]
    assert [n for n, why in told(*six, keep=2).items() if why] == [6, 5, 4, 2]
    assert told(*six)[6] == (Why.NEWEST, Why.RECENT)
    assert [n for n, why in told(*six, keep=0).items() if why] == [6, 5]  # never the newest


def test_what_something_stands_on_stays() -> None:
    four = [(n, "a") for n in range(1, 6)]
    found = told(*four, pinned={1: ("these",)}, signed={2, 9}, ran={2, 3})
    assert found == {
        5: (Why.NEWEST, Why.RECENT),
        4: (),
        3: (Why.RAN,),
        2: (Why.SIGNED, Why.RAN),
        1: (Why.PINNED,),
    }


def test_a_purge_is_told_first_and_takes_what_nobody_stands_on(tmp_path: Path) -> None:
    for _ in range(4):
        make(tmp_path)
    warehouse = tmp_path / "warehouse"
    store = open_store(Settings(home=tmp_path))
    pinned = Charter(
        "these-un", "Une", "…", 2, Grant(AccessLevel.AGGREGATE, {"patients": None}, legal_basis="x")
    )
    with store.change() as session:
        create_project(session, pinned, terms=Terms(SnapshotTerms(2, False)), audit=store.recorder("admin"))
    with store.session() as session:
        assert held(session).pinned == {2: ("these-un",)}
    store.close()
    assert "2 would be removed" in command(tmp_path, "snapshot", "purge", "--keep", "1")
    assert snapshot_numbers(warehouse) == [1, 2, 3, 4]
    assert "pinned (these-un)" in command(tmp_path, "snapshot", "purge", "--keep", "1", "--yes")
    assert snapshot_numbers(warehouse) == [2, 4]
    assert "Nothing to purge" in command(tmp_path, "snapshot", "purge", "--keep", "1", "--yes")
    assert make(tmp_path).number == 5  # a number is never given twice


def test_what_stays_can_not_be_purged_and_a_killed_purge_is_finished(tmp_path: Path) -> None:
    first, second = make(tmp_path), make(tmp_path)
    warehouse = tmp_path / "warehouse"
    gone, stays = sorted(
        fates([Standing(1, "a"), Standing(2, "a")], keep=1, pinned={}, signed=(), ran=()),
        key=lambda fate: fate.number,
    )
    with pytest.raises(WarehouseProblem, match="stays"):
        purge(warehouse, stays)
    assert second.directory.is_dir()
    (warehouse / "1").rename(warehouse / ".purged-1")  # killed after the rename
    assert snapshot_numbers(warehouse) == [2]
    purge(warehouse, gone)
    assert not first.directory.exists()
    assert not list(warehouse.glob(".purged-*"))


def test_a_project_on_the_rolling_version_is_made_shown_and_amended(tmp_path: Path) -> None:
    make(tmp_path)
    make(tmp_path, "elsewhere")
    options = [
        "--title",
        "T",
        "--purpose",
        "P",
        "--access",
        "aggregate",
        "--table",
        "patients",
        "--legal-basis",
        "x",
    ]

    def project(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(
            main, ["project", *words], env={"P4DP_HOME": str(tmp_path), "COLUMNS": "200"}
        )
        assert result.exit_code == code, result.output
        return result.output

    assert "rolling (elsewhere)" in project("create", "suivi-un", "--snapshot", "rolling", *options)
    assert "rolling (region)" in project("create", "suivi-deux", "--snapshot", "rolling:region", *options)
    assert "rolling (region)" in project("amend", "suivi-deux")
    assert "rolling" not in project("amend", "suivi-deux", "--snapshot", "1")
    assert "no number" in project("amend", "suivi-deux", "--snapshot", "sliding", code=2)
    project("create", "suivi-trois", "--snapshot", "rolling:nowhere", *options, code=2)
