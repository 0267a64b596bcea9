"""A small made-up warehouse in DuckDB that answers any expression: enough to run the template notebooks on
the SDK alone.

It protects naively (a count under 11 is withheld); the real rules are tested with the real gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.compute as pc

from p4dp_sdk.catalogue import Catalogue, Role, Table, Unit, load_catalogue
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import MeasureSummary
from p4dp_sdk.wire.publication import DOCUMENT_JSON, Column, Lineage, Shape
from tests.unit.sdk.peer import Answer, arrow, disclosure, refused
from tests.unit.sdk.signed_tables import signed

PATIENTS = 400

FILL = {
    "patients": "SELECT i AS patient_id, drawn(i, 101) AS age FROM range(400) t(i)",
    "diagnoses": """SELECT i % 400 AS patient_id,
                           ['K86', 'K86', 'K86', 'R74', 'SC', 'SC', 'T90'][1 + drawn(i, 7)] AS cisp2
                    FROM range(3000) t(i)""",
    "biometrics": """SELECT i AS patient_id, 'bmi' AS measure, 18 + drawn(i + 1, 200) / 10 AS value
                     FROM range(400) t(i)""",
    "observation_periods": """SELECT i AS patient_id, DATE '2000-01-01' AS start_date,
                                     DATE '2000-01-02' + drawn(i + 2, 5000) AS end_date,
                                     if(drawn(i, 101) > 60, 'death', 'last_export') AS end_reason
                              FROM range(400) t(i)""",
}
TYPES = {"int64": "BIGINT", "int32": "INTEGER", "float64": "DOUBLE", "string": "VARCHAR", "date": "DATE"}
ANY_ROWS = "SELECT i % 400 AS patient_id FROM range(2000) t(i)"


def granted() -> list[Table]:
    return [t for t in load_catalogue().tables.values() if t.unit is Unit.PERSON and not t.snds]


def catalogue_answer(catalogue: Catalogue) -> dict[str, Any]:
    """The catalogue as the gateway tells it."""
    tables = [{**asdict(t), "columns": [asdict(c) for c in visible(t)]} for t in granted()]
    return {
        "protocol": 1,
        "tables": tables,
        "code_systems": [asdict(s) for s in catalogue.code_systems.values()],
    }


def visible(table: Table) -> list[Any]:
    return [c for c in table.columns if not c.role.hidden and c.role is not Role.RAW]


def answering(access: str) -> Callable[[ibis.Expr], Answer]:
    """What a project with this right of access is answered."""
    connection = ibis.duckdb.from_connection(_filled())

    def answer(expr: ibis.Expr) -> Answer:
        counts = bool(expr.op().find(ibis.expr.operations.Reduction))
        if access == "aggregate" and not counts:
            return refused(Refusal(ErrorCode.ROW_LEVEL, grant="microdata"))
        table = connection.to_pyarrow(expr.as_table())
        if access == "microdata":
            return arrow(table, disclosure("rows", measures={}, reasons=()))
        return arrow(*_naively_protected(table))

    return answer


def publishing(access: str) -> Callable[[ibis.Expr, str], Answer]:
    """What such a project is given to publish: the same small cells withheld, and signed."""
    connection = ibis.duckdb.from_connection(_filled())

    def publish(expr: ibis.Expr, title: str) -> Answer:
        table, said = _naively_protected(connection.to_pyarrow(expr.as_table()))
        rows = tuple(zip(*(column.to_pylist() for column in table.columns), strict=True))
        document = signed(
            access=access, title=title, columns=_columns(table), rows=rows, total=None,
            shown=said.measures["patients"].shown, withheld=said.measures["patients"].withheld,
        )  # fmt: skip
        return 200, DOCUMENT_JSON, document.to_json()

    return publish


def _columns(table: pa.Table) -> tuple[Column, ...]:
    return tuple(
        Column(field.name, Shape.INTEGER, Lineage.MEASURE, (field.name,), protected=True)
        if pa.types.is_int64(field.type)
        else Column(field.name, Shape.TEXT, Lineage.KEY, (field.name,))
        for field in table.schema
    )


def _naively_protected(table: pa.Table) -> tuple[pa.Table, Any]:
    summaries = {}
    for position, name in enumerate(table.column_names):
        if not pa.types.is_int64(table.column(name).type):
            continue
        shown = pc.if_else(pc.less(table.column(name), 11), pa.scalar(None, pa.int64()), table.column(name))
        table = table.set_column(position, name, shown)
        summaries[name] = MeasureSummary(len(shown) - shown.null_count, shown.null_count)
    return table, disclosure(measures=summaries)


def _filled() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE MACRO drawn(i, n) AS CAST(hash(i) % n AS INTEGER)")
    for table in granted():
        rows = FILL.get(table.name, ANY_ROWS)
        known = connection.sql(rows).columns
        columns = ", ".join(
            f"CAST({_value(c, known)} AS {TYPES[c.dtype]}) AS {c.name}" for c in visible(table)
        )
        connection.execute(f"CREATE TABLE {table.name} AS SELECT {columns} FROM ({rows}) AS r")
    return connection


def _value(column: Any, known: list[str]) -> str:
    """A column's values: those of FILL, else made up from its code list or type, by patient."""
    if column.name in known:
        return column.name
    codes = load_catalogue().code_systems[column.codes].codes if column.codes else ()
    if codes:
        return f"{[code.code for code in codes]}[1 + drawn(patient_id + {len(column.name)}, {len(codes)})]"
    if column.dtype == "date":
        return "DATE '2005-01-01' + drawn(patient_id, 5000)"
    return "NULL"
