"""When each practice was there: from its first good export to its last, without what it did not record.

A practice is a GP with the patients of theirs. An export covers the days from its first event to its last, up
to the day it was made; one that says it has no rows covers none. A history or a vaccination noted from memory
is dated before the practice was there: nothing is covered before its first contact. Stretches no more than
`bridged` days apart are one. What lies between two others is a change of software where the software differs,
else silence.

Silence is told by contacts: a patient of the practice on a day, by its consultations, or by whatever it
records where it records none. The practice's usual month is the upper quartile of its fully covered months
with any contact, among the `neighbours` months before and after: growth, holidays and long silences hardly
move it. A month is quiet with at most `share` of the usual, in proportion to its covered days. Quiet months
in a row are silence where `least` contacts were to be expected in them: so a small practice's empty month is
no silence, and a large one's is. Where a practice was never usual, its export is believed.

Leading silence is before the first good export, and trailing silence after the last. Silence begins after the
last contact of the month before it, and ends with the first contact of the month after.

Leaves the temporary table `practice_spans` and fills `practice_months`. A practice all of whose patients came
with periods of their own is in neither.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

import duckdb

RECORDED: Final = (
    "consultations",
    "diagnoses",
    "reasons",
    "procedures",
    "prescriptions",
    "biometrics",
    "lab_results",
)
NO_PHYSICIAN: Final = -1  # the practice of those without one


@dataclass(frozen=True)
class Observing:
    """How silence and absence are told; the defaults are the method's, a site may choose others."""

    share: float = 0.2  # of the usual contacts: at most so many are quiet
    least: float = 20.0  # contacts to be expected before quiet months are silence
    neighbours: int = 24  # months on either side, among which the usual is found
    bridged: int = 31  # days between two exports that are no gap
    awaited: int = 12  # months after its last export that a practice still counts as expected
    grace: int = 730  # days without contact after which a patient is no longer observed


def find_practices(connection: duckdb.DuckDBPyConnection, last: date, observing: Observing) -> None:
    """Lay out the practices' months and spans, in a database whose data end on `last`."""
    for statement in _STATEMENTS:
        given = {"last": last} | asdict(observing)
        connection.execute(
            statement, {name: value for name, value in given.items() if f"${name}" in statement}
        )


def drop_practices(connection: duckdb.DuckDBPyConnection) -> None:
    for name in _TEMPORARY:
        connection.execute(f"DROP TABLE IF EXISTS {name}")


_TEMPORARY: Final = (
    *("practice_patients", "practice_contacts", "practice_stretches", "practice_calendar", "practice_spans"),
)

# Whose observation is to be found out, and under which practice.
_PATIENTS: Final = f"""
    CREATE OR REPLACE TEMP TABLE practice_patients AS
    SELECT patient_no, coalesce(physician_no, {NO_PHYSICIAN}) AS practice
    FROM patients ANTI JOIN (SELECT DISTINCT patient_no FROM observation_periods) USING (patient_no)
"""  # noqa: S608

_CONTACTS: Final = """
    CREATE OR REPLACE TEMP TABLE practice_contacts AS
    SELECT practice, CAST(date_trunc('month', date) AS DATE) AS month, count(*) AS contacts,
        min(date) AS first_day, max(date) AS last_day
    FROM (SELECT DISTINCT patient_no, date FROM consultations WHERE date <= $last)
        JOIN practice_patients USING (patient_no)
    GROUP BY ALL
"""
_ANY: Final = " UNION ".join(f"SELECT patient_no, date FROM {table}" for table in RECORDED)  # noqa: S608
_OTHER_CONTACTS: Final = f"""
    INSERT INTO practice_contacts
    SELECT practice, CAST(date_trunc('month', date) AS DATE), count(*), min(date), max(date)
    FROM ({_ANY}) JOIN practice_patients USING (patient_no)
    WHERE date <= $last AND practice NOT IN (SELECT practice FROM practice_contacts)
    GROUP BY ALL
"""  # noqa: S608

# What the exports cover, run together.
_STRETCHES: Final = f"""
    CREATE OR REPLACE TEMP TABLE practice_stretches AS
    WITH begun AS (
        SELECT practice, min(first_day) AS first_day FROM practice_contacts GROUP BY practice
    ), exported AS (
        SELECT *, coalesce(physician_no, {NO_PHYSICIAN}) AS practice FROM exports
    ), good AS (
        SELECT practice, software, greatest(first_event, first_day) AS first,
            least(last_event, exported_on, $last) AS last
        FROM exported LEFT JOIN begun USING (practice)
        WHERE coalesce(row_count, 1) > 0 AND last_event IS NOT NULL
            AND greatest(first_event, first_day) <= least(last_event, exported_on, $last)
            AND practice IN (SELECT practice FROM practice_patients)
    ), reached AS (
        SELECT *, max(last) OVER before AS till, arg_max(software, last) OVER before AS software_till
        FROM good
        WINDOW before AS (
            PARTITION BY practice ORDER BY first, last, software
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
    ), opened AS (
        SELECT *, coalesce(first > till + CAST($bridged AS INTEGER) + 1, true) AS opens FROM reached
    ), numbered AS (
        SELECT *, count(*) FILTER (opens)
            OVER (PARTITION BY practice ORDER BY first, last, software ROWS UNBOUNDED PRECEDING) AS stretch
        FROM opened
    )
    SELECT practice, stretch, min(first) AS first, max(last) AS last,
        any_value(CASE WHEN software != software_till THEN 'software_gap' ELSE 'silence' END)
            FILTER (opens) AS why
    FROM numbered GROUP BY ALL
"""  # noqa: S608

# One row a practice and month: what is covered, what was recorded, what is usual.
_CALENDAR: Final = """
    CREATE OR REPLACE TEMP TABLE practice_calendar AS
    WITH bounds AS (
        SELECT practice, min(first) AS first, max(last) AS last,
            least(max(last) + to_months(CAST($awaited AS INTEGER)), $last) AS until
        FROM practice_stretches GROUP BY practice
    ), months AS (
        SELECT practice, CAST(unnest(
            generate_series(date_trunc('month', first), until, INTERVAL 1 MONTH)
        ) AS DATE) AS month
        FROM bounds
    ), covered AS (
        SELECT m.practice, month, any_value(stretch) AS stretch,
            coalesce(sum(least(s.last, last_day(month)) - greatest(s.first, month) + 1)
                FILTER (s.practice IS NOT NULL), 0) AS days
        FROM months m LEFT JOIN practice_stretches s
            ON s.practice = m.practice AND s.first <= last_day(month) AND s.last >= month
        GROUP BY ALL
    ), counted AS (
        SELECT v.*, coalesce(contacts, 0) AS contacts, first_day, last_day,
            days / day(last_day(month)) AS part
        FROM covered v LEFT JOIN practice_contacts c USING (practice, month)
    ), usual AS (
        SELECT *, part * quantile_cont(contacts, 0.75) FILTER (part = 1 AND contacts > 0) OVER (
            PARTITION BY practice ORDER BY month
            RANGE BETWEEN to_months(CAST($neighbours AS INTEGER)) PRECEDING
                AND to_months(CAST($neighbours AS INTEGER)) FOLLOWING
        ) AS expected
        FROM counted
    ), quiet AS (
        SELECT *, days > 0 AND coalesce(contacts <= $share * expected, false) AS quiet FROM usual
    ), runs AS (
        SELECT *, row_number() OVER (PARTITION BY practice ORDER BY month)
            - row_number() OVER (PARTITION BY practice, quiet ORDER BY month) AS run
        FROM quiet
    ), judged AS (
        SELECT *, days > 0
            AND NOT (quiet AND sum(expected) OVER (PARTITION BY practice, quiet, run) >= $least) AS reports
        FROM runs
    )
    SELECT practice, month, stretch, first_day, last_day, reports,
        count(*) FILTER (NOT reports)
            OVER (PARTITION BY practice ORDER BY month ROWS UNBOUNDED PRECEDING) AS breaks
    FROM judged
"""

# Months in a row in which the practice reported, to the day: how observation of its patients may run.
_SPANS: Final = """
    CREATE OR REPLACE TEMP TABLE practice_spans AS
    WITH runs AS (
        SELECT practice, stretch, min(month) AS first_month, max(month) AS last_month,
            arg_min(first_day, month) AS first_day, arg_max(last_day, month) AS last_day
        FROM practice_calendar WHERE reports GROUP BY practice, stretch, breaks
    ), dated AS (
        SELECT r.practice, r.stretch,
            CASE WHEN s.first >= first_month THEN s.first ELSE coalesce(first_day, first_month) END
                AS start_date,
            CASE WHEN s.last <= last_day(last_month) THEN s.last
                ELSE coalesce(last_day, last_day(last_month)) END AS end_date
        FROM runs r JOIN practice_stretches s USING (practice, stretch)
    ), led AS (
        SELECT *, lead(stretch) OVER (PARTITION BY practice ORDER BY start_date) AS following FROM dated
    )
    SELECT l.practice, start_date, end_date,
        CASE WHEN following = l.stretch THEN 'silence' ELSE why END AS why
    FROM led l LEFT JOIN practice_stretches n ON n.practice = l.practice AND n.stretch = following
"""

_MONTHS: Final = f"""
    INSERT INTO practice_months BY NAME
    WITH nearest AS (
        SELECT c.*, s.why FROM practice_calendar c ASOF LEFT JOIN practice_stretches s
            ON s.practice = c.practice AND s.first > last_day(c.month)
    ), good AS (
        SELECT practice, min(start_date) AS since FROM practice_spans GROUP BY practice
    )
    SELECT practice AS physician_no, p.centre_id, month,
        CASE WHEN reports THEN 'reporting' WHEN stretch IS NULL AND why = 'software_gap' THEN 'software_gap'
            ELSE 'silent' END AS activity
    FROM nearest JOIN good USING (practice) LEFT JOIN physicians p ON p.physician_no = practice
    WHERE practice != {NO_PHYSICIAN} AND month >= date_trunc('month', since)
        AND (month <= (SELECT max(end_date) FROM practice_spans s WHERE s.practice = nearest.practice)
            OR practice NOT IN (SELECT physician_no FROM objections WHERE physician_no IS NOT NULL))
    ORDER BY practice, month
"""  # noqa: S608

_STATEMENTS: Final = (_PATIENTS, _CONTACTS, _OTHER_CONTACTS, _STRETCHES, _CALENDAR, _SPANS, _MONTHS)
