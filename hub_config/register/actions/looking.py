"""How every action of a dossier begins: the row as it is now, and whether this person may."""

from __future__ import annotations

from sqlalchemy.orm import Session

from hub_config.governance.recorder import Recorder
from hub_config.governance.register import models, reading
from hub_config.governance.register.facts import DossierFacts, State, Step
from hub_config.governance.roles import Person
from hub_config.register.problems import Denied, NoSuch, Stale
from hub_config.register.rules import Act, Denial, next_state, why_not


def opened(
    session: Session,
    dossier_id: str,
    person: Person,
    act: Act,
    *,
    quorum: int,
    version: int | None = None,
    round: int | None = None,
) -> models.Dossier:
    """The row, for an act that is allowed. `version` and `round` are what the person's page was made from:
    any change since, or only what was sent anew.

    Raises NoSuch for whoever may not even see it, Denied, or Stale.
    """
    row = session.get(models.Dossier, dossier_id)
    if row is None:
        raise NoSuch(dossier_id)
    facts = reading.dossier_facts(session, row)
    if why_not(person, Act.VIEW, facts, quorum=quorum) is not None:
        raise NoSuch(dossier_id)
    if (denial := why_not(person, act, facts, quorum=quorum)) is not None:
        raise Denied(denial)
    if version not in (None, row.version) or round not in (None, row.round):
        raise Stale(dossier_id)
    return row


def note_reading(session: Session, dossier: DossierFacts, person: Person, *, audit: Recorder) -> None:
    """That somebody read a request they have no part in."""
    if person.username not in dossier.named:
        audit.record(session, "dossier.read", dossier.project, dossier=dossier.id, state=dossier.state.value)


def move(row: models.Dossier, step: Step) -> tuple[State, State]:
    """Take the step; where it was and is. Raises Denied where the life of a dossier has no such step."""
    before = State(row.state)
    after = next_state(before, step)
    if after is None:
        raise Denied(Denial.NOT_NOW)
    row.state = after.value
    return before, after


def facts_of(session: Session, row: models.Dossier) -> DossierFacts:
    """As it stands after what was just changed."""
    session.flush()
    session.refresh(row)
    return reading.dossier_facts(session, row)
