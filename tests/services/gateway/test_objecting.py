"""What a question sees of whom: before an objection, after it, and what the next snapshot is made without.

Purging a copy of the warehouse is the reference: what the gateway hides in an old snapshot is what the next
one lacks, table by table. Each engine is asked the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.binding import Room, furnish
from hub_config.gateway.engine import Engine, EngineLimits, Session
from hub_config.gateway.stopping import Stop
from hub_config.governance.facts import AccessLevel, Grant, Objectors
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.purging import DATED_BY, Objector, purge_objectors
from hub_config.warehouse.snapshot import Snapshot, build_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Role, Unit

CATALOGUE = load_catalogue()
PERSONS = tuple(name for name, table in CATALOGUE.tables.items() if table.unit is Unit.PERSON)
PHYSICIANS = ("physicians", "practice_months")
NAMES = (*PERSONS, *PHYSICIANS)
GRANT = Grant(AccessLevel.MICRODATA, dict.fromkeys(NAMES))
KINDS = (Kind.PATIENT, Kind.PHYSICIAN)
# Patients 1 and 2 are GP 1's, 3 and 4 GP 2's, 5 nobody's; all were seen in 2015. They were linked the once or
# the other time.
FILLED = """
INSERT INTO centres (centre_id) VALUES ('C01');
INSERT INTO physicians (physician_no, centre_id) VALUES (1, 'C01'), (2, 'C01');
INSERT INTO patients (patient_no, physician_no, centre_id, death_month, death_source) VALUES
    (1, 1, 'C01', '2020-06-01', 'record'), (2, 1, 'C01', '2020-05-01', 'record'), (3, 2, 'C01', NULL, NULL),
    (4, 2, 'C01', NULL, NULL), (5, NULL, 'C01', NULL, NULL);
INSERT INTO consultations (patient_no, physician_no, centre_id, date) VALUES
    (1, 1, 'C01', '2020-06-15'), (1, 1, 'C01', '2020-06-16'), (2, 1, 'C01', NULL),
    (3, 2, 'C01', '2020-01-01'), (3, 1, 'C01', '2020-07-01'), (4, 2, 'C01', '2020-06-16'),
    (5, NULL, 'C01', '2020-02-29'), (5, 1, 'C01', '2020-06-30');
INSERT INTO vaccinations (patient_no, physician_no, centre_id, date, date_precision) VALUES
    (1, 1, 'C01', '2020-06-01', 'day'), (1, 1, 'C01', '2020-06-01', 'month'),
    (1, 1, 'C01', '2020-05-01', 'month'), (1, 1, 'C01', '2020-01-01', 'year'),
    (2, 1, 'C01', '2019-01-01', 'year'), (3, 2, 'C01', '2019-01-01', 'unknown'),
    (4, 2, 'C01', '2020-06-01', NULL), (5, NULL, 'C01', NULL, 'month');
INSERT INTO observation_periods (patient_no, physician_no, centre_id, start_date, end_date, end_reason)
    SELECT patient_no, coalesce(physician_no, 2), 'C01', DATE '2015-01-01', DATE '2020-12-31', 'last_export'
    FROM patients;
INSERT INTO snds_link
    (patient_no, physician_no, centre_id, status, linked_on, death_month, death_source) VALUES
    (1, 1, 'C01', 'linked', '2020-05-31', '2020-06-01', 'snds'),
    (2, 1, 'C01', 'linked', '2020-06-01', '2020-05-01', 'snds'),
    (3, 2, 'C01', 'not_found', '2020-06-16', NULL, NULL), (4, 2, 'C01', 'linked', NULL, '2019-01-01', 'snds'),
    (5, NULL, 'C01', 'linked', '2020-06-15', '2020-12-01', 'snds');
INSERT INTO snds_stays (patient_no, physician_no, centre_id, date, exit_date, length_days) VALUES
    (1, 1, 'C01', '2020-06-01', '2020-06-15', 14), (1, 1, 'C01', '2020-06-10', '2020-06-16', 6),
    (2, 1, 'C01', '2020-05-31', '2020-06-01', 1), (3, 2, 'C01', '2020-06-15', '2021-01-01', 200),
    (4, 2, 'C01', '2020-05-01', NULL, 7), (5, NULL, 'C01', '2020-05-01', NULL, NULL);
INSERT INTO practice_months (physician_no, centre_id, month, activity) VALUES
    (1, 'C01', '2020-05-01', 'reporting'), (1, 'C01', '2020-06-01', 'silent'), (1, 'C01', NULL, 'silent'),
    (2, 'C01', '2020-12-01', 'reporting'), (2, 'C01', '2021-01-01', 'silent');
INSERT INTO objections (patient_no) VALUES (99);
"""
DAYS = [date(2020, 5, 31), date(2020, 6, 1), date(2020, 6, 15), date(2020, 12, 31)]

Rows = Mapping[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    directory = tmp_path_factory.mktemp("objecting")
    with build_snapshot(directory, source="preset A", synthetic=True, public=False) as building:
        building.connection.execute(FILLED)
        return building.finish(date(2021, 12, 31), date(2015, 1, 1), date(2021, 12, 31))


@pytest.fixture(scope="module")
def engine(snapshot: Snapshot) -> Iterator[Engine]:
    with closing(Engine(snapshot.database, EngineLimits(2**28, 1))) as opened:
        yield opened


@pytest.fixture(scope="module")
def copied(snapshot: Snapshot) -> Iterator[duckdb.DuckDBPyConnection]:
    """The snapshot's tables, to purge in a transaction that is given up."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{snapshot.database}' AS given (READ_ONLY)")
        connection.execute("COPY FROM DATABASE given TO memory")
        connection.execute("DETACH given")
        yield connection


def shown_of(name: str) -> str:
    """The numbers that the rules count, and the columns that are no number of a person."""
    columns = CATALOGUE.tables[name].columns
    return ", ".join(column.name for column in columns if column.role not in (Role.PATIENT, Role.PHYSICIAN))


def seen(session: Session, objectors: Objectors) -> Rows:
    """What one question is given, by the gateway's own binding."""
    furnish(session, Room(CATALOGUE, GRANT, objectors, None), [CATALOGUE.tables[name] for name in NAMES])
    found = {}
    for name in NAMES:
        hidden = "__physician" if name in PHYSICIANS else "__patient, __physician"
        rows = session.fetch(f'SELECT {hidden}, {shown_of(name)} FROM temp.main."{name}"').to_pylist()
        found[name] = sorted((tuple(row.values()) for row in rows), key=repr)
    return found


def kept(copied: duckdb.DuckDBPyConnection, objectors: list[Objector]) -> Rows:
    """What a snapshot made without them holds."""
    copied.execute("BEGIN")
    try:
        purge_objectors(copied, CATALOGUE, objectors)
        return {name: _stored(copied, name) for name in NAMES}
    finally:
        copied.execute("ROLLBACK")


def _stored(copied: duckdb.DuckDBPyConnection, name: str) -> list[tuple[object, ...]]:
    hidden = "physician_no" if name in PHYSICIANS else "patient_no, physician_no"
    return sorted(copied.execute(f'SELECT {hidden}, {shown_of(name)} FROM "{name}"').fetchall(), key=repr)


def as_facts(objectors: list[Objector]) -> Objectors:
    """As governance gives them: of one person the wider, the earlier."""
    whole = {kind: {o.number for o in objectors if o.kind is kind and o.until is None} for kind in KINDS}
    until: dict[Kind, dict[int, date]] = {kind: {} for kind in KINDS}
    for each in objectors:
        if each.until is not None and each.number not in whole[each.kind]:
            known = until[each.kind].get(each.number, each.until)
            until[each.kind][each.number] = min(known, each.until)
    return Objectors(
        frozenset(whole[Kind.PATIENT]),
        frozenset(whole[Kind.PHYSICIAN]),
        until[Kind.PATIENT],
        until[Kind.PHYSICIAN],
    )


OBJECTORS = st.lists(
    st.one_of(
        st.builds(Objector, st.just(Kind.PATIENT), st.integers(1, 6), st.sampled_from([None, *DAYS])),
        st.builds(Objector, st.just(Kind.PHYSICIAN), st.integers(1, 3), st.sampled_from([None, *DAYS])),
    ),
    max_size=4,
)


@given(objectors=OBJECTORS)
@settings(max_examples=30, deadline=None)
def test_a_question_is_not_shown_what_the_next_snapshot_is_made_without(
    engine: Engine, copied: duckdb.DuckDBPyConnection, objectors: list[Objector]
) -> None:
    with engine.session(Stop(30)) as session:
        assert seen(session, as_facts(objectors)) == kept(copied, objectors)


def test_nobody_objects_and_everything_is_shown(engine: Engine, copied: duckdb.DuckDBPyConnection) -> None:
    with engine.session(Stop(30)) as session:
        found = seen(session, Objectors())
    assert found == kept(copied, []) and len(found["patients"]) == 5 and len(found["vaccinations"]) == 8


@pytest.mark.parametrize(
    ("until", "seen_of_one"),
    [
        (date(2020, 5, 31), ["2020-05-01 month"]),
        (date(2020, 6, 1), ["2020-05-01 month", "2020-06-01 day"]),
        (date(2020, 6, 30), ["2020-05-01 month", "2020-06-01 day", "2020-06-01 month"]),
        (date(2020, 12, 30), ["2020-05-01 month", "2020-06-01 day", "2020-06-01 month"]),
        (date(2020, 12, 31), ["2020-01-01 year", "2020-05-01 month", "2020-06-01 day", "2020-06-01 month"]),
    ],
)
def test_a_date_counts_as_the_last_day_it_may_mean(
    engine: Engine, until: date, seen_of_one: list[str]
) -> None:
    with engine.session(Stop(30)) as session:
        seen(session, Objectors(patients_until={1: until}))
        query = "SELECT date, date_precision AS p FROM temp.main.vaccinations WHERE __patient = 1"
        found = session.fetch(f"{query} ORDER BY ALL").to_pylist()
    assert [f"{row['date']} {row['p']}" for row in found] == seen_of_one


def test_the_day_itself_is_seen_and_the_next_is_not(engine: Engine) -> None:
    with engine.session(Stop(30)) as session:
        found = seen(session, Objectors(patients_until={1: date(2020, 6, 15)}))
    (only,) = [row for row in found["consultations"] if row[0] == 1]
    assert date(2020, 6, 15) in only


def test_a_fresh_linkage_tells_nothing_of_who_objected_to_the_future_before(engine: Engine) -> None:
    """Nor does a stay that began before the day tell when it ended."""
    with engine.session(Stop(30)) as session:
        seen(session, Objectors(patients_until=dict.fromkeys(range(1, 6), date(2020, 6, 1))))
        link = session.fetch(
            "SELECT __patient AS p, death_month FROM temp.main.snds_link ORDER BY p"
        ).to_pylist()
        stays = "SELECT exit_date, length_days AS n FROM temp.main.snds_stays WHERE __patient = "
        of_one, of_two = (session.fetch(f"{stays}{who}").to_pylist() for who in (1, 2))
    assert link == [{"p": 1, "death_month": None}, {"p": 2, "death_month": date(2020, 5, 1)}]
    assert of_one == [{"exit_date": None, "n": None}]
    assert of_two == [{"exit_date": date(2020, 6, 1), "n": 1}]


@pytest.mark.parametrize(
    ("until", "last"), [(date(2020, 5, 31), 5), (date(2020, 6, 29), 5), (date(2020, 6, 30), 6)]
)
def test_a_practices_month_is_seen_once_it_is_over(engine: Engine, until: date, last: int) -> None:
    with engine.session(Stop(30)) as session:
        seen(session, Objectors(physicians_until={1: until}))
        found = session.fetch("SELECT month FROM temp.main.practice_months WHERE __physician = 1").to_pylist()
    assert max(row["month"].month for row in found) == last


NO_EVENT = {("patients", "birth_month")}
LEARNT = date(2020, 12, 1)


def later_columns(name: str) -> list[str]:
    """The columns that hold a day other than the one a row is dated by."""
    table = CATALOGUE.tables[name]
    days = [column.name for column in table.columns if column.dtype in ("date", "timestamp")]
    return [
        day for day in days if day not in (table.date, DATED_BY.get(name)) and (name, day) not in NO_EVENT
    ]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A row a table of one person, which began before the day; all else of it was learnt after."""
    directory = tmp_path_factory.mktemp("learnt")
    with build_snapshot(directory, source="preset A", synthetic=True, public=False) as building:
        building.connection.execute("INSERT INTO centres (centre_id) VALUES ('C01')")
        building.connection.execute("INSERT INTO physicians (physician_no, centre_id) VALUES (1, 'C01')")
        for name in PERSONS:
            dated = DATED_BY.get(name) or CATALOGUE.tables[name].date
            given = {
                **dict.fromkeys(later_columns(name), LEARNT),
                **({dated: date(2020, 1, 1)} if dated else {}),
            }
            columns = ", ".join(["patient_no, physician_no", *given])
            values = ", ".join(["1, 1", *(f"DATE '{day}'" for day in given.values())])
            building.connection.execute(f"INSERT INTO {name} ({columns}) VALUES ({values})")
        return building.finish(date(2021, 12, 31), date(2015, 1, 1), date(2021, 12, 31))


def shown_days(snapshot: Snapshot, name: str, objectors: Objectors) -> list[tuple[object, ...]]:
    days = ", ".join(later_columns(name))
    with (
        closing(Engine(snapshot.database, EngineLimits(2**28, 1))) as opened,
        opened.session(Stop(30)) as asked,
    ):
        furnish(asked, Room(CATALOGUE, GRANT, objectors, None), [CATALOGUE.tables[name]])
        rows = asked.fetch(f"SELECT {days} FROM temp.main.{name}").to_pylist()
    return [tuple(row.values()) for row in rows]


def kept_days(snapshot: Snapshot, name: str, objector: Objector) -> list[tuple[object, ...]]:
    days = ", ".join(later_columns(name))
    with duckdb.connect(":memory:") as copy:
        copy.execute(f"ATTACH '{snapshot.database}' AS given (READ_ONLY)")
        copy.execute("COPY FROM DATABASE given TO memory")
        purge_objectors(copy, CATALOGUE, [objector])
        return copy.execute(f"SELECT {days} FROM {name}").fetchall()


@pytest.mark.parametrize("name", [name for name in PERSONS if later_columns(name)])
def test_every_day_of_a_person_that_the_catalogue_has_is_under_the_objection(
    learnt: Snapshot, name: str
) -> None:
    """A new column with a date needs a rule in the gateway and in purging, or to be no event."""
    until = date(2020, 6, 15)
    assert set(shown_days(learnt, name, Objectors())) == {(LEARNT,) * len(later_columns(name))}
    shown = shown_days(learnt, name, Objectors(patients_until={1: until}))
    assert len(shown) == 1 and all(day is None or day <= until for day in shown[0])  # type: ignore[operator]
    assert shown == kept_days(learnt, name, Objector(Kind.PATIENT, 1, until))
