"""The catalogue as DuckDB tables: physical names, native types, in one place. No data, no connection of its
own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from p4dp_sdk.catalogue.model import Catalogue, Column, Table

PATIENT: Final = "patient_no"

_TYPES: Final = {
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_type(column: Column) -> str:
    """The type `column` is stored with. Raises ValueError for a catalogue type the warehouse doesn't know."""
    try:
        return _TYPES[column.dtype]
    except KeyError:
        known = ", ".join(sorted(_TYPES))
        raise ValueError(
            f"Column {column.name!r} has type {column.dtype!r}; the warehouse knows {known}."
        ) from None


def create_table(table: Table) -> str:
    columns = ", ".join(f"{quoted(column.stored_as)} {duckdb_type(column)}" for column in table.columns)
    return f"CREATE TABLE {quoted(table.name)} ({columns})"


def create_all(catalogue: Catalogue) -> Iterable[str]:
    """One CREATE TABLE a catalogue table, SNDS and enclave-only ones included: an absent table is never
    guessed at."""
    return (create_table(table) for table in catalogue.tables.values())


def is_clustered(table: Table) -> bool:
    """Whether the table's rows lie by patient. Objections don't: their patient may be null."""
    return any(column.stored_as == PATIENT for column in table.columns) and table.unit.value == "person"


def clustering(table: Table) -> str:
    """The ORDER BY of a clustered table: patient, then date where the table has one."""
    columns = [PATIENT, *([table.column(table.date).stored_as] if table.date else [])]
    return ", ".join(quoted(name) for name in columns)
