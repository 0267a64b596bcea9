"""Whether a mapping and the catalogue agree: tables, columns, types and codes. Pure: two values in, faults
by key out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from hub_config.warehouse.loader.mapping import (
    As,
    Measurement,
    NamedPhysicians,
    Rows,
    Value,
    VendorMapping,
)
from hub_config.warehouse.loader.mapping_problem import MappingProblem
from hub_config.warehouse.loader.measurements import converted
from p4dp_sdk.catalogue.model import Catalogue, Column, Role, Table, Unit

Fault = tuple[str, str]

# Columns the loader fills itself, whatever the mapping says.
OWN_COLUMNS: Final = ("patient_id", "physician_id", "centre_id")
MEASUREMENT_COLUMNS: Final = ("value", "unit", "value_raw", "unit_raw", "dq_code")
# Tables that other parts of the mapping fill.
_FILLED_ELSEWHERE: Final = {
    "patients": "[patients]",
    "physicians": "[physicians]",
    "centres": "[[centres]]",
    "body_mass": "the snapshot itself, from biometrics",
}

_KINDS: Final = {
    "date": (As.DATE, As.DAY),
    "string": (As.TEXT,),
    "float64": (As.NUMBER, As.INTEGER),
    "int32": (As.INTEGER,),
    "int64": (As.INTEGER,),
}


def require_agreement(origin: str, mapping: VendorMapping, catalogue: Catalogue) -> None:
    """Raises MappingProblem with every fault, before a single source row is read."""
    people, apart = _people_faults(mapping, catalogue), _apart_faults(mapping, catalogue)
    faults = dict([*people, *apart, *_rows_faults(mapping, catalogue)])
    if faults:
        raise MappingProblem(origin, faults, mapping.text)


def known_codes(column: Column, mapping: VendorMapping, catalogue: Catalogue) -> frozenset[str] | None:
    """The codes `column` may hold: the catalogue's, or for centres and regions the mapping's own. None: any
    text."""
    if column.codes is None:
        return None
    system = catalogue.code_systems[column.codes]
    if not system.site:
        return frozenset(code.code for code in system.codes)
    return frozenset(centre.id if column.codes == "centre" else centre.region for centre in mapping.centres)


def _people_faults(mapping: VendorMapping, catalogue: Catalogue) -> Iterator[Fault]:
    people, patients = mapping.patients, catalogue.tables["patients"]
    yield from _file_faults("patients.file", people.file, mapping)
    yield from _value_faults("patients.sex", people.sex, patients.column("sex"), mapping, catalogue)
    if people.age:
        yield from _value_faults("patients.age", people.age, patients.column("age"), mapping, catalogue)
    for name in ("birth", "death"):
        if value := people.values.get(name):
            yield from _value_faults(
                f"patients.{name}", value, patients.column(f"{name}_month"), mapping, catalogue
            )
    if isinstance(mapping.physicians, NamedPhysicians):
        centre = patients.column("centre_id")
        yield from _value_faults("physicians.centre", mapping.physicians.centre, centre, mapping, catalogue)
    elif not mapping.centres:
        yield "centres", "invented GPs need at least one centre"


def _apart_faults(mapping: VendorMapping, catalogue: Catalogue) -> Iterator[Fault]:
    if mapping.death:
        death = catalogue.tables["patients"].column("death_month")
        yield from _file_faults("death.file", mapping.death.file, mapping)
        yield from _value_faults("death.date", mapping.death.date, death, mapping, catalogue)
    if mapping.export:
        yield from _file_faults("export.file", mapping.export.file, mapping)
        for name, value in mapping.export.values.items():
            column = catalogue.tables["exports"].column(name)
            yield from _value_faults(f"export.{name}", value, column, mapping, catalogue)


def _rows_faults(mapping: VendorMapping, catalogue: Catalogue) -> Iterator[Fault]:
    for index, rows in enumerate(mapping.rows):
        key = f"rows.{index}"
        yield from _file_faults(f"{key}.file", rows.file, mapping)
        table = catalogue.tables.get(rows.table)
        if table is None or table.unit is not Unit.PERSON or table.name in _filled_elsewhere(catalogue):
            yield f"{key}.table", _no_table(rows.table, catalogue)
            continue
        yield from _columns_faults(key, rows, table, mapping, catalogue)
        if rows.measurement:
            yield from _measurement_faults(key, rows, rows.measurement, table, mapping, catalogue)


def _no_table(name: str, catalogue: Catalogue) -> str:
    elsewhere = _filled_elsewhere(catalogue)
    if name in elsewhere:
        return f"{name} is filled by {elsewhere[name]}"
    person = (table.name for table in catalogue.tables.values() if table.unit is Unit.PERSON)
    return f"no such table; rows may go to {', '.join(sorted(set(person) - set(elsewhere)))}"


def _filled_elsewhere(catalogue: Catalogue) -> Mapping[str, str]:
    """Tables that no `[[rows]]` fill, each with what does."""
    linked = (table.name for table in catalogue.tables.values() if table.snds)
    return {**_FILLED_ELSEWHERE, **dict.fromkeys(linked, "`p4dp-enclave warehouse link-snds`")}


def _columns_faults(
    key: str, rows: Rows, table: Table, mapping: VendorMapping, catalogue: Catalogue
) -> Iterator[Fault]:
    taken = OWN_COLUMNS + (MEASUREMENT_COLUMNS if rows.measurement else ())
    free = [column.name for column in table.columns if column.name not in taken]
    for name, value in rows.columns.items():
        if name not in free:
            yield (
                f"{key}.columns.{name}",
                f"not a column to fill of {table.name}; those are {', '.join(free)}",
            )
            continue
        if value.precision_of is not None:
            yield from _precision_faults(f"{key}.columns.{name}", value, rows, table.column(name))
        else:
            yield from _value_faults(f"{key}.columns.{name}", value, table.column(name), mapping, catalogue)
    if table.date and table.date not in rows.columns:
        yield f"{key}.columns", f"{table.name} needs `{table.date}`: every event has a date"


def _precision_faults(key: str, value: Value, rows: Rows, column: Column) -> Iterator[Fault]:
    dated = rows.columns.get(value.precision_of or "")
    if column.codes != "date_precision":
        yield f"{key}.precision_of", f"{column.name} is not coded in date_precision"
    if dated is None or (dated.column is not None and dated.kind is not As.DATE):
        yield f"{key}.precision_of", f"{value.precision_of!r} is not a date that this block fills"


def _measurement_faults(
    key: str, rows: Rows, measurement: Measurement, table: Table, mapping: VendorMapping, catalogue: Catalogue
) -> Iterator[Fault]:
    key = f"{key}.measurement"
    if not all(table.has(name) for name in MEASUREMENT_COLUMNS):
        yield key, f"{table.name} holds no measurements"
        return
    if measurement.of not in rows.columns or not table.has(measurement.of):
        yield f"{key}.of", "must be one of the columns filled by this block"
        return
    codes = known_codes(table.column(measurement.of), mapping, catalogue) or frozenset()
    units = known_codes(table.column("unit"), mapping, catalogue) or frozenset()
    for name, quantity in measurement.quantities.items():
        if name not in codes:
            yield f"{key}.quantities.{name}", f"not a code of {table.name}.{measurement.of}"
        if quantity.unit not in units:
            yield f"{key}.quantities.{name}.unit", f"{quantity.unit!r} is not a unit of the catalogue (UCUM)"
    yield from _unit_faults(key, measurement)
    yield from _unplaced(key, _outcomes(rows.columns[measurement.of]), measurement)


def _unit_faults(key: str, measurement: Measurement) -> Iterator[Fault]:
    """A unit that becomes none of the quantities' is a slip: no row could be read by it."""
    if (measurement.unit is None) != (not measurement.units):
        yield f"{key}.units", "`unit` and `units` come together: the column, and what its words mean"
    for name, each in measurement.quantities.items():
        if each.factor is None and each.unit_raw and not converted(each.unit_raw, each.unit, name):
            yield (
                f"{key}.quantities.{name}.unit_raw",
                f"{each.unit_raw!r} can't be converted to {each.unit!r}: correct it, or give the `factor`",
            )
    for word, code in measurement.units.items():
        if not any(converted(code, each.unit, name) for name, each in measurement.quantities.items()):
            yield f"{key}.units.{word}", f"{code!r} can't be converted to the unit of any quantity here"


def _unplaced(key: str, outcomes: set[str], measurement: Measurement) -> Iterator[Fault]:
    for name in sorted(outcomes - set(measurement.quantities)):
        yield f"{key}.quantities", f"{name!r} is measured but has no unit and bounds here"
    for name in sorted({name for pair in measurement.differ for name in pair} - set(measurement.quantities)):
        yield f"{key}.differ", f"{name!r} is not one of the quantities"


def _outcomes(value: Value) -> set[str]:
    return set((value.codes or {}).values()) | (
        {str(value.constant)} if value.constant is not None else set()
    )


def _value_faults(
    key: str, value: Value, column: Column, mapping: VendorMapping, catalogue: Catalogue
) -> Iterator[Fault]:
    allowed = (As.TEXT,) if column.role is Role.EVENT else _KINDS.get(column.dtype, ())
    if value.column is not None and value.kind not in allowed:
        yield (
            f"{key}.as",
            f"{column.name} holds {_held(column)}: read it as {' or '.join(allowed) or 'nothing known'}",
        )
    if value.kind is As.DAY and value.column is not None and mapping.source.day_zero is None:
        yield "source.day_zero", f"is needed: {key} counts days from it"
    known = known_codes(column, mapping, catalogue)
    if known is not None:
        for code in sorted(_outcomes(value) - known):
            yield (
                f"{key}.{'codes' if value.codes else 'constant'}",
                f"{code!r} is not a code of {column.codes}",
            )


def _held(column: Column) -> str:
    return "the source's names of events" if column.role is Role.EVENT else column.dtype


def _file_faults(key: str, name: str, mapping: VendorMapping) -> Iterator[Fault]:
    if name not in mapping.files:
        yield key, f"no file is called {name!r}; [files] has {', '.join(mapping.files)}"
