"""Reminds the DPOs of rights requests whose answer is due: ten days before the last day (GDPR, art. 12(3)),
on that day, and every week after it, until the request is closed or prolonged.

A notice says that something waits, and where; never what, or whose. What was sent is on record, and whoever
reminds holds the request meanwhile: a restart repeats nothing, and neither do two processes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.governance.notices.outbox import post
from hub_config.governance.recorder import Recorder
from hub_config.governance.register import reading
from hub_config.governance.rights import models
from hub_config.governance.rights.facts import RIGHT_TRANSITIONS, RightState
from hub_config.governance.roles import Role

FIRST: Final = timedelta(days=10)
AGAIN: Final = timedelta(days=7)
KINDS: Final = frozenset({NoticeKind.RIGHTS_SOON, NoticeKind.RIGHTS_DUE, NoticeKind.RIGHTS_LATE})
_OPEN: Final = tuple(state.value for state in RightState if RIGHT_TRANSITIONS[state])


@dataclass(frozen=True)
class Reminder:
    """What is to be said, once from `since` on."""

    kind: NoticeKind
    since: date


def reminder_on(today: date, due_on: date) -> Reminder | None:
    """The reminder that stands today; None where it is too early for one."""
    if today < due_on - FIRST:
        return None
    if today < due_on:
        return Reminder(NoticeKind.RIGHTS_SOON, due_on - FIRST)
    since = due_on + AGAIN * ((today - due_on) // AGAIN)
    return Reminder(NoticeKind.RIGHTS_DUE if today == due_on else NoticeKind.RIGHTS_LATE, since)


def remind(session: Session, at: datetime, *, otherwise: Collection[str], audit: Recorder) -> int:
    """Write the notices that stand at `at` and were not written yet. How many.

    They go to everybody who last came here as a DPO and has not left; where there is nobody, to `otherwise`.
    """
    dpos = [one.username for one in reading.people(session).values() if Role.DPO.value in one.roles]
    told = [_remind(session, row, at, dpos or otherwise, audit) for row in _nearly_due(session, at.date())]
    return sum(told)


def _nearly_due(session: Session, today: date) -> list[models.RightsRequest]:
    query = (
        select(models.RightsRequest)
        .where(models.RightsRequest.state.in_(_OPEN), models.RightsRequest.due_on <= today + FIRST)
        .order_by(models.RightsRequest.due_on, models.RightsRequest.id)
        .with_for_update()
    )
    return list(session.scalars(query))


def _remind(
    session: Session,
    row: models.RightsRequest,
    at: datetime,
    people: Collection[str],
    audit: Recorder,
) -> int:
    reminder = reminder_on(at.date(), row.due_on)
    if reminder is None:
        return 0
    wanted = frozenset(people) - _told(session, row.id, reminder.since)
    if wanted:
        post(session, reminder.kind, wanted, row.id, at)
        audit.record(session, "rights.remind", None, request=row.id, people=len(wanted))
    return len(wanted)


def _told(session: Session, request: str, since: date) -> frozenset[str]:
    """Who has this reminder already."""
    query = select(Notice.recipient, Notice.created_at).where(
        Notice.request == request, Notice.kind.in_([kind.value for kind in KINDS])
    )
    return frozenset(who for who, when in session.execute(query) if when.date() >= since)
