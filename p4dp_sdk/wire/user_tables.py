"""Tables a person brings along: small, flat, typed by column. They travel inside the query as `Memtable`
nodes.

Their name is a digest of their content, so that nobody chooses what an engine calls them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from ibis.formats.pyarrow import PyArrowTableProxy

from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.values import decode_scalar, decode_type, encode_scalar, encode_type, malformed

MAX_ROWS = 5_000
MAX_COLUMNS = 20
PREFIX = "user_table_"


def encode_user_table(node: ops.InMemoryTable) -> dict[str, object]:
    """The arguments of a `Memtable` node. Raises Refusal for a table too large or with nested columns."""
    table = node.data.to_pyarrow(node.schema)
    _check_size(table.num_rows, table.num_columns)
    return {
        "schema": [[name, encode_type(dtype)] for name, dtype in node.schema.items()],
        "columns": [[encode_scalar(value) for value in column.to_pylist()] for column in table.columns],
    }


def decode_user_table(args: Mapping[str, Any]) -> ops.InMemoryTable:
    """The table in `args`. Raises Refusal for anything malformed, ill-typed or too large."""
    schema, columns = _read(args)
    try:
        arrow = schema.to_pyarrow()
        arrays = [pa.array(values, type=field.type) for values, field in zip(columns, arrow, strict=True)]
        table = pa.Table.from_arrays(arrays, schema=pa.schema([field.with_nullable(True) for field in arrow]))
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        raise Refusal(ErrorCode.ILL_TYPED, operation="Memtable") from None
    return ops.InMemoryTable(name=_name(args), schema=schema, data=PyArrowTableProxy(table))


def _read(args: Mapping[str, Any]) -> tuple[ibis.Schema, list[list[object]]]:
    if set(args) != {"schema", "columns"} or not all(isinstance(part, list) for part in args.values()):
        raise malformed("Memtable")
    fields, columns = args["schema"], args["columns"]
    if not fields or len(fields) != len(columns) or not all(isinstance(column, list) for column in columns):
        raise malformed("Memtable")
    if len({len(column) for column in columns}) != 1:
        raise malformed("Memtable")
    _check_size(len(columns[0]), len(columns))
    return _schema(fields), [[decode_scalar(value) for value in column] for column in columns]


def _schema(fields: list[object]) -> ibis.Schema:
    names: dict[str, Any] = {}
    for field in fields:
        if (
            not (isinstance(field, list) and len(field) == 2 and isinstance(field[0], str))
            or field[0] in names
        ):
            raise malformed("Memtable")
        names[field[0]] = decode_type(field[1])
    return ibis.schema(names)


def _check_size(rows: int, columns: int) -> None:
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise Refusal(ErrorCode.USER_TABLE_RULE, why="size", rows=MAX_ROWS, columns=MAX_COLUMNS)


def _name(args: Mapping[str, Any]) -> str:
    canonical = json.dumps(args, sort_keys=True, separators=(",", ":")).encode()
    return PREFIX + hashlib.sha256(canonical).hexdigest()[:16]
