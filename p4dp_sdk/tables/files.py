"""Publication tables as files, and back. Every form carries the signed document; what a file shows is made
from it, so a reader can tell whether the file still shows what was signed.

CSV is written for a French spreadsheet, which opens it cleanly by a double click: UTF-8 with a byte-order
mark, `;` between cells, decimal comma, CRLF. The document stands beside it (`table.csv.json`), since a header
of comments would be read as cells. A label that a spreadsheet would run as a formula gets an apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p4dp_sdk.errors import NotGenuineError
from p4dp_sdk.figures.words import MARK
from p4dp_sdk.wire.messages import N_
from p4dp_sdk.wire.publication import Cell, Column, Document, NotGenuine, Shape, Statement

if TYPE_CHECKING:
    import pyarrow as pa

    from p4dp_sdk.tables.safe import SafeTable

METADATA_KEY = b"p4dp.publication"
_RECORD_SUFFIX = ".json"
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
_CHANGED = N_("the numbers of the file are no longer those that were signed")


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


def read(path: Path) -> bytes:
    """The signed document of a file that was written here, if the file still shows it. Raises
    NotGenuineError."""
    try:
        match path.suffix.lower():
            case ".json":
                return path.read_bytes()
            case ".csv":
                return _read_csv(path)
            case ".xlsx":
                from p4dp_sdk.tables.excel import read_excel

                return read_excel(path)
            case ".arrow" | ".feather" | ".parquet":
                return _read_arrow(path)
            case _:
                raise NotGenuineError(N_("the file is of no kind that a publication table is saved as"))
    except NotGenuine as problem:
        raise NotGenuineError(str(problem)) from None


# --- CSV ---------------------------------------------------------------------------------------------------


def write_csv(table: SafeTable, path: Path) -> Path:
    path.write_bytes(_csv(table.statement))
    _record_of(path).write_bytes(_readable(table.document))
    return path


def _csv(statement: Statement) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(inert(column.name) for column in statement.columns)
    writer.writerows(_cells(statement))
    return text.getvalue().encode("utf-8-sig")


def _cells(statement: Statement) -> Iterator[list[str]]:
    for row in statement.rows:
        yield [written(value, column) for value, column in zip(row, statement.columns, strict=True)]


def _read_csv(path: Path) -> bytes:
    record = _record_of(path)
    if not record.exists():
        raise NotGenuineError(N_("its record (.csv.json) is not beside it"))
    content = record.read_bytes()
    if _csv(Document.from_json(content).statement) != path.read_bytes():
        raise NotGenuineError(_CHANGED)
    return content


def _record_of(path: Path) -> Path:
    return path.with_name(path.name + _RECORD_SUFFIX)


def _readable(document: Document) -> bytes:
    """The document set out for people; its meaning, and so the signature, is the same."""
    said = json.loads(document.to_json())
    return (json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


# --- Arrow and Parquet -------------------------------------------------------------------------------------


def write_arrow(table: SafeTable, path: Path) -> Path:
    from pyarrow import feather

    feather.write_feather(_arrow(table.document), str(path), compression="uncompressed")
    return path


def write_parquet(table: SafeTable, path: Path) -> Path:
    from pyarrow import parquet

    parquet.write_table(_arrow(table.document), str(path))
    return path


def _arrow(document: Document) -> pa.Table:
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


def _read_arrow(path: Path) -> bytes:
    import pyarrow as pa
    from pyarrow import feather, parquet

    reader: Any = parquet.read_table if path.suffix.lower() == ".parquet" else feather.read_table
    try:
        found = reader(str(path))
    except (pa.ArrowException, OSError):
        raise NotGenuineError(N_("the file can't be read")) from None
    content = (found.schema.metadata or {}).get(METADATA_KEY)
    if content is None:
        raise NotGenuineError(N_("the file carries no signed document"))
    if not found.equals(_arrow(Document.from_json(content))):
        raise NotGenuineError(_CHANGED)
    return bytes(content)
