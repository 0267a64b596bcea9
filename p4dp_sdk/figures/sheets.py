"""A signed table as cells: CSV for a French spreadsheet, Arrow, JSON for people. The same bytes on both
sides of the wall, so the airlock can tell whether a file still shows what was signed, and make it anew.

CSV: UTF-8 with a byte-order mark, `;` between cells, decimal comma, CRLF; a label that a spreadsheet would
run as a formula gets an apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from p4dp_sdk.figures.words import MARK
from p4dp_sdk.wire.publication import Cell, Column, Document, Shape, Statement

if TYPE_CHECKING:
    import pyarrow as pa

METADATA_KEY = b"p4dp.publication"
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def inert(text: str) -> str:
    """`text` as a spreadsheet will show it and never run it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def written(value: Cell, column: Column) -> str:
    """One cell of a CSV file."""
    match value:
        case None:
            return MARK if column.protected else ""
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value).replace(".", ",")
        case int():
            return str(value)
        case str():
            return inert(value)


def csv_of(statement: Statement) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(inert(column.name) for column in statement.columns)
    writer.writerows(_cells(statement))
    return text.getvalue().encode("utf-8-sig")


def _cells(statement: Statement) -> Iterator[list[str]]:
    for row in statement.rows:
        yield [written(value, column) for value, column in zip(row, statement.columns, strict=True)]


def readable(document: Document) -> bytes:
    """The document set out for people; its meaning, and so the signature, is the same."""
    said = json.loads(document.to_json())
    return (json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def arrow_of(document: Document) -> pa.Table:
    import pyarrow as pa

    columns = document.statement.columns
    schema = pa.schema(
        [pa.field(column.name, _arrow_type(column.shape)) for column in columns],
        metadata={METADATA_KEY: document.to_json()},
    )
    values = [[row[at] for row in document.statement.rows] for at in range(len(columns))]
    texts = [pa.array(v, type=_raw_type(c.shape)) for v, c in zip(values, columns, strict=True)]
    arrays = [array.cast(field.type) for array, field in zip(texts, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _arrow_type(shape: Shape) -> pa.DataType:
    import pyarrow as pa

    return {
        Shape.INTEGER: pa.int64(),
        Shape.NUMBER: pa.float64(),
        Shape.TEXT: pa.string(),
        Shape.BOOLEAN: pa.bool_(),
        Shape.DATE: pa.date32(),
        Shape.TIMESTAMP: pa.timestamp("us"),
    }[shape]


def _raw_type(shape: Shape) -> pa.DataType:
    """What a statement holds for `shape`: dates are texts there."""
    return _arrow_type(Shape.TEXT if shape in (Shape.DATE, Shape.TIMESTAMP) else shape)
