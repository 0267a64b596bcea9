"""Who the register knows: people it greeted, who leads which centre, who left."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from hub_config.governance.recorder import Recorder
from hub_config.governance.register import models, reading
from hub_config.governance.roles import Person
from hub_config.register.form import Flaw, Problem
from hub_config.register.problems import NoSuch, Unfit


def is_known(session: Session, person: Person) -> bool:
    """Whether the register knows them as they are now called, with these roles."""
    row = session.get(models.Acquaintance, person.username)
    return row is not None and row.full_name == _name(person) and set(row.roles) == _roles(person)


def greet(session: Session, person: Person, *, audit: Recorder) -> None:
    """Remember who logged in, and as what: whom a responsible may add to a project."""
    row = session.get(models.Acquaintance, person.username)
    if row is None:
        row = models.Acquaintance(username=person.username)
        session.add(row)
    row.full_name, row.roles = _name(person), sorted(_roles(person))
    row.seen_at = datetime.now(UTC)
    audit.record(session, "register.greet", None, user=person.username, roles=" ".join(row.roles))


def name_lead(session: Session, user: str, centre: str, centres: frozenset[str], *, audit: Recorder) -> None:
    """Say that somebody else leads a centre: they may ask for projects of its region. Raises Unfit."""
    name = user.strip().lower()
    if name == audit.who:
        raise Unfit({"user": Problem(Flaw.NOT_YOURSELF)})
    if centre not in centres:
        raise Unfit({"centre": Problem(Flaw.NOT_ON_LIST)})
    if name not in reading.people(session):
        raise Unfit({"user": Problem(Flaw.UNKNOWN_PERSON, {"who": name[:64]})})
    if session.get(models.Lead, (name, centre)) is not None:
        return
    session.add(models.Lead(username=name, centre=centre, named_by=audit.who, named_at=datetime.now(UTC)))
    audit.record(session, "register.lead", None, user=name, centre=centre)


def drop_lead(session: Session, user: str, centre: str, *, audit: Recorder) -> None:
    """They lead it no more; what was decided meanwhile stands."""
    row = session.get(models.Lead, (user, centre))
    if row is None:
        raise NoSuch(user)
    session.delete(row)
    audit.record(session, "register.drop-lead", None, user=user, centre=centre)


def _name(person: Person) -> str:
    return person.full_name[:200]


def _roles(person: Person) -> set[str]:
    return {role.value for role in person.roles}
