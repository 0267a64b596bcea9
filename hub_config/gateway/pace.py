"""Quantised latency: an answer leaves at the next multiple of a small step, so its time tells less about
the data.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    step_seconds: float = 0.05

    async def hold(self, started: float) -> None:
        """Wait until `started` (of `time.monotonic`) plus a whole number of steps. A step of zero waits
        for nothing.
        """
        if self.step_seconds <= 0:
            return
        elapsed = time.monotonic() - started
        await asyncio.sleep(math.ceil(elapsed / self.step_seconds) * self.step_seconds - elapsed)
