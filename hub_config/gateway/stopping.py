"""Stops a running query from another thread: at its time limit, when its client has gone, or when the
gateway stops.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Protocol

from p4dp_sdk.wire.errors import ErrorCode, Refusal


class StopReason(StrEnum):
    TIME = "time"
    CLIENT_GONE = "client-gone"
    SHUTDOWN = "shutdown"


class Stopped(Exception):
    """The query was stopped and nobody waits for its answer."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Interruptible(Protocol):
    def interrupt(self) -> None: ...


class Stop:
    """One query's switch. The first reason wins; connections in use are interrupted, later ones never
    start.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._reason: StopReason | None = None
        self._running: set[Interruptible] = set()

    def trip(self, reason: StopReason) -> None:
        """Stop for `reason`. May be called again: an interrupt that falls between two statements is lost."""
        with self._lock:
            self._reason = self._reason or reason
            for connection in self._running:
                connection.interrupt()

    def check(self) -> None:
        """Raises what the query ends with, if it was stopped."""
        match self._reason:
            case None:
                return
            case StopReason.TIME:
                raise Refusal(ErrorCode.TIMED_OUT, limit=round(self.seconds))
            case StopReason.CLIENT_GONE | StopReason.SHUTDOWN:
                raise Stopped(self._reason)

    @contextmanager
    def guarding(self, connection: Interruptible) -> Iterator[None]:
        """While inside, `trip` interrupts `connection`."""
        with self._lock:
            self._running.add(connection)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._running.discard(connection)
