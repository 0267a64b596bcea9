"""Puts notices in the outbox, in the transaction of the change they tell of; reads one's own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.governance.recorder import Recorder


def post(
    session: Session,
    kind: NoticeKind,
    recipients: Collection[str],
    request: str | None,
    at: datetime,
    *,
    once: bool = False,
) -> None:
    """One notice a recipient. `once`: not to whom it was sent about this request before."""
    told = _told(session, kind, request) if once else frozenset()
    for recipient in sorted(set(recipients) - told):
        session.add(
            Notice(
                recipient=recipient, kind=kind.value, request=request, created_at=at, next_at=at, attempts=0
            )
        )


def of(session: Session, username: str, *, most: int = 50) -> list[Notice]:
    """The notices of a person that they have not put away, newest first."""
    query = select(Notice).where(Notice.recipient == username, Notice.seen_at.is_(None))
    return list(session.scalars(query.order_by(Notice.created_at.desc(), Notice.id.desc()).limit(most)))


def put_away(session: Session, username: str, request: str | None, at: datetime, *, audit: Recorder) -> None:
    """Somebody has seen what was to be said about this request, or, without one, everything."""
    mine = update(Notice).where(Notice.recipient == username, Notice.seen_at.is_(None))
    session.execute((mine if request is None else mine.where(Notice.request == request)).values(seen_at=at))
    audit.record(session, "release.news-read", None, request=request)


def _told(session: Session, kind: NoticeKind, request: str | None) -> frozenset[str]:
    same = select(Notice.recipient).where(Notice.kind == kind.value, Notice.request == request)
    return frozenset(session.scalars(same))
