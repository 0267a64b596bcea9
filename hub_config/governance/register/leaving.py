"""A person who leaves is out everywhere at once: of every project, of what they led and reviewed, of the hub.

From the commit on `rules.why_not` denies them every project, the sandbox's too, so the gateway's next answer
and the spawner's next look refuse; the hub's login asks `has_left`. What they did stays on record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub_config.governance import actions
from hub_config.governance.facts import ProjectStatus
from hub_config.governance.notebooks.reading import approved_by
from hub_config.governance.persons.models import Person
from hub_config.governance.problems import BadPerson
from hub_config.governance.recorder import Recorder
from hub_config.governance.register.facts import TRANSITIONS, Kind, Office, State, Step
from hub_config.governance.register.models import Dossier, Entry, Lead, Leaver
from hub_config.governance.releases.models import Reviewer, ReviewerDelegation
from hub_config.governance.services import is_service
from hub_config.governance.terms import bad_username, is_username, username

_OPEN = [state.value for state, steps in TRANSITIONS.items() if Step.WITHDRAW in steps]


@dataclass(frozen=True)
class Left:
    """What leaving undid. `orphaned`: projects that now need somebody else to answer for them."""

    username: str
    projects: tuple[str, ...]
    centres: tuple[str, ...]
    orphaned: tuple[str, ...]


@dataclass(frozen=True)
class LeaverOnRecord:
    username: str
    left_at: datetime
    by: str
    reason: str


def has_left(session: Session, user: str) -> bool:
    return session.get(Leaver, user) is not None


def leavers(session: Session) -> list[LeaverOnRecord]:
    """Who left, newest first."""
    rows = session.scalars(select(Leaver).order_by(Leaver.left_at.desc(), Leaver.username))
    return [LeaverOnRecord(row.username, row.left_at, row.by, row.reason) for row in rows]


def leave(session: Session, user: str, *, reason: str, audit: Recorder) -> Left:
    """Put `user` out of everything, in one transaction. Raises BadPerson for one who left already, or who
    can't be a person's name. Whoever was never seen may leave too: better that than a slip of the list."""
    name = username(user)
    if not is_username(name) or is_service(name):
        raise BadPerson(bad_username(user))
    if has_left(session, name):
        raise BadPerson(f"{name!r} has left already.")
    projects = _out_of_projects(session, name, audit)
    centres = tuple(session.scalars(select(Lead.centre).where(Lead.username == name).order_by(Lead.centre)))
    session.execute(delete(Lead).where(Lead.username == name))
    session.execute(delete(Person).where(Person.username == name))
    _off_the_reviewers(session, name, audit)
    _stands_in_no_more(session, name)
    _out_of_dossiers(session, name, audit)
    orphaned = tuple(session.scalars(select(Entry.project).where(Entry.responsible == name)))
    session.add(Leaver(username=name, left_at=datetime.now(UTC), by=audit.who, reason=reason.strip()))
    audit.record(session, "person.leave", None, user=name, projects=len(projects), centres=len(centres))
    return Left(name, projects, centres, orphaned)


def take_back(session: Session, user: str, *, audit: Recorder) -> None:
    """Let somebody who left log in again: with no project, until one adds them. Raises BadPerson."""
    row = session.get(Leaver, username(user))
    if row is None:
        raise BadPerson(f"{user!r} has not left.")
    session.delete(row)
    audit.record(session, "person.take-back", None, user=row.username)


def _out_of_projects(session: Session, name: str, audit: Recorder) -> tuple[str, ...]:
    slugs = tuple(actions.memberships(session, name))
    for slug in slugs:
        actions.remove_member(session, slug, name, audit=audit)
    return slugs


def _out_of_dossiers(session: Session, name: str, audit: Recorder) -> None:
    """What they asked for is withdrawn; a vote counts no more, unless the committee's decision is out.
    Votes of earlier rounds stay: who spoke once for an office does so for no other."""
    for dossier in session.scalars(select(Dossier).where(Dossier.state.in_(_OPEN))):
        if dossier.requester == name:
            _withdraw(session, dossier, audit)
        elif (Office.CSE.value, dossier.round) not in {(one.office, one.round) for one in dossier.opinions}:
            cast = [vote for vote in dossier.votes if (vote.username, vote.round) == (name, dossier.round)]
            for vote in cast:
                dossier.votes.remove(vote)


def _withdraw(session: Session, dossier: Dossier, audit: Recorder) -> None:
    before, dossier.state = dossier.state, State.WITHDRAWN.value
    dossier.closed_at = datetime.now(UTC)
    audit.record(
        session, "dossier.withdraw", dossier.project, dossier=dossier.id, before=before, after=dossier.state
    )
    if dossier.project is None or dossier.kind != Kind.CREATION.value:
        return
    if actions.project_facts(session, dossier.project).status is ProjectStatus.DRAFT:
        actions.close(session, dossier.project, audit=audit)


def _off_the_reviewers(session: Session, name: str, audit: Recorder) -> None:
    """The pool is the airlock's, its table governance's."""
    row = session.get(Reviewer, name)
    if row is not None and row.removed_at is None:
        row.removed_at = datetime.now(UTC)
        standing = ", ".join(each.id for each in approved_by(session, name))
        audit.record(session, "reviewer.remove", None, user=name, notebooks=standing)


def _stands_in_no_more(session: Session, name: str) -> None:
    """Nothing waits for them in another's place, and who is taken back does not review again by it. What
    they stood in for until today stays on record: it says whose look theirs was."""
    today = datetime.now(UTC).date()
    reaching = select(ReviewerDelegation).where(
        ReviewerDelegation.delegate == name, ReviewerDelegation.last > today
    )
    for each in session.scalars(reaching):
        if each.first > today:
            session.delete(each)
        else:
            each.last = today
