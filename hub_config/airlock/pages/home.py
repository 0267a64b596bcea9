"""Choosing files of one's own workspace, and answering what was found in them: a draft's other forms."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from hub_config.airlock.actions import explaining
from hub_config.airlock.intake.home import Home, listing
from hub_config.airlock.intake.picking import MOST_AT_ONCE, pick
from hub_config.airlock.pages.asking import Allowed, Asked
from hub_config.airlock.pages.ballots import field
from hub_config.airlock.texts import AirlockProblem
from hub_config.governance.releases.facts import FileFacts
from hub_config.web.answers import see_other
from hub_config.web.forms import Form
from hub_config.web.pages import page
from hub_config.web.texts import N_

router = APIRouter(include_in_schema=False)
NOTHING_CHOSEN = N_("Aucun fichier n’était coché : rien n’est joint.")
JOINED = N_("Les fichiers sont joints : voyez ci-dessous ce qu’en disent les contrôles.")
STOPPED = N_("Les fichiers sont joints, mais un constat bloquant retient la demande : voyez ci-dessous.")
EXPLAINED = N_("Votre explication est enregistrée : les relecteurs la liront à côté du constat.")
TAKEN_BACK = N_("Votre explication est retirée.")


@router.get("/demandes/{id}/espace")
def choose(
    request: Request, asked: Allowed, d: Annotated[list[str] | None, Query(max_length=20)] = None
) -> Response:
    """One folder of one's home in the request's project; `d`: the names on the way to it."""
    return _screen(request, asked, tuple(d or ()))


@router.post("/demandes/{id}/espace")
def join(request: Request, id: str, asked: Allowed, form: Form) -> Response:
    folder, names = _texts(form, "d"), tuple(dict.fromkeys(_texts(form, "file")))
    if not names:
        return see_other(request, f"/demandes/{id}/espace", NOTHING_CHOSEN)
    try:
        with asked.desk.turns.of(asked.person.username):
            note = partial(asked.desk.turns.note_bytes, asked.person.username)
            added = pick(
                asked.desk, asked.person, asked.case.request, folder, names, asked.desk.search, note=note
            )
    except AirlockProblem as problem:
        return _screen(request, asked, folder, problem)
    return see_other(request, f"/demandes/{id}", STOPPED if any(map(_stops, added)) else JOINED)


@router.post("/demandes/{id}/fichiers/{number}/constats/{finding}/expliquer")
def explain(request: Request, id: str, number: int, finding: int, asked: Allowed, form: Form) -> Response:
    words = "" if form.get("undo") else field(form, "text")
    asked.desk.change(
        asked.person,
        lambda do: explaining.explain(
            do.session, asked.person, id, number, finding, words, at=do.at, audit=do.audit
        ),
    )
    return see_other(request, f"/demandes/{id}", EXPLAINED if words.strip() else TAKEN_BACK)


def _stops(file: FileFacts) -> bool:
    return file.blocked


def _screen(
    request: Request, asked: Asked, folder: tuple[str, ...], problem: AirlockProblem | None = None
) -> Response:
    case = asked.case.request
    home = Home(asked.desk.settings.homes_dir, case.project, asked.person.username)
    return page(
        request, "home.html", asked.person, status=409 if problem else 200,
        id=case.id, title=case.title, project=asked.desk.title_of(case.project),
        folder=folder, listed=listing(home, folder),
        joined={file.name for file in case.files}, most=MOST_AT_ONCE,
        problem=asked.told(request, problem),
    )  # fmt: skip


def _texts(form: Form, name: str) -> tuple[str, ...]:
    return tuple(one for one in form.getlist(name) if isinstance(one, str))
