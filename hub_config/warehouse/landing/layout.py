"""The tables of a landing: the catalogue's tables of persons, each row with what it is known by and the loads
that brought and last changed it; and the journal. Pure text, but for `complete`.

`record_key` names the record: by the mapping's key where it gives one, else by its content and its number
among its equals in one file. `content_key` tells whether a record changed. `number` is a measurement as
written, before any conversion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import duckdb

from hub_config.warehouse.schema import PATIENT, duckdb_type, quoted
from p4dp_sdk.catalogue.model import Catalogue, Table, Unit

# Tables that no row of a file becomes.
MADE: Final = ("body_mass",)
KEYS: Final = {"record_key": "UHUGEINT", "content_key": "UHUGEINT"}
PASSAGE: Final = {"first_load": "INTEGER", "last_load": "INTEGER"}
NUMBER: Final = "number"
SEALS: Final = "seals"
CONTESTED: Final = "contested"
# Of a load's own database: rows that are older than what is landed, by table.
PASSED_OVER: Final = "passed_over"

JOURNAL: Final[Mapping[str, Mapping[str, str]]] = {
    "identity": {"source": "VARCHAR", "key_check": "VARCHAR"},
    "loads": {
        "load": "INTEGER",
        "at": "VARCHAR",
        "mapping": "VARCHAR",  # what of the mapping decides what a row becomes, as a hash
        "codes": "VARCHAR",  # the codes that were known, as a hash
        "population": "VARCHAR",
        "public": "BOOLEAN",
        "invented": "BOOLEAN",
        "reference_date": "DATE",
        "first_date": "DATE",
        "last_date": "DATE",
        "changed": "BOOLEAN",
    },
    "files": {
        "load": "INTEGER",
        "file": "VARCHAR",
        "path": "VARCHAR",
        "sha256": "VARCHAR",
        "bytes": "BIGINT",
        "rows": "BIGINT",
        "waiting": "BIGINT",  # rows set aside because their person is unknown: read again when persons come
        "read": "BOOLEAN",  # false: the same bytes were landed before
        "made": "TIMESTAMP",  # as the file's name or rows say
    },
    "rejected": {
        "sha256": "VARCHAR",
        "file": "VARCHAR",
        "line": "BIGINT",
        "record": "BIGINT",  # its number in the file: on one line may be all of them
        "rule": "VARCHAR",
        "column": "VARCHAR",
    },
    "changes": {
        "load": "INTEGER",
        "table": "VARCHAR",
        "added": "BIGINT",
        "updated": "BIGINT",
        "unchanged": "BIGINT",
        "removed": "BIGINT",
        "moved": "BIGINT",
        "older": "BIGINT",
    },
    # Records that two persons claimed, and no newer export settled whose they are: none of their rows is
    # landed, until the source is landed afresh.
    CONTESTED: {"table": "VARCHAR", "record_key": KEYS["record_key"]},
    "differ": {"table": "VARCHAR", "of": "VARCHAR", "one": "VARCHAR", "other": "VARCHAR"},
    "centres": {"centre_id": "VARCHAR", "region": "VARCHAR", "label": "VARCHAR"},
    "physicians": {"physician_no": "INTEGER", "centre_id": "VARCHAR"},
    "exports": {
        "load": "INTEGER",
        "source": "VARCHAR",
        "physician_no": "INTEGER",
        "centre_id": "VARCHAR",
        "exported_on": "DATE",
        "software": "VARCHAR",
        "first_event": "DATE",
        "last_event": "DATE",
        "rows": "BIGINT",
    },
    # What each practice calls its patients, readable by the practice only (`warehouse.sealing`).
    SEALS: {"patient_no": "BIGINT", "physician_no": "INTEGER", "key": "VARCHAR", "sealed": "BLOB"},
}


def fact_tables(catalogue: Catalogue) -> Iterator[Table]:
    """The tables that rows of files become, but patients."""
    for table in catalogue.tables.values():
        if table.unit is Unit.PERSON and table.name not in (*MADE, "patients") and not table.snds:
            yield table


def stored_columns(table: Table) -> dict[str, str]:
    """The catalogue's columns of `table` by physical name, with their types."""
    return {column.stored_as: duckdb_type(column) for column in table.columns}


def fact_columns(table: Table) -> dict[str, str]:
    return {**stored_columns(table), NUMBER: "DOUBLE", **KEYS}


def patient_columns(catalogue: Catalogue) -> dict[str, str]:
    """`age_on` is the date of the age: at another date it is made anew."""
    return {**stored_columns(catalogue.tables["patients"]), "age_on": "DATE"}


def landed_tables(catalogue: Catalogue) -> dict[str, dict[str, str]]:
    """Every landed table with its columns."""
    facts = {table.name: {**fact_columns(table), **PASSAGE} for table in fact_tables(catalogue)}
    return {"patients": {**patient_columns(catalogue), **PASSAGE}, **facts}


def complete(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    """Create what is missing: all of it at first, and what the catalogue has gained since."""
    for name, columns in {**JOURNAL, **landed_tables(catalogue)}.items():
        connection.execute(create(name, columns))
        there = {row[0] for row in connection.execute(f"DESCRIBE {quoted(name)}").fetchall()}
        for column, kind in columns.items():
            if column not in there:
                connection.execute(f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column)} {kind}")


def create(name: str, columns: Mapping[str, str]) -> str:
    listed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
    return f"CREATE TABLE IF NOT EXISTS {quoted(name)} ({listed})"


def names(columns: Mapping[str, str]) -> str:
    return ", ".join(quoted(column) for column in columns)


__all__ = ["JOURNAL", "KEYS", "MADE", "NUMBER", "PASSAGE", "PATIENT", "complete", "create", "fact_columns"]
