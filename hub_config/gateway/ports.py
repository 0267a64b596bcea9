"""What the gateway asks of others: the hub about a token, governance about a project, the audit chain to
record.

Each is a protocol: tests put a peer of their own in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from hub_config.governance.audit import AuditEvent
from hub_config.governance.facts import Objectors, ProjectFacts
from hub_config.governance.persons.facts import Link


@dataclass(frozen=True)
class TokenOwner:
    """What the hub says of a token now: whose it is (a service's token belongs to no person) and what it
    may do.
    """

    name: str
    is_person: bool
    scopes: frozenset[str]


class Hub(Protocol):
    async def owner_of(self, token: str) -> TokenOwner | None:
        """The owner of `token`, None if the hub does not know it. Raises Refusal if the hub can't be
        asked.
        """


class Governance(Protocol):
    def read(self, user: str, project: str, at: date) -> tuple[ProjectFacts, Objectors]:
        """The project and everyone who objected, as they are now. Raises Refusal if `user` may not work in
        it.
        """

    def own(self, user: str, source: str) -> Link | None:
        """Who `user` is in the snapshots of `source`, as the register says now; None where it does not."""


class Audit(Protocol):
    def append(self, event: AuditEvent) -> str:
        """Record durably. Raises AuditFailure, and then nothing may be answered."""
