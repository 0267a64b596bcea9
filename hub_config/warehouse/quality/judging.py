"""The quality rules applied to a snapshot being made: codes, corrected values, values set aside.

Each table is judged a range of patients at a time, so that memory is bounded by the range and not by the
table. Only rows whose exported text was kept are judged: nothing is corrected or set aside that could not be
read again. What somebody judged before (a loader, the synthesis) stays; `ok`, a converted or a missing unit
are no judgement of the value, and what was found out of range is looked at once more for its unit. The same
rows always get the same codes, in whatever order they lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.quality import rows
from hub_config.warehouse.quality.conditions import MEASURED, VACCINATIONS
from hub_config.warehouse.ranges import ROWS_AT_ONCE, Range, patient_ranges

KINDS: Final = {"biometrics": "measure", "lab_results": "analyte"}
COPIES: Final = {"biometrics": (("sbp", "dbp"),), "lab_results": (("chol", "hdl"), ("chol", "ldl"))}

_HANDED_OVER: Final = ("quality_heights", "quality_units", "quality_bounds")
_MADE: Final = (
    *("quality_changes", "quality_seen", "quality_with_units", "quality_prescribers"),
    *("quality_bad_heights", "quality_copied", "quality_treated", "quality_repeated"),
)


@dataclass(frozen=True)
class Judge:
    """Rules on the tables behind `connection`, whose data end on `last`."""

    connection: duckdb.DuckDBPyConnection
    last: date
    rows_at_once: int = ROWS_AT_ONCE

    def judge(self) -> None:
        """Judges every table that has rules which change rows."""
        self._hand_over("quality_heights", rows.heights())
        for table in KINDS:
            self._measurements(table)
        self._vaccinations()
        self._histories()
        self._clear()

    def _measurements(self, table: str) -> None:
        kind = KINDS[table]
        self._hand_over("quality_units", self._conversions(table, kind))
        self._make("quality_with_units", rows.with_units(table, kind))
        self._make("quality_prescribers", "SELECT DISTINCT physician_no FROM prescriptions")
        self._hand_over("quality_bounds", rows.bounds(table))
        code, heights = (rows.first_that_fires(table, MEASURED, kind) for kind in (None, "height"))
        with_values = "place BIGINT, code VARCHAR, value DOUBLE"
        for patients in self._ranges(table, with_values):
            self._make("quality_seen", rows.measurements_seen(table, kind, patients))
            self._make("quality_copied", rows.copied(COPIES[table]))
            self._make("quality_treated", rows.treated(patients))
            self._make("quality_repeated", rows.repeated("kind, value_raw, unit_raw"))
            self._make("quality_bad_heights", rows.bad_heights(heights), last=self.last)
            self._run(f"INSERT INTO quality_changes {rows.measurement_changes(code)}", last=self.last)
        self._apply(table, "dq_code = code, value = c.value")

    def _vaccinations(self) -> None:
        table = "vaccinations"
        for patients in self._ranges(
            table, "place BIGINT, code VARCHAR, atc VARCHAR, date_precision VARCHAR"
        ):
            self._make("quality_seen", rows.doses_seen(patients))
            self._make("quality_repeated", rows.repeated("atc, label_raw"))
            code = rows.first_that_fires(table, VACCINATIONS)
            self._run(
                f"""
                INSERT INTO quality_changes SELECT place, code,
                    CASE WHEN code <> 'dose_note' THEN atc END,
                    CASE WHEN code = 'year_precision' THEN 'year' ELSE date_precision END
                FROM (SELECT *, {code} AS code FROM quality_seen) WHERE code IS DISTINCT FROM dq_code
                """,  # noqa: S608
                last=self.last,
            )
        self._apply(table, "dq_code = code, atc = c.atc, date_precision = c.date_precision")

    def _histories(self) -> None:
        self._run(
            "UPDATE history SET date_precision = 'year' "
            "WHERE date_precision = 'day' AND month(date) = 1 AND day(date) = 1"
        )

    def _conversions(self, table: str, kind: str) -> pa.Table:
        """How each raw unit that occurs becomes the table's own; those that can't are listed too."""
        pairs = self._run(
            f"SELECT DISTINCT {kind}, unit, unit_raw FROM {table} WHERE unit_raw <> unit ORDER BY ALL"  # noqa: S608
        ).fetchall()
        return rows.converted(pairs)

    def _ranges(self, table: str, changes: str) -> Iterator[Range]:
        """Inclusive ranges of patient numbers, about `rows_at_once` rows each; the list of changes, empty."""
        self._run(f"CREATE OR REPLACE TEMP TABLE quality_changes ({changes})")
        yield from patient_ranges(self.connection, table, self.rows_at_once)

    def _apply(self, table: str, changed: str) -> None:
        self._run(
            f"UPDATE {table} SET {changed} FROM quality_changes c WHERE {table}.rowid = c.place"  # noqa: S608
        )

    def _clear(self) -> None:
        for name in _HANDED_OVER:
            self.connection.unregister(name)
        for name in _MADE:
            self._run(f"DROP TABLE IF EXISTS {name}")

    def _make(self, name: str, query: str, **given: Any) -> None:
        self._run(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", **given)

    def _hand_over(self, name: str, rows: pa.Table) -> None:
        self.connection.register(name, rows)

    def _run(self, query: str, **given: Any) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(query, given) if given else self.connection.execute(query)


def judge(connection: duckdb.DuckDBPyConnection, last: date, rows_at_once: int = ROWS_AT_ONCE) -> None:
    """Applies the rules to the catalogue's tables behind `connection`; `last` is the last day of the data."""
    Judge(connection, last, rows_at_once).judge()
