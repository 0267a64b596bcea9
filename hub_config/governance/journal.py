"""Comings and goings on the audit chain: who logged in or was refused, who was put out, which workspace began
and ended, and why.

The hub's authenticator and the spawner write here; each event is on disk before what it tells of takes
effect. Who can't be recorded does not come in; who leaves, leaves in any case.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum

from hub_config.governance.audit import AuditChain, AuditEvent, AuditFailure, Decision
from hub_config.governance.audit.event import MAX_NAME, Scalar

NOBODY_KNOWN = "unknown"
_log = logging.getLogger(__name__)


class Step(StrEnum):
    LOGIN = "hub.login"
    LOGOUT = "hub.logout"
    EXPELLED = "hub.expelled"  # the identity provider no longer vouches for the person
    START = "workspace.start"
    STOP = "workspace.stop"
    EGRESS = "workspace.egress"  # much went to the browser in a day
    REPORT_START = "report.start"
    REPORT_END = "report.end"


@dataclass(frozen=True)
class Journal:
    chain: AuditChain

    async def note(
        self, who: str, step: Step, decision: Decision, *, project: str | None = None, **details: Scalar
    ) -> None:
        """Returns once the event is on disk. Raises AuditFailure: what it tells of must then not happen.

        `who` may be what a provider claims of a person who is refused: anything, of any length.
        """
        event = AuditEvent(who[:MAX_NAME] or NOBODY_KNOWN, step.value, project, decision, details)
        await asyncio.to_thread(self.chain.append, event)

    async def note_if_possible(
        self, who: str, step: Step, decision: Decision, *, project: str | None = None, **details: Scalar
    ) -> None:
        """For an end or a refusal, which a full disk must not prevent: a failure is logged."""
        try:
            await self.note(who, step, decision, project=project, **details)
        except AuditFailure as failure:
            _log.error("%s is not in the audit log: %s", step.value, failure)
