"""Observation periods: from the exports where the source has none of its own; and they end with life and with
the data, whatever the source said.

Where they are found out, a patient is observed while the practice was there (`derived.practices`), from the
first thing recorded of them on. A patient seen in the last `grace` days of the practice, or of life, is
observed to that end: absence is their health. Who was not has left, with the last thing recorded. So a period
ends for the practice's change of software or silence, for its last export or withdrawal, for death, or for
the patient's own inactivity. Nothing recorded while the practice was there: never observed.

Death is known to the month. A period ends on the last day of that month at the latest, and its `end_reason`
is `death` where its end lies in that month or later: a practice that closes the record on the day of death is
believed. None ends after the last day of the data, where the source was last exported; what starts after
either is no observation. So whoever asks why and when somebody's observation ended asks one column each, and
need not put death, exports and periods together again.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import duckdb

from hub_config.warehouse.derived.practices import RECORDED, Observing, drop_practices, find_practices
from p4dp_sdk.catalogue.model import Table

_BOUNDED: Final = "observation bounded"
_SEEN: Final = """
    SELECT o.rowid AS place, o.start_date > least(last_day(p.death_month), $last) AS late,
        least(o.end_date, last_day(p.death_month), $last) AS till,
        CASE
            WHEN p.death_month <= least(o.end_date, $last) THEN 'death'
            WHEN o.end_date > $last THEN 'last_export'
            ELSE o.end_reason
        END AS why
    FROM observation_periods o LEFT JOIN patients p USING (patient_no)
"""

_ANYTHING: Final = " UNION ALL ".join(
    f"SELECT patient_no, min(date) AS first, max(date) AS last FROM {table} WHERE date <= $last GROUP BY 1"  # noqa: S608
    for table in RECORDED
)
_DERIVED: Final = f"""
    INSERT INTO observation_periods BY NAME
    WITH seen AS (
        SELECT patient_no, min(first) AS first, max(last) AS last FROM ({_ANYTHING}) GROUP BY 1
    ), ends AS (
        SELECT practice, max(end_date) AS closed, bool_or(o.physician_no IS NOT NULL) AS withdrawn
        FROM practice_spans LEFT JOIN objections o ON o.physician_no = practice GROUP BY 1
    ), persons AS (
        SELECT p.patient_no, p.physician_no, p.centre_id, practice, seen.first, seen.last, withdrawn,
            least(closed, last_day(death_month)) AS reachable
        FROM patients p JOIN practice_patients USING (patient_no) JOIN seen USING (patient_no)
            JOIN ends USING (practice)
    ), judged AS (
        SELECT *, last >= reachable - CAST($grace AS INTEGER) AS active FROM persons
    ), bounded AS (
        SELECT *, CASE WHEN active THEN reachable ELSE last END AS till FROM judged
    )
    SELECT patient_no, physician_no, centre_id, greatest(first, s.start_date) AS start_date,
        least(till, s.end_date) AS end_date,
        CASE WHEN till > s.end_date THEN coalesce(why, 'last_export') WHEN NOT active THEN 'inactive'
            WHEN withdrawn THEN 'withdrawal' ELSE 'last_export' END AS end_reason
    FROM bounded JOIN practice_spans s USING (practice)
    WHERE greatest(first, s.start_date) <= least(till, s.end_date)
    ORDER BY patient_no, start_date
"""  # noqa: S608


def derive_observation(connection: duckdb.DuckDBPyConnection, last: date, observing: Observing) -> None:
    """Periods of the patients who have none, where there are exports, and the months of their practices."""
    if not connection.execute("SELECT count(*) FROM exports").fetchone() > (0,):
        return
    find_practices(connection, last, observing)
    connection.execute(_DERIVED, {"last": last, "grace": observing.grace})
    drop_practices(connection)


def name_death_sources(connection: duckdb.DuckDBPyConnection) -> None:
    """A death whose source was not named has an unknown one; who lives has none."""
    connection.execute(
        "UPDATE patients SET death_source = CASE WHEN death_month IS NOT NULL THEN 'unknown' END "
        "WHERE (death_source IS NULL) != (death_month IS NULL)"
    )


def bound_observation(connection: duckdb.DuckDBPyConnection, table: Table, last: date) -> None:
    """Shortens the periods of `table` to life and to the data, which end on `last`; rows that hold already
    are left as they lie."""
    connection.execute(f'CREATE TEMP TABLE "{_BOUNDED}" AS {_SEEN}', {"last": last})
    connection.execute(
        f"""
        DELETE FROM {table.name} WHERE rowid IN (SELECT place FROM "{_BOUNDED}" WHERE late)
        """  # noqa: S608
    )
    connection.execute(
        f"""
        UPDATE {table.name} SET end_date = till, end_reason = why FROM "{_BOUNDED}"
        WHERE {table.name}.rowid = place
            AND (end_date IS DISTINCT FROM till OR end_reason IS DISTINCT FROM why)
        """  # noqa: S608
    )
    connection.execute(f'DROP TABLE "{_BOUNDED}"')
