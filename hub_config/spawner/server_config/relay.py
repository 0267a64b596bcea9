"""Pass bytes between two sockets, both ways, until either side is done. Standard library only.

The launcher (enclave side) and `inside.py` (in the box) use this same file. It reads nothing of what it
passes; the launcher has it counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Opener = Callable[[], Awaitable[Streams]]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Counter = Callable[[int], None]

READY = b"ready\n"  # what inside.py says to the launcher once the server is started
_CHUNK = 64 * 1024


def _nobody_counts(_bytes: int) -> None:
    pass


def relay_to(opener: Opener, back: Counter = _nobody_counts) -> Handler:
    """A handler for asyncio's servers that joins each connection to a new one made by `opener`. `back` is
    told how many bytes come back from there."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.CancelledError):  # the last: the program ends
            far_reader, far_writer = await opener()
            try:
                await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer, back))
            finally:
                _close(far_writer)
        _close(writer)

    return handle


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Counter = _nobody_counts
) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            count(len(chunk))
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.write_eof()


def _close(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, RuntimeError):
        writer.close()
