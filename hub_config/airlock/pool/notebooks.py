"""Whom a notebook that waits to be registered is told to, and reminded of; who hears what became of it.

One reader decides, so all who may and are there are told; where there is nobody, whoever names reviewers. A
notice says that something waits, and where. In the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub_config.airlock.pool.assigning import namers
from hub_config.airlock.rules.permission import why_not_open
from hub_config.airlock.rules.working_days import working_days
from hub_config.governance.notebooks.facts import NotebookState, NotebookStep, Registration
from hub_config.governance.notebooks.reading import find, in_state
from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.governance.notices.outbox import post
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import Membership, Pool
from hub_config.governance.releases.reading import membership, pool_on

_HEARD: Final[Mapping[NotebookStep, NoticeKind]] = {
    NotebookStep.APPROVE: NoticeKind.NOTEBOOK_APPROVED,
    NotebookStep.REFUSE: NoticeKind.NOTEBOOK_REFUSED,
    NotebookStep.WITHDRAW: NoticeKind.NOTEBOOK_WITHDRAWN,
}
_ASKS: Final = (NoticeKind.NOTEBOOK_TO_READ.value, NoticeKind.NOTEBOOK_REMINDER.value)


def readers(registration: Registration, members: Membership, pool: Pool) -> frozenset[str]:
    """Who may decide on it and is there: no part in the project, now or ever, and not who asked. Pure."""
    return pool.able_but(members.ever | {registration.asked_by}) - pool.absent


def tell_readers(session: Session, registration: Registration, at: datetime) -> None:
    """Whoever may read it and was not told yet; whoever names reviewers, once, where there is nobody."""
    may = _readers(session, registration, at)
    post(session, NoticeKind.NOTEBOOK_TO_READ, may, registration.id, at, once=True)
    if not may:
        kind = NoticeKind.NOTEBOOK_WITHOUT_READER
        post(session, kind, namers(session), registration.id, at, once=True)


def tell_requester(
    session: Session, registration: Registration, step: NotebookStep, by: str, at: datetime
) -> None:
    """What became of it, unless they did it themselves."""
    if by != registration.asked_by:
        post(session, _HEARD[step], [registration.asked_by], registration.id, at)


def remind_readers(session: Session, number: str, days: int, at: datetime, audit: Recorder) -> int:
    """Those told so many working days ago, of a notebook that still waits; and those who can read it since.
    How many were reminded."""
    registration = find(session, number)
    if registration is None or registration.state is not NotebookState.ASKED:
        return 0
    if why_not_open(registration.project, membership(session, registration.project), at.date()) is not None:
        return 0
    told = _told(session, number)
    tell_readers(session, registration, at)
    may = _readers(session, registration, at)
    late = [who for who, when in told.items() if who in may and _is_late(when, days, at)]
    if late:
        post(session, NoticeKind.NOTEBOOK_REMINDER, late, number, at)
        audit.record(session, "notebook.remind", registration.project, notebook=number, reviewers=len(late))
    return len(late)


def waiting(session: Session) -> list[str]:
    """The numbers of those that wait, the oldest first."""
    return [each.id for each in in_state(session, NotebookState.ASKED)]


def _readers(session: Session, registration: Registration, at: datetime) -> frozenset[str]:
    members = membership(session, registration.project)
    return readers(registration, members, pool_on(session, at.date()))


def _told(session: Session, number: str) -> Mapping[str, datetime]:
    """When each was last asked to read it."""
    query = (
        select(Notice.recipient, func.max(Notice.created_at))
        .where(Notice.request == number, Notice.kind.in_(_ASKS))
        .group_by(Notice.recipient)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _is_late(since: datetime, days: int, at: datetime) -> bool:
    return working_days(since.date(), at.date()) >= days
