"""What is counted of a snapshot, what moved since the last one, and what an operator reads of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub_config.cli import main
from hub_config.warehouse.quality.compare import Move, Tolerance, What, moves, together
from hub_config.warehouse.quality.profile import (
    CELLS,
    FILE,
    Counts,
    NoProfile,
    Profile,
    TableProfile,
    read_profile,
)
from hub_config.warehouse.quality.words import told
from hub_config.warehouse.snapshot import Building, Snapshot, build_snapshot, check_snapshot

Make = Callable[..., Snapshot]


def fill(building: Building, heights: int = 0) -> None:
    """30 patients in two centres, a weight each in March or April 2020, and `heights` in metres."""
    run = building.connection.execute
    run(
        "INSERT INTO patients BY NAME SELECT n AS patient_no, n % 2 AS physician_no, "
        "['CLF', 'GRE'][n % 2 + 1] AS centre_id, 'F' AS sex, DATE '1970-06-01' AS birth_month, "
        "'ok' AS dq_code, CASE WHEN n = 3 THEN DATE '2020-01-01' END AS death_month FROM range(30) t(n)"
    )
    whose = "SELECT patient_no, physician_no, centre_id, "
    run(
        f"INSERT INTO biometrics BY NAME {whose} make_date(2020, 3 + patient_no // 15, 2) AS date, "
        "'weight' AS measure, 70 + patient_no AS value, 'kg' AS unit, 'kg' AS unit_raw, "
        "CAST(70 + patient_no AS VARCHAR) AS value_raw, 'ok' AS dq_code FROM patients"
    )
    run(
        f"INSERT INTO biometrics BY NAME {whose} DATE '2020-03-02' AS date, 'height' AS measure, "
        f"1.6 AS value, 'cm' AS unit, '1.6' AS value_raw, 'ok' AS dq_code FROM patients "
        f"WHERE patient_no < {heights}"
    )
    run(
        f"INSERT INTO diagnoses BY NAME {whose} DATE '2020-01-01' AS date, "
        "CASE WHEN patient_no = 0 THEN 'A10BA02' ELSE 'K86' END AS cisp2 FROM patients"
    )
    run(f"INSERT INTO consultations BY NAME {whose} DATE '2020-02-02' AS date FROM patients")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def one(**more: int) -> Snapshot:
        with build_snapshot(tmp_path / "warehouse", source="test", synthetic=True, public=False) as building:
            fill(building, **more)
            return building.finish(date(2020, 12, 31), date(2000, 1, 1), date(2020, 12, 31))

    return one


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        environment = {"P4DP_HOME": str(tmp_path), "COLUMNS": "160"}
        return CliRunner().invoke(main, ["warehouse", "check", *arguments], env=environment)

    return run


def test_a_snapshot_counts_its_rows_columns_and_rules(make: Make) -> None:
    snapshot = make(heights=4)
    assert {FILE, CELLS} <= snapshot.manifest.sha256.keys()
    check_snapshot(snapshot)
    biometrics = read_profile(snapshot.directory).tables["biometrics"]
    assert biometrics.all.rows == 34
    assert biometrics.all.rules["height_in_metres"] == 4
    assert biometrics.all.filled["unit_raw"] == 30
    assert {month: each.rows for month, each in biometrics.months.items()} == {"2020-03": 19, "2020-04": 15}
    assert {centre: each.rows for centre, each in biometrics.centres.items()} == {"CLF": 17, "GRE": 17}


def test_rules_that_no_row_bears_are_counted_too(make: Make) -> None:
    tables = read_profile(make().directory).tables
    assert tables["diagnoses"].all.rules == {"first_of_january": 30, "code_without_system": 1}
    assert tables["consultations"].all.rules == {"event_after_death": 1}


def test_twins_are_counted_and_never_named(tmp_path: Path) -> None:
    """Patients 0 and 1 have the same four results under two GPs; 2 the same results but another month of
    birth; 4 the same person and GP."""
    with build_snapshot(tmp_path, source="test", synthetic=True, public=False) as building:
        fill(building)
        run = building.connection.execute
        run("UPDATE patients SET birth_month = DATE '1971-01-01' WHERE patient_no IN (2, 3)")
        run(
            "INSERT INTO lab_results BY NAME SELECT patient_no, physician_no, "
            "DATE '2020-05-05' + CAST(i AS INTEGER) AS date, 'glucose' AS analyte, "
            "5 AS value, '5.' || i AS value_raw, 'ok' AS dq_code "
            "FROM patients, range(4) t(i) WHERE patient_no IN (0, 1, 2)"
        )
        run(
            "INSERT INTO lab_results BY NAME SELECT 6 AS patient_no, 0 AS physician_no, "
            "DATE '2020-05-05' AS date, 'glucose' AS analyte, 5 AS value, '5.0' AS value_raw, 'ok' AS dq_code"
        )
        snapshot = building.finish(date(2020, 12, 31), date(2000, 1, 1), date(2020, 12, 31))
    assert read_profile(snapshot.directory).twins == 2


def test_a_snapshot_of_before_has_none(make: Make) -> None:
    snapshot = make()
    (snapshot.directory / FILE).unlink()
    with pytest.raises(NoProfile, match="Make a new snapshot"):
        read_profile(snapshot.directory)
    (snapshot.directory / FILE).write_text('{"tables": 3}')
    with pytest.raises(NoProfile, match="another version"):
        read_profile(snapshot.directory)


BEFORE = Profile(
    {
        "biometrics": TableProfile(
            Counts(1000, {"value": 1000, "unit": 500}, {"out_of_range": 10}),
            {"CLF": Counts(600, {"value": 600}, {}), "GRE": Counts(400, {"value": 400}, {})},
        )
    },
    twins=0,
)


def after(rows: int = 1000, value: int = 1000, fired: int = 10, **centres: Counts) -> Profile:
    counts = Counts(rows, {"value": value, "unit": rows // 2}, {"out_of_range": fired})
    kept = {"CLF": Counts(600, {"value": 600}, {}), "GRE": Counts(400, {"value": 400}, {})} | centres
    return Profile({"biometrics": TableProfile(counts, kept)}, twins=0)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (after(), []),
        (after(rows=2000, value=2000, fired=20), []),  # growth is what loads are for
        (after(value=950), []),
        (after(value=949), [Move("biometrics", What.FILLED, "value", 1.0, 0.949)]),
        (after(fired=15), []),
        (after(fired=16), [Move("biometrics", What.RULE, "out_of_range", 0.01, 0.016)]),
        (after(rows=900, value=900, fired=9), [Move("biometrics", What.ROWS, "biometrics", 1000, 900)]),
        (
            after(GRE=Counts(400, {"value": 300}, {})),
            [Move("biometrics", What.FILLED, "value", 1.0, 0.75, "GRE")],
        ),
        (Profile({}, 0), [Move("biometrics", What.GONE, "biometrics", 1000, 0)]),
    ],
)
def test_what_moved_beyond_the_tolerance(profile: Profile, expected: list[Move]) -> None:
    assert moves(BEFORE, profile, Tolerance()) == expected
    assert all(told(move) for move in expected)


def test_a_centre_that_fell_silent_is_told() -> None:
    silent = replace(after(), tables={"biometrics": replace(after().tables["biometrics"], centres={})})
    found = [(move.what, move.centre) for move in moves(BEFORE, silent, Tolerance())]
    assert found == [(What.GONE, "CLF"), (What.GONE, "GRE")]


@pytest.mark.parametrize(
    ("was", "now", "centres", "expected"),
    [
        ({}, {"petits": ("CLF", "GRE")}, {"petits": 1000}, []),
        ({}, {"petits": ("CLF", "GRE")}, {"petits": 800}, [(What.ROWS, "petits")]),
        ({}, {"petits": ("CLF", "GRE")}, {}, [(What.GONE, "petits")]),
        ({}, {"": ("CLF",)}, {"GRE": 400}, []),
        ({"GRE": ("X", "Y")}, {}, {"CLF": 600, "X": 300, "Y": 100}, []),  # told again
        ({"GRE": ("X", "Y")}, {"petits": ("CLF", "X")}, {"petits": 900, "Y": 100}, []),
    ],
)
def test_merged_centres_are_compared_with_the_sum_of_their_members(
    was: dict[str, tuple[str, ...]],
    now: dict[str, tuple[str, ...]],
    centres: dict[str, int],
    expected: list[tuple[What, str]],
) -> None:
    counts = {centre: Counts(rows, {"value": rows}, {}) for centre, rows in centres.items()}
    new = Profile({"biometrics": replace(after().tables["biometrics"], centres=counts)}, twins=0)
    found = moves(BEFORE, new, Tolerance(), together(was, now))
    assert [(move.what, move.centre) for move in found] == expected


def test_the_operator_reads_it_and_what_moved(make: Make, run: Callable[..., Result], tmp_path: Path) -> None:
    make()
    make(heights=20)
    first, second = run("1"), run("2", "--report", str(tmp_path / "report"))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "No earlier snapshot of this population" in first.output
    assert "Height in metres entered as centimetres, corrected" in second.output
    assert "Moved since snapshot 1:" in second.output
    assert "rule height_in_metres on 0.00 %, now 40.00 % of the rows" in second.output
    page = (tmp_path / "report" / "2" / "quality.html").read_text()
    assert "height_in_metres" in page
    assert "data:image/png;base64," in page
    assert "http" not in page
    assert (tmp_path / "report" / "2" / "biometrics-rules-centre.png").stat().st_size > 1000


def test_a_damaged_snapshot_shows_no_quality(make: Make, run: Callable[..., Result]) -> None:
    snapshot = make()
    (snapshot.directory / FILE).chmod(0o600)
    (snapshot.directory / FILE).write_text("{}")
    result = run("1")
    assert result.exit_code == 1
    assert "filled" not in result.output
    assert "quality.json" in result.output
