"""A Parquet file written anew from the values of its columns: what leaves in place of a requester's own.

Types are plain: what a dictionary or an extension type stands for, a time zone that there is. Nothing is said
of the table or of its columns but their names. The same values give the same bytes.
"""

from __future__ import annotations

import io
import re
from typing import Any, Final
from zoneinfo import ZoneInfo

from hub_config.airlock.checks.inside.found import CannotRead
from hub_config.airlock.checks.inside.reasons import Reason

LARGEST: Final = 24 * 2**20
_MOST_ROUNDS: Final = 3
_OFFSET: Final = re.compile(r"[+-](0\d|1[0-4]):(00|15|30|45)")


def file_of(content: bytes) -> bytes:
    """Of a Parquet file within bounds; written and read again until nothing changes any more, as Parquet has
    no seconds and rounds them to milliseconds. Raises CannotRead, and what pyarrow raises."""
    written = _written(content)
    for _ in range(_MOST_ROUNDS):
        again = _written(written)
        if again == written:
            return written
        written = again
    raise CannotRead(Reason.NOT_THE_SAME_ANEW)


def _written(content: bytes) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False).read(use_threads=False)
    out = io.BytesIO()
    pq.write_table(table_of(table), out, compression="zstd", write_page_index=False)
    if out.tell() > LARGEST:
        raise CannotRead(Reason.TOO_LARGE)
    return out.getvalue()


def table_of(table: Any) -> Any:
    """The same names and values, and nothing else."""
    import pyarrow as pa

    columns = [_plain(table.column(number)) for number in range(table.num_columns)]
    fields = [pa.field(name, column.type) for name, column in zip(table.column_names, columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _plain(column: Any) -> Any:
    import pyarrow as pa

    kind = plain_type(column.type)
    if pa.types.is_nested(kind):
        return pa.array([_without_payload(value) for value in column.to_pylist()], kind)
    column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    while isinstance(column, pa.ExtensionArray):
        column = column.storage
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    return _with_one_nan(column.cast(kind))


def _with_one_nan(column: Any) -> Any:
    """Of the 2⁵² bit patterns that are no number, one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(float("nan"), column.type), column)


def _without_payload(value: Any) -> Any:
    match value:
        case float() if value != value:
            return float("nan")
        case dict():
            return {name: _without_payload(each) for name, each in value.items()}
        case list() | tuple():
            return type(value)(map(_without_payload, value))
        case _:
            return value


def plain_type(kind: Any) -> Any:
    """The type of the values themselves. Raises CannotRead where it names a time zone that there isn't."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, _zone(kind.tz))
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([(each.name, plain_type(each.type)) for each in kind.fields])
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(plain_type(kind.value_type), kind.list_size)
    if pa.types.is_large_list(kind):
        return pa.large_list(plain_type(kind.value_type))
    if pa.types.is_list(kind):
        return pa.list_(plain_type(kind.value_type))
    if pa.types.is_nested(kind):
        raise CannotRead(Reason.UNKNOWN_KIND)
    return kind


def _zone(name: str) -> str:
    if _OFFSET.fullmatch(name):
        return name
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, KeyError):
        raise CannotRead(Reason.DAMAGED) from None
