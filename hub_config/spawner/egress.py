"""What a launcher says of the bytes it passed on to the browser, for the log. Its words, not the box's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hub_config.spawner.order import Sent, read_sent

_PATIENCE = 2.0  # seconds for the last words of a launcher that has ended


class Egress:
    """Listens until the launcher ends. `note` is called when a day's bytes pass the limit."""

    def __init__(self, said: asyncio.StreamReader, note: Callable[[Sent], Awaitable[None]]) -> None:
        self._last: Sent | None = None
        self._hearing = asyncio.ensure_future(self._hear(said, note))

    async def total(self) -> int | None:
        """Bytes since the start, once the launcher has ended; None where it died without a word."""
        await asyncio.wait({self._hearing}, timeout=_PATIENCE)
        return None if self._last is None else self._last.bytes

    async def _hear(self, said: asyncio.StreamReader, note: Callable[[Sent], Awaitable[None]]) -> None:
        while line := await said.readline():
            sent = read_sent(line)
            self._last = sent or self._last
            if sent is not None and sent.passed:
                await note(sent)
