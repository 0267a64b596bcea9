"""An answer's body as Arrow record batches, read as they arrive: memory stays bounded by one batch."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.protocol import METADATA_KEY, Disclosure

if TYPE_CHECKING:
    import httpx


class _Body(io.RawIOBase):
    """The chunks of a response as a readable file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = next(self._chunks, b"")
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def open_answer(response: httpx.Response) -> pa.RecordBatchReader:
    """The reader of an answer. Raises EnclaveError when the body is not an Arrow stream."""
    try:
        return pa.ipc.open_stream(io.BufferedReader(_Body(response.iter_raw()), buffer_size=1 << 20))
    except (pa.ArrowInvalid, OSError):
        raise EnclaveError(ErrorCode.INTERNAL) from None


def disclosure_of(schema: pa.Schema) -> Disclosure:
    """What was done to an answer, from its schema. An answer that does not say is an error."""
    document = (schema.metadata or {}).get(METADATA_KEY)
    if document is None:
        raise EnclaveError(ErrorCode.INTERNAL)
    return Disclosure.from_json(document)
