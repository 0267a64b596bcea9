"""Use cases of the register: link a login, unlink it, list, and say who somebody is in a source.

Whatever changes something takes a `Recorder`, and records last. Numbers stay out of the audit log: it says
who was linked, and as what.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.demo import demo_link
from hub_config.governance.persons.facts import Link, Standing
from hub_config.governance.persons.models import Person
from hub_config.governance.problems import BadPerson
from hub_config.governance.recorder import Recorder
from hub_config.governance.services import is_service
from hub_config.governance.terms import bad_username, is_username, username


def own_of(session: Session, user: str, source: str) -> Link | None:
    """Who `user` is in the snapshots of `source`; None where nobody said. A service is nobody."""
    if is_service(user):
        return None
    row = session.get(Person, (user, source))
    return None if row is None else _link(row)


def persons(session: Session) -> list[Link]:
    """The whole register, by login and source."""
    rows = session.scalars(select(Person).order_by(Person.username, Person.source))
    return [_link(row) for row in rows]


def link(session: Session, wanted: Link, *, audit: Recorder) -> Link:
    """Put on record whose number that is: from the person's next question on, its rows are their own.

    Raises BadPerson for a login that can't be one, or is linked already, and for a number that is somebody
    else's.
    """
    user = username(wanted.username)
    if not is_username(user):
        raise BadPerson(bad_username(wanted.username))
    if is_service(user):
        raise BadPerson(f"{user!r} is the name of a service, which has no rows of its own.")
    if session.get(Person, (user, wanted.source)) is not None:
        raise BadPerson(
            f"{user!r} is linked already in {wanted.source!r}. To change it, unlink them first: "
            f'`p4dp-enclave person unlink {user} --source "{wanted.source}"`.'
        )
    _require_free(session, wanted)
    row = Person(
        username=user,
        source=wanted.source,
        standing=wanted.standing.value,
        number=wanted.number,
        linked_at=datetime.now(UTC),
    )
    session.add(row)
    session.flush()
    _record(session, audit, "person.link", row)
    return _link(row)


def ensure_demo_link(session: Session, source: str, *, audit: Recorder) -> None:
    """Link the demo's intern, unless they are linked already, or the number is somebody's."""
    wanted = demo_link(source)
    if not any(_meets(each, wanted) for each in persons(session)):
        link(session, wanted, audit=audit)


def unlink(session: Session, user: str, source: str, *, audit: Recorder) -> Link:
    """Take a login off the register: their next question about their own is refused. Raises BadPerson."""
    row = session.get(Person, (username(user), source))
    if row is None:
        raise BadPerson(
            f"{user!r} is not linked in {source!r}. `p4dp-enclave person list` shows who is, and where."
        )
    before = _link(row)
    session.delete(row)
    _record(session, audit, "person.unlink", row)
    return before


def _require_free(session: Session, wanted: Link) -> None:
    same = select(Person).where(
        Person.source == wanted.source,
        Person.standing == wanted.standing.value,
        Person.number == wanted.number,
    )
    holder = session.scalar(same)
    if holder is not None:
        raise BadPerson(
            f"{wanted.standing.value} {wanted.number} of {wanted.source!r} is {holder.username!r}. A number "
            "is one person's: check it with who sent it."
        )


def _meets(one: Link, other: Link) -> bool:
    """Whether they can't both be on record."""
    same_number = (one.standing, one.number) == (other.standing, other.number)
    return one.source == other.source and (one.username == other.username or same_number)


def _record(session: Session, audit: Recorder, what: str, row: Person) -> None:
    audit.record(session, what, None, user=row.username, standing=row.standing, source=row.source)


def _link(row: Person) -> Link:
    return Link(row.username, row.source, Standing(row.standing), row.number)
