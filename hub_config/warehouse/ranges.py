"""Ranges of patients, for work whose memory is bounded by a range and not by the table: tables lie by
patient, so that a range is read without the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import duckdb

from hub_config.warehouse.schema import PATIENT, quoted

ROWS_AT_ONCE: Final = 250_000  # few enough that a small load fills a range, too: its peak is a large one's

Range = tuple[int, int]  # inclusive


def patient_ranges(
    connection: duckdb.DuckDBPyConnection, table: str, rows_at_once: int = ROWS_AT_ONCE
) -> Iterator[Range]:
    """Ranges of patient numbers in their order, about `rows_at_once` rows of `table` each."""
    found = connection.execute(
        f"SELECT count(*), min({PATIENT}), max({PATIENT}) FROM {quoted(table)}"  # noqa: S608
    ).fetchone()
    if found is None or found[1] is None:
        return
    count, first, last = found
    step = -(-(last - first + 1) // -(-count // rows_at_once))
    for start in range(first, last + 1, step):
        yield start, min(start + step - 1, last)
