"""What has happened since one last looked, for who gets no mail of it: notices on one's own pages. Opening
the page of a request or notebook puts its notices away; so does a button.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from hub_config.airlock.notices.letters import HERE, WORDINGS, path_of
from hub_config.airlock.pages.asking import Allowed
from hub_config.airlock.pages.ballots import field
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pages.previews import Language
from hub_config.airlock.rules import registering
from hub_config.airlock.rules.permission import Act, why_not
from hub_config.airlock.states import OPEN
from hub_config.governance.moments import aware
from hub_config.governance.notebooks import reading as notebooks
from hub_config.governance.notebooks.facts import NotebookState, Registration
from hub_config.governance.notices import outbox
from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.governance.releases import reading
from hub_config.governance.releases.facts import Pool, RequestFacts
from hub_config.governance.roles import Person
from hub_config.web.answers import see_other
from hub_config.web.forms import Form

router = APIRouter(include_in_schema=False)
_SHOWN: Final = 10
_NUMBER: Final = re.compile(r"[dn]-[a-z0-9]{4,14}")
_ABOUT_WORK: Final = frozenset({NoticeKind.TO_REVIEW, NoticeKind.TO_CONSOLIDATE, NoticeKind.REMINDER})
_ABOUT_READING: Final = frozenset({NoticeKind.NOTEBOOK_TO_READ, NoticeKind.NOTEBOOK_REMINDER})
_TO_NAMERS: Final = frozenset(
    {NoticeKind.TOO_FEW_REVIEWERS, NoticeKind.SHELF_BROKEN, NoticeKind.NOTEBOOK_WITHOUT_READER}
)


@dataclass(frozen=True)
class News:
    """`title`: of the request or notebook, in its requester's words; only for who may see it now."""

    said: str
    path: str
    request: str
    title: str
    at: datetime


@router.post("/nouvelles/vu")
def put_away(request: Request, asked: Allowed, form: Form) -> Response:
    """One's notices of one request, or all of one's own."""
    named = field(form, "about")
    which = named if _NUMBER.fullmatch(named) else None
    asked.desk.change(
        asked.person,
        lambda do: outbox.put_away(do.session, asked.person.username, which, do.at, audit=do.audit),
    )
    return see_other(request, "/relecture" if form.get("back") == "relecture" else "/demandes")


def news(desk: Desk, person: Person, language: Language, today: date) -> tuple[News, ...]:
    """What was not mailed and not put away, the latest first; nothing that this person has no more to do
    with."""
    with desk.store.session() as session:
        notices = [one for one in outbox.of(session, person.username) if one.sent_at is None]
        pool = reading.pool_on(session, today) if notices else Pool()
        return tuple(_told(session, person, pool, notices, language))[:_SHOWN]


def read_news(desk: Desk, person: Person, request: str) -> None:
    """Somebody has opened the page that a notice led to."""
    with desk.store.session() as session:
        waiting = any(one.request == request for one in outbox.of(session, person.username))
    if waiting:
        desk.change(
            person,
            lambda do: outbox.put_away(do.session, person.username, request, do.at, audit=do.audit),
        )


def _told(
    session: Session, person: Person, pool: Pool, notices: list[Notice], language: Language
) -> Iterator[News]:
    for notice in notices:
        kind = NoticeKind(notice.kind)
        if WORDINGS[kind].service != HERE:
            continue  # that service's pages say it themselves
        about = _about(session, notice.request) if notice.request else None
        if about is not None and not _concerns(session, person, pool, kind, about):
            continue
        words = WORDINGS[kind]
        yield News(
            said=words.french if language == "fr" else words.english,
            path=path_of(kind, notice.request),
            request=notice.request or "",
            title=_title(about) if about and _may_see(session, person, pool, about) else "",
            at=aware(notice.created_at),
        )


def _about(session: Session, number: str) -> RequestFacts | Registration | None:
    """What a notice is of, by its number."""
    return reading.find_request(session, number) or notebooks.find(session, number)


def _title(about: RequestFacts | Registration) -> str:
    return about.title if isinstance(about, RequestFacts) else about.name


def _concerns(
    session: Session, person: Person, pool: Pool, kind: NoticeKind, about: RequestFacts | Registration
) -> bool:
    """Whether a link there would lead anywhere, and to something to do."""
    if kind in _TO_NAMERS:
        return True
    if isinstance(about, Registration):
        waits = kind not in _ABOUT_READING or about.state is NotebookState.ASKED
    else:
        waits = kind not in _ABOUT_WORK or about.state in OPEN
    return waits and _may_see(session, person, pool, about)


def _may_see(session: Session, person: Person, pool: Pool, about: RequestFacts | Registration) -> bool:
    members = reading.membership(session, about.project)
    if isinstance(about, Registration):
        return registering.why_not(person, registering.Act.VIEW, about, members=members, pool=pool) is None
    return why_not(person, Act.VIEW, about, members=members, pool=pool) is None
