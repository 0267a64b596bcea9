"""The other end of one request: its body, read under a limit, and whether it is still there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.types import Receive

from hub_config.gateway.stopping import Stopped, StopReason
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_READ_SECONDS: Final = 30.0
_DRAINED: Final = 64  # how many times the limit is read and thrown away, so that the refusal can be received


@dataclass(frozen=True)
class Client:
    receive: Receive

    async def read_body(self, limit: int) -> bytes:
        """The whole body. Raises Refusal beyond `limit` bytes, of which it never holds more, or if it
        takes too long.
        """
        try:
            async with asyncio.timeout(_READ_SECONDS):
                return await self._read(limit)
        except TimeoutError:
            raise Refusal(ErrorCode.TIMED_OUT, limit=round(_READ_SECONDS)) from None

    async def wait_gone(self) -> None:
        """Return when the client has gone. Only after the body was read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _read(self, limit: int) -> bytes:
        body, size, more = bytearray(), 0, True
        while more and size <= limit * _DRAINED:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Stopped(StopReason.CLIENT_GONE)
            piece = message.get("body", b"")
            size += len(piece)
            if size <= limit:
                body += piece
            more = message.get("more_body", False)
        if size > limit:
            raise Refusal(ErrorCode.TOO_LARGE, limit=limit)
        return bytes(body)
