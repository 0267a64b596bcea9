"""Which snapshot each run of a report began on: all of its questions are answered on that one, though a newer
one appears meanwhile. Everybody else's next question is answered on the newest.

A run has a workspace, and so a socket, of its own. Kept in memory: after a restart a run goes on with the
newest.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hub_config.governance.bindings import Binding
from hub_config.governance.facts import ProjectFacts
from hub_config.governance.services import is_service
from hub_config.warehouse.shelf import Snapshot

_MOST: Final = 1_000  # runs; the one that began longest ago is forgotten first


class Rolls:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began: OrderedDict[str, int] = OrderedDict()

    def of(
        self, binding: Binding, facts: ProjectFacts, opened: Callable[[ProjectFacts], Snapshot]
    ) -> Snapshot:
        """The snapshot that this question is answered on."""
        if facts.rolling is None or not is_service(binding.user):
            return opened(facts)
        with self._lock:
            known = self._began.get(binding.id)
        snapshot = opened(facts if known is None else replace(facts, rolling=None, snapshot=known))
        with self._lock:
            first = self._began.setdefault(binding.id, snapshot.number)
            while len(self._began) > _MOST:
                self._began.popitem(last=False)
        return snapshot if first == snapshot.number else opened(replace(facts, rolling=None, snapshot=first))
