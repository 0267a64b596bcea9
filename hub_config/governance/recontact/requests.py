"""Use cases of requests of re-contact: asked for by a project, decided, announced, fetched by practice,
closed, or closing by itself.

A list is dense numbers, here and nowhere else; it goes when its request is refused or closed, or is six
months old. Who objected is
left out of it whenever it is looked at, whatever the objection's reach: who says "from now on" is not written
to either. One transaction of the caller's, one audit event each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from hub_config.governance.facts import Objectors, ProjectFacts, ProjectStatus
from hub_config.governance.models import Project
from hub_config.governance.moments import aware, aware_or_none
from hub_config.governance.objections.actions import objectors
from hub_config.governance.recontact import models
from hub_config.governance.recontact.facts import (
    KEPT,
    LONGEST_PROTOCOL,
    LONGEST_TITLE,
    MOST_A_YEAR,
    MOST_OPEN,
    REQUEST_TRANSITIONS,
    Handed,
    Listed,
    PracticeKey,
    RecontactRequest,
    RequestState,
    RequestStep,
    room_for,
)
from hub_config.governance.recontact.keys import keys_in_force
from hub_config.governance.recontact.problems import BadRecontact, Why
from hub_config.governance.recorder import Recorder
from hub_config.governance.rights.actions import fresh_id

_YEAR: Final = timedelta(days=365)
_ENDED: Final = tuple(state.value for state, steps in REQUEST_TRANSITIONS.items() if not steps)


@dataclass(frozen=True)
class Asked:
    """What a project asks for: the words for the GPs, the number it was told, and in which snapshot; and, not
    in its own words, whom it selects of which tables."""

    project: str
    title: str
    protocol: str
    snapshot: int
    numbering: str
    synthetic: bool
    patients: int
    definition: str
    tables: tuple[str, ...]


# reading


def requests(session: Session, states: Collection[RequestState] | None = None) -> list[RecontactRequest]:
    """The newest first."""
    query = select(models.RecontactRequest).order_by(models.RecontactRequest.requested_at.desc())
    if states is not None:
        query = query.where(models.RecontactRequest.state.in_([state.value for state in states]))
    return [_facts(row) for row in session.scalars(query)]


def requests_of(session: Session, project: str) -> list[RecontactRequest]:
    return [each for each in requests(session) if each.project == project]


def request_of(session: Session, request: str) -> RecontactRequest:
    return _facts(_row(session, request))


def fetched(session: Session, request: str) -> dict[str, datetime]:
    """When each key's file was last taken."""
    rows = select(models.RecontactFetch).where(models.RecontactFetch.request == request)
    return {row.key: aware(row.fetched_at) for row in session.scalars(rows)}


# changing


def check_may_ask(session: Session, project: str, *, at: datetime) -> None:
    """Raises BadRecontact for a project with too many requests: each tells practices of people."""
    row = models.RecontactRequest
    of_project = select(func.count()).select_from(row).where(row.project == project)
    if session.scalar(of_project.where(row.state.not_in(_ENDED))) >= MOST_OPEN:  # type: ignore[operator]
        raise BadRecontact(Why.TOO_MANY_OPEN)
    if session.scalar(of_project.where(row.requested_at > at - _YEAR)) >= MOST_A_YEAR:  # type: ignore[operator]
        raise BadRecontact(Why.TOO_MANY_A_YEAR)


def ask(
    session: Session, asked: Asked, people: Iterable[Listed], *, at: datetime, audit: Recorder
) -> RecontactRequest:
    """Put a request on record, with its list less who objected meanwhile. Raises BadRecontact."""
    check_may_ask(session, asked.project, at=at)
    check_words(asked.title, asked.protocol)
    listed = without_objectors(people, objectors(session, asked.numbering))
    row = models.RecontactRequest(
        id=fresh_id("C"),
        project=asked.project,
        requested_by=audit.who,
        title=asked.title.strip(),
        protocol=asked.protocol.strip(),
        snapshot=asked.snapshot,
        numbering=asked.numbering,
        synthetic=asked.synthetic,
        patients=asked.patients,
        definition=asked.definition,
        tables=" ".join(asked.tables),
        state=RequestState.REQUESTED.value,
        requested_at=at,
    )
    session.add(row)
    session.flush()
    session.add_all(
        models.RecontactPatient(request=row.id, patient_no=each.patient_no, physician_no=each.physician_no)
        for each in listed
    )
    audit.record(session, "recontact.request", asked.project, request=row.id, title=row.title)
    return _facts(row)


def check_words(title: str, protocol: str) -> None:
    """Raises BadRecontact: GPs are told what their patients are sought for."""
    if not 0 < len(title.strip()) <= LONGEST_TITLE or "\n" in title.strip():
        raise BadRecontact(Why.TEXT)
    if not 0 < len(protocol.strip()) <= LONGEST_PROTOCOL:
        raise BadRecontact(Why.TEXT)


def step(
    session: Session,
    request: str,
    taken: RequestStep,
    facts: ProjectFacts,
    *,
    reason: str = "",
    at: datetime,
    audit: Recorder,
) -> RecontactRequest:
    """Decide, announce or close. Nobody decides on their own request, nor on one of a project they belong to.
    Raises BadRecontact."""
    row = _row(session, request)
    after = REQUEST_TRANSITIONS[RequestState(row.state)].get(taken)
    if after is None:
        raise BadRecontact(Why.STEP)
    if taken in (RequestStep.APPROVE, RequestStep.REFUSE):
        _decide(row, facts, taken, reason, at, audit.who)
    if taken in (RequestStep.APPROVE, RequestStep.ANNOUNCE):
        require_granted(_facts(row), facts, at)
    _move(session, row, after, taken, audit)
    return _facts(row)


def expire(session: Session, *, at: datetime, audit: Recorder) -> int:
    """Close, with their lists, the requests that are older than a list may be, and those of projects that
    were closed for good. How many."""
    row, project = models.RecontactRequest, Project
    outlived = or_(row.requested_at < at - KEPT, project.status == ProjectStatus.CLOSED.value)
    query = select(row).join(project, project.slug == row.project).where(row.state.not_in(_ENDED), outlived)
    found = list(session.scalars(query.order_by(row.id).with_for_update(of=row)))
    for each in found:
        after = REQUEST_TRANSITIONS[RequestState(each.state)][RequestStep.EXPIRE]
        _move(session, each, after, RequestStep.EXPIRE, audit)
    return len(found)


def _move(
    session: Session,
    row: models.RecontactRequest,
    after: RequestState,
    taken: RequestStep,
    audit: Recorder,
) -> None:
    row.state = after.value
    if row.state in _ENDED:
        session.execute(delete(models.RecontactPatient).where(models.RecontactPatient.request == row.id))
    audit.record(session, f"recontact.{taken.value}", row.project, request=row.id)


def _decide(
    row: models.RecontactRequest,
    facts: ProjectFacts,
    taken: RequestStep,
    reason: str,
    at: datetime,
    who: str,
) -> None:
    if who == row.requested_by or who in facts.members:
        raise BadRecontact(Why.OWN)
    if taken is RequestStep.REFUSE and not reason.strip():
        raise BadRecontact(Why.REASON)
    row.decided_by, row.decided_at, row.reason = who, at, reason.strip()[:400]


def require_granted(request: RecontactRequest, facts: ProjectFacts, at: datetime) -> None:
    """What the project was granted must hold at each step, and the list not be old. Raises BadRecontact."""
    expires = facts.grant.expires_on
    holds = facts.status is ProjectStatus.APPROVED and facts.grant.recontact
    if not holds or (expires is not None and at.date() > expires):
        raise BadRecontact(Why.NOT_GRANTED)
    if at > request.open_until():
        raise BadRecontact(Why.OUTDATED)


def fetch(
    session: Session,
    request: str,
    key: PracticeKey,
    facts: ProjectFacts,
    *,
    at: datetime,
    audit: Recorder,
) -> Handed:
    """The patients of one practice that still takes part, by dense number; that they were taken is on record.
    Raises BadRecontact."""
    row = _row(session, request)
    if RequestState(row.state) is not RequestState.ANNOUNCED:
        raise BadRecontact(Why.STEP)
    require_granted(_facts(row), facts, at)
    if key.id not in {each.id for each in keys_in_force(session, row.numbering)}:
        raise BadRecontact(Why.NO_KEY)
    session.merge(models.RecontactFetch(request=row.id, key=key.id, fetched_by=audit.who, fetched_at=at))
    said = {"request": row.id, "practice": key.practice, "fingerprint": key.fingerprint}
    audit.record(session, "recontact.fetch", row.project, **said)
    return _of_practice(session, row, key.physician_no)


def _of_practice(session: Session, row: models.RecontactRequest, physician_no: int) -> Handed:
    listed = models.RecontactPatient
    query = select(listed).where(listed.request == row.id, listed.physician_no == physician_no)
    people = [Listed(each.patient_no, each.physician_no) for each in session.scalars(query)]
    left = without_objectors(people, objectors(session, row.numbering))
    numbers = tuple(sorted(each.patient_no for each in left))
    return Handed(numbers, room_for(len(people), row.id, physician_no))


def without_objectors(people: Iterable[Listed], objected: Objectors) -> list[Listed]:
    """Whoever neither objected nor has a GP who did, to all or to the future."""
    patients = objected.patients | objected.patients_until.keys()
    physicians = objected.physicians | objected.physicians_until.keys()
    return [
        each for each in people if each.patient_no not in patients and each.physician_no not in physicians
    ]


def _row(session: Session, request: str) -> models.RecontactRequest:
    row = session.get(models.RecontactRequest, request)
    if row is None:
        raise BadRecontact(Why.NO_REQUEST)
    return row


def _facts(row: models.RecontactRequest) -> RecontactRequest:
    return RecontactRequest(
        id=row.id,
        project=row.project,
        requested_by=row.requested_by,
        title=row.title,
        protocol=row.protocol,
        numbering=row.numbering,
        synthetic=row.synthetic,
        patients=row.patients,
        state=RequestState(row.state),
        requested_at=aware(row.requested_at),
        decided_by=row.decided_by,
        decided_at=aware_or_none(row.decided_at),
        reason=row.reason or "",
        definition=row.definition,
        tables=tuple(row.tables.split()),
    )
