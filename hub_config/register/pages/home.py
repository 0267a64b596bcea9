"""The first page: what waits for this person, what they asked for, what they answer for."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance import actions
from hub_config.governance.facts import ProjectStatus
from hub_config.governance.register import charter, reading
from hub_config.governance.register.facts import Office, State
from hub_config.governance.roles import Role
from hub_config.register.actions.projects import overdue
from hub_config.register.parts import show
from hub_config.register.rules import expires_soon, is_officer, may_ask, waits
from hub_config.register.secretariat import secretariat_of
from hub_config.web.login import Visitor

router = APIRouter()


@router.get("/")
def home(request: Request, person: Visitor) -> Response:
    office = secretariat_of(request)
    office.greet(person)
    with office.reading() as session:
        entries = reading.entries(session)
        projects = {one.slug: one for one in actions.all_projects(session)}
        answered = [projects[slug] for slug, entry in entries.items() if entry.responsible == person.username]
        context = {
            "unsigned": charter.must_accept(session, person.username) is not None,
            "asked": reading.dossiers_of(session, person.username),
            "waiting": [
                (dossier, each)
                for dossier in reading.dossiers(session, State.IN_REVIEW)
                for each in Office
                if waits(person, each, dossier, quorum=office.quorum)
            ],
            "answered": answered,
            "reviews_due": [
                project
                for project, entry, _ in overdue(session, office.review, office.today, office.notice_days)
                if entry.responsible == person.username or Role.ADMIN in person.roles
            ],
            "expiring": [
                one
                for one in answered
                if one.status is ProjectStatus.APPROVED
                and expires_soon(one.grant.expires_on, office.today, office.notice_days)
            ],
        }
    shown = {"may_ask": may_ask(person), "is_officer": is_officer(person), "today": office.today}
    return show(request, "home", person, {**context, **shown})
