"""Observation periods end with life and with the data, whatever the source said.

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
