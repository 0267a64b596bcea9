"""`body_mass`: weight and height of one day by one GP, the body mass index, and its class.

Weights in kg and heights in cm that no quality rule set aside or doubts; of several on one day, the median.
Both are of one GP, so that an objection takes the row away whole. Classes: from 2.00 to 17.99 years those of
the IOTF by sex and month of age (`p4dp_sdk.catalogue.reference.iotf`), which leave thinness with the normal;
from 18 years those of the WHO (BMI 18.5, 25, 30; Technical Report Series 894, 2000). No class before 2 years,
nor where age, or a child's sex, is unknown. The month of birth stands for the day: ages are completed months
of the calendar.
"""

from __future__ import annotations

from typing import Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.ranges import patient_ranges
from p4dp_sdk.catalogue.model import Table
from p4dp_sdk.catalogue.reference.iotf import FIRST_MONTH, LAST_MONTH, load_cutoffs

_CUTOFFS: Final = "iotf_cutoffs"
_DOUBTED: Final = "copied_value"  # weight and height are one number: one of them is wrong

_MEASURED: Final = f"""
    SELECT patient_no, physician_no, centre_id, date,
        median(value) FILTER (measure = 'weight') AS weight,
        median(value) FILTER (measure = 'height') AS height
    FROM biometrics
    WHERE (measure, unit) IN (('weight', 'kg'), ('height', 'cm'))
        AND value > 0 AND dq_code IS DISTINCT FROM '{_DOUBTED}'
        AND patient_no BETWEEN $first AND $last
    GROUP BY ALL
"""  # noqa: S608
_SIZED: Final = """
    SELECT m.*, round(weight / ((height / 100) * (height / 100)), 6) AS bmi, sex,
        CASE WHEN date >= birth_month THEN datediff('month', birth_month, date) END AS age_months
    FROM measured m JOIN patients p USING (patient_no)
    WHERE weight IS NOT NULL AND height IS NOT NULL
"""
_STATUS: Final = f"""
    CASE
        WHEN s.age_months >= {LAST_MONTH} AND bmi < 18.5 THEN 'underweight'
        WHEN s.age_months >= {LAST_MONTH} AND bmi < 25 THEN 'normal'
        WHEN s.age_months >= {LAST_MONTH} AND bmi < 30 THEN 'overweight'
        WHEN s.age_months >= {LAST_MONTH} THEN 'obese'
        WHEN s.age_months >= {FIRST_MONTH} AND bmi < overweight THEN 'normal'
        WHEN s.age_months >= {FIRST_MONTH} AND bmi < obesity THEN 'overweight'
        WHEN s.age_months >= {FIRST_MONTH} AND bmi >= obesity THEN 'obese'
    END
"""


def derive_body_mass(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Fill the empty `table` from the snapshot's biometrics and patients. What lies outside the catalogue's
    bounds is no body, and is left out."""
    connection.register(_CUTOFFS, _cutoffs())
    for first, last in patient_ranges(connection, "biometrics"):
        connection.execute(_derivation(table), {"first": first, "last": last})
    connection.unregister(_CUTOFFS)


def _derivation(table: Table) -> str:
    return f"""
        INSERT INTO {table.name} BY NAME
        WITH measured AS ({_MEASURED}), sized AS ({_SIZED})
        SELECT patient_no, physician_no, centre_id, date, weight, height, bmi,
            s.age_months, {_STATUS} AS weight_status
        FROM sized s LEFT JOIN {_CUTOFFS} c ON c.sex = s.sex AND c.age_months = s.age_months
        WHERE {_plausible(table)}
        ORDER BY patient_no, date, physician_no
    """  # noqa: S608


def _plausible(table: Table) -> str:
    bounds = {name: table.column(name).bounds for name in ("weight", "height", "bmi")}
    return " AND ".join(f"{name} BETWEEN {pair[0]} AND {pair[1]}" for name, pair in bounds.items() if pair)


def _cutoffs() -> pa.Table:
    found = load_cutoffs()
    return pa.table(
        {
            "sex": [sex for sex, _ in found],
            "age_months": [month for _, month in found],
            "overweight": [each.overweight for each in found.values()],
            "obesity": [each.obesity for each in found.values()],
        }
    )
