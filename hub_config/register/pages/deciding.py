"""*Instruction*: what waits for committee, DPO and administrator, and the page where each decides."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.facts import AccessLevel
from hub_config.governance.register import reading
from hub_config.governance.register.facts import (
    Ballot,
    DossierFacts,
    LegalBasis,
    RawAnswers,
    State,
    Verdict,
)
from hub_config.governance.roles import Person, Role
from hub_config.register.actions import decisions
from hub_config.register.actions.decisions import Judgement, TechnicalGrant
from hub_config.register.form import ALL_CENTRES, Flaw, Problem, parse_day
from hub_config.register.pages.home import waits
from hub_config.register.parts import many, reason, require, said, show, version
from hub_config.register.problems import NoSuch, Stale, Unfit
from hub_config.register.rules import OFFICES, Act, tally, why_not
from hub_config.register.secretariat import Secretariat, secretariat_of
from hub_config.web.answers import see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.texts import N_

router = APIRouter(prefix="/instruction")
OFFICERS = (Role.CSE, Role.DPO, Role.ADMIN)
_Word = TypeVar("_Word", bound=StrEnum)
LEVELS = (AccessLevel.AGGREGATE, AccessLevel.MICRODATA)


@router.get("")
def queue(request: Request, person: Visitor) -> Response:
    """Each office sees what waits for it, and what waits for the others."""
    require(person, *OFFICERS)
    office = secretariat_of(request)
    office.greet(person)
    with office.reading() as session:
        found = reading.dossiers(session, State.IN_REVIEW)
        names = reading.full_names(session, {one.requester for one in found})
        done = [
            one
            for one in reading.dossiers(session, State.APPROVED, State.REFUSED, State.RETURNED)
            if one.submitted_at
        ]
    held = [each for each, role in OFFICES.items() if role in person.roles]
    mine = [
        one
        for one in found
        if person.username not in one.involved and any(waits(one, each, person) for each in held)
    ]
    others = [one for one in found if one not in mine]
    context = {
        "mine": mine,
        "others": others,
        "done": done[-20:][::-1],
        "names": names,
        "today": office.today,
    }
    return show(request, "queue", person, context)


@router.get("/{dossier_id}")
def consider(request: Request, dossier_id: str, person: Visitor) -> Response:
    require(person, *OFFICERS)
    office = secretariat_of(request)
    dossier = _visible(office, dossier_id, person)
    with office.reading() as session:
        involved = {one.by for one in dossier.opinions} | {vote.voter for vote in dossier.votes}
        names = reading.full_names(session, involved | dossier.involved)
    terms = office.terms(None)
    context = {
        "dossier": dossier,
        "names": names,
        "tally": tally(dossier),
        "quorum": office.quorum,
        "why": {act.value: why_not(person, act, dossier, quorum=office.quorum) for act in Act},
        "own_vote": next((one for one in dossier.votes if one.voter == person.username), None),
        "catalogue": terms.catalogue,
        "bases": list(LegalBasis),
        "levels": _levels(dossier.answers),
        "snapshots": office.snapshots(),
        "newest": terms.snapshot.number,
        "needs": dossier.answers.get("needs") or {},
        "all_centres": ALL_CENTRES,
    }
    return show(request, "consider", person, context)


@router.post("/{dossier_id}/vote")
def vote(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    office = secretariat_of(request)
    ballot = _word(form, "ballot", Ballot)
    with office.acting(person) as (session, audit):
        decisions.vote(
            session,
            dossier_id,
            person,
            ballot,
            comment=said(form, "comment"),
            reserve=said(form, "reserve"),
            bench=office.bench(),
            audit=audit,
        )
    return _back(request, dossier_id, N_("Votre voix est enregistrée."))


@router.post("/{dossier_id}/conflit")
def declare_conflict(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    office, why = secretariat_of(request), reason(form)
    with office.acting(person) as (session, audit):
        decisions.declare_conflict(session, dossier_id, person, reason=why, bench=office.bench(), audit=audit)
    return _back(request, dossier_id, N_("Votre conflit d'intérêts est déclaré : vous ne prenez pas part."))


@router.post("/{dossier_id}/clore")
def close_vote(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    office, why = secretariat_of(request), reason(form)
    with office.acting(person) as (session, audit):
        decisions.close_vote(session, dossier_id, person, reason=why, bench=office.bench(), audit=audit)
    return _back(request, dossier_id, N_("La décision du comité est rendue."))


@router.post("/{dossier_id}/reserves/{reserve}/lever")
def lift_reserve(request: Request, dossier_id: str, reserve: int, person: Visitor, form: Form) -> Response:
    office, why = secretariat_of(request), reason(form)
    with office.acting(person) as (session, audit):
        decisions.lift_reserve(
            session, dossier_id, reserve, person, because=why, bench=office.bench(), audit=audit
        )
    return _back(request, dossier_id, N_("La réserve est levée."))


@router.post("/{dossier_id}/avis")
def judge(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    """The DPO's opinion."""
    office = secretariat_of(request)
    verdict, why = _word(form, "verdict", Verdict), reason(form)
    basis = _word(form, "legal_basis", LegalBasis)
    reference, retention = said(form, "legal_reference", most=190), said(form, "retention")
    if verdict is Verdict.FAVOURABLE and not retention:
        raise Unfit({"retention": Problem(Flaw.MISSING)})
    if verdict is Verdict.FAVOURABLE and basis.needs_reference and not reference:
        raise Unfit({"legal_reference": Problem(Flaw.NO_REFERENCE)})
    judgement = Judgement(verdict, why, basis, reference, retention, said(form, "dpia", most=200))
    with office.acting(person) as (session, audit):
        decisions.judge(
            session,
            dossier_id,
            person,
            judgement,
            version=_version(form),
            bench=office.bench(),
            audit=audit,
        )
    return _back(request, dossier_id, N_("Votre avis est enregistré."))


@router.post("/{dossier_id}/octroi")
def grant(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    """The administrator's technical grant: within what was asked."""
    office = secretariat_of(request)
    dossier = _visible(office, dossier_id, person)
    granted = _granted(form, dossier.answers, office.snapshots())
    with office.acting(person) as (session, audit):
        decisions.grant(
            session,
            dossier_id,
            person,
            granted,
            version=_version(form),
            bench=office.bench(),
            audit=audit,
        )
    return _back(request, dossier_id, N_("Votre décision est enregistrée."))


def _granted(form: FormData, answers: RawAnswers, snapshots: list[int]) -> TechnicalGrant:
    """What the form grants. Raises Unfit for more than was asked, or for what does not exist."""
    verdict, why = _word(form, "verdict", Verdict), reason(form)
    access = _word(form, "access", AccessLevel)
    asked_until = parse_day(str(answers.get("expires_on", "")))
    until, number = parse_day(said(form, "expires_on", most=10)), said(form, "snapshot", most=9)
    tables, centres = many(form, "tables"), many(form, "centres")
    asked_centres = set(answers.get("centres") or ())
    everywhere = ALL_CENTRES in asked_centres and ALL_CENTRES in centres
    if until is None or asked_until is None or until > asked_until:
        raise Unfit({"expires_on": Problem(Flaw.NOT_ON_LIST)})
    if not number.isdigit() or int(number) not in snapshots:
        raise Unfit({"snapshot": Problem(Flaw.NOT_ON_LIST)})
    if not tables or not set(tables) <= set(answers.get("tables") or ()):
        raise Unfit({"tables": Problem(Flaw.NOT_ON_LIST)})
    if access not in _levels(answers):
        raise Unfit({"access": Problem(Flaw.NOT_ON_LIST)})
    if not everywhere and (not centres or not set(centres) <= asked_centres):
        raise Unfit({"centres": Problem(Flaw.NOT_ON_LIST)})
    narrowed = None if everywhere else tuple(centres)
    return TechnicalGrant(verdict, why, int(number), access, tuple(tables), narrowed, until)


def _levels(answers: RawAnswers) -> list[AccessLevel]:
    """The level asked for, and those below it."""
    asked = str(answers.get("access", ""))
    return [level for level in LEVELS if level is AccessLevel.AGGREGATE or level.value == asked]


def _visible(office: Secretariat, dossier_id: str, person: Person) -> DossierFacts:
    office.greet(person)
    with office.reading() as session:
        found = reading.dossier(session, dossier_id)
    if found is None or why_not(person, Act.VIEW, found, quorum=office.quorum) is not None:
        raise NoSuch(dossier_id)
    return found


def _word(form: FormData, name: str, vocabulary: type[_Word]) -> _Word:
    given = said(form, name, most=40)
    if given not in set(vocabulary):
        raise Unfit({name: Problem(Flaw.NOT_ON_LIST)})
    return vocabulary(given)


def _version(form: FormData) -> int:
    found = version(form)
    if found is None:
        raise Stale
    return found


def _back(request: Request, dossier_id: str, told: str) -> Response:
    return see_other(request, f"/instruction/{dossier_id}", told)
