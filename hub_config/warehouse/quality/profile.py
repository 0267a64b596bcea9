"""What a snapshot's tables hold, counted once while it is made: rows, filled columns and rules fired.

`quality.parquet` has a row for each table, centre, month and thing counted; `quality.json` their totals by
table, by centre and by month. Both are sealed with the snapshot and stay in the enclave: small numbers are
not hidden in them. One pass a table; memory is bounded by centres times months, and by the list of patients.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
from pydantic import TypeAdapter, ValidationError

from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.quality.conditions import CODES, COUNTED, YEAR_BEFORE_BIRTH
from hub_config.warehouse.quality.twins import count_twins
from hub_config.warehouse.schema import PATIENT, literal, quoted
from p4dp_sdk.catalogue.model import Catalogue, Table, Unit
from p4dp_sdk.catalogue.quality import Effect, load_rules

FILE: Final = "quality.json"
CELLS: Final = "quality.parquet"
_FORMAT: Final = 1


class NoProfile(WarehouseProblem):
    """A snapshot without a quality.json that can be read: made before there was one."""


@dataclass(frozen=True)
class Counts:
    """Rows, those of them with something in a column (by physical name), and those a rule fired on: by
    `dq_code` where rows bear it, by the rule's name where it is only counted."""

    rows: int
    filled: Mapping[str, int]
    rules: Mapping[str, int]

    def share_filled(self, column: str) -> float:
        return self.filled.get(column, 0) / self.rows if self.rows else 0.0

    def share_fired(self, code: str) -> float:
        return self.rules.get(code, 0) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class TableProfile:
    """A table's counts: in all, by centre, and by month ("2020-01"; none of a table without a date)."""

    all: Counts
    centres: Mapping[str, Counts] = field(default_factory=dict)
    months: Mapping[str, Counts] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """Of every table that has rows. `twins`: patients who may stand under two sources (a count, no list)."""

    tables: Mapping[str, TableProfile]
    twins: int
    format: int = _FORMAT


_PROFILE: Final = TypeAdapter(Profile)


def profile(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, last: date, directory: Path) -> None:
    """Counts the tables behind `connection` and writes both files into `directory`."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE quality_cells "
        '("table" VARCHAR, centre_id VARCHAR, month DATE, counted VARCHAR, n BIGINT)'
    )
    for table in catalogue.tables.values():
        if table.unit is not Unit.ENCLAVE:
            connection.execute(_cells(table), {"last": last} if _asks_last(table) else {})
    cells = literal(str(directory / CELLS))
    connection.execute(
        f"COPY (FROM quality_cells ORDER BY ALL) TO {cells} (FORMAT parquet, COMPRESSION zstd)"
    )
    found = Profile(_tables(connection), count_twins(connection))
    text = json.dumps(_PROFILE.dump_python(found, mode="json"), sort_keys=True, ensure_ascii=False)
    (directory / FILE).write_text(text + "\n", encoding="utf-8")
    connection.execute("DROP TABLE quality_cells")


def read_profile(directory: Path) -> Profile:
    """The profile in the snapshot's `directory`. Raises NoProfile."""
    try:
        return _PROFILE.validate_json((directory / FILE).read_bytes())
    except FileNotFoundError:
        why = "it was made before quality was counted"
    except ValidationError:
        why = "its quality.json was written by another version"
    raise NoProfile(
        f"Snapshot {directory.name} has no quality to show: {why}. Make a new snapshot to have it counted."
    )


def _cells(table: Table) -> str:
    """One pass: a column for each thing counted by centre and month, then a row for each of them."""
    month = f"date_trunc('month', t.{quoted(table.column(table.date).stored_as)})" if table.date else "NULL"
    centre = "t.centre_id" if table.has("centre_id") else "NULL"
    counts = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in _counted(table))
    persons = _asks_person(table)
    joined = f"LEFT JOIN patients p USING ({PATIENT})"
    return f"""
        INSERT INTO quality_cells
        SELECT {literal(table.name)}, centre_id, month, counted, n FROM (UNPIVOT (
            SELECT {centre} AS centre_id, CAST({month} AS DATE) AS month, {counts}
            FROM {quoted(table.name)} t {joined if persons else ""} GROUP BY ALL
        ) ON COLUMNS('^(rows|filled|rule)\\b.*') INTO NAME counted VALUE n)
        WHERE n > 0
    """  # noqa: S608


def _counted(table: Table) -> Iterator[tuple[str, str]]:
    yield "rows", "count(*)"
    for column in table.columns:
        yield f"filled {column.stored_as}", f"count(t.{quoted(column.stored_as)})"
    if table.has("dq_code"):
        for code in sorted({rule.dq_code for rule in load_rules().values()}):
            yield f"rule {code}", f"count(*) FILTER (t.dq_code = {literal(code)})"
    for name, condition in _conditions(table):
        yield f"rule {name}", f"count(*) FILTER ({condition})"


def _conditions(table: Table) -> Iterator[tuple[str, str]]:
    """The rules that are only counted in this table."""
    for rule in load_rules().values():
        if rule.effect is Effect.COUNTS and table.name in rule.tables:
            if rule.name == "event_before_birth" and table.has("date_precision"):
                yield rule.name, YEAR_BEFORE_BIRTH
            elif rule.name in COUNTED:
                yield rule.name, COUNTED[rule.name]
            elif rule.name == "code_without_system":
                yield rule.name, _foreign_codes(table)


def _foreign_codes(table: Table) -> str:
    """Whether a code is not written as its column's system is."""
    columns = [column for column in table.columns if column.codes in CODES]
    tests = (
        f"coalesce(NOT regexp_full_match(t.{quoted(c.stored_as)}, {literal(CODES[c.codes or ''])}), false)"
        for c in columns
    )
    return " OR ".join(tests) or "false"


def _asks_person(table: Table) -> bool:
    return any("_month" in condition for _, condition in _conditions(table))


def _asks_last(table: Table) -> bool:
    return any("$last" in condition for _, condition in _conditions(table))


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, TableProfile]:
    whole = _summed(connection, "NULL")
    centres = _summed(connection, "centre_id")
    months = _summed(connection, "strftime(month, '%Y-%m')")
    return {
        name: TableProfile(
            _counts(found[None]),
            {str(centre): _counts(cells) for centre, cells in centres[name].items() if centre},
            {str(month): _counts(cells) for month, cells in months[name].items() if month},
        )
        for name, found in whole.items()
    }


def _summed(connection: duckdb.DuckDBPyConnection, by: str) -> dict[str, dict[str | None, dict[str, int]]]:
    found: dict[str, dict[str | None, dict[str, int]]] = {}
    query = f'SELECT "table", {by}, counted, sum(n) FROM quality_cells GROUP BY ALL ORDER BY ALL'  # noqa: S608
    for table, group, counted, n in connection.execute(query).fetchall():
        found.setdefault(table, {}).setdefault(group, {})[counted] = int(n)
    return found


def _counts(cells: Mapping[str, Any]) -> Counts:
    def of(kind: str) -> dict[str, int]:
        return {name.removeprefix(kind): n for name, n in cells.items() if name.startswith(kind)}

    return Counts(cells["rows"], of("filled "), of("rule "))
