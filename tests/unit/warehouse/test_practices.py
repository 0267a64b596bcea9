"""When a practice was there, and so its patients observed: worked out from exports and contacts.

Every world is one practice (GP 0) with exports and, a month, so many contacts; its data end on 2020-01-01.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import duckdb
import pytest

from hub_config.warehouse.derived import Observing, bound_observation, derive_observation, name_death_sources
from hub_config.warehouse.schema import create_all
from p4dp_sdk.catalogue.load import load_catalogue

Fill = Callable[[duckdb.DuckDBPyConnection], None]
Found = tuple[list[tuple[Any, ...]], dict[str, str]]  # periods of patient 0; months that were not reported
Find = Callable[..., Found]
Exports = list[tuple[str, str, str | None]]

YEARS = ("2015-01-01", "2019-12-31", "A")
USUAL = 30


def calendar(
    exports: Exports | None = None,
    contacts: Mapping[str, int] | None = None,
    usual: int = USUAL,
    more: tuple[str, ...] = (),
) -> Fill:
    """`contacts` are those of the months that are not usual; `more`, what else is true of the world."""

    def fill(connection: duckdb.DuckDBPyConnection) -> None:
        run = connection.execute
        run("DROP TABLE IF EXISTS unusual")
        run("INSERT INTO physicians BY NAME SELECT 0 AS physician_no, 'C1' AS centre_id")
        run(
            "INSERT INTO patients BY NAME SELECT n AS patient_no, 0 AS physician_no, 'C1' AS centre_id "
            "FROM range(?) t(n)",
            [max(usual, *(contacts or {}).values(), 1)],
        )
        for first, last, software in exports or [YEARS]:
            run(
                "INSERT INTO exports BY NAME SELECT 'vendor' AS source, 0 AS physician_no, "
                "CAST(? AS DATE) AS first_event, CAST(? AS DATE) AS last_event, "
                "CAST(? AS DATE) AS exported_on, ? AS software",
                [first, last, last, software],
            )
        run("CREATE TEMP TABLE unusual (month DATE, n INTEGER)")
        run("INSERT INTO unusual VALUES (DATE '1900-01-01', 0)")
        for month, number in (contacts or {}).items():
            run("INSERT INTO unusual VALUES (CAST(? AS DATE), ?)", [f"{month}-01", number])
        run(
            "INSERT INTO consultations BY NAME SELECT p.n AS patient_no, 0 AS physician_no, "
            "CAST(m.month + to_days(CAST(p.n % 28 AS INTEGER)) AS DATE) AS date "
            "FROM (SELECT unnest(generate_series(DATE '2015-01-01', DATE '2019-12-01', INTERVAL 1 MONTH)) "
            "AS month) m "
            "LEFT JOIN unusual u ON u.month = m.month, range(200) p(n) WHERE p.n < coalesce(u.n, ?) "
            "AND EXISTS (SELECT 1 FROM exports WHERE m.month + to_days(CAST(p.n % 28 AS INTEGER)) "
            "BETWEEN first_event AND last_event) ORDER BY 1",
            [usual],
        )
        for statement in more:
            run(statement)

    return fill


@pytest.fixture
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse."""
    with duckdb.connect() as connection:
        for statement in create_all(load_catalogue()):
            connection.execute(statement)
        yield connection


@pytest.fixture
def find(world: duckdb.DuckDBPyConnection) -> Find:
    def found(fill: Fill, observing: Observing | None = None) -> Found:
        for (table,) in world.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            world.execute(f"DELETE FROM {table}")
        fill(world)
        derive_observation(world, date(2020, 1, 1), observing or Observing())
        bound_observation(world, load_catalogue().tables["observation_periods"], date(2020, 1, 1))
        periods = world.execute(
            "SELECT CAST(start_date AS VARCHAR), CAST(end_date AS VARCHAR), end_reason "
            "FROM observation_periods WHERE patient_no = 0 ORDER BY start_date"
        ).fetchall()
        months = world.execute(
            "SELECT strftime(month, '%Y-%m'), activity FROM practice_months WHERE activity != 'reporting' "
            "ORDER BY month"
        ).fetchall()
        return periods, dict(months)

    return found


WHOLE = [("2015-01-01", "2019-12-31", "last_export")]


def test_a_practice_that_always_reports_has_one_span(find: Find) -> None:
    periods, months = find(calendar())
    assert periods == WHOLE
    assert months == {"2020-01": "silent"}  # still awaited, after its last export


@pytest.mark.parametrize("trickle", [0, 6])
def test_months_with_a_fifth_of_the_usual_are_silence(find: Find, trickle: int) -> None:
    """From the last contact before to the first after: contacts fall on the first to the 28th."""
    periods, months = find(calendar(contacts={"2017-03": trickle, "2017-04": trickle}))
    assert periods == [("2015-01-01", "2017-02-28", "silence"), ("2017-05-01", "2019-12-31", "last_export")]
    assert [month for month in months if month < "2020"] == ["2017-03", "2017-04"]


def test_somewhat_more_than_a_fifth_is_not(find: Find) -> None:
    assert find(calendar(contacts={"2017-03": 7}))[0] == WHOLE


def test_what_a_fifth_and_enough_are_may_be_chosen(find: Find) -> None:
    half = find(calendar(contacts={"2017-03": 14}), Observing(share=0.5))
    assert min(half[1]) == "2017-03"
    assert find(calendar(contacts={"2017-03": 0}), Observing(least=31))[0] == WHOLE


def test_a_small_practices_empty_month_is_no_silence_but_many_are(find: Find) -> None:
    """Of 4 contacts a month, 5 months in a row have 20."""
    empty = {f"2017-{month:02d}": 0 for month in range(3, 8)}
    assert find(calendar(contacts={"2017-03": 0}, usual=4))[0] == WHOLE
    assert find(calendar(contacts=dict(list(empty.items())[:4]), usual=4))[0] == WHOLE
    assert [m for m in find(calendar(contacts=empty, usual=4))[1] if m < "2020"] == list(empty)


def test_a_long_silence_does_not_become_the_usual(find: Find) -> None:
    """Twenty months without contact, and as many with a trickle."""
    for trickle in (0, 3):
        long = {f"{2016 + n // 12}-{n % 12 + 1:02d}": trickle for n in range(20)}
        assert [m for m in find(calendar(contacts=long))[1] if m < "2020"] == list(long)


def test_growth_is_no_silence(find: Find) -> None:
    grown = {f"{2015 + n // 12}-{n % 12 + 1:02d}": 20 + 2 * n for n in range(60)}
    assert find(calendar(contacts=grown))[0] == WHOLE


def test_the_first_and_the_last_good_export_are_not_silent(find: Find) -> None:
    ends = {"2015-01": 0, "2015-02": 2, "2019-11": 1, "2019-12": 0}
    periods, months = find(calendar(contacts=ends))
    assert periods == [("2015-03-01", "2019-10-28", "last_export")]
    assert list(months) == [
        "2019-11",
        "2019-12",
        "2020-01",
    ]  # before its first good export, nothing was awaited


def test_a_change_of_software_leaves_a_gap_to_the_day(find: Find) -> None:
    exports: Exports = [("2015-01-01", "2017-01-15", "A"), ("2017-04-10", "2019-12-31", "B")]
    periods, months = find(calendar(exports))
    assert periods == [
        ("2015-01-01", "2017-01-15", "software_gap"),
        ("2017-04-10", "2019-12-31", "last_export"),
    ]
    gap = {"2017-02": "software_gap", "2017-03": "software_gap"}
    assert {month: activity for month, activity in months.items() if month < "2020"} == gap


def test_what_no_export_covers_was_not_reported_however_little_is_usual(find: Find) -> None:
    """One contact a month: too few to be missed, and yet nobody exported them."""
    exports: Exports = [("2015-01-01", "2017-01-31", "A"), ("2017-04-01", "2018-12-31", "B")]
    periods, months = find(calendar(exports, usual=1))
    assert [period[2] for period in periods] == ["software_gap", "last_export"]
    assert sorted(set(months.values())) == ["silent", "software_gap"]
    assert (len(months), max(months)) == (2 + 12, "2019-12")


@pytest.mark.parametrize("software", ["A", None])
def test_days_no_export_covers_are_silence_without_another_software(find: Find, software: str | None) -> None:
    exports: Exports = [("2015-01-01", "2017-01-31", "A"), ("2017-04-01", "2019-12-31", software)]
    periods, months = find(calendar(exports))
    assert periods[0] == ("2015-01-01", "2017-01-31", "silence")
    assert {a for m, a in months.items() if m < "2020"} == {"silent"}


def test_exports_that_follow_or_overlap_run_together(find: Find) -> None:
    exports: Exports = [
        ("2016-06-01", "2019-12-31", "B"),
        ("2015-01-01", "2017-01-15", "A"),
        ("2015-01-01", "2015-03-01", "A"),
    ]
    assert find(calendar(exports))[0] == WHOLE
    exports: Exports = [("2015-01-01", "2017-01-15", "A"), ("2017-02-16", "2019-12-31", "B")]
    assert find(calendar(exports))[0] == WHOLE
    exports: Exports = [("2015-01-01", "2017-01-15", "A"), ("2017-02-17", "2019-12-31", "B")]
    assert len(find(calendar(exports))[0]) == 2


_EMPTY = (
    "INSERT INTO exports BY NAME SELECT 0 AS physician_no, DATE '2001-01-01' AS first_event, "
    "DATE '2014-12-31' AS last_event, DATE '2014-12-31' AS exported_on, 0 AS row_count"
)


def test_an_export_is_good_up_to_the_day_it_was_made_and_with_rows(find: Find) -> None:
    """A date of 2050 is a slip, and an empty file says nothing."""
    bad = (
        "UPDATE exports SET last_event = DATE '2050-01-01'",
        _EMPTY,
    )
    assert find(calendar(more=bad))[0] == WHOLE


_DEATH = "UPDATE patients SET death_month = DATE '2018-03-01'"
_RESULT = (
    "INSERT INTO lab_results BY NAME SELECT 0 AS patient_no, 0 AS physician_no, DATE '2018-05-05' AS date"
)


def gone(after: str) -> str:
    return f"DELETE FROM consultations WHERE patient_no = 0 AND date > DATE '{after}'"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ((gone("2018-01-01"),), ("2019-12-31", "last_export")),  # seen 729 days before
        ((gone("2017-12-31"),), ("2017-12-01", "inactive")),
        ((_DEATH, gone("2018-02-01")), ("2018-03-31", "death")),
        ((_DEATH, gone("2016-02-01")), ("2016-02-01", "inactive")),
        (("INSERT INTO objections BY NAME SELECT 0 AS physician_no",), ("2019-12-31", "withdrawal")),
        ((gone("2017-12-31"), _RESULT), ("2019-12-31", "last_export")),
    ],
)
def test_a_patient_is_observed_to_the_end_of_activity(
    find: Find, more: tuple[str, ...], expected: tuple[str, str]
) -> None:
    assert find(calendar(more=more))[0] == [("2015-01-01", *expected)]


def test_a_patient_is_observed_from_the_first_contact_on(find: Find) -> None:
    late = "DELETE FROM consultations WHERE patient_no = 0 AND date < DATE '2016-05-01'"
    assert find(calendar(more=(late,)))[0] == [("2016-05-01", "2019-12-31", "last_export")]


def test_who_was_never_seen_was_never_observed(find: Find) -> None:
    assert find(calendar(more=("DELETE FROM consultations WHERE patient_no = 0",)))[0] == []


def test_death_in_a_gap_was_not_observed(find: Find) -> None:
    more = ("UPDATE patients SET death_month = DATE '2017-04-01' WHERE patient_no = 0", gone("2017-02-28"))
    silence = {"2017-03": 0, "2017-04": 0, "2017-05": 0}
    assert find(calendar(contacts=silence, more=more))[0] == [("2015-01-01", "2017-02-28", "silence")]


def test_a_source_that_gives_its_periods_keeps_them(find: Find) -> None:
    own = (
        "INSERT INTO observation_periods BY NAME SELECT patient_no, physician_no, "
        "DATE '2016-01-01' AS start_date, DATE '2016-12-31' AS end_date, 'inactive' AS end_reason "
        "FROM patients"
    )
    periods, months = find(calendar(contacts={"2017-03": 0}, more=(own,)))
    assert periods == [("2016-01-01", "2016-12-31", "inactive")]
    assert months == {}


def test_without_exports_nothing_is_found_out(find: Find) -> None:
    assert find(calendar(more=("DELETE FROM exports",))) == ([], {})


def test_patients_without_a_gp_are_one_practice_that_no_table_shows(find: Find) -> None:
    more = (
        "UPDATE patients SET physician_no = NULL",
        "UPDATE exports SET physician_no = NULL",
    )
    periods, months = find(calendar(contacts={"2017-03": 0}, more=more))
    assert periods[0] == ("2015-01-01", "2017-02-28", "silence")
    assert months == {}


def test_a_practice_without_consultations_is_judged_by_what_it_records(find: Find) -> None:
    more = (
        "INSERT INTO lab_results BY NAME SELECT patient_no, physician_no, date FROM consultations",
        "DELETE FROM consultations",
    )
    periods, _ = find(calendar(contacts={"2017-03": 0}, more=more))
    assert periods[0] == ("2015-01-01", "2017-02-28", "silence")


def test_a_practice_is_awaited_for_a_year_unless_it_withdrew(find: Find) -> None:
    early: Exports = [("2015-01-01", "2018-06-30", "A")]
    _, months = find(calendar(early))
    assert (min(months), max(months), len(months)) == ("2018-07", "2019-06", 12)
    withdrew = "INSERT INTO objections BY NAME SELECT 0 AS physician_no"
    assert find(calendar(early, more=(withdrew,)))[1] == {}


def test_deaths_name_their_source(world: duckdb.DuckDBPyConnection) -> None:
    world.execute(
        "INSERT INTO patients BY NAME SELECT * FROM (VALUES (0, DATE '2019-01-01', 'snds'), "
        "(1, DATE '2019-01-01', NULL), (2, NULL, 'snds'), (3, NULL, NULL)) "
        "t(patient_no, death_month, death_source)"
    )
    name_death_sources(world)
    found = world.execute("SELECT death_source FROM patients ORDER BY patient_no").fetchall()
    assert found == [("snds",), ("unknown",), (None,), (None,)]


def test_a_history_from_before_the_practice_covers_nothing(
    find: Find, world: duckdb.DuckDBPyConnection
) -> None:
    """An operation of 1998, noted at a first visit in 2015, is the first event of the export."""
    periods, _ = find(calendar([("1998-01-01", "2019-12-31", "A")]))
    assert periods[0][0] == "2015-01-01"
    assert world.execute("SELECT min(month) FROM practice_months").fetchall() == [(date(2015, 1, 1),)]
