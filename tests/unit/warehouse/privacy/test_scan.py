"""What is kept of exported text, and what the scan finds where something else got in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest

from hub_config.warehouse.privacy.scan import Identifying, require_unidentifying, scan
from hub_config.warehouse.privacy.text import WITHHELD, kept
from hub_config.warehouse.schema import create_all, literal
from p4dp_sdk.catalogue.load import load_catalogue

PLANTED = [
    "ZQXDURAND",
    "Mme Zqxdurand Œuvre",
    "12 rue Zqxbeaulieu, 76000 Rouen",
    "06 98 76 54 32",
    "+33698765432",
    "zqx@exemple.fr",
    "1850578006084 91",
    "185057800608491",
    "10003456789",
    "761234567",
    "12/03/1950",
    "12031950",
]


CODED = {"diagnoses": "cisp2", "prescriptions": "atc", "patients": "sex", "physicians": "age_band"}
RAW = {"lab_results": "value_raw", "biometrics": "unit_raw", "vaccinations": "label_raw"}


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(":memory:", config={"threads": 1})) as opened:
        for statement in create_all(load_catalogue()):
            opened.execute(statement)
        yield opened


@pytest.fixture
def connection(tables: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    tables.execute("BEGIN")
    yield tables
    tables.execute("ROLLBACK")


def said(column: str, text: str) -> str | None:
    row = duckdb.execute(f"SELECT {kept(column, literal(text))}").fetchone()
    return row[0] if row else None


@pytest.mark.parametrize("column", ["value_raw", "unit_raw", "label_raw", "software", "a_new_column"])
@pytest.mark.parametrize("text", PLANTED)
def test_nothing_identifying_is_kept(column: str, text: str) -> None:
    assert said(column, text) == WITHHELD


@pytest.mark.parametrize(
    "text", ["Иванов Пётр", "محمد بن علي", "Ж Rappel 12", "０６１２３４５６７８", "٠٦١٢"]
)
def test_no_other_script_passes_for_the_words_of_vaccines(text: str) -> None:
    assert said("label_raw", text) == WITHHELD


@pytest.mark.parametrize(
    ("column", "text"),
    [
        *(
            ("value_raw", text)
            for text in ("37", "3,58", "212278,88", "<0.5", "≥ 90", "1e3", "négatif", "-2")
        ),
        *(("unit_raw", text) for text in ("kg", "mmHg", "mmol/L", "{INR}", "°C")),
        *(
            ("label_raw", text)
            for text in ("REVAXIS", "Vaccin grippe saisonnière", "Rappel DTP 25 ans", "ROR 2")
        ),
    ],
)
def test_what_measurements_and_vaccines_are_written_as_is_kept(column: str, text: str) -> None:
    assert said(column, text) == text


def put(connection: duckdb.DuckDBPyConnection, table: str, **cells: str) -> None:
    names, values = ", ".join(cells), ", ".join(map(literal, cells.values()))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({values})")


def test_the_scan_finds_what_got_in_and_does_not_say_it(connection: duckdb.DuckDBPyConnection) -> None:
    assert not list(scan(connection, load_catalogue()))
    for table, column in (CODED | RAW).items():
        for text in PLANTED:
            put(connection, table, **{column: text})
    with pytest.raises(Identifying) as found:
        require_unidentifying(connection, load_catalogue())
    told = {(each.table, each.column): each.rows for each in found.value.findings}
    assert told == {place: len(PLANTED) for place in (CODED | RAW).items()}
    assert not any(text in str(found.value) for text in PLANTED)


def test_what_a_mapping_says_of_centres_is_looked_at_too(connection: duckdb.DuckDBPyConnection) -> None:
    put(connection, "centres", centre_id="C1", label="Centre inventé C1", region="Région-Ouest")
    assert not list(scan(connection, load_catalogue()))
    shaped = [each for each in PLANTED if each != "ZQXDURAND"]  # a name has no shape
    for text in shaped:
        connection.execute("DELETE FROM centres")
        put(connection, "centres", centre_id="C2", label=text)
        asked = "centres", "label"
        assert {(each.table, each.column) for each in scan(connection, load_catalogue())} == {asked}


def test_a_table_nobody_foresaw_and_a_day_of_birth_are_found(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE notes AS SELECT 'ZQXDURAND' AS note")
    put(connection, "patients", birth_month="1950-03-12")
    assert [(each.table, each.column) for each in scan(connection, load_catalogue())] == [
        ("notes", "note"),
        ("patients", "birth_month"),
    ]
