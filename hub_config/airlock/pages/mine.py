"""The requester's pages: what they asked for, what a reviewer will see of it, what came of it."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.airlock.actions import drafting, reviewing
from hub_config.airlock.actions.drafting import Words
from hub_config.airlock.actions.releasing import manifest_of
from hub_config.airlock.pages import reports
from hub_config.airlock.pages.asking import Allowed, Asked
from hub_config.airlock.pages.ballots import field
from hub_config.airlock.pages.names import disposition
from hub_config.airlock.pages.news import news, read_news
from hub_config.airlock.pages.stopping import lacks_reviewers, stops_requester
from hub_config.airlock.rules.permission import Act
from hub_config.airlock.rules.records import for_requester
from hub_config.airlock.texts import AirlockProblem
from hub_config.governance.releases.facts import State
from hub_config.web.answers import see_other
from hub_config.web.forms import Form
from hub_config.web.pages import page
from hub_config.web.texts import N_

router = APIRouter(include_in_schema=False)
SENT = N_("Votre demande est envoyée aux relecteurs.")
AT_ONCE = N_("Tout est conforme d’origine : vos fichiers sont sortis, vous pouvez les télécharger.")
_FIELDS = ("title", "purpose", "context", "controls")


@router.get("/")
def begin(request: Request, asked: Allowed) -> Response:
    """To the queue for a reviewer, else to one's own requests."""
    return see_other(request, asked.desk.first_page(asked.person, asked.today))


@router.get("/demandes")
def mine(request: Request, asked: Allowed) -> Response:
    told = news(asked.desk, asked.person, asked.language, asked.today)
    return page(
        request,
        "mine.html",
        asked.person,
        reports=reports.listed(asked),
        rows=asked.desk.mine(asked.person, asked.today),
        news=told,
    )


@router.get("/demandes/nouvelle")
def new(request: Request, asked: Allowed, projet: str = "") -> Response:
    return _form_for(request, asked, projet, Words(""))


@router.post("/demandes/nouvelle")
def create(request: Request, asked: Allowed, form: Form) -> Response:
    project, words = field(form, "project"), _words(form)
    try:
        made = asked.desk.change(
            asked.person,
            lambda do: drafting.open_draft(
                do.session, asked.person, project, words, at=do.at, audit=do.audit
            ),
        )
    except AirlockProblem as problem:
        return _form_for(request, asked, project, words, problem)
    return see_other(
        request, f"/demandes/{made.id}", N_("Le brouillon est enregistré. Joignez-y les fichiers.")
    )


@router.get("/demandes/{id}")
def show(request: Request, asked: Allowed) -> Response:
    """For its requester; a reviewer is led to the page for reviewers."""
    if asked.person.username != asked.case.request.requester:
        return see_other(request, f"/relecture/{asked.case.request.id}")
    read_news(asked.desk, asked.person, asked.case.request.id)
    return _screen(request, asked)


@router.post("/demandes/{id}/textes")
def describe(request: Request, id: str, asked: Allowed, form: Form) -> Response:
    words = _words(form)
    try:
        asked.desk.change(
            asked.person,
            lambda do: drafting.describe(do.session, asked.person, id, words, at=do.at, audit=do.audit),
        )
    except AirlockProblem as problem:
        return _screen(request, asked, words, problem)
    return see_other(request, f"/demandes/{id}", N_("Vos textes sont enregistrés."))


@router.post("/demandes/{id}/fichiers/{number}/retirer")
def remove(request: Request, id: str, number: int, asked: Allowed) -> Response:
    asked.desk.change(
        asked.person,
        lambda do: drafting.remove_file(do.session, asked.person, id, number, at=do.at, audit=do.audit),
    )
    return see_other(request, f"/demandes/{id}", N_("Le fichier est retiré de la demande."))


@router.post("/demandes/{id}/envoyer")
def submit(request: Request, id: str, asked: Allowed) -> Response:
    desk = asked.desk
    desk.change(
        asked.person,
        lambda do: drafting.submit(
            do.session, asked.person, id, settings=desk.settings.airlock, at=do.at, audit=do.audit
        ),
    )
    after = desk.follow(id)
    at_once = after is not None and after.state is State.RELEASED
    return see_other(request, f"/demandes/{id}", AT_ONCE if at_once else SENT)


@router.post("/demandes/{id}/retirer")
def withdraw(request: Request, id: str, asked: Allowed) -> Response:
    asked.desk.change(
        asked.person, lambda do: drafting.withdraw(do.session, asked.person, id, at=do.at, audit=do.audit)
    )
    return see_other(request, "/demandes", N_("La demande est retirée."))


@router.post("/demandes/{id}/reprendre")
def resubmit(request: Request, id: str, asked: Allowed) -> Response:
    made = asked.desk.change(
        asked.person, lambda do: drafting.resubmit(do.session, asked.person, id, at=do.at, audit=do.audit)
    )
    told = N_(
        "Un brouillon reprend vos textes et vos fichiers : corrigez ce qui est à corriger, puis envoyez."
    )
    return see_other(request, f"/demandes/{made.id}", told)


@router.post("/demandes/{id}/reponse")
def answer(request: Request, id: str, asked: Allowed, form: Form) -> Response:
    text, question = field(form, "text"), field(form, "question")
    asked.desk.change(
        asked.person,
        lambda do: reviewing.answer(
            do.session, asked.person, id, text, question=_number(question),
            at=do.at, audit=do.audit,
        ),
    )  # fmt: skip
    return see_other(request, f"/demandes/{id}", N_("Votre réponse est enregistrée."))


@router.get("/demandes/{id}/fichiers/{number}/telecharger")
def download(id: str, number: int, asked: Allowed) -> Response:
    handed = asked.desk.download(asked.person, id, number)
    return kept(handed.name, handed.content)


@router.get("/demandes/{id}/manifeste")
def manifest(asked: Allowed) -> Response:
    request = asked.case.request
    return kept(f"{request.id}-manifeste.json", manifest_of(request).encode())


@router.get("/demandes/{id}/fiche-de-controle")
def record(id: str, asked: Allowed) -> Response:
    """Reviewers by role and number: their names are the DPO's (`record.full`)."""
    return kept(f"{id}-fiche-de-controle.json", for_requester(asked.desk.record(id)).encode())


def kept(name: str, content: bytes) -> Response:
    """A file to keep. Whatever it holds, no browser shows or runs it in our origin."""
    headers = {
        "Content-Disposition": disposition(name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)


def _screen(
    request: Request, asked: Asked, written: Words | None = None, problem: AirlockProblem | None = None
) -> Response:
    """The request, with what was written and not taken, if anything."""
    view = asked.desk.view(asked.person, asked.case, asked.language)
    said = view.written if written is None else asdict(written)
    return page(
        request, "request.html", asked.person, status=409 if problem else 200,
        r=view, may=view.may, Act=Act, written=said, problem=asked.told(request, problem),
        stopped=asked.stopped(request, stops_requester(asked.person, asked.case)),
        few=lacks_reviewers(asked.case),
    )  # fmt: skip


def _form_for(
    request: Request, asked: Asked, project: str, words: Words, problem: AirlockProblem | None = None
) -> Response:
    return page(
        request, "new.html", asked.person, status=409 if problem else 200,
        projects=asked.desk.projects(asked.person, asked.today), chosen=project, written=asdict(words),
        problem=asked.told(request, problem),
    )  # fmt: skip


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _words(form: Form) -> Words:
    return Words(**{name: field(form, name) for name in _FIELDS})
