"""What may be asked about registered notebooks. Reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.facts import AccessLevel
from hub_config.governance.moments import aware
from hub_config.governance.notebooks.facts import NotebookState, Output, Registration
from hub_config.governance.notebooks.models import RegisteredNotebook
from hub_config.governance.releases.reading import membership


def find(session: Session, number: str) -> Registration | None:
    row = session.get(RegisteredNotebook, number)
    return None if row is None else facts_of(row)


def of_projects(session: Session, projects: Collection[str]) -> list[Registration]:
    """The newest first."""
    query = select(RegisteredNotebook).where(RegisteredNotebook.project.in_(projects))
    return [facts_of(row) for row in session.scalars(query.order_by(RegisteredNotebook.asked_at.desc()))]


def in_state(session: Session, state: NotebookState) -> list[Registration]:
    """The oldest first."""
    query = select(RegisteredNotebook).where(RegisteredNotebook.state == state.value)
    return [facts_of(row) for row in session.scalars(query.order_by(RegisteredNotebook.asked_at))]


def approved_by(session: Session, who: str) -> list[Registration]:
    """What they approved and nobody withdrew, in every project; the oldest first."""
    return [each for each in in_state(session, NotebookState.APPROVED) if each.decided_by == who]


def standing(session: Session, project: str) -> list[Registration]:
    """Those of this project, and of no other, that may run now."""
    members = membership(session, project).ever
    query = select(RegisteredNotebook).where(RegisteredNotebook.project == project)
    return [each for each in map(facts_of, session.scalars(query)) if each.stands(members)]


def standing_hashes(session: Session, project: str) -> Mapping[str, str]:
    """The SHA-256 of each, by its number."""
    return {each.id: each.sha256 for each in standing(session, project)}


def standing_one(session: Session, project: str, number: str) -> Registration | None:
    return next((each for each in standing(session, project) if each.id == number), None)


def content_of(session: Session, registration: Registration) -> bytes | None:
    """The bytes on record; None where they are no longer those that were read and hashed."""
    row = session.get(RegisteredNotebook, registration.id)
    content = None if row is None else row.content
    same = content is not None and hashlib.sha256(content).hexdigest() == registration.sha256
    return content if same else None


def facts_of(row: RegisteredNotebook) -> Registration:
    return Registration(
        id=row.id,
        project=row.project,
        name=row.name,
        sha256=row.sha256,
        purpose=row.purpose,
        access=AccessLevel(row.access),
        outputs=tuple(Output(each["name"], each["told"]) for each in row.outputs),
        state=NotebookState(row.state),
        asked_by=row.asked_by,
        asked_at=_utc(row.asked_at),
        decided_by=row.decided_by,
        decided_at=None if row.decided_at is None else _utc(row.decided_at),
        reason=row.reason,
        ended_by=row.ended_by,
        ended_at=None if row.ended_at is None else _utc(row.ended_at),
    )


def _utc(moment: datetime) -> datetime:
    return aware(moment).astimezone(UTC)
