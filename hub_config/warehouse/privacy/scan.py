"""Looks through a snapshot for what identifies somebody: every text column of every table, whoever made it.

A coded column holds codes only; a column of exported text holds what the closed grammar accepts; in any other
text nothing may look like an identifier; a person's dates are months. A finding says table, column, what and
how many rows: never the text. Synthetic snapshots hold nobody and are not looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from hub_config.warehouse.privacy.identifying import PATTERNS, Trace, shows
from hub_config.warehouse.privacy.text import WITHHELD, is_kept, keeps_text, known_units
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.quality.units import is_unit
from hub_config.warehouse.schema import literal, quoted
from hub_config.warehouse.shelf import Snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Catalogue, Column, Unit

# Codes that a site's own tables may bring, and how they are written.
_WRITTEN: Final = {
    "atc": r"[A-Z](\d{2}([A-Z]([A-Z](\d{2})?)?)?)?",
    "cim10": r"[A-Z]\d{2}(\.?[0-9A-Z+-]{1,5})?",
    "cisp2": r"[A-Z](\d{2})?|SC",
}
_MONTHS: Final = ("birth_month", "death_month")
_TABLES: Final = (
    "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
    "AND database_name = current_database() AND schema_name = 'main' ORDER BY table_name, column_index"
)


@dataclass(frozen=True)
class Finding:
    table: str
    column: str
    trace: Trace
    rows: int

    def __str__(self) -> str:
        return f"{self.table}.{self.column}: {self.trace} ({self.rows:,} rows)"


class Identifying(WarehouseProblem):
    """A snapshot would hold, or holds, what identifies somebody."""

    def __init__(self, findings: list[Finding]) -> None:
        lines = "\n".join(f"  {each}" for each in findings)
        super().__init__(
            f"Text that may identify somebody is in the warehouse:\n{lines}\nCorrect the mapping (leave the "
            "column out, or give its `codes`) and load the export with --afresh."
        )
        self.findings = findings


def require_unidentifying(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    """Raises Identifying with every finding."""
    if findings := list(scan(connection, catalogue)):
        raise Identifying(findings)


def require_clean(snapshot: Snapshot) -> None:
    """The same of a snapshot that was made."""
    if not snapshot.manifest.synthetic:
        with closing(duckdb.connect(str(snapshot.database), read_only=True)) as connection:
            require_unidentifying(connection, load_catalogue())


def scan(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> Iterator[Finding]:
    """Each column is read once."""
    for name, column, kind in connection.execute(_TABLES).fetchall():
        words = _units_written(connection, name) if column == "unit_raw" else ()
        asked = dict(_asked(catalogue, name, column, kind, words))
        if not asked:
            continue
        counts = ", ".join(f"count(*) FILTER ({condition})" for condition in asked.values())
        found: Any = connection.execute(f"SELECT {counts} FROM {quoted(name)}").fetchone()  # noqa: S608
        yield from (
            Finding(name, column, trace, rows) for trace, rows in zip(asked, found, strict=True) if rows
        )


def _asked(
    catalogue: Catalogue, table: str, column: str, kind: str, words: Collection[str]
) -> Iterator[tuple[Trace, str]]:
    """What must hold of no row, as SQL conditions."""
    text = quoted(column)
    if kind == "DATE" and column in _MONTHS:
        yield Trace.DAY_OF_BIRTH, f"day({text}) <> 1"
    elif kind == "BLOB":
        yield Trace.FREE_TEXT, f"{text} IS NOT NULL"
    elif kind.startswith("VARCHAR"):
        yield from _asked_of_text(catalogue, table, _known(catalogue, table, column), text, words)


def _asked_of_text(
    catalogue: Catalogue, table: str, column: Column | None, text: str, words: Collection[str]
) -> Iterator[tuple[Trace, str]]:
    if column is None:
        yield Trace.FREE_TEXT, f"{text} IS NOT NULL"
    elif _of_persons(catalogue, table) and keeps_text(column):
        yield Trace.FREE_TEXT, f"NOT ({text} = {literal(WITHHELD)} OR {is_kept(column.name, text, words)})"
    elif _of_persons(catalogue, table) and column.codes and not catalogue.code_systems[column.codes].site:
        yield Trace.FREE_TEXT, f"NOT {_is_code(catalogue, column.codes, text)}"
    else:  # what the mapping itself says: centres, regions, names of sources and of software
        yield from ((trace, shows(trace, text)) for trace in PATTERNS)


def _units_written(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Units that are UCUM without being in any list of ours."""
    distinct = f"SELECT DISTINCT unit_raw FROM {quoted(table)} WHERE unit_raw IS NOT NULL"  # noqa: S608
    written = {row[0] for row in connection.execute(distinct).fetchall()} - known_units()
    return [unit for unit in written if is_unit(unit)]


def _is_code(catalogue: Catalogue, system: str, text: str) -> str:
    codes = ", ".join(literal(code.code) for code in catalogue.code_systems[system].codes)
    written = _WRITTEN.get(system)
    return f"({text} IN ({codes})" + (
        f" OR regexp_full_match({text}, {literal(written)}))" if written else ")"
    )


def _of_persons(catalogue: Catalogue, table: str) -> bool:
    return catalogue.tables[table].unit in (Unit.PERSON, Unit.PHYSICIAN)


def _known(catalogue: Catalogue, table: str, column: str) -> Column | None:
    columns = catalogue.tables[table].columns if table in catalogue.tables else ()
    return next((each for each in columns if each.stored_as == column), None)
