"""Copies to erase: whoever holds them sees what they were asked, and says that it is done; the DPO, who was
told otherwise, may say so for them. And the DPO lifts an objection that was recorded by error. HTTP only.

Whom an objection was of, nobody learns here: a holder sees a project and a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hub_config.desk.office import Office, office_of, require
from hub_config.desk.participation.pages import in_words, said
from hub_config.desk.rules import Act
from hub_config.desk.texts import N_
from hub_config.governance.actions import all_projects
from hub_config.governance.rights import actions, erasures
from hub_config.governance.rights.facts import Erasure
from hub_config.governance.roles import Person
from hub_config.web.answers import see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.pages import page

ERASED: Final = N_("C'est noté, merci.")
LIFTED: Final = N_("L'opposition est levée : la question suivante compte de nouveau ces données.")

router = APIRouter(include_in_schema=False)


@router.get("/effacements")
async def to_erase(request: Request, person: Visitor) -> Response:
    """One's own: for everybody who logs in."""
    office = office_of(request)

    def read() -> tuple[list[Erasure], Mapping[str, str]]:
        with office.store.session() as session:
            titles = {facts.slug: facts.title for facts in all_projects(session)}
            return erasures.of_person(session, person.username), titles

    asked, titles = await run_in_threadpool(read)
    return page(request, "desk/erasures.html", person, erasures=asked, titles=titles)


@router.post("/effacements/{receipt}/{project}")
async def erased(request: Request, person: Visitor, receipt: str, project: str) -> Response:
    """One's own copies are erased."""
    await run_in_threadpool(_acknowledged, office_of(request), person, receipt, project, person.username)
    return see_other(request, "/effacements", told=ERASED)


@router.post("/participation/recepisses/{receipt}/effacements/{project}/{holder}")
async def erased_by(request: Request, person: Visitor, receipt: str, project: str, holder: str) -> Response:
    """The DPO was told that somebody's copies are erased."""
    require(person, Act.TRACE_OBJECTOR)
    await run_in_threadpool(_acknowledged, office_of(request), person, receipt, project, holder)
    return see_other(request, f"/participation/recepisses/{receipt}/espaces", told=ERASED)


def _acknowledged(office: Office, person: Person, receipt: str, project: str, holder: str) -> None:
    def write() -> None:
        with office.acting(person) as (session, audit):
            erasures.acknowledge(session, receipt, project, holder, at=office.clock(), audit=audit)

    in_words(write)


@router.post("/participation/recepisses/{receipt}/levee")
async def lift(request: Request, person: Visitor, receipt: str, form: Form) -> Response:
    """Recorded by error, or withdrawn by who made it: with the reason, which names nobody."""
    require(person, Act.TRACE_OBJECTOR)
    office = office_of(request)

    def write() -> None:
        with office.acting(person) as (session, audit):
            actions.lift(session, receipt, reason=said(form, "motif"), at=office.clock(), audit=audit)

    await run_in_threadpool(in_words, write)
    return see_other(request, f"/participation/recepisses/{receipt}", told=LIFTED)
