"""A warehouse of five million patients and a hundred million diagnoses, for benchmarks only.

Made inside the engine from `range()` and hashes, so that it takes minutes: 690 codes of which few are common,
2,000 GPs in 35 centres, the years 2000 to 2022, two rows in three of a patient's second and later diagnoses a
repetition. The same numbers give the same rows. Nothing medical can be learnt from it: see
`hub_config.warehouse.synthesis` for people who look real.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.snapshot import Snapshot, build_snapshot

CODES: Final = 690
_FIRST, _LAST = date(2000, 1, 1), date(2022, 12, 31)
_DAYS: Final = (_LAST - _FIRST).days + 1
_ONE: Final = "18446744073709551616.0"  # 2^64


@dataclass(frozen=True)
class Size:
    patients: int = 5_000_000
    physicians: int = 2_000
    centres: int = 35
    diagnoses: int = 20  # a patient, in the mean
    consultations: int = 4
    lab_results: int = 4


def build(warehouse: Path, size: Size | None = None) -> Snapshot:
    """A snapshot of `size`, facts sorted by patient."""
    size = size or Size()
    source = f"{size.patients:,} patients for benchmarks"
    with build_snapshot(warehouse, source=source, synthetic=True, public=False) as building:
        _list(building.connection, "code", building.catalogue.code_systems["cisp2"].codes, CODES)
        _list(building.connection, "analyte", building.catalogue.code_systems["analyte"].codes, 31)
        for statement in _STATEMENTS:
            building.connection.execute(statement(size))
        building.connection.execute("DROP TABLE codes; DROP TABLE analytes")
        return building.finish(_LAST, _FIRST, _LAST)


def _list(connection: duckdb.DuckDBPyConnection, name: str, codes: object, most: int) -> None:
    """A numbered list of codes, evenly chosen."""
    every = sorted(code.code for code in codes)  # type: ignore[attr-defined]
    chosen = [every[i * len(every) // most] for i in range(most)]
    connection.register("given", pa.table({"number": range(most), name: chosen}))
    connection.execute(f"CREATE TABLE {name}s AS SELECT CAST(number AS INTEGER) AS number, {name} FROM given")
    connection.unregister("given")


def chance(what: int, patient: str = "patient_no", row: str = "0") -> str:
    """A number from 0 to 1, drawn by hashing whose, which and what. Hashes of one number are independent, of
    several together they are not."""
    return f"(hash({what} * 10_000_000_000_000 + {patient} * 1_000 + {row}) / {_ONE})"


def _centre(physician: str, size: Size) -> str:
    return f"'C' || lpad(CAST({physician} % {size.centres} + 1 AS VARCHAR), 2, '0')"


def _centres(size: Size) -> str:
    return (
        f"INSERT INTO centres BY NAME SELECT {_centre('i', size)} AS centre_id, 'R' || (i % 7 + 1) AS region,"
        f" 'Centre ' || (i + 1) AS label FROM range({size.centres}) t(i)"
    )


def _physicians(size: Size) -> str:
    return (
        f"INSERT INTO physicians BY NAME SELECT i AS physician_no, {_centre('i', size)} AS centre_id,"
        f" 'F' AS sex, '40-49' AS age_band FROM range({size.physicians}) t(i)"
    )


def _patients(size: Size) -> str:
    drawn = (
        f"SELECT i AS patient_no, if({chance(3, 'i')} < 0.53, 'F', 'M') AS sex,"
        f" CAST(floor({size.physicians} * {chance(1, 'i')} ** 1.3) AS INTEGER) AS physician_no,"
        f" CAST(floor(98 * {chance(2, 'i')} ** 0.8) AS INTEGER) AS age FROM range({size.patients}) t(i)"
    )
    return (
        f"INSERT INTO patients BY NAME SELECT patient_no, physician_no, {_centre('physician_no', size)} AS"
        f" centre_id, sex, age, date_trunc('month', DATE '{_LAST}' - to_years(age)) AS birth_month,"
        f" if(age >= 90, '90+', (age // 10) || '0-' || (age // 10) || '9') AS age_band FROM ({drawn})"
    )


def _objections(size: Size) -> str:
    return (
        "INSERT INTO objections BY NAME SELECT CAST(i * 4999 AS BIGINT) AS patient_no,"
        f" DATE '2020-01-01' AS recorded_on FROM range({size.patients // 50_000}) t(i)"
    )


def _rows(mean: int, kind: int) -> str:
    """Each patient's rows by number `k`; how many, is spread about the mean like a waiting time."""
    rows = f"CAST(least(400, floor(-{mean + 0.5} * ln(1e-9 + {chance(kind)}))) AS BIGINT)"
    return f"(SELECT patient_no, physician_no, centre_id, age, unnest(range({rows})) AS k FROM patients)"


def _day(kind: int) -> str:
    return f"DATE '{_FIRST}' + CAST(floor({_DAYS} * {chance(kind, row='k')}) AS INTEGER)"


def _diagnoses(size: Size) -> str:
    illness = f"if({chance(11, row='k')} < 0.5, k // 3, k)"
    number = f"CAST(floor({CODES} * {chance(12, row=illness)} ** 3) AS INTEGER)"
    return (
        "INSERT INTO diagnoses BY NAME SELECT 1000 * patient_no + k AS consultation_id, patient_no,"
        f" physician_no, centre_id, {_day(13)} AS date, code AS cisp2,"
        f" if(k % 4 = 3, 'automatic', 'manual') AS coding_source"
        f" FROM (SELECT *, {number} AS number FROM {_rows(size.diagnoses, 10)}) JOIN codes USING (number)"
    )


def _consultations(size: Size) -> str:
    return (
        "INSERT INTO consultations BY NAME SELECT 1000 * patient_no + k AS consultation_id, patient_no,"
        f" physician_no, centre_id, {_day(21)} AS date,"
        f" if({chance(22, row='k')} < 0.1, 'home', 'office') AS type"
        f" FROM {_rows(size.consultations, 20)}"
    )


def _lab_results(size: Size) -> str:
    number = f"CAST(floor(31 * {chance(31, row='k')} ** 1.5) AS INTEGER)"
    value = f"round((number + 1) * (1 + age / 200 + {chance(32, row='k')}), 1)"
    return (
        "INSERT INTO lab_results BY NAME SELECT patient_no, physician_no, centre_id,"
        f" {_day(33)} AS date, analyte, {value} AS value, 'ok' AS dq_code"
        f" FROM (SELECT *, {number} AS number FROM {_rows(size.lab_results, 30)})"
        " JOIN analytes USING (number)"
    )


_STATEMENTS: Final = (
    _centres,
    _physicians,
    _patients,
    _objections,
    _diagnoses,
    _consultations,
    _lab_results,
)
