"""What a question sees of whom: before an objection, after it, and what the next snapshot is made without.

Purging a copy of the warehouse is the reference: what the gateway hides in an old snapshot is what the next
one lacks, table by table. Each engine is asked the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway import objecting
from hub_config.gateway.authorise import held_by
from hub_config.gateway.binding import Room, furnish
from hub_config.gateway.engine import Engine, EngineLimits, Session
from hub_config.gateway.stopping import Stop
from hub_config.governance.facts import AccessLevel, Grant, Objectors
from hub_config.warehouse.derived.until import Stored, tabled
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
# the other time. Patients 6 to 8 are GP 2's: 6 and 7 were first seen in July 2020, though of 7 something is
# known from before; 8 was observed twice.
FILLED = """
INSERT INTO centres (centre_id) VALUES ('C01');
INSERT INTO physicians (physician_no, centre_id) VALUES (1, 'C01'), (2, 'C01');
INSERT INTO patients (patient_no, physician_no, centre_id, death_month, death_source) VALUES
    (1, 1, 'C01', '2020-06-01', 'record'), (2, 1, 'C01', '2020-05-01', 'record'), (3, 2, 'C01', NULL, NULL),
    (4, 2, 'C01', NULL, NULL), (5, NULL, 'C01', NULL, NULL), (6, 2, 'C01', NULL, NULL),
    (7, 2, 'C01', NULL, NULL), (8, 2, 'C01', NULL, NULL);
INSERT INTO consultations (patient_no, physician_no, centre_id, date) VALUES
    (1, 1, 'C01', '2020-06-15'), (1, 1, 'C01', '2020-06-16'), (2, 1, 'C01', NULL),
    (3, 2, 'C01', '2020-01-01'), (3, 1, 'C01', '2020-07-01'), (4, 2, 'C01', '2020-06-16'),
    (5, NULL, 'C01', '2020-02-29'), (5, 1, 'C01', '2020-06-30'), (6, 2, 'C01', '2020-07-15'),
    (7, 2, 'C01', '2020-07-16');
INSERT INTO vaccinations (patient_no, physician_no, centre_id, date, date_precision) VALUES
    (1, 1, 'C01', '2020-06-01', 'day'), (1, 1, 'C01', '2020-06-01', 'month'),
    (1, 1, 'C01', '2020-05-01', 'month'), (1, 1, 'C01', '2020-01-01', 'year'),
    (2, 1, 'C01', '2019-01-01', 'year'), (3, 2, 'C01', '2019-01-01', 'unknown'),
    (4, 2, 'C01', '2020-06-01', NULL), (5, NULL, 'C01', NULL, 'month'),
    (7, 1, 'C01', '2019-01-01', 'year');
INSERT INTO observation_periods (patient_no, physician_no, centre_id, start_date, end_date, end_reason)
    SELECT patient_no, coalesce(physician_no, 2), 'C01', DATE '2015-01-01', DATE '2020-12-31', 'last_export'
    FROM patients WHERE patient_no < 6;
UPDATE observation_periods SET end_date = '2020-11-11', end_reason = 'inactive' WHERE patient_no = 3;
UPDATE observation_periods SET end_date = '2020-06-30', end_reason = 'death' WHERE patient_no = 1;
INSERT INTO observation_periods (patient_no, physician_no, centre_id, start_date, end_date, end_reason) VALUES
    (6, 2, 'C01', '2020-07-15', '2020-12-31', 'last_export'), (7, 2, 'C01', '2020-07-16', NULL, NULL),
    (8, 2, 'C01', '2015-01-01', '2020-05-20', 'software_gap'),
    (8, 2, 'C01', '2020-06-10', '2020-12-31', 'last_export');
INSERT INTO exports (physician_no, exported_on, last_event) VALUES
    (1, '2020-06-01', '2020-05-29'), (1, '2020-12-31', '2020-12-31'), (2, '2020-12-31', NULL);
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


def seen(session: Session, objectors: Objectors, lacking: frozenset[str] = frozenset()) -> Rows:
    """What one question is given, by the gateway's own binding, of a snapshot that lacks these tables."""
    held = {name: table for name, table in CATALOGUE.tables.items() if name not in lacking}
    room = Room(replace(CATALOGUE, tables=held), GRANT, objectors, None)
    names = [name for name in NAMES if name in held]
    furnish(session, room, [held[name] for name in names])
    found = {}
    for name in names:
        hidden = "__physician" if name in PHYSICIANS else "__patient, __physician"
        rows = session.fetch(f'SELECT {hidden}, {shown_of(name)} FROM temp.main."{name}"').to_pylist()
        found[name] = sorted((tuple(row.values()) for row in rows), key=repr)
    return found


def kept(
    copied: duckdb.DuckDBPyConnection, objectors: list[Objector], lacking: frozenset[str] = frozenset()
) -> Rows:
    """What a snapshot made without them holds."""
    copied.execute("BEGIN")
    try:
        for name in lacking:
            copied.execute(f"DROP TABLE {name}")
        purge_objectors(copied, CATALOGUE, objectors)
        return {name: _stored(copied, name) for name in NAMES if name not in lacking}
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
        st.builds(Objector, st.just(Kind.PATIENT), st.integers(1, 9), st.sampled_from([None, *DAYS])),
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


@pytest.mark.parametrize(
    ("lacking", "day"),
    [  # a day each, since what was found out of a snapshot is kept
        ({"exports"}, date(2020, 6, 12)),
        ({"observation_periods"}, date(2020, 6, 13)),
        ({"exports", "observation_periods"}, date(2020, 6, 14)),
    ],
)
def test_a_snapshot_older_than_a_table_is_asked_all_the_same(
    engine: Engine, copied: duckdb.DuckDBPyConnection, lacking: set[str], day: date
) -> None:
    objectors = [Objector(Kind.PATIENT, 1, day), Objector(Kind.PHYSICIAN, 2, day)]
    with engine.session(Stop(30)) as session:
        found = seen(session, as_facts(objectors), frozenset(lacking))
    assert found == kept(copied, objectors, frozenset(lacking))
    assert 6 not in {row[0] for row in found["patients"]}


@pytest.mark.parametrize(
    ("name", "column", "day"),
    [  # a day each, since what was found out of a snapshot is kept
        ("exports", "last_event", date(2020, 6, 17)),
        ("exports", "exported_on", date(2020, 6, 18)),
        ("observation_periods", "end_reason", date(2020, 6, 19)),
        ("observation_periods", "end_date", date(2020, 6, 20)),
    ],
)
def test_a_snapshot_older_than_a_column_hides_no_less(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str, column: str, day: date
) -> None:
    """What it lacks is as if it were unknown: nothing of after the day is shown of who objected."""
    narrowed = held_by(CATALOGUE, {each: _columns_but(each, name, column) for each in CATALOGUE.tables})
    assert not narrowed.tables[name].has(column)
    monkeypatch.setattr(f"{__name__}.CATALOGUE", narrowed)
    objectors = [Objector(Kind.PATIENT, 1, day), Objector(Kind.PHYSICIAN, 2, day)]
    with engine.session(Stop(30)) as session:
        found = seen(session, as_facts(objectors))
    theirs = [row for row in found["observation_periods"] if row[0] in (1, 3, 4, 8)]
    assert theirs and all(each <= day for row in theirs for each in row if isinstance(each, date))
    assert 6 not in {row[0] for row in found["patients"]}


def _columns_but(table: str, name: str, column: str) -> set[str]:
    stored = {each.stored_as for each in CATALOGUE.tables[table].columns}
    return stored - {column} if table == name else stored


def test_who_objected_is_noted_in_an_order_of_its_own(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are kept are told by it: the order in which an engine gives a GP's patients says nothing."""
    of = objecting._patients_of
    noted = []
    for way in (1, -1):
        monkeypatch.setattr(objecting, "_patients_of", lambda *given, way=way: of(*given)[::way])
        with engine.session(Stop(30)) as session:
            seen(session, Objectors(frozenset({5}), frozenset({1, 2})))
            noted.append(session.fetch("SELECT patient_no FROM temp.main.objecting_patients"))
    assert noted[0].equals(noted[1]) and noted[0].num_rows > 5


def test_nobody_objects_and_everything_is_shown(engine: Engine, copied: duckdb.DuckDBPyConnection) -> None:
    with engine.session(Stop(30)) as session:
        found = seen(session, Objectors())
    assert found == kept(copied, []) and len(found["patients"]) == 8 and len(found["vaccinations"]) == 9


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


@pytest.mark.parametrize("defended", [False, True], ids=["by-dates-alone", "for-real"])
def test_who_was_first_seen_after_the_day_is_not_there(
    engine: Engine, copied: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    """Patients of a GP who objected to the future; what is known of one of them from before stays."""
    day = date(2020, 6, 15)
    if not defended:
        monkeypatch.setattr(objecting, "_exclude_since", lambda session, *_: known_nothing(session))
    with engine.session(Stop(30)) as session:
        found = seen(session, Objectors(physicians_until={2: day}))
    there = [row[0] for row in found["patients"]]
    assert (6 in there) is not defended
    assert 7 in there and 6 not in {row[0] for row in found["observation_periods"]}
    assert (found == kept(copied, [Objector(Kind.PHYSICIAN, 2, day)])) is defended


def known_nothing(session: Session) -> bool:
    session.store("periods_until", tabled(Stored(NOTHING, NOTHING, NOTHING), {}, {}))
    return False


NOTHING = pa.table({"practice": pa.array([], pa.int64())})


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
