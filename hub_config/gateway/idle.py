"""Work that is done while nobody asks anything: each of its statements waits for all questions to end.

Nobody waits for it. Whatever it fails at is left to the question that needs it, which says what is wrong.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from hub_config.gateway.stopping import Stop, Stopped, StopReason
from p4dp_sdk.wire.errors import Refusal

_LONG: Final = 365.0 * 86_400  # seconds: it has no limit of its own
_AGAIN: Final = 0.1  # seconds until a lost interrupt is sent again


class Asked:
    """The questions on one engine at this moment."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = 0

    @contextmanager
    def question(self) -> Iterator[None]:
        with self._changed:
            self._open += 1
        try:
            yield
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def wait_for_none(self, unless: Callable[[], bool]) -> None:
        """Until no question is open, or `unless` holds, which `look_again` says may be so."""
        with self._changed:
            self._changed.wait_for(lambda: self._open == 0 or unless())

    def look_again(self) -> None:
        with self._changed:
            self._changed.notify_all()


class _Yielding(Stop):
    """The switch of work that gives way to questions before each of its statements."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(_LONG)
        self._asked = asked
        self._ended = False

    def trip(self, reason: StopReason) -> None:
        self._ended = True
        super().trip(reason)
        self._asked.look_again()

    def check(self) -> None:
        self._asked.wait_for_none(lambda: self._ended)
        super().check()


class Ahead:
    """One piece of work, in a thread of its own from now on."""

    def __init__(self, asked: Asked, work: Callable[[Stop], None]) -> None:
        self._stop = _Yielding(asked)
        self._thread = threading.Thread(target=self._do, args=(work,), name="ahead", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Do no more than the statement that is running."""
        self._stop.trip(StopReason.SHUTDOWN)

    def end(self) -> None:
        """As well; gives back control once nothing runs."""
        while self._thread.is_alive():
            self.leave()
            self._thread.join(_AGAIN)

    def _do(self, work: Callable[[Stop], None]) -> None:
        with suppress(Refusal, Stopped):
            work(self._stop)
