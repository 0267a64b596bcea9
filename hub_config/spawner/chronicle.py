"""What the spawner writes on the audit chain of one workspace: that it began, was refused, sent much, ended.

Each event says from which address its user asked for the workspace, as the proxy saw it. A start that can't
be recorded does not happen; an end is recorded if it can be.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub_config.governance.audit import AuditChain, Decision, acting_from
from hub_config.governance.audit.event import Scalar
from hub_config.governance.audit.place import at_address
from hub_config.governance.journal import Journal, Step
from hub_config.settings import Settings
from hub_config.spawner.order import Sent


@dataclass(frozen=True)
class Chronicle:
    settings: Settings
    user: str
    project: str  # empty where none was asked for
    where: str | None = None

    async def begins(self, *, binding: str, uid: int | None) -> None:
        """Raises AuditFailure: then nothing starts."""
        with acting_from(self.where):
            await self._journal.note(
                self.user, Step.START, Decision.ALLOWED, project=self.project, binding=binding, uid=uid
            )

    async def does_not_begin(self, decision: Decision, reason: str) -> None:
        await self._note(Step.START, decision, reason=reason)

    async def sent_much(self, sent: Sent, *, binding: str) -> None:
        await self._note(Step.EGRESS, Decision.ALLOWED, binding=binding, bytes=sent.day_bytes, day=sent.day)

    async def ended(self, *, binding: str, reason: str, sent: int | None) -> None:
        await self._note(Step.STOP, Decision.ALLOWED, binding=binding, reason=reason, bytes=sent)

    async def _note(self, step: Step, decision: Decision, **details: Scalar) -> None:
        with acting_from(self.where):
            await self._journal.note_if_possible(
                self.user, step, decision, project=self.project or None, **details
            )

    @property
    def _journal(self) -> Journal:
        return Journal(AuditChain(self.settings.audit_dir, self.settings.keys_dir))


def address_of(handler: object) -> str | None:
    """From where the request came that the hub's handler answers; None outside a request."""
    remote = getattr(getattr(handler, "request", None), "remote_ip", None)
    return at_address(remote if isinstance(remote, str) else None)
