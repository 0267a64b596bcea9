"""What the register's pages share: settings, store, clock, and which snapshots and centres there are.

The warehouse is reached through `terms` alone, which the composition root passes in: it says which centres
exist, and no row of anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session
from starlette.requests import Request

from hub_config.governance.recorder import Recorder
from hub_config.governance.register import leaving, reading
from hub_config.governance.roles import Person, Role
from hub_config.governance.store import Store
from hub_config.governance.terms import Terms
from hub_config.register.actions import people
from hub_config.register.actions.decisions import Bench
from hub_config.register.actions.dossiers import Sent
from hub_config.register.form import Offer
from hub_config.register.rules import ReviewPolicy
from hub_config.settings import Settings
from hub_config.web.answers import Told
from hub_config.web.texts import N_

HAS_LEFT = N_("Votre départ de la plateforme a été enregistré : vos accès sont fermés.")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Secretariat:
    """`terms(None)` are those of the newest snapshot; `snapshots()` lists the numbers there are."""

    settings: Settings
    store: Store
    terms: Callable[[int | None], Terms]
    snapshots: Callable[[], list[int]]
    clock: Callable[[], datetime] = _now

    @property
    def today(self) -> date:
        return self.clock().astimezone(UTC).date()

    @property
    def quorum(self) -> int:
        return self.settings.projects.quorum

    @property
    def review(self) -> ReviewPolicy:
        projects = self.settings.projects
        return ReviewPolicy(projects.review_months, projects.review_grace_days)

    @property
    def review_suspends(self) -> bool:
        """Whether a project nobody confirmed in time is suspended by itself."""
        chosen = self.settings.projects.review_suspends
        return self.settings.identity.provider != "demo" if chosen is None else chosen

    @property
    def notice_days(self) -> int:
        return self.settings.projects.renewal_notice_days

    def bench(self) -> Bench:
        return Bench(self.quorum, self.review, self.terms, self.today)

    def greet(self, person: Person) -> None:
        """Who comes is remembered, once. Raises Told for somebody who left."""
        with self.store.session() as session:
            _require_here(session, person)
            if people.is_known(session, person):
                return
        with self.acting(person) as (session, audit):
            people.greet(session, person, audit=audit)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.store.session() as session:
            yield session

    @contextmanager
    def acting(self, person: Person) -> Iterator[tuple[Session, Recorder]]:
        """A transaction in this person's name. Raises Told for somebody who left."""
        with self.store.change() as session:
            _require_here(session, person)
            yield session, self.store.recorder(person.username)

    def offer(self, session: Session, person: Person, terms: Terms) -> Offer:
        """What this person may ask for today. A DMG lead asks for centres of their own, and for no others."""
        is_lead = Role.DMG in person.roles
        return Offer(
            requester=person.username,
            today=self.today,
            catalogue=terms.catalogue,
            centres=terms.snapshot.centres or frozenset(),
            led=reading.centres_led_by(session, person.username) if is_lead else None,
            people=reading.people(session),
        )

    def sent(self, session: Session, person: Person) -> Sent:
        terms = self.terms(None)
        return Sent(self.offer(session, person, terms), terms, self.quorum)


def _require_here(session: Session, person: Person) -> None:
    """Whatever the hub says still."""
    if leaving.has_left(session, person.username):
        raise Told(403, HAS_LEFT)


def secretariat_of(request: Request) -> Secretariat:
    office: Secretariat = request.app.state.secretariat
    return office
