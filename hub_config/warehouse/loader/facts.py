"""Events of persons: each block of the mapping takes its rows of a file, judges them, and inserts the good
ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from hub_config.warehouse.loader.agreement import known_codes
from hub_config.warehouse.loader.expressions import Check, Parsed, Reading, first_broken, texts
from hub_config.warehouse.loader.mapping import Measurement, Quantity, Rows
from hub_config.warehouse.loader.people import PERSONS
from hub_config.warehouse.loader.rules import Doubt, Rule
from hub_config.warehouse.loader.source import LINE
from hub_config.warehouse.loader.staging import SOURCE, Staging
from hub_config.warehouse.schema import duckdb_type, literal, quoted
from p4dp_sdk.catalogue.model import Table

_JUDGED: Final = "rows_judged"
_OWN: Final = ("patient_no", "physician_no", "centre_id")


def load_facts(staging: Staging, file: str) -> None:
    """Every block that reads `file`; rows that no block takes are set aside."""
    blocks = [rows for rows in staging.mapping.rows if rows.file == file]
    with staging.file(file):
        for rows in blocks:
            _load_block(staging, rows)
        _set_unmapped_aside(staging, file, blocks)


def _load_block(staging: Staging, rows: Rows) -> None:
    table = staging.catalogue.tables[rows.table]
    parsed = _parsed(staging, rows, table)
    staging.run(f"CREATE TEMP TABLE {_JUDGED} AS {_judged(staging, rows, table, parsed)}")
    staging.set_aside(rows.file, _JUDGED)
    columns = [quoted(name) for name in (*_OWN, *parsed)]
    rows_kept = _doubted(rows.measurement, columns) if rows.measurement else _plain(columns)
    staging.run(f"INSERT INTO {quoted(table.name)} BY NAME {rows_kept} ORDER BY patient_no")
    staging.run(f"DROP TABLE {_JUDGED}")


def _parsed(staging: Staging, rows: Rows, table: Table) -> dict[str, Parsed]:
    read = staging.reading(rows.file)
    values = {}
    for name, value in rows.columns.items():
        column = table.column(name)
        known = known_codes(column, staging.mapping, staging.catalogue)
        parsed = read.value(value, known, column.bounds)
        values[column.stored_as] = Parsed(f"CAST({parsed.sql} AS {duckdb_type(column)})", parsed.checks)
    return values


def _judged(staging: Staging, rows: Rows, table: Table, parsed: dict[str, Parsed]) -> str:
    """The block's rows as typed columns beside their person, with the first rule each breaks."""
    read = staging.reading(rows.file)
    person = f"({read.cell(rows.person)})"
    checks = [
        *_person_checks(rows, person),
        *_column_checks(rows, table, parsed),
        *_measurement_checks(read, rows),
    ]
    columns = [f"s.{quoted(LINE)} AS line", *(f"p.{name}" for name in _OWN)]
    columns += [f"{value.sql} AS {quoted(name)}" for name, value in parsed.items()]
    columns += _measured(read, rows.measurement) if rows.measurement else []
    return (
        f"SELECT {', '.join(columns)}, {first_broken(checks)} AS problem "  # noqa: S608
        f"FROM {SOURCE} s LEFT JOIN {PERSONS} p ON p.id = {person} WHERE {_taken(read, rows)}"
    )


def _person_checks(rows: Rows, person: str) -> Iterator[Check]:
    yield Check(f"{person} IS NULL", Rule.MISSING, rows.person)
    yield Check("p.patient_no IS NULL", Rule.NO_PERSON, rows.person)


def _column_checks(rows: Rows, table: Table, parsed: dict[str, Parsed]) -> Iterator[Check]:
    for value in parsed.values():
        yield from value.checks
    if table.date:
        date, column = parsed[table.column(table.date).stored_as], rows.columns[table.date].column or ""
        yield Check(f"{date.sql} < p.born", Rule.BEFORE_BIRTH, column)
        yield Check(f"{date.sql} > p.death", Rule.AFTER_DEATH, column)


def _measurement_checks(read: Reading, rows: Rows) -> Iterator[Check]:
    if rows.measurement:
        column = rows.measurement.column
        yield Check(f"({read.cell(column)}) IS NULL", Rule.MISSING, column)
        yield Check(f"({read.number(column)}) IS NULL", Rule.BAD_NUMBER, column)


def _taken(read: Reading, rows: Rows) -> str:
    matches = read.holds(rows.where) if rows.where else "true"
    return f"{matches} AND ({read.cell(rows.present)}) IS NOT NULL" if rows.present else matches


def _measured(read: Reading, measurement: Measurement) -> list[str]:
    return [f"{read.number(measurement.column)} AS number", f"s.{quoted(measurement.column)} AS value_raw"]


def _plain(columns: list[str]) -> str:
    return f"SELECT {', '.join(columns)} FROM {_JUDGED} WHERE problem IS NULL"  # noqa: S608


def _doubted(measurement: Measurement, columns: list[str]) -> str:
    """Harmonised value, units and quality code, from the number. A value out of bounds is null, its raw text
    stays."""
    of, quantities = quoted(measurement.of), measurement.quantities
    doubt = (
        f"CASE WHEN {_by_quantity(of, quantities, _implausible)} THEN {literal(Doubt.OUT_OF_RANGE)} "
        f"WHEN {_copied(of, measurement)} THEN {literal(Doubt.COPIED)} "
        f"WHEN {_by_quantity(of, quantities, _is_converted)} THEN {literal(Doubt.CONVERTED)} "
        f"ELSE {literal(Doubt.NONE)} END"
    )
    return (
        f"SELECT {', '.join(columns)}, value_raw, dq_code, "  # noqa: S608
        f"CASE WHEN dq_code <> {literal(Doubt.OUT_OF_RANGE)} "
        f"THEN {_by_quantity(of, quantities, _converted)} END AS value, "
        f"{_by_quantity(of, quantities, lambda q: literal(q.unit))} AS unit, "
        f"{_by_quantity(of, quantities, _unit_raw)} AS unit_raw "
        f"FROM (SELECT *, {doubt} AS dq_code FROM {_JUDGED} WHERE problem IS NULL)"
    )


def _by_quantity(of: str, quantities: Mapping[str, Quantity], sql: Callable[[Quantity], str]) -> str:
    cases = " ".join(f"WHEN {literal(name)} THEN {sql(quantity)}" for name, quantity in quantities.items())
    return f"CASE {of} {cases} END"


def _converted(quantity: Quantity) -> str:
    return "number" if quantity.factor == 1.0 else f"number * CAST({quantity.factor!r} AS DOUBLE)"


def _unit_raw(quantity: Quantity) -> str:
    return literal(quantity.unit_raw) if quantity.unit_raw else "NULL"


def _implausible(quantity: Quantity) -> str:
    low, high = quantity.plausible
    return f"{_converted(quantity)} NOT BETWEEN {low!r} AND {high!r}"


def _is_converted(quantity: Quantity) -> str:
    return "false" if quantity.factor == 1.0 else "true"


def _copied(of: str, measurement: Measurement) -> str:
    """Whether the other quantity of a pair has the same number, for the same person on the same day."""
    day = "OVER (PARTITION BY patient_no, date, number)"
    pairs = (
        f"({of} IN ({texts(pair)}) AND "
        + " AND ".join(f"bool_or({of} = {literal(q)}) {day}" for q in pair)
        + ")"
        for pair in measurement.differ
    )
    return " OR ".join(pairs) or "false"


def _set_unmapped_aside(staging: Staging, file: str, blocks: Sequence[Rows]) -> None:
    """A row that no block's `where` takes: an unknown test or event."""
    if not blocks or any(rows.where is None for rows in blocks):
        return
    read = staging.reading(file)
    taken = " OR ".join(read.holds(rows.where) for rows in blocks if rows.where)
    column = next(name for rows in blocks for name in rows.where or ())
    problem = first_broken([Check(f"NOT ({taken})", Rule.NOT_MAPPED, column)])
    staging.set_aside(file, f"(SELECT s.{quoted(LINE)} AS line, {problem} AS problem FROM {SOURCE} s)")  # noqa: S608
