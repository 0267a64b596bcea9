"""The DPO's pages of rights requests. HTTP only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hub_config.desk.office import office_of, require
from hub_config.desk.participation.pages import day_in, in_words, said
from hub_config.desk.rules import Act
from hub_config.desk.texts import N_, UNKNOWN_STEP
from hub_config.governance.rights import requests as rights
from hub_config.governance.rights.facts import (
    ARTICLES,
    REASONED,
    RIGHT_TRANSITIONS,
    Right,
    RightsRequest,
    RightState,
    RightStep,
)
from hub_config.governance.rights.requests import Taken, Urgency, urgency
from hub_config.governance.spreadsheets import inert
from hub_config.web.answers import Told, download, see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.pages import page, text

RIGHTS: Final[Mapping[Right, str]] = {
    Right.ACCESS: N_("Accès"),
    Right.RECTIFICATION: N_("Rectification"),
    Right.LIMITATION: N_("Limitation"),
    Right.OBJECTION: N_("Opposition"),
}
STATES: Final[Mapping[RightState, str]] = {
    RightState.RECEIVED: N_("reçue"),
    RightState.IN_HAND: N_("en cours"),
    RightState.EXTENDED: N_("prolongée"),
    RightState.ANSWERED: N_("satisfaite"),
    RightState.REFUSED: N_("refusée"),
    RightState.WITHDRAWN: N_("retirée"),
}
STEPS: Final[Mapping[RightStep, str]] = {
    RightStep.TAKE: N_("Prendre en charge"),
    RightStep.EXTEND: N_("Prolonger de deux mois"),
    RightStep.ANSWER: N_("Marquer comme satisfaite"),
    RightStep.REFUSE: N_("Refuser"),
    RightStep.WITHDRAW: N_("Retirée par la personne"),
}
URGENCIES: Final[Mapping[Urgency, tuple[str, str]]] = {
    Urgency.LATE: (N_("en retard"), "bad"),
    Urgency.SOON: (N_("à répondre cette semaine"), "wait"),
    Urgency.CALM: (N_("dans les délais"), "good"),
    Urgency.CLOSED: (N_("close"), ""),
}
HEADER: Final = (
    N_("numéro"), N_("droit"), N_("article du RGPD"), N_("référence"), N_("reçue le"), N_("échéance"),
    N_("état"), N_("suivie par"), N_("close le"), N_("motifs"), N_("récépissé"),
)  # fmt: skip
OPENED: Final = N_("Demande %(id)s enregistrée : réponse due le %(due)s.")
DONE: Final = N_("C'est enregistré.")

router = APIRouter(include_in_schema=False)


@router.get("/droits")
async def home(request: Request, person: Visitor) -> Response:
    require(person, Act.HANDLE_RIGHTS)
    office = office_of(request)

    def read() -> list[RightsRequest]:
        with office.store.session() as session:
            return rights.requests(session)

    found = await run_in_threadpool(read)
    return page(
        request,
        "desk/rights.html",
        person,
        requests=[(each, urgency(each, office.today)) for each in found],
        today=office.today,
        rights=RIGHTS,
        articles=ARTICLES,
        states=STATES,
        steps=STEPS,
        reasoned=REASONED,
        transitions=RIGHT_TRANSITIONS,
        urgencies=URGENCIES,
        late=sum(urgency(each, office.today) is Urgency.LATE for each in found),
        soon=sum(urgency(each, office.today) is Urgency.SOON for each in found),
    )


@router.post("/droits")
async def open_one(request: Request, person: Visitor, form: Form) -> Response:
    require(person, Act.HANDLE_RIGHTS)
    office = office_of(request)
    received = day_in(form, "recue", office.today)
    kind = said(form, "droit")
    right = Right(kind) if kind in set(Right) else Right.ACCESS

    def write() -> RightsRequest:
        with office.acting(person) as (session, audit):
            return rights.open_request(
                session,
                right,
                reference=said(form, "reference"),
                received_on=received,
                at=office.clock(),
                audit=audit,
            )

    opened = await run_in_threadpool(in_words, write)
    return see_other(request, "/droits", told=OPENED, id=opened.id, due=f"{opened.due_on:%d/%m/%Y}")


@router.post("/droits/export")
async def take_out(request: Request, person: Visitor) -> Response:
    """The log as a table; taking it out is itself an event."""
    require(person, Act.HANDLE_RIGHTS)
    office = office_of(request)

    def read() -> list[RightsRequest]:
        office.note(person, "rights.export")
        with office.store.session() as session:
            return rights.requests(session)

    found = await run_in_threadpool(read)
    header = [text(request, title) for title in HEADER]
    lines = [[inert(cell) for cell in _cells(request, each)] for each in found]
    name = f"droits-{office.today.isoformat()}.csv"
    return download(name, _csv([header, *lines]), "text/csv; charset=utf-8")


@router.post("/droits/{number}")
async def take_step(request: Request, person: Visitor, form: Form, number: str) -> Response:
    require(person, Act.HANDLE_RIGHTS)
    office = office_of(request)
    wanted = said(form, "etape")
    if wanted not in set(RightStep):
        raise Told(422, UNKNOWN_STEP)
    taken = Taken(RightStep(wanted), office.today, _reason(form), said(form, "recepisse"))

    def write() -> None:
        with office.acting(person) as (session, audit):
            rights.take_step(session, number, taken, audit=audit)

    await run_in_threadpool(in_words, write)
    return see_other(request, "/droits", told=DONE)


def _reason(form: Form) -> str:
    value = form.get("motifs")
    return value if isinstance(value, str) else ""


def _cells(request: Request, each: RightsRequest) -> Iterable[str]:
    yield each.id
    yield text(request, RIGHTS[each.right])
    yield str(ARTICLES[each.right])
    yield each.reference
    yield each.received_on.isoformat()
    yield each.due_on.isoformat()
    yield text(request, STATES[each.state])
    yield each.assigned_to
    yield "" if each.closed_on is None else each.closed_on.isoformat()
    yield each.reason
    yield each.receipt or ""


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    output = io.StringIO(newline="")
    csv.writer(output).writerows(rows)
    return output.getvalue().encode("utf-8-sig")
