"""*Personnes*: who leads which centre, and who leaves."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.problems import BadPerson
from hub_config.governance.register import leaving, reading
from hub_config.governance.roles import Role
from hub_config.register.actions import people
from hub_config.register.parts import reason, require, said, show
from hub_config.register.secretariat import secretariat_of
from hub_config.web.answers import Told, see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.texts import N_

router = APIRouter(prefix="/personnes")
SEE = (Role.CSE, Role.DPO, Role.ADMIN)
NAME_LEADS = (Role.CSE,)  # a regional project then needs no vote of theirs
DROP_LEADS = (Role.CSE, Role.ADMIN)
LET_GO = (Role.DPO, Role.ADMIN)
CANT_LEAVE = N_(
    "Ce départ ne peut pas être enregistré : l'identifiant n'est pas celui d'une personne, ou elle est déjà "
    "partie."
)
NOT_GONE = N_("Cette personne n'est pas enregistrée comme partie.")


@router.get("")
def listed(request: Request, person: Visitor) -> Response:
    require(person, *SEE)
    office = secretariat_of(request)
    office.greet(person)
    with office.reading() as session:
        known = reading.people(session)
        context = {
            "people": known,
            "leads": reading.leads(session),
            "leavers": leaving.leavers(session),
        }
    snapshot = office.terms(None).snapshot
    may = {
        "may_name": bool(person.roles & set(NAME_LEADS)),
        "may_drop": bool(person.roles & set(DROP_LEADS)),
        "may_let_go": bool(person.roles & set(LET_GO)),
        "centres": sorted(snapshot.centres or ()),
        "centre_labels": snapshot.labels,
    }
    leading = {
        user: one for user, one in known.items() if Role.DMG.value in one.roles and user != person.username
    }
    return show(request, "people", person, {**context, **may, "leading": leading})


@router.post("/centres")
def name_lead(request: Request, person: Visitor, form: Form) -> Response:
    require(person, *NAME_LEADS)
    office = secretariat_of(request)
    known = office.terms(None).snapshot.centres or frozenset()
    with office.acting(person) as (session, audit):
        people.name_lead(
            session, said(form, "user", most=64), said(form, "centre", most=64), known, audit=audit
        )
    return see_other(request, "/personnes", N_("La responsabilité de centre est inscrite."))


@router.post("/centres/retirer")
def drop_lead(request: Request, person: Visitor, form: Form) -> Response:
    require(person, *DROP_LEADS)
    office = secretariat_of(request)
    with office.acting(person) as (session, audit):
        people.drop_lead(session, said(form, "user", most=64), said(form, "centre", most=64), audit=audit)
    return see_other(request, "/personnes", N_("La responsabilité de centre est retirée."))


@router.post("/depart")
def leave(request: Request, person: Visitor, form: Form) -> Response:
    require(person, *LET_GO)
    office, why = secretariat_of(request), reason(form)
    try:
        with office.acting(person) as (session, audit):
            left = leaving.leave(session, said(form, "user", most=64), reason=why, audit=audit)
    except BadPerson:
        raise Told(422, CANT_LEAVE) from None
    told = N_("%(who)s est sorti de tout : %(projects)s projets, %(centres)s centres.")
    count = {"projects": len(left.projects), "centres": len(left.centres)}
    return see_other(request, "/personnes", told, who=left.username, **count)


@router.post("/retour")
def take_back(request: Request, person: Visitor, form: Form) -> Response:
    require(person, *LET_GO)
    office = secretariat_of(request)
    try:
        with office.acting(person) as (session, audit):
            leaving.take_back(session, said(form, "user", most=64), audit=audit)
    except BadPerson:
        raise Told(422, NOT_GONE) from None
    return see_other(request, "/personnes", N_("La personne peut de nouveau se connecter."))
