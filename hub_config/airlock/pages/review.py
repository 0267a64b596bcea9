"""The reviewers' pages: the queue, and one request on one screen."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.airlock.actions import reviewing
from hub_config.airlock.actions.reviewing import Remark
from hub_config.airlock.pages.asking import Allowed, Asked
from hub_config.airlock.pages.ballots import BadBallot, ballot, batch, field
from hub_config.airlock.pages.names import disposition
from hub_config.airlock.pages.news import news, read_news
from hub_config.airlock.pages.notebooks import waits_for
from hub_config.airlock.pages.queues import Case
from hub_config.airlock.pages.stopping import stops_reviewer
from hub_config.airlock.pages.words import KEYS, VERDICTS
from hub_config.airlock.rules.permission import Act
from hub_config.airlock.rules.reasons import REASONS
from hub_config.airlock.rules.voting import Ballot
from hub_config.airlock.texts import TEXTS, AirlockProblem, Denied, Problem
from hub_config.governance.releases.facts import RequestFacts, State
from hub_config.web.answers import Told, see_other
from hub_config.web.forms import Form
from hub_config.web.pages import page, text
from hub_config.web.texts import N_

router = APIRouter(include_in_schema=False)
NO_IMAGE = N_("Il n’y a pas d’image ici.")
OUTCOMES: Mapping[State, str] = {
    State.APPROVED: N_("Votre avis est enregistré : la demande est acceptée."),
    State.RELEASED: N_("La demande est acceptée : les fichiers sont remis au demandeur."),
    State.RETURNED: N_("La demande est rendue au demandeur, avec les motifs."),
    State.REJECTED: N_("La demande est refusée ; le demandeur en lit les motifs."),
}
VOTED = N_("Votre avis est enregistré.")
NOTHING_CHOSEN = N_("Aucune demande n’était cochée : rien n’a été accepté.")


@router.get("/relecture")
def queue(request: Request, asked: Allowed) -> Response:
    told = news(asked.desk, asked.person, asked.language, asked.today)
    waiting = asked.desk.queue(asked.person, asked.today)
    notebooks = waits_for(asked)
    return page(request, "queue.html", asked.person, queue=waiting, news=told, notebooks=notebooks)


@router.post("/relecture/lot")
def approve_batch(request: Request, asked: Allowed, form: Form) -> Response:
    chosen = batch(form)
    if not chosen:
        return see_other(request, "/relecture", NOTHING_CHOSEN)
    approved = asked.desk.change(
        asked.person,
        lambda do: reviewing.approve_batch(do.session, asked.person, chosen, at=do.at, audit=do.audit),
    )
    for id in approved:
        asked.desk.follow(id)
    told = N_("%(count)s demande(s) acceptée(s) : les fichiers sont remis aux demandeurs.")
    return see_other(request, "/relecture", told, count=len(approved))


@router.get("/relecture/{id}")
def read(request: Request, asked: Allowed) -> Response:
    """Nobody reviews their own: who asked for it is told so, here already."""
    if asked.person.username == asked.case.request.requester:
        raise Told(403, TEXTS[Problem.OWN_REQUEST])
    read_news(asked.desk, asked.person, asked.case.request.id)
    return _screen(request, asked, asked.desk.taken(asked.person, asked.case))


@router.post("/relecture/{id}/avis")
def vote(request: Request, id: str, asked: Allowed, form: Form) -> Response:
    cast = _ballot(form)
    try:
        asked.desk.change(
            asked.person,
            lambda do: reviewing.vote(do.session, asked.person, id, cast, at=do.at, audit=do.audit),
        )
    except AirlockProblem as problem:
        return _again(request, asked, cast, problem)
    return see_other(request, "/relecture", _outcome(asked.desk.follow(id)))


@router.post("/relecture/{id}/consolidation")
def consolidate(request: Request, id: str, asked: Allowed, form: Form) -> Response:
    """Vote anew, or send the request back without agreement."""
    cast = _ballot(form)
    act = reviewing.give_back if form.get("end") == "return" else reviewing.consolidate
    try:
        asked.desk.change(
            asked.person, lambda do: act(do.session, asked.person, id, cast, at=do.at, audit=do.audit)
        )
    except AirlockProblem as problem:
        return _again(request, asked, cast, problem)
    return see_other(request, f"/relecture/{id}", _outcome(asked.desk.follow(id)))


@router.post("/relecture/{id}/remplacer")
def replace_voter(request: Request, id: str, asked: Allowed, form: Form) -> Response:
    asked.desk.change(
        asked.person,
        lambda do: reviewing.replace_voter(
            do.session, asked.person, id, field(form, "voter"), at=do.at, audit=do.audit
        ),
    )
    told = N_("Son avis est mis de côté ; un autre relecteur est attendu.")
    return see_other(request, f"/relecture/{id}", told)


@router.post("/relecture/{id}/sortir")
def release(request: Request, id: str, asked: Allowed) -> Response:
    """Carry out an approval that was not carried out yet, because the process died in between."""
    return see_other(request, f"/relecture/{id}", _outcome(asked.desk.follow(id)))


@router.post("/relecture/{id}/remarque")
def comment(request: Request, id: str, asked: Allowed, form: Form) -> Response:
    remark = Remark(field(form, "text"), private=form.get("to") != "requester")
    asked.desk.change(
        asked.person,
        lambda do: reviewing.comment(do.session, asked.person, id, remark, at=do.at, audit=do.audit),
    )
    return see_other(request, f"/relecture/{id}", N_("Votre remarque est enregistrée."))


@router.post("/relecture/{id}/question")
def ask(request: Request, id: str, asked: Allowed, form: Form) -> Response:
    remark = Remark(field(form, "text"), private=False)
    asked.desk.change(
        asked.person,
        lambda do: reviewing.ask(do.session, asked.person, id, remark, at=do.at, audit=do.audit),
    )
    return see_other(request, f"/relecture/{id}", N_("Votre question est envoyée au demandeur."))


@router.get("/relecture/{id}/fichiers/{number}/images/{block}")
@router.get("/demandes/{id}/fichiers/{number}/images/{block}")
def image(number: int, block: int, asked: Allowed) -> Response:
    """A picture of the preview, which the checks drew anew from its pixels."""
    found = asked.desk.image(asked.case, number, block)
    if found is None:
        raise Told(404, NO_IMAGE)
    headers = {
        "Content-Disposition": disposition(f"apercu-{number}-{block}.png", "inline"),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(found.png, media_type="image/png", headers=headers)


@router.get("/relecture/{id}/fichiers/{number}/dessin")
@router.get("/demandes/{id}/fichiers/{number}/dessin")
def drawing(number: int, asked: Allowed) -> Response:
    """An SVG as it will leave, for an `img`, where a browser runs and fetches nothing. Opened by itself it is
    in a sandbox without scripts, nor anything from elsewhere."""
    found = asked.desk.drawing(asked.case, number)
    if found is None:
        raise Told(404, NO_IMAGE)
    headers = {
        "Content-Disposition": disposition(f"apercu-{number}.svg", "inline"),
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(found, media_type="image/svg+xml", headers=headers)


def _screen(
    request: Request,
    asked: Asked,
    case: Case,
    *,
    cast: Ballot | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    view = asked.desk.reviewed(asked.person, case, asked.language, cast)
    return page(
        request, "review.html", asked.person, status=status, r=view, may=view.may, Act=Act,
        verdicts=VERDICTS, keys=KEYS, reasons=REASONS.values(), problem=problem,
        to_requester=cast.to_requester if cast else "",
        stopped=asked.stopped(request, stops_reviewer(asked.person, case)),
    )  # fmt: skip


def _again(request: Request, asked: Asked, cast: Ballot, problem: AirlockProblem) -> Response:
    """The screen once more, with what was written: the vote was not taken."""
    if isinstance(problem, Denied):
        raise problem
    words = text(request, TEXTS[problem.problem], **problem.blanks)
    return _screen(request, asked, asked.case, cast=cast, problem=words, status=409)


def _outcome(request: RequestFacts | None) -> str:
    return VOTED if request is None else OUTCOMES.get(request.state, VOTED)


def _ballot(form: Form) -> Ballot:
    try:
        return ballot(form)
    except BadBallot:
        raise Told(400, N_("Choisissez un avis, puis recommencez.")) from None
