"""Refusals and failures as pages in words, or as problems (RFC 9457) for whoever asked for JSON.

No stack trace, no message of an exception: a failure shows a number that the log has too.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub_config.web.answers import SessionEnded, Told
from hub_config.web.pages import page, text
from hub_config.web.texts import N_

TITLES: Final[Mapping[int, str]] = {
    400: N_("Demande non comprise"),
    401: N_("Accès refusé"),
    403: N_("Accès refusé"),
    404: N_("Page introuvable"),
    405: N_("Demande non comprise"),
    409: N_("Ce n'est plus possible"),
    413: N_("Envoi trop volumineux"),
    422: N_("Demande non comprise"),
    429: N_("Trop de demandes"),
    503: N_("Service momentanément indisponible"),
}
OTHER_TITLE: Final = N_("Une erreur est survenue")
TEXTS: Final[Mapping[int, str]] = {
    403: N_("Cette page ne vous est pas ouverte."),
    404: N_("Cette page n'existe pas, ou elle ne vous est pas ouverte."),
    503: N_("Réessayez dans une minute ; sinon, prévenez l'administrateur de la plateforme."),
}
OTHER_TEXT: Final = N_("La demande n'a pas été comprise. Revenez à la page précédente et recommencez.")
FAILURE: Final = N_(
    "Rien de ce qui était enregistré n'est perdu. Réessayez ; si cela se reproduit, donnez le numéro "
    "%(number)s à l'administrateur de la plateforme."
)


def told_page(request: Request, told: Told) -> Response:
    title = TITLES.get(told.status, OTHER_TITLE)
    words = text(request, told.text, **told.blanks)
    if _wants_json(request):
        problem = {"title": text(request, title), "status": told.status, "detail": words}
        return JSONResponse(problem, told.status, media_type="application/problem+json")
    person = request.state.person
    if isinstance(told, SessionEnded):
        return page(request, "ended.html", None, status=told.status, held=told.held, ended_text=words)
    return page(request, "error.html", person, status=told.status, error_title=title, error_text=words)


def failed(request: Request, number: str) -> Response:
    return told_page(request, Told(500, FAILURE, number=number))


def answer_in_words(app: FastAPI) -> None:
    """Every refusal that handlers and the framework raise."""

    @app.exception_handler(Told)
    async def told(request: Request, error: Told) -> Response:
        return told_page(request, error)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        answer = told_page(request, Told(error.status_code, TEXTS.get(error.status_code, OTHER_TEXT)))
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and error.headers:
            answer.headers.update(error.headers)
        return answer

    @app.exception_handler(RequestValidationError)
    async def not_understood(request: Request, error: RequestValidationError) -> Response:
        in_path = any(item["loc"][0] == "path" for item in error.errors())
        return told_page(request, Told(404, TEXTS[404]) if in_path else Told(400, OTHER_TEXT))


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted
