"""*Instruction*: what waits for committee, DPO and administrator, and the page where each decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.recorder import Recorder
from hub_config.governance.register import reading
from hub_config.governance.register.facts import Ballot, DossierFacts, LegalBasis, Office, State
from hub_config.governance.roles import Person, Role
from hub_config.register.actions import decisions
from hub_config.register.actions.looking import note_reading
from hub_config.register.deciding import Reader, granted, judged, levels
from hub_config.register.form import ALL_CENTRES, Problems
from hub_config.register.parts import fields, in_words, number, require, show, visible
from hub_config.register.problems import NoSuch, Stale, Unfit
from hub_config.register.rules import Act, offices_needed, tally, waits, why_not
from hub_config.register.secretariat import Secretariat, secretariat_of
from hub_config.web.answers import see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.texts import N_

router = APIRouter(prefix="/instruction")
OFFICERS = (Role.CSE, Role.DPO, Role.ADMIN)


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
    mine = [one for one in found if any(waits(person, each, one, quorum=office.quorum) for each in Office)]
    others = [one for one in found if one not in mine]
    context = {
        "mine": mine,
        "others": others,
        "done": done[-20:][::-1],
        "needed": offices_needed,
        "names": names,
        "today": office.today,
    }
    return show(request, "queue", person, context)


@router.get("/{dossier_id}")
def consider(request: Request, dossier_id: str, person: Visitor) -> Response:
    """Reading somebody else's request is an event of the log."""
    require(person, *OFFICERS)
    office = secretariat_of(request)
    dossier = visible(office, dossier_id, person)
    return _shown(request, office, dossier, person, _Typed())


@router.post("/{dossier_id}/vote")
def vote(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    def act(office: Secretariat, session: Session, audit: Recorder) -> None:
        reader = Reader(form)
        ballot = reader.word("ballot", Ballot, Ballot.ABSTAIN)
        comment, reserve = reader.text("comment"), reader.text("reserve")
        decisions.vote(
            session,
            dossier_id,
            person,
            reader.complete(ballot),
            comment=comment,
            reserve=reserve,
            round=_made_from(form, "round"),
            bench=office.bench(),
            audit=audit,
        )

    return _decided(request, dossier_id, person, form, "vote", act, N_("Votre voix est enregistrée."))


@router.post("/{dossier_id}/conflit")
def declare_conflict(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    def act(office: Secretariat, session: Session, audit: Recorder) -> None:
        reader = Reader(form)
        why = reader.complete(reader.reason())
        decisions.declare_conflict(session, dossier_id, person, reason=why, bench=office.bench(), audit=audit)

    told = N_("Votre conflit d'intérêts est déclaré : vous ne prenez pas part.")
    return _decided(request, dossier_id, person, form, "conflit", act, told)


@router.post("/{dossier_id}/clore")
def close_vote(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    def act(office: Secretariat, session: Session, audit: Recorder) -> None:
        reader = Reader(form)
        why, made_from = reader.complete(reader.reason()), _made_from(form, "version")
        decisions.close_vote(
            session, dossier_id, person, reason=why, version=made_from, bench=office.bench(), audit=audit
        )

    return _decided(request, dossier_id, person, form, "clore", act, N_("La décision du comité est rendue."))


@router.post("/{dossier_id}/reserves/{reserve}/lever")
def lift_reserve(request: Request, dossier_id: str, reserve: int, person: Visitor, form: Form) -> Response:
    def act(office: Secretariat, session: Session, audit: Recorder) -> None:
        reader = Reader(form)
        why, made_from, bench = reader.complete(reader.reason()), _made_from(form, "version"), office.bench()
        decisions.lift_reserve(
            session, dossier_id, reserve, person, because=why, version=made_from, bench=bench, audit=audit
        )

    where, told = f"lever-{reserve}", N_("La réserve est levée.")
    return _decided(request, dossier_id, person, form, where, act, told)


@router.post("/{dossier_id}/avis")
def judge(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    """The DPO's opinion."""

    def act(office: Secretariat, session: Session, audit: Recorder) -> None:
        judgement, made_from, bench = judged(form), _made_from(form, "round"), office.bench()
        decisions.judge(session, dossier_id, person, judgement, round=made_from, bench=bench, audit=audit)

    return _decided(request, dossier_id, person, form, "avis", act, N_("Votre avis est enregistré."))


@router.post("/{dossier_id}/octroi")
def grant(request: Request, dossier_id: str, person: Visitor, form: Form) -> Response:
    """The administrator's technical grant: within what was asked."""

    def act(office: Secretariat, session: Session, audit: Recorder) -> None:
        dossier = reading.dossier(session, dossier_id)
        if dossier is None:
            raise NoSuch(dossier_id)
        allowed, made_from = granted(form, dossier.answers, office.snapshots()), _made_from(form, "round")
        decisions.grant(
            session, dossier_id, person, allowed, round=made_from, bench=office.bench(), audit=audit
        )

    return _decided(request, dossier_id, person, form, "octroi", act, N_("Votre décision est enregistrée."))


@dataclass(frozen=True)
class _Typed:
    """What was typed into which form of the page, and what is wrong with it."""

    where: str = ""
    values: Mapping[str, list[str]] = field(default_factory=dict)
    problems: Problems = field(default_factory=dict)
    stale: bool = False


def _decided(
    request: Request,
    dossier_id: str,
    person: Person,
    form: FormData,
    where: str,
    act: Callable[[Secretariat, Session, Recorder], None],
    told: str,
) -> Response:
    """Act, and lead back; or show the page again with what was typed, and what is wrong at its field."""
    office = secretariat_of(request)
    dossier = visible(office, dossier_id, person)
    try:
        with office.acting(person) as (session, audit):
            act(office, session, audit)
    except Unfit as unfit:
        typed = _Typed(where, fields(form), unfit.problems)
        return _shown(request, office, dossier, person, typed, status=422)
    except Stale:
        newer = visible(office, dossier_id, person)
        typed = _Typed(where, fields(form), stale=True)
        return _shown(request, office, newer, person, typed, status=409)
    return see_other(request, f"/instruction/{dossier_id}", told)


def _shown(
    request: Request,
    office: Secretariat,
    dossier: DossierFacts,
    person: Person,
    typed: _Typed,
    *,
    status: int = 200,
) -> Response:
    with office.acting(person) as (session, audit):
        note_reading(session, dossier, person, audit=audit)
        seen = {one.by for one in dossier.opinions} | {vote.voter for vote in dossier.votes}
        seen |= {one.username for one in dossier.conflicts} | {one.by for one in dossier.reserves}
        names = reading.full_names(session, seen | dossier.involved)
    terms = office.terms(None)
    context = {
        "dossier": dossier,
        "names": names,
        "tally": tally(dossier),
        "quorum": office.quorum,
        "needed": offices_needed(dossier),
        "why": {act.value: why_not(person, act, dossier, quorum=office.quorum) for act in Act},
        "catalogue": terms.catalogue,
        "bases": list(LegalBasis),
        "levels": levels(dossier.answers),
        "snapshots": office.snapshots(),
        "newest": terms.snapshot.number,
        "needs": dossier.answers.get("needs") or {},
        "all_centres": ALL_CENTRES,
        "centre_labels": terms.snapshot.labels,
        "typed": {typed.where: typed.values},
        "errors": {typed.where: in_words(request, typed.problems)},
        "stale": typed.stale,
    }
    return show(request, "consider", person, context, status=status)


def _made_from(form: FormData, name: str) -> int:
    """Of which submission, or which version of it, the page was made. Raises Stale."""
    found = number(form, name)
    if found is None:
        raise Stale
    return found
