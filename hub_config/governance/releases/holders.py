"""Who held rows of people, for the airlock to know after a project's grant became narrower."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.facts import AccessLevel
from hub_config.governance.models import Departure, Project
from hub_config.governance.releases.models import RowHolder


def note_row_holders(session: Session, project: Project) -> None:
    """Before this project's grant becomes narrower: the rows its people held stay in their hands until now,
    or until they left. Nothing where it gave none."""
    if project.grant.access != AccessLevel.MICRODATA.value:
        return
    left = session.scalars(select(Departure).where(Departure.project == project.slug))
    now = datetime.now(UTC)
    held = {row.username: row.left_at for row in left} | {member.username: now for member in project.members}
    for person, until in held.items():
        session.merge(RowHolder(project=project.slug, username=person, until=until))
