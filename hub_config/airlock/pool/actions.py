"""Use cases of the pool: the CSE names and takes off; a reviewer says when they are away, and who stands in.

Each is one transaction of the caller's session and one audit event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.airlock.rules.permission import Someone
from hub_config.airlock.texts import AirlockProblem, Denied, Problem
from hub_config.governance.notebooks.reading import approved_by
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import Absence, Delegation
from hub_config.governance.releases.models import Reviewer, ReviewerAbsence, ReviewerDelegation
from hub_config.governance.roles import Role
from hub_config.governance.terms import is_username, username

T = TypeVar("T", ReviewerAbsence, ReviewerDelegation)


@dataclass(frozen=True)
class OnPool:
    """One reviewer as the pool's page shows them, with what is still to come."""

    username: str
    named_by: str
    named_at: datetime
    absences: tuple[Absence, ...]
    delegations: tuple[Delegation, ...]


def name_reviewer(session: Session, person: Someone, who: str, *, at: datetime, audit: Recorder) -> None:
    """Put a physician on the pool. Raises Denied unless the CSE does, and for oneself. Their role is checked
    when they act."""
    _require_cse(person)
    reviewer = _named_by(person, who)
    row = session.get(Reviewer, reviewer)
    if row is None:
        session.add(Reviewer(username=reviewer, named_by=person.username, named_at=at))
    else:
        row.named_by, row.named_at, row.removed_at = person.username, at, None
    audit.record(session, "reviewer.name", None, reviewer=reviewer)


def remove_reviewer(session: Session, person: Someone, who: str, *, at: datetime, audit: Recorder) -> None:
    """Take somebody off the pool, with whom they delegated to. Votes they cast stand, and so do notebooks
    they approved: the record names these, for the data protection officer, who may withdraw them."""
    _require_cse(person)
    _row(session, username(who)).removed_at = at
    standing = ", ".join(each.id for each in approved_by(session, username(who)))
    audit.record(session, "reviewer.remove", None, reviewer=username(who), notebooks=standing)


def be_absent(
    session: Session,
    person: Someone,
    first: date,
    last: date,
    *,
    at: datetime,
    audit: Recorder,
    who: str = "",
) -> None:
    """Say when one is away, both days included; the CSE says it of anybody. Others are expected meanwhile."""
    reviewer = _theirs(session, person, who)
    _require_order(first, last)
    session.add(ReviewerAbsence(reviewer=reviewer, first=first, last=last))
    audit.record(
        session,
        "reviewer.absence",
        None,
        reviewer=reviewer,
        first=first.isoformat(),
        last=last.isoformat(),
    )


def be_back(session: Session, person: Someone, *, at: datetime, audit: Recorder, who: str = "") -> None:
    """End one's absences that reach beyond today, and one's delegations with this day: whoever stood in may
    have looked in one's place, so what has begun stays on record."""
    reviewer, today = _theirs(session, person, who), at.date()
    for absence in _reaching(session, ReviewerAbsence, reviewer, today):
        session.delete(absence)
    for delegation in _reaching(session, ReviewerDelegation, reviewer, today):
        if delegation.first > today:
            session.delete(delegation)
        else:
            delegation.last = today
    audit.record(session, "reviewer.back", None, reviewer=reviewer)


def delegate(
    session: Session,
    person: Someone,
    to: str,
    first: date,
    last: date,
    *,
    at: datetime,
    audit: Recorder,
    who: str = "",
) -> None:
    """Name the physician who may review in one's place on these days; the CSE names it for anybody."""
    reviewer = _theirs(session, person, who)
    stand_in = _name(to) if reviewer == person.username else _named_by(person, to)
    _require_order(first, last)
    if stand_in == reviewer:
        raise AirlockProblem(Problem.BAD_NAME)
    session.add(ReviewerDelegation(reviewer=reviewer, delegate=stand_in, first=first, last=last, named_at=at))
    audit.record(
        session,
        "reviewer.delegate",
        None,
        reviewer=reviewer,
        delegate=stand_in,
        first=first.isoformat(),
        last=last.isoformat(),
    )


def pool(session: Session, day: date) -> list[OnPool]:
    """Who is on the pool, by name, with absences and delegations that are not over on that day."""
    rows = session.scalars(select(Reviewer).where(Reviewer.removed_at.is_(None)).order_by(Reviewer.username))
    absences = [
        Absence(row.reviewer, row.first, row.last)
        for row in session.scalars(
            select(ReviewerAbsence).where(ReviewerAbsence.last >= day).order_by(ReviewerAbsence.first)
        )
    ]
    delegations = [
        Delegation(row.reviewer, row.delegate, row.first, row.last)
        for row in session.scalars(
            select(ReviewerDelegation)
            .where(ReviewerDelegation.last >= day)
            .order_by(ReviewerDelegation.first)
        )
    ]
    return [
        OnPool(
            row.username,
            row.named_by,
            row.named_at,
            tuple(each for each in absences if each.reviewer == row.username),
            tuple(each for each in delegations if each.reviewer == row.username),
        )
        for row in rows
    ]


def ensure_demo_pool(session: Session, *, at: datetime, audit: Recorder) -> list[str]:
    """On a demonstration's home: Diane and Denis review, in the name of Charles of the CSE. Only where nobody
    was ever on the pool."""
    if session.scalar(select(Reviewer.username).limit(1)) is not None:
        return []
    names = ["denis", "diane"]
    session.add_all(Reviewer(username=name, named_by="charles", named_at=at) for name in names)
    audit.record(session, "reviewer.name", None, reviewer=", ".join(names))
    return names


def _require_cse(person: Someone) -> None:
    if Role.CSE not in person.roles:
        raise Denied(Problem.NOT_ALLOWED)


def _theirs(session: Session, person: Someone, who: str) -> str:
    """The reviewer it is about: oneself, or, for the CSE, anybody on the pool."""
    reviewer = username(who) or person.username
    if reviewer != person.username:
        _require_cse(person)
    return _row(session, reviewer).username


def _row(session: Session, reviewer: str) -> Reviewer:
    row = session.get(Reviewer, reviewer)
    if row is None or row.removed_at is not None:
        raise AirlockProblem(Problem.UNKNOWN_REVIEWER)
    return row


def _named_by(person: Someone, who: str) -> str:
    """The account that the CSE names: never the own."""
    name = _name(who)
    if name == person.username:
        raise Denied(Problem.OWN_NAMING)
    return name


def _reaching(session: Session, kind: type[T], reviewer: str, day: date) -> Sequence[T]:
    """What this reviewer said of days from `day` on."""
    return session.scalars(select(kind).where(kind.reviewer == reviewer, kind.last >= day)).all()


def _name(who: str) -> str:
    name = username(who)
    if not is_username(name):
        raise AirlockProblem(Problem.BAD_NAME)
    return name


def _require_order(first: date, last: date) -> None:
    if last < first:
        raise AirlockProblem(Problem.BAD_DATES)
