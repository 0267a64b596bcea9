"""What the pages of the desk share: settings, store, the log, the clock; and the two things every page does
first, asking whether this person may, and acting in their name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session
from starlette.requests import Request

from hub_config.desk.rules import Act, may
from hub_config.desk.texts import N_
from hub_config.governance.audit import AuditEvent, AuditFailure, Decision, Verification, verify
from hub_config.governance.audit.event import Scalar
from hub_config.governance.recorder import Recorder
from hub_config.governance.register.leaving import has_left
from hub_config.governance.roles import Person
from hub_config.governance.store import Store
from hub_config.settings import Settings
from hub_config.web.answers import Told

NOT_YOURS = N_(
    "Cette page est réservée au délégué à la protection des données ou aux personnes qu'elle concerne."
)
HAS_LEFT = N_("Votre départ de la plateforme a été enregistré : vos accès sont fermés.")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Checked:
    """The log as it was verified last, and when."""

    outcome: Verification
    at: datetime


@dataclass
class Office:
    settings: Settings
    store: Store
    clock: Callable[[], datetime] = _now
    checked: Checked | None = None
    _checking: threading.Lock = field(default_factory=threading.Lock)

    @property
    def today(self) -> date:
        return self.clock().astimezone(UTC).date()

    def note(self, person: Person, what: str, project: str | None = None, /, **details: Scalar) -> None:
        """Record what somebody looks at. Raises AuditFailure: then it is not shown."""
        self.store.audit.append(AuditEvent(person.username, what, project, Decision.ALLOWED, details))

    @contextmanager
    def acting(self, person: Person) -> Iterator[tuple[Session, Recorder]]:
        """A transaction in this person's name. Raises Told for somebody who left."""
        with self.store.change() as session:
            require_here(session, person)
            yield session, self.store.recorder(person.username)

    def check_log(self) -> Checked:
        """Read the whole log again; one reading at a time, whoever asks meanwhile waits for it."""
        with self._checking:
            outcome = verify(self.settings.audit_dir, self.settings.keys_dir)
            self.checked = Checked(outcome, self.clock())
            return self.checked


def require_here(session: Session, person: Person) -> None:
    """Raises Told for somebody who left, whatever the hub says still."""
    if has_left(session, person.username):
        raise Told(403, HAS_LEFT)


def office_of(request: Request) -> Office:
    office: Office = request.app.state.desk
    return office


def require(person: Person, act: Act) -> None:
    """Raises Told unless this person may."""
    if not may(person, act):
        raise Told(403, NOT_YOURS)


__all__ = ["AuditFailure", "Checked", "Office", "office_of", "require", "require_here"]
