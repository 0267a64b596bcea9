"""What is left out of a snapshot of whom: by person, by date and its precision, in tables of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.purging import Objector, keep_numbers, purge_objectors, rewrite
from hub_config.warehouse.schema import create_all
from p4dp_sdk.catalogue.load import load_catalogue

CATALOGUE = load_catalogue()
DAY = date(2020, 6, 15)
PATIENT, GP = Kind.PATIENT, Kind.PHYSICIAN
# Patients 1 and 2 are GP 1's, 3 is GP 2's and saw GP 1 once, 4 is GP 2's and came after the day only.
FILLED = """
INSERT INTO physicians (physician_no) VALUES (1), (2);
INSERT INTO patients (patient_no, physician_no, death_month, death_source) VALUES
    (1, 1, '2020-06-01', 'export'), (2, 1, '2020-05-01', 'export'), (3, 2, NULL, NULL), (4, 2, NULL, NULL);
INSERT INTO consultations (patient_no, physician_no, date) VALUES
    (1, 1, '2020-06-15'), (1, 1, '2020-06-16'), (2, 1, NULL), (2, 1, '2019-01-01'),
    (3, 2, '2020-01-01'), (3, 1, '2020-07-01'), (4, 2, '2020-06-16');
INSERT INTO vaccinations (patient_no, physician_no, date, date_precision) VALUES
    (1, 1, '2020-06-01', 'day'), (1, 1, '2020-06-01', 'month'), (1, 1, '2020-05-01', 'month'),
    (1, 1, '2020-01-01', 'year'), (1, 1, '2019-01-01', 'year'), (1, 1, '2019-01-01', 'unknown');
INSERT INTO observation_periods (patient_no, physician_no, start_date, end_date, end_reason) VALUES
    (1, 1, '2015-01-01', '2020-06-15', 'death'), (2, 1, '2015-01-01', NULL, 'last_export'),
    (3, 2, '2015-01-01', '2021-01-01', 'last_export'), (4, 2, '2020-06-16', '2021-01-01', 'last_export');
INSERT INTO exports (physician_no, exported_on) VALUES
    (1, '2020-06-15'), (1, '2020-07-15'), (2, '2020-07-15');
CREATE TABLE seals (patient_no BIGINT, sealed VARCHAR);
INSERT INTO seals VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
"""
OF_PATIENTS = ("patients", "consultations", "vaccinations", "observation_periods", "seals")
TABLES = ("physicians", "exports", *OF_PATIENTS)


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        fill(connection)
        yield connection


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    for statement in create_all(CATALOGUE):
        connection.execute(statement)
    connection.execute(FILLED)


def whose(database: duckdb.DuckDBPyConnection, table: str) -> list[int]:
    """Whose rows there are."""
    column = "physician_no" if table in ("physicians", "exports") else "patient_no"
    found = database.execute(f"SELECT {column} FROM {table} ORDER BY ALL").fetchall()
    return [number for (number,) in found]


def left(database: duckdb.DuckDBPyConnection) -> dict[str, list[int]]:
    return {table: whose(database, table) for table in TABLES}


def dates(database: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [str(day) for (day,) in database.execute(query + " ORDER BY ALL").fetchall()]


def test_nobody_objects_and_nothing_goes(database: duckdb.DuckDBPyConnection) -> None:
    before = left(database)
    assert purge_objectors(database, CATALOGUE, ()) == {}
    assert left(database) == before


def test_a_patient_goes_from_every_table_and_nobody_else_does(database: duckdb.DuckDBPyConnection) -> None:
    gone = purge_objectors(database, CATALOGUE, [Objector(PATIENT, 1), Objector(PATIENT, 99)])
    assert gone == {
        "patients": 1,
        "consultations": 2,
        "vaccinations": 6,
        "observation_periods": 1,
        "seals": 1,
    }
    found = left(database)
    assert not any(1 in found[table] for table in OF_PATIENTS)
    assert found["patients"] == found["seals"] == [2, 3, 4] and found["physicians"] == [1, 2]


def test_a_physician_goes_with_what_they_exported_and_no_more(database: duckdb.DuckDBPyConnection) -> None:
    purge_objectors(database, CATALOGUE, [Objector(GP, 1)])
    assert left(database) == {
        "physicians": [2],
        "patients": [3, 4],
        "consultations": [3, 4],
        "vaccinations": [],
        "observation_periods": [3, 4],
        "exports": [2],
        "seals": [3, 4],
    }


def test_the_future_of_a_patient(database: duckdb.DuckDBPyConnection) -> None:
    """To the day; and what is known to the month or the year may be of its last day."""
    purge_objectors(database, CATALOGUE, [Objector(PATIENT, 1, DAY)])
    of_one = " WHERE patient_no = 1"
    assert dates(database, "SELECT date FROM consultations" + of_one) == ["2020-06-15"]
    kept = database.execute("SELECT date_precision, date FROM vaccinations ORDER BY ALL").fetchall()
    assert [(precision, str(day)) for precision, day in kept] == [
        ("day", "2020-06-01"),
        ("month", "2020-05-01"),
        ("year", "2019-01-01"),
    ]
    assert dates(database, "SELECT death_month FROM patients" + of_one) == ["None"], (
        "known after the day only"
    )
    assert left(database)["seals"] == [1, 2, 3, 4] and len(whose(database, "consultations")) == 6


def test_the_future_of_a_physician_is_that_of_their_patients_and_of_what_they_note(
    database: duckdb.DuckDBPyConnection,
) -> None:
    purge_objectors(database, CATALOGUE, [Objector(GP, 1, DAY)])
    found = left(database)
    assert found["consultations"] == [1, 2, 3, 4] and found["physicians"] == [1, 2]
    assert found["exports"] == [1, 2] and found["patients"] == [1, 2, 3, 4]
    assert dates(database, "SELECT date FROM consultations WHERE patient_no = 2") == ["2019-01-01"], "no date"
    assert dates(database, "SELECT date FROM consultations WHERE patient_no = 3") == ["2020-01-01"]
    assert dates(database, "SELECT death_month FROM patients WHERE patient_no = 2") == ["2020-05-01"]


def test_no_period_ends_with_the_day(database: duckdb.DuckDBPyConnection) -> None:
    purge_objectors(database, CATALOGUE, [Objector(PATIENT, number, DAY) for number in (1, 2, 3)])
    found = database.execute(
        "SELECT end_date, end_reason FROM observation_periods ORDER BY patient_no"
    ).fetchall()
    assert [(str(day), why) for day, why in found] == [
        ("2020-05-31", "last_export"),
        ("2020-05-31", "last_export"),
        ("2021-01-01", "last_export"),
        ("2021-01-01", "last_export"),
    ], "GP 2's practice ends for others, too; of GP 1's nothing is known but the month"


LINKED = """
INSERT INTO snds_link (patient_no, physician_no, status, linked_on, death_month, death_source) VALUES
    (1, 1, 'linked', '2026-05-01', '2025-03-01', 'snds'),
    (2, 1, 'linked', '2020-06-15', '2020-06-01', 'snds'),
    (3, 2, 'linked', '2026-05-01', '2025-03-01', 'snds');
INSERT INTO snds_stays (patient_no, physician_no, date, exit_date, length_days) VALUES
    (1, 1, '2020-06-01', '2020-06-15', 14), (2, 1, '2020-06-10', '2020-06-16', 6),
    (3, 2, '2020-06-10', '2020-06-16', 6);
INSERT INTO practice_months (physician_no, month, activity) VALUES
    (1, '2020-05-01', 'reporting'), (1, '2020-06-01', 'silent'), (2, '2020-06-01', 'silent');
"""


def test_a_linkage_made_after_the_day_is_of_nobody_who_objected_to_the_future(
    database: duckdb.DuckDBPyConnection,
) -> None:
    """And of one made before, no death or end of a stay that was learnt since; others keep theirs."""
    database.execute(LINKED)
    objectors = [Objector(PATIENT, 1, DAY), Objector(PATIENT, 2, DAY)]
    purge_objectors(database, CATALOGUE, objectors)
    deaths = "SELECT patient_no, death_month, death_source FROM snds_link ORDER BY ALL"
    assert database.execute(deaths).fetchall() == [(2, None, None), (3, date(2025, 3, 1), "snds")]
    stays = "SELECT patient_no, exit_date, length_days FROM snds_stays ORDER BY ALL"
    assert database.execute(stays).fetchall() == [(1, DAY, 14), (2, None, None), (3, date(2020, 6, 16), 6)]
    assert purge_objectors(database, CATALOGUE, objectors) == {}


def test_a_practices_month_that_was_not_over_goes_with_its_physicians_future(
    database: duckdb.DuckDBPyConnection,
) -> None:
    database.execute(LINKED)
    purge_objectors(database, CATALOGUE, [Objector(GP, 1, DAY)])
    months = "SELECT physician_no, month FROM practice_months ORDER BY ALL"
    assert database.execute(months).fetchall() == [(1, date(2020, 5, 1)), (2, date(2020, 6, 1))]


def test_of_whom_nothing_was_there_before_nothing_comes_in(database: duckdb.DuckDBPyConnection) -> None:
    """Their rows without a date neither: patients of a GP who objected to the future, seen first since."""
    purge_objectors(database, CATALOGUE, [Objector(GP, 2, DAY)])
    found = left(database)
    assert not any(4 in found[table] for table in OF_PATIENTS)
    assert 3 in found["patients"] and 3 in found["seals"]


def test_of_two_objections_the_wider_holds(database: duckdb.DuckDBPyConnection) -> None:
    later = date(2020, 12, 31)
    purge_objectors(
        database,
        CATALOGUE,
        [
            Objector(PATIENT, 1, later),
            Objector(GP, 1, DAY),
            Objector(PATIENT, 2, later),
            Objector(PATIENT, 2),
        ],
    )
    assert dates(database, "SELECT date FROM consultations WHERE patient_no = 1") == ["2020-06-15"]
    assert left(database)["patients"] == [1, 3, 4]


def test_a_second_time_finds_nothing(database: duckdb.DuckDBPyConnection) -> None:
    objectors = [Objector(PATIENT, 1), Objector(GP, 2, DAY)]
    assert purge_objectors(database, CATALOGUE, objectors)
    after = left(database)
    assert purge_objectors(database, CATALOGUE, objectors) == {}
    assert left(database) == after


def test_the_snapshot_keeps_the_numbers_of_those_it_lacks(database: duckdb.DuckDBPyConnection) -> None:
    database.execute(
        "INSERT INTO objections VALUES (1, NULL, DATE '2020-01-01'), (NULL, 5, DATE '2020-01-01')"
    )
    keep_numbers(
        database, [Objector(PATIENT, 1), Objector(PATIENT, 2), Objector(PATIENT, 3, DAY), Objector(GP, 1)]
    )
    found = database.execute("SELECT patient_no, physician_no FROM objections ORDER BY ALL").fetchall()
    assert found == [(1, None), (2, None), (None, 1), (None, 5)]


PLANTED = "PLANTED-OBJECTOR-5c2e"


@pytest.mark.parametrize("rewritten", [False, True])
def test_nothing_is_left_in_the_file_s_free_blocks(tmp_path: Path, rewritten: bool) -> None:
    """Without the copy, what was deleted is still in the file for whoever reads its bytes."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        fill(connection)
        connection.execute("SET force_compression = 'uncompressed'")
        connection.execute(f"INSERT INTO seals SELECT 1, '{PLANTED}' || range FROM range(20_000)")
        connection.execute("CHECKPOINT")
        purge_objectors(connection, CATALOGUE, [Objector(PATIENT, 1)])
        connection.execute("CHECKPOINT")
        order = connection.execute("SELECT * FROM consultations").fetchall()
    if rewritten:
        rewrite(path)
    assert (PLANTED.encode() in path.read_bytes()) is not rewritten
    with duckdb.connect(str(path), read_only=True) as connection:
        assert whose(connection, "seals") == [2, 3, 4]
        assert connection.execute("SELECT * FROM consultations").fetchall() == order
        assert {name for (name,) in connection.execute("SHOW TABLES").fetchall()} >= set(CATALOGUE.tables)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
