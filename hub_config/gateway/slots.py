"""How many questions run at once: a few for each workspace, a bounded number for all. Beyond that, busy.

At its own limit a workspace is refused at once; where the whole machine is full, after a short wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from p4dp_sdk.wire.errors import ErrorCode, Refusal


class Slots:
    """Used from one event loop only."""

    def __init__(self, total: int, each: int, patience_seconds: float = 5.0) -> None:
        self._each = each
        self._patience = patience_seconds
        self._free = asyncio.Semaphore(total)
        self._taken: Counter[str] = Counter()

    @asynccontextmanager
    async def take(self, workspace: str) -> AsyncIterator[None]:
        """Hold a slot of `workspace`. Raises Refusal (BUSY) at its own limit, or if the machine stays full
        for a while.
        """
        if self._taken[workspace] >= self._each:
            raise Refusal(ErrorCode.BUSY, limit=self._each)
        self._taken[workspace] += 1
        try:
            async with self._one_of_all():
                yield
        finally:
            self._taken[workspace] -= 1
            self._taken += Counter()  # forget workspaces that hold none

    @asynccontextmanager
    async def _one_of_all(self) -> AsyncIterator[None]:
        try:
            await asyncio.wait_for(self._free.acquire(), self._patience)
        except TimeoutError:
            raise Refusal(ErrorCode.BUSY) from None
        try:
            yield
        finally:
            self._free.release()
