"""What an engine keeps between questions: nobody is answered by what was kept for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from hub_config.gateway.authorise import visible_tables
from hub_config.gateway.binding import Room, furnish, site_codes
from hub_config.gateway.engine import Engine, EngineLimits, Spare, scratch
from hub_config.gateway.kept import Kept
from hub_config.gateway.stopping import Stop
from hub_config.governance.facts import AccessLevel, Grant, Objectors
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.wire.errors import Refusal

CATALOGUE = load_catalogue()
SEEN = {"patients": None, "physicians": None, "diagnoses": None, "centres": None}
EVERYTHING = Grant(AccessLevel.AGGREGATE, SEEN)
NOBODY = Objectors()


@pytest.fixture
def engine(warehouse: Path) -> Iterator[Engine]:
    opened = Engine(warehouse / "1" / "warehouse.duckdb", EngineLimits(256 * 1024**2, 1))
    yield opened
    opened.close()


def numbers(engine: Engine, sql: str) -> list[object]:
    with engine.session(Stop(10)) as session:
        return session.fetch(sql).column(0).to_pylist()


def seen(engine: Engine, table: str, grant: Grant, objectors: Objectors = NOBODY) -> set[object]:
    """Which rows of `table` one question sees, each by its patient and day, or its centre."""
    with engine.session(Stop(10)) as session:
        shown = visible_tables(CATALOGUE, grant)
        furnish(session, Room(CATALOGUE, grant, objectors, None), [shown[table]])
        return {tuple(row.values()) for row in session.fetch(f'SELECT * FROM "{table}"').to_pylist()}


def codes(engine: Engine, grant: Grant) -> set[str]:
    with engine.session(Stop(10)) as session:
        return {code for code, _ in site_codes(session, CATALOGUE, grant)["centre"]}


def test_site_codes_are_those_of_the_asking_project(engine: Engine) -> None:
    centres = numbers(engine, "SELECT DISTINCT centre_id FROM warehouse.main.centres ORDER BY 1")
    one = Grant(AccessLevel.AGGREGATE, SEEN, centres=frozenset(centres[:1]))
    for _ in range(2):
        assert codes(engine, EVERYTHING) == set(centres)
        assert codes(engine, one) == set(centres[:1])


def test_rows_are_those_of_the_asking_project(engine: Engine) -> None:
    centres = numbers(engine, "SELECT DISTINCT centre_id FROM warehouse.main.centres ORDER BY 1")
    grants = [
        EVERYTHING,
        Grant(AccessLevel.AGGREGATE, SEEN, centres=frozenset(centres[:1])),
        Grant(AccessLevel.AGGREGATE, SEEN, date_from=date(2016, 1, 1)),
        Grant(AccessLevel.AGGREGATE, SEEN, date_to=date(2016, 1, 1)),
        Grant(AccessLevel.AGGREGATE, SEEN | {"diagnoses": frozenset({"patient_id", "cisp2"})}),
    ]
    first = [seen(engine, "diagnoses", grant) for grant in grants]
    assert len({frozenset(rows) for rows in first}) == len(grants)
    assert [seen(engine, "diagnoses", grant) for grant in reversed(grants)] == first[::-1]


def test_who_objects_is_gone_at_the_next_question_and_only_they(engine: Engine) -> None:
    everybody = seen(engine, "patients", EVERYTHING)
    patient, physician = numbers(
        engine,
        "SELECT unnest([patient_no, physician_no]) FROM (SELECT * FROM warehouse.main.patients p ANTI JOIN"
        " warehouse.main.objections USING (patient_no) WHERE physician_no IS NOT NULL LIMIT 1)",
    )
    without = seen(engine, "patients", EVERYTHING, Objectors(patients=frozenset({patient})))
    assert {row[-2] for row in everybody - without} == {patient}
    of_physician = Objectors(physicians=frozenset({physician}))
    left = seen(engine, "patients", EVERYTHING, of_physician)
    assert everybody - left == {row for row in everybody if row[-1] == physician}
    assert physician not in {row[-1] for row in seen(engine, "physicians", EVERYTHING, of_physician)}
    assert physician not in {row[-1] for row in seen(engine, "diagnoses", EVERYTHING, of_physician)}
    assert seen(engine, "patients", EVERYTHING) == everybody


def test_an_empty_database_is_empty_for_the_next_query() -> None:
    spare = Spare()
    with scratch(Stop(10), frozenset(), spare) as first:
        first.register("release_0", pa.table({"n": [1]}))
        first.run("CREATE TEMP TABLE more AS SELECT 2 AS n")
        first.run("CREATE TEMP MACRO three() AS 3")
        first.run("SET VARIABLE four = 4")
    with scratch(Stop(10), frozenset(), spare) as second:
        for left in ("SELECT * FROM release_0", "SELECT * FROM more", "SELECT three()"):
            with pytest.raises(Refusal):
                second.fetch(left)
            second.fetch("SELECT 1 AS n")
        assert second.fetch("SELECT getvariable('four') AS n").column("n").null_count == 1
        assert second.fetch("SELECT current_setting('TimeZone') AS n").column("n").to_pylist() == ["UTC"]
    spare.close()


def test_a_database_is_lent_to_one_query_at_a_time_and_not_after_a_failure() -> None:
    spare = Spare()
    with spare.lent() as one, spare.lent() as other:
        one.execute("CREATE TABLE shared AS SELECT 1 AS n")
        assert other.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)
    with pytest.raises(KeyError), spare.lent(), spare.lent():
        raise KeyError
    with spare.lent() as after:
        assert after.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)
    spare.close()


def test_a_value_is_made_once_a_key_and_few_are_held() -> None:
    made: list[int] = []

    def make(key: int) -> int:
        made.append(key)
        return -key

    kept = Kept(most=2)
    assert [kept.once(key, lambda k=key: make(k)) for key in (1, 2, 1, 3, 1, 2)] == [-1, -2, -1, -3, -1, -2]
    assert made == [1, 2, 3, 2]


def test_what_could_not_be_made_is_not_kept() -> None:
    kept = Kept()
    with pytest.raises(ZeroDivisionError):
        kept.once("x", lambda: 1 // 0)
    assert kept.once("x", lambda: 1) == 1
