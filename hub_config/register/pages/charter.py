"""*Charte*: read it, accept it. Everybody may read; whoever is logged in accepts for themselves."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.problems import BadPerson
from hub_config.governance.register import charter
from hub_config.governance.register.charter_texts import CHARTERS, text_of
from hub_config.register.parts import said, show
from hub_config.register.secretariat import secretariat_of
from hub_config.web.answers import Told, see_other
from hub_config.web.forms import Form
from hub_config.web.house import house_of
from hub_config.web.login import Visitor
from hub_config.web.texts import N_

router = APIRouter(prefix="/charte")
TICK = N_("Cochez la case pour accepter la charte.")
CHANGED = N_("La charte a changé depuis : relisez-la, puis acceptez-la.")


@router.get("")
def read(request: Request, person: Visitor) -> Response:
    office = secretariat_of(request)
    office.greet(person)
    with office.reading() as session:
        version = charter.in_force(session)
        asked = charter.must_accept(session, person.username)
        accepted = charter.accepted_at(session, person.username)
    shown = text_of(version) if version is not None else CHARTERS[-1]
    context = {
        "version": shown.version,
        "articles": shown.articles(house_of(request).language(request)),
        "asked": asked is not None,
        "accepted": accepted,
    }
    return show(request, "charter", person, context)


@router.post("")
def accept(request: Request, person: Visitor, form: Form) -> Response:
    office = secretariat_of(request)
    if said(form, "accept") != "yes":
        raise Told(422, TICK)
    given = said(form, "version", most=6)
    try:
        with office.acting(person) as (session, audit):
            charter.accept(
                session,
                person.username,
                int(given) if given.isdecimal() else 0,
                house_of(request).language(request),
                audit=audit,
            )
    except BadPerson:
        raise Told(409, CHANGED) from None
    return see_other(request, "/charte", N_("Merci. Vos espaces de travail peuvent être ouverts."))
