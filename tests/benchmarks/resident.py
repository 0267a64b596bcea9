"""The peak of a process's memory while something runs: all that is resident, and the anonymous part of it.

The rest is pages of files (libraries, mostly), which the kernel may drop and read again: they count in the
peak that tools show, but ask nothing of the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_SHOWN: Final = re.compile(r"^(VmRSS|RssAnon):\s+(\d+) kB$", re.MULTILINE)
_EVERY: Final = 0.01  # seconds


@dataclass
class Peak:
    """In megabytes, of 1,000,000 bytes."""

    resident: float = 0.0
    anonymous: float = 0.0

    def note(self) -> None:
        now = {name: int(kib) * 1024 / 1e6 for name, kib in _SHOWN.findall(_STATUS.read_text())}
        self.resident = max(self.resident, now["VmRSS"])
        self.anonymous = max(self.anonymous, now["RssAnon"])


@contextmanager
def watched() -> Iterator[Peak]:
    """Looked at a hundred times a second."""
    peak, over = Peak(), Event()

    def watch() -> None:
        while not over.wait(_EVERY):
            peak.note()

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()
        peak.note()
