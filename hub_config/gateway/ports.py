"""What the gateway asks of others: governance about a project, the audit chain to record. (The hub is asked
about a token in `hub_config.sockets.identity`.)

Each is a protocol: tests put a peer of their own in its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Protocol

from hub_config.governance.audit import AuditEvent
from hub_config.governance.facts import Objectors, ProjectFacts
from hub_config.governance.persons.facts import Link
from hub_config.governance.recontact.facts import Listed, RecontactRequest
from hub_config.governance.recontact.requests import Asked


class Governance(Protocol):
    def read(self, user: str, project: str, at: date, registration: str = "") -> ProjectFacts:
        """The project as it is now, and as `user` may see it; `registration`: the registered notebook that
        their run is of. Raises Refusal if `user` may not work in it."""

    def objectors(self, numbering: str) -> Objectors:
        """Everyone who objected, up to now, whose numbers are of this numbering."""

    def own(self, user: str, source: str) -> Link | None:
        """Who `user` is in the snapshots of `source`, as the register says now; None where it does not."""


class Audit(Protocol):
    def append(self, event: AuditEvent) -> str:
        """Record durably. Raises AuditFailure, and then nothing may be answered."""


class Recontacts(Protocol):
    def check(self, project: str, at: datetime) -> None:
        """Raises Refusal for a project that has asked too often."""

    def ask(self, user: str, asked: Asked, people: Iterable[Listed], at: datetime) -> RecontactRequest:
        """Put a request and its list on record. Raises Refusal."""

    def of_project(self, project: str) -> list[RecontactRequest]:
        """Its requests, the newest first."""
