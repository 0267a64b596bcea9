"""What was found out about a copy of a snapshot on an engine elsewhere, and for how long it is believed: a
while, and not after anything failed. Somebody may put another copy in its place; then questions are refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hub_config.warehouse.engines.description import Description
from p4dp_sdk.wire.errors import Refusal

SECONDS: Final = 60.0


@dataclass(frozen=True)
class FirstSeen:
    """When the files of each snapshot had last been changed when they were first seen: as long as the gateway
    runs they may not change, since a snapshot never does."""

    _times: dict[int, Mapping[str, datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def are_unchanged(self, number: int, times: Mapping[str, datetime]) -> bool:
        with self._lock:
            return self._times.setdefault(number, times) == times


class Looked:
    """`look` finds out, and raises Refusal where something else is there. Threads may ask at once; two may
    look at the same time, and both see."""

    def __init__(
        self,
        look: Callable[[], Description],
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._seconds, self._clock = look, seconds, clock
        self._lock = threading.Lock()
        self._found: tuple[float, Description] | None = None

    def found(self) -> Description:
        with self._lock:
            known = self._found
        at = self._clock()
        if known is not None and at - known[0] < self._seconds:
            return known[1]
        with self.doubting():
            found = self._look()
        with self._lock:
            self._found = (at, found)
        return found

    @contextmanager
    def doubting(self) -> Iterator[None]:
        """What is refused inside may be so because the copy is another: nothing is believed any more."""
        try:
            yield
        except Refusal:
            with self._lock:
                self._found = None
            raise
