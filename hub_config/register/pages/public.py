"""*Projets en cours*: for everybody, without logging in. What is meant for the public, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance import actions
from hub_config.governance.facts import ProjectStatus
from hub_config.governance.register import reading
from hub_config.governance.register.facts import LegalBasis, Scope
from hub_config.register.parts import show
from hub_config.register.secretariat import secretariat_of
from hub_config.web.house import house_of
from hub_config.web.login import MaybeVisitor

router = APIRouter(prefix="/public")


@dataclass(frozen=True)
class PublicProject:
    """What the public reads of a project: no login, no member, no table."""

    title: str
    summary: str
    scope: Scope
    legal_basis: LegalBasis
    until: date | None
    is_open: bool
    recontact: bool  # practices may be asked to tell patients of it


@router.get("")
def projects(request: Request, person: MaybeVisitor) -> Response:
    office = secretariat_of(request)
    with office.reading() as session:
        found = public_projects(session, house_of(request).language(request), office.today)
    context = {
        "running": [one for one in found if one.is_open],
        "ended": [one for one in found if not one.is_open],
        "projects": office.settings.projects,
    }
    return show(request, "public", person, context)


def public_projects(session: Session, language: str, today: date) -> list[PublicProject]:
    """Projects that were opened, with a summary for the public, by title."""
    entries = reading.entries(session)
    shown = (ProjectStatus.APPROVED, ProjectStatus.SUSPENDED, ProjectStatus.CLOSED)
    found = []
    for project in actions.all_projects(session):
        entry = entries.get(project.slug)
        if entry is None or not entry.lay_fr or project.status not in shown:
            continue
        until = project.grant.expires_on
        running = project.status is ProjectStatus.APPROVED and (until is None or today <= until)
        summary = entry.lay_en if language == "en" and entry.lay_en else entry.lay_fr
        found.append(
            PublicProject(
                title=project.title,
                summary=summary,
                scope=entry.scope,
                legal_basis=entry.legal_basis,
                until=until,
                is_open=running,
                recontact=running and project.grant.recontact,
            )
        )
    return sorted(found, key=lambda one: one.title.casefold())
