"""Parquet: what its footer declares is bounded before a page is read; its rows are checked as a table.

What leaves is a file written anew of the columns' values (`columns`): no metadata, no dictionary with
values that no row has, nothing between the pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from hub_config.airlock.checks.inside.checkers.columns import file_of
from hub_config.airlock.checks.inside.checkers.structured import document_found
from hub_config.airlock.checks.inside.disclosure.grid import CELLS_CHECKED, grid_of
from hub_config.airlock.checks.inside.disclosure.tables import candidates_of, table_found
from hub_config.airlock.checks.inside.found import CannotRead, Found, Notes, Order
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Rule, Severity

_BATCH: Final = 512
_KNOWN_METADATA: Final = frozenset({b"ARROW:schema", b"pandas"})
_MOST_GROUPS: Final = 1_000
_MOST_COLUMNS: Final = 5_000
_LONGEST: Final = 20_000


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    notes = Notes()
    try:
        file = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False, thrift_string_size_limit=2**24)
        _refuse(file.metadata, order)
        rows = list(_rows(file, order))
        nested = _nested(file, order)
        anew = file_of(content)
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        raise CannotRead(Reason.DAMAGED) from None
    _tell_metadata(file.schema_arrow, notes)
    names = [str(name) for name in file.schema_arrow.names]
    found = table_found(
        grid_of(names, rows, first_row=1, title=order.name), order, total_rows=file.metadata.num_rows
    )
    if nested:
        found += document_found(nested, order, notes)
    about = "\n".join((*_texts(file.schema_arrow), *_between(content, file.metadata)))
    candidates = {*found.candidates, *candidates_of(about, notes)}
    return replace(
        found,
        findings=notes.findings() + found.findings,
        candidates=tuple(sorted(candidates)),
        anew=anew,
    )


def _refuse(metadata: Any, order: Order) -> None:
    """By what the footer declares. Raises CannotRead."""
    if metadata.num_columns > _MOST_COLUMNS or metadata.num_row_groups > _MOST_GROUPS:
        raise CannotRead(Reason.TOO_MUCH)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if sum(group.total_byte_size for group in groups) > order.sizes.unpacked_bytes:
        raise CannotRead(Reason.BOMB)
    if metadata.num_rows > order.sizes.rows_read or metadata.num_rows < 0:
        raise CannotRead(Reason.TOO_LARGE)


def _rows(file: Any, order: Order) -> Iterator[list[str]]:
    """As text, no more than can be checked. Raises CannotRead where cells grow beyond all bounds."""
    cells = size = 0
    for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
        columns = [column.to_pylist() for column in batch.columns]
        for values in zip(*columns, strict=True):
            row = [cell_of(value) for value in values]
            size += sum(map(len, row))
            cells += len(row)
            if size > order.sizes.unpacked_bytes:
                raise CannotRead(Reason.BOMB)
            yield row
            if cells > CELLS_CHECKED:
                return


def _nested(file: Any, order: Order) -> list[Any]:
    """The rows as documents, where columns hold lists or records. As many as can be checked."""
    import pyarrow as pa

    if not any(pa.types.is_nested(each) for each in file.schema_arrow.types):
        return []
    rows: list[Any] = []
    for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
        rows.extend(batch.to_pylist())
        if len(rows) > order.sizes.rows:
            break
    return rows


def cell_of(value: Any) -> str:
    """A value of a typed table as people read it: whole floats are whole numbers, which gaps made floats."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value == int(value if math.isfinite(value) else 0) and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, float):
        return repr(value)
    return str(value)[:_LONGEST]


def _tell_metadata(schema: Any, notes: Notes) -> None:
    """Keys that no writer of ours leaves, in the schema or at a column."""
    fields = [dict(schema.field(number).metadata or {}) for number in range(len(schema.names))]
    for told in (dict(schema.metadata or {}), *fields):
        if any(key not in _KNOWN_METADATA and not key.startswith(b"PARQUET:") for key in told):
            notes.add(Rule.DOCUMENT_METADATA, Severity.WARNING, what="schema metadata")
            return


def _texts(schema: Any) -> Iterator[str]:
    """What is said of the table and of its columns, in those that hold others too."""
    described = [schema, *(schema.field(number) for number in range(len(schema.names)))]
    while described:
        each = described.pop()
        for key, value in (each.metadata or {}).items():
            if key != b"ARROW:schema":
                yield f"{key.decode(errors='replace')} {value.decode(errors='replace')}"
        if each is not schema:
            described.extend(each.type.field(number) for number in range(each.type.num_fields))


def _between(content: bytes, metadata: Any) -> Iterator[str]:
    """The bytes that no column has: before, between and behind its pages, up to the footer."""
    at = 0
    for first, size in sorted(_pages(metadata)):
        yield content[at : max(at, first)].decode("latin-1")
        at = max(at, first + size)
    yield content[at : max(at, len(content) - metadata.serialized_size - 8)].decode("latin-1")


def _pages(metadata: Any) -> Iterable[tuple[int, int]]:
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for column in map(group.column, range(group.num_columns)):
            starts = (column.dictionary_page_offset, column.data_page_offset)
            yield min(start for start in starts if start is not None), column.total_compressed_size
