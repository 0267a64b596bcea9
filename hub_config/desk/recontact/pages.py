"""Requests of re-contact: decided by a DIM physician or the committee, announced and handed to practices by
the AQD. HTTP only.

Every practice with a key gets a file, of a length that tells nothing: neither the page nor the file says
whether anybody of theirs is sought, or how many. Nobody here can open a seal.
"""

from __future__ import annotations

import json
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hub_config.desk.office import Office, office_of, require
from hub_config.desk.participation.pages import said
from hub_config.desk.recontact.lists import practice_file, ready
from hub_config.desk.recontact.texts import BUSY, DONE, NEXT, STATES, STEPS, in_words
from hub_config.desk.rules import Act, may
from hub_config.desk.texts import N_, UNKNOWN_STEP
from hub_config.governance.actions import project_facts
from hub_config.governance.recontact import keys, requests
from hub_config.governance.recontact.facts import (
    REQUEST_TRANSITIONS,
    TAKEN_BY,
    PracticeKey,
    RecontactRequest,
    RequestState,
    RequestStep,
)
from hub_config.governance.rights.actions import practices
from hub_config.governance.rights.facts import Practice
from hub_config.governance.roles import Person
from hub_config.warehouse.landing import LandingProblem
from hub_config.warehouse.sealing.envelope import spelled
from hub_config.web.answers import Told, download, see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.pages import page

NOT_YOUR_STEP: Final = N_("Cette étape revient à quelqu'un d'autre.")

router = APIRouter(include_in_schema=False)


@router.get("/recontact")
async def home(request: Request, person: Visitor) -> Response:
    require(person, Act.SEE_RECONTACT)
    office = office_of(request)

    def read() -> tuple[list[RecontactRequest], list[PracticeKey], list[Practice]]:
        with office.store.session() as session:
            active = [each for each in practices(session) if each.left_on is None]
            return requests.requests(session), keys.keys(session), active

    asked, known, active = await run_in_threadpool(read)
    return page(
        request,
        "desk/recontact.html",
        person,
        requests=asked,
        keys=known,
        practices=active,
        states=STATES,
        spelled=spelled,
        may_keep=may(person, Act.KEEP_KEYS),
        may_confirm=may(person, Act.CONFIRM_KEYS),
    )


@router.get("/recontact/{recontact}")
async def show(request: Request, person: Visitor, recontact: str) -> Response:
    """One request: its words, what may be done with it, and the practices' files once it is announced."""
    require(person, Act.SEE_RECONTACT)
    office = office_of(request)

    def read() -> tuple[RecontactRequest, list[PracticeKey], dict[str, object]]:
        with office.store.session() as session:
            found = requests.request_of(session, recontact)
            open_to = keys.keys_in_force(session, found.numbering)
            return found, open_to, dict(requests.fetched(session, recontact))

    found, open_to, fetched = await run_in_threadpool(in_words, read)
    announced = found.state is RequestState.ANNOUNCED and may(person, Act.HAND_LISTS)
    files = await run_in_threadpool(_files, office, found, open_to) if announced else []
    return page(
        request,
        "desk/recontact_request.html",
        person,
        asked=found,
        definition=seen(found.definition),
        files=files,
        fetched=fetched,
        steps=[step for step in REQUEST_TRANSITIONS[found.state] if person.roles & TAKEN_BY[step]],
        reasoned=RequestStep.REFUSE in REQUEST_TRANSITIONS[found.state]
        and bool(person.roles & TAKEN_BY[RequestStep.REFUSE]),
        texts=STEPS,
        states=STATES,
        next_step=NEXT[found.state],
        spelled=spelled,
    )


@router.post("/recontact/{recontact}")
async def take_step(request: Request, person: Visitor, form: Form, recontact: str) -> Response:
    require(person, Act.SEE_RECONTACT)
    wanted = said(form, "etape")
    if wanted not in set(RequestStep):
        raise Told(422, UNKNOWN_STEP)
    step = RequestStep(wanted)
    if not person.roles & TAKEN_BY[step]:
        raise Told(403, NOT_YOUR_STEP)
    office, reason = office_of(request), said(form, "motif")

    def write() -> None:
        with office.acting(person) as (session, audit):
            facts = project_facts(session, requests.request_of(session, recontact).project)
            requests.step(session, recontact, step, facts, reason=reason, at=office.clock(), audit=audit)

    await run_in_threadpool(in_words, write)
    return see_other(request, f"/recontact/{recontact}", told=DONE)


@router.post("/recontact/{recontact}/cabinets/{key}")
async def fetch(request: Request, person: Visitor, recontact: str, key: str) -> Response:
    """The sealed file of one practice, made anew at each fetch: who objected since is not in it."""
    require(person, Act.HAND_LISTS)
    name, content = await run_in_threadpool(_fetched, office_of(request), person, recontact, key)
    return download(name, content, "application/json")


def seen(definition: str) -> str:
    """With every character that shows as nothing, or turns the order of what is read, spelled out."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in definition
    )


def _files(
    office: Office, found: RecontactRequest, open_to: list[PracticeKey]
) -> list[tuple[PracticeKey, bool]]:
    """Each practice with a key, and whether a load has sealed with it yet."""
    try:
        return [(key, ready(office.settings, found, key)) for key in open_to]
    except LandingProblem:
        raise Told(503, BUSY) from None


def _fetched(office: Office, person: Person, recontact: str, key: str) -> tuple[str, bytes]:
    def write() -> dict[str, object]:
        with office.acting(person) as (session, audit):
            found, held = requests.request_of(session, recontact), keys.key_of(session, key)
            facts = project_facts(session, found.project)
            handed = requests.fetch(session, recontact, held, facts, at=office.clock(), audit=audit)
            return practice_file(office.settings, found, held, handed, facts.title, office.today)

    try:
        document = in_words(write)
    except LandingProblem:
        raise Told(503, BUSY) from None
    name = f"recontact-{recontact}-{document['practice']}.json".replace("/", "-").replace(" ", "-")
    return name, json.dumps(document, ensure_ascii=False, indent=1).encode()


__all__ = ["router"]
