"""What is worked out once and kept, for as long as a snapshot is open.

Kept are facts of the snapshot and SQL made of nothing but its key. So a key must hold all that what it stands
for depends on: what depends on a grant is kept under the grant. What a question is answered never depends on
whether something was kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

T = TypeVar("T")
_MOST: Final = 1_000  # things; beyond, what was asked for longest ago goes


class Kept:
    """Values by key. Threads may ask at once; two may work out the same value, which is then the same."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Any] = OrderedDict()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave for `key`. What it raises is raised, and nothing kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                found: T = self._values[key]
                return found
        made = make()
        with self._lock:
            self._values[key] = made
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return made
