"""What several of the ten questions need by hand, in pandas and in SQL: who entered when, and until when they
were observed. Its lines count with each question that uses it, since a thesis stands by itself.

The rules are those of `p4dp_sdk.cohorts.compile`: the first event of the record, inside of an observation
period and observed through the washout; out at death (the last day of its month), at the end of observation
or of the data, or at the end of the follow-up.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

LAST: Final = "2022-12-31"


def entered(f: Any, events: pd.DataFrame, first: str, last: str, washout: int) -> pd.DataFrame:
    index = events.groupby("patient_id", as_index=False).date.min().rename(columns={"date": "t0"})
    index = index[index.t0.between(first, last)]
    around = index.merge(f.observation_periods, on="patient_id")
    around = around[(around.start_date <= around.t0) & (around.end_date >= around.t0)]
    around = around.groupby(["patient_id", "t0"], as_index=False).agg(
        start=("start_date", "min"), end=("end_date", "max")
    )
    around = around[around.start <= around.t0 - pd.DateOffset(months=washout)]
    rows = around.merge(f.patients[["patient_id", "sex", "birth_month", "death_month"]], on="patient_id")
    age = rows.t0.dt.year - rows.birth_month.dt.year
    return rows.assign(age=age - (rows.t0.dt.month < rows.birth_month.dt.month))


def followed(rows: pd.DataFrame, months: int) -> pd.DataFrame:
    """With the day they leave, and whether that is the planned one."""
    died = rows.death_month + pd.offsets.MonthEnd(0)
    planned = rows.t0 + pd.DateOffset(months=months)
    data = pd.Series(pd.Timestamp(LAST), index=rows.index)
    out = pd.concat([planned, rows.end, died, data], axis=1).min(axis=1)
    whole = (planned == out) & (rows.end > out) & ~(died <= out)
    return rows.assign(died=died, out=out, whole=whole)


ENTERED: Final = """
first_event AS (
    SELECT patient_id, min(date) AS t0 FROM events GROUP BY patient_id
), around AS (
    SELECT patient_id, t0, min(start_date) AS start, max(end_date) AS finish
    FROM first_event
    JOIN observation_periods USING (patient_id)
    WHERE t0 BETWEEN start_date AND end_date
      AND t0 BETWEEN DATE '{first}' AND DATE '{last}'
    GROUP BY patient_id, t0
), entered AS (
    SELECT patient_id, t0, finish, sex, death_month,
           last_day(death_month) AS died,
           year(t0) - year(birth_month) - (month(t0) < month(birth_month))::INTEGER AS age
    FROM around
    JOIN patients USING (patient_id)
    WHERE start <= t0 - INTERVAL {washout} MONTH
)"""

FOLLOWED: Final = """
bounded AS (
    SELECT *, t0 + INTERVAL {months} MONTH AS planned,
           least(planned, finish, died, DATE '2022-12-31') AS leaves
    FROM entered
), followed AS (
    SELECT *, planned = leaves AND finish > leaves AND coalesce(died > leaves, true) AS whole
    FROM bounded
)"""
