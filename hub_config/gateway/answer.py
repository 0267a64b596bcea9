"""An answer on its way out: Arrow record batches with the disclosure record in their schema, as an IPC
stream (lz4).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.protocol import METADATA_KEY, Disclosure

_TEXT_BYTES: Final = 24
_FIXED_BYTES: Final = 8
_WIDE: Final = 64  # bits


@dataclass(frozen=True)
class Answer:
    """What may leave. `batches` are computed as they are taken, on `resources`."""

    disclosure: Disclosure
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    resources: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Give the engine's connection back. To be called however the answer ends."""
        self.resources.close()


def conformed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """`batch` with the types the query promised; a number that does not fit is NULL nowhere and an error
    here.
    """
    try:
        return pa.RecordBatch.from_arrays(
            [emptied(column.cast(field.type)) for column, field in zip(batch.columns, schema, strict=True)],
            schema=schema,
        )
    except (pa.ArrowException, ValueError):
        raise Refusal(ErrorCode.ENGINE_FAILED) from None


def emptied(array: pa.Array) -> pa.Array:
    """`array` with nothing under its NULLs. An engine leaves there what it computed on the way, or what its
    memory held before: of another query, maybe of another project.
    """
    if not array.null_count:
        return array
    if not pa.types.is_primitive(array.type) or pa.types.is_interval(array.type):
        return pa.array(array.to_pylist(), array.type)
    filled = array.fill_null(_zero(array.type))
    valid = array.is_valid()
    if filled.offset or valid.offset:
        return pa.array(array.to_pylist(), array.type)
    buffers = [valid.buffers()[1], filled.buffers()[1]]
    return pa.Array.from_buffers(array.type, len(array), buffers, array.null_count)


def _zero(dtype: pa.DataType) -> pa.Scalar:
    wide = pa.array([0], pa.int64() if dtype.bit_width == _WIDE else pa.int32())
    return (wide.cast(dtype) if _is_number(dtype) else wide.view(dtype))[0]


def _is_number(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_boolean(dtype))


def row_bytes(schema: pa.Schema) -> int:
    """A rough size of one row, to cut batches of about the same size."""
    return sum(_FIXED_BYTES if pa.types.is_primitive(field.type) else _TEXT_BYTES for field in schema)


def ipc_stream(answer: Answer) -> Iterator[bytes]:
    """The bytes of the stream, a piece a batch. Never holds more than one batch."""
    sink = io.BytesIO()
    schema = answer.schema.with_metadata({METADATA_KEY: answer.disclosure.to_json()})
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, schema, options=options) as writer:
        yield _drained(sink)
        for batch in answer.batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            yield _drained(sink)
    yield _drained(sink)


def _drained(sink: io.BytesIO) -> bytes:
    piece = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return piece
