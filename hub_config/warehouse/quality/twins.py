"""How many patients may stand under two sources: counted, never listed, never joined.

Two patients of different GPs, of the same month of birth and sex, who share most of their smallest hashes of
laboratory results (day, analyte and exported text): min-wise hashing (Broder 1997), three hashes a patient,
so that memory is bounded by the number of patients. Laboratories send the same report to two practices; two
people rarely have the same results on the same days.
"""

from __future__ import annotations

from typing import Final

import duckdb

from hub_config.warehouse.ranges import patient_ranges

_HASHES: Final = 3  # kept of each patient; a patient with fewer results is never a twin
_SHARED: Final = 2  # of them with another patient

_SIGNED: Final = f"""
    INSERT INTO quality_signed
    WITH smallest AS (
        SELECT patient_no, list_distinct(min(hash(date, analyte, value_raw), {_HASHES})) AS hashes
        FROM lab_results WHERE value_raw IS NOT NULL AND patient_no BETWEEN $first AND $last
        GROUP BY patient_no
    )
    SELECT patient_no, p.physician_no, hash(sex, birth_month), unnest(hashes)
    FROM smallest JOIN patients p USING (patient_no)
    WHERE len(hashes) = {_HASHES} AND birth_month IS NOT NULL AND sex IS NOT NULL
"""  # noqa: S608
_TWINS: Final = f"""
    WITH several AS (
        SELECT person, hash FROM quality_signed GROUP BY ALL
        HAVING min(physician_no) < max(physician_no) AND count(*) < 20
    ), shared AS (
        SELECT person, hash, list(patient_no) AS patients
        FROM quality_signed SEMI JOIN several USING (person, hash) GROUP BY ALL
    ), pairs AS (
        SELECT a.patient_no AS one, b.patient_no AS other, count(*) AS hashes
        FROM (SELECT person, hash, unnest(patients) AS patient_no FROM shared) a
        JOIN (SELECT person, hash, unnest(patients) AS patient_no FROM shared) b
            ON a.person = b.person AND a.hash = b.hash AND a.patient_no <> b.patient_no
        GROUP BY ALL
    )
    SELECT count(DISTINCT one) FROM pairs
        JOIN patients p ON p.patient_no = one JOIN patients q ON q.patient_no = other
    WHERE hashes >= {_SHARED} AND p.physician_no IS DISTINCT FROM q.physician_no
"""  # noqa: S608


def count_twins(connection: duckdb.DuckDBPyConnection) -> int:
    """Patients who share most of their results with another one, of another GP."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE quality_signed "
        "(patient_no BIGINT, physician_no BIGINT, person UBIGINT, hash UBIGINT)"
    )
    for first, last in patient_ranges(connection, "lab_results"):
        connection.execute(_SIGNED, {"first": first, "last": last})
    row = connection.execute(_TWINS).fetchone()
    connection.execute("DROP TABLE quality_signed")
    return int(row[0]) if row else 0
