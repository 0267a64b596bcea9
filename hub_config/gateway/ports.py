"""What the gateway asks of others: governance about a project, the audit chain to record. (The hub is asked
about a token in `hub_config.sockets.identity`.)

Each is a protocol: tests put a peer of their own in its place.
"""

from __future__ import annotations

from datetime import date
from typing import Protocol

from hub_config.governance.audit import AuditEvent
from hub_config.governance.facts import Objectors, ProjectFacts
from hub_config.governance.persons.facts import Link


class Governance(Protocol):
    def read(self, user: str, project: str, at: date) -> ProjectFacts:
        """The project as it is now. Raises Refusal if `user` may not work in it."""

    def objectors(self, numbering: str) -> Objectors:
        """Everyone who objected, up to now, whose numbers are of this numbering."""

    def own(self, user: str, source: str) -> Link | None:
        """Who `user` is in the snapshots of `source`, as the register says now; None where it does not."""


class Audit(Protocol):
    def append(self, event: AuditEvent) -> str:
        """Record durably. Raises AuditFailure, and then nothing may be answered."""
