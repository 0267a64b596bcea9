"""In whose name an action writes its audit event. Every action that changes something takes one: it can't be
forgotten."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hub_config.governance.audit import AuditChain, AuditEvent, Decision
from hub_config.governance.audit.event import Scalar

_RECORDED = "p4dp_recorded"


@dataclass(frozen=True)
class Recorder:
    """The audit chain, and who acts."""

    chain: AuditChain
    who: str

    def record(self, session: Session, what: str, project: str | None, **details: Scalar) -> str:
        """Send the changes to the database, then write the event; the commit follows. The event's hash.

        So an event never tells of a change that the constraints refused, and no change is committed without
        its event.
        """
        session.flush()
        event = self.chain.append(AuditEvent(self.who, what, project, Decision.ALLOWED, details))
        session.info.setdefault(_RECORDED, []).append((self.chain, event, project))
        return event


def undo_recorded(session: Session) -> None:
    """Say of each event recorded in this rolled-back session that it did not happen after all."""
    for chain, event, project in session.info.pop(_RECORDED, []):
        chain.append(AuditEvent("enclave", "audit.undone", project, Decision.FAILED, {"event": event}))
