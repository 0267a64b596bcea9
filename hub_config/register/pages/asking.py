"""*Demande de projet*: begin, fill in as one goes, send, follow, withdraw."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.facts import AccessLevel
from hub_config.governance.register import reading
from hub_config.governance.register.facts import DossierFacts, Kind, LegalBasis, State
from hub_config.governance.roles import Person
from hub_config.register import texts
from hub_config.register.actions import dossiers
from hub_config.register.actions.looking import note_reading
from hub_config.register.form import ALL_CENTRES, NEED, Problems, typed
from hub_config.register.parts import fields, in_words, reason, said, show, version, visible
from hub_config.register.problems import Stale, Unfit
from hub_config.register.rules import Act, may_ask, offices_needed, tally, why_not
from hub_config.register.secretariat import Secretariat, secretariat_of
from hub_config.web.answers import see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.texts import N_

router = APIRouter(prefix="/demandes")


@router.get("")
def asked(request: Request, person: Visitor) -> Response:
    office = secretariat_of(request)
    office.greet(person)
    with office.reading() as session:
        found = reading.dossiers_of(session, person.username)
    return show(request, "asked", person, {"asked": found, "may_ask": may_ask(person)})


@router.post("")
def begin(request: Request, person: Visitor, form: Form) -> Response:
    office = secretariat_of(request)
    office.greet(person)
    with office.acting(person) as (session, audit):
        made = dossiers.begin(session, person, audit=audit)
    return see_other(request, f"/demandes/{made.id}/formulaire")


@router.get("/{dossier_id}")
def follow(request: Request, dossier_id: str, person: Visitor) -> Response:
    """Where it stands: what was decided, by whom, what comes next."""
    office = secretariat_of(request)
    dossier = visible(office, dossier_id, person)
    with office.acting(person) as (session, audit):
        note_reading(session, dossier, person, audit=audit)
        names = reading.full_names(session, {one.by for one in dossier.opinions} | {dossier.requester})
    terms = office.terms(None)
    context = {
        "dossier": dossier,
        "names": names,
        "next_step": texts.NEXT[dossier.state],
        "tally": tally(dossier),
        "may": {act.value: why_not(person, act, dossier, quorum=office.quorum) is None for act in Act},
        "needed": offices_needed(dossier),
        "catalogue": terms.catalogue,
        "centre_labels": terms.snapshot.labels,
    }
    return show(request, "follow", person, context)


@router.get("/{dossier_id}/formulaire")
def fill_in(request: Request, dossier_id: str, person: Visitor) -> Response:
    office = secretariat_of(request)
    dossier = visible(office, dossier_id, person)
    if why_not(person, Act.SAVE, dossier, quorum=office.quorum) is not None:
        return see_other(request, f"/demandes/{dossier.id}")
    return _form(request, person, dossier, {})


@router.post("/{dossier_id}/formulaire")
def keep(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    """Keep what was typed; send it too, if that was asked. Whatever is wrong is said at the field, and
    nothing that was typed is lost."""
    office = secretariat_of(request)
    answers = typed(fields(form), office.terms(None).catalogue)
    sends = said(form, "do") == "submit"
    made_from = version(form)
    try:
        if made_from is None:  # no page of ours sends that: nothing is overwritten by it
            raise Stale
        with office.acting(person) as (session, audit):
            dossier = dossiers.save(session, dossier_id, answers, person, version=made_from, audit=audit)
    except Stale:
        return _stale(request, office, dossier_id, person, answers)
    if not sends:
        return see_other(request, f"/demandes/{dossier_id}/formulaire", N_("Enregistré."))
    try:
        with office.acting(person) as (session, audit):
            dossiers.submit(
                session,
                dossier_id,
                person,
                office.sent(session, person),
                version=dossier.version,
                audit=audit,
            )
    except Unfit as unfit:
        return _form(request, person, dossier, unfit.problems, status=422)
    return see_other(request, f"/demandes/{dossier_id}", N_("Votre demande est envoyée."))


@router.post("/{dossier_id}/retirer")
def withdraw(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    office = secretariat_of(request)
    with office.acting(person) as (session, audit):
        dossiers.withdraw(session, dossier_id, person, audit=audit)
    return see_other(request, f"/demandes/{dossier_id}", N_("Votre demande est retirée."))


@router.post("/{dossier_id}/reserves/{reserve}/reponse")
def answer(request: Request, dossier_id: str, reserve: int, person: Visitor, form: Form) -> Response:
    office = secretariat_of(request)
    given = reason(form, "answer")
    with office.acting(person) as (session, audit):
        dossiers.answer_reserve(session, dossier_id, reserve, given, person, audit=audit)
    return see_other(request, f"/demandes/{dossier_id}", N_("Votre réponse est transmise au comité."))


def _stale(
    request: Request, office: Secretariat, dossier_id: str, person: Person, answers: dict[str, Any]
) -> Response:
    """Another tab was quicker: show what this one typed, on top of the newer version, and say so."""
    newer = visible(office, dossier_id, person)
    return _form(request, person, newer, {}, status=409, shown=answers, stale=True)


def _form(
    request: Request,
    person: Person,
    dossier: DossierFacts,
    problems: Problems,
    *,
    status: int = 200,
    shown: dict[str, Any] | None = None,
    stale: bool = False,
) -> Response:
    office = secretariat_of(request)
    terms = office.terms(None)
    with office.reading() as session:
        offer = office.offer(session, person, terms)
    answers = dossier.answers if shown is None else shown
    returned = [one for one in dossier.opinions if one.round == dossier.round]
    context = {
        "dossier": dossier,
        "answers": answers,
        "needs": answers.get("needs") or {},
        "chosen": {name: set(answers.get(name) or ()) for name in ("tables", "centres")},
        "errors": in_words(request, problems),
        "labels": texts.FIELDS,
        "table_labels": {NEED + table.name: table.label_fr for table in offer.tables},
        "stale": stale,
        "offer": offer,
        "centres": sorted(offer.led if offer.led is not None else offer.centres),
        "centre_labels": terms.snapshot.labels,
        "all_centres": ALL_CENTRES,
        "need": NEED,
        "bases": list(LegalBasis),
        "levels": [AccessLevel.AGGREGATE, AccessLevel.MICRODATA],
        "hints": texts.ACCESS_HINTS,
        "returned": returned if dossier.state is State.RETURNED else [],
        "is_renewal": dossier.kind is Kind.RENEWAL,
    }
    return show(request, "form", person, context, status=status)
