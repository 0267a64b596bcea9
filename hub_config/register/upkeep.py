"""What the register does by itself, every hour: whoever answers for a project is reminded of the yearly
review and of its end, the DPOs of rights requests whose answer is due; a project that nobody confirmed in
time is suspended, if the settings say so; and lists of re-contact that are six months old are erased.

A reminder says that something waits in the register, never of which project or person. What was done is on
record, so a restart repeats nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub_config.governance import actions
from hub_config.governance.facts import ProjectStatus
from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.governance.problems import GovernanceProblem
from hub_config.governance.recontact import requests as recontacts
from hub_config.governance.register import reading
from hub_config.governance.rights import reminders
from hub_config.register.actions.projects import overdue, suspend_overdue
from hub_config.register.rules import expires_soon
from hub_config.register.secretariat import Secretariat

HOUR: Final = 3600.0
AGAIN: Final = timedelta(days=14)  # until the same person is reminded of the same kind of thing once more
WHO: Final = "enclave"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    suspended: tuple[str, ...]
    reminded: int
    rights: int = 0
    lists: int = 0


async def keep_up(office: Secretariat) -> None:
    """Until it is cancelled. What fails is logged and tried again the next hour."""
    while True:
        try:
            await asyncio.to_thread(due, office)
        except (GovernanceProblem, SQLAlchemyError, OSError) as failure:
            _log.error("the register's upkeep failed: %s", type(failure).__name__)
        await asyncio.sleep(HOUR)


def due(office: Secretariat) -> Done:
    """Do what is due now. Lists of people go first and apart: nothing else that fails keeps them."""
    now, today = office.clock(), office.today
    with office.store.change() as session:
        lists = recontacts.expire(session, at=now, audit=office.store.recorder(WHO))
    with office.store.change() as session:
        audit = office.store.recorder(WHO)
        late: list[str] = []
        if office.review_suspends:
            late = suspend_overdue(session, office.review, today, audit=audit)
        entries = reading.entries(session)
        reminded = _remind(session, NoticeKind.SUSPENDED, (entries[slug].responsible for slug in late), now)
        waiting = overdue(session, office.review, today, office.notice_days)
        reminded += _remind(
            session, NoticeKind.ACCESS_REVIEW, (entry.responsible for _, entry, _ in waiting), now
        )
        reminded += _remind(session, NoticeKind.RENEWAL, _to_renew(session, office), now)
        if reminded:
            audit.record(session, "register.remind", None, people=reminded)
        alerts = office.settings.airlock.alerts
        rights = reminders.remind(session, now, otherwise=alerts, audit=audit)
    return Done(tuple(late), reminded, rights, lists)


def _to_renew(session: Session, office: Secretariat) -> list[str]:
    """Who answers for a project that ends soon. Nobody is reminded of what has ended."""
    entries, today = reading.entries(session), office.today
    return [
        entries[project.slug].responsible
        for project in actions.all_projects(session)
        if project.slug in entries
        and project.status is ProjectStatus.APPROVED
        and expires_soon(project.grant.expires_on, today, office.notice_days)
        and not expires_soon(project.grant.expires_on, today, -1)
    ]


def _remind(session: Session, kind: NoticeKind, people: Iterable[str], now: datetime) -> int:
    """A notice for each, unless they had one like it lately, or left. How many."""
    query = select(Notice.recipient).where(Notice.kind == kind.value, Notice.created_at > now - AGAIN)
    lately = frozenset() if kind is NoticeKind.SUSPENDED else frozenset(session.scalars(query))
    wanted = sorted((set(people) & set(reading.people(session))) - lately)
    session.add_all(
        Notice(recipient=each, kind=kind.value, request=None, created_at=now, next_at=now, attempts=0)
        for each in wanted
    )
    return len(wanted)
